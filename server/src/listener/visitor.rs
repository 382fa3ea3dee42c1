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
        // The clients of a proxy must not take its places from each other before it has said who they are.
        let block = if setting.proxies.trusts(sender.ip()) { AddressBlock::Nowhere } else { sender.block() };
        let place = lobby.enter(block, setting.lobby_bounds())?;
        // Boxed, so that a connection's task takes no more memory for it when it has registered.
        Ok(Box::new(Self { id, setting, sender, client: Mutex::new(sender), place }))
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

    /// Whether a trusted proxy sends what arrives.
    pub(super) fn is_relayed(&self) -> bool {
        self.setting.proxies.trusts(self.sender.ip())
    }

    /// Notes where the connection comes from, as the proxy says that has opened it.
    ///
    /// # Errors
    ///
    /// There are too many from that address.
    pub(super) fn sent_by(&mut self, sender: PeerAddress) -> Result<(), Crowded> {
        self.sender = sender;
        *self.client.get_mut() = sender;
        // It may be another proxy, which says more with each request.
        if self.is_relayed() {
            Ok(())
        } else {
            self.place.move_to(sender.block(), self.setting.lobby_bounds())
        }
    }

    /// Notes where a request comes from, by its headers.
    ///
    /// # Errors
    ///
    /// There are too many from that address.
    pub(super) fn asks(&self, headers: &HeaderMap) -> Result<(), Crowded> {
        if !self.is_relayed() {
            return Ok(());
        }
        let client = forwarded_for::client(headers, self.sender, &self.setting.proxies);
        *self.client.lock() = client;
        self.place.move_to(client.block(), self.setting.lobby_bounds())
    }
}
