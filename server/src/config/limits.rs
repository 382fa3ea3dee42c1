//! The bounds under which a stranger's connection is held.

use std::{ops::RangeInclusive, time::Duration};

use crate::rate::{Rate, Rates};

/// Every bound of the router, with the defaults of the table in `docs/configuration.md`. All of them can be set
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
    /// `session-seconds`: how long the session of a rich client is kept after its connection ended.
    pub session: Duration,
    /// `outbox-bytes`: answers and receipts that wait for one rich client, before it is not read any more.
    pub outbox_bytes: usize,
    /// `write-stall-seconds`: something is pending and the socket takes not one byte.
    pub write_stall: Duration,
    /// `ping-seconds`: between two pings.
    pub ping: Duration,
    /// `pong-seconds`: for the answer to a ping.
    pub pong: Duration,
    /// `messages-per-second` (0: off), `messages-burst`, `bytes-per-second` (0: off), `bytes-burst`: what one
    /// connection may say.
    pub rates: Rates,
    /// `close-seconds`: for the answer to a close, before the connection is reset.
    pub close: Duration,
    /// `shutdown-seconds`: for the whole shutdown.
    pub shutdown: Duration,
}

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
/// A packet larger than this is no chat; and the sums that are made with it fit 32 bits.
const LARGEST_PACKET: usize = 256 * 1024 * 1024;

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
            control_frames: CONTROL_FRAMES.rate(64, None),
            bad_packets: BAD_PACKETS.rate(60, None),
            client_name_bytes: 64,
            connections: 10_000,
            unregistered_connections: 512,
            unregistered_connections_per_address: 64,
            failed_registrations: FAILED_REGISTRATIONS.rate(10, None),
            log_entries: 4096,
            log_bytes: 16 * 1024 * 1024,
            session: 10 * MINUTE,
            outbox_bytes: 64 * 1024,
            write_stall: 10 * SECOND,
            ping: 25 * SECOND,
            pong: 10 * SECOND,
            rates: Rates::default(),
            close: 5 * SECOND,
            shutdown: 10 * SECOND,
        }
    }
}

impl Limits {
    /// Raw bytes that may come without a complete message among them: twice the largest packet, and
    /// something for headers and control frames.
    pub fn raw_bytes(&self) -> usize {
        2 * self.packet_bytes + 64 * 1024
    }

    /// Shows every field to a visitor. With [`Limits::visit_room`], the one place that knows what the fields are
    /// called and which values they may have.
    pub(super) fn visit(&mut self, visitor: &mut impl Visitor) {
        visitor.seconds("tls-handshake-seconds", &mut self.tls_handshake);
        visitor.seconds("http-request-seconds", &mut self.http_request);
        visitor.number("connections", &mut self.connections, 1..=10_000_000);
        visitor.number("unregistered-connections", &mut self.unregistered_connections, 1..=10_000_000);
        visitor.number(
            "unregistered-connections-per-address",
            &mut self.unregistered_connections_per_address,
            1..=10_000_000,
        );
        visitor.rate(&FAILED_REGISTRATIONS, &mut self.failed_registrations);
        visitor.seconds("shutdown-seconds", &mut self.shutdown);
        self.visit_room(visitor);
    }

    /// Shows those fields to a visitor that each room may have of its own: what is not about the port.
    pub(super) fn visit_room(&mut self, visitor: &mut impl Visitor) {
        visitor.seconds("register-seconds", &mut self.register);
        visitor.number("first-packet-bytes", &mut self.first_packet_bytes, 256..=LARGEST_PACKET);
        visitor.number("packet-bytes", &mut self.packet_bytes, 256..=LARGEST_PACKET);
        visitor.seconds("message-seconds", &mut self.message);
        let mut fragments = self.message_fragments as usize;
        visitor.number("message-fragments", &mut fragments, 1..=1_000_000);
        self.message_fragments = u32::try_from(fragments).unwrap_or(u32::MAX);
        visitor.rate(&CONTROL_FRAMES, &mut self.control_frames);
        visitor.rate(&BAD_PACKETS, &mut self.bad_packets);
        visitor.number("client-name-bytes", &mut self.client_name_bytes, 1..=4096);
        visitor.number("log-entries", &mut self.log_entries, 16..=16_777_216);
        visitor.number("log-bytes", &mut self.log_bytes, 64 * 1024..=isize::MAX as usize);
        visitor.seconds("session-seconds", &mut self.session);
        visitor.number("outbox-bytes", &mut self.outbox_bytes, 1024..=LARGEST_PACKET);
        visitor.seconds("write-stall-seconds", &mut self.write_stall);
        visitor.seconds("ping-seconds", &mut self.ping);
        visitor.seconds("pong-seconds", &mut self.pong);
        visit_rates(&mut self.rates, visitor);
        visitor.seconds("close-seconds", &mut self.close);
    }

