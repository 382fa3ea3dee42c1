//! When it connects again.

use std::time::Duration;

use super::bed::{Bed, ack, millis, seconds};
use super::test;
use crate::session::{ConnectError, Reconnect, Side, State, Want};

fn unreachable() -> ConnectError {
    ConnectError::Unreachable { reason: "x".to_owned() }
}

/// How long it waits after each of so many failures.
fn waits(bed: &mut Bed, count: usize) -> Vec<Duration> {
    let wait = |_| {
        bed.fail(unreachable());
        let (_, wait) = bed.waits();
        assert_eq!(bed.session.want(), Want::Nothing);
        let slept = bed.sleep();
        assert_eq!(slept, wait);
        assert!(matches!(bed.session.want(), Want::Connect(_)));
        wait
    };
    (0..count).map(wait).collect()
}

#[test]
fn the_bound_of_the_waits_doubles() {
    let bounds = [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000, 30_000].map(millis);
    let mut longest = [Duration::ZERO; 10];
    let mut sum = [Duration::ZERO; 10];
    for seed in 0..200 {
        let mut bed = Bed::seeded(seed, |_| {});
        for (index, wait) in waits(&mut bed, 10).into_iter().enumerate() {
            assert!(wait <= bounds[index], "{wait:?}");
            longest[index] = longest[index].max(wait);
            sum[index] += wait;
        }
    }
    for (index, &bound) in bounds.iter().enumerate() {
        assert!(longest[index] > bound.mul_f64(0.9), "all of the span is used");
        let mean = sum[index] / 200;
        assert!(mean > bound.mul_f64(0.4) && mean < bound.mul_f64(0.6), "evenly: {mean:?}");
    }
}

#[test]
fn two_clients_wait_for_different_times() {
    let [one, other] = [1, 2].map(|seed| waits(&mut Bed::seeded(seed, |_| {}), 5));
    assert_ne!(one, other);
}

#[test]
fn it_never_gives_up_and_never_overflows() {
    let mut bed = Bed::with(|settings| {
        (settings.reconnect.first, settings.reconnect.longest) = (Duration::MAX, millis(1));
    });
    assert!(waits(&mut bed, 100).into_iter().all(|wait| wait <= millis(1)));
    let late = waits(&mut Bed::new(), 100).split_off(50);
    assert!(late.into_iter().any(|wait| wait > seconds(25)), "it does not begin anew by itself");
    let mut bed = Bed::with(|settings| {
        let all = Duration::MAX;
        (settings.reconnect.first, settings.reconnect.longest) = (all, all);
        let timeouts = &mut settings.timeouts;
        (timeouts.connect, timeouts.register, timeouts.ack, timeouts.close) = (all, all, all, all);
        settings.silence = Some(all);
    });
    bed.again(&ack(0, 0).text());
    bed.say("x");
    bed.written();
    bed.pass(seconds(1000));
    assert!(matches!(bed.session.state(), State::Online { .. }));
    bed.end(4529);
    bed.pass(seconds(1000));
    bed.session.reconnect_now(bed.now);
    bed.open();
    bed.session.close(bed.now);
    bed.pass(seconds(1000));
}

#[test]
fn the_attempts_are_counted() {
    let mut bed = Bed::new();
    for failed in 1..4 {
        bed.fail(unreachable());
        assert!(matches!(bed.session.state(), State::Waiting { attempt, .. } if *attempt == failed));
        bed.sleep();
        assert_eq!(bed.session.state(), &State::Connecting { attempt: failed + 1 });
    }
    bed.open();
    assert_eq!(bed.session.state(), &State::Registering { attempt: 4 });
}

#[test]
fn a_connection_that_lasts_begins_them_anew() {
    for (lasted, attempt) in [(millis(9_999), 4), (seconds(10), 1)] {
        let mut bed = Bed::new();
        waits(&mut bed, 3);
        bed.again(&ack(0, 0).text());
        bed.pass(lasted);
        bed.end(None);
        let State::Waiting { attempt: failed, .. } = bed.session.state() else { panic!() };
        assert_eq!(*failed, attempt, "after {lasted:?}");
    }
    // To wait for the ack is not to last.
    let mut bed = Bed::new();
    waits(&mut bed, 3);
    bed.open();
    bed.pass(millis(9_999));
    bed.end(1001);
    assert!(matches!(bed.session.state(), State::Waiting { attempt: 4, .. }));
}

