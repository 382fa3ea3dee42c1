//! A chat room: a totally ordered log of entries, and the readers that follow it.
//!
//! Everything a room does is one idea. Appending an entry moves the newest place; a reader is a cursor into
//! the log; fan-out is a pass over the readers that hands each what lies between its cursor and the newest
//! place. A reader that can't keep up is a cursor that the log's tail overtakes, so a thousand stalled
//! readers take no more memory than one.
//!
//! There are no sockets here: whoever wants to follow a room implements [`Reader`].

mod fanout;
mod log;
mod pass;
#[cfg(test)]
mod tests;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Waker,
};

use bytes::Bytes;
use multichat::protocol::{ForwardingMessage, ServerPacket};
use parking_lot::Mutex;

use self::{
    fanout::{Change, Shard},
    log::Log,
};
pub(crate) use self::{
    log::{LogBounds, Origin, Overrun, Seq},
    pass::Pass,
};
use crate::frame;

/// Somebody who follows a room.
pub(crate) trait Reader: Send + Sync {
    /// Takes what the pass holds beyond the reader's cursor, without waiting. A reader that can't, because
    /// it is busy, blocked or behind the pass, is left to catch up on its own, with [`Room::read`].
    fn offer(&self, pass: &Pass);

    /// Something changed that the reader must look at: it is behind, or the room is closed.
    fn wake(&self);
}

/// A room. Shared by all of its connections.
pub(crate) struct Room {
    log: Mutex<Log>,
    /// The readers, dealt to one fan-out task for each core.
    shards: Box<[Shard]>,
    bounds: LogBounds,
    /// Who waits for the fan-out to catch up.
    waiting: Mutex<Vec<Waker>>,
    closed: AtomicBool,
}

impl Room {
    /// An open room with an empty log, whose readers are served by `shards` tasks; each of them must run
    /// [`Room::fan_out`].
    pub(crate) fn new(bounds: LogBounds, shards: usize) -> Self {
        Self {
            log: Mutex::new(Log::new(bounds)),
            shards: (0..shards.max(1)).map(|_| Shard::default()).collect(),
            bounds,
            waiting: Mutex::default(),
            closed: AtomicBool::new(false),
        }
    }

    /// Asks for a message to be entered into the log.
    ///
    /// The message has its place when it is committed, which here is at once, but callers must not count
    /// on it. A closed room takes nothing.
    pub(crate) fn publish(&self, origin: Origin, client_name: &str, content: &str) {
        let packet = ServerPacket::Message(ForwardingMessage::new(client_name, content));
        self.commit(origin, frame::text(&packet.encode()));
    }

    /// Gives a frame its place in the log, and lets the readers know.
    fn commit(&self, origin: Origin, frame: Bytes) {
        {
            let mut log = self.log.lock();
            // Under the lock: once the room is closed, its newest entry stays the newest.
            if self.is_closed() {
                return;
            }
            log.append(origin, frame);
        }
        for shard in &self.shards {
            shard.notify();
        }
    }

    /// Whether the fan-out is so far behind that whoever publishes now could push entries out of the log
    /// before any reader was offered them. If so, `waker` is woken when it has caught up.
    pub(crate) fn is_congested(&self, waker: &Waker) -> bool {
        if !self.lags() {
            return false;
        }
        self.waiting.lock().push(waker.clone());
        // The fan-out may have caught up just before the waker was there to be woken.
        self.lags()
    }

    /// Whether a shard has not handed out yet more than half of what the log can hold.
    fn lags(&self) -> bool {
        let (newest, cost) = {
            let log = self.log.lock();
            (log.newest(), log.cost_so_far())
        };
        self.shards.iter().any(|shard| {
            let handed_out = shard.handed_out();
            newest.saturating_sub(handed_out.seq) > self.bounds.entries as u64 / 2
                || cost.saturating_sub(handed_out.cost) > self.bounds.bytes as u64 / 2
        })
    }

    /// Adds a reader and gives it its cursor: it gets everything that is committed from this moment on.
    ///
    /// The reader must be locked by its caller, so that no pass offers it anything before it has the cursor.
    pub(crate) fn join(&self, origin: Origin, reader: Arc<dyn Reader>) -> Seq {
        // First the membership, then the cursor: a pass that has entries after the cursor finds the reader.
        self.shard(origin).change(Change::Join(origin, reader));
        self.newest()
    }

    /// Removes a reader.
    pub(crate) fn leave(&self, origin: Origin) {
        self.shard(origin).change(Change::Leave(origin));
    }

    /// Whether a reader that stands at `cursor` has been passed over by the fan-out and must catch up on
    /// its own.
    pub(crate) fn has_passed(&self, origin: Origin, cursor: Seq) -> bool {
        cursor < self.shard(origin).handed_out().seq
    }

    /// Whether the log has let go of entries after `cursor`.
    pub(crate) fn has_overrun(&self, cursor: Seq) -> bool {
        cursor < self.log.lock().tail()
    }

    /// The entries after `cursor` as a pass: at most `bytes` bytes of frames, but one entry at least;
    /// `None` if there are none.
    ///
    /// # Errors
    ///
    /// [`Overrun`] if the log no longer holds some of them.
    pub(crate) fn read(&self, cursor: Seq, bytes: usize) -> Result<Option<Pass>, Overrun> {
        self.read_log(|_| cursor, bytes)
    }

    /// [`Room::read`] with a cursor that depends on the log's tail.
    fn read_log(&self, cursor: impl FnOnce(Seq) -> Seq, bytes: usize) -> Result<Option<Pass>, Overrun> {
        let mut entries = Vec::new();
        let (cursor, tail) = {
            let log = self.log.lock();
            let cursor = cursor(log.tail());
            log.read(cursor, bytes, &mut entries)?;
            (cursor, log.tail())
        };
        // The frames are joined outside of the lock.
        Ok(Pass::new(cursor, tail, entries))
    }

    /// The place of the newest entry.
    pub(crate) fn newest(&self) -> Seq {
        self.log.lock().newest()
    }

    /// Takes no more messages, and tells all readers so.
    pub(crate) fn close(&self) {
        {
            let _log = self.log.lock();
            self.closed.store(true, Ordering::Release);
        }
        for shard in &self.shards {
            shard.change(Change::Closed);
        }
    }

    /// Whether the room has been closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    fn shard(&self, origin: Origin) -> &Shard {
        // There is always one; the remainder is in bounds.
        &self.shards[usize::try_from(origin.0 % self.shards.len() as u64).unwrap_or_default()]
    }
}

impl std::fmt::Debug for Room {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Room").field("newest", &self.newest()).finish_non_exhaustive()
    }
}
