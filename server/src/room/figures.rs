//! What a room has to say of itself to who watches it. All of it is counted where it comes up anyway, or looked up when
//! somebody asks.

use std::{
    collections::HashMap,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use multichat::protocol::{ClientName, Status};
use prometheus_client::metrics::histogram::Histogram;

use super::{
    Room,
    log::{KindCounts, Seq},
    sessions::SessionCounts,
};

/// The upper ends of the latency's classes, in seconds: from what an idle machine takes to what people notice.
const LATENCIES: [f64; 15] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

/// A room in numbers.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    /// The place of the newest entry.
    pub(crate) newest: Seq,
    /// All that were ever entered.
    pub(crate) entered: KindCounts,
    pub(crate) log_entries: usize,
    pub(crate) log_bytes: u64,
    pub(crate) plain_readers: usize,
    pub(crate) rich_readers: usize,
    pub(crate) sessions: SessionCounts,
    /// Of each pass that had readers: from the moment when its oldest entry was entered until the last of them was
    /// offered it, in seconds.
    pub(crate) latency: Histogram,
}

/// Measures how long entries wait. With the machine's own clock, whatever a test does to the other.
#[derive(Debug)]
pub(super) struct Stopwatch {
    start: Instant,
    latency: Histogram,
}

impl Stopwatch {
    pub(super) fn new() -> Self {
        Self { start: Instant::now(), latency: Histogram::new(LATENCIES) }
    }

    /// Nanoseconds since the start, and never 0.
    pub(super) fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX).max(1)
    }

    /// Notes that a pass is over whose oldest entry came then.
    pub(super) fn note_pass(&self, oldest: u64) {
        self.latency.observe(Duration::from_nanos(self.now().saturating_sub(oldest)).as_secs_f64());
    }
}

impl Room {
    /// The room in numbers, as it is now.
    pub(crate) fn figures(&self) -> Figures {
        let (newest, entered, log_entries, log_bytes) = {
            let log = self.log.lock();
            (log.newest(), log.counts(), log.len(), log.cost())
        };
        Figures {
            newest,
            entered,
            log_entries,
            log_bytes,
            plain_readers: self.plain_readers.load(Ordering::Relaxed),
            rich_readers: self.rich_readers.load(Ordering::Relaxed),
            sessions: self.sessions.lock().counts(),
            latency: self.stopwatch.latency.clone(),
        }
    }

    /// What clients say of their platforms, by name.
    pub(crate) fn statuses(&self) -> HashMap<ClientName, (Status, Option<Box<str>>)> {
        self.roster.lock().statuses()
    }
}
