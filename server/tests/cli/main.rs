//! The command line as its users meet it: the real program, its exit codes and its messages.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod check;
mod commands;
mod serve;
mod sockets;
mod streams;
mod support;
mod systemd;
