//! The router from outside: the real program on a port of its own, clients that send every byte by hand, and
//! clients that this project did not write.
//!
//! Linux only: the tests look at the router's process in `/proc`, and come from many addresses of 127.0.0.0/8.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod admin;
mod bounds;
mod chat_log;
mod faults;
mod http;
mod independent;
mod ledger;
mod proxies;
mod rates;
mod reload;
mod rich;
mod shutdown;
mod support;
mod transcript;
