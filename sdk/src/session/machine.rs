//! What a client does next, as far as that can be decided without a clock and a socket.

use std::collections::VecDeque;
use std::time::Duration;

use crate::protocol::{ClientPacket, ClientStatus};

use super::backoff::{Backoff, STABLE};
use super::error::{ConnectError, Stage};
use super::event::{Event, Side, State};
use super::online::{self, Link};
use super::outbox::{Outbox, Settled};
use super::pace::Throttle;
use super::phase::{Phase, Want};
use super::send::{Fate, SendError};
use super::settings::Settings;

/// What the router asks of who is closed with 4529.
const RATE_LIMITED_WAIT: Duration = Duration::from_secs(5);

/// The longest that a `Retry-After` is heeded.
const LONGEST_RETRY_AFTER: Duration = Duration::from_mins(5);

/// An attempt that something from outside brings forward comes no sooner than this after the last one.
const EARLY_SPACING: Duration = Duration::from_secs(1);

/// How often something is sent whose ack does not come, before it is given up.
const SENDS: u32 = 3;

/// The state machine of a client. It is told what happens and when, and tells what to do. Moments are the
/// time since some fixed one.
///
/// `R` is where the outcome of something sent goes.
pub(crate) struct Session<R> {
    pub(super) settings: Settings,
    pub(super) phase: Phase,
    /// The number of the connection, made or being made: it tells the present one from those before.
    connection: u64,
    backoff: Backoff,
    /// When the last attempt began.
    attempted: Duration,
    /// The connections in a row that ended before the ack without a word.
    silent_closes: u32,
    /// Whether there ever was an ack.
    pub(super) was_registered: bool,
    /// What goes before everything else: the packet that registers.
    register: Option<String>,
    /// The last word on how the platform is, and whether the router is still to be told.
    pub(super) status: Option<ClientStatus>,
    pub(super) is_status_due: bool,
    pub(super) outbox: Outbox<R>,
    pub(super) throttle: Throttle,
    /// What outlives a connection.
    pub(super) link: Option<Link>,
    heard: Duration,
    /// Whether the present silence has been asked about.
    is_pinged: bool,
    /// Until when the outbox is to be emptied, if the client is to end then.
    pub(super) draining: Option<Duration>,
    pub(super) state: State,
    pub(super) events: VecDeque<Event>,
    pub(super) settled: VecDeque<Settled<R>>,
}

impl<R> Session<R> {
    /// A client that is about to connect.
    pub(crate) fn new(settings: Settings, seed: u64, now: Duration) -> Self {
        let mut session = Self {
            phase: Phase::Waiting { earliest: now, until: now },
            connection: 0,
            backoff: Backoff::new(settings.reconnect, seed),
            attempted: now,
            silent_closes: 0,
            was_registered: false,
            register: None,
            status: None,
            is_status_due: false,
            outbox: Outbox::new(settings.outbox),
            throttle: Throttle::default(),
            link: None,
            heard: now,
            is_pinged: false,
            draining: None,
            state: State::Connecting { attempt: 1 },
            events: VecDeque::new(),
            settled: VecDeque::new(),
            settings,
        };
        session.connect(now);
        session
    }

    /// What the driver is to have now.
    pub(crate) const fn want(&self) -> Want {
        match self.phase {
            Phase::Waiting { .. } => Want::Nothing,
            Phase::Connecting { .. } => Want::Connect(self.connection),
            Phase::Registering { .. } | Phase::Online(_) => Want::Talk(self.connection),
            Phase::Closing { .. } => Want::Close(self.connection),
            Phase::Closed => Want::End,
        }
    }

    /// The state, as the program is told it.
    pub(crate) const fn state(&self) -> &State {
        &self.state
    }

    /// One of the events that there are to be told, and were not taken.
    pub(crate) fn event(&self, index: usize) -> Option<&Event> {
        self.events.get(index)
    }

    pub(crate) fn pop_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Nobody will take what there is.
    pub(crate) fn forget_events(&mut self) {
        self.events = VecDeque::new();
    }

    pub(crate) fn pop_settled(&mut self) -> Option<Settled<R>> {
        self.settled.pop_front()
    }

