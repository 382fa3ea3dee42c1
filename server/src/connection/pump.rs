//! What happens on a registered connection, turn by turn.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_util::Stream;
use multichat::protocol::{ClientPacket, CloseCode, Dialect};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use tracing::warn;

use super::{
    Peer,
    ending::Ending,
    guests::Portrait,
    hall::Terms,
    liveness::{Check, Liveness},
    meter::Violation,
    socket::{self, READ_BUFFER, Socket},
    standing::{Admission, Standing},
    stream::ByteStream,
    traffic::Traffic,
    wire::Wire,
};
use crate::{
    frame,
    rate::TokenBucket,
    room::{Cut, Draft, Mailbox, Membership, Overrun, Pass, Seq, now_ms},
};

/// After so many messages a connection lets others have their turn.
const MESSAGES_PER_TURN: usize = 32;

/// Who is behind reads so many bytes of the log at once.
const CATCH_UP_BYTES: usize = 256 * 1024;

/// As much is sent at once of what concerns this connection alone; if the socket does not take it, it is kept.
const NOTICES_BYTES: usize = 16 * 1024;

/// A registered connection.
pub(super) struct Pump<S> {
    pub(super) member: Membership,
    /// What the room has to say to this connection alone.
    pub(super) mailbox: Arc<Mailbox>,
    socket: Socket<S>,
    /// The library's state should be made anew: a message came for which its buffer had to grow, and it does not shrink
    /// by itself; or the limits are other ones now.
    is_stale: bool,
    /// At the last turn there was nothing left to read, in the library's buffer neither.
    has_read_all: bool,
    /// The last entry of the log that was sent, or begun.
    cursor: Seq,
    liveness: Liveness,
    bad_packets: TokenBucket,
    pub(super) standing: Standing,
    /// There is news of other clients that the client has not been told.
    owes_presence: bool,
    /// Why nothing can be sent any more. What the client has already sent is still read.
    broken: Option<Ending>,
    /// When the client registered, in milliseconds since the Unix epoch.
    since: u64,
    received_messages: u64,
}

/// How far a turn came with reading.
enum Reading {
    /// There is no more to read for now.
    Done,
    /// Others have their turn first.
    Continued,
    /// The client has to wait: until then, or until the fan-out has caught up.
    Paused(Option<Instant>),
}

impl<S: ByteStream> Pump<S> {
    pub(super) fn new(
        terms: &Terms,
        admission: Admission,
        member: Membership,
        mailbox: Arc<Mailbox>,
        socket: Socket<S>,
        cursor: Seq,
    ) -> Self {
        let now = Instant::now();
        Self {
            standing: Standing::new(admission, terms, &member.author.client_name, now),
            member,
            mailbox,
            socket,
            is_stale: false,
            has_read_all: false,
            cursor,
            liveness: Liveness::new(terms.pings, now),
            bad_packets: TokenBucket::full(now),
            owes_presence: false,
            broken: None,
            since: now_ms(),
            received_messages: 0,
        }
    }

    /// Looks whether the client may stay, and on which terms, if they have changed.
    pub(super) fn prepare(&mut self, terms: &Terms) -> Result<(), Ending> {
        if let Some(cut) = self.mailbox.must_go() {
            return Err(cut.into());
        }
        if self.standing.review(terms, &self.member.author.client_name)? {
            self.member.viewpoint.hears = self.standing.rights().read;
            self.bad_packets.change(terms.limits.bad_packets, Instant::now());
            self.is_stale = true;
            self.liveness.forget_ping();
        }
        Ok(())
    }

    /// Queues the answer to the registration.
    pub(super) fn welcome(&mut self, ack: Bytes) {
        self.socket.get_mut().outlet().push(ack);
    }

    /// What an operator may know.
    pub(super) fn portrait(&self, peer: Peer) -> Portrait {
        Portrait {
            peer,
            client_name: self.member.author.client_name.clone(),
            dialect: self.member.viewpoint.dialect,
            rights: self.standing.rights(),
            since: self.since,
            alive_at: self.socket.get_ref().alive_at(),
            round_trip: self.liveness.round_trip(),
            cursor: self.cursor,
            traffic: self.traffic(),
        }
    }

    /// What went over the connection so far.
    pub(super) fn traffic(&self) -> Traffic {
        Traffic { received_messages: self.received_messages, ..self.socket.get_ref().traffic() }
    }

    /// The wire, to be closed.
    pub(super) fn into_wire(self) -> Wire<S> {
        self.socket.into_inner()
    }

    /// Whether the library's state should be made anew, and has nothing in it.
    pub(super) fn can_be_renewed(&self) -> bool {
        self.is_stale && self.has_read_all && self.socket.get_ref().is_between_messages()
    }

    /// The same with a small buffer, and with the bounds that hold now.
    pub(super) fn renew(self, terms: &Terms) -> Option<Self> {
        let mut wire = self.socket.into_inner();
        wire.set_bounds(terms.meter_bounds.clone());
        let socket = socket::open(wire, &terms.limits)?;
        Some(Self { socket, is_stale: false, ..self })
    }

