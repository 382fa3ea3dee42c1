//! Token buckets. Pure: the time is an argument.

use std::time::Duration;

use tokio::time::Instant;

/// How often something may happen: a sustained rate and a burst.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many may come in each period. At least 1.
    pub count: u32,
    /// The period.
    pub period: Duration,
    /// How many may come at once. At least 1.
    pub burst: u32,
}

impl Rate {
    /// `count` in each `period`, `burst` of them at once; `None` if `count` is 0, which means no limit.
    pub fn new(count: u32, period: Duration, burst: u32) -> Option<Self> {
        (count > 0).then(|| Self { count, period, burst: burst.max(1) })
    }

    /// How long so many tokens take to come back.
    fn time(self, tokens: u32) -> Duration {
        self.period * tokens / self.count
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
        let full_after = self.full_at.max(now) + rate.time(1);
        let all = rate.time(rate.burst);
        if full_after > now + all { Err(full_after - all) } else { Ok(()) }
    }

    /// Takes so many tokens, be they there or not: what is not there is a debt, and there is no token until it is
    /// paid. So something that is larger than a burst can come, and is waited for afterwards.
    pub(crate) fn charge(&mut self, rate: Rate, tokens: u32, now: Instant) {
        self.full_at = self.full_at.max(now) + rate.time(tokens);
    }

    /// Takes one token.
    ///
    /// # Errors
    ///
    /// As [`TokenBucket::peek`]. Nothing is taken then.
    pub(crate) fn take(&mut self, rate: Rate, now: Instant) -> Result<(), Instant> {
        self.peek(rate, now)?;
        self.charge(rate, 1, now);
        Ok(())
    }

    /// Keeps to another rate from now on: of what is owed by the old one, no more remains than an empty bucket of the
    /// new one takes to fill.
    pub(crate) fn change(&mut self, rate: Option<Rate>, now: Instant) {
        self.full_at = self.full_at.min(now + rate.map_or(Duration::ZERO, |rate| rate.time(rate.burst)));
    }

    /// Whether all tokens are back.
    pub(crate) fn is_full(&self, now: Instant) -> bool {
        self.full_at <= now
    }
}

/// What somebody may say: so many messages, and so many bytes of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// Messages. `None` is no limit.
    pub messages: Option<Rate>,
    /// Bytes of packets. `None` is no limit.
    pub bytes: Option<Rate>,
}

impl Rates {
    /// Whether there is no limit at all.
    pub(crate) fn are_off(&self) -> bool {
        *self == Self::default()
    }
}

/// What is left of [`Rates`] for one who says something.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Throttle {
    rates: Rates,
    messages: TokenBucket,
    bytes: TokenBucket,
}

impl Throttle {
    /// With all that these rates let it have.
    pub(crate) fn full(rates: Rates, now: Instant) -> Self {
        Self { rates, messages: TokenBucket::full(now), bytes: TokenBucket::full(now) }
    }

    /// What it keeps to.
    pub(crate) fn rates(&self) -> &Rates {
        &self.rates
    }

    /// Looks whether a message may come, of whatever size.
    ///
    /// # Errors
    ///
    /// If not: the moment from which on it may.
    pub(crate) fn peek(&self, now: Instant) -> Result<(), Instant> {
        let wait = |bucket: &TokenBucket, rate: Option<Rate>| bucket.peek(rate?, now).err();
        match wait(&self.messages, self.rates.messages).max(wait(&self.bytes, self.rates.bytes)) {
            Some(at) => Err(at),
            None => Ok(()),
        }
    }

    /// Counts a message of so many bytes.
    pub(crate) fn charge(&mut self, bytes: usize, now: Instant) {
        if let Some(rate) = self.rates.messages {
            self.messages.charge(rate, 1, now);
        }
        if let Some(rate) = self.rates.bytes {
            self.bytes.charge(rate, u32::try_from(bytes).unwrap_or(u32::MAX), now);
        }
    }

    /// Keeps to these rates from now on. Who was slowed down by others need not pay for it any longer; by one that
    /// stays as it is, all that is owed still is.
    pub(crate) fn keep_to(&mut self, rates: Rates, now: Instant) {
        if rates.messages != self.rates.messages {
            self.messages.change(rates.messages, now);
        }
        if rates.bytes != self.rates.bytes {
            self.bytes.change(rates.bytes, now);
        }
        self.rates = rates;
    }

    /// Whether it has all that it may have.
    pub(crate) fn is_full(&self, now: Instant) -> bool {
        self.messages.is_full(now) && self.bytes.is_full(now)
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

    #[test]
    fn a_debt_is_paid_before_more_is_given() {
        let rate = Rate::new(1000, SECOND, 2000).unwrap();
        let start = Instant::now() + 100 * SECOND;
        let mut bucket = TokenBucket::full(start);
        bucket.charge(rate, 5000, start);
        let even = start + 3 * SECOND;
        assert_eq!(bucket.peek(rate, start), Err(even + SECOND / 1000));
        assert!(bucket.peek(rate, even).is_err());
        assert!(bucket.peek(rate, even + SECOND / 1000).is_ok());
        assert!(bucket.is_full(start + 5 * SECOND));
    }

    #[test]
    fn another_rate_holds_at_once() {
        let slow = Rates { messages: Rate::new(1, SECOND, 1000), bytes: Rate::new(1, SECOND, 1) };
        let fast = Rates { messages: Rate::new(10, SECOND, 20), bytes: None };
        let start = Instant::now() + 100 * SECOND;
        let mut throttle = Throttle::full(slow, start);
        for _ in 0..1000 {
            throttle.charge(100, start);
        }
        throttle.keep_to(fast, start);
        assert_eq!(throttle.peek(start), Err(start + SECOND / 10), "not for what it owed by the old one");
        assert!(throttle.is_full(start + 2 * SECOND));
        // What is there is not given again.
        throttle.charge(1, start + 2 * SECOND);
        throttle.keep_to(slow, start + 2 * SECOND);
        assert!(!throttle.is_full(start + 2 * SECOND));
    }

    #[test]
    fn a_debt_by_the_same_rate_stays() {
        let bytes = Rate::new(100, SECOND, 1000);
        let rates = Rates { messages: Rate::new(1, SECOND, 1), bytes };
        let start = Instant::now() + 100 * SECOND;
        let mut throttle = Throttle::full(rates, start);
        throttle.charge(6000, start);
        let even = start + 50 * SECOND + SECOND / 100;
        throttle.keep_to(rates, start);
        assert_eq!(throttle.peek(start), Err(even), "nothing has changed");
        throttle.keep_to(Rates { messages: None, bytes }, start);
        assert_eq!(throttle.peek(start), Err(even), "something else has");
    }

    #[test]
    fn a_throttle_waits_for_whichever_takes_longer() {
        let rates = Rates { messages: Rate::new(1, SECOND, 2), bytes: Rate::new(100, SECOND, 1000) };
        let start = Instant::now() + 100 * SECOND;
        let mut throttle = Throttle::full(rates, start);
        throttle.charge(1, start);
        assert_eq!(throttle.peek(start), Ok(()));
        throttle.charge(1, start);
        assert_eq!(throttle.peek(start), Err(start + SECOND), "the messages");
        assert!(!throttle.is_full(start + SECOND), "all of them");
        throttle.charge(1198, start);
        assert_eq!(throttle.peek(start), Err(start + 2 * SECOND + SECOND / 100), "the bytes");
        assert!(throttle.is_full(start + 12 * SECOND));
        throttle.keep_to(Rates::default(), start);
        assert_eq!(throttle.peek(start), Ok(()), "no rates, no wait");
    }
}
