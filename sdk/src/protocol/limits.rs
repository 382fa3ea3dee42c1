//! The default bounds of the wire, which a router's configuration may change.

/// The largest packet, in bytes: the payload of one whole WebSocket message. A packet of exactly this
/// size is allowed; a larger one is answered with [`CloseCode::TooBig`](super::CloseCode::TooBig).
pub const PACKET_BYTES: usize = 1024 * 1024;

/// The largest first packet of a connection, in bytes: nobody has shown a key yet.
pub const FIRST_PACKET_BYTES: usize = 4 * 1024;

/// The longest client name, in bytes of UTF-8.
pub const CLIENT_NAME_BYTES: usize = 64;
