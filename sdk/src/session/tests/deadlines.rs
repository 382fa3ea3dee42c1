//! How long is waited for what.

use super::bed::{Bed, PLAIN_ACK, ack, acked, error, forwarded, logged, message, millis, seconds};
use super::test;
use crate::session::{ConnectError, Fate, SendError, Stage, State, Want};

fn timed_out(stage: Stage) -> ConnectError {
    ConnectError::TimedOut(stage)
}

#[test]
fn for_the_connection() {
    let mut bed = Bed::new();
    assert_eq!(bed.sleep(), seconds(10));
    assert_eq!(bed.waits().0, timed_out(Stage::Connect));
}

#[test]
fn for_the_ack_of_the_registration() {
    let mut bed = Bed::new();
    bed.pass(seconds(9));
    bed.open();
    assert_eq!(bed.sleep(), seconds(10));
    assert_eq!(bed.waits().0, timed_out(Stage::Register));
    // The packet of before is gone.
    assert_eq!(bed.session.pull(bed.now), None);
}

#[test]
fn the_register_that_was_not_written_is_not_written_later() {
    let mut bed = Bed::new();
    bed.session.opened("secret".to_owned(), bed.now);
    bed.end(1001);
    assert_eq!(bed.session.pull(bed.now), None);
    bed.sleep();
    bed.session.opened("secret".to_owned(), bed.now);
    bed.session.close(bed.now);
    assert_eq!(bed.session.pull(bed.now), None);
}

/// A client that can ask for signs of life.
fn pinging() -> Bed {
    Bed::online_with(&ack(0, 0), |settings| settings.silence = Some(seconds(60)))
}

#[test]
fn a_silence_is_asked_about_once() {
    let mut bed = pinging();
    bed.pass(millis(29_999));
    assert!(!bed.session.wants_ping(bed.now));
    assert_eq!(bed.sleep(), millis(1));
    assert!(bed.session.wants_ping(bed.now));
    for _ in 0..3 {
        bed.pass(seconds(5));
        assert!(!bed.session.wants_ping(bed.now));
    }
    // The answer.
    bed.session.heard(bed.now);
    bed.pass(millis(29_999));
    assert!(!bed.session.wants_ping(bed.now));
    bed.pass(millis(1));
    assert!(bed.session.wants_ping(bed.now));
}

#[test]
fn a_whole_silence_is_the_end_of_the_connection() {
    let mut bed = pinging();
    bed.pass(seconds(20));
    bed.read(&forwarded("qq", "hi", 1));
    assert_eq!(bed.sleep(), seconds(30));
    assert_eq!(bed.sleep(), seconds(30));
    assert_eq!(bed.waits().0, timed_out(Stage::Silence));
    assert!(!bed.session.wants_ping(bed.now));
}

#[test]
fn without_pings_a_silence_is_nothing() {
    let mut bed = Bed::online();
    assert_eq!(bed.session.wake_at(bed.now), None);
    bed.pass(seconds(10_000));
    assert!(matches!(bed.session.state(), State::Online { .. }));
    assert!(!bed.session.wants_ping(bed.now));
}

#[test]
fn a_plain_server_is_asked_as_well() {
    let mut bed = Bed::with(|settings| settings.silence = Some(seconds(60)));
    bed.open();
    bed.pass(seconds(5));
    assert!(!bed.session.wants_ping(bed.now), "not before the ack");
    bed.read(PLAIN_ACK);
    bed.pass(seconds(30));
    assert!(bed.session.wants_ping(bed.now));
    bed.pass(seconds(30));
    assert_eq!(bed.waits().0, timed_out(Stage::Silence));
}

#[test]
fn the_time_without_a_connection_is_no_silence() {
    let mut bed = pinging();
    bed.pass(seconds(55));
    bed.end(None);
    bed.again(&ack(0, 0).recovered(true).text());
    bed.pass(seconds(29));
    assert!(!bed.session.wants_ping(bed.now));
    assert!(matches!(bed.session.state(), State::Online { .. }));
}

#[test]
fn for_the_ack_of_what_was_sent() {
    let mut bed = Bed::online();
    bed.say("a");
    bed.pass(seconds(100));
    bed.written();
    bed.pass(seconds(10));
    bed.say("b");
    bed.written();
    // That something else comes does not help.
    bed.read(&forwarded("qq", "hi", 1));
    bed.session.heard(bed.now);
    assert_eq!(bed.sleep(), seconds(20));
    assert_eq!(bed.waits().0, timed_out(Stage::Ack));
    assert_eq!(bed.settled(), []);
}

