//! A room, and on which terms one comes in and stays.

use std::{collections::HashSet, sync::Arc};

use arc_swap::{ArcSwap, Guard};
use multichat::protocol::ClientName;

use super::{
    ending::Ending,
    failures::Failures,
    guests::{Guest, Guests, Portrait},
    liveness::Pings,
    meter::MeterBounds,
    throttles::Throttles,
    traffic::Traffic,
};
use crate::{
    config::{self, Grant, KeyDigest, Keys, Limits, Rights, RoomName},
    room::{ConnectionId, LogBounds, Room, RoomBounds, SessionBounds},
    tally::Tally,
};

/// A room, and on which terms one comes in and stays.
#[derive(Debug)]
pub(crate) struct Hall {
    name: RoomName,
    terms: ArcSwap<Terms>,
    /// Of all halls.
    pub(super) failures: Arc<Failures>,
    guests: Guests,
    /// How often connections ended, by reason.
    endings: Tally,
    /// How many were not let in, by reason.
    refusals: Tally,
}

/// What holds in a hall, until it is exchanged as a whole.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) room: Arc<Room>,
    pub(crate) limits: Limits,
    /// `None` once the hall is closed for good.
    keys: Option<Keys>,
    /// Who may not say anything for the time being.
    muted: HashSet<ClientName>,
    /// How often the terms have changed. Connections look again on which they are when it has.
    pub(super) revision: u64,
    pub(super) meter_bounds: Arc<MeterBounds>,
    pub(super) pings: Pings,
    pub(super) throttles: Arc<Throttles>,
}

impl Hall {
    /// A hall whose room's log is named `epoch`, and served by so many `shards`.
    pub(crate) fn new(config: &config::Room, epoch: String, shards: usize, failures: Arc<Failures>) -> Self {
        let room = Arc::new(Room::new(room_bounds(&config.limits), epoch, shards));
        let terms = Terms {
            room,
            limits: config.limits.clone(),
            keys: Some(config.keys.clone()),
            muted: HashSet::new(),
            revision: 0,
            meter_bounds: Arc::new(MeterBounds::new(&config.limits)),
            pings: Pings::new(&config.limits),
            throttles: Arc::default(),
        };
        Self {
            name: config.name.clone(),
            terms: ArcSwap::from_pointee(terms),
            failures,
            guests: Guests::default(),
            endings: Tally::of(Ending::labels(true)),
            refusals: Tally::of(Ending::labels(false)),
        }
    }

    /// What it is called.
    pub(crate) fn name(&self) -> &RoomName {
        &self.name
    }

    /// What holds now.
    pub(crate) fn terms(&self) -> Guard<Arc<Terms>> {
        self.terms.load()
    }

    /// The room.
    pub(crate) fn room(&self) -> Arc<Room> {
        self.terms().room.clone()
    }

    /// Lets other keys and limits hold. Who has come in with a key that is no longer good has to go.
    pub(crate) fn change(&self, config: &config::Room) {
        self.update(|terms| {
            terms.limits = config.limits.clone();
            terms.keys = Some(config.keys.clone());
            terms.meter_bounds = Arc::new(MeterBounds::new(&config.limits));
            terms.pings = Pings::new(&config.limits);
        });
        self.terms().room.set_bounds(room_bounds(&config.limits));
    }

    /// Forbids clients of this name to say anything, or allows it again.
    pub(crate) fn set_muted(&self, client_name: &ClientName, is_muted: bool) {
        self.update(|terms| {
            if is_muted {
                terms.muted.insert(client_name.clone());
            } else {
                terms.muted.remove(client_name);
            }
        });
    }

    /// Closes it for good: nobody comes in any more, and who is there has to go.
    pub(crate) fn abandon(&self) {
        self.update(|terms| terms.keys = None);
        self.terms().room.close();
    }

    /// Who may not say anything for the time being, in order.
    pub(crate) fn muted(&self) -> Vec<ClientName> {
        let mut muted: Vec<_> = self.terms().muted.iter().cloned().collect();
        muted.sort();
        muted
    }

    /// What may be known of those who are there, the oldest connection first.
    pub(crate) fn portraits(&self) -> Vec<Portrait> {
        self.guests.all().iter().filter_map(|guest| guest.portrait()).collect()
    }

    /// Tells a connection to go. Returns whether it is there.
    pub(crate) fn kick(&self, connection: ConnectionId) -> bool {
        let guest = self.guests.find(connection);
        guest.inspect(|guest| guest.kick()).is_some()
    }

    /// What went over all connections there ever were.
    pub(crate) fn traffic(&self) -> Traffic {
        self.guests.traffic()
    }

    /// How often registered connections ended, by reason.
    pub(crate) fn endings(&self) -> &Tally {
        &self.endings
    }

    /// How many were not let in by what they said first, by reason.
    pub(crate) fn refusals(&self) -> &Tally {
        &self.refusals
    }

    /// Takes a connection in.
    pub(super) fn enter(&self, connection: ConnectionId, guest: Arc<dyn Guest>) {
        self.guests.enter(connection, guest);
    }

    /// Lets go of a connection, over which so much went.
    pub(super) fn leave(&self, connection: ConnectionId, traffic: Traffic) {
        self.guests.leave(connection, traffic);
    }

    fn update(&self, change: impl Fn(&mut Terms)) {
        self.terms.rcu(|terms| {
            let mut terms = Terms::clone(terms);
            change(&mut terms);
            terms.revision += 1;
            terms
        });
        self.terms().room.wake_all();
    }
}

impl Terms {
    /// What a client of this name may do, if it gave the right key.
    pub(super) fn admit(&self, client_name: &ClientName, given: KeyDigest) -> Option<Grant> {
        let grant = self.keys.as_ref()?.admit(client_name.as_str(), given)?;
        if self.muted.contains(client_name) {
            let rights = Rights { write: false, moderate: false, ..grant.rights };
            return Some(Grant { rights, ..grant });
        }
        Some(grant)
    }

    /// Whether the hall is closed for good.
    pub(super) fn are_over(&self) -> bool {
        self.keys.is_none()
    }

    /// Whether clients of this name may say anything, as far as operators are concerned.
    pub(crate) fn is_muted(&self, client_name: &ClientName) -> bool {
        self.muted.contains(client_name)
    }
}

fn room_bounds(limits: &Limits) -> RoomBounds {
    RoomBounds {
        log: LogBounds { entries: limits.log_entries, bytes: limits.log_bytes },
        sessions: SessionBounds { retention: limits.session, detached: limits.connections },
    }
}
