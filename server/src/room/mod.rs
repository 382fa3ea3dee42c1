//! A chat room: a totally ordered log of entries, and the readers that follow it.
//!
//! Everything a room does is one idea. Appending an entry moves the newest place; a reader is a cursor into
//! the log; fan-out is a pass over the readers that hands each what lies between its cursor and the newest
//! place. A reader that can't keep up is a cursor that the log's tail overtakes, so a thousand stalled
//! readers take no more memory than one. Who comes back, or wants to know what was said before, is a cursor
//! set back.
//!
//! Beside the log there are the sessions, which outlive connections, and the roster of who is there. What
//! concerns one connection alone goes to its mailbox.
//!
//! There are no sockets here: whoever wants to follow a room implements [`Reader`].

mod entry;
mod fanout;
mod figures;
mod follower;
mod log;
mod mailbox;
mod membership;
mod pages;
mod pass;
mod presence;
mod roster;
mod sessions;
#[cfg(test)]
mod tests;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::Waker,
    time::{SystemTime, UNIX_EPOCH},
};

use multichat::protocol::{ClientReceipt, Dialect, ForwardingReceipt, Place};
use parking_lot::Mutex;
use tokio::sync::Notify;

pub(crate) use self::{
    entry::{Author, Authority, Draft, Entry, Origin},
    figures::Figures,
    follower::{Followed, Follower},
    log::{LogBounds, Overrun, Refused, Seq},
    mailbox::{Cut, Mailbox, Notice},
    membership::{Membership, Newcomer, Welcome},
    pass::{Pass, Piece, Viewpoint},
    sessions::SessionBounds,
};
use self::{
    fanout::{Change, Shard},
    figures::Stopwatch,
    log::{Entered, Log},
    pages::Pages,
    roster::Roster,
    sessions::Sessions,
};

/// Names a connection. Never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ConnectionId(pub(crate) u64);

/// Somebody who follows a room.
pub(crate) trait Reader: Send + Sync {
    /// Takes what the pass holds beyond the reader's cursor, without waiting. A reader that can't, because
    /// it is busy, blocked or behind the pass, is left to catch up on its own, with [`Room::read`].
    fn offer(&self, pass: &Pass);

    /// Something changed that the reader must look at: it is behind, or the room is closed.
    fn wake(&self);
}

/// How much a room keeps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RoomBounds {
    pub(crate) log: LogBounds,
    pub(crate) sessions: SessionBounds,
}

/// A room. Shared by all of its connections.
pub(crate) struct Room {
    /// Names the log, among all that ever were.
    epoch: String,
    log: Mutex<Log>,
    pages: Pages,
    /// The readers, dealt to one fan-out task for each core.
    shards: Box<[Shard]>,
    sessions: Mutex<Sessions>,
    roster: Mutex<Roster>,
    roster_changed: Notify,
    /// How many readers speak each dialect.
    plain_readers: AtomicUsize,
    rich_readers: AtomicUsize,
    /// Who waits for the fan-out to catch up.
    waiting: Mutex<Vec<Waker>>,
    closed: AtomicBool,
    stopwatch: Stopwatch,
}

impl Room {
    /// An open room with an empty log, which is named `epoch`. Its readers are served by `shards` tasks; each of
    /// them must run [`Room::fan_out`], and another one [`Room::announce`].
    pub(crate) fn new(bounds: RoomBounds, epoch: String, shards: usize) -> Self {
        Self {
            epoch,
            log: Mutex::new(Log::new(bounds.log)),
            pages: Pages::default(),
            shards: (0..shards.max(1)).map(|_| Shard::default()).collect(),
            sessions: Mutex::new(Sessions::new(bounds.sessions)),
            roster: Mutex::default(),
            roster_changed: Notify::new(),
            plain_readers: AtomicUsize::new(0),
            rich_readers: AtomicUsize::new(0),
            waiting: Mutex::default(),
            closed: AtomicBool::new(false),
            stopwatch: Stopwatch::new(),
        }
    }

    /// Asks for a draft to be entered into the log. If its author's session has a connection, it gets the ack in
    /// the order of the log; that there is nothing to be entered is said to `mailbox`.
    ///
    /// The draft has its place when it is committed, which here is at once, but callers must not count on it. A
    /// closed room takes nothing, and says nothing: its connections are being closed.
    pub(crate) fn publish(&self, draft: Draft, mailbox: &Mailbox) {
        self.commit(draft, mailbox);
    }

