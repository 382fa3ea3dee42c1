//! How the platform is: said now, and again after each registration.

use super::bed::{Bed, PLAIN_ACK, ack, acked, error, forwarded, message, millis, seconds};
use super::test;
use crate::protocol::{ClientStatus, DecodeError, Status};
use crate::session::{SendError, Want};

const NOTHING: [&str; 0] = [];
const DEGRADED: &str = r#"{"action":"client-status","status":"degraded"}"#;
const ONLINE: &str = r#"{"action":"client-status","status":"online"}"#;

fn set(bed: &mut Bed, status: Status) {
    assert_eq!(bed.session.set_status(ClientStatus::new(status)), Ok(()));
}

#[test]
fn it_is_said_at_once_and_once() {
    let mut bed = Bed::online();
    set(&mut bed, Status::Degraded);
    assert_eq!(bed.written(), [DEGRADED]);
    bed.flush();
    assert_eq!(bed.written(), NOTHING);
    set(&mut bed, Status::Online);
    assert_eq!(bed.written(), [ONLINE], "it is taken back");
}

#[test]
fn the_last_word_counts() {
    let mut bed = Bed::online();
    set(&mut bed, Status::Offline);
    set(&mut bed, Status::Degraded);
    assert_eq!(bed.written(), [DEGRADED]);
}

