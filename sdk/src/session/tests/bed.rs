//! A client, a clock that stands still unless it is told otherwise, and the wire to a server.

use std::fmt::Write as _;
use std::time::Duration;

use crate::protocol::{ClientMessage, ClientPacket};
use crate::session::{
    Confirmation, ConnectError, Event, Fate, SendError, SendFailure, Session, Settings, State, Want,
};

pub(super) type Outcome = Result<Confirmation, SendFailure>;

pub(super) const PLAIN_ACK: &str = r#"{"action":"register-ack"}"#;

pub(super) fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

pub(super) fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// A client under test. What it sends has the numbers 1, 2, … as tickets, which are its ids as well.
pub(super) struct Bed {
    pub(super) session: Session<u64>,
    pub(super) now: Duration,
    sent: u64,
    /// How often the client asked to be woken.
    pub(super) ticks: u64,
}

/// An ack of the rich dialect.
#[derive(Clone)]
pub(super) struct Ack {
    session: String,
    epoch: String,
    seq: u64,
    after: u64,
    recovered: Option<bool>,
    limits: String,
    clients: Option<&'static str>,
}

pub(super) fn ack(seq: u64, after: u64) -> Ack {
    Ack {
        session: "s1".to_owned(),
        epoch: "e1".to_owned(),
        seq,
        after,
        recovered: None,
        limits: r#""packet-bytes":1048576"#.to_owned(),
        clients: None,
    }
}

impl Ack {
    pub(super) fn recovered(self, recovered: bool) -> Self {
        Self { recovered: Some(recovered), ..self }
    }

    pub(super) fn session(self, session: &str) -> Self {
        Self { session: session.to_owned(), ..self }
    }

    pub(super) fn epoch(self, epoch: &str) -> Self {
        Self { epoch: epoch.to_owned(), ..self }
    }

    pub(super) fn limits(self, limits: &str) -> Self {
        Self { limits: limits.to_owned(), ..self }
    }

    pub(super) fn rate(self, rate: u64, burst: u64) -> Self {
        self.limits(&format!(
            r#""packet-bytes":1048576,"messages-per-second":{rate},"messages-burst":{burst}"#
        ))
    }

    pub(super) fn clients(self, clients: &'static str) -> Self {
        Self { clients: Some(clients), ..self }
    }

