//! Events, counted by their reason.

use std::collections::BTreeMap;

use parking_lot::Mutex;

/// How often each of a few reasons came up.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<BTreeMap<&'static str, u64>>);

impl Tally {
    /// Of these reasons, none of which has come up. Others may.
    pub(crate) fn of(reasons: impl IntoIterator<Item = &'static str>) -> Self {
        Self(Mutex::new(reasons.into_iter().map(|reason| (reason, 0)).collect()))
    }

    /// Counts one. Returns how many there were so far of this reason.
    pub(crate) fn count(&self, reason: &'static str) -> u64 {
        let mut counts = self.0.lock();
        let count = counts.entry(reason).or_default();
        *count += 1;
        *count
    }

    /// The counts, in the order of the reasons.
    pub(crate) fn counts(&self) -> Vec<(&'static str, u64)> {
        self.0.lock().iter().map(|(reason, count)| (*reason, *count)).collect()
    }
}
