//! What the handles and the task have in common: the state machine, and who waits for it.

use std::fmt;
use std::ops::Deref;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::runtime;
use crate::session::{Event, Session, Settings};

use super::sent::Reply;

/// One client. Its `Debug`, and so that of the handles, leaves out what it knows: keys and sessions are secret.
pub(super) struct Shared {
    core: Mutex<Core>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Shared")
    }
}

/// What is behind the lock. Nothing of the program's runs under it.
pub(super) struct Core {
    pub(super) session: Session<Reply>,
    /// The task, when it waits.
    pub(super) driver: Option<Waker>,
    /// How many of the state machine's events have been seen to, and may be taken.
    events: usize,
    /// Whether the last event is among them, or was: there will be no other.
    has_ended: bool,
    event_capacity: usize,
    /// The events that were dropped since the last that was taken.
    lagged: u64,
    /// Whether someone takes events.
    has_reader: bool,
    reader: Option<Waker>,
    /// Who waits for another state, or for room in the outbox, by the number of its [`Watch`].
    watchers: Vec<(u64, Waker)>,
    watches: u64,
    /// How many packets had left the outbox at the last delivery.
    gone: u64,
    /// How many states there have been.
    pub(super) states: u64,
}

/// Who is to be woken, once the lock is free.
#[derive(Debug, Default)]
#[must_use]
pub(super) struct Wake {
    wakers: Vec<Waker>,
}

impl Wake {
    pub(super) fn now(self) {
        self.wakers.into_iter().for_each(Waker::wake);
    }
}

