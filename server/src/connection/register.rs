//! The first packet of a connection: who is there, and with which key.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::Stream;
use multichat::protocol::{
    AckLimits, ClientName, ClientPacket, CloseCode, DecodeError, Dialect, RegisterAck, RichAck, RichRegister,
    ServerPacket,
};
use tokio::{select, time::timeout};
use tokio_tungstenite::tungstenite::Message;
use tracing::info;

use super::{
    Peer, closing,
    ending::Ending,
    hall::Hall,
    member::Member,
    socket::{self, Socket},
    standing::Admission,
    stream::ByteStream,
    wire::Wire,
};
use crate::{
    config::{Grant, KeyDigest, Limits},
    frame,
    room::{Seq, Welcome},
    token,
};

/// So many random symbols name a session: 130 bits.
const SESSION_SYMBOLS: usize = 26;

/// What a good `register` says.
pub(super) struct Registration {
    pub(super) client_name: ClientName,
    pub(super) admission: Admission,
    /// What it asks for in the rich dialect; `None` in the plain one.
    pub(super) ask: Option<RichRegister>,
    /// What its session is called, should it get a new one.
    pub(super) session_name: String,
}

/// A WebSocket connection that has not registered.
pub(crate) struct Candidate<S> {
    hall: Arc<Hall>,
    peer: Peer,
    socket: Socket<S>,
}

impl<S: ByteStream> Candidate<S> {
    /// A stream that was just upgraded; `early` is what was read behind the request.
    pub(crate) fn new(hall: Arc<Hall>, peer: Peer, stream: S, early: Bytes) -> Option<Self> {
        let terms = hall.terms();
        let wire = Wire::new(stream, early, terms.meter_bounds.clone());
        let socket = socket::open(wire, &terms.limits)?;
        drop(terms);
        Some(Self { hall, peer, socket })
    }

    /// Reads the first packet. A good `register` makes a member of the room; for anything else, and if
    /// `interrupt` says that the connection must go, it is closed.
    pub(crate) async fn register(mut self, interrupt: impl Future<Output = Ending>) -> Option<Member<S>> {
        let outcome = select! {
            ending = interrupt => Err(ending),
            outcome = self.read_register() => outcome,
        };
        let Self { hall, peer, socket } = self;
        match outcome {
            Ok(registration) => Some(Member::join(hall, peer, registration, socket)),
            Err(ending) => {
                info!(connection = peer.id.0, address = %peer.address, reason = %ending, "refused");
                hall.refusals().count(ending.label());
                let wire = socket.into_inner();
                if let Ending::Close { code: CloseCode::Overloaded, .. } = ending {
                    closing::dismiss(wire, &ending);
                } else {
                    closing::close(wire, &ending, hall.terms().limits.close).await;
                }
                None
            }
        }
    }

    async fn read_register(&mut self) -> Result<Registration, Ending> {
        let deadline = Ending::close(CloseCode::RegisterTimeout, "no register in time");
        let limit = self.hall.terms().limits.register;
        let outcome = timeout(limit, self.read_packet()).await.unwrap_or(Err(deadline));
        if let Err(Ending::Close { code: CloseCode::BadRegister | CloseCode::Unauthorized, .. }) = outcome {
            let rate = self.hall.terms().limits.failed_registrations;
            self.hall.failures.hold_up(self.peer.address.block(), rate).await;
        }
        outcome
    }

    async fn read_packet(&mut self) -> Result<Registration, Ending> {
        let text = loop {
            match poll_fn(|cx| poll_message(&mut self.socket, cx)).await? {
                Message::Text(text) => break text,
                Message::Binary(_) => return Err(Ending::close(CloseCode::Binary, "a binary message")),
                Message::Close(frame) => {
                    return Err(Ending::ByPeer { code: frame.map(|frame| frame.code.into()) });
                }
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        };
        let terms = self.hall.terms();
        let limits = &terms.limits;
        let bad_register = |why| Ending::close(CloseCode::BadRegister, why);
        let register = match ClientPacket::decode(&text, Dialect::Plain, limits.first_packet_bytes) {
            Ok(ClientPacket::Register(register)) => register,
            Ok(_) | Err(DecodeError::UnknownAction) => {
                return Err(bad_register("the first packet is not a register"));
            }
            Err(_) => return Err(bad_register("a register with missing or wrong fields, or not JSON")),
        };
        let client_name = ClientName::parse(&register.client_name, limits.client_name_bytes)
            .map_err(|_| bad_register("a client name that is too long or has control characters"))?;
        if terms.are_over() {
            return Err(Ending::ABANDONED);
        }
        let key = KeyDigest::of(&register.secret_key);
        let Some(grant) = terms.admit(&client_name, key) else {
            return Err(Ending::close(CloseCode::Unauthorized, "wrong key"));
        };
        let admission = Admission { key, grant, revision: terms.revision };
        let session_name = match register.rich {
            Some(_) => token::random(SESSION_SYMBOLS).map_err(|_| Ending::ServerFailed)?,
            None => String::new(),
        };
        Ok(Registration { client_name, admission, ask: register.rich, session_name })
    }
}

/// The next message, with pongs sent meanwhile.
fn poll_message<S: ByteStream>(
    socket: &mut Socket<S>,
    cx: &mut Context<'_>,
) -> Poll<Result<Message, Ending>> {
    let message = Pin::new(&mut *socket).poll_next(cx);
    // Pending or not: whoever registers before it reads its pongs is not kept waiting.
    if let Poll::Ready(Err(error)) = socket.get_mut().poll_drain(cx) {
        return Poll::Ready(Err(error.into()));
    }
    message.map(|message| Ok(message.ok_or(Ending::Lost)??))
}

/// The answer to a good `register` of a client that gets what is after `cursor`.
pub(super) fn ack(limits: &Limits, grant: &Grant, welcome: Option<Welcome>, cursor: Seq) -> Bytes {
    let mut packet = RegisterAck::new();
    packet.rich = welcome.map(|welcome| {
        let mut bounds = AckLimits::new(limits.packet_bytes as u64);
        // The lower rate, and the lower burst: a client that keeps to these keeps to both.
        let rates = [limits.rates.messages, grant.rates.messages];
        bounds.messages_per_second = rates.iter().flatten().map(|rate| rate.count.into()).min();
        bounds.messages_burst = rates.iter().flatten().map(|rate| rate.burst.into()).min();
        let mut rich = RichAck::new(welcome.session, welcome.epoch, welcome.replay_end, cursor, bounds);
        rich.recovered = welcome.recovered;
        rich.clients = welcome.clients;
        rich
    });
    frame::text(&ServerPacket::RegisterAck(packet).encode())
}