#[test]
fn so_many_failures_in_a_row_and_no_more() {
    let mut bed = Bed::with(|settings| settings.reconnect.attempts = Some(3));
    waits(&mut bed, 3);
    bed.fail(unreachable());
    assert_eq!(bed.closed(), (Side::Client, Some(unreachable())));

    let mut bed = Bed::with(|settings| settings.reconnect.attempts = Some(1));
    for _ in 0..5 {
        bed.again(&ack(0, 0).text());
        bed.pass(seconds(10));
        bed.end(None);
    }
    bed.open();
    bed.end(None);
    assert!(bed.session.state().is_closed());

    // After a connection that broke as after an attempt that failed.
    let mut bed = Bed::with(|settings| settings.reconnect.attempts = Some(3));
    bed.again(&ack(0, 0).text());
    bed.pass(seconds(10));
    bed.end(None);
    for _ in 0..3 {
        assert!(!bed.session.state().is_closed());
        bed.open();
        bed.end(1001);
    }
    assert!(bed.session.state().is_closed());
    let mut bed = Bed::with(|settings| settings.reconnect = Reconnect::never());
    bed.fail(unreachable());
    assert!(bed.session.state().is_closed());
}

#[test]
fn retry_after_is_heeded_up_to_five_minutes() {
    for (asked, least) in [(0, 0), (7, 7), (300, 300), (301, 300), (u64::MAX, 300)] {
        for seed in 0..20 {
            let mut bed = Bed::seeded(seed, |_| {});
            bed.fail(ConnectError::Rejected { status: 503, retry_after: Some(seconds(asked)) });
            let (_, wait) = bed.waits();
            assert!(wait >= seconds(least) && wait <= seconds(least) + millis(500), "{asked}: {wait:?}");
        }
    }
    let mut bed = Bed::new();
    bed.fail(ConnectError::Rejected { status: 503, retry_after: None });
    assert!(bed.waits().1 <= millis(500));
}

/// A client that would wait for minutes.
fn waiting() -> Bed {
    let mut bed = Bed::with(|settings| {
        (settings.reconnect.first, settings.reconnect.longest) = (seconds(10_000), seconds(10_000));
    });
    bed.fail(unreachable());
    assert!(bed.waits().1 > seconds(100));
    bed
}

#[test]
fn a_sign_from_outside_brings_the_next_attempt_forward() {
    let mut bed = waiting();
    bed.pass(seconds(50));
    bed.session.hurry(bed.now);
    bed.tick();
    assert_eq!(bed.session.want(), Want::Connect(2));
    assert_eq!(bed.session.state(), &State::Connecting { attempt: 2 });
}

#[test]
fn but_not_to_less_than_a_second_after_the_last() {
    let mut bed = waiting();
    bed.pass(millis(300));
    for _ in 0..3 {
        bed.session.hurry(bed.now);
        bed.tick();
        assert_eq!(bed.session.want(), Want::Nothing);
    }
    assert_eq!(bed.sleep(), millis(700));
    assert_eq!(bed.session.want(), Want::Connect(2));
    // Nor after the next.
    bed.fail(unreachable());
    bed.session.hurry(bed.now);
    assert_eq!(bed.sleep(), seconds(1));
    // And never later than it would be.
    let mut bed = Bed::with(|settings| settings.reconnect.first = millis(1));
    bed.fail(unreachable());
    bed.session.hurry(bed.now);
    assert!(bed.sleep() <= millis(1));
}

#[test]
fn nor_against_what_the_router_asks() {
    let mut bed = waiting();
    bed.session.reconnect_now(bed.now);
    bed.fail(ConnectError::Rejected { status: 429, retry_after: Some(seconds(60)) });
    bed.pass(seconds(2));
    bed.session.hurry(bed.now);
    assert_eq!(bed.sleep(), seconds(58));
    bed.open();
    bed.end(4529);
    bed.session.hurry(bed.now);
    assert_eq!(bed.sleep(), seconds(5));
}

#[test]
fn someone_who_asks_for_it_gets_it_at_once() {
    let mut bed = waiting();
    bed.session.reconnect_now(bed.now);
    assert_eq!(bed.session.want(), Want::Connect(2));
    // It is under way.
    bed.session.reconnect_now(bed.now);
    bed.session.hurry(bed.now);
    bed.tick();
    assert_eq!(bed.session.want(), Want::Connect(2));
    bed.open();
    bed.session.reconnect_now(bed.now);
    bed.read(&ack(0, 0).text());
    bed.session.reconnect_now(bed.now);
    bed.session.hurry(bed.now);
    bed.tick();
    assert_eq!(bed.session.want(), Want::Talk(2));
    bed.end(4401);
    bed.session.reconnect_now(bed.now);
    bed.session.hurry(bed.now);
    bed.tick();
    assert_eq!(bed.session.want(), Want::End);
}

#[test]
fn each_connection_has_its_number() {
    let mut bed = Bed::new();
    for number in 1..5 {
        assert_eq!(bed.session.want(), Want::Connect(number));
        bed.open();
        assert_eq!(bed.session.want(), Want::Talk(number));
        bed.read(&ack(0, 0).text());
        assert_eq!(bed.session.want(), Want::Talk(number));
        bed.end(None);
        assert_eq!(bed.session.want(), Want::Nothing);
        bed.sleep();
    }
}
