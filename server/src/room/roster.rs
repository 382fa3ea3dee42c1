//! Who is in a room, by client name, and who wants to know. Pure: the time is an argument.
//!
//! The roster is a log in which only the last word on each name is kept: every change has a version, a subscriber
//! is a cursor over the versions. So a burst of changes costs a subscriber one packet for each name, however often
//! it changed, and one that is slow costs nothing.

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, hash_map::Entry},
    mem,
    sync::Arc,
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use multichat::protocol::{ClientName, ClientRow, Presence, PresenceStatus, ServerPacket, Status};
use tokio::time::Instant;

use super::{
    ConnectionId,
    mailbox::{Cut, Mailbox},
};
use crate::frame;

/// How long a name without a connection is not told to be gone: whoever comes back until then was never away.
const GRACE: Duration = Duration::from_secs(5);

/// What a row of an ack takes beside the name and the text, in bytes.
const ROW_BYTES: usize = 80;

/// The most names that are remembered only to tell subscribers that they left. Who is so far behind is cut.
const MAX_LEFT: usize = 16_384;

/// The place of a change among all changes.
type Version = u64;

/// Who is there.
#[derive(Debug, Default)]
pub(super) struct Roster {
    rows: HashMap<ClientName, Row>,
    /// The last change of each name.
    changes: BTreeMap<Version, ClientName>,
    newest: Version,
    /// Names whose last connection has ended.
    going: BTreeSet<(Instant, ClientName)>,
    /// The changes that say that somebody left.
    left: BTreeSet<Version>,
    subscribers: HashMap<ConnectionId, Subscriber>,
}

#[derive(Debug)]
struct Row {
    version: Version,
    state: State,
    status: Status,
    text: Option<Box<str>>,
    /// Since when that is so, in milliseconds since the Unix epoch.
    since: u64,
    /// How subscribers are told; made when it is needed first.
    frame: Option<Bytes>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// With so many connections.
    Here(usize),
    /// Its last connection ended. It may be back until then.
    Going(Instant),
    /// It did not come back.
    Left,
}

#[derive(Debug)]
struct Subscriber {
    client_name: ClientName,
    mailbox: Arc<Mailbox>,
    cursor: Version,
}

impl Roster {
    /// Notes a connection of this name. `now_ms` is in milliseconds since the Unix epoch, here as below.
    pub(super) fn join(&mut self, name: &ClientName, now_ms: u64) {
        match self.rows.entry(name.clone()) {
            Entry::Occupied(mut row) => match row.get().state {
                State::Here(connections) => row.get_mut().state = State::Here(connections + 1),
                State::Going(until) => {
                    self.going.remove(&(until, name.clone()));
                    row.get_mut().state = State::Here(1);
                }
                State::Left => {
                    row.get_mut().state = State::Here(1);
                    self.change(name, Status::Online, None, now_ms);
                }
            },
            Entry::Vacant(vacant) => {
                vacant.insert(Row {
                    version: 0,
                    state: State::Here(1),
                    status: Status::Online,
                    text: None,
                    since: now_ms,
                    frame: None,
                });
                self.change(name, Status::Online, None, now_ms);
            }
        }
    }

    /// Notes that a connection of this name has ended.
    pub(super) fn leave(&mut self, name: &ClientName, connection: ConnectionId, now: Instant) {
        self.subscribers.remove(&connection);
        let Some(row) = self.rows.get_mut(name) else { return };
        row.state = match row.state {
            State::Here(connections @ 2..) => State::Here(connections - 1),
            State::Here(_) => {
                self.going.insert((now + GRACE, name.clone()));
                State::Going(now + GRACE)
            }
            gone => gone,
        };
    }

    /// Notes what a client says of its platform.
    pub(super) fn set_status(&mut self, name: &ClientName, status: Status, text: Option<&str>, now_ms: u64) {
        let is_new =
            self.rows.get(name).is_some_and(|row| row.status != status || row.text.as_deref() != text);
        if is_new {
            self.change(name, status, text, now_ms);
        }
    }

    /// What is said of each name's platform.
    pub(super) fn statuses(&self) -> HashMap<ClientName, (Status, Option<Box<str>>)> {
        let rows = self.rows.iter();
        rows.map(|(name, row)| (name.clone(), (row.status, row.text.clone()))).collect()
    }

