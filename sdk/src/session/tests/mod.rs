//! The state machine, driven by a clock that the test sets and a server that the test plays: the same functions
//! run natively, and in a browser as wasm.

#[cfg(not(target_family = "wasm"))]
use std::prelude::v1::test;

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;
#[cfg(target_family = "wasm")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

mod bed;
mod closing;
mod connecting;
mod deadlines;
mod endings;
mod model;
mod outbox;
mod pace;
mod plain;
mod random;
mod receiving;
mod registering;
mod resuming;
mod sending;
mod status;
