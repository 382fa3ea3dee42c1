//! What a client is told, as streams.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;

use crate::session::{Event, State};

use super::handle::Handle;
use super::shared::{Core, Shared, Watch};

/// Everything that a client is told, in order. It ends after [`State::Closed`].
///
/// Take events as they come. As many as the [builder](super::Builder::event_capacity) says are kept for a program
/// that is busy; then the oldest are dropped, and [`Event::Lagged`] says how many. Dropping this drops the events,
/// not the client.
#[derive(Debug)]
pub struct Events {
    handle: Arc<Handle>,
}

impl Events {
    pub(super) const fn new(handle: Arc<Handle>) -> Self {
        Self { handle }
    }

    /// The next event; `None` when there will be none.
    ///
    /// Cancel-safe: if this future is dropped before it resolves, no event is lost.
    pub async fn next(&mut self) -> Option<Event> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl Stream for Events {
    type Item = Event;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Event>> {
        self.handle.shared.lock().poll_event(context)
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.handle.shared.tell(Core::drop_reader);
    }
}

/// The states of a client, the latest only: first the present one, then each time another. It ends after
/// [`State::Closed`], and does not keep the client alive.
#[derive(Debug)]
pub struct States {
    watch: Watch<Arc<Shared>>,
    /// How many there had been when the last one was taken; `None`: none was.
    seen: Option<u64>,
    has_ended: bool,
}

impl States {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { watch: Watch::new(shared), seen: None, has_ended: false }
    }

    /// The state, if it is another than the last one taken, or else the next; `None` after the last. Cancel-safe.
    pub async fn next(&mut self) -> Option<State> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl Stream for States {
    type Item = State;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<State>> {
        if self.has_ended {
            return Poll::Ready(None);
        }
        let Self { watch, seen, has_ended } = &mut *self;
        let mut core = watch.shared().lock();
        if *seen == Some(core.states) {
            return core.watch(watch.number, context);
        }
        *seen = Some(core.states);
        let state = core.session.state().clone();
        *has_ended = state.is_closed();
        Poll::Ready(Some(state))
    }
}
