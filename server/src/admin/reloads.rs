//! How often another configuration was to hold.

use std::time::SystemTime;

use parking_lot::Mutex;

/// How often another configuration was to hold, and what came of it.
#[derive(Debug)]
pub(crate) struct Reloads(Mutex<ReloadFigures>);

/// The same in numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReloadFigures {
    pub(super) good: u64,
    pub(super) bad: u64,
    /// Since when the configuration holds.
    pub(super) good_at: SystemTime,
    /// Whether the last one did not fail.
    pub(super) is_good: bool,
}

impl Reloads {
    /// None yet: the router has just been started with its first configuration.
    pub(crate) fn new() -> Self {
        Self(Mutex::new(ReloadFigures { good: 0, bad: 0, good_at: SystemTime::now(), is_good: true }))
    }

    /// Counts one.
    pub(crate) fn count(&self, is_good: bool) {
        let mut figures = self.0.lock();
        figures.is_good = is_good;
        if is_good {
            figures.good += 1;
            figures.good_at = SystemTime::now();
        } else {
            figures.bad += 1;
        }
    }

    pub(super) fn figures(&self) -> ReloadFigures {
        *self.0.lock()
    }
}
