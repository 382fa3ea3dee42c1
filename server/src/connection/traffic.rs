//! What goes over connections, counted.

use std::ops::AddAssign;

/// What went over a connection, or over all of a room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traffic {
    /// What others said, and was sent, or begun.
    pub(crate) sent_messages: u64,
    /// Of WebSocket frames, inside of TLS.
    pub(crate) sent_bytes: u64,
    /// Whole WebSocket messages, good or bad, after the registration.
    pub(crate) received_messages: u64,
    /// Of WebSocket frames, inside of TLS.
    pub(crate) received_bytes: u64,
}

impl AddAssign for Traffic {
    fn add_assign(&mut self, more: Self) {
        self.sent_messages += more.sent_messages;
        self.sent_bytes += more.sent_bytes;
        self.received_messages += more.received_messages;
        self.received_bytes += more.received_bytes;
    }
}
