//! The log of a room: a totally ordered, bounded sequence of entries. Pure: no clock, no socket, no lock.

#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, atomic::Ordering},
};

use multichat::protocol::{ErrorCode, Place};

use super::{
    entry::{Author, Draft, Entry, Kind, Origin},
    mailbox::Notice,
};

/// The place of an entry in its log. Counts from 1 without holes; 0 stands before the first.
pub(crate) type Seq = u64;

/// What an entry costs beside its frame, in bytes: itself with its counts, its place in the ring, and the
/// allocator's share of each.
const OVERHEAD: usize = 288;

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

/// Why a draft was not entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("there is no message with this `seq`, or the log no longer holds it, or it is deleted")]
    UnknownTarget,
    #[error("the log has nothing at `reply-to` yet")]
    UnknownReply,
    #[error("only the session that sent a message may change it")]
    NotAllowed,
}

/// What came of a draft that was not refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entered {
    pub(crate) place: Place,
    /// Whether it was entered now. If not, it had been entered before.
    pub(crate) is_new: bool,
}

/// What an author calls an entry.
type Named = (Origin, Arc<str>);

/// A bounded log.
#[derive(Debug)]
pub(crate) struct Log {
    bounds: LogBounds,
    entries: VecDeque<Arc<Entry>>,
    newest: Seq,
    /// When the newest entry was entered, in milliseconds since the Unix epoch.
    newest_time: u64,
    /// The places of the entries that have a name.
    ids: HashMap<Named, Place>,
    /// The names of entries that were let go, oldest first. They are kept for as long again, because a client that
    /// resumes at the very tail sends again what it has no answer for when the tail has already moved on.
    gone: VecDeque<Named>,
    /// The cost of all entries that ever were in the log, in bytes.
    cost_so_far: u64,
    /// Of those that were let go.
    cost_gone: u64,
    counts: KindCounts,
}

/// How many entries of each kind there ever were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct KindCounts {
    pub(crate) messages: u64,
    pub(crate) edits: u64,
    pub(crate) deletes: u64,
}

impl KindCounts {
    fn add(&mut self, kind: Kind) {
        *match kind {
            Kind::Message { .. } => &mut self.messages,
            Kind::Edit { .. } => &mut self.edits,
            Kind::Delete { .. } => &mut self.deletes,
        } += 1;
    }
}

impl Refused {
    /// What the client is told that sent it, with this `id` if it gave it one.
    pub(crate) fn notice(self, id: Option<&str>) -> Notice {
        Notice::refused(id, self.code(), &self.to_string())
    }

    fn code(self) -> ErrorCode {
        match self {
            Self::UnknownTarget | Self::UnknownReply => ErrorCode::UnknownTarget,
            Self::NotAllowed => ErrorCode::NotAllowed,
        }
    }
}

impl Log {
    /// An empty log.
    pub(crate) fn new(bounds: LogBounds) -> Self {
        Self {
            bounds,
            entries: VecDeque::new(),
            newest: 0,
            newest_time: 0,
            ids: HashMap::new(),
            gone: VecDeque::new(),
            cost_so_far: 0,
            cost_gone: 0,
            counts: KindCounts::default(),
        }
    }

    /// How much it keeps.
    pub(crate) fn bounds(&self) -> LogBounds {
        self.bounds
    }

