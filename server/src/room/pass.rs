//! What one pass of the fan-out hands to readers: consecutive entries, joined into one buffer for each
//! dialect.

#[cfg(test)]
mod tests;

use std::{
    ops::Range,
    sync::{Arc, OnceLock},
};

use bytes::{Bytes, BytesMut};
use multichat::protocol::Dialect;

use super::{
    entry::{Entry, Origin},
    log::Seq,
};

/// Who reads: which entries are for it, and in which words.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Viewpoint {
    pub(crate) dialect: Dialect,
    /// Whose entries are its own.
    pub(crate) origin: Origin,
    /// Whether it is told what others say.
    pub(crate) hears: bool,
}

/// Consecutive entries of a log.
#[derive(Debug)]
pub(crate) struct Pass {
    /// The place before the first entry.
    start: Seq,
    /// The log's tail when the entries were read.
    tail: Seq,
    entries: Vec<Arc<Entry>>,
    plain: OnceLock<Joined>,
    rich: OnceLock<Joined>,
}

/// The frames of a pass in one dialect: whoever wants all of them writes one buffer, which is made once for
/// all readers.
#[derive(Debug)]
struct Joined {
    bytes: Bytes,
    /// Where each entry ends. One that has no words in this dialect ends where it begins.
    ends: Vec<usize>,
    /// How many entries have words, up to each; empty where all have.
    frames_through: Vec<usize>,
}

/// About so many bytes of acks are sent at once.
const ACKS_BYTES: usize = 4096;

/// Something that a reader is told at once.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Others' entries: a range of [`Pass::bytes`].
    Run(Range<usize>),
    /// Acks of own entries.
    Acks {
        /// Whole frames.
        frames: Bytes,
        /// The place of the last of the entries.
        through: Seq,
    },
}

/// Where a write of a pass's bytes came to rest.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stop {
    /// The last entry of which something was written.
    pub(crate) cursor: Seq,
    /// What is left of its frame; shares the entry's memory, not the pass's.
    pub(crate) rest: Bytes,
}

impl Joined {
    fn new(entries: &[Arc<Entry>], dialect: Dialect) -> Self {
        let frames = || entries.iter().map(|entry| entry.frame(dialect));
        let ends = frames()
            .scan(0, |end, frame| {
                *end += frame.len();
                Some(*end)
            })
            .collect::<Vec<_>>();
        let bytes = if let [entry] = entries {
            entry.frame(dialect).clone()
        } else {
            let mut bytes = BytesMut::with_capacity(ends.last().copied().unwrap_or_default());
            frames().for_each(|frame| bytes.extend_from_slice(frame));
            bytes.freeze()
        };
        let frames_through = if frames().any(Bytes::is_empty) {
            frames()
                .scan(0, |count, frame| {
                    *count += usize::from(!frame.is_empty());
                    Some(*count)
                })
                .collect()
        } else {
            Vec::new()
        };
        Self { bytes, ends, frames_through }
    }

    fn begin(&self, index: usize) -> usize {
        index.checked_sub(1).map_or(0, |before| self.ends[before])
    }

    /// How many entries before this one have words in this dialect.
    fn frames_before(&self, index: usize) -> usize {
        if self.frames_through.is_empty() {
            return index;
        }
        index.checked_sub(1).map_or(0, |before| self.frames_through[before])
    }

    fn is_empty(&self, index: usize) -> bool {
        self.begin(index) == self.ends[index]
    }
}

impl Pass {
    /// The entries after `start`, of a log whose tail is `tail`; `None` if there are none.
    pub(super) fn new(start: Seq, tail: Seq, entries: Vec<Arc<Entry>>) -> Option<Self> {
        let pass = Self { start, tail, entries, plain: OnceLock::new(), rich: OnceLock::new() };
        (!pass.entries.is_empty()).then_some(pass)
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

    /// How many bytes the frames have, in the dialects in which they were entered.
    pub(super) fn native_bytes(&self) -> usize {
        self.entries.iter().map(|entry| entry.frame.len()).sum()
    }

    /// The frames in one dialect, joined.
    pub(crate) fn bytes(&self, dialect: Dialect) -> &[u8] {
        &self.joined(dialect).bytes
    }

    /// How many frames begin within this part of [`Pass::bytes`], at whose start one begins.
    pub(crate) fn frames_in(&self, dialect: Dialect, part: Range<usize>) -> usize {
        let joined = self.joined(dialect);
        let first = joined.ends.partition_point(|end| *end <= part.start);
        let after = first + joined.ends[first..].partition_point(|end| *end < part.end) + 1;
        let after = after.min(joined.ends.len());
        joined.frames_before(after) - joined.frames_before(first)
    }

    /// The next that this reader is told after `cursor`; `None` if that is nothing. The cursor must not be before
    /// the pass.
    ///
    /// Others' entries come as they are, own ones as the acks of those that have an `id`: so acks come in the
    /// order of the log, and again when a session is resumed.
    pub(crate) fn next(&self, reader: Viewpoint, cursor: Seq) -> Option<Piece> {
        let joined = self.joined(reader.dialect);
        let skip = usize::try_from(cursor - self.start).unwrap_or(usize::MAX);
        let is_own = |entry: &Entry| entry.origin == reader.origin;
        for (first, entry) in self.entries.iter().enumerate().skip(skip) {
            if is_own(entry) {
                if entry.id.is_some() {
                    return Some(self.acks(first, reader.origin));
                }
            } else if reader.hears && !joined.is_empty(first) {
                let rest = &self.entries[first..];
                let len = rest.iter().position(|entry| is_own(entry)).unwrap_or(rest.len());
                return Some(Piece::Run(joined.begin(first)..joined.ends[first + len - 1]));
            }
        }
        None
    }

    /// The acks of consecutive own entries, from the one at `first` on.
    fn acks(&self, first: usize, origin: Origin) -> Piece {
        let mut frames = BytesMut::new();
        let mut through = first;
        for (index, entry) in self.entries.iter().enumerate().skip(first) {
            if entry.origin != origin || frames.len() >= ACKS_BYTES {
                break;
            }
            if let Some(ack) = entry.ack() {
                frames.extend_from_slice(&ack);
            }
            through = index;
        }
        Piece::Acks { frames: frames.freeze(), through: self.start + through as Seq + 1 }
    }

    /// What a write that ended at `offset` of [`Pass::bytes`] means for its reader.
    pub(crate) fn stop_at(&self, dialect: Dialect, offset: usize) -> Stop {
        let joined = self.joined(dialect);
        let done = joined.ends.partition_point(|end| *end <= offset);
        let begin = joined.begin(done);
        let cursor = self.start + done as Seq;
        if offset == begin {
            return Stop { cursor, rest: Bytes::new() };
        }
        let rest = self.entries[done].frame(dialect).slice(offset - begin..);
        Stop { cursor: cursor + 1, rest }
    }

    fn joined(&self, dialect: Dialect) -> &Joined {
        let joined = match dialect {
            Dialect::Plain => &self.plain,
            Dialect::Rich => &self.rich,
        };
        joined.get_or_init(|| Joined::new(&self.entries, dialect))
    }
}
