//! Time on machines that stand still now and then.

use std::{
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// Measures how long something takes, also without the time in which the whole machine did nothing for us: a
/// virtual machine may be put aside for seconds. What a test blames on the router must be the router's.
#[derive(Debug)]
pub(crate) struct Stopwatch {
    start: Instant,
    lost_before: Duration,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self { lost_before: PULSE.lost(), start: Instant::now() }
    }

    pub(crate) fn stop(&self) -> Lap {
        let in_all = self.start.elapsed();
        let lost = PULSE.lost().saturating_sub(self.lost_before);
        Lap { in_all, at_work: in_all.saturating_sub(lost) }
    }
}

/// How long something took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lap {
    /// By the clock.
    pub(crate) in_all: Duration,
    /// While the machine was at work.
    pub(crate) at_work: Duration,
}

static PULSE: LazyLock<Pulse> = LazyLock::new(Pulse::start);

/// A thread that wakes up all the time, and notes when it could not.
#[derive(Debug)]
struct Pulse {
    start: Instant,
}

/// Nanoseconds from the pulse's start to its last beat.
static LAST_BEAT: AtomicU64 = AtomicU64::new(0);
/// Nanoseconds in which there was none, in all.
static LOST: AtomicU64 = AtomicU64::new(0);

impl Pulse {
    const INTERVAL: Duration = Duration::from_millis(10);
    /// A pause that is more than the scheduler's usual whims.
    const LONG: Duration = Duration::from_millis(100);

    fn start() -> Self {
        let start = Instant::now();
        thread::spawn(move || {
            loop {
                thread::sleep(Self::INTERVAL);
                LOST.fetch_add(nanos(Self::pause(start)), Ordering::Relaxed);
                LAST_BEAT.store(nanos(start.elapsed()), Ordering::Relaxed);
            }
        });
        Self { start }
    }

    /// How long it has been since the last beat, if that is long.
    fn pause(start: Instant) -> Duration {
        let last_beat = Duration::from_nanos(LAST_BEAT.load(Ordering::Relaxed));
        let pause = start.elapsed().saturating_sub(last_beat);
        if pause > Self::LONG { pause } else { Duration::ZERO }
    }

    /// All that was lost, the pause that may just be ending included.
    fn lost(&self) -> Duration {
        Duration::from_nanos(LOST.load(Ordering::Relaxed)) + Self::pause(self.start)
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap()
}