    /// Makes a change the newest.
    fn change(&mut self, name: &ClientName, status: Status, text: Option<&str>, now_ms: u64) {
        let Some(row) = self.rows.get_mut(name) else { return };
        self.changes.remove(&row.version);
        self.left.remove(&row.version);
        self.newest += 1;
        self.changes.insert(self.newest, name.clone());
        row.version = self.newest;
        row.status = status;
        row.text = text.map(Box::from);
        row.since = now_ms;
        row.frame = None;
    }

    /// Notes who has been gone for too long.
    pub(super) fn expire(&mut self, now: Instant, now_ms: u64) {
        while let Some((until, name)) = self.going.first().cloned()
            && until <= now
        {
            self.going.remove(&(until, name.clone()));
            if let Some(row) = self.rows.get_mut(&name) {
                row.state = State::Left;
                self.change(&name, Status::Online, None, now_ms);
                self.left.insert(self.newest);
            }
        }
    }

    /// When [`Roster::expire`] has something to do.
    pub(super) fn next_expiry(&self) -> Option<Instant> {
        self.going.first().map(|(until, _)| *until)
    }

    /// Lets subscribers know of what they have not been told, and forgets whom all have been told to be gone.
    pub(super) fn announce(&mut self) {
        let mut oldest = self.newest;
        for subscriber in self.subscribers.values() {
            oldest = oldest.min(subscriber.cursor);
            if subscriber.cursor < self.newest {
                subscriber.mailbox.note_presence();
            }
        }
        let mut forgotten = 0;
        while let Some(version) = self.left.first().copied()
            && (version <= oldest || self.left.len() > MAX_LEFT)
        {
            forgotten = version;
            self.left.remove(&version);
            if let Some(name) = self.changes.remove(&version) {
                self.rows.remove(&name);
            }
        }
        for subscriber in self.subscribers.values().filter(|subscriber| subscriber.cursor < forgotten) {
            subscriber.mailbox.cut(Cut::Behind);
        }
    }

    /// Makes a subscriber, and returns who is there, but for the subscriber itself. If that were more than
    /// `max_bytes` bytes of JSON, the rest is told as changes.
    pub(super) fn subscribe(
        &mut self,
        connection: ConnectionId,
        client_name: &ClientName,
        mailbox: Arc<Mailbox>,
        max_bytes: usize,
    ) -> Vec<ClientRow> {
        let mut cursor = self.newest;
        let mut bytes = 0;
        let mut list = Vec::new();
        for (version, name) in &self.changes {
            let Some(row) = self.rows.get(name).filter(|row| row.state != State::Left && name != client_name)
            else {
                continue;
            };
            let mut told = ClientRow::new(name.as_str(), row.status, row.since);
            told.text = row.text.as_deref().map(String::from);
            // As JSON, a byte may become six.
            bytes += 6 * (name.len() + row.text.as_ref().map_or(0, |text| text.len())) + ROW_BYTES;
            if bytes > max_bytes {
                cursor = version - 1;
                mailbox.note_presence();
                break;
            }
            list.push(told);
        }
        self.subscribers.insert(connection, Subscriber { client_name: client_name.clone(), mailbox, cursor });
        list
    }

    /// What a subscriber has not been told, as joined frames: about `max_bytes` bytes of it. `None` if that is
    /// nothing.
    pub(super) fn read(&mut self, connection: ConnectionId, max_bytes: usize) -> Option<Bytes> {
        let subscriber = self.subscribers.get_mut(&connection)?;
        let mut joined = BytesMut::new();
        let from = mem::replace(&mut subscriber.cursor, self.newest);
        for (version, name) in self.changes.range(from + 1..) {
            if joined.len() >= max_bytes {
                subscriber.cursor = version - 1;
                break;
            }
            if let Some(row) = self.rows.get_mut(name).filter(|_| *name != subscriber.client_name) {
                joined.extend_from_slice(row.frame(name));
            }
        }
        (!joined.is_empty()).then(|| joined.freeze())
    }
}

impl Row {
    fn frame(&mut self, name: &ClientName) -> &Bytes {
        self.frame.get_or_insert_with(|| {
            let status = if self.state == State::Left { PresenceStatus::Left } else { self.status.into() };
            let mut packet = Presence::new(name.as_str(), status, self.since);
            packet.text = self.text.as_deref().map(String::from);
            frame::text(&ServerPacket::Presence(packet).encode())
        })
    }
}
