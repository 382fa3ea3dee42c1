//! What a client learns.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use crate::protocol::{
    ClientRow, Dialect, ForwardingDelete, ForwardingEdit, ForwardingMessage, ForwardingReceipt, Presence,
    Refusal,
};

use super::error::ConnectError;

/// Something that a client is told, in the order in which it came.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The connection is in another state.
    State(State),
    /// Another client said something.
    Message(Received<ForwardingMessage>),
    /// A message has another text now.
    Edit(Received<ForwardingEdit>),
    /// A message was taken back.
    Delete(Received<ForwardingDelete>),
    /// What became of a message of this client on another platform.
    Receipt(ForwardingReceipt),
    /// The other clients, in place of all that was known of them; the rest of a long list follows as
    /// [`Presence`](Self::Presence). Only if presence was asked for.
    Roster(Vec<ClientRow>),
    /// How another client is now. Only if presence was asked for.
    Presence(Presence),
    /// The server refused something that has no [`Sent`](crate::Sent): a receipt or a status.
    Refused(Refusal),
    /// Messages may be missing here. It is never silent.
    Gap(Gap),
    /// The program did not take its events in time, and the oldest were dropped.
    Lagged {
        /// How many.
        events: u64,
    },
}

/// An entry of the room's log, with how it came here.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Received<T> {
    /// The entry itself; a `Received` also derefs to it.
    pub entry: T,
    /// Whether it is older than the present registration: history, or what was missed while the connection
    /// was down.
    pub replay: bool,
    /// Whether this client said it itself, in an earlier session: it comes back as history only. A bridge
    /// leaves it out, a chat page shows it.
    pub own: bool,
}

impl<T> Deref for Received<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.entry
    }
}

/// Messages may be missing between what came before and what comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Gap {
    /// Why.
    pub cause: GapCause,
    /// How many entries of the log are missing, own ones included, if that is known.
    pub missed: Option<u64>,
}

/// Why messages may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GapCause {
    /// The router no longer knew the session, or its log no longer held all that was missed.
    Forgotten,
    /// The room's log has begun anew: the router was restarted, say. **Every `seq` that was kept means
    /// nothing any more, or another message.**
    NewLog,
    /// The server speaks the plain dialect, which has no way to catch up.
    Plain,
}

impl GapCause {
    /// A word for programs: it stays the same over all versions and on all platforms.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Forgotten => "forgotten",
            Self::NewLog => "new-log",
            Self::Plain => "plain",
        }
    }
}

/// Where a client stands with its router.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// It asks for the key and opens a connection.
    Connecting {
        /// The number of attempts in a row, this one included; that of a connection that lasted is the first.
        attempt: u32,
    },
    /// The connection is open, and the router has been told who this is.
    Registering {
        /// As above.
        attempt: u32,
    },
    /// It is registered: it is told everything from here on.
    Online {
        /// What the server speaks.
        dialect: Dialect,
        /// Whether it goes on where the last connection broke off, with nothing missing.
        recovered: bool,
        /// The name of the room's log, within which a `seq` has a meaning; `None` in the plain dialect.
        epoch: Option<Arc<str>>,
    },
    /// The connection failed, and it waits before the next attempt.
    Waiting {
        /// How often in a row it has failed; the end of a connection that lasted is the first time.
        attempt: u32,
        /// How long it will wait, from the moment of this state on.
        retry_in: Duration,
        /// What happened.
        cause: ConnectError,
    },
    /// It takes nothing new, and ends when all has been sent.
    Draining,
    /// It has ended.
    Closed {
        /// Who ended it.
        by: Side,
        /// Why, if it was not asked to.
        cause: Option<ConnectError>,
    },
}

impl State {
    /// A word for programs: it stays the same over all versions and on all platforms.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Connecting { .. } => "connecting",
            Self::Registering { .. } => "registering",
            Self::Online { .. } => "online",
            Self::Waiting { .. } => "waiting",
            Self::Draining => "draining",
            Self::Closed { .. } => "closed",
        }
    }

    /// Whether the client has ended.
    pub const fn is_closed(&self) -> bool {
        matches!(self, Self::Closed { .. })
    }
}

/// One of the two ends of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Side {
    /// This client: it was closed or dropped, could not connect, or gave up.
    Client,
    /// The server: it does not want this client any more.
    Server,
}
