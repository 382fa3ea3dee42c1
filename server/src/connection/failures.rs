//! Wrong keys, counted for each address, so that guessing one is slow.

use std::{collections::HashMap, time::Duration};

use parking_lot::Mutex;
use tokio::time::{Instant, sleep};

use crate::{
    address::AddressBlock,
    rate::{Rate, TokenBucket},
};

/// The most addresses that are kept in mind. While there are more, the failures of others are treated as
/// one too many.
const MAX_ADDRESSES: usize = 65_536;

/// How long one who fails over and over waits for the answer.
const DELAY: Duration = Duration::from_secs(1);

/// The failures of the recent past.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    buckets: Mutex<HashMap<AddressBlock, TokenBucket>>,
}

impl Failures {
    /// Notes a failure. Whose address has failed too often lately waits here.
    pub(crate) async fn hold_up(&self, address: AddressBlock, rate: Option<Rate>) {
        if self.note(address, rate, Instant::now()) {
            sleep(DELAY).await;
        }
    }

    /// Notes a failure. Returns whether the address has failed so often that its answer should wait.
    fn note(&self, address: AddressBlock, rate: Option<Rate>, now: Instant) -> bool {
        let Some(rate) = rate else { return false };
        let mut buckets = self.buckets.lock();
        if buckets.len() >= MAX_ADDRESSES && !buckets.contains_key(&address) {
            buckets.retain(|_, bucket| !bucket.is_full(now));
            if buckets.len() >= MAX_ADDRESSES {
                return true;
            }
        }
        buckets.entry(address).or_insert_with(|| TokenBucket::full(now)).take(rate, now).is_err()
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn address(number: u32) -> AddressBlock {
        IpAddr::from(Ipv4Addr::from(number)).into()
    }

    #[test]
    fn an_address_that_fails_often_waits_and_others_do_not() {
        let now = Instant::now();
        let rate = Rate::new(10, Duration::from_mins(1), 10);
        let failures = Failures::default();
        let waits = (0..12).map(|_| failures.note(address(1), rate, now)).collect::<Vec<_>>();
        assert_eq!(waits, [[false; 10].as_slice(), &[true; 2]].concat());
        assert!(!failures.note(address(2), rate, now));
        assert!(!failures.note(address(1), rate, now + Duration::from_secs(6)));
    }

    #[test]
    fn memory_is_bounded_and_the_past_is_forgotten() {
        let now = Instant::now();
        let rate = Rate::new(10, Duration::from_mins(1), 10);
        let failures = Failures::default();
        for number in (0..).take(MAX_ADDRESSES) {
            assert!(!failures.note(address(number), rate, now));
        }
        assert!(failures.note(address(u32::MAX), rate, now));
        assert_eq!(failures.buckets.lock().len(), MAX_ADDRESSES);
        assert!(!failures.note(address(u32::MAX), rate, now + Duration::from_secs(7)));
        assert_eq!(failures.buckets.lock().len(), 1);
    }
}
