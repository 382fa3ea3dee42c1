//! Somebody who follows a room without being in it: it says nothing, is told of everything, and nobody knows of it.

use std::{cmp::min, sync::Arc};

use tokio::sync::Notify;

use super::{ConnectionId, Entry, Pass, Reader, Room, Seq, fanout::Change};

/// Follows a room.
pub(crate) struct Follower {
    room: Arc<Room>,
    bell: Arc<Bell>,
    /// Names it to the fan-out. No connection has this number.
    id: ConnectionId,
    cursor: Seq,
    /// Where it stops to follow.
    end: Seq,
}

/// What a follower is told next.
#[derive(Debug)]
pub(crate) enum Followed {
    /// Consecutive entries.
    Entries(Vec<Arc<Entry>>),
    /// So many were let go of by the log before they were read.
    Missed(u64),
    /// There is nothing more to come.
    End,
}

#[derive(Default)]
struct Bell(Notify);

impl Reader for Bell {
    fn offer(&self, _: &Pass) {
        self.0.notify_one();
    }

    fn wake(&self) {
        self.0.notify_one();
    }
}

impl Follower {
    /// Follows the room from behind `cursor` on. A room has one follower at a time for each `number`.
    pub(crate) fn new(room: Arc<Room>, number: u32, cursor: Seq) -> Self {
        let bell = Arc::<Bell>::default();
        let id = ConnectionId(u64::MAX - u64::from(number));
        room.shard(id).change(Change::Join(id, bell.clone()));
        // What came before the fan-out knew of it.
        bell.wake();
        Self { room, bell, id, cursor, end: Seq::MAX }
    }

    /// Stops to follow behind the entry at `end`.
    pub(crate) fn stop_at(&mut self, end: Seq) {
        self.end = end;
    }

    /// The next entries, of about `bytes` bytes but one at least, as soon as there are some. Nothing is lost if this is
    /// not awaited to its end.
    pub(crate) async fn next(&mut self, bytes: usize) -> Followed {
        loop {
            if self.cursor >= self.end {
                return Followed::End;
            }
            // Before the log is looked at: what is closed gets no more entries.
            let is_closed = self.room.is_closed();
            match self.room.entries(self.cursor, bytes) {
                Ok(mut entries) if !entries.is_empty() => {
                    let most = usize::try_from(self.end - self.cursor).unwrap_or(usize::MAX);
                    entries.truncate(most);
                    self.cursor += entries.len() as Seq;
                    return Followed::Entries(entries);
                }
                Ok(_) if is_closed => return Followed::End,
                Ok(_) => self.bell.0.notified().await,
                Err(tail) => {
                    let missed = min(tail, self.end) - self.cursor;
                    self.cursor += missed;
                    return Followed::Missed(missed);
                }
            }
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.room.shard(self.id).change(Change::Leave(self.id));
    }
}

impl Room {
    /// The entries after `cursor`, of about `bytes` bytes but one at least; none if there are none.
    ///
    /// # Errors
    ///
    /// The lowest cursor that would do, if the log no longer holds some of them.
    fn entries(&self, cursor: Seq, bytes: usize) -> Result<Vec<Arc<Entry>>, Seq> {
        let mut entries = Vec::new();
        let log = self.log.lock();
        log.read(cursor, bytes, &mut entries).map_err(|_| log.tail())?;
        Ok(entries)
    }
}
