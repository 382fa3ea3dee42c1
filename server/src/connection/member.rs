//! A registered connection: it follows its room, and publishes what its client says.

use std::{
    future::poll_fn,
    mem,
    panic::{self, AssertUnwindSafe},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, Waker},
};

use multichat::protocol::CloseCode;
use parking_lot::Mutex;
use tokio::time::{Instant, Sleep, sleep_until};
use tracing::{info, warn};

use super::{
    Peer, closing,
    ending::Ending,
    guests::{Guest, Portrait},
    hall::{Hall, Terms},
    pump::Pump,
    register::{Registration, ack},
    socket::Socket,
    stream::ByteStream,
    traffic::Traffic,
};
use crate::room::{Cut, Mailbox, Membership, Newcomer, Pass, Reader, Room};

/// So many bytes an ack may say of other clients. It is the connection's own, and waits until the client reads it; the
/// rest is told when the socket takes it.
const CLIENTS_BYTES: usize = 64 * 1024;

/// A member of a room.
pub(crate) struct Member<S: ByteStream> {
    hall: Arc<Hall>,
    room: Arc<Room>,
    link: Arc<Link<S>>,
    membership: Membership,
}

/// What a connection's own task and the room's fan-out share.
struct Link<S> {
    peer: Peer,
    mailbox: Arc<Mailbox>,
    stage: Mutex<Stage<S>>,
}

/// How far a connection is.
#[expect(clippy::large_enum_variant, reason = "it is live nearly all of its time")]
enum Stage<S> {
    Live(Pump<S>),
    /// It ends. So much went over it.
    Over(Traffic),
}

impl<S: ByteStream> Stage<S> {
    fn pump(&mut self) -> Option<&mut Pump<S>> {
        match self {
            Self::Live(pump) => Some(pump),
            Self::Over(_) => None,
        }
    }

    fn traffic(&self) -> Traffic {
        match self {
            Self::Live(pump) => pump.traffic(),
            Self::Over(traffic) => *traffic,
        }
    }

    /// Makes the library's state anew.
    fn renew(&mut self, terms: &Terms) {
        if let Some(renewed) = self.end().and_then(|pump| pump.renew(terms)) {
            *self = Self::Live(renewed);
        }
    }

    /// Ends it.
    fn end(&mut self) -> Option<Pump<S>> {
        match mem::replace(self, Self::Over(self.traffic())) {
            Self::Live(pump) => Some(pump),
            Self::Over(_) => None,
        }
    }
}

impl<S: ByteStream> Member<S> {
    /// Takes the connection into the room. Its ack goes out before anything that it gets from the room, and nothing
    /// of that is missed.
    pub(super) fn join(hall: Arc<Hall>, peer: Peer, registration: Registration, socket: Socket<S>) -> Self {
        let Registration { client_name, admission, ask, session_name } = registration;
        let terms = hall.terms();
        let mailbox = Arc::new(Mailbox::new(terms.limits.outbox_bytes));
        let link = Arc::new(Link {
            peer,
            mailbox: mailbox.clone(),
            stage: Mutex::new(Stage::Over(Traffic::default())),
        });
        let membership = {
            // Locked until the pump knows its cursor: a pass leaves it alone so long.
            let mut stage = link.stage.lock();
            let newcomer = Newcomer {
                connection: peer.id,
                client_name,
                reader: link.clone(),
                mailbox: mailbox.clone(),
                hears: admission.grant.rights.read,
                ask,
                session_name,
                max_clients_bytes: CLIENTS_BYTES.min(terms.limits.packet_bytes / 2),
            };
            let (membership, cursor, welcome) = terms.room.join(newcomer, Instant::now());
            let grant = admission.grant;
            let mut joined = Pump::new(&terms, admission, membership.clone(), mailbox, socket, cursor);
            // Who came too late for its session gets no ack: its client has another connection by now.
            if joined.mailbox.must_go().is_none() {
                joined.welcome(ack(&terms.limits, &grant, welcome, cursor));
            }
            *stage = Stage::Live(joined);
            let client = membership.author.client_name.as_str();
            let protocol = membership.viewpoint.dialect.protocol();
            let room = hall.name();
            info!(connection = peer.id.0, address = %peer.address, %room, client, protocol, "registered");
            membership
        };
        let room = terms.room.clone();
        drop(terms);
        hall.enter(peer.id, link.clone());
        Self { hall, room, link, membership }
    }

