//! What happens on a registered connection, turn by turn.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_util::Stream;
use multichat::protocol::{ClientName, ClientPacket, CloseCode};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

use super::{
    Router,
    ending::Ending,
    liveness::{Check, Liveness},
    meter::Violation,
    socket::{self, READ_BUFFER, Socket},
    stream::ByteStream,
    wire::Wire,
};
use crate::{
    config::Limits,
    frame,
    rate::TokenBucket,
    room::{Origin, Overrun, Pass, Seq},
};

/// After so many messages a connection lets others have their turn.
const MESSAGES_PER_TURN: usize = 32;

/// Who is behind reads so many bytes of the log at once; a socket seldom takes more.
const CATCH_UP_BYTES: usize = 64 * 1024;

/// A registered connection.
pub(super) struct Session<S> {
    origin: Origin,
    client_name: ClientName,
    socket: Socket<S>,
    /// A message came for which the library's buffer had to grow. It does not shrink by itself.
    has_grown: bool,
    /// At the last turn there was nothing left to read, in the library's buffer neither.
    has_read_all: bool,
    /// The last entry of the log that was sent, or begun.
    cursor: Seq,
    liveness: Liveness,
    bad_packets: TokenBucket,
    messages: TokenBucket,
    /// Why nothing can be sent any more. What the client has already sent is still read.
    broken: Option<Ending>,
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

impl<S: ByteStream> Session<S> {
    pub(super) fn new(
        router: &Router,
        origin: Origin,
        client_name: ClientName,
        socket: Socket<S>,
        cursor: Seq,
    ) -> Self {
        let now = Instant::now();
        Self {
            origin,
            client_name,
            socket,
            has_grown: false,
            has_read_all: false,
            cursor,
            liveness: Liveness::new(router.pings, now),
            bad_packets: TokenBucket::full(now),
            messages: TokenBucket::full(now),
            broken: None,
        }
    }

    /// The wire, to be closed.
    pub(super) fn into_wire(self) -> Wire<S> {
        self.socket.into_inner()
    }

    /// Whether the library holds a large buffer, and nothing in it.
    pub(super) fn is_slack(&self) -> bool {
        self.has_grown && self.has_read_all && self.socket.get_ref().is_between_messages()
    }

    /// The same session with a small buffer.
    pub(super) fn trim(self, limits: &Limits) -> Option<Self> {
        let socket = socket::open(self.socket.into_inner(), limits)?;
        Some(Self { socket, has_grown: false, ..self })
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
        let sent = self.socket.get_mut().poll_pass(cx, pass, self.origin, &mut self.cursor);
        matches!(sent, Poll::Ready(Ok(())))
    }

    /// One turn: sends, reads, and looks at the clock. Returns when the next turn is due at the latest.
    pub(super) fn turn(&mut self, router: &Router, cx: &mut Context<'_>) -> Result<Instant, Ending> {
        let is_drained = self.poll_send(router, cx)?.is_ready();
        let reading = if router.room.is_closed() {
            if is_drained && self.cursor == router.room.newest() {
                return Err(Ending::GOING_AWAY);
            }
            if let Some(ending) = self.broken.take() {
                return Err(ending);
            }
            Reading::Paused(None)
        } else {
            let reading = self.receive(router, cx)?;
            // Reading makes pongs, and nothing else, to be sent.
            if !self.socket.get_mut().outlet().is_empty() {
                let _ = self.poll_send(router, cx)?;
            }
            reading
        };
        self.has_read_all = matches!(reading, Reading::Done);
        match (reading, self.broken.take()) {
            (Reading::Done, Some(ending)) => Err(ending),
            (reading, broken) => {
                self.broken = broken;
                self.check_clock(router, &reading, cx)
            }
        }
    }

    /// Sends what is queued, and then what the fan-out passed over.
    fn poll_send(&mut self, router: &Router, cx: &mut Context<'_>) -> Result<Poll<()>, Ending> {
        if self.broken.is_some() {
            return Ok(Poll::Ready(()));
        }
        match self.poll_catch_up(router, cx) {
            Poll::Ready(Err(failed @ Ending::Failed(_))) => {
                self.broken = Some(failed);
                Ok(Poll::Ready(()))
            }
            Poll::Ready(result) => result.map(Poll::Ready),
            Poll::Pending if router.room.has_overrun(self.cursor) => Err(Ending::OVERRUN),
            Poll::Pending => Ok(Poll::Pending),
        }
    }