    /// Keeps so much from now on. What is beyond that goes now.
    pub(crate) fn set_bounds(&mut self, bounds: LogBounds) {
        self.bounds = bounds;
        self.trim();
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

    /// The cost of the entries that it holds, in bytes.
    pub(crate) fn cost(&self) -> u64 {
        self.cost_so_far - self.cost_gone
    }

    /// How many entries it holds.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many entries of each kind there ever were in it.
    pub(crate) fn counts(&self) -> KindCounts {
        self.counts
    }

    /// Enters a draft at the next place, and lets go of the oldest entries beyond the bounds. A draft
    /// whose author already has entered one of the same name is not entered again, whatever it says.
    ///
    /// `now` is in milliseconds since the Unix epoch; entries never go back in time. The entry is counted as so many
    /// `copies` of its frame, one for each dialect that is spoken.
    ///
    /// # Errors
    ///
    /// [`Refused`] if it points to what it must not.
    pub(crate) fn enter(&mut self, draft: Draft, now: u64, copies: usize) -> Result<Entered, Refused> {
        if let Some(id) = &draft.id
            && let Some(place) = self.find(draft.author.origin, id)
        {
            return Ok(Entered { place, is_new: false });
        }
        let target = self.check_target(&draft)?;
        let place = Place::new(self.newest + 1, now.max(self.newest_time));
        let mut entry = Entry::new(draft, place, target);
        self.cost_so_far += (entry.frame.len() * copies + entry.names_cost() + OVERHEAD) as u64;
        entry.cost_so_far = self.cost_so_far;
        if let Some(id) = &entry.id {
            self.ids.insert((entry.origin, id.clone()), place);
        }
        if let Kind::Delete { target } = entry.kind
            && let Some(target) = self.entry(target)
        {
            target.is_deleted.store(true, Ordering::Relaxed);
        }
        self.counts.add(entry.kind);
        self.entries.push_back(Arc::new(entry));
        self.newest = place.seq;
        self.newest_time = place.time;
        self.trim();
        Ok(Entered { place, is_new: true })
    }

    /// The place of the entry to which its author gave this name, if the log holds it or has held it not long ago.
    pub(crate) fn find(&self, origin: Origin, id: &Arc<str>) -> Option<Place> {
        self.ids.get(&(origin, id.clone())).copied()
    }

    /// The message at this place.
    ///
    /// # Errors
    ///
    /// [`Refused::UnknownTarget`] if the log holds no message there, or a deleted one.
    pub(crate) fn message(&self, seq: Seq) -> Result<&Entry, Refused> {
        self.entry(seq)
            .map(Arc::as_ref)
            .filter(|entry| matches!(entry.kind, Kind::Message { .. }))
            .filter(|entry| !entry.is_deleted.load(Ordering::Relaxed))
            .ok_or(Refused::UnknownTarget)
    }

    /// Who said what the draft points to, where it matters and is known.
    fn check_target(&self, draft: &Draft) -> Result<Option<Arc<Author>>, Refused> {
        match draft.kind {
            Kind::Message { reply_to: None } => Ok(None),
            Kind::Message { reply_to: Some(seq) } if seq == 0 || seq > self.newest => {
                Err(Refused::UnknownReply)
            }
            Kind::Message { reply_to: Some(seq) } => {
                Ok(self.message(seq).ok().map(|message| message.author.clone()))
            }
            Kind::Edit { target } | Kind::Delete { target } => {
                let message = self.message(target)?;
                if !draft.may_change(message) {
                    return Err(Refused::NotAllowed);
                }
                Ok(Some(message.author.clone()))
            }
        }
    }

    fn entry(&self, seq: Seq) -> Option<&Arc<Entry>> {
        let index = seq.checked_sub(self.tail() + 1)?;
        self.entries.get(usize::try_from(index).ok()?)
    }

    /// Lets go of what is beyond the bounds.
    fn trim(&mut self) {
        while self.exceeds_bounds() {
            self.let_go();
        }
    }

    fn exceeds_bounds(&self) -> bool {
        self.entries.len() > self.bounds.entries
            || (self.cost() > self.bounds.bytes as u64 && self.entries.len() > 1)
    }

    /// Lets go of the oldest entry.
    fn let_go(&mut self) {
        let Some(oldest) = self.entries.pop_front() else { return };
        self.cost_gone = oldest.cost_so_far;
        if let Some(id) = &oldest.id {
            self.gone.push_back((oldest.origin, id.clone()));
            while self.gone.len() > self.entries.len()
                && let Some(name) = self.gone.pop_front()
            {
                self.ids.remove(&name);
            }
        }
    }

    /// Adds the entries after `cursor` to `into`: at most `bytes` bytes of frames, as they were entered, but
    /// one entry at least, if there is one.
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