    /// Serves the connection to its end.
    pub(crate) async fn run(self) {
        let ending = {
            let mut timer = pin!(sleep_until(Instant::now()));
            poll_fn(|cx| self.poll(cx, timer.as_mut())).await
        };
        let Peer { id, address } = self.link.peer;
        let client = self.membership.author.client_name.as_str();
        let cut_so_far = self.hall.endings().count(ending.label());
        if ending.close_code() == Some(CloseCode::SlowConsumer) {
            warn!(connection = id.0, %address, client, reason = %ending, cut_so_far, "disconnected");
        } else {
            info!(connection = id.0, %address, client, reason = %ending, "disconnected");
        }
        let limit = self.hall.terms().limits.close;
        // Boxed before anything is awaited, so that the task of an idle connection takes no memory for it.
        let pump = self.link.stage.lock().end();
        let closing = pump.map(|pump| Box::pin(closing::close(pump.into_wire(), &ending, limit)));
        // Out of the room, before the close handshake.
        drop(self);
        if let Some(closing) = closing {
            closing.await;
        }
    }

    /// One turn of the connection. Ready when it has to end.
    fn poll(&self, cx: &mut Context<'_>, mut timer: Pin<&mut Sleep>) -> Poll<Ending> {
        // Before anything is looked at: who changes it afterwards wakes this task again.
        self.link.mailbox.task.register(cx.waker());
        let mut stage = self.link.stage.lock();
        let terms = self.hall.terms();
        loop {
            let Some(pump) = stage.pump() else { return Poll::Ready(Ending::ServerFailed) };
            if let Err(ending) = pump.prepare(&terms) {
                return Poll::Ready(ending);
            }
            if pump.can_be_renewed() {
                // Before anything is read that other bounds hold for now.
                stage.renew(&terms);
                continue;
            }
            let deadline = match pump.turn(&terms, cx) {
                Ok(deadline) => deadline,
                Err(ending) => return Poll::Ready(ending),
            };
            if pump.can_be_renewed() {
                stage.renew(&terms);
            }
            // A deadline that moves away costs nothing: the timer goes off early, and is set anew.
            if deadline < timer.deadline() || timer.is_elapsed() {
                timer.as_mut().reset(deadline);
            }
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }
}

impl<S: ByteStream> Drop for Member<S> {
    /// However the connection ends, a panic included, the room is left.
    fn drop(&mut self) {
        self.room.leave(&self.membership, Instant::now());
        self.hall.leave(self.link.peer.id, self.link.traffic());
    }
}

impl<S: ByteStream> Guest for Link<S> {
    fn portrait(&self) -> Option<Portrait> {
        self.stage.lock().pump().map(|pump| pump.portrait(self.peer))
    }

    fn traffic(&self) -> Traffic {
        self.stage.lock().traffic()
    }

    fn kick(&self) {
        self.mailbox.cut(Cut::Kicked);
    }
}

impl<S: ByteStream> Reader for Link<S> {
    fn offer(&self, pass: &Pass) {
        // Locked means that the connection's own task is at work; it catches up by itself.
        let is_served = self.stage.try_lock().is_some_and(|mut stage| {
            let Some(pump) = stage.pump() else { return true };
            let mut cx = Context::from_waker(Waker::noop());
            // This runs in the fan-out's task, which must outlive whatever happens to one connection.
            panic::catch_unwind(AssertUnwindSafe(|| pump.offer(pass, &mut cx))).unwrap_or_else(|_| {
                stage.end();
                false
            })
        });
        if !is_served {
            self.wake();
        }
    }

    fn wake(&self) {
        self.mailbox.task.wake();
    }
}
