//! How a client is made.

use std::fmt;
use std::sync::Arc;

use crate::runtime::{self, MaybeSend, MaybeSync};
use crate::session::{ConnectError, OutboxLimits, Reconnect, Settings, State, Timeouts};
use crate::transport::{self, Tls};

use super::driver::Driver;
use super::events::Events;
use super::handle::{Client, Handle};
use super::key::KeySource;
use super::shared::Shared;

/// How many events are kept for a program that is busy, unless changed: more than a router's log holds.
const EVENT_CAPACITY: usize = 8192;

/// What a client is to be, before it is.
///
/// ```no_run
/// # async fn example() -> Result<(), multichat::ConnectError> {
/// use multichat::Client;
///
/// let builder = Client::builder("wss://chat.example.org/", "irc").key("correct horse").history(50);
/// let (client, mut events) = builder.connect().await?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use = "it does nothing before `connect` or `start`"]
pub struct Builder {
    settings: Result<Settings, ConnectError>,
    key: KeySource,
    tls: Tls,
    event_capacity: usize,
}

impl Builder {
    pub(super) fn new(url: &str, name: &str) -> Self {
        Self {
            settings: Settings::new(url, name),
            key: KeySource::Fixed(String::new()),
            tls: Tls::default(),
            event_capacity: EVENT_CAPACITY,
        }
    }

    fn set(mut self, set: impl FnOnce(&mut Settings)) -> Self {
        if let Ok(settings) = &mut self.settings {
            set(settings);
        }
        self
    }

    /// The key that the router's operator gave out for this client.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = KeySource::Fixed(key.into());
        self
    }

    /// A function that is asked for the key at each attempt; its time counts as part of
    /// [`Timeouts::connect`]. If it fails, the attempt has failed, and there will be another.
    pub fn key_from<F, O, E>(mut self, ask: F) -> Self
    where
        F: Fn() -> O + MaybeSend + MaybeSync + 'static,
        O: Future<Output = Result<String, E>> + MaybeSend + 'static,
        E: fmt::Display,
    {
        self.key = KeySource::asked(ask);
        self
    }

    /// The room, if the router has more than one: it takes the place of the URL's path.
    pub fn room(mut self, path: impl AsRef<str>) -> Self {
        if let Ok(settings) = &mut self.settings
            && let Err(error) = settings.url.set_path(path.as_ref())
        {
            self.settings = Err(error);
        }
        self
    }

    /// How many of the room's newest entries to be told of first. None unless changed.
    pub fn history(self, entries: u64) -> Self {
        self.set(|settings| settings.history = entries)
    }

    /// Whether to be told who is there. Not unless changed.
    pub fn presence(self, presence: bool) -> Self {
        self.set(|settings| settings.presence = presence)
    }

    /// When to connect again.
    pub fn reconnect(self, reconnect: Reconnect) -> Self {
        self.set(|settings| settings.reconnect = reconnect)
    }

    /// How long to wait for what.
    pub fn timeouts(self, timeouts: Timeouts) -> Self {
        self.set(|settings| settings.timeouts = timeouts)
    }

    /// How much may wait to be sent.
    pub fn outbox(self, limits: OutboxLimits) -> Self {
        self.set(|settings| settings.outbox = limits)
    }

    /// How many events are kept for a program that is busy; 8,192 unless changed. They are counted, not weighed: where
    /// strangers may send large messages, a program that takes its events late wants fewer; but not fewer than 1,000, as
    /// about so many small ones may come before even a program that is quick has its turn.
    pub const fn event_capacity(mut self, events: usize) -> Self {
        self.event_capacity = events;
        self
    }

    /// Trusts these root certificates, one or more in PEM, in place of the system's. A router's certificate that
    /// is signed by its owner is its own root.
    #[cfg(not(target_family = "wasm"))]
    pub fn tls_roots_pem(mut self, pem: &[u8]) -> Self {
        match Tls::from_pem(pem) {
            Ok(tls) => self.tls = tls,
            Err(error) => self.settings = self.settings.and(Err(error)),
        }
        self
    }

    /// Connects, and waits for the router's ack. From then on, the client connects again by itself.
    ///
    /// # Errors
    ///
    /// A [`ConnectError`] if something is wrong with what was set, or if the first attempt fails: `explain` says
    /// what to do.
    pub async fn connect(self) -> Result<(Client, Events), ConnectError> {
        let (client, events) = self.one_attempt().start()?;
        let mut states = client.states();
        while let Some(state) = states.next().await {
            match state {
                State::Online { .. } => break,
                State::Closed { cause, .. } => return Err(cause.unwrap_or(ConnectError::Lost)),
                _ => {}
            }
        }
        Ok((client, events))
    }

    /// Ends the client if its first attempt fails.
    pub(crate) fn one_attempt(self) -> Self {
        self.set(|settings| settings.one_attempt = true)
    }

    /// Makes a client that connects by itself, now and as often as it takes. What is sent before waits.
    ///
    /// # Errors
    ///
    /// A [`ConnectError`] if something is wrong with what was set, or, natively, if there is no tokio runtime.
    pub fn start(self) -> Result<(Client, Events), ConnectError> {
        let mut settings = self.settings?;
        if matches!(&self.key, KeySource::Fixed(key) if key.is_empty()) {
            return Err(ConnectError::InvalidKey { reason: "it is empty" });
        }
        settings.silence = transport::CAN_PING.then_some(settings.timeouts.silence);
        let url = settings.url.clone();
        let shared = Arc::new(Shared::new(settings, self.event_capacity));
        runtime::spawn(Driver::new(Arc::clone(&shared), url, self.key, self.tls))?;
        let handle = Arc::new(Handle { shared });
        Ok((Client::new(Arc::clone(&handle)), Events::new(handle)))
    }
}