#[test]
fn each_ack_is_waited_for_anew() {
    let mut bed = Bed::online();
    for text in ["a", "b"] {
        bed.say(text);
        bed.written();
        bed.pass(seconds(10));
    }
    bed.read(&acked(1, 1));
    assert_eq!(bed.sleep(), seconds(20));
    assert_eq!(bed.waits().0, timed_out(Stage::Ack));
}

#[test]
fn in_a_replay_no_ack_is_due() {
    let mut bed = Bed::online();
    bed.say("a");
    bed.written();
    bed.pass(seconds(29));
    bed.end(None);
    bed.again(&ack(9, 0).recovered(true).text());
    for seq in 1..=9 {
        bed.pass(seconds(8));
        bed.read(&forwarded("qq", "x", seq));
    }
    assert_eq!(bed.written(), [message("a", 1)]);
    bed.pass(millis(29_999));
    assert!(matches!(bed.session.state(), State::Online { .. }));
    bed.pass(millis(1));
    assert_eq!(bed.waits().0, timed_out(Stage::Ack));
}

#[test]
fn what_is_never_acked_is_sent_three_times() {
    let mut bed = Bed::online();
    for text in ["a", "b", "c"] {
        bed.say(text);
    }
    for _ in 0..2 {
        assert_eq!(bed.written().len(), 3);
        assert_eq!(bed.sleep(), seconds(30));
        assert_eq!(bed.waits().0, timed_out(Stage::Ack));
        bed.again(&ack(0, 0).recovered(true).text());
        assert_eq!(bed.settled(), []);
    }
    assert_eq!(bed.written(), [message("a", 1), message("b", 2), message("c", 3)]);
    bed.say("d");
    bed.pass(seconds(1));
    assert_eq!(bed.written().len(), 1);
    assert_eq!(bed.sleep(), seconds(29));
    let unknown = |ticket| (ticket, SendError::FateUnknown, Fate::Unknown);
    assert_eq!(bed.failed(), [1, 2, 3].map(unknown), "all that was due");
    assert!(matches!(bed.session.state(), State::Online { .. }), "the connection is not to blame");
    assert_eq!(bed.sleep(), seconds(1));
    assert_eq!(bed.waits().0, timed_out(Stage::Ack), "it was sent once only");
}

#[test]
fn a_late_ack_of_what_was_given_up_is_nothing() {
    let mut bed = Bed::online();
    bed.say("a");
    for _ in 0..2 {
        bed.written();
        bed.sleep();
        bed.again(&ack(0, 0).recovered(true).text());
    }
    bed.written();
    bed.sleep();
    assert_eq!(bed.failed().len(), 1);
    bed.read(&acked(1, 1));
    assert_eq!(bed.settled(), []);
}

#[test]
fn what_is_refused_for_the_rate_does_not_count_as_sent() {
    let mut bed = Bed::online();
    bed.say("a");
    for _ in 0..5 {
        assert_eq!(bed.written().len(), 1);
        bed.read(&error(1, "rate-limited"));
        bed.sleep();
    }
    assert_eq!(bed.written().len(), 1);
    assert_eq!(bed.sleep(), seconds(30));
    assert_eq!(bed.waits().0, timed_out(Stage::Ack), "the line may be dead");
    bed.again(&ack(1, 0).recovered(true).text());
    bed.read(&acked(1, 1));
    assert_eq!(bed.settled(), [logged(1, 1)]);
}

#[test]
fn a_plain_server_acks_nothing() {
    let mut bed = Bed::new();
    bed.again(PLAIN_ACK);
    bed.say("a");
    bed.written();
    bed.pass(seconds(1000));
    assert_eq!(bed.session.want(), Want::Talk(1));
}

#[test]
fn all_of_them_can_be_set() {
    let mut bed = Bed::with(|settings| {
        let timeouts = &mut settings.timeouts;
        (timeouts.connect, timeouts.register) = (seconds(1), seconds(2));
        (timeouts.ack, timeouts.close) = (seconds(3), seconds(4));
    });
    assert_eq!(bed.sleep(), seconds(1));
    bed.open();
    assert_eq!(bed.sleep(), seconds(2));
    bed.again(&ack(0, 0).text());
    bed.say("a");
    bed.written();
    assert_eq!(bed.sleep(), seconds(3));
    bed.again(&ack(0, 0).recovered(true).text());
    bed.session.close(bed.now);
    assert_eq!(bed.sleep(), seconds(4));
    assert_eq!(bed.session.want(), Want::End);
}
