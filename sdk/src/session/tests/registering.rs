//! What a client says of itself, and what it makes of the answer.

use super::bed::{Ack, Bed, PLAIN_ACK, ack, forwarded, seconds};
use super::test;
use crate::protocol::{ClientRow, Dialect, Status};
use crate::session::{ConnectError, Event, Gap, GapCause, State};

const FORGOTTEN: GapCause = GapCause::Forgotten;

fn gap(cause: GapCause, missed: Option<u64>) -> Event {
    Event::Gap(Gap { cause, missed })
}

fn online(recovered: bool, epoch: &str) -> State {
    State::Online { dialect: Dialect::Rich, recovered, epoch: Some(epoch.into()) }
}

/// A client that knows the log up to this entry, and has lost its connection.
fn known(seq: u64) -> Bed {
    let mut bed = Bed::online_with(&ack(seq, seq), |_| {});
    bed.end(None);
    bed.events();
    bed
}

/// What is told when the client of [`known`] comes back to this answer: but for the states on the way.
fn told(known_seq: u64, answer: &Ack) -> Vec<Event> {
    let mut bed = known(known_seq);
    bed.again(&answer.text());
    bed.events().split_off(2)
}

#[test]
fn the_first_packet_asks_for_the_rich_dialect() {
    let register = Bed::new().open();
    assert_eq!(register, r#"{"action":"register","client-name":"irc","secret-key":"secret","protocol":2}"#);
}

#[test]
fn it_asks_for_history_and_presence() {
    let mut bed = Bed::with(|settings| (settings.history, settings.presence) = (50, true));
    assert_eq!(
        bed.open(),
        r#"{"action":"register","client-name":"irc","secret-key":"secret","protocol":2,"history":50,"presence":true}"#
    );
}

#[test]
fn it_resumes_where_it_was() {
    let mut bed = Bed::online_with(&ack(3, 3), |settings| {
        (settings.history, settings.presence) = (50, true);
    });
    bed.read(&forwarded("qq", "hi", 4));
    bed.end(None);
    assert_eq!(
        bed.open(),
        r#"{"action":"register","client-name":"irc","secret-key":"secret","protocol":2,"history":50,"resume":{"session":"s1","epoch":"e1","seq":4},"presence":true}"#
    );
}

#[test]
fn the_states_tell_what_happens() {
    let mut bed = Bed::new();
    assert_eq!(bed.states(), [State::Connecting { attempt: 1 }]);
    bed.open();
    assert_eq!(bed.states(), [State::Registering { attempt: 1 }]);
    bed.read(&ack(7, 7).text());
    assert_eq!(bed.events(), [Event::State(online(false, "e1"))]);
    assert_eq!(bed.session.state(), &online(false, "e1"));
}

#[test]
fn a_plain_ack_is_one_too() {
    let mut bed = Bed::new();
    bed.again(PLAIN_ACK);
    let plain = State::Online { dialect: Dialect::Plain, recovered: false, epoch: None };
    assert_eq!(bed.events().pop(), Some(Event::State(plain)));
    bed.end(None);
    bed.events();
    assert!(!bed.open().contains("resume"));
}

#[test]
fn the_roster_comes_with_the_ack() {
    let mut bed = Bed::new();
    let clients = r#"{"client-name":"qq","status":"degraded","since":5}"#;
    bed.again(&ack(0, 0).clients(clients).text());
    assert_eq!(bed.news(), [Event::Roster(vec![ClientRow::new("qq", Status::Degraded, 5)])]);
}

#[test]
fn recovered_is_no_gap() {
    assert_eq!(told(5, &ack(9, 5).recovered(true)), [Event::State(online(true, "e1"))]);
}

#[test]
fn what_was_forgotten_is_counted() {
    let answer = ack(20, 15).recovered(false).session("s2");
    assert_eq!(told(5, &answer), [Event::State(online(false, "e1")), gap(FORGOTTEN, Some(10))]);
}

#[test]
fn who_knows_more_than_comes_has_missed_nothing() {
    let answer = ack(20, 3).recovered(false).session("s2");
    assert_eq!(told(5, &answer), [Event::State(online(false, "e1"))]);
    assert_eq!(told(3, &answer), [Event::State(online(false, "e1"))]);
}

#[test]
fn another_epoch_is_another_log() {
    for recovered in [false, true] {
        let answer = ack(20, 15).recovered(recovered).epoch("e2");
        assert_eq!(told(5, &answer), [Event::State(online(false, "e2")), gap(GapCause::NewLog, None)]);
    }
}

#[test]
fn a_log_that_ends_before_the_cursor_is_another_one() {
    for recovered in [false, true] {
        let answer = ack(4, 4).recovered(recovered);
        assert_eq!(told(5, &answer), [Event::State(online(false, "e1")), gap(GapCause::NewLog, None)]);
    }
    assert_eq!(told(5, &ack(5, 5).recovered(true)), [Event::State(online(true, "e1"))]);
}

#[test]
fn the_plain_dialect_leaves_a_gap_each_time() {
    let mut bed = known(5);
    for _ in 0..2 {
        bed.again(PLAIN_ACK);
        assert_eq!(bed.news(), [gap(GapCause::Plain, None)]);
        bed.end(None);
    }
    // The log of before is not known any more.
    bed.again(&ack(9, 7).text());
    assert_eq!(bed.news(), [gap(GapCause::Plain, None)]);
    bed.end(None);
    assert!(bed.open().contains(r#""resume":{"session":"s1","epoch":"e1","seq":7}"#));
}

#[test]
fn there_is_no_gap_before_the_first_ack() {
    let mut bed = Bed::new();
    bed.open();
    bed.end(None);
    bed.again(&ack(9, 3).text());
    assert_eq!(bed.news(), []);
    let mut bed = Bed::new();
    bed.again(PLAIN_ACK);
    assert_eq!(bed.news(), []);
}

#[test]
fn the_new_session_is_resumed_next() {
    let mut bed = known(5);
    bed.again(&ack(20, 15).recovered(false).session("s2").text());
    bed.end(None);
    assert!(bed.open().contains(r#""resume":{"session":"s2","epoch":"e1","seq":15}"#));
    bed.read(&ack(2, 1).recovered(false).session("s3").epoch("e2").text());
    bed.end(None);
    assert!(bed.open().contains(r#""resume":{"session":"s3","epoch":"e2","seq":1}"#));
    // A cursor beyond what comes stays where it is.
    let mut bed = known(5);
    bed.again(&ack(20, 3).recovered(false).session("s2").text());
    bed.end(None);
    assert!(bed.open().contains(r#""resume":{"session":"s2","epoch":"e1","seq":5}"#));
}

#[test]
fn a_resume_survives_a_registration_that_failed() {
    let mut bed = known(5);
    for _ in 0..3 {
        assert!(bed.open().contains(r#""seq":5}"#));
        bed.end(1001);
    }
}

#[test]
fn anything_but_an_ack_is_no_router() {
    for text in
        ["hello", "{}", r#"{"action":"presence"}"#, &forwarded("qq", "hi", 1), &super::bed::acked(1, 1)]
    {
        let mut bed = Bed::new();
        bed.again(text);
        assert_eq!(bed.waits().0, ConnectError::NoRouter, "{text}");
        bed.events();
        // What follows from the same server says nothing any more.
        bed.read(&ack(0, 0).text());
        bed.end(4401);
        bed.end(None);
        assert_eq!(bed.events(), []);
        assert_eq!(bed.waits().0, ConnectError::NoRouter);
    }
}

#[test]
fn a_bad_rich_ack_is_no_router() {
    let mut bed = Bed::new();
    bed.again(r#"{"action":"register-ack","protocol":2}"#);
    assert_eq!(bed.waits().0, ConnectError::NoRouter);
}

#[test]
fn a_higher_dialect_is_taken_for_what_it_says() {
    let mut bed = Bed::new();
    bed.again(&ack(1, 1).text().replace(r#""protocol":2"#, r#""protocol":2,"later":{"x":[1]}"#));
    assert_eq!(bed.session.state(), &online(false, "e1"));
}

#[test]
fn what_is_late_changes_nothing() {
    let mut bed = known(5);
    let before = bed.session.state().clone();
    bed.session.opened("late".to_owned(), bed.now);
    bed.session.failed(ConnectError::Lost, bed.now);
    assert_eq!(bed.session.pull(bed.now), None);
    bed.read(&forwarded("qq", "late", 6));
    bed.end(4409);
    assert_eq!(bed.session.state(), &before);
    assert_eq!(bed.events(), []);
    bed.pass(seconds(1));
    assert!(bed.open().contains(r#""seq":5}"#));
}
