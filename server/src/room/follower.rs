//! Somebody who follows a room without being in it: it says nothing, is told of everything, and nobody knows of it.

use std::sync::Arc;

use tokio::sync::Notify;

use super::{ConnectionId, Entry, Pass, Reader, Room, Seq, fanout::Change};

/// Names the follower to the fan-out. No connection has this number.
const ID: ConnectionId = ConnectionId(u64::MAX);

/// Follows a room.
pub(crate) struct Follower {
    room: Arc<Room>,
    bell: Arc<Bell>,
    cursor: Seq,
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
    /// Follows the room from behind `cursor` on. A room has one follower at a time.
    pub(crate) fn new(room: Arc<Room>, cursor: Seq) -> Self {
        let bell = Arc::<Bell>::default();
        room.shard(ID).change(Change::Join(ID, bell.clone()));
        // What came before the fan-out knew of it.
        bell.wake();
        Self { room, bell, cursor }
    }

    /// The next entries, of about `bytes` bytes but one at least, as soon as there are some. Nothing is lost if this is
    /// not awaited to its end.
    pub(crate) async fn next(&mut self, bytes: usize) -> Followed {
        loop {
            // Before the log is looked at: what is closed gets no more entries.
            let is_closed = self.room.is_closed();
            match self.room.entries(self.cursor, bytes) {
                Ok(entries) if !entries.is_empty() => {
                    self.cursor += entries.len() as Seq;
                    return Followed::Entries(entries);
                }
                Ok(_) if is_closed => return Followed::End,
                Ok(_) => self.bell.0.notified().await,
                Err(tail) => {
                    let missed = tail - self.cursor;
                    self.cursor = tail;
                    return Followed::Missed(missed);
                }
            }
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.room.shard(ID).change(Change::Leave(ID));
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
