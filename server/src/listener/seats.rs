//! The WebSocket connections that there may be at once.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// How many there are.
#[derive(Debug, Default)]
pub(super) struct Seats(AtomicUsize);

/// A seat, given back on drop.
#[derive(Debug)]
pub(super) struct Seat(Arc<Seats>);

impl Seats {
    /// Takes a seat, if fewer than `capacity` are taken.
    pub(super) fn take(self: &Arc<Self>, capacity: usize) -> Option<Seat> {
        let next = |taken| (taken < capacity).then_some(taken + 1);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).ok()?;
        Some(Seat(self.clone()))
    }
}

impl Seats {
    /// How many are taken.
    pub(super) fn taken(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_as_the_capacity_of_the_moment_says() {
        let seats = Arc::<Seats>::default();
        let taken = [seats.take(2), seats.take(2)];
        assert!(taken.iter().all(Option::is_some));
        assert!(seats.take(2).is_none());
        let third = seats.take(3);
        assert!(third.is_some());
        drop(third);
        assert!(seats.take(1).is_none(), "fewer than there are");
        drop(taken);
        assert!(seats.take(1).is_some());
    }
}
