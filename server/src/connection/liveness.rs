//! Whether the peer is still there. Pure: the time is an argument.

use std::{mem, num::NonZeroU32, time::Duration};

use tokio::time::Instant;

use crate::config::Limits;

/// How a peer is asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pings {
    /// Between two pings.
    pub(super) interval: Duration,
    /// For a sign of life after a ping.
    pub(super) answer: Duration,
}

impl Pings {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { interval: limits.ping, answer: limits.pong }
    }
}

/// What is to be done now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Check {
    Nothing,
    /// Send a ping.
    Ping,
    /// The peer is gone.
    Gone,
}

/// What is known of one peer.
#[derive(Debug)]
pub(super) struct Liveness {
    next_ping: Instant,
    /// When the ping was sent that has not been answered, as far as is known.
    asked_at: Option<Instant>,
    /// At the last interval's end a ping was sent, and no pong has come.
    awaits_pong: bool,
    /// In microseconds, to take less memory.
    round_trip: Option<NonZeroU32>,
}

impl Liveness {
    pub(super) fn new(pings: Pings, now: Instant) -> Self {
        Self { next_ping: now + pings.interval, asked_at: None, awaits_pong: false, round_trip: None }
    }

    /// Notes a pong.
    pub(super) fn note_pong(&mut self, pings: Pings, now: Instant) {
        if mem::take(&mut self.awaits_pong)
            && let Some(pinged_at) = self.next_ping.checked_sub(pings.interval)
        {
            let micros = now.saturating_duration_since(pinged_at).as_micros();
            self.round_trip = NonZeroU32::new(u32::try_from(micros).unwrap_or(u32::MAX)).or(self.round_trip);
        }
    }

    /// Forgets the ping that was sent: the interval is another one now.
    pub(super) fn forget_ping(&mut self) {
        self.awaits_pong = false;
    }

    /// From the last ping that was answered to its pong.
    pub(super) fn round_trip(&self) -> Option<Duration> {
        self.round_trip.map(|micros| Duration::from_micros(micros.get().into()))
    }

    /// Looks at the clock. `alive_at` is the peer's last sign of life: whatever it sends is one, not the
    /// pong alone. Where a ping can't be sent (`can_ask`), none is asked for and none is waited for.
    pub(super) fn check(&mut self, pings: Pings, alive_at: Instant, can_ask: bool, now: Instant) -> Check {
        if let Some(asked_at) = self.asked_at {
            if alive_at > asked_at {
                self.asked_at = None;
            } else if now >= asked_at + pings.answer {
                return Check::Gone;
            }
        }
        // They may have become more frequent.
        self.next_ping = self.next_ping.min(now + pings.interval);
        if now < self.next_ping {
            return Check::Nothing;
        }
        self.next_ping = now + pings.interval;
        self.awaits_pong = can_ask;
        if !can_ask {
            return Check::Nothing;
        }
        self.asked_at.get_or_insert(now);
        Check::Ping
    }

    /// When to look at the clock again.
    pub(super) fn deadline(&self, pings: Pings) -> Instant {
        self.asked_at.map_or(self.next_ping, |asked_at| self.next_ping.min(asked_at + pings.answer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const PINGS: Pings = Pings { interval: Duration::from_secs(25), answer: Duration::from_secs(10) };

    #[test]
    fn a_silent_peer_is_gone_after_one_ping() {
        let start = Instant::now();
        let mut liveness = Liveness::new(PINGS, start);
        assert_eq!(liveness.check(PINGS, start, true, start + 24 * SECOND), Check::Nothing);
        assert_eq!(liveness.deadline(PINGS), start + 25 * SECOND);
        assert_eq!(liveness.check(PINGS, start, true, start + 25 * SECOND), Check::Ping);
        assert_eq!(liveness.deadline(PINGS), start + 35 * SECOND);
        assert_eq!(liveness.check(PINGS, start, true, start + 34 * SECOND), Check::Nothing);
        assert_eq!(liveness.check(PINGS, start, true, start + 35 * SECOND), Check::Gone);
    }

    #[test]
    fn nothing_is_expected_where_nothing_was_asked() {
        let start = Instant::now();
        let mut liveness = Liveness::new(PINGS, start);
        assert_eq!(liveness.check(PINGS, start, false, start + 25 * SECOND), Check::Nothing);
        assert_eq!(liveness.deadline(PINGS), start + 50 * SECOND);
        assert_eq!(liveness.check(PINGS, start, false, start + 49 * SECOND), Check::Nothing);
        assert_eq!(liveness.check(PINGS, start, true, start + 50 * SECOND), Check::Ping);
    }

    #[test]
    fn a_shorter_interval_holds_at_once() {
        let start = Instant::now();
        let mut liveness = Liveness::new(Pings { interval: 3600 * SECOND, ..PINGS }, start);
        assert_eq!(liveness.check(PINGS, start, true, start + SECOND), Check::Nothing);
        assert_eq!(liveness.deadline(PINGS), start + 26 * SECOND);
        assert_eq!(liveness.check(PINGS, start, true, start + 26 * SECOND), Check::Ping);
    }

    #[test]
    fn a_round_trip_is_from_a_ping_to_the_next_pong() {
        let start = Instant::now();
        let mut liveness = Liveness::new(PINGS, start);
        liveness.note_pong(PINGS, start);
        assert_eq!(liveness.round_trip(), None, "nobody had asked");
        assert_eq!(liveness.check(PINGS, start, true, start + 25 * SECOND), Check::Ping);
        assert_eq!(liveness.check(PINGS, start + 26 * SECOND, true, start + 26 * SECOND), Check::Nothing);
        assert_eq!(liveness.round_trip(), None, "it was heard, but has not answered");
        liveness.note_pong(PINGS, start + 27 * SECOND);
        liveness.note_pong(PINGS, start + 28 * SECOND);
        assert_eq!(liveness.round_trip(), Some(2 * SECOND));
        assert_eq!(liveness.check(PINGS, start + 49 * SECOND, true, start + 50 * SECOND), Check::Ping);
        liveness.forget_ping();
        liveness.note_pong(PINGS, start + 58 * SECOND);
        assert_eq!(liveness.round_trip(), Some(2 * SECOND), "of the last that is known");
    }

    #[test]
    fn a_peer_that_answers_is_asked_again_and_again() {
        let mut now = Instant::now();
        let mut liveness = Liveness::new(PINGS, now);
        for _ in 0..100 {
            now += 25 * SECOND;
            assert_eq!(liveness.check(PINGS, now - 20 * SECOND, true, now), Check::Ping);
            let answered_at = now + 9 * SECOND;
            assert_eq!(liveness.check(PINGS, answered_at, true, now + 10 * SECOND), Check::Nothing);
            assert_eq!(liveness.deadline(PINGS), now + 25 * SECOND);
        }
    }
}
