//! A registered connection: it follows its room, and publishes what its client says.

use std::{
    future::poll_fn,
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
    hall::Hall,
    pump::Pump,
    register::{Registration, ack},
    socket::Socket,
    stream::ByteStream,
};
use crate::room::{Mailbox, Membership, Newcomer, Pass, Reader, Room};

/// So many bytes an ack may say of other clients. It is the connection's own, and waits until the client reads it; the
/// rest is told when the socket takes it.
const CLIENTS_BYTES: usize = 64 * 1024;

/// A member of a room.
pub(crate) struct Member<S: ByteStream> {
    hall: Arc<Hall>,
    room: Arc<Room>,
    link: Arc<Link<S>>,
    membership: Membership,
    peer: Peer,
}

/// What a connection's own task and the room's fan-out share.
struct Link<S> {
    mailbox: Arc<Mailbox>,
    /// `None` once the connection ends.
    pump: Mutex<Option<Pump<S>>>,
}

impl<S: ByteStream> Member<S> {
    /// Takes the connection into the room. Its ack goes out before anything that it gets from the room, and nothing
    /// of that is missed.
    pub(super) fn join(hall: Arc<Hall>, peer: Peer, registration: Registration, socket: Socket<S>) -> Self {
        let Registration { client_name, admission, ask, session_name } = registration;
        let terms = hall.terms();
        let mailbox = Arc::new(Mailbox::new(terms.limits.outbox_bytes));
        let link = Arc::new(Link { mailbox: mailbox.clone(), pump: Mutex::new(None) });
        let membership = {
            // Locked until the pump knows its cursor: a pass leaves it alone so long.
            let mut pump = link.pump.lock();
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
            *pump = Some(joined);
            let client = membership.author.client_name.as_str();
            let protocol = membership.viewpoint.dialect.protocol();
            let room = hall.name();
            info!(connection = peer.id.0, address = %peer.address, %room, client, protocol, "registered");
            membership
        };
        let room = terms.room.clone();
        drop(terms);
        Self { hall, room, link, membership, peer }
    }

    /// Serves the connection to its end.
    pub(crate) async fn run(self) {
        let ending = {
            let mut timer = pin!(sleep_until(Instant::now()));
            poll_fn(|cx| self.poll(cx, timer.as_mut())).await
        };
        let Peer { id, address } = self.peer;
        let client = self.membership.author.client_name.as_str();
        if ending.close_code() == Some(CloseCode::SlowConsumer) {
            let cut_so_far = self.hall.count_slow_consumer();
            warn!(connection = id.0, %address, client, reason = %ending, cut_so_far, "disconnected");
        } else {
            info!(connection = id.0, %address, client, reason = %ending, "disconnected");
        }
        let pump = self.link.pump.lock().take();
        let limit = self.hall.terms().limits.close;
        // Out of the room, before the close handshake.
        drop(self);
        if let Some(pump) = pump {
            // Boxed, so that the task of an idle connection takes no memory for it.
            Box::pin(closing::close(pump.into_wire(), &ending, limit)).await;
        }
    }

    /// One turn of the connection. Ready when it has to end.
    fn poll(&self, cx: &mut Context<'_>, mut timer: Pin<&mut Sleep>) -> Poll<Ending> {
        // Before anything is looked at: who changes it afterwards wakes this task again.
        self.link.mailbox.task.register(cx.waker());
        let mut guard = self.link.pump.lock();
        let terms = self.hall.terms();
        loop {
            let Some(pump) = &mut *guard else { return Poll::Ready(Ending::ServerFailed) };
            if let Err(ending) = pump.prepare(&terms) {
                return Poll::Ready(ending);
            }
            if pump.can_be_renewed() {
                // Before anything is read that other bounds hold for now.
                *guard = guard.take().and_then(|pump| pump.renew(&terms));
                continue;
            }
            let deadline = match pump.turn(&terms, cx) {
                Ok(deadline) => deadline,
                Err(ending) => return Poll::Ready(ending),
            };
            if pump.can_be_renewed() {
                *guard = guard.take().and_then(|pump| pump.renew(&terms));
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
    }
}

impl<S: ByteStream> Reader for Link<S> {
    fn offer(&self, pass: &Pass) {
        // Locked means that the connection's own task is at work; it catches up by itself.
        let is_served = self.pump.try_lock().is_some_and(|mut guard| {
            let Some(pump) = &mut *guard else { return true };
            let mut cx = Context::from_waker(Waker::noop());
            // This runs in the fan-out's task, which must outlive whatever happens to one connection.
            panic::catch_unwind(AssertUnwindSafe(|| pump.offer(pass, &mut cx))).unwrap_or_else(|_| {
                *guard = None;
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
