//! Not sending faster than the router allows.

use std::time::Duration;

use crate::protocol::AckLimits;

/// A bucket that stays a little below the router's own, as the two do not see the same moments.
#[derive(Debug)]
pub(super) struct Pace {
    /// What one packet costs in time.
    each: Duration,
    /// How far the packets may run ahead of the time.
    ahead: Duration,
    /// When everything that was sent is paid for.
    paid: Duration,
}

impl Pace {
    /// The pace that a router asks for; `None`: any.
    pub(super) fn new(limits: &AckLimits, now: Duration) -> Option<Self> {
        let rate = limits.messages_per_second.filter(|&rate| rate > 0)?;
        let burst = limits.messages_burst.unwrap_or(1).clamp(1, u64::from(u32::MAX));
        let each = Duration::from_millis(1050) / u32::try_from(rate).unwrap_or(u32::MAX);
        // One below the burst, but at least one at a time.
        let ahead = each.saturating_mul(u32::try_from(burst).unwrap_or(u32::MAX).saturating_sub(2));
        Some(Self { each, ahead, paid: now })
    }

    /// When the next packet may be sent.
    pub(super) const fn next(&self) -> Duration {
        self.paid.saturating_sub(self.ahead)
    }

    /// One was sent.
    pub(super) fn spend(&mut self, now: Duration) {
        self.paid = self.paid.max(now) + self.each;
    }
}
