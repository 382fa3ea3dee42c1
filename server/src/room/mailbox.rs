//! What a room has to say to one connection alone and is not in the log: refusals, receipts, that there is news of
//! other clients, and that it has to go.

#[cfg(test)]
mod tests;

use std::{collections::VecDeque, mem};

use bytes::{Bytes, BytesMut};
use futures_util::task::AtomicWaker;
use multichat::protocol::{ErrorCode, ForwardingReceipt, MessageAck, Place, Refusal, ServerPacket};
use parking_lot::Mutex;

use super::log::Seq;
use crate::frame;

/// What a notice takes in memory beside its frame, in bytes.
const OVERHEAD: usize = 64;

/// An empty mailbox keeps room for so many notices. What it once needed beyond that, it may never need again.
const SLACK: usize = 16;

/// Something for one connection.
#[derive(Debug)]
pub(crate) struct Notice {
    /// The entry that it is about: the client is told of that first.
    about: Seq,
    frame: Bytes,
}

/// Why a connection has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Another connection has its session.
    Replaced,
    /// An operator wants it gone.
    Kicked,
    /// It is too far behind the news of other clients.
    Behind,
}

/// A connection's mailbox. Filled by anyone, emptied by the connection.
#[derive(Debug)]
pub(crate) struct Mailbox {
    /// The connection's task.
    pub(crate) task: AtomicWaker,
    /// When so many bytes wait, it is full.
    capacity: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    notices: VecDeque<Notice>,
    bytes: usize,
    /// There is news of other clients.
    has_presence: bool,
    cut: Option<Cut>,
}

impl Notice {
    fn new(about: Seq, packet: &ServerPacket) -> Self {
        Self { about, frame: frame::text(&packet.encode()) }
    }

    /// What the client sent with this `id` had been entered before.
    pub(crate) fn repeated(id: &str, place: Place) -> Self {
        Self::new(place.seq, &ServerPacket::MessageAck(MessageAck::new(id, place)))
    }

    /// What the client sent was not taken.
    pub(crate) fn refused(id: Option<&str>, code: ErrorCode, reason: &str) -> Self {
        let mut refusal = Refusal::new(code, reason);
        refusal.id = id.map(String::from);
        Self::new(0, &ServerPacket::Error(refusal))
    }

    fn cost(&self) -> usize {
        OVERHEAD + self.frame.len()
    }
}

impl Mailbox {
    /// An empty mailbox that is full when `capacity` bytes wait in it.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { task: AtomicWaker::new(), capacity, state: Mutex::default() }
    }

    /// Puts in an answer to what the connection's own client sent, full or not: while it is full, nothing more is read
    /// from the client.
    pub(crate) fn answer(&self, notice: Notice) {
        self.state.lock().push(notice);
        self.task.wake();
    }

    /// Puts in what another client has to say of a message, unless it is full: others can't make this connection lag,
    /// and a receipt is a courtesy.
    pub(crate) fn deliver(&self, receipt: ForwardingReceipt) {
        {
            let mut state = self.state.lock();
            if state.bytes >= self.capacity {
                return;
            }
            // Before the client has the ack of the message, it could not know which one is meant.
            state.push(Notice::new(receipt.target, &ServerPacket::Receipt(receipt)));
        }
        self.task.wake();
    }

    /// Says that there is news of other clients.
    pub(crate) fn note_presence(&self) {
        self.state.lock().has_presence = true;
        self.task.wake();
    }

    /// Says that the connection has to end.
    pub(crate) fn cut(&self, cut: Cut) {
        {
            let mut state = self.state.lock();
            // Who has been replaced must not come back, whatever else is wrong.
            if state.cut != Some(Cut::Replaced) {
                state.cut = Some(cut);
            }
        }
        self.task.wake();
    }

    /// Why the connection has to end, if it has to.
    pub(crate) fn must_go(&self) -> Option<Cut> {
        self.state.lock().cut
    }

    /// Whether so much waits that the client has to read first, before it says more.
    pub(crate) fn is_full(&self) -> bool {
        self.state.lock().bytes >= self.capacity
    }

    /// Takes the notices that are due to a reader that stands at `cursor`, joined: at most `max` bytes, but
    /// one notice at least. `None` if there are none.
    pub(crate) fn take(&self, cursor: Seq, max: usize) -> Option<Bytes> {
        let mut state = self.state.lock();
        let first = state.pop_due(cursor)?;
        let mut joined = BytesMut::from(first);
        while joined.len() < max
            && let Some(frame) = state.pop_due(cursor)
        {
            joined.extend_from_slice(&frame);
        }
        Some(joined.freeze())
    }

    /// Whether there are notices that are due to a reader that stands at `cursor`.
    pub(crate) fn has_due(&self, cursor: Seq) -> bool {
        self.state.lock().notices.front().is_some_and(|notice| notice.about <= cursor)
    }

    /// Whether there was news of other clients.
    pub(crate) fn take_presence(&self) -> bool {
        mem::take(&mut self.state.lock().has_presence)
    }
}

impl State {
    fn push(&mut self, notice: Notice) {
        self.bytes += notice.cost();
        self.notices.push_back(notice);
    }

    fn pop_due(&mut self, cursor: Seq) -> Option<Bytes> {
        let notice = self.notices.pop_front_if(|notice| notice.about <= cursor)?;
        self.bytes -= notice.cost();
        if self.notices.is_empty() && self.notices.capacity() > SLACK {
            self.notices = VecDeque::new();
        }
        Some(notice.frame)
    }
}
