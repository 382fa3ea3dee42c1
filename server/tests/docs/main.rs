//! Keeps the documents true: what they say of the configuration, the program and each other is compared with
//! what is there.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod configs;
mod document;
mod limits;
mod links;
mod operation;
mod program;
mod support;