#[test]
fn that_all_is_well_goes_without_saying() {
    let mut bed = Bed::online();
    set(&mut bed, Status::Online);
    assert_eq!(bed.written(), NOTHING);
    let mut told = ClientStatus::new(Status::Online);
    told.text = Some("sunny".to_owned());
    assert_eq!(bed.session.set_status(told), Ok(()));
    assert_eq!(bed.written(), [r#"{"action":"client-status","status":"online","text":"sunny"}"#]);
}

#[test]
fn it_is_said_again_after_each_registration() {
    let mut bed = Bed::new();
    set(&mut bed, Status::Degraded);
    bed.say("a");
    bed.again(&ack(0, 0).text());
    assert_eq!(bed.written(), [DEGRADED.to_owned(), message("a", 1)], "first of all");
    for recovered in [true, false] {
        bed.end(None);
        bed.again(&ack(0, 0).recovered(recovered).text());
        assert_eq!(bed.written()[0], DEGRADED);
        assert!(!bed.written().contains(&DEGRADED.to_owned()));
    }
}

#[test]
fn it_does_not_wait_for_a_replay() {
    let mut bed = Bed::new();
    set(&mut bed, Status::Degraded);
    bed.say("a");
    bed.again(&ack(2, 0).text());
    assert_eq!(bed.written(), [DEGRADED]);
    bed.read(&forwarded("qq", "x", 2));
    assert_eq!(bed.written().len(), 1);
}

#[test]
fn a_plain_server_is_not_told() {
    let mut bed = Bed::new();
    set(&mut bed, Status::Degraded);
    bed.again(PLAIN_ACK);
    assert_eq!(bed.written(), NOTHING);
    set(&mut bed, Status::Offline);
    assert_eq!(bed.written(), NOTHING);
    bed.end(None);
    bed.again(&ack(0, 0).text());
    assert_eq!(bed.written(), [r#"{"action":"client-status","status":"offline"}"#]);
}

#[test]
fn it_counts_against_the_pace() {
    let mut bed = Bed::online_with(&ack(0, 0).rate(1, 4), |_| {});
    for _ in 0..9 {
        set(&mut bed, Status::Degraded);
        bed.say("a");
        bed.written();
    }
    // Three at once, one less than the router takes.
    assert!(bed.session.wake_at(bed.now).is_some_and(|at| at > bed.now));
    let mut written = Vec::new();
    for _ in 0..3 {
        assert_eq!(bed.written(), NOTHING);
        bed.sleep();
        written.extend(bed.written());
    }
    assert_eq!(written.iter().filter(|packet| *packet == DEGRADED).count(), 1, "and first");
    assert_eq!(written[0], DEGRADED);
}

#[test]
fn it_takes_from_the_burst_and_waits_for_its_turn() {
    let mut bed = Bed::online_with(&ack(0, 0).rate(1, 4), |_| {});
    for _ in 0..3 {
        bed.say("a");
    }
    set(&mut bed, Status::Degraded);
    assert_eq!(bed.written().len(), 3, "one less than the router takes");
    let mut bed = Bed::online_with(&ack(0, 0).rate(1, 2), |_| {});
    set(&mut bed, Status::Degraded);
    assert_eq!(bed.written(), [DEGRADED]);
    set(&mut bed, Status::Offline);
    assert_eq!(bed.written(), NOTHING);
    assert_eq!(bed.sleep(), millis(1050), "it is woken for that alone");
    assert_eq!(bed.written().len(), 1);
}

#[test]
fn it_heeds_the_pause() {
    let mut bed = Bed::online();
    bed.say("a");
    bed.written();
    bed.read(&error(1, "rate-limited"));
    set(&mut bed, Status::Degraded);
    assert_eq!(bed.written(), NOTHING);
    assert_eq!(bed.sleep(), seconds(1));
    assert_eq!(bed.written(), [message("a", 1)], "its ack will say whether more may come");
    bed.read(&acked(1, 1));
    assert_eq!(bed.written(), [DEGRADED]);
}

#[test]
fn alone_it_is_tried_until_nobody_complains() {
    let refused = r#"{"action":"error","code":"rate-limited","reason":"too much"}"#;
    let mut bed = Bed::online();
    set(&mut bed, Status::Degraded);
    for pause in [1, 2, 4] {
        assert_eq!(bed.written(), [DEGRADED]);
        bed.read(refused);
        assert_eq!(bed.sleep(), seconds(pause));
    }
    assert_eq!(bed.written(), [DEGRADED]);
    for text in ["a", "b"] {
        bed.say(text);
    }
    assert_eq!(bed.written(), NOTHING);
    assert_eq!(bed.sleep(), seconds(4));
    assert_eq!(bed.written(), [message("a", 1), message("b", 2)], "silence was consent");
}

#[test]
fn a_client_that_drains_says_it() {
    let mut bed = Bed::online();
    set(&mut bed, Status::Offline);
    bed.session.drain(bed.now + seconds(9));
    bed.tick();
    assert_eq!(bed.written().len(), 1);
    bed.tick();
    assert_eq!(bed.session.want(), Want::Close(1));
    // But it does not connect for it, nor wait beyond its deadline.
    let mut bed = Bed::online();
    set(&mut bed, Status::Offline);
    bed.end(None);
    bed.session.drain(bed.now + seconds(9));
    bed.tick();
    assert_eq!(bed.session.want(), Want::End);
    let mut bed = Bed::online();
    set(&mut bed, Status::Offline);
    bed.session.drain(bed.now + millis(9));
    bed.pass(millis(9));
    assert_eq!(bed.session.want(), Want::Close(1));
}

#[test]
fn a_bad_one_is_refused() {
    let mut bed = Bed::online();
    set(&mut bed, Status::Degraded);
    let mut long = ClientStatus::new(Status::Offline);
    long.text = Some("x".repeat(1025));
    let outcome = bed.session.set_status(long);
    assert!(matches!(outcome, Err(SendError::Invalid(DecodeError::TooLong { .. }))), "{outcome:?}");
    assert_eq!(bed.written(), [DEGRADED], "and changes nothing");
}

#[test]
fn a_client_that_is_closed_says_nothing() {
    let mut bed = Bed::online();
    bed.session.close(bed.now);
    assert_eq!(bed.session.set_status(ClientStatus::new(Status::Degraded)), Err(SendError::Closed));
    bed.end(None);
    assert_eq!(bed.session.set_status(ClientStatus::new(Status::Degraded)), Err(SendError::Closed));
    assert_eq!(bed.written(), NOTHING);
}
