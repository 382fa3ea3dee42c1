//! The fan-out: the task that hands what is new in the log to a share of the room's readers.

use std::{
    collections::BTreeMap,
    mem,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::Mutex;
use tokio::{sync::Notify, task};

use super::{ConnectionId, Reader, Room, figures::Stopwatch, log::Seq, pass::Pass};

/// The most bytes of frames that one pass joins. Larger passes save system calls; smaller ones let the
/// other tasks of the core have their turn.
const PASS_BYTES: usize = 512 * 1024;

/// After so many readers a pass lets other tasks run.
const READERS_BETWEEN_YIELDS: usize = 128;

/// A share of a room's readers. The list itself belongs to the fan-out task alone, so that a pass over it
/// holds no lock.
#[derive(Default)]
pub(super) struct Shard {
    changes: Mutex<Vec<Change>>,
    wake: Notify,
    handed_out: AtomicU64,
    handed_out_cost: AtomicU64,
    /// When the first entry came that no pass has begun with, in nanoseconds of the room's [`Stopwatch`]; 0 if there is
    /// none.
    waiting_since: AtomicU64,
}

/// Up to where the passes have come.
pub(super) struct HandedOut {
    /// The last entry. A reader that stands before it has been passed over.
    pub(super) seq: Seq,
    /// [`Log::cost_so_far`](super::log::Log::cost_so_far) at that entry.
    pub(super) cost: u64,
}

/// The readers of a shard, by age: a pass then meets them about in the order in which they lie in memory,
/// which a thousand of them let one measure (a hash map's order costs some 5 % more).
type Readers = BTreeMap<ConnectionId, Arc<dyn Reader>>;

/// What the fan-out task has to do beside its passes.
pub(super) enum Change {
    Join(ConnectionId, Arc<dyn Reader>),
    Leave(ConnectionId),
    /// Something changed that each reader must look at.
    Wake,
}

impl Shard {
    pub(super) fn change(&self, change: Change) {
        self.changes.lock().push(change);
        self.notify();
    }

    pub(super) fn notify(&self) {
        self.wake.notify_one();
    }

    /// Lets the fan-out know of a new entry.
    pub(super) fn notify_entry(&self, stopwatch: &Stopwatch) {
        // Most entries find one that waits already, and need no clock.
        if self.waiting_since.load(Ordering::Relaxed) == 0 {
            self.waiting_since.store(stopwatch.now(), Ordering::Relaxed);
        }
        self.notify();
    }

    pub(super) fn handed_out(&self) -> HandedOut {
        HandedOut {
            seq: self.handed_out.load(Ordering::Acquire),
            cost: self.handed_out_cost.load(Ordering::Acquire),
        }
    }
}

impl Room {
    /// How many tasks must run [`Room::fan_out`].
    pub(crate) fn shards(&self) -> usize {
        self.shards.len()
    }

    /// Serves the readers of one shard, until the room is closed and has none.
    pub(crate) async fn fan_out(self: Arc<Self>, shard: usize) {
        // A pass makes more writes than one turn's budget, and a write that is refused for lack of budget
        // would look like a socket that is full.
        task::unconstrained(self.serve(&self.shards[shard])).await;
    }

    async fn serve(&self, shard: &Shard) {
        let mut readers = Readers::new();
        loop {
            shard.wake.notified().await;
            // What has already arrived at other connections shall go out in the same pass: under load,
            // batches form by themselves.
            task::yield_now().await;
            let waiting_since = shard.waiting_since.swap(0, Ordering::Relaxed);
            let pass = self.next_pass(shard);
            // After the entries were read: a reader that joined before them is in the list now.
            apply_changes(shard, &mut readers);
            if readers.is_empty() && self.is_closed() {
                return;
            }
            let Some(pass) = pass else { continue };
            for (i, reader) in readers.values().enumerate() {
                if i % READERS_BETWEEN_YIELDS == READERS_BETWEEN_YIELDS - 1 {
                    task::yield_now().await;
                }
                reader.offer(&pass);
            }
            if waiting_since > 0 && !readers.is_empty() {
                self.stopwatch.note_pass(waiting_since);
            }
            self.relieve();
            if pass.end() < self.newest() {
                // More than one pass could take.
                let _ = shard.waiting_since.compare_exchange(
                    0,
                    waiting_since,
                    Ordering::Relaxed,
                    Ordering::Relaxed,
                );
                shard.notify();
            }
        }
    }

    /// The entries since the last pass.
    fn next_pass(&self, shard: &Shard) -> Option<Pass> {
        let start = shard.handed_out().seq;
        // Publishers wait while the fan-out lags, so the tail does not come this far unless the log holds
        // hardly more than one packet. Readers that it has overtaken then find that out themselves.
        let pass = self.read_log(|tail| start.max(tail), PASS_BYTES).ok()??;
        shard.handed_out.store(pass.end(), Ordering::Release);
        shard.handed_out_cost.store(pass.cost_so_far(), Ordering::Release);
        Some(pass)
    }

    /// Lets those go on who waited for the fan-out.
    fn relieve(&self) {
        let waiting = mem::take(&mut *self.waiting.lock());
        for waker in waiting {
            waker.wake();
        }
    }
}

fn apply_changes(shard: &Shard, readers: &mut Readers) {
    let changes = mem::take(&mut *shard.changes.lock());
    for change in changes {
        match change {
            Change::Join(connection, reader) => {
                readers.insert(connection, reader);
            }
            Change::Leave(connection) => {
                readers.remove(&connection);
            }
            Change::Wake => readers.values().for_each(|reader| reader.wake()),
        }
    }
}
