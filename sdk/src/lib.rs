//! multichat forwards chat messages between platforms: every bridge is a client of one router, and
//! what one of them says is told to all the others.
//!
//! This crate is what a bridge and the router have in common.
//!
//! * [`protocol`]: the ground floor, always compiled: packets, their codec, names, limits and close
//!   codes. It reads no clock and no socket, needs no runtime and builds for `wasm32-unknown-unknown`.
//!   Its documentation is the specification of the wire.
//!
//! ```
//! use multichat::protocol::{ClientMessage, ClientPacket, Dialect, ServerPacket, limits};
//!
//! let hello = ClientPacket::Message(ClientMessage::new("hello")).encode();
//! assert_eq!(hello, r#"{"action":"client-message","content":"hello"}"#);
//!
//! let text = r#"{"action":"forwarding-message","source-client-name":"irc","content":"hello"}"#;
//! match ServerPacket::decode(text, Dialect::Plain, limits::PACKET_BYTES)? {
//!     ServerPacket::Message(message) => assert_eq!(message.source_client_name, "irc"),
//!     other => unreachable!("{other:?}"),
//! }
//! # Ok::<(), multichat::protocol::DecodeError>(())
//! ```

pub mod protocol;
