//! The router from outside: the real program on a port of its own, clients that send every byte by hand, and
//! clients that this project did not write.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod bounds;
mod faults;
mod http;
mod independent;
mod ledger;
mod shutdown;
mod support;
