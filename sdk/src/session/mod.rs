//! The client's state machine: it is told what happens and when, and decides what to do. No clock, no socket and
//! no task is in here, so that all of it runs in tests with the time as an argument, natively and in wasm.
//!
//! * [`machine`]: the life of a client: connecting, registering, online, waiting, closed.
//! * [`submit`]: what the program gives to be sent.
//! * [`online`]: what a registration brings, and what comes over it; the session that is resumed.
//! * [`outbox`]: what is to be sent, and what is not confirmed.
//! * [`backoff`], [`pace`]: when to connect again, and how fast to send.

mod backoff;
mod error;
mod event;
mod machine;
mod online;
mod outbox;
mod pace;
mod phase;
mod send;
mod settings;
mod submit;
#[cfg(test)]
mod tests;
mod url;

pub use error::{ConnectError, Stage};
pub use event::{Event, Gap, GapCause, Received, Side, State};
pub(crate) use machine::Session;
pub(crate) use phase::Want;
pub use send::{Confirmation, Fate, SendError, SendFailure};
pub(crate) use settings::Settings;
pub use settings::{OutboxLimits, Reconnect, Timeouts, WhenFull};
pub(crate) use url::Url;
