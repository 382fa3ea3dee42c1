//! Token buckets. Pure: the time is an argument.

use std::time::Duration;

use tokio::time::Instant;

/// How often something may happen: a sustained rate and a burst.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many may come at once. At least 1.
    pub burst: u32,
    /// How long one token takes to come back.
    pub interval: Duration,
}

impl Rate {
    /// `count` in each `period`, `burst` of them at once; `None` if `count` is 0, which means no limit.
    pub fn new(count: u32, period: Duration, burst: u32) -> Option<Self> {
        (count > 0).then(|| Self { burst: burst.max(1), interval: period / count })
    }
}

/// What is left of a [`Rate`] for one peer.
///
/// Kept as the moment at which the bucket is full again (the generic cell rate algorithm, as in ATM's
/// traffic management specification, TM 4.1): one number, and no timer that refills.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TokenBucket {
    full_at: Instant,
}

impl TokenBucket {
    /// A full bucket.
    pub(crate) fn full(now: Instant) -> Self {
        Self { full_at: now }
    }

    /// Looks whether there is a token.
    ///
    /// # Errors
    ///
    /// If there is none: the moment at which there will be one.
    pub(crate) fn peek(&self, rate: Rate, now: Instant) -> Result<(), Instant> {
        let full_after = self.full_at.max(now) + rate.interval;
        let all = rate.interval * rate.burst;
        if full_after > now + all { Err(full_after - all) } else { Ok(()) }
    }

    /// Takes one token.
    ///
    /// # Errors
    ///
    /// As [`TokenBucket::peek`]. Nothing is taken then.
    pub(crate) fn take(&mut self, rate: Rate, now: Instant) -> Result<(), Instant> {
        self.peek(rate, now)?;
        self.full_at = self.full_at.max(now) + rate.interval;
        Ok(())
    }

    /// Whether all tokens are back.
    pub(crate) fn is_full(&self, now: Instant) -> bool {
        self.full_at <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn no_rate_is_no_limit() {
        assert_eq!(Rate::new(0, SECOND, 10), None);
    }

    #[test]
    fn a_burst_then_the_rate() {
        let rate = Rate::new(4, SECOND, 8).unwrap();
        let start = Instant::now() + 100 * SECOND;
        let mut bucket = TokenBucket::full(start);
        assert_eq!((0..20).filter(|_| bucket.take(rate, start).is_ok()).count(), 8);
        assert!(!bucket.is_full(start));
        assert_eq!(bucket.take(rate, start), Err(start + SECOND / 4), "says when to come back");
        assert_eq!(bucket.take(rate, start + SECOND / 4), Ok(()));
        let taken =
            (0..1000).filter(|i| bucket.take(rate, start + SECOND / 4 + SECOND / 100 * *i).is_ok()).count();
        assert_eq!(taken, 39, "ten seconds at four a second");
        assert!(bucket.is_full(start + 60 * SECOND));
        assert_eq!((0..20).filter(|_| bucket.take(rate, start + 60 * SECOND).is_ok()).count(), 8, "no hoard");
    }
}
