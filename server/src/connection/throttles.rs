//! What the connections of one client name may say together.

use std::{collections::HashMap, sync::Arc};

use multichat::protocol::ClientName;
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::rate::{Rates, Throttle};

/// So many names are kept in mind before those are looked for that can be forgotten.
const FIRST_SWEEP: usize = 64;

/// A throttle that several connections share.
pub(super) type SharedThrottle = Arc<Mutex<Throttle>>;

/// The throttles of a room's client names. They outlive connections: who comes back has no more than who stays.
#[derive(Debug, Default)]
pub(super) struct Throttles(Mutex<Names>);

#[derive(Debug, Default)]
struct Names {
    throttles: HashMap<ClientName, SharedThrottle>,
    next_sweep: usize,
}

impl Throttles {
    /// The throttle of this name, which keeps to these rates from now on.
    pub(super) fn of(&self, client_name: &ClientName, rates: Rates, now: Instant) -> SharedThrottle {
        let mut names = self.0.lock();
        if let Some(throttle) = names.throttles.get(client_name) {
            throttle.lock().keep_to(rates, now);
            return throttle.clone();
        }
        if names.throttles.len() >= names.next_sweep.max(FIRST_SWEEP) {
            // What is full and nobody's is as good as a new one.
            names
                .throttles
                .retain(|_, throttle| Arc::strong_count(throttle) > 1 || !throttle.lock().is_full(now));
            names.next_sweep = 2 * names.throttles.len();
        }
        let throttle = Arc::new(Mutex::new(Throttle::full(rates, now)));
        names.throttles.insert(client_name.clone(), throttle.clone());
        throttle
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::rate::Rate;

    fn name(number: usize) -> ClientName {
        ClientName::parse(&format!("web-{number}"), 64).unwrap()
    }

    #[test]
    fn a_name_has_one_throttle_however_often_it_comes() {
        let now = Instant::now();
        let throttles = Throttles::default();
        let rates = Rates { messages: Rate::new(1, Duration::from_mins(1), 1), bytes: None };
        throttles.of(&name(1), rates, now).lock().charge(1, now);
        for number in 2..10 * FIRST_SWEEP {
            assert!(throttles.of(&name(number), rates, now).lock().peek(now).is_ok());
        }
        assert!(throttles.of(&name(1), rates, now).lock().peek(now).is_err());
        // What it may say now counts, not what it might have when it was there last.
        assert!(throttles.of(&name(1), Rates::default(), now).lock().peek(now).is_ok());
    }

    #[test]
    fn those_who_are_gone_are_forgotten() {
        let now = Instant::now();
        let throttles = Throttles::default();
        let of = |number| throttles.of(&name(number), Rates::default(), now);
        let kept = of(0);
        for number in 1..1000 * FIRST_SWEEP {
            of(number);
        }
        assert!(throttles.0.lock().throttles.len() <= FIRST_SWEEP);
        assert!(Arc::ptr_eq(&kept, &of(0)));
    }
}
