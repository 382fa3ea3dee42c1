//! Not faster than the router allows.

use std::time::Duration;

use super::bed::{Bed, ack, acked, millis, seconds};
use super::test;

/// The router's own bucket: the moment at which it is full again.
struct Bucket {
    interval: Duration,
    burst: u32,
    full_at: Duration,
}

impl Bucket {
    fn new(rate: u32, burst: u32) -> Self {
        Self { interval: seconds(1) / rate, burst, full_at: Duration::ZERO }
    }

    fn take(&mut self, now: Duration) -> bool {
        let full_after = self.full_at.max(now) + self.interval;
        let is_taken = full_after <= now + self.interval * self.burst;
        if is_taken {
            self.full_at = full_after;
        }
        is_taken
    }
}

fn bed(rate: u32, burst: u32) -> Bed {
    Bed::online_with(&ack(0, 0).rate(rate.into(), burst.into()), |settings| settings.outbox.messages = 2000)
}

#[test]
fn the_router_never_has_to_refuse() {
    for (rate, burst) in [(1, 1), (1, 2), (1, 10), (3, 1), (7, 3), (50, 100), (1000, 1), (1000, 2000)] {
        let mut bed = bed(rate, burst);
        let mut bucket = Bucket::new(rate, burst);
        let mut random = fastrand::Rng::with_seed(5);
        for round in 0..3 {
            for _ in 0..300 {
                bed.say("x");
            }
            let mut sent = 0;
            while sent < 300 {
                for packet in bed.written() {
                    sent += 1;
                    assert!(bucket.take(bed.now), "{rate}/{burst}: {packet}");
                    let id = 300 * round + sent;
                    bed.read(&acked(id, id));
                }
                if sent < 300 {
                    bed.sleep();
                }
            }
            bed.pass(millis(random.u64(0..20_000)));
        }
        assert_eq!(bed.settled().len(), 900);
    }
}

#[test]
fn nor_where_the_way_takes_now_longer_and_now_less() {
    for (rate, burst) in [(1, 2), (10, 20), (50, 100), (1000, 300)] {
        let mut bed = bed(rate, burst);
        let mut bucket = Bucket::new(rate, burst);
        let mut random = fastrand::Rng::with_seed(6);
        let mut arrived = Duration::ZERO;
        for _ in 0..600 {
            bed.say("x");
        }
        let mut sent = 0;
        while sent < 400 {
            for _ in bed.written() {
                sent += 1;
                // So much that one more than the pace's own burst is there at once, and no more.
                let delay = bucket.interval.mul_f64(random.f64() * 0.9);
                arrived = arrived.max(bed.now + delay);
                assert!(bucket.take(arrived), "{rate}/{burst}: {sent}");
                bed.read(&acked(sent, sent));
            }
            bed.sleep();
        }
    }
}

#[test]
fn nor_is_it_much_slower_than_it_may_be() {
    for (rate, burst) in [(1, 1), (5, 10), (50, 100)] {
        let mut bed = bed(rate, burst);
        let start = bed.now;
        for id in 1..=600 {
            bed.say("x");
            while bed.written().is_empty() {
                bed.sleep();
            }
            bed.read(&acked(id, id));
        }
        let took = bed.now.saturating_sub(start).as_secs_f64();
        let least = f64::from(600 - burst) / f64::from(rate);
        assert!(took >= least && took < least * 1.1, "{rate}/{burst}: {took} s instead of {least}");
    }
}

#[test]
fn a_burst_is_one_less_than_the_routers_and_comes_back() {
    let mut bed = bed(10, 5);
    for _ in 0..20 {
        bed.say("x");
    }
    assert_eq!(bed.written().len(), 4);
    assert_eq!(bed.sleep(), millis(105));
    assert_eq!(bed.written().len(), 1);
    bed.pass(seconds(10));
    assert_eq!(bed.written().len(), 4);
}

#[test]
fn without_a_rate_there_is_none() {
    for limits in [
        r#""packet-bytes":1048576"#,
        r#""packet-bytes":1048576,"messages-per-second":0,"messages-burst":1"#,
        r#""packet-bytes":1048576,"messages-burst":1"#,
    ] {
        let mut bed = Bed::online_with(&ack(0, 0).limits(limits), |_| {});
        for _ in 0..100 {
            bed.say("x");
        }
        assert_eq!(bed.written().len(), 100);
    }
}

#[test]
fn a_rate_without_a_burst_is_one_at_a_time() {
    let limits = r#""packet-bytes":1048576,"messages-per-second":2"#;
    let mut bed = Bed::online_with(&ack(0, 0).limits(limits), |_| {});
    bed.say("a");
    bed.say("b");
    assert_eq!(bed.written().len(), 1);
    assert_eq!(bed.sleep(), millis(525));
    assert_eq!(bed.written().len(), 1);
}

#[test]
fn no_number_is_too_large() {
    let largest = u64::MAX;
    let mut bed = Bed::online_with(&ack(0, 0).rate(largest, largest), |_| {});
    for _ in 0..100 {
        bed.say("x");
    }
    assert_eq!(bed.written().len(), 100);
    let mut bed = Bed::online_with(&ack(0, 0).rate(1, largest), |_| {});
    bed.say("x");
    assert_eq!(bed.written().len(), 1);
}

#[test]
fn a_new_connection_gives_no_new_burst() {
    let mut bed = bed(1, 3);
    for _ in 0..9 {
        bed.say("x");
    }
    assert_eq!(bed.written().len(), 2);
    bed.end(None);
    bed.again(&ack(0, 0).recovered(true).rate(1, 3).text());
    assert_eq!(bed.written().len(), 0, "what is sent again counts as well");
    bed.end(None);
    bed.again(&ack(0, 0).recovered(true).rate(1, 6).text());
    assert!((3..=4).contains(&bed.written().len()), "a larger burst holds at once");
}

#[test]
fn nor_does_any_number_of_them() {
    let mut bed = bed(2, 4);
    for _ in 0..200 {
        bed.say("x");
    }
    let start = bed.now;
    let mut bucket = Bucket::new(2, 4);
    bucket.full_at = start;
    for _ in 0..20 {
        for packet in bed.written() {
            assert!(bucket.take(bed.now), "{packet}");
        }
        bed.end(None);
        bed.again(&ack(0, 0).recovered(true).rate(2, 4).text());
    }
}

#[test]
fn another_rate_begins_anew() {
    let mut bed = bed(1, 3);
    for _ in 0..9 {
        bed.say("x");
    }
    assert_eq!(bed.written().len(), 2);
    bed.end(None);
    bed.again(&ack(0, 0).recovered(true).rate(2, 6).text());
    assert_eq!(bed.written().len(), 5);
}