    /// Takes what the fan-out has. Returns whether that is all there is to do for now; if not, the
    /// connection's task must be woken.
    pub(super) fn offer(&mut self, pass: &Pass, cx: &mut Context<'_>) -> bool {
        let cursor = self.cursor;
        let outlet = self.socket.get_mut().outlet();
        if outlet.is_blocked() {
            // Its task waits for the socket already.
            return !pass.has_overrun(cursor);
        }
        if pass.leaves_behind(cursor) || !outlet.is_empty() {
            return false;
        }
        let sent = self.socket.get_mut().poll_pass(cx, pass, self.member.viewpoint, &mut self.cursor);
        // What waits in the mailbox for the cursor to come here, the connection's task sends.
        matches!(sent, Poll::Ready(Ok(()))) && !self.has_due_notices()
    }

    /// One turn: sends, reads, and looks at the clock. Returns when the next turn is due at the latest.
    pub(super) fn turn(&mut self, terms: &Terms, cx: &mut Context<'_>) -> Result<Instant, Ending> {
        let is_drained = self.poll_send(terms, cx)?.is_ready();
        let reading = if terms.room.is_closed() {
            if is_drained && self.cursor == terms.room.newest() {
                return Err(Ending::GOING_AWAY);
            }
            if let Some(ending) = self.broken.take() {
                return Err(ending);
            }
            Reading::Paused(None)
        } else {
            let reading = self.receive(terms, cx)?;
            // Reading makes pongs and notices to be sent.
            if !self.socket.get_mut().outlet().is_empty() || self.has_due_notices() {
                let _ = self.poll_send(terms, cx)?;
            }
            reading
        };
        self.has_read_all = matches!(reading, Reading::Done);
        match (reading, self.broken.take()) {
            (Reading::Done, Some(ending)) => Err(ending),
            (reading, broken) => {
                self.broken = broken;
                self.check_clock(terms, &reading, cx)
            }
        }
    }

    fn has_due_notices(&self) -> bool {
        self.member.viewpoint.dialect == Dialect::Rich && self.mailbox.has_due(self.cursor)
    }

    /// Sends what is queued, then what the fan-out passed over, and then what the room has to say to this
    /// connection alone.
    fn poll_send(&mut self, terms: &Terms, cx: &mut Context<'_>) -> Result<Poll<()>, Ending> {
        if self.broken.is_some() {
            return Ok(Poll::Ready(()));
        }
        match self.poll_catch_up(terms, cx) {
            Poll::Ready(Err(failed @ Ending::Failed(_))) => {
                self.broken = Some(failed);
                Ok(Poll::Ready(()))
            }
            Poll::Ready(result) => result.map(Poll::Ready),
            Poll::Pending if terms.room.has_overrun(self.cursor) => Err(Ending::OVERRUN),
            Poll::Pending => Ok(Poll::Pending),
        }
    }

    fn poll_catch_up(&mut self, terms: &Terms, cx: &mut Context<'_>) -> Poll<Result<(), Ending>> {
        let room = &terms.room;
        ready!(self.socket.get_mut().poll_drain(cx))?;
        loop {
            while room.has_passed(self.member.connection, self.cursor) || room.is_closed() {
                match room.read(self.cursor, CATCH_UP_BYTES) {
                    Ok(Some(pass)) => {
                        let reader = self.member.viewpoint;
                        ready!(self.socket.get_mut().poll_pass(cx, &pass, reader, &mut self.cursor))?;
                    }
                    Ok(None) => break,
                    Err(Overrun) => return Poll::Ready(Err(Ending::OVERRUN)),
                }
            }
            let Some(frames) = self.take_notices(terms) else { return Poll::Ready(Ok(())) };
            let wire = self.socket.get_mut();
            wire.outlet().push(frames);
            ready!(wire.poll_drain(cx))?;
        }
    }

    /// What is to be said to this connection alone, as joined frames.
    fn take_notices(&mut self, terms: &Terms) -> Option<Bytes> {
        if self.member.viewpoint.dialect == Dialect::Plain {
            return None;
        }
        let notices = self.mailbox.take(self.cursor, NOTICES_BYTES);
        if notices.is_some() {
            return notices;
        }
        self.owes_presence |= self.mailbox.take_presence();
        if !self.owes_presence {
            return None;
        }
        let mut presence = terms.room.read_presence(&self.member, NOTICES_BYTES);
        while presence.is_some() && !self.member.viewpoint.hears {
            // Who may not read any more is not told, nor are there to be ever more that it has not been told.
            presence = terms.room.read_presence(&self.member, NOTICES_BYTES);
        }
        self.owes_presence = presence.is_some();
        presence
    }

    /// Reads what the client says, as far as it may.
    fn receive(&mut self, terms: &Terms, cx: &mut Context<'_>) -> Result<Reading, Ending> {
        for _ in 0..MESSAGES_PER_TURN {
            if let Some(resume_at) = self.must_wait() {
                return Ok(Reading::Paused(Some(resume_at)));
            }
            if terms.room.is_congested(cx.waker()) || self.is_full() {
                return Ok(Reading::Paused(None));
            }
            match Pin::new(&mut self.socket).poll_next(cx) {
                Poll::Pending => return Ok(Reading::Done),
                Poll::Ready(None) => return Err(Ending::Lost),
                Poll::Ready(Some(message)) => self.handle(terms, message?)?,
            }
        }
        cx.waker().wake_by_ref();
        Ok(Reading::Continued)
    }

