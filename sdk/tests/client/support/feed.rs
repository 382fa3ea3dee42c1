//! What a client tells its program, as a test expects it.

use std::time::Duration;

use multichat::{
    ConnectError, Event, Events, GapCause, Received, Side, State,
    protocol::{Dialect, ForwardingMessage},
};

use super::soon;

/// A client's events.
#[derive(Debug)]
pub(crate) struct Feed {
    pub(crate) events: Events,
}

impl Feed {
    pub(crate) const fn new(events: Events) -> Self {
        Self { events }
    }

    /// The next event, if there will be one.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        soon("an event", self.events.next()).await
    }

    /// The next state.
    pub(crate) async fn state(&mut self) -> State {
        match self.next().await {
            Some(Event::State(state)) => state,
            other => panic!("{other:?} instead of a state"),
        }
    }

    /// The next state that is not one of the way to a registration.
    async fn settled_state(&mut self) -> State {
        loop {
            match self.state().await {
                State::Connecting { .. } | State::Registering { .. } => {}
                state => return state,
            }
        }
    }

    /// The next registration: its dialect, and whether the last session goes on. Failures before it do not matter.
    pub(crate) async fn online(&mut self) -> (Dialect, bool) {
        loop {
            match self.settled_state().await {
                State::Online { dialect, recovered, .. } => return (dialect, recovered),
                State::Waiting { .. } => {}
                state => panic!("{state:?} instead of a registration"),
            }
        }
    }

    /// The next failure.
    pub(crate) async fn waiting(&mut self) -> (u32, Duration, ConnectError) {
        match self.settled_state().await {
            State::Waiting { attempt, retry_in, cause } => (attempt, retry_in, cause),
            state => panic!("{state:?} instead of a failure"),
        }
    }

    /// Why the connection, or the attempt, failed.
    pub(crate) async fn cause(&mut self) -> ConnectError {
        self.waiting().await.2
    }

    /// The end of the client, and nothing behind it.
    pub(crate) async fn closed(&mut self) -> (Side, Option<ConnectError>) {
        match self.settled_state().await {
            State::Closed { by, cause } => {
                assert_eq!(self.next().await, None, "nothing comes after the end");
                assert_eq!(self.next().await, None, "nor later");
                (by, cause)
            }
            state => panic!("{state:?} instead of the end"),
        }
    }

    /// The next event that is no state.
    pub(crate) async fn news(&mut self) -> Event {
        loop {
            match self.next().await.expect("the client has not ended") {
                Event::State(_) => {}
                event => return event,
            }
        }
    }

    /// The next message.
    pub(crate) async fn message(&mut self) -> Received<ForwardingMessage> {
        match self.news().await {
            Event::Message(message) => message,
            other => panic!("{other:?} instead of a message"),
        }
    }

    /// The next message, which says this.
    pub(crate) async fn hears(&mut self, content: &str) {
        assert_eq!(self.message().await.content, content);
    }

    /// The next gap: why, and how much is missing.
    pub(crate) async fn gap(&mut self) -> (GapCause, Option<u64>) {
        match self.news().await {
            Event::Gap(gap) => (gap.cause, gap.missed),
            other => panic!("{other:?} instead of a gap"),
        }
    }

    /// All that comes up to the end.
    pub(crate) async fn rest(&mut self) -> Vec<Event> {
        let mut rest = Vec::new();
        while let Some(event) = self.next().await {
            rest.push(event);
        }
        rest
    }
}
