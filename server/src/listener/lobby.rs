//! The connections that have not registered yet, of whatever stage. They are strangers, so there is room
//! for so many of them only, and for fewer from one address.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::address::AddressBlock;

/// The lobby.
#[derive(Debug, Default)]
pub(crate) struct Lobby {
    guests: Mutex<Guests>,
}

/// How many there may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LobbyBounds {
    /// In all; at least 1.
    pub(crate) total: usize,
    /// From one address.
    pub(crate) per_address: usize,
}

/// An address has as many places as it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Crowded;

#[derive(Debug, Default)]
struct Guests {
    /// The oldest first.
    by_address: HashMap<AddressBlock, VecDeque<Arc<Notify>>>,
    count: usize,
}

/// A place in the lobby, given back on drop.
#[derive(Debug)]
pub(crate) struct Place {
    lobby: Arc<Lobby>,
    address: Mutex<AddressBlock>,
    notice: Arc<Notify>,
}

impl Lobby {
    /// Takes a connection in. If the lobby is full, the oldest connection of the address that holds most
    /// is asked to leave for it.
    ///
    /// # Errors
    ///
    /// This one's address has no place left.
    pub(crate) fn enter(
        self: &Arc<Self>,
        address: AddressBlock,
        bounds: LobbyBounds,
    ) -> Result<Place, Crowded> {
        let mut guests = self.guests.lock();
        guests.check_place_for(address, bounds)?;
        while guests.count >= bounds.total && guests.count > 0 {
            guests.evict_one();
        }
        let notice = Arc::new(Notify::new());
        guests.by_address.entry(address).or_default().push_back(notice.clone());
        guests.count += 1;
        Ok(Place { lobby: self.clone(), address: Mutex::new(address), notice })
    }
}

impl Lobby {
    /// How many connections there are.
    pub(crate) fn count(&self) -> usize {
        self.guests.lock().count
    }
}

impl Guests {
    fn check_place_for(&self, address: AddressBlock, bounds: LobbyBounds) -> Result<(), Crowded> {
        let count = self.by_address.get(&address).map_or(0, VecDeque::len);
        let is_full = address != AddressBlock::Nowhere && count >= bounds.per_address;
        if is_full { Err(Crowded) } else { Ok(()) }
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

    /// Removes a guest who may have been removed before. Returns whether it was there.
    fn remove(&mut self, address: AddressBlock, notice: &Arc<Notify>) -> bool {
        let Some(notices) = self.by_address.get_mut(&address) else { return false };
        let before = notices.len();
        notices.retain(|other| !Arc::ptr_eq(other, notice));
        let removed = before - notices.len();
        self.count -= removed;
        if notices.is_empty() {
            self.by_address.remove(&address);
        }
        removed > 0
    }
}

impl Place {
    /// Resolves when the connection has to leave.
    pub(crate) async fn evicted(&self) {
        self.notice.notified().await;
        // Whoever asks again is told again.
        self.notice.notify_one();
    }

    /// Counts the connection under another address from now on.
    ///
    /// # Errors
    ///
    /// That address has no place left. The connection stays where it is.
    pub(super) fn move_to(&self, address: AddressBlock, bounds: LobbyBounds) -> Result<(), Crowded> {
        let mut guests = self.lobby.guests.lock();
        let mut current = self.address.lock();
        if *current == address {
            return Ok(());
        }
        guests.check_place_for(address, bounds)?;
        // Who was asked to leave has no place any more.
        if guests.remove(*current, &self.notice) {
            guests.by_address.entry(address).or_default().push_back(self.notice.clone());
            guests.count += 1;
        }
        *current = address;
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.lobby.guests.lock().remove(*self.address.get_mut(), &self.notice);
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use futures_util::FutureExt as _;

    use super::*;

    fn address(number: u8) -> AddressBlock {
        IpAddr::from(Ipv4Addr::new(192, 0, 2, number)).into()
    }

    fn is_evicted(place: &Place) -> bool {
        place.evicted().now_or_never().is_some()
    }

    #[test]
    fn one_address_has_so_many_places() {
        let lobby = Arc::<Lobby>::default();
        let bounds = LobbyBounds { total: 10, per_address: 2 };
        let places = [lobby.enter(address(1), bounds), lobby.enter(address(1), bounds)];
        assert!(places.iter().all(Result::is_ok));
        assert!(lobby.enter(address(1), bounds).is_err());
        assert!(lobby.enter(address(2), bounds).is_ok());
        drop(places);
        assert!(lobby.enter(address(1), bounds).is_ok());
    }

    #[test]
    fn who_has_no_address_is_bounded_by_the_whole() {
        let lobby = Arc::<Lobby>::default();
        let bounds = LobbyBounds { total: 4, per_address: 2 };
        let strangers = [(); 5].map(|()| lobby.enter(AddressBlock::Nowhere, bounds).unwrap());
        assert_eq!(strangers.each_ref().map(is_evicted), [true, false, false, false, false]);
    }

    #[test]
    fn a_place_moves_to_where_its_connection_comes_from() {
        let lobby = Arc::<Lobby>::default();
        let bounds = LobbyBounds { total: 10, per_address: 2 };
        let places = [(); 3].map(|()| lobby.enter(AddressBlock::Nowhere, bounds).unwrap());
        let moved = places.each_ref().map(|place| place.move_to(address(1), bounds));
        assert_eq!(moved, [Ok(()), Ok(()), Err(Crowded)]);
        assert_eq!(places[0].move_to(address(1), bounds), Ok(()), "it is there already");
        assert!(lobby.enter(address(1), bounds).is_err());
        assert_eq!(places[0].move_to(address(2), bounds), Ok(()));
        assert_eq!(places[2].move_to(address(1), bounds), Ok(()), "there is room again");
        assert_eq!(lobby.guests.lock().count, 3);
        drop(places);
        assert_eq!(lobby.guests.lock().count, 0);
        assert!(lobby.guests.lock().by_address.is_empty());
    }

    #[test]
    fn who_must_leave_does_not_come_back_by_moving() {
        let lobby = Arc::<Lobby>::default();
        let bounds = LobbyBounds { total: 1, per_address: 1 };
        let first = lobby.enter(AddressBlock::Nowhere, bounds).unwrap();
        let second = lobby.enter(address(2), bounds).unwrap();
        assert_eq!(first.move_to(address(1), bounds), Ok(()));
        assert!(is_evicted(&first) && !is_evicted(&second));
        assert_eq!(lobby.guests.lock().count, 1);
        drop(first);
        assert!(lobby.enter(address(1), bounds).is_ok());
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