    /// When to call [`tick`](Self::tick), if nothing else happens before.
    ///
    /// What was due before `now` has been done, or waits for something else.
    pub(crate) fn wake_at(&self, now: Duration) -> Option<Duration> {
        let moments = match &self.phase {
            Phase::Waiting { until: at, .. }
            | Phase::Connecting { deadline: at }
            | Phase::Registering { deadline: at }
            | Phase::Closing { deadline: at } => [Some(*at), None, None, None],
            Phase::Online(online) => {
                let silence = self.settings.silence;
                let ping = silence.map(|silence| self.heard.saturating_add(silence / 2));
                let dead = silence.map(|silence| self.heard.saturating_add(silence));
                let send = online.wake_at(self.heard, &self.outbox, &self.throttle);
                [ping, dead, self.ack_deadline(), send]
            }
            Phase::Closed => return None,
        };
        let status = self.is_status_next().then(|| self.throttle.next());
        moments.into_iter().chain([self.draining, status]).flatten().filter(|&at| at > now).min()
    }

    /// The time is `now`.
    pub(crate) fn tick(&mut self, now: Duration) {
        let is_all_said = self.outbox.is_empty() && !self.is_status_next() && !self.has_receipt(now);
        if self.draining.is_some_and(|deadline| now >= deadline || is_all_said) {
            self.draining = None;
            self.close(now);
        }
        match &mut self.phase {
            Phase::Waiting { until, .. } if now >= *until => self.connect(now),
            Phase::Connecting { deadline } if now >= *deadline => {
                self.lost(now, ConnectError::TimedOut(Stage::Connect));
            }
            Phase::Registering { deadline } if now >= *deadline => {
                self.lost(now, ConnectError::TimedOut(Stage::Register));
            }
            Phase::Closing { deadline } if now >= *deadline => self.end(Side::Client, None),
            Phase::Online(online) => {
                online.tick(self.heard, now, &mut self.outbox);
                if self.has_been_silent(now, 1) {
                    self.lost(now, ConnectError::TimedOut(Stage::Silence));
                }
                while self.ack_deadline().is_some_and(|deadline| now >= deadline) {
                    self.give_up_ack(now);
                }
            }
            _ => {}
        }
    }

    /// Whether the router is to be asked for a sign of life: once in each silence.
    pub(crate) fn wants_ping(&mut self, now: Duration) -> bool {
        let is_online = matches!(self.phase, Phase::Online(_));
        let is_due = is_online && self.has_been_silent(now, 2) && !self.is_pinged;
        self.is_pinged |= is_due;
        is_due
    }

    /// Whether nothing was heard for this part of the silence that is borne.
    fn has_been_silent(&self, now: Duration, part: u32) -> bool {
        self.settings.silence.is_some_and(|silence| now >= self.heard.saturating_add(silence / part))
    }

    /// Something came, whatever it was.
    pub(crate) const fn heard(&mut self, now: Duration) {
        self.heard = now;
        self.is_pinged = false;
    }

    /// The connection that is wanted is open, and this is the key for it.
    pub(crate) fn opened(&mut self, key: String, now: Duration) {
        if !matches!(self.phase, Phase::Connecting { .. }) {
            return;
        }
        self.heard(now);
        self.register = Some(self.registration(key));
        self.phase = Phase::Registering { deadline: now.saturating_add(self.settings.timeouts.register) };
        let attempt = self.backoff.attempt();
        self.enter(State::Registering { attempt });
    }

    /// The connection that is wanted could not be made.
    pub(crate) fn failed(&mut self, error: ConnectError, now: Duration) {
        if matches!(self.phase, Phase::Connecting { .. }) {
            self.lost(now, error);
        }
    }

    /// The connection has ended, with the code and the text of a close frame if there was one.
    pub(crate) fn disconnected(&mut self, code: Option<u16>, reason: &str, now: Duration) {
        let before_ack = matches!(self.phase, Phase::Registering { .. });
        match code {
            _ if matches!(self.phase, Phase::Closing { .. }) => self.end(Side::Client, None),
            // It was given up before.
            _ if !before_ack && !matches!(self.phase, Phase::Online(_)) => {}
            Some(code) => {
                self.lost(now, ConnectError::Closed { code, reason: reason.to_owned() });
            }
            None if before_ack => {
                self.silent_closes += 1;
                let is_refusal = self.silent_closes > 1;
                self.lost(
                    now,
                    if is_refusal { ConnectError::KeyProbablyRefused } else { ConnectError::Lost },
                );
            }
            None => self.lost(now, ConnectError::Lost),
        }
    }

