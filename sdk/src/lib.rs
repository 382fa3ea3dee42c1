//! multichat forwards chat messages between platforms: every bridge is a client of one router, and
//! what one of them says is told to all the others.
//!
//! This crate is what a bridge is written with, and what it has in common with the router.
//!
//! * [`Client`]: the connection to a router, on tokio or in the browser. It comes back after every break, catches up,
//!   and knows what became of each message. Made by a [`Builder`]; what it is told comes as [`Events`]. (Feature
//!   `client`, on by default.)
//! * [`protocol`]: the ground floor, always compiled: packets, their codec, names, limits and close
//!   codes. It reads no clock and no socket, needs no runtime and builds for `wasm32-unknown-unknown`.
//!   Its documentation is the specification of the wire.
//!
//! ```no_run
//! use multichat::{Client, Event};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let (client, mut events) = Client::builder("ws://127.0.0.1:6780/", "irc").key("correct horse").connect().await?;
//! let place = client.send("hello from IRC").await?.seq();
//! while let Some(event) = events.next().await {
//!     if let Event::Message(message) = event {
//!         println!("<{}> {}", message.source_client_name, message.content);
//!     }
//! }
//! # Ok(()) }
//! ```

#[cfg(feature = "client")]
mod client;
#[cfg(all(feature = "js", target_family = "wasm"))]
mod js;
pub mod protocol;
#[cfg(feature = "client")]
mod runtime;
#[cfg(feature = "client")]
mod session;
#[cfg(feature = "client")]
mod transport;

#[cfg(feature = "client")]
pub use client::{Builder, Client, Events, Sent, States};
#[cfg(feature = "client")]
pub use protocol::render_plain;
#[cfg(feature = "client")]
pub use runtime::{MaybeSend, MaybeSync};
#[cfg(feature = "client")]
pub use session::{
    Confirmation, ConnectError, Event, Fate, Gap, GapCause, OutboxLimits, Received, Reconnect, SendError,
    SendFailure, Side, Stage, State, Timeouts, WhenFull,
};

/// The example in the README is compiled with the tests.
#[cfg(all(doctest, feature = "client"))]
#[doc = include_str!("../README.md")]
struct Readme;
