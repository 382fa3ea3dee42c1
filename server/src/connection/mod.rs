//! One connection: from the upgraded byte stream to its close. Generic over the stream, so that the same
//! code runs over TLS, TCP and a pipe in memory.

mod closing;
mod ending;
mod failures;
mod guests;
mod hall;
mod liveness;
mod member;
mod meter;
mod outlet;
mod pump;
mod register;
mod rich;
mod scanner;
mod socket;
mod standing;
mod stream;
#[cfg(test)]
mod tests;
mod throttles;
mod traffic;
mod wire;

pub(crate) use self::{
    ending::Ending, failures::Failures, guests::Portrait, hall::Hall, member::Member, register::Candidate,
    stream::ByteStream, traffic::Traffic,
};
use crate::{address::PeerAddress, room::ConnectionId};

/// Who is at the other end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    /// Names the connection, in the log and to its room.
    pub(crate) id: ConnectionId,
    /// Where it comes from.
    pub(crate) address: PeerAddress,
}