impl Shared {
    pub(super) fn new(settings: Settings, event_capacity: usize) -> Self {
        let session = Session::new(settings, runtime::seed(), runtime::now());
        let mut core = Core {
            session,
            driver: None,
            events: 0,
            has_ended: false,
            event_capacity: event_capacity.max(1),
            lagged: 0,
            has_reader: true,
            reader: None,
            watchers: Vec::new(),
            watches: 0,
            gone: 0,
            states: 0,
        };
        core.deliver().now();
        Self { core: Mutex::new(core) }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Core> {
        // A panic under the lock would be a bug of ours; the other handles go on as well as they can.
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with the state machine, and has the task see to what follows from it.
    pub(super) fn tell<T>(&self, act: impl FnOnce(&mut Core) -> T) -> T {
        let mut core = self.lock();
        let outcome = act(&mut core);
        let mut wake = core.deliver();
        wake.wakers.extend(core.driver.take());
        drop(core);
        wake.now();
        outcome
    }

    /// Waits until `ready` says so; it is asked again whenever the state or the outbox changes.
    pub(super) async fn wait_for(&self, ready: impl Fn(&Core) -> bool) {
        if ready(&self.lock()) {
            return;
        }
        let watch = Watch::new(self);
        std::future::poll_fn(|context| {
            let mut core = self.lock();
            if ready(&core) { Poll::Ready(()) } else { core.watch(watch.number, context) }
        })
        .await;
    }
}

/// Someone who waits for a change. Who waits no longer is not kept.
#[derive(Debug)]
pub(super) struct Watch<S: Deref<Target = Shared>> {
    shared: S,
    pub(super) number: u64,
}

impl<S: Deref<Target = Shared>> Watch<S> {
    pub(super) fn new(shared: S) -> Self {
        let mut core = shared.lock();
        core.watches += 1;
        let number = core.watches;
        drop(core);
        Self { shared, number }
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }
}

impl<S: Deref<Target = Shared>> Drop for Watch<S> {
    fn drop(&mut self) {
        self.shared.lock().unwatch(self.number);
    }
}

impl Core {
    /// Hands on what the state machine has to tell.
    pub(super) fn deliver(&mut self) -> Wake {
        let mut wake = Wake::default();
        while let Some((reply, outcome)) = self.session.pop_settled() {
            wake.wakers.extend(reply.put(outcome));
        }
        let states = self.states;
        let seen = self.events;
        while let Some(event) = self.session.event(self.events) {
            if let Event::State(state) = event {
                self.states += 1;
                self.has_ended |= state.is_closed();
            }
            self.events += 1;
        }
        if self.events > seen {
            wake.wakers.extend(self.reader.take());
        }
        if !self.has_reader {
            self.session.forget_events();
            self.events = 0;
        }
        while self.events > self.event_capacity {
            self.session.pop_event();
            self.events -= 1;
            self.lagged += 1;
        }
        let gone = self.session.gone();
        if self.states != states || self.gone != gone {
            self.gone = gone;
            wake.wakers.extend(self.watchers.drain(..).map(|(_, waker)| waker));
        }
        wake
    }

    /// Has the task that asks be woken at the next change.
    pub(super) fn watch<T>(&mut self, number: u64, context: &Context<'_>) -> Poll<T> {
        self.unwatch(number);
        self.watchers.push((number, context.waker().clone()));
        Poll::Pending
    }

    fn unwatch(&mut self, number: u64) {
        self.watchers.retain(|(other, _)| *other != number);
    }

    /// The next event; `None` after the last.
    ///
    /// The state machine may have ended before it is known here: then the last event is still to come.
    pub(super) fn poll_event(&mut self, context: &Context<'_>) -> Poll<Option<Event>> {
        if self.lagged > 0 {
            return Poll::Ready(Some(Event::Lagged { events: std::mem::take(&mut self.lagged) }));
        }
        if self.events > 0 {
            self.events -= 1;
            return Poll::Ready(self.session.pop_event());
        }
        if self.has_ended {
            return Poll::Ready(None);
        }
        self.reader = Some(context.waker().clone());
        Poll::Pending
    }

    /// Nobody takes events any more.
    pub(super) fn drop_reader(&mut self) {
        self.has_reader = false;
        self.reader = None;
    }
}

#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::session::State;

    fn shared(event_capacity: usize) -> Shared {
        Shared::new(Settings::new("ws://127.0.0.1:6780/", "irc").unwrap(), event_capacity)
    }

    fn poll(shared: &Shared) -> Poll<Option<Event>> {
        shared.lock().poll_event(&Context::from_waker(Waker::noop()))
    }

    /// Between the end of the state machine and the delivery of what it said last, the lock is free.
    #[test]
    fn events_do_not_end_before_the_last() {
        let shared = shared(9);
        assert!(matches!(poll(&shared), Poll::Ready(Some(Event::State(State::Connecting { .. })))));
        shared.lock().session.abandon();
        assert_eq!(poll(&shared), Poll::Pending);
        shared.lock().deliver().now();
        assert!(matches!(poll(&shared), Poll::Ready(Some(Event::State(State::Closed { .. })))));
        assert_eq!(poll(&shared), Poll::Ready(None));
    }

    #[test]
    fn no_more_events_are_kept_than_may_be() {
        let shared = shared(2);
        let hear = |text: &str| shared.tell(|core| core.session.received(text, Duration::ZERO));
        let said = r#"{"action":"forwarding-message","source-client-name":"qq","content":"x"}"#;
        shared.tell(|core| core.session.opened("key".to_owned(), Duration::ZERO));
        hear(r#"{"action":"register-ack"}"#);
        hear(said);
        hear(said);
        // Three states, and two messages.
        assert_eq!(poll(&shared), Poll::Ready(Some(Event::Lagged { events: 3 })));
        assert!(matches!(poll(&shared), Poll::Ready(Some(Event::Message(_)))));
        // One was taken: there is room for one.
        hear(said);
        hear(said);
        assert_eq!(poll(&shared), Poll::Ready(Some(Event::Lagged { events: 1 })));
        let left = std::iter::from_fn(|| matches!(poll(&shared), Poll::Ready(Some(_))).then_some(()));
        assert_eq!(left.count(), 2);
    }
}
