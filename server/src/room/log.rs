//! The log of a room: a totally ordered, bounded sequence of entries. Pure: no clock, no socket, no lock.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;

/// The place of an entry in its log. Counts from 1 without holes; 0 stands before the first.
pub(crate) type Seq = u64;

/// Whose entry it is: the connection that sent it, which does not get it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Origin(pub(crate) u64);

/// One message of the room, ready to be sent.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Whose it is.
    pub(crate) origin: Origin,
    /// The whole WebSocket frame; made once, shared by all receivers.
    pub(crate) frame: Bytes,
    /// The cost of all entries that ever were in the log, up to this one.
    pub(super) cost_so_far: u64,
}

/// What an entry costs beside its frame, in bytes: itself with its counts, its place in the ring, and the
/// allocator's share of each.
const OVERHEAD: usize = 128;

/// How much a log keeps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogBounds {
    /// The most entries.
    pub(crate) entries: usize,
    /// The most memory, in bytes. The newest entry is kept even if it alone is larger.
    pub(crate) bytes: usize,
}

/// The reader wants entries that the log no longer holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Overrun;

/// A bounded log.
#[derive(Debug)]
pub(crate) struct Log {
    bounds: LogBounds,
    entries: VecDeque<Arc<Entry>>,
    newest: Seq,
    /// The cost of all entries that ever were in the log, in bytes.
    cost_so_far: u64,
    /// Of those that were let go.
    cost_gone: u64,
}

impl Log {
    /// An empty log.
    pub(crate) fn new(bounds: LogBounds) -> Self {
        Self { bounds, entries: VecDeque::new(), newest: 0, cost_so_far: 0, cost_gone: 0 }
    }

    /// The newest entry's place; 0 if nothing ever was entered.
    pub(crate) fn newest(&self) -> Seq {
        self.newest
    }

    /// The lowest cursor that [`Log::read`] still serves: the place before the oldest entry kept.
    pub(crate) fn tail(&self) -> Seq {
        self.newest - self.entries.len() as Seq
    }

    /// The cost of all entries that ever were in the log, in bytes; the difference of two such figures is
    /// the cost of what came between.
    pub(crate) fn cost_so_far(&self) -> u64 {
        self.cost_so_far
    }

    /// Enters a frame at the next place, and lets go of the oldest ones beyond the bounds.
    pub(crate) fn append(&mut self, origin: Origin, frame: Bytes) -> Seq {
        self.cost_so_far += (frame.len() + OVERHEAD) as u64;
        self.entries.push_back(Arc::new(Entry { origin, frame, cost_so_far: self.cost_so_far }));
        self.newest += 1;
        while self.exceeds_bounds() {
            if let Some(oldest) = self.entries.pop_front() {
                self.cost_gone = oldest.cost_so_far;
            }
        }
        self.newest
    }

    fn exceeds_bounds(&self) -> bool {
        let cost = self.cost_so_far - self.cost_gone;
        self.entries.len() > self.bounds.entries
            || (cost > self.bounds.bytes as u64 && self.entries.len() > 1)
    }

    /// Adds the entries after `cursor` to `into`: at most `bytes` bytes of frames, but one entry at least,
    /// if there is one.
    ///
    /// # Errors
    ///
    /// [`Overrun`] if some of them are gone.
    pub(crate) fn read(&self, cursor: Seq, bytes: usize, into: &mut Vec<Arc<Entry>>) -> Result<(), Overrun> {
        let skip = cursor.checked_sub(self.tail()).ok_or(Overrun)?;
        let already = into.len();
        let mut taken = 0;
        for entry in self.entries.iter().skip(usize::try_from(skip).unwrap_or(usize::MAX)) {
            taken += entry.frame.len();
            if taken > bytes && into.len() > already {
                break;
            }
            into.push(Arc::clone(entry));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn append(log: &mut Log, origin: u64, len: usize) -> Seq {
        log.append(Origin(origin), Bytes::from(vec![0; len]))
    }

    fn read(log: &Log, cursor: Seq, bytes: usize) -> Result<Vec<u64>, Overrun> {
        let mut entries = Vec::new();
        log.read(cursor, bytes, &mut entries)?;
        Ok(entries.iter().map(|entry| entry.origin.0).collect())
    }

    #[test]
    fn an_empty_log_has_nothing_to_read() {
        let log = Log::new(LogBounds { entries: 4, bytes: 1000 });
        assert_eq!((log.newest(), log.tail()), (0, 0));
        assert_eq!(read(&log, 0, 1000), Ok(vec![]));
    }

    #[test]
    fn an_entry_larger_than_the_bound_is_kept_alone() {
        let mut log = Log::new(LogBounds { entries: 4, bytes: 1000 });
        append(&mut log, 1, 10);
        append(&mut log, 2, 5000);
        assert_eq!((log.newest(), log.tail()), (2, 1));
        assert_eq!(read(&log, 1, 100), Ok(vec![2]), "and read, whatever the reader's bound");
    }

    proptest! {
        #[test]
        fn a_log_is_the_newest_part_of_all_that_was_entered(
            lens in prop::collection::vec(0_usize..400, 0..100),
            entries in 1_usize..20,
            bytes in 1_usize..4000,
            cursor in 0_usize..110,
            limit in 1_usize..2000,
        ) {
            let mut log = Log::new(LogBounds { entries, bytes });
            for (i, len) in lens.iter().enumerate() {
                prop_assert_eq!(append(&mut log, i as u64 + 1, *len), i as u64 + 1);
            }
            let kept = lens.len() - usize::try_from(log.tail()).unwrap();
            let cost = |kept: usize| lens.iter().rev().take(kept).map(|len| len + OVERHEAD).sum::<usize>();
            prop_assert!(kept <= entries);
            prop_assert!(kept <= 1 || cost(kept) <= bytes);
            prop_assert!(
                kept == lens.len() || kept == entries || cost(kept + 1) > bytes,
                "no more is let go than must be"
            );

            match read(&log, cursor as Seq, limit) {
                Err(Overrun) => prop_assert!(cursor < lens.len() - kept),
                Ok(read) => {
                    prop_assert!(cursor >= lens.len() - kept);
                    let all = (cursor + 1..=lens.len()).map(|seq| seq as u64).collect::<Vec<_>>();
                    prop_assert!(all.starts_with(&read));
                    prop_assert!(!read.is_empty() || all.is_empty());
                    let size = |count: usize| lens.iter().skip(cursor).take(count).sum::<usize>();
                    prop_assert!(read.len() <= 1 || size(read.len()) <= limit);
                    prop_assert!(read.len() == all.len() || size(read.len() + 1) > limit);
                }
            }
        }
    }
}
