//! The connections that have not registered yet, of whatever stage. They are strangers, so there is room
//! for so many of them only, and for fewer from one address.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::Arc,
};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::address::AddressBlock;

/// The lobby.
#[derive(Debug, Default)]
pub(super) struct Lobby {
    guests: Mutex<Guests>,
}

/// How many there may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct LobbyBounds {
    /// In all; at least 1.
    pub(super) total: usize,
    /// From one address.
    pub(super) per_address: usize,
}

#[derive(Debug, Default)]
struct Guests {
    /// The oldest first.
    by_address: HashMap<AddressBlock, VecDeque<Arc<Notify>>>,
    count: usize,
}

/// A place in the lobby, given back on drop.
#[derive(Debug)]
pub(super) struct Place {
    lobby: Arc<Lobby>,
    address: AddressBlock,
    notice: Arc<Notify>,
}

impl Lobby {
    /// Takes a connection in. If the lobby is full, the oldest connection of the address that holds most
    /// is asked to leave for it. `None` if this one's address has no place left.
    pub(super) fn enter(self: &Arc<Self>, address: IpAddr, bounds: LobbyBounds) -> Option<Place> {
        let address = AddressBlock::from(address);
        let mut guests = self.guests.lock();
        if guests.count_of(address) >= bounds.per_address {
            return None;
        }
        while guests.count >= bounds.total && guests.count > 0 {
            guests.evict_one();
        }
        let notice = Arc::new(Notify::new());
        guests.by_address.entry(address).or_default().push_back(notice.clone());
        guests.count += 1;
        Some(Place { lobby: self.clone(), address, notice })
    }
}

impl Guests {
    fn count_of(&self, address: AddressBlock) -> usize {
        self.by_address.get(&address).map_or(0, VecDeque::len)
    }

    fn evict_one(&mut self) {
        let largest = self.by_address.iter().max_by_key(|(_, notices)| notices.len());
        let Some((address, oldest)) =
            largest.and_then(|(address, notices)| Some((*address, notices.front()?.clone())))
        else {
            return;
        };
        oldest.notify_one();
        self.remove(address, &oldest);
    }

    /// Removes a guest who may have been removed before.
    fn remove(&mut self, address: AddressBlock, notice: &Arc<Notify>) {
        let Some(notices) = self.by_address.get_mut(&address) else { return };
        let before = notices.len();
        notices.retain(|other| !Arc::ptr_eq(other, notice));
        self.count -= before - notices.len();
        if notices.is_empty() {
            self.by_address.remove(&address);
        }
    }
}

impl Place {
    /// Resolves when the connection has to leave.
    pub(super) async fn evicted(&self) {
        self.notice.notified().await;
        // Whoever asks again is told again.
        self.notice.notify_one();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.lobby.guests.lock().remove(self.address, &self.notice);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use futures_util::FutureExt as _;

    use super::*;

    fn address(number: u8) -> IpAddr {
        Ipv4Addr::new(192, 0, 2, number).into()
    }

    fn is_evicted(place: &Place) -> bool {
        place.evicted().now_or_never().is_some()
    }

    #[test]
    fn one_address_has_so_many_places() {
        let lobby = Arc::<Lobby>::default();
        let bounds = LobbyBounds { total: 10, per_address: 2 };
        let places = [lobby.enter(address(1), bounds), lobby.enter(address(1), bounds)];
        assert!(places.iter().all(Option::is_some));
        assert!(lobby.enter(address(1), bounds).is_none());
        assert!(lobby.enter(address(2), bounds).is_some());
        drop(places);
        assert!(lobby.enter(address(1), bounds).is_some());
    }

    #[test]
    fn in_a_full_lobby_the_oldest_of_the_largest_address_makes_room() {
        let lobby = Arc::<Lobby>::default();
        let bounds = LobbyBounds { total: 4, per_address: 3 };
        let honest = lobby.enter(address(1), bounds).unwrap();
        let greedy = [(); 3].map(|()| lobby.enter(address(2), bounds).unwrap());
        let newcomer = lobby.enter(address(3), bounds).unwrap();
        assert_eq!(greedy.each_ref().map(is_evicted), [true, false, false]);
        assert_eq!(greedy.each_ref().map(is_evicted), [true, false, false], "and stays so");
        assert!(!is_evicted(&honest) && !is_evicted(&newcomer));
        drop((honest, greedy, newcomer));
        assert_eq!(lobby.guests.lock().count, 0);
        assert!(lobby.guests.lock().by_address.is_empty());
    }
}
