//! The connection: a WebSocket, open or not. One switch: natively tokio-tungstenite over rustls, in the browser (and
//! Node.js, Deno, Bun) the `WebSocket` of JavaScript. Both twins offer the same names.
//!
//! Nothing in here knows of packets, deadlines or reconnecting. A [`Socket`] is owned by one task, which polls it.

#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(target_family = "wasm")]
mod web;

#[cfg(not(target_family = "wasm"))]
pub(crate) use native::{CAN_PING, Socket, Text, Tls};
#[cfg(target_family = "wasm")]
pub(crate) use web::{CAN_PING, Socket, Text, Tls};

/// What a connection brings.
pub(crate) enum Incoming {
    /// A text message.
    Text(Text),
    /// A sign of life: a ping, a pong, a binary message.
    Other,
    /// A message of more bytes than any router sends. The connection is of no use any more.
    #[cfg_attr(target_family = "wasm", expect(dead_code, reason = "the browser takes messages of any size"))]
    TooBig,
    /// The connection has ended, in whatever way. There is nothing after it.
    Closed {
        /// The status code of the other side's close frame. `None`: there was no frame, or no code in it.
        code: Option<u16>,
        /// The text of that frame.
        reason: String,
    },
}

impl Incoming {
    /// The end without a close frame.
    const BROKEN: Self = Self::Closed { code: None, reason: String::new() };
}

/// Nothing can be sent any more. What the other side had to say about it is still to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broken;
