//! The members of a hall, for who watches it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use multichat::protocol::{ClientName, Dialect};
use parking_lot::Mutex;
use tokio::time::Instant;

use super::{Peer, traffic::Traffic};
use crate::{
    config::Rights,
    room::{ConnectionId, Seq},
};

/// What an operator may know of a connection.
#[derive(Clone, Debug)]
pub(crate) struct Portrait {
    pub(crate) peer: Peer,
    pub(crate) client_name: ClientName,
    pub(crate) dialect: Dialect,
    pub(crate) rights: Rights,
    /// When it registered, in milliseconds since the Unix epoch.
    pub(crate) since: u64,
    /// Its last sign of life.
    pub(crate) alive_at: Instant,
    /// From the last ping that was answered to its pong.
    pub(crate) round_trip: Option<Duration>,
    /// The last entry of the log that was sent, or begun.
    pub(crate) cursor: Seq,
    pub(crate) traffic: Traffic,
}

/// A registered connection, as who watches its hall sees it.
pub(super) trait Guest: Send + Sync {
    /// What may be known of it; `None` once it ends.
    fn portrait(&self) -> Option<Portrait>;

    /// What went over it so far. Once it ends, that stays.
    fn traffic(&self) -> Traffic;

    /// Tells it to go.
    fn kick(&self);
}

/// Who is there, and what went over the connections of those who are gone.
#[derive(Default)]
pub(super) struct Guests(Mutex<State>);

#[derive(Default)]
struct State {
    /// The oldest first.
    here: BTreeMap<ConnectionId, Arc<dyn Guest>>,
    gone: Traffic,
}

impl Guests {
    pub(super) fn enter(&self, connection: ConnectionId, guest: Arc<dyn Guest>) {
        self.0.lock().here.insert(connection, guest);
    }

    pub(super) fn leave(&self, connection: ConnectionId, traffic: Traffic) {
        let mut state = self.0.lock();
        state.here.remove(&connection);
        state.gone += traffic;
    }

    pub(super) fn find(&self, connection: ConnectionId) -> Option<Arc<dyn Guest>> {
        self.0.lock().here.get(&connection).cloned()
    }

    /// All of them, so that none of them is looked at while others wait to come and go.
    pub(super) fn all(&self) -> Vec<Arc<dyn Guest>> {
        self.0.lock().here.values().cloned().collect()
    }

    /// What went over all connections there ever were.
    pub(super) fn traffic(&self) -> Traffic {
        let (here, mut traffic) = {
            let state = self.0.lock();
            (state.here.values().cloned().collect::<Vec<_>>(), state.gone)
        };
        // Who leaves meanwhile still says how much that was, so that the sum never falls.
        for guest in here {
            traffic += guest.traffic();
        }
        traffic
    }
}

impl std::fmt::Debug for Guests {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.lock().here.keys()).finish()
    }
}
