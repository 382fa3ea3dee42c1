//! Not sending faster than the router allows.

use std::time::Duration;

use crate::protocol::AckLimits;

/// How long nothing is sent after the router has refused something as too much. It doubles with each refusal of what
/// was tried after such a pause.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// When something may be sent. It outlives the connection: so may what the router counts.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    /// The pace that the router asked for; `None`: any.
    pace: Option<Pace>,
    /// How many tries in a row were refused as too much. Unless it is 0, there is one packet at a time.
    refusals: u32,
    /// Whether something was sent since the last refusal. If not, what is refused now was on its way already.
    has_tried: bool,
    /// Whether that was something that has no ack: silence will be consent.
    is_unanswered: bool,
    /// Until when nothing is sent.
    paused_until: Duration,
}

impl Throttle {
    /// Keeps to these limits from now on. What was sent at the same rate before is still to be paid for.
    pub(super) fn keep_to(&mut self, limits: &AckLimits, now: Duration) {
        let before = self.pace.take();
        self.pace = Pace::new(limits, now).map(|pace| pace.after(before));
    }

    /// Whether there is to be one packet at a time: the router has a bound that it does not tell, such as one of bytes,
    /// and closes the connection of who goes on.
    pub(super) const fn is_wary(&self) -> bool {
        self.refusals > 0
    }

    /// When the next message may be sent.
    pub(super) fn next(&self) -> Duration {
        self.paused_until.max(self.pace.as_ref().map_or(Duration::ZERO, Pace::next))
    }

    /// When the next receipt may be sent: no message has to wait for it afterwards, if the burst lets that be.
    pub(super) fn next_receipt(&self) -> Duration {
        self.paused_until.max(self.pace.as_ref().map_or(Duration::ZERO, Pace::next_of_two))
    }

    /// The time is `now`.
    pub(super) fn tick(&mut self, now: Duration) {
        if self.is_unanswered && now >= self.paused_until {
            self.is_unanswered = false;
            self.refusals = 0;
        }
    }

    /// Something was sent that will have an ack.
    pub(super) fn spend(&mut self, now: Duration) {
        self.has_tried = true;
        if let Some(pace) = &mut self.pace {
            pace.spend(now);
        }
    }

    /// Something was sent that will have none.
    pub(super) fn spend_unanswered(&mut self, now: Duration) {
        self.spend(now);
        if self.is_wary() {
            self.is_unanswered = true;
            self.paused_until = now + self.pause();
        }
    }

    /// Something was acked.
    pub(super) const fn accepted(&mut self) {
        if self.has_tried {
            self.refusals = 0;
            self.is_unanswered = false;
        }
    }

    /// Something was refused as too much.
    pub(super) fn refused(&mut self, now: Duration) {
        if self.refusals == 0 || self.has_tried {
            self.refusals = self.refusals.saturating_add(1);
        }
        self.has_tried = false;
        self.is_unanswered = false;
        self.paused_until = now + self.pause();
    }

    fn pause(&self) -> Duration {
        let factor = 1_u32.checked_shl(self.refusals.saturating_sub(1)).unwrap_or(u32::MAX);
        FIRST_PAUSE.saturating_mul(factor).min(LONGEST_PAUSE)
    }
}

/// A bucket that stays a little below the router's own, as the two do not see the same moments.
#[derive(Debug)]
struct Pace {
    /// What one packet costs in time.
    each: Duration,
    /// How far the packets may run ahead of the time.
    ahead: Duration,
    /// When everything that was sent is paid for.
    paid: Duration,
}

impl Pace {
    /// The pace that a router asks for; `None`: any.
    fn new(limits: &AckLimits, now: Duration) -> Option<Self> {
        let rate = limits.messages_per_second.filter(|&rate| rate > 0)?;
        let burst = limits.messages_burst.unwrap_or(1).clamp(1, u64::from(u32::MAX));
        let each = Duration::from_millis(1050) / u32::try_from(rate).unwrap_or(u32::MAX);
        // One below the burst, but at least one at a time.
        let ahead = each.saturating_mul(u32::try_from(burst).unwrap_or(u32::MAX).saturating_sub(2));
        Some(Self { each, ahead, paid: now })
    }

    /// It, with what is still to be paid for from before, if the rate is the same: but no more than what a burst costs.
    fn after(self, before: Option<Self>) -> Self {
        let owed = before.filter(|before| before.each == self.each).map(|before| before.paid);
        let most = self.paid.saturating_add(self.ahead).saturating_add(self.each);
        Self { paid: owed.map_or(self.paid, |owed| owed.min(most).max(self.paid)), ..self }
    }

    /// When the next packet may be sent.
    const fn next(&self) -> Duration {
        self.paid.saturating_sub(self.ahead)
    }

    /// When the next two may be sent at once; the next one, if there never may be two.
    const fn next_of_two(&self) -> Duration {
        self.paid.saturating_sub(self.ahead.saturating_sub(self.each))
    }

    /// One was sent.
    fn spend(&mut self, now: Duration) {
        self.paid = self.paid.max(now) + self.each;
    }
}
