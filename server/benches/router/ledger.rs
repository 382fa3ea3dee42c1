//! The ledger: who got what, in which order, and how late.
//!
//! A figure is worth nothing if the deliveries behind it were not all made, once each and in order. Each
//! reader's next number is kept for each sender, so that whatever is lost, doubled or out of order is seen.

use multichat_bench::Tally;

use super::wire::Stamp;

/// The numbers that each reader expects next from each sender.
#[derive(Debug)]
pub(crate) struct Ledger {
    senders: usize,
    next: Vec<u32>,
    /// Numbers that were passed over: lost, unless they come late.
    missing: Vec<(usize, Stamp)>,
    pub(crate) tally: Tally,
}

impl Ledger {
    /// Numbers passed over that are kept, to tell late ones from doubled ones.
    const MISSING_KEPT: u32 = 1000;

    pub(crate) fn new(readers: usize, senders: usize) -> Self {
        Self { senders, next: vec![0; readers * senders], missing: Vec::new(), tally: Tally::default() }
    }

    /// Enters a delivery. A stamp of a sender that does not exist counts as doubled: nobody sent it.
    pub(crate) fn enter(&mut self, reader: usize, stamp: Stamp) {
        self.tally.delivered += 1;
        let sender = stamp.sender as usize;
        if sender >= self.senders {
            self.tally.doubled += 1;
            return;
        }
        let next = &mut self.next[reader * self.senders + sender];
        if stamp.number == *next {
            *next += 1;
        } else if stamp.number > *next {
            self.tally.lost += u64::from(stamp.number - *next);
            for number in *next..stamp.number.min(*next + Self::MISSING_KEPT) {
                self.missing.push((reader, Stamp { number, due: 0, ..stamp }));
            }
            *next = stamp.number + 1;
        } else if let Some(place) = self.missing.iter().position(|(who, missing)| {
            (*who, missing.sender, missing.number) == (reader, stamp.sender, stamp.number)
        }) {
            self.missing.swap_remove(place);
            self.tally.lost -= 1;
            self.tally.misordered += 1;
        } else {
            self.tally.doubled += 1;
        }
    }

    /// Makes room for so many readers.
    pub(crate) fn grow(&mut self, readers: usize) {
        self.next.resize(self.next.len().max(readers * self.senders), 0);
    }

    /// Enters a delivery of which the caller knows whether it was the one that had to come.
    pub(crate) fn enter_known(&mut self, is_right: bool) {
        self.tally.delivered += 1;
        self.tally.misordered += u64::from(!is_right);
    }

    /// At the end: whatever of `sent` has not come to this reader is lost; its own too, where it gets acks.
    pub(crate) fn close(&mut self, reader: usize, has_acks: bool, sent: &[u32]) {
        for (sender, sent) in sent.iter().enumerate().take(self.senders) {
            if sender != reader || has_acks {
                self.tally.lost += u64::from(sent.saturating_sub(self.next[reader * self.senders + sender]));
            }
        }
    }
}

/// Latencies in nanoseconds, each kept: a benchmark has room for them.
#[derive(Debug, Default)]
pub(crate) struct Latencies(Vec<u32>);

impl Latencies {
    pub(crate) fn with_capacity(count: usize) -> Self {
        Self(Vec::with_capacity(count))
    }

    pub(crate) fn add(&mut self, nanoseconds: u64) {
        self.0.push(u32::try_from(nanoseconds).unwrap_or(u32::MAX));
    }

    pub(crate) fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    /// The latency, in milliseconds, that this share of the deliveries does not exceed.
    pub(crate) fn quantile(&mut self, share: f64) -> f64 {
        if self.0.is_empty() {
            return f64::NAN;
        }
        let place = ((self.0.len() as f64 * share) as usize).min(self.0.len() - 1);
        f64::from(*self.0.select_nth_unstable(place).1) / 1e6
    }
}
