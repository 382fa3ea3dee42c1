//! The sessions of a room: what outlives a connection, so that its client can come back to it. Pure: the time
//! is an argument.

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeSet, HashMap},
    mem,
    sync::Arc,
    time::Duration,
};

use multichat::protocol::ClientName;
use tokio::time::Instant;

use super::{ConnectionId, entry::Origin, mailbox::Mailbox};

/// How long sessions are remembered that have no connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SessionBounds {
    /// After the connection's end.
    pub(crate) retention: Duration,
    /// The most of them; the one whose connection ended first goes first.
    pub(crate) detached: usize,
}

/// How many sessions there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SessionCounts {
    pub(crate) connected: usize,
    /// Without a connection, as far as they have not been forgotten.
    pub(crate) away: usize,
}

/// The sessions that can be resumed.
pub(super) struct Sessions {
    bounds: SessionBounds,
    by_origin: HashMap<Origin, Session>,
    /// By the name that only its client knows.
    by_name: HashMap<Arc<str>, Origin>,
    /// Those without a connection, by its end.
    detached: BTreeSet<(Instant, Origin)>,
}

struct Session {
    name: Arc<str>,
    client_name: ClientName,
    holder: Holder,
}

/// Whose a session is.
enum Holder {
    Connection(ConnectionId, Arc<Mailbox>),
    /// Nobody's, since then.
    Nobody(Instant),
}

/// The session that a connection has got.
pub(super) struct Attached {
    pub(super) name: Arc<str>,
    pub(super) origin: Origin,
    /// Whether it is the one that was asked for.
    pub(super) is_resumed: bool,
    /// The connection that has to go: the one that had it until now, or the one that asks for it, if that is the
    /// older of the two. A client may have given it up long ago, while its `register` was still on its way.
    pub(super) replaced: Option<Arc<Mailbox>>,
}

impl Holder {
    /// Whether a connection has it that was made after this one.
    fn is_newer_than(&self, connection: ConnectionId) -> bool {
        matches!(self, Self::Connection(holder, _) if *holder > connection)
    }
}

impl Sessions {
    pub(super) fn new(bounds: SessionBounds) -> Self {
        Self { bounds, by_origin: HashMap::new(), by_name: HashMap::new(), detached: BTreeSet::new() }
    }

    /// Remembers so many, and so long, from now on.
    pub(super) fn set_bounds(&mut self, bounds: SessionBounds) {
        self.bounds = bounds;
    }

    /// Gives `connection` the session that it asks for, if that is remembered, its client's, and not a newer
    /// connection's. If not, it gets a new one that is called `fresh`.
    pub(super) fn attach(
        &mut self,
        asked: Option<&str>,
        fresh: String,
        client_name: &ClientName,
        connection: ConnectionId,
        mailbox: &Arc<Mailbox>,
        now: Instant,
    ) -> Attached {
        self.forget(now);
        let holder = Holder::Connection(connection, mailbox.clone());
        let known = asked.and_then(|name| self.by_name.get(name)).copied();
        let known = known.and_then(|origin| Some((origin, self.by_origin.get_mut(&origin)?)));
        let replaced = match known.filter(|(_, session)| session.client_name == *client_name) {
            Some((origin, session)) if !session.holder.is_newer_than(connection) => {
                let replaced = match mem::replace(&mut session.holder, holder) {
                    Holder::Connection(_, replaced) => Some(replaced),
                    Holder::Nobody(since) => {
                        self.detached.remove(&(since, origin));
                        None
                    }
                };
                return Attached { name: session.name.clone(), origin, is_resumed: true, replaced };
            }
            Some(_) => Some(mailbox.clone()),
            None => None,
        };
        // Named after the connection, whose number comes only once.
        let origin = Origin(connection.0);
        let name = Arc::<str>::from(fresh);
        self.by_name.insert(name.clone(), origin);
        let session = Session { name: name.clone(), client_name: client_name.clone(), holder };
        self.by_origin.insert(origin, session);
        Attached { name, origin, is_resumed: false, replaced }
    }

    /// Notes that a connection has ended, unless the session is another's by now.
    pub(super) fn detach(&mut self, origin: Origin, connection: ConnectionId, now: Instant) {
        if let Some(session) = self.by_origin.get_mut(&origin)
            && matches!(session.holder, Holder::Connection(holder, _) if holder == connection)
        {
            session.holder = Holder::Nobody(now);
            self.detached.insert((now, origin));
        }
        self.forget(now);
    }

    /// The mailbox of the connection that has this session.
    pub(super) fn mailbox(&self, origin: Origin) -> Option<&Arc<Mailbox>> {
        match &self.by_origin.get(&origin)?.holder {
            Holder::Connection(_, mailbox) => Some(mailbox),
            Holder::Nobody(_) => None,
        }
    }

    /// How many have a connection, and how many are kept for a client that is away.
    pub(super) fn counts(&self) -> SessionCounts {
        let away = self.detached.len();
        SessionCounts { connected: self.by_origin.len() - away, away }
    }

    fn forget(&mut self, now: Instant) {
        while let Some((since, origin)) = self.detached.first().copied()
            && (self.detached.len() > self.bounds.detached || now >= since + self.bounds.retention)
        {
            self.detached.remove(&(since, origin));
            if let Some(session) = self.by_origin.remove(&origin) {
                self.by_name.remove(&session.name);
            }
        }
    }
}
