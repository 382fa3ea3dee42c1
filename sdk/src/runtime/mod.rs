//! What a client needs of the place it runs in: tasks, time, a little chance. One switch: natively that is tokio, in
//! the browser (and Node.js, Deno, Bun) the event loop of JavaScript. Both twins offer the same names.

#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(target_family = "wasm")]
mod web;

#[cfg(not(target_family = "wasm"))]
pub(crate) use native::{BoxFuture, Sleep, Wakeups, now, seed, spawn, yield_to_others};
#[cfg(not(target_family = "wasm"))]
pub use native::{MaybeSend, MaybeSync};
#[cfg(target_family = "wasm")]
pub(crate) use web::{BoxFuture, Sleep, Wakeups, now, seed, spawn, yield_to_others};
#[cfg(target_family = "wasm")]
pub use web::{MaybeSend, MaybeSync};

use crate::session::ConnectError;

/// There is nothing here that runs tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoRuntime;

impl From<NoRuntime> for ConnectError {
    fn from(_: NoRuntime) -> Self {
        Self::NoRuntime
    }
}