    fn poll_catch_up(&mut self, router: &Router, cx: &mut Context<'_>) -> Poll<Result<(), Ending>> {
        let room = &router.room;
        ready!(self.socket.get_mut().poll_drain(cx))?;
        while room.has_passed(self.origin, self.cursor) || room.is_closed() {
            match room.read(self.cursor, CATCH_UP_BYTES) {
                Ok(Some(pass)) => {
                    ready!(self.socket.get_mut().poll_pass(cx, &pass, self.origin, &mut self.cursor))?;
                }
                Ok(None) => break,
                Err(Overrun) => return Poll::Ready(Err(Ending::OVERRUN)),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Reads what the client says, as far as it may.
    fn receive(&mut self, router: &Router, cx: &mut Context<'_>) -> Result<Reading, Ending> {
        for _ in 0..MESSAGES_PER_TURN {
            if let Some(resume_at) = self.must_wait(router) {
                return Ok(Reading::Paused(Some(resume_at)));
            }
            if router.room.is_congested(cx.waker()) {
                return Ok(Reading::Paused(None));
            }
            match Pin::new(&mut self.socket).poll_next(cx) {
                Poll::Pending => return Ok(Reading::Done),
                Poll::Ready(None) => return Err(Ending::Lost),
                Poll::Ready(Some(message)) => self.handle(router, message?)?,
            }
        }
        cx.waker().wake_by_ref();
        Ok(Reading::Continued)
    }

    /// When the client may say more, if it has to wait.
    fn must_wait(&self, router: &Router) -> Option<Instant> {
        let rate = router.limits.messages?;
        self.messages.peek(rate, Instant::now()).err()
    }

    fn handle(&mut self, router: &Router, message: Message) -> Result<(), Ending> {
        self.has_grown |= message.len() > READ_BUFFER;
        match message {
            Message::Text(text) => match ClientPacket::decode(&text, router.limits.packet_bytes) {
                Ok(ClientPacket::Message(message)) => {
                    if let Some(rate) = router.limits.messages {
                        // There was a token before the message was read.
                        let _ = self.messages.take(rate, Instant::now());
                    }
                    router.room.publish(self.origin, &self.client_name, &message.content);
                    Ok(())
                }
                _ => self.note_bad_packet(router),
            },
            Message::Binary(_) => self.note_bad_packet(router),
            Message::Close(frame) => Err(Ending::ByPeer { code: frame.map(|frame| frame.code.into()) }),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => Ok(()),
        }
    }

    /// A packet that is dropped, as the original server does, but not without bounds.
    fn note_bad_packet(&mut self, router: &Router) -> Result<(), Ending> {
        let is_borne =
            router.limits.bad_packets.is_none_or(|rate| self.bad_packets.take(rate, Instant::now()).is_ok());
        if is_borne { Ok(()) } else { Err(Ending::close(CloseCode::Policy, "too many bad packets")) }
    }

    /// Looks at the clock. Returns when to look again.
    fn check_clock(
        &mut self,
        router: &Router,
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
        match self.liveness.check(router.pings, wire.alive_at(), can_ask, now) {
            Check::Nothing => {}
            Check::Gone => return Err(Ending::Silent),
            Check::Ping => {
                wire.outlet().push(frame::PING);
                if let Poll::Ready(Err(error)) = wire.poll_drain(cx) {
                    return Err(error.into());
                }
            }
        }
        let stalled_by = wire.outlet().stalled_since().map(|since| since + router.limits.write_stall);
        if stalled_by.is_some_and(|by| by <= now) {
            return Err(Ending::STALLED);
        }
        let message_by = wire.message_deadline();
        if message_by.is_some_and(|by| by <= now) {
            return Err(Violation::TooSlow.into());
        }
        let resume_at = if let Reading::Paused(at) = reading { *at } else { None };
        let liveness_by = self.liveness.deadline(router.pings);
        Ok([stalled_by, message_by, resume_at].into_iter().flatten().fold(liveness_by, Instant::min))
    }
}
