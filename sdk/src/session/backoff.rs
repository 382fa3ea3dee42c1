//! How long to wait before the next attempt.

use std::time::Duration;

use fastrand::Rng;

use super::settings::Reconnect;

/// A connection that has lasted for so long was a good one: the waits begin anew.
pub(super) const STABLE: Duration = Duration::from_secs(10);

/// Draws the waits.
#[derive(Debug)]
pub(super) struct Backoff {
    policy: Reconnect,
    random: Rng,
    /// The attempts that failed in a row.
    failures: u32,
}

impl Backoff {
    pub(super) fn new(policy: Reconnect, seed: u64) -> Self {
        Self { policy, random: Rng::with_seed(seed), failures: 0 }
    }

    /// The number of the present attempt, from 1 on.
    pub(super) const fn attempt(&self) -> u32 {
        self.failures.saturating_add(1)
    }

    /// An attempt failed: how many have now, and how long to wait before the next one; `None`: give up.
    pub(super) fn fail(&mut self) -> Option<(u32, Duration)> {
        if self.policy.attempts.is_some_and(|attempts| self.failures >= attempts) {
            return None;
        }
        let factor = 1_u32.checked_shl(self.failures).unwrap_or(u32::MAX);
        let bound = self.policy.first.saturating_mul(factor).min(self.policy.longest);
        self.failures = self.failures.saturating_add(1);
        Some((self.failures, bound / 1000 * self.random.u32(1..=1000)))
    }

    /// The connection was a good one.
    pub(super) const fn reset(&mut self) {
        self.failures = 0;
    }
}