    /// A message came that is too large to be read, so nothing behind it can be either.
    pub(crate) fn flooded(&mut self, now: Duration) {
        match self.phase {
            Phase::Closing { .. } => self.end(Side::Client, None),
            Phase::Registering { .. } | Phase::Online(_) => self.lost(now, ConnectError::MessageTooBig),
            _ => {}
        }
    }

    /// A text message came.
    pub(crate) fn received(&mut self, text: &str, now: Duration) {
        self.heard(now);
        match &mut self.phase {
            Phase::Registering { .. } => self.registered(text, now),
            Phase::Online(online) => {
                let mut online = std::mem::take(online);
                self.online_received(&mut online, text, now);
                self.phase = Phase::Online(online);
            }
            Phase::Closing { .. } => self.closing_received(text),
            _ => {}
        }
    }

    fn registered(&mut self, text: &str, now: Duration) {
        let Some(ack) = online::read_ack(text) else { return self.lost(now, ConnectError::NoRouter) };
        let (online, news) = self.go_on(ack, now);
        self.silent_closes = 0;
        self.was_registered = true;
        self.is_status_due = self.status.is_some() && online.is_rich();
        let state = State::Online {
            dialect: online.dialect(),
            recovered: online.is_recovered(),
            epoch: self.link.as_ref().map(Link::epoch),
        };
        self.phase = Phase::Online(online);
        self.enter(state);
        self.events.extend(news.into_iter().flatten());
    }

    /// The next packet to write, if one may be written now.
    pub(crate) fn pull(&mut self, now: Duration) -> Option<String> {
        if self.register.is_some() {
            return self.register.take();
        }
        let Phase::Online(online) = &self.phase else { return None };
        self.throttle.tick(now);
        // Of a message the router says that it was not too much.
        let is_held_back = self.throttle.is_wary() && !self.outbox.is_empty();
        if self.is_status_due
            && !is_held_back
            && let Some(status) = &self.status
        {
            if now < self.throttle.next() {
                return None;
            }
            self.is_status_due = false;
            self.throttle.spend_unanswered(now);
            return Some(ClientPacket::Status(status.clone()).encode());
        }
        online.pull(&mut self.outbox, &mut self.throttle, &mut self.settled, now)
    }

    /// Everything that was pulled has been written.
    pub(crate) fn flushed(&mut self) {
        if let Phase::Online(online) = &self.phase {
            online.flushed(&mut self.outbox, &mut self.settled);
        }
    }

    /// Something says that the line may be up again.
    pub(crate) fn hurry(&mut self, now: Duration) {
        let spaced = self.attempted + EARLY_SPACING;
        if let Phase::Waiting { earliest, until } = &mut self.phase {
            *until = (*until).min(spaced.max(*earliest).max(now));
        }
    }

    /// Someone asks to try now.
    pub(crate) fn reconnect_now(&mut self, now: Duration) {
        if matches!(self.phase, Phase::Waiting { .. }) {
            self.connect(now);
        }
    }

    /// Takes nothing new, and ends when all has been sent, or at the deadline.
    pub(crate) fn drain(&mut self, deadline: Duration) {
        if matches!(self.phase, Phase::Closing { .. } | Phase::Closed) {
            return;
        }
        if let Some(earlier) = &mut self.draining {
            *earlier = deadline.min(*earlier);
        } else {
            self.draining = Some(deadline);
            self.enter(State::Draining);
        }
    }

    /// Ends: what has not been sent will not be.
    pub(crate) fn close(&mut self, now: Duration) {
        match self.phase {
            Phase::Registering { .. } | Phase::Online(_) => {
                self.register = None;
                self.phase = Phase::Closing { deadline: now.saturating_add(self.settings.timeouts.close) };
            }
            Phase::Waiting { .. } | Phase::Connecting { .. } => self.end(Side::Client, None),
            Phase::Closing { .. } | Phase::Closed => {}
        }
    }

    /// Nobody will tell it anything any more.
    pub(crate) fn abandon(&mut self) {
        if !self.state.is_closed() {
            self.end(Side::Client, None);
        }
    }