    /// The name of every field and its value, both as in the config file. A rate that is off is 0 and
    /// has no burst.
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let mut list = List(Vec::new());
        self.clone().visit(&mut list);
        list.0
    }
}

/// Shows the fields of rates to a visitor.
pub(super) fn visit_rates(rates: &mut Rates, visitor: &mut impl Visitor) {
    visitor.rate(&MESSAGES, &mut rates.messages);
    visitor.rate(&BYTES, &mut rates.bytes);
}

/// Something that is done with each field of [`Limits`].
pub(super) trait Visitor {
    /// A length of time.
    fn seconds(&mut self, name: &'static str, value: &mut Duration);
    /// A size or a count.
    fn number(&mut self, name: &'static str, value: &mut usize, allowed: RangeInclusive<usize>);
    /// A rate, which one or two fields of the file make up.
    fn rate(&mut self, field: &RateField, value: &mut Option<Rate>);
}

/// How a rate is written in the config file.
#[derive(Debug)]
pub(super) struct RateField {
    /// The field with the number of events in each period.
    pub(super) name: &'static str,
    pub(super) period: Duration,
    /// The field with the burst, if it has one.
    pub(super) burst_name: Option<&'static str>,
    /// The burst where none is given.
    pub(super) default_burst: fn(u32) -> u32,
    /// The largest count of events in a period, and the largest burst.
    pub(super) largest: (u32, u32),
    /// A count for messages.
    pub(super) example: u32,
}

/// More than any chat has.
const LARGEST: (u32, u32) = (10_000, 1_000_000);

const CONTROL_FRAMES: RateField = RateField {
    name: "control-frames-per-second",
    period: SECOND,
    burst_name: Some("control-frames-burst"),
    default_burst: |count| count.saturating_mul(2),
    largest: LARGEST,
    example: 50,
};
const BAD_PACKETS: RateField = RateField {
    name: "bad-packets-per-minute",
    period: MINUTE,
    burst_name: None,
    // A minute's worth, but never fewer than ten: a bridge that stumbles is not an attack.
    default_burst: |count| if count < 10 { 10 } else { count },
    largest: LARGEST,
    example: 50,
};
const FAILED_REGISTRATIONS: RateField = RateField {
    name: "failed-registrations-per-minute",
    period: MINUTE,
    burst_name: None,
    default_burst: |count| count,
    largest: LARGEST,
    example: 50,
};
const MESSAGES: RateField = RateField {
    name: "messages-per-second",
    period: SECOND,
    burst_name: Some("messages-burst"),
    default_burst: |count| count.saturating_mul(2),
    largest: LARGEST,
    example: 50,
};
const BYTES: RateField = RateField {
    name: "bytes-per-second",
    period: SECOND,
    burst_name: Some("bytes-burst"),
    default_burst: |count| count.saturating_mul(2),
    largest: (1_000_000_000, 2_000_000_000),
    example: 65_536,
};

impl RateField {
    /// `count` in each period; `None` if that is 0.
    pub(super) fn rate(&self, count: u32, burst: Option<u32>) -> Option<Rate> {
        Rate::new(count, self.period, burst.unwrap_or_else(|| (self.default_burst)(count)))
    }
}

/// Writes every field down.
struct List(Vec<(&'static str, String)>);

impl Visitor for List {
    fn seconds(&mut self, name: &'static str, value: &mut Duration) {
        self.0.push((name, value.as_secs_f64().to_string()));
    }

    fn number(&mut self, name: &'static str, value: &mut usize, _: RangeInclusive<usize>) {
        self.0.push((name, value.to_string()));
    }

    fn rate(&mut self, field: &RateField, value: &mut Option<Rate>) {
        self.0.push((field.name, value.map_or(0, |rate| rate.count).to_string()));
        if let (Some(name), Some(rate)) = (field.burst_name, value) {
            self.0.push((name, rate.burst.to_string()));
        }
    }
}
