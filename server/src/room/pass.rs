//! What one pass of the fan-out hands to readers: consecutive entries, joined into one buffer.

use std::{ops::Range, sync::Arc};

use bytes::{Bytes, BytesMut};

use super::log::{Entry, Origin, Seq};

/// Consecutive entries of a log, and their frames joined: whoever wants all of them writes one buffer,
/// which is made once for all readers.
#[derive(Debug)]
pub(crate) struct Pass {
    /// The place before the first entry.
    start: Seq,
    /// The log's tail when the entries were read.
    tail: Seq,
    entries: Vec<Arc<Entry>>,
    joined: Bytes,
    /// Where each entry ends in `joined`.
    ends: Vec<usize>,
}

/// Where a write into a pass's buffer came to rest.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stop {
    /// The last entry of which something was written.
    pub(crate) cursor: Seq,
    /// What is left of its frame; shares the entry's memory, not the pass's.
    pub(crate) rest: Bytes,
}

impl Pass {
    /// The entries after `start`, of a log whose tail is `tail`; `None` if there are none.
    pub(super) fn new(start: Seq, tail: Seq, entries: Vec<Arc<Entry>>) -> Option<Self> {
        let first = entries.first()?;
        let ends = entries
            .iter()
            .scan(0, |end, entry| {
                *end += entry.frame.len();
                Some(*end)
            })
            .collect::<Vec<_>>();
        let joined = if entries.len() == 1 {
            first.frame.clone()
        } else {
            let mut joined = BytesMut::with_capacity(ends.last().copied().unwrap_or_default());
            for entry in &entries {
                joined.extend_from_slice(&entry.frame);
            }
            joined.freeze()
        };
        Some(Self { start, tail, entries, joined, ends })
    }

    /// Whether a reader that stands at `cursor` missed entries before this pass.
    pub(crate) fn leaves_behind(&self, cursor: Seq) -> bool {
        cursor < self.start
    }

    /// Whether a reader that stands at `cursor` has lost entries for good.
    pub(crate) fn has_overrun(&self, cursor: Seq) -> bool {
        cursor < self.tail
    }

    /// The place of the last entry.
    pub(crate) fn end(&self) -> Seq {
        self.start + self.entries.len() as Seq
    }

    /// [`Log::cost_so_far`](super::log::Log::cost_so_far) at the last entry.
    pub(super) fn cost_so_far(&self) -> u64 {
        self.entries.last().map_or(0, |entry| entry.cost_so_far)
    }

    /// The joined frames.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.joined
    }

    /// The next run of entries after `cursor` that are not `origin`'s own, as a range of [`Pass::bytes`];
    /// `None` if there are no more. The cursor must not be before the pass.
    pub(crate) fn next_run(&self, origin: Origin, cursor: Seq) -> Option<Range<usize>> {
        let skip = usize::try_from(cursor - self.start).unwrap_or(usize::MAX);
        let is_foreign = |entry: &Arc<Entry>| entry.origin != origin;
        let rest = self.entries.get(skip..)?;
        let first = skip + rest.iter().position(is_foreign)?;
        let after = self.entries[first..].iter().position(|entry| !is_foreign(entry));
        let last = after.map_or(self.entries.len(), |len| first + len) - 1;
        Some(self.begin(first)..self.ends[last])
    }

    /// What a write that ended at `offset` of [`Pass::bytes`] means for its reader.
    pub(crate) fn stop_at(&self, offset: usize) -> Stop {
        let done = self.ends.partition_point(|end| *end <= offset);
        let begin = self.begin(done);
        if offset == begin {
            return Stop { cursor: self.start + done as Seq, rest: Bytes::new() };
        }
        Stop { cursor: self.start + done as Seq + 1, rest: self.entries[done].frame.slice(offset - begin..) }
    }

    fn begin(&self, index: usize) -> usize {
        index.checked_sub(1).map_or(0, |before| self.ends[before])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pass(start: Seq, origins: &[u64]) -> Pass {
        let entries = origins
            .iter()
            .zip(start..)
            .map(|(origin, seq)| {
                let frame = Bytes::from(format!("<{seq}>"));
                Arc::new(Entry { origin: Origin(*origin), frame, cost_so_far: 0 })
            })
            .collect();
        Pass::new(start, 0, entries).unwrap()
    }

    /// Drives a reader over the pass through a socket that takes so many bytes at each write.
    fn drive(pass: &Pass, origin: u64, mut cursor: Seq, takes: &[usize]) -> String {
        let mut takes = takes.iter().copied().chain(std::iter::repeat(usize::MAX));
        let mut written = Vec::new();
        while let Some(run) = pass.next_run(Origin(origin), cursor) {
            let len = run.len().min(takes.next().unwrap());
            written.extend_from_slice(&pass.bytes()[run.start..run.start + len]);
            let stop = pass.stop_at(run.start + len);
            written.extend_from_slice(&stop.rest);
            assert!(stop.cursor >= cursor);
            cursor = stop.cursor;
        }
        String::from_utf8(written).unwrap()
    }

    #[test]
    fn a_single_entry_is_not_copied() {
        let pass = pass(4, &[1]);
        assert_eq!(pass.bytes().as_ptr(), pass.entries[0].frame.as_ptr());
    }

    #[test]
    fn what_is_left_of_a_frame_does_not_keep_the_joined_buffer() {
        let pass = pass(0, &[1, 1, 1]);
        let stop = pass.stop_at(4);
        assert_eq!(stop, Stop { cursor: 2, rest: Bytes::from_static(b"1>") });
        assert_eq!(stop.rest.as_ptr(), pass.entries[1].frame[1..].as_ptr());
    }

    proptest! {
        #[test]
        fn every_reader_gets_what_is_beyond_its_cursor_and_not_its_own(
            start in 0_u64..1000,
            origins in prop::collection::vec(0_u64..3, 1..20),
            skip in 0_usize..22,
            takes in prop::collection::vec(0_usize..30, 0..10),
        ) {
            let pass = pass(start, &origins);
            let expected = |origin| {
                let foreign = origins.iter().zip(start..).skip(skip).filter(|(of, _)| **of != origin);
                foreign.map(|(_, seq)| format!("<{seq}>")).collect::<Vec<_>>().concat()
            };
            for origin in 0..3 {
                prop_assert_eq!(drive(&pass, origin, start + skip as u64, &takes), expected(origin));
            }
        }
    }
}
