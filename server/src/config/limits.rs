//! The bounds under which a stranger's connection is held.

use std::time::Duration;

use crate::rate::Rate;

/// Every bound of the router, with the defaults of the table in the README. All of them can be set
/// under `limits` in the config file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `tls-handshake-seconds`: for the whole TLS handshake.
    pub tls_handshake: Duration,
    /// `http-request-seconds`: until the request's head is there, an idle keep-alive connection included.
    pub http_request: Duration,
    /// `register-seconds`: from the upgrade until the client is registered.
    pub register: Duration,
    /// `first-packet-bytes`: the largest `register`.
    pub first_packet_bytes: usize,
    /// `packet-bytes`: the largest packet, the payload of a whole WebSocket message.
    pub packet_bytes: usize,
    /// `message-seconds`: from the first byte of a message to its last.
    pub message: Duration,
    /// `message-fragments`: the frames of one message.
    pub message_fragments: u32,
    /// `control-frames-per-second`, `control-frames-burst`: pings, pongs and closes.
    pub control_frames: Option<Rate>,
    /// `bad-packets-per-minute`: packets after registration that are dropped.
    pub bad_packets: Option<Rate>,
    /// `client-name-bytes`: the longest client name, in UTF-8.
    pub client_name_bytes: usize,
    /// `connections`: WebSocket connections at once.
    pub connections: usize,
    /// `unregistered-connections`: connections of any stage that have not registered.
    pub unregistered_connections: usize,
    /// `unregistered-connections-per-address`: those from one IPv4 address or IPv6 /64.
    pub unregistered_connections_per_address: usize,
    /// `failed-registrations-per-minute`: from one address, before failures are answered slowly.
    pub failed_registrations: Option<Rate>,
    /// `log-entries`: how many messages a room keeps.
    pub log_entries: usize,
    /// `log-bytes`: how much memory a room's log takes.
    pub log_bytes: usize,
    /// `write-stall-seconds`: something is pending and the socket takes not one byte.
    pub write_stall: Duration,
    /// `ping-seconds`: between two pings.
    pub ping: Duration,
    /// `pong-seconds`: for the answer to a ping.
    pub pong: Duration,
    /// `messages-per-second` (0: off), `messages-burst`: messages of one connection.
    pub messages: Option<Rate>,
    /// `close-seconds`: for the answer to a close, before the connection is reset.
    pub close: Duration,
    /// `shutdown-seconds`: for the whole shutdown.
    pub shutdown: Duration,
}

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

impl Default for Limits {
    fn default() -> Self {
        Self {
            tls_handshake: 5 * SECOND,
            http_request: 5 * SECOND,
            register: 5 * SECOND,
            first_packet_bytes: 4 * 1024,
            packet_bytes: 1024 * 1024,
            message: 10 * SECOND,
            message_fragments: 1024,
            control_frames: Rate::new(64, SECOND, 128),
            bad_packets: Self::bad_packets_per_minute(60),
            client_name_bytes: 64,
            connections: 10_000,
            unregistered_connections: 512,
            unregistered_connections_per_address: 64,
            failed_registrations: Rate::new(10, MINUTE, 10),
            log_entries: 4096,
            log_bytes: 16 * 1024 * 1024,
            write_stall: 10 * SECOND,
            ping: 25 * SECOND,
            pong: 10 * SECOND,
            messages: None,
            close: 5 * SECOND,
            shutdown: 10 * SECOND,
        }
    }
}

impl Limits {
    /// A minute's worth at once, but never fewer than ten: a bridge that stumbles is not an attack.
    pub(super) fn bad_packets_per_minute(count: u32) -> Option<Rate> {
        Rate::new(count, MINUTE, count.max(10))
    }

    /// Raw bytes that may come without a complete message among them: twice the largest packet, and
    /// something for headers and control frames.
    pub fn raw_bytes(&self) -> usize {
        2 * self.packet_bytes + 64 * 1024
    }
}
