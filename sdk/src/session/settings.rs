//! What a client is told when it is made.

use std::time::Duration;

use crate::protocol::{ClientName, limits};

use super::error::ConnectError;
use super::url::Url;

/// When to connect again, and for how long to go on.
///
/// The waits are drawn at random from nothing up to a bound that doubles with each failure, so that the
/// clients of a restarted router do not all come back at the same moment ("full jitter"). The bound begins
/// anew when a connection has lasted for 10 seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reconnect {
    /// The bound of the first wait. 500 ms unless changed.
    pub first: Duration,
    /// What the bound grows to. 30 s unless changed.
    pub longest: Duration,
    /// How many attempts in a row to make after a first one that failed, or after a connection that broke, before
    /// the client gives up; `None`, as it is unless changed: any number. `Some(0)`: the client ends with its first
    /// connection.
    pub attempts: Option<u32>,
}

/// How long to wait for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For the key and the open WebSocket, in all. 10 s unless changed.
    pub connect: Duration,
    /// For the ack of the registration, from the open WebSocket on. 10 s unless changed.
    pub register: Duration,
    /// For the ack of what was sent; then the connection counts as dead, and the session is resumed on
    /// another. 30 s unless changed.
    pub ack: Duration,
    /// For any sign of life, natively; the router is asked for one at half time. 60 s unless changed. (A page
    /// can neither ask for one nor see one.)
    pub silence: Duration,
    /// For the answer to our closing the connection. 5 s unless changed.
    pub close: Duration,
}

/// How much may wait to be sent and acknowledged, and what happens beyond it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutboxLimits {
    /// The most packets. 1,024 unless changed.
    pub messages: usize,
    /// The most bytes of text in them. 8 MiB unless changed. A single packet may be larger.
    pub bytes: usize,
    /// What gives way when it is full.
    pub when_full: WhenFull,
}

/// What gives way when the outbox is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenFull {
    /// The new packet is refused.
    #[default]
    Refuse,
    /// The oldest packets that were not sent yet are given up, if there are any. What may be on its way is
    /// kept.
    DropOldest,
}

impl Default for Reconnect {
    fn default() -> Self {
        Self { first: Duration::from_millis(500), longest: Duration::from_secs(30), attempts: None }
    }
}

impl Reconnect {
    /// The client ends with its first connection.
    pub fn never() -> Self {
        Self { attempts: Some(0), ..Self::default() }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            register: Duration::from_secs(10),
            ack: Duration::from_secs(30),
            silence: Duration::from_mins(1),
            close: Duration::from_secs(5),
        }
    }
}

impl Default for OutboxLimits {
    fn default() -> Self {
        Self { messages: 1024, bytes: 8 * 1024 * 1024, when_full: WhenFull::default() }
    }
}

/// All that the state machine has to know.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) url: Url,
    pub(crate) name: ClientName,
    pub(crate) history: u64,
    pub(crate) presence: bool,
    pub(crate) reconnect: Reconnect,
    pub(crate) timeouts: Timeouts,
    /// [`Timeouts::silence`], where one can ask for a sign of life.
    pub(crate) silence: Option<Duration>,
    pub(crate) outbox: OutboxLimits,
    /// Whether to give up when the first attempt fails.
    pub(crate) one_attempt: bool,
}

impl Settings {
    /// A client of this name, which may be as long as a first packet is: how long a router lets it be is its
    /// own setting.
    pub(crate) fn new(url: &str, name: &str) -> Result<Self, ConnectError> {
        Ok(Self {
            url: Url::parse(url)?,
            name: ClientName::parse(name, limits::FIRST_PACKET_BYTES)?,
            history: 0,
            presence: false,
            reconnect: Reconnect::default(),
            timeouts: Timeouts::default(),
            silence: None,
            outbox: OutboxLimits::default(),
            one_attempt: false,
        })
    }
}
