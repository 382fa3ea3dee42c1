//! A registered connection: it follows its room, and publishes what its client says.

use std::{
    future::poll_fn,
    panic::{self, AssertUnwindSafe},
    pin::{Pin, pin},
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll, Waker},
};

use futures_util::task::AtomicWaker;
use multichat::protocol::{ClientName, CloseCode};
use parking_lot::Mutex;
use tokio::time::{Instant, Sleep, sleep_until};
use tracing::{info, warn};

use super::{
    Peer, Router, closing, ending::Ending, register::ack, session::Session, socket::Socket,
    stream::ByteStream,
};
use crate::room::{Pass, Reader};

/// A member of a room.
pub(crate) struct Member<S: ByteStream> {
    router: Arc<Router>,
    link: Arc<Link<S>>,
    client_name: ClientName,
    peer: Peer,
}

/// What a connection's own task and the room's fan-out share.
struct Link<S> {
    /// The connection's task.
    task: AtomicWaker,
    /// `None` once the connection ends.
    session: Mutex<Option<Session<S>>>,
}

impl<S: ByteStream> Member<S> {
    /// Takes the connection into the room. Its ack goes out before anything that enters the room from now
    /// on, and nothing of that is missed.
    pub(super) fn join(
        router: Arc<Router>,
        peer: Peer,
        client_name: ClientName,
        mut socket: Socket<S>,
    ) -> Self {
        info!(connection = peer.id.0, address = %peer.address, client = client_name.as_str(), "registered");
        socket.get_mut().outlet().push(ack());
        let link = Arc::new(Link { task: AtomicWaker::new(), session: Mutex::new(None) });
        {
            // Locked until the session knows its cursor: a pass leaves it alone so long.
            let mut session = link.session.lock();
            let cursor = router.room.join(peer.id, link.clone());
            *session = Some(Session::new(&router, peer.id, client_name.clone(), socket, cursor));
        }
        Self { router, link, client_name, peer }
    }

    /// Serves the connection to its end.
    pub(crate) async fn run(self) {
        let ending = {
            let mut timer = pin!(sleep_until(Instant::now()));
            poll_fn(|cx| self.poll(cx, timer.as_mut())).await
        };
        let Peer { id, address } = self.peer;
        let client = self.client_name.as_str();
        if ending.close_code() == Some(CloseCode::SlowConsumer) {
            let cut_so_far = self.router.slow_consumers.fetch_add(1, Ordering::Relaxed) + 1;
            warn!(connection = id.0, %address, client, reason = %ending, cut_so_far, "disconnected");
        } else {
            info!(connection = id.0, %address, client, reason = %ending, "disconnected");
        }
        let session = self.link.session.lock().take();
        let limit = self.router.limits.close;
        // Out of the room, before the close handshake.
        drop(self);
        if let Some(session) = session {
            // Boxed, so that the task of an idle connection takes no memory for it.
            Box::pin(closing::close(session.into_wire(), &ending, limit)).await;
        }
    }

    /// One turn of the connection. Ready when it has to end.
    fn poll(&self, cx: &mut Context<'_>, mut timer: Pin<&mut Sleep>) -> Poll<Ending> {
        // Before anything is looked at: who changes it afterwards wakes this task again.
        self.link.task.register(cx.waker());
        let mut guard = self.link.session.lock();
        loop {
            let Some(session) = &mut *guard else { return Poll::Ready(Ending::Panicked) };
            let deadline = match session.turn(&self.router, cx) {
                Ok(deadline) => deadline,
                Err(ending) => return Poll::Ready(ending),
            };
            if session.is_slack() {
                *guard = guard.take().and_then(|session| session.trim(&self.router.limits));
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
        self.router.room.leave(self.peer.id);
    }
}

impl<S: ByteStream> Reader for Link<S> {
    fn offer(&self, pass: &Pass) {
        // Locked means that the connection's own task is at work; it catches up by itself.
        let is_served = self.session.try_lock().is_some_and(|mut guard| {
            let Some(session) = &mut *guard else { return true };
            let mut cx = Context::from_waker(Waker::noop());
            // This runs in the fan-out's task, which must outlive whatever happens to one connection.
            panic::catch_unwind(AssertUnwindSafe(|| session.offer(pass, &mut cx))).unwrap_or_else(|_| {
                *guard = None;
                false
            })
        });
        if !is_served {
            self.wake();
        }
    }

    fn wake(&self) {
        self.task.wake();
    }
}
