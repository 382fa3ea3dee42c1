//! The bounds of the wire.

/// The largest packet, in bytes: the payload of one whole WebSocket message. A packet of exactly this
/// size is allowed; a larger one is answered with [`CloseCode::TooBig`](super::CloseCode::TooBig). A
/// router's configuration may change it.
pub const PACKET_BYTES: usize = 1024 * 1024;

/// The largest first packet of a connection, in bytes: nobody has shown a key yet. A router's
/// configuration may change it.
pub const FIRST_PACKET_BYTES: usize = 4 * 1024;

/// The longest client name, in bytes of UTF-8. A router's configuration may change it.
pub const CLIENT_NAME_BYTES: usize = 64;

/// The longest `id` of a packet, in bytes of UTF-8.
pub const ID_BYTES: usize = 64;

/// The longest `event` of a message, in bytes of UTF-8.
pub const EVENT_BYTES: usize = 64;

/// The longest `name` of a `sender`, in bytes of UTF-8.
pub const SENDER_NAME_BYTES: usize = 256;

/// The longest `reason` and `remote-id` of a receipt and the longest `text` of a status, in bytes of
/// UTF-8 each.
pub const TEXT_BYTES: usize = 1024;

/// The most attachments that a message may have.
pub const ATTACHMENTS: usize = 10;