    fn connect(&mut self, now: Duration) {
        self.connection += 1;
        self.attempted = now;
        self.phase = Phase::Connecting { deadline: now.saturating_add(self.settings.timeouts.connect) };
        let attempt = self.backoff.attempt();
        self.enter(State::Connecting { attempt });
    }

    /// The connection, or the attempt, is over.
    fn lost(&mut self, now: Duration, cause: ConnectError) {
        self.register = None;
        if let Phase::Online(online) = &self.phase {
            if now >= online.since() + STABLE {
                self.backoff.reset();
            }
            if !online.is_rich() {
                self.outbox.settle_unknown(&mut self.settled);
            } else if matches!(cause, ConnectError::Closed { code: 1009, .. }) {
                // Sent again, it would close the next connection too.
                self.outbox.give_up_largest(&mut self.settled);
            } else if matches!(cause, ConnectError::Closed { code: 4529, .. }) {
                self.throttle.refused(now);
            }
        }
        let by = if matches!(cause, ConnectError::Closed { .. }) { Side::Server } else { Side::Client };
        if self.is_final(&cause) {
            return self.end(by, Some(cause));
        }
        let Some((attempt, wait)) = self.backoff.fail() else { return self.end(by, Some(cause)) };
        let at_least = at_least(&cause);
        let retry_in = wait.saturating_add(at_least);
        self.phase = Phase::Waiting { earliest: now + at_least, until: now.saturating_add(retry_in) };
        self.enter(State::Waiting { attempt, retry_in, cause });
    }

    fn is_final(&self, cause: &ConnectError) -> bool {
        // A `register` that is too large is so again.
        let is_register_too_big = matches!(self.phase, Phase::Registering { .. })
            && matches!(cause, ConnectError::Closed { code: 1009, .. });
        // Of one silent close it is not clear what it means: see that of the second.
        let is_only_attempt = self.settings.one_attempt
            && !self.was_registered
            && !(matches!(cause, ConnectError::Lost) && self.silent_closes == 1);
        !cause.is_retryable() || is_register_too_big || is_only_attempt
    }

    fn end(&mut self, by: Side, cause: Option<ConnectError>) {
        self.phase = Phase::Closed;
        self.draining = None;
        self.enter(State::Closed { by, cause });
        self.outbox.settle_all(&self.ended(), &mut self.settled);
    }

    /// While it drains, a client is in that state up to its end.
    fn enter(&mut self, state: State) {
        if self.draining.is_some() && !matches!(state, State::Draining | State::Closed { .. }) {
            return;
        }
        self.state = state.clone();
        self.events.push_back(Event::State(state));
    }

    /// Whether the router is there and still to be told the status.
    const fn is_status_next(&self) -> bool {
        self.is_status_due && matches!(self.phase, Phase::Online(_))
    }

    /// Whether a receipt can be written now.
    fn has_receipt(&self, now: Duration) -> bool {
        matches!(&self.phase, Phase::Online(online) if online.has_receipt(&self.outbox, &self.throttle, now))
    }

    /// When the oldest of what was sent should have been answered, if the server answers.
    fn ack_deadline(&self) -> Option<Duration> {
        let Phase::Online(online) = &self.phase else { return None };
        let oldest = self.outbox.oldest_unanswered().filter(|_| online.awaits_acks())?;
        Some(oldest.sent_at.saturating_add(self.settings.timeouts.ack))
    }

    /// An ack has not come in time: perhaps the connection is dead, so the session is resumed on another. If
    /// that has not helped, it will not.
    fn give_up_ack(&mut self, now: Duration) {
        if self.outbox.oldest_unanswered().is_some_and(|item| item.sends < SENDS) {
            self.lost(now, ConnectError::TimedOut(Stage::Ack));
        } else if let Some(item) = self.outbox.take_oldest_unanswered() {
            self.outbox.settle(item, Err((SendError::FateUnknown, Fate::Unknown)), &mut self.settled);
        }
    }
}

/// The shortest wait after a failure, which the server asked for.
fn at_least(cause: &ConnectError) -> Duration {
    match cause {
        ConnectError::Closed { code: 4529, .. } => RATE_LIMITED_WAIT,
        ConnectError::Rejected { retry_after: Some(wait), .. } => (*wait).min(LONGEST_RETRY_AFTER),
        _ => Duration::ZERO,
    }
}
