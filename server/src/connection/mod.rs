//! One connection: from the upgraded byte stream to its close. Generic over the stream, so that the same
//! code runs over TLS, TCP and a pipe in memory.

mod closing;
mod ending;
mod failures;
mod liveness;
mod member;
mod meter;
mod outlet;
mod pump;
mod register;
mod rich;
mod scanner;
mod socket;
mod stream;
#[cfg(test)]
mod tests;
mod wire;

use std::sync::{Arc, atomic::AtomicU64};

pub(crate) use self::{ending::Ending, member::Member, register::Candidate, stream::ByteStream};
use self::{failures::Failures, liveness::Pings, meter::MeterBounds};
use crate::{
    address::PeerAddress,
    config::{Limits, SecretKey},
    room::{ConnectionId, Room},
};

/// Who is at the other end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    /// Names the connection, in the log and to its room.
    pub(crate) id: ConnectionId,
    /// Where it comes from.
    pub(crate) address: PeerAddress,
}

/// What all connections of a router share.
#[derive(Debug)]
pub(crate) struct Router {
    pub(crate) room: Arc<Room>,
    pub(crate) limits: Limits,
    secret_key: SecretKey,
    meter_bounds: Arc<MeterBounds>,
    pings: Pings,
    failures: Failures,
    /// How many readers were cut because they were too slow.
    slow_consumers: AtomicU64,
}

impl Router {
    /// A router with one room, which `secret_key` opens.
    pub(crate) fn new(room: Arc<Room>, limits: Limits, secret_key: SecretKey) -> Self {
        Self {
            room,
            secret_key,
            meter_bounds: Arc::new(MeterBounds::new(&limits)),
            pings: Pings { interval: limits.ping, answer: limits.pong },
            failures: Failures::new(limits.failed_registrations),
            slow_consumers: AtomicU64::new(0),
            limits,
        }
    }
}
