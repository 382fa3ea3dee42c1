//! The client as a program sees it: against a server that does what real ones do at the worst moment, and against
//! the real router behind a line that breaks.

#![cfg(all(feature = "client", not(target_family = "wasm")))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod attempts;
mod endings;
mod events;
mod examples;
mod faults;
mod handles;
mod ledger;
mod outbox;
mod plain;
mod registering;
mod resuming;
mod router;
mod sending;
mod support;
mod terms;
mod threads;
mod tls;
