//! A connection on its way from the port into the room.

use std::sync::Arc;

use hyper::header::HeaderMap;
use parking_lot::Mutex;

use super::{
    Setting, forwarded_for,
    lobby::{Crowded, Lobby, Place},
};
use crate::{
    address::{AddressBlock, PeerAddress},
    connection::Peer,
    room::ConnectionId,
};

/// A connection that has not registered: where it comes from, as far as that is known, and its place in the lobby.
pub(super) struct Visitor {
    id: ConnectionId,
    setting: Arc<Setting>,
    /// Who sends what arrives. If that is a proxy, each request may be another client's.
    sender: PeerAddress,
    is_relayed: bool,
    client: Mutex<PeerAddress>,
    place: Place,
}

impl Visitor {
    /// Takes a connection in.
    ///
    /// # Errors
    ///
    /// There are too many from its address.
    pub(super) fn enter(
        lobby: &Arc<Lobby>,
        setting: Arc<Setting>,
        id: ConnectionId,
        sender: PeerAddress,
    ) -> Result<Box<Self>, Crowded> {
        let is_relayed = setting.proxies.trusts(sender.ip());
        // The clients of a proxy must not take its places from each other before it has said who they are.
        let block = if is_relayed { AddressBlock::Nowhere } else { sender.block() };
        let place = lobby.enter(block, setting.lobby_bounds())?;
        // Boxed, so that a connection's task takes no more memory for it when it has registered.
        Ok(Box::new(Self { id, setting, sender, is_relayed, client: Mutex::new(sender), place }))
    }

    /// Who is there, by what is known now.
    pub(super) fn peer(&self) -> Peer {
        Peer { id: self.id, address: *self.client.lock() }
    }

    /// What held when it came.
    pub(super) fn setting(&self) -> &Arc<Setting> {
        &self.setting
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// Whether a trusted proxy sends what arrives, and says of each request where it comes from.
    pub(super) fn is_relayed(&self) -> bool {
        self.is_relayed
    }

    /// Notes whom a proxy connects for, by its PROXY header.
    ///
    /// # Errors
    ///
    /// There are too many from that address.
    pub(super) fn introduced(&mut self, client: Option<PeerAddress>) -> Result<(), Crowded> {
        if let Some(client) = client {
            self.sender = client;
            *self.client.get_mut() = client;
        }
        // It may be another proxy, of which more is to be heard. If the proxy names nobody, it speaks for itself, or
        // for somebody who is not to be believed.
        self.is_relayed = client.is_some_and(|client| self.setting.proxies.trusts(client.ip()));
        if self.is_relayed { Ok(()) } else { self.move_to(self.sender) }
    }

    /// Notes where a request comes from, by its headers.
    ///
    /// # Errors
    ///
    /// There are too many from that address.
    pub(super) fn asks(&self, headers: &HeaderMap) -> Result<(), Crowded> {
        if !self.is_relayed {
            return Ok(());
        }
        let client = forwarded_for::client(headers, self.sender, &self.setting.proxies);
        *self.client.lock() = client;
        self.move_to(client)
    }

    fn move_to(&self, address: PeerAddress) -> Result<(), Crowded> {
        self.place.move_to(address.block(), self.setting.lobby_bounds())
    }
}