    pub(super) fn text(&self) -> String {
        let Self { session, epoch, seq, after, recovered, limits, clients } = self;
        let mut text = format!(
            r#"{{"action":"register-ack","protocol":2,"session":"{session}","epoch":"{epoch}","seq":{seq},"after":{after}"#
        );
        if let Some(recovered) = recovered {
            write!(text, r#","recovered":{recovered}"#).unwrap();
        }
        write!(text, r#","limits":{{{limits}}}"#).unwrap();
        if let Some(clients) = clients {
            write!(text, r#","clients":[{clients}]"#).unwrap();
        }
        text + "}"
    }
}

pub(super) fn forwarded(name: &str, content: &str, seq: u64) -> String {
    format!(
        r#"{{"action":"forwarding-message","source-client-name":"{name}","content":"{content}","seq":{seq},"time":{seq}000}}"#
    )
}

/// The entry that the packet with this ticket became.
pub(super) fn acked(id: u64, seq: u64) -> String {
    format!(r#"{{"action":"message-ack","id":"{id}","seq":{seq},"time":{seq}000}}"#)
}

pub(super) fn error(id: u64, code: &str) -> String {
    format!(r#"{{"action":"error","id":"{id}","code":"{code}","reason":"because"}}"#)
}

/// The packet of a message with this text and this ticket.
pub(super) fn message(content: &str, id: u64) -> String {
    format!(r#"{{"action":"client-message","content":"{content}","id":"{id}"}}"#)
}

/// What is settled when the packet with this ticket became this entry.
pub(super) fn logged(ticket: u64, seq: u64) -> (u64, Outcome) {
    (ticket, Ok(Confirmation::Logged { seq, time: seq * 1000 }))
}

impl Bed {
    pub(super) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(super) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::seeded(7, change)
    }

    pub(super) fn seeded(seed: u64, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::new("ws://127.0.0.1:6780/", "irc").unwrap();
        change(&mut settings);
        let now = seconds(1000);
        Self { session: Session::new(settings, seed, now), now, sent: 0, ticks: 0 }
    }

    /// A client that is registered with a router whose log is empty, and of which nothing is to be told.
    pub(super) fn online() -> Self {
        Self::online_with(&ack(0, 0), |_| {})
    }

    pub(super) fn online_with(ack: &Ack, change: impl FnOnce(&mut Settings)) -> Self {
        let mut bed = Self::with(change);
        bed.open();
        bed.read(&ack.text());
        bed.events();
        bed
    }

    /// The client is told the time. To be told it twice changes nothing, and what it waits for lies ahead.
    pub(super) fn tick(&mut self) {
        self.session.tick(self.now);
        let look = |bed: &Self| {
            let session = &bed.session;
            (session.want(), session.state().clone(), session.events.len(), session.settled.len())
        };
        let before = look(self);
        self.session.tick(self.now);
        assert_eq!(look(self), before, "there was more to do");
        assert!(self.session.wake_at(self.now).is_none_or(|at| at > self.now));
    }

    /// Lets time pass, and has the client know it when it asks to.
    pub(super) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        let limit = self.ticks + 1000 + 10 * time.as_secs();
        self.tick();
        while let Some(at) = self.session.wake_at(self.now).filter(|&at| at <= end) {
            self.now = at;
            self.ticks += 1;
            assert!(self.ticks < limit, "a busy loop");
            self.tick();
        }
        self.now = end;
        self.tick();
    }

    /// Sleeps until the client wants to be woken. How long that was.
    pub(super) fn sleep(&mut self) -> Duration {
        let at = self.session.wake_at(self.now).expect("the client waits for something");
        let slept = at.saturating_sub(self.now);
        self.now = at;
        self.tick();
        slept
    }

    /// Makes the connection that is wanted, now or after a wait. The packet that registers.
    pub(super) fn open(&mut self) -> String {
        self.tick();
        if self.session.want() == Want::Nothing {
            self.sleep();
        }
        assert!(matches!(self.session.want(), Want::Connect(_)), "{:?}", self.session.want());
        self.session.opened("secret".to_owned(), self.now);
        let register = self.session.pull(self.now).expect("it registers");
        assert_eq!(self.session.pull(self.now), None, "nothing comes before the ack");
        register
    }

    /// Connects again, with this answer.
    pub(super) fn again(&mut self, ack: &str) -> String {
        let register = self.open();
        self.read(ack);
        register
    }

    pub(super) fn read(&mut self, text: &str) {
        self.session.received(text, self.now);
        self.tick();
    }

    /// The connection ends like this.
    pub(super) fn end(&mut self, code: impl Into<Option<u16>>) {
        self.session.disconnected(code.into(), "why", self.now);
        self.tick();
    }

    pub(super) fn fail(&mut self, error: ConnectError) {
        self.session.failed(error, self.now);
        self.tick();
    }

    pub(super) fn send(&mut self, packet: ClientPacket) -> u64 {
        self.sent += 1;
        self.session.send(packet, self.sent);
        self.sent
    }

    pub(super) fn say(&mut self, content: &str) -> u64 {
        self.send(ClientPacket::Message(ClientMessage::new(content)))
    }

    pub(super) fn reply(&mut self, to: u64, content: &str) -> u64 {
        let mut message = ClientMessage::new(content);
        message.reply_to = Some(to);
        self.send(ClientPacket::Message(message))
    }

    /// All that may be written now.
    pub(super) fn written(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.session.pull(self.now)).collect()
    }

    pub(super) fn flush(&mut self) {
        self.session.flushed();
        self.tick();
    }

    pub(super) fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.session.pop_event()).collect()
    }

    pub(super) fn states(&mut self) -> Vec<State> {
        let state = |event| if let Event::State(state) = event { Some(state) } else { None };
        self.events().into_iter().filter_map(state).collect()
    }

    /// The events that are no states.
    pub(super) fn news(&mut self) -> Vec<Event> {
        self.events().into_iter().filter(|event| !matches!(event, Event::State(_))).collect()
    }

    pub(super) fn settled(&mut self) -> Vec<(u64, Outcome)> {
        std::iter::from_fn(|| self.session.pop_settled()).collect()
    }

    /// What is settled now, if all of it failed.
    pub(super) fn failed(&mut self) -> Vec<(u64, SendError, Fate)> {
        let failure = |(ticket, outcome): (u64, Outcome)| {
            let failure = outcome.unwrap_err();
            (ticket, failure.error, failure.fate)
        };
        self.settled().into_iter().map(failure).collect()
    }

    /// The cause of the wait that the client is in, and how long it will be.
    pub(super) fn waits(&self) -> (ConnectError, Duration) {
        match self.session.state() {
            State::Waiting { cause, retry_in, .. } => (cause.clone(), *retry_in),
            state => panic!("it does not wait: {state:?}"),
        }
    }

    /// Why the client has ended.
    pub(super) fn closed(&self) -> (crate::session::Side, Option<ConnectError>) {
        match self.session.state() {
            State::Closed { by, cause } => (*by, cause.clone()),
            state => panic!("it has not ended: {state:?}"),
        }
    }
}