    /// Gives a draft its place in the log, and lets the readers know.
    fn commit(&self, draft: Draft, mailbox: &Mailbox) {
        let id = draft.id.clone();
        let now = now_ms();
        let outcome = {
            let mut log = self.log.lock();
            // Under the lock: once the room is closed, its newest entry stays the newest.
            if self.is_closed() {
                return;
            }
            log.enter(draft, now, self.copies())
        };
        match (outcome, id) {
            (Ok(Entered { is_new: true, .. }), _) => {
                self.shards.iter().for_each(|shard| shard.notify_entry(&self.stopwatch));
            }
            (Ok(Entered { place, .. }), Some(id)) => mailbox.answer(Notice::repeated(&id, place)),
            (Ok(_), None) => {}
            (Err(refused), id) => mailbox.answer(refused.notice(id.as_deref())),
        }
    }

    /// The place of the entry to which its author gave this name, if the log holds it or has held it not long ago.
    pub(crate) fn find(&self, origin: Origin, id: &Arc<str>) -> Option<Place> {
        self.log.lock().find(origin, id)
    }

    /// Tells the session that sent a message what became of it on another client's platform, if the session has a
    /// connection, and knows of the message's place by an ack.
    ///
    /// # Errors
    ///
    /// [`Refused`] if there is no such message.
    pub(crate) fn report(&self, author: &Author, receipt: ClientReceipt) -> Result<(), Refused> {
        let origin = {
            let log = self.log.lock();
            let message = log.message(receipt.target)?;
            message.id.is_some().then_some(message.origin)
        };
        let sessions = self.sessions.lock();
        if let Some(mailbox) = origin.and_then(|origin| sessions.mailbox(origin)) {
            let mut packet =
                ForwardingReceipt::new(author.client_name.as_str(), receipt.target, receipt.status);
            packet.reason = receipt.reason;
            packet.remote_id = receipt.remote_id;
            mailbox.deliver(packet);
        }
        Ok(())
    }

    /// How many frames an entry becomes: one for each dialect that is spoken.
    fn copies(&self) -> usize {
        let is_spoken = |readers: &AtomicUsize| usize::from(readers.load(Ordering::Relaxed) > 0);
        (is_spoken(&self.plain_readers) + is_spoken(&self.rich_readers)).max(1)
    }

    fn readers(&self, dialect: Dialect) -> &AtomicUsize {
        match dialect {
            Dialect::Plain => &self.plain_readers,
            Dialect::Rich => &self.rich_readers,
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
        let (newest, cost, bounds) = {
            let log = self.log.lock();
            (log.newest(), log.cost_so_far(), log.bounds())
        };
        self.shards.iter().any(|shard| {
            let handed_out = shard.handed_out();
            newest.saturating_sub(handed_out.seq) > bounds.entries as u64 / 2
                || cost.saturating_sub(handed_out.cost) > bounds.bytes as u64 / 2
        })
    }

    /// Whether a reader that stands at `cursor` has been passed over by the fan-out and must catch up on
    /// its own.
    pub(crate) fn has_passed(&self, connection: ConnectionId, cursor: Seq) -> bool {
        cursor < self.shard(connection).handed_out().seq
    }

    /// Whether the log has let go of entries after `cursor`.
    pub(crate) fn has_overrun(&self, cursor: Seq) -> bool {
        cursor < self.log.lock().tail()
    }

    /// The entries after `cursor` as a pass, which may begin before: about `bytes` bytes of frames, but one entry at
    /// least; `None` if there are none.
    ///
    /// # Errors
    ///
    /// [`Overrun`] if the log no longer holds some of them.
    pub(crate) fn read(&self, cursor: Seq, bytes: usize) -> Result<Option<Arc<Pass>>, Overrun> {
        if let Some(page) = self.pages.find(cursor) {
            return Ok(Some(page));
        }
        let page = self.read_log(|_| cursor, bytes)?.map(Arc::new);
        if let Some(page) = &page {
            self.pages.keep(page);
        }
        Ok(page)
    }

    /// The entries after a cursor, which depends on the log's tail: at most `bytes` bytes of frames, but one entry at
    /// least.
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

    /// What names the log.
    pub(crate) fn epoch(&self) -> &str {
        &self.epoch
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
        self.wake_all();
    }

    /// Tells all readers that something changed that they must look at.
    pub(crate) fn wake_all(&self) {
        for shard in &self.shards {
            shard.change(Change::Wake);
        }
    }

    /// Keeps so much from now on.
    pub(crate) fn set_bounds(&self, bounds: RoomBounds) {
        self.log.lock().set_bounds(bounds.log);
        self.sessions.lock().set_bounds(bounds.sessions);
    }

    /// Whether the room has been closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    fn shard(&self, connection: ConnectionId) -> &Shard {
        // There is always one; the remainder is in bounds.
        &self.shards[usize::try_from(connection.0 % self.shards.len() as u64).unwrap_or_default()]
    }
}

impl std::fmt::Debug for Room {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Room").field("newest", &self.newest()).finish_non_exhaustive()
    }
}

/// The time as packets have it: milliseconds since the Unix epoch.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