    /// Whether so much waits for the client that it must read first, before it says more.
    fn is_full(&self) -> bool {
        self.member.viewpoint.dialect == Dialect::Rich && self.mailbox.is_full()
    }

    /// When the client may say more, if it has to wait. Who speaks the rich dialect is refused instead.
    fn must_wait(&self) -> Option<Instant> {
        if self.member.viewpoint.dialect == Dialect::Rich {
            return None;
        }
        self.standing.check_rates().err()
    }

    fn handle(&mut self, terms: &Terms, message: Message) -> Result<(), Ending> {
        self.is_stale |= message.len() > READ_BUFFER;
        self.received_messages += u64::from(message.is_text() || message.is_binary());
        match (message, self.member.viewpoint.dialect) {
            (Message::Text(text), Dialect::Plain) => self.handle_plain(terms, &text),
            (Message::Text(text), Dialect::Rich) => self.handle_rich(terms, &text),
            (Message::Binary(_), Dialect::Plain) => self.note_bad_packet(terms),
            (Message::Binary(_), Dialect::Rich) => self.handle_binary(terms),
            (Message::Close(frame), _) => Err(Ending::ByPeer { code: frame.map(|frame| frame.code.into()) }),
            (Message::Pong(_), _) => {
                self.liveness.note_pong(terms.pings, Instant::now());
                Ok(())
            }
            (Message::Ping(_) | Message::Frame(_), _) => Ok(()),
        }
    }

    fn handle_plain(&mut self, terms: &Terms, text: &str) -> Result<(), Ending> {
        match ClientPacket::decode(text, Dialect::Plain, terms.limits.packet_bytes) {
            Ok(ClientPacket::Message(message)) => {
                // It was not read before it might come.
                self.standing.charge(text.len());
                if !self.standing.rights().write {
                    self.note_forbidden();
                    return Ok(());
                }
                terms.room.publish(Draft::plain(&self.member.author, message.content), &self.mailbox);
                Ok(())
            }
            _ => self.note_bad_packet(terms),
        }
    }

    /// Lets the operator know that a client says what it may not, which a plain one can't be told.
    fn note_forbidden(&mut self) {
        if self.standing.is_first_forbidden() {
            let client = self.member.author.client_name.as_str();
            warn!(connection = self.member.connection.0, client, "may not write: what it says is dropped");
        }
    }

    /// A packet that is not taken. It is dropped, as the original server does, but not without bounds.
    pub(super) fn note_bad_packet(&mut self, terms: &Terms) -> Result<(), Ending> {
        let is_borne =
            terms.limits.bad_packets.is_none_or(|rate| self.bad_packets.take(rate, Instant::now()).is_ok());
        if is_borne { Ok(()) } else { Err(Ending::close(CloseCode::Policy, "too many bad packets")) }
    }

    /// Looks at the clock. Returns when to look again.
    fn check_clock(
        &mut self,
        terms: &Terms,
        reading: &Reading,
        cx: &mut Context<'_>,
    ) -> Result<Instant, Ending> {
        let now = Instant::now();
        let wire = self.socket.get_mut();
        if matches!(reading, Reading::Paused(_)) {
            // It is us who do not listen.
            wire.excuse_silence(now);
        }
        let can_ask = !wire.outlet().is_blocked();
        match self.liveness.check(terms.pings, wire.alive_at(), can_ask, now) {
            Check::Nothing => {}
            Check::Gone => return Err(Ending::Silent),
            Check::Ping => {
                wire.outlet().push(frame::PING);
                if let Poll::Ready(Err(error)) = wire.poll_drain(cx) {
                    return Err(error.into());
                }
            }
        }
        let stalled_by = wire.outlet().stalled_since().map(|since| since + terms.limits.write_stall);
        if stalled_by.is_some_and(|by| by <= now) {
            return Err(Ending::STALLED);
        }
        let message_by = wire.message_deadline();
        if message_by.is_some_and(|by| by <= now) {
            return Err(Violation::TooSlow.into());
        }
        let resume_at = if let Reading::Paused(at) = reading { *at } else { None };
        let liveness_by = self.liveness.deadline(terms.pings);
        Ok([stalled_by, message_by, resume_at].into_iter().flatten().fold(liveness_by, Instant::min))
    }
}

impl From<Cut> for Ending {
    fn from(cut: Cut) -> Self {
        match cut {
            Cut::Kicked => Self::close(CloseCode::Revoked, "an operator closed it"),
            Cut::Replaced => {
                Self::close(CloseCode::Replaced, "its session was resumed on another connection")
            }
            Cut::Behind => Self::close(CloseCode::SlowConsumer, "read too slowly: too many have left since"),
        }
    }
}
