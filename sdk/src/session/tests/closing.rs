//! How a client ends when it is asked to.

use super::bed::{Bed, PLAIN_ACK, ack, acked, error, logged, message, millis, seconds};
use super::test;
use crate::protocol::{ClientReceipt, ReceiptStatus};
use crate::session::{Confirmation, ConnectError, Event, Fate, Gap, GapCause, SendError, Side, State, Want};

const BY_US: (Side, Option<ConnectError>) = (Side::Client, None);

#[test]
fn without_a_connection_it_ends_at_once() {
    let mut connecting = Bed::new();
    connecting.session.close(connecting.now);
    let mut waiting = Bed::new();
    waiting.open();
    waiting.end(None);
    waiting.session.close(waiting.now);
    for bed in [connecting, waiting] {
        assert_eq!(bed.session.want(), Want::End);
        assert_eq!(bed.closed(), BY_US);
        assert_eq!(bed.session.wake_at(bed.now), None);
    }
}

#[test]
fn with_one_it_waits_for_the_answer() {
    for is_registered in [false, true] {
        let mut bed = Bed::new();
        bed.open();
        if is_registered {
            bed.read(&ack(0, 0).text());
        }
        bed.session.close(bed.now);
        assert_eq!(bed.session.want(), Want::Close(1));
        assert!(!bed.session.state().is_closed());
        bed.end(if is_registered { Some(1000) } else { None });
        assert_eq!(bed.closed(), BY_US);
    }
}

#[test]
fn but_not_for_long() {
    let mut bed = Bed::online();
    bed.session.close(bed.now);
    bed.pass(seconds(3));
    bed.session.close(bed.now);
    assert_eq!(bed.sleep(), seconds(2), "the second time changes nothing");
    assert_eq!(bed.session.want(), Want::End);
    assert_eq!(bed.closed(), BY_US);
}

#[test]
fn what_ends_it_meanwhile_is_no_news() {
    for code in [None, Some(1001), Some(4401), Some(4409)] {
        let mut bed = Bed::online();
        bed.session.close(bed.now);
        bed.end(code);
        assert_eq!(bed.closed(), BY_US);
    }
}

#[test]
fn an_ack_on_the_way_counts() {
    let mut bed = Bed::online();
    bed.say("a");
    bed.say("b");
    bed.written();
    bed.session.close(bed.now);
    bed.read(&acked(1, 1));
    bed.read(&error(2, "not-allowed"));
    bed.read("?");
    assert_eq!(bed.settled(), [logged(1, 1)]);
    bed.end(1000);
    assert_eq!(bed.failed(), [(2, SendError::FateUnknown, Fate::Unknown)]);
}

#[test]
fn what_is_sent_after_it_is_refused() {
    let mut bed = Bed::online();
    bed.session.close(bed.now);
    bed.say("a");
    assert_eq!(bed.failed(), [(1, SendError::Closed, Fate::NotSent)]);
    let receipt = ClientReceipt::new(1, ReceiptStatus::Delivered);
    assert_eq!(bed.session.report(receipt.clone()), Err(SendError::Closed));
    assert_eq!(bed.written(), [""; 0]);
    bed.end(None);
    assert_eq!(bed.session.report(receipt), Err(SendError::Closed));
}

#[test]
fn nothing_is_written_after_it() {
    let mut bed = Bed::online();
    bed.say("a");
    bed.session.close(bed.now);
    assert_eq!(bed.written(), [""; 0]);
    bed.end(1000);
    assert_eq!(bed.failed(), [(1, SendError::Closed, Fate::NotSent)]);
}

#[test]
fn it_may_be_given_up_at_any_time() {
    for steps in 0..6 {
        let mut bed = Bed::new();
        for step in 0..steps {
            match step {
                0 => {
                    bed.open();
                }
                1 => bed.read(&ack(0, 0).text()),
                2 => bed.end(None),
                3 => bed.session.drain(bed.now + seconds(9)),
                _ => bed.session.close(bed.now),
            }
        }
        bed.session.abandon();
        assert_eq!(bed.closed(), BY_US);
        assert_eq!(bed.session.want(), Want::End);
        let closings = bed.states().into_iter().filter(State::is_closed).count();
        assert_eq!(closings, 1);
    }
}

#[test]
fn a_client_with_nothing_to_say_drains_at_once() {
    let mut bed = Bed::online();
    bed.session.drain(bed.now + seconds(9));
    bed.tick();
    assert_eq!(bed.session.want(), Want::Close(1));
    bed.end(1000);
    assert_eq!(bed.states(), [State::Draining, State::Closed { by: Side::Client, cause: None }]);
    let mut bed = Bed::new();
    bed.session.drain(bed.now + seconds(9));
    bed.tick();
    assert_eq!(bed.closed(), BY_US);
}

#[test]
fn a_client_drains_when_all_is_answered() {
    let mut bed = Bed::online();
    bed.say("a");
    bed.say("b");
    bed.session.drain(bed.now + seconds(9));
    bed.tick();
    assert_eq!(bed.session.state(), &State::Draining);
    bed.say("late");
    assert_eq!(bed.failed(), [(3, SendError::Closed, Fate::NotSent)]);
    assert_eq!(bed.written(), [message("a", 1), message("b", 2)]);
    bed.flush();
    bed.read(&acked(1, 1));
    assert_eq!(bed.session.want(), Want::Talk(1));
    bed.read(&acked(2, 2));
    assert_eq!(bed.session.want(), Want::Close(1));
    assert_eq!(bed.settled(), [logged(1, 1), logged(2, 2)]);
    bed.end(1000);
    assert_eq!(bed.closed(), BY_US);
}

#[test]
fn in_plain_when_all_is_written() {
    let mut bed = Bed::new();
    bed.again(PLAIN_ACK);
    bed.say("a");
    bed.session.drain(bed.now + seconds(9));
    bed.tick();
    bed.written();
    bed.tick();
    assert_eq!(bed.session.want(), Want::Talk(1));
    bed.flush();
    assert_eq!(bed.session.want(), Want::Close(1));
    assert_eq!(bed.settled(), [(1, Ok(Confirmation::Written))]);
}

#[test]
fn it_drains_until_its_deadline() {
    let mut bed = Bed::online();
    bed.say("a");
    bed.written();
    bed.session.drain(bed.now + seconds(9));
    bed.session.drain(bed.now + seconds(4));
    bed.session.drain(bed.now + seconds(20));
    assert_eq!(bed.sleep(), seconds(4), "the earliest counts");
    assert_eq!(bed.session.want(), Want::Close(1));
    bed.read(&acked(1, 1));
    assert_eq!(bed.settled(), [logged(1, 1)]);
    bed.end(1000);
    assert_eq!(bed.states(), [State::Draining, State::Closed { by: Side::Client, cause: None }]);
}

#[test]
fn a_deadline_that_is_over_is_one() {
    let mut bed = Bed::online();
    bed.say("a");
    bed.session.drain(bed.now.saturating_sub(millis(1)));
    bed.tick();
    assert_eq!(bed.session.want(), Want::Close(1));
}

#[test]
fn it_connects_to_drain() {
    let mut bed = Bed::online();
    bed.say("a");
    bed.written();
    bed.end(None);
    bed.events();
    bed.session.drain(bed.now + seconds(20));
    let register = bed.again(&ack(3, 2).recovered(false).session("s2").epoch("e2").text());
    assert!(register.contains("resume"));
    assert_eq!(bed.failed(), [(1, SendError::FateUnknown, Fate::Unknown)]);
    let gap = Event::Gap(Gap { cause: GapCause::NewLog, missed: None });
    assert_eq!(bed.events(), [Event::State(State::Draining), gap], "it is draining all the while");
    assert_eq!(bed.session.state(), &State::Draining);
    assert_eq!(bed.session.want(), Want::Close(2));
}

#[test]
fn it_drains_without_a_connection_until_its_deadline() {
    for is_waiting in [true, false] {
        let mut bed = Bed::new();
        bed.say("a");
        if is_waiting {
            bed.open();
            bed.end(None);
        }
        bed.session.drain(bed.now + millis(100));
        bed.pass(millis(100));
        assert_eq!(bed.closed(), BY_US);
        assert_eq!(bed.failed(), [(1, SendError::Closed, Fate::NotSent)]);
    }
}

#[test]
fn receipts_go_as_far_as_they_can_at_once_and_are_not_waited_for() {
    let report = |bed: &mut Bed| bed.session.report(ClientReceipt::new(1, ReceiptStatus::Delivered)).unwrap();
    let mut bed = Bed::online_with(&ack(0, 0).rate(1, 5), |_| {});
    bed.say("a");
    for _ in 0..9 {
        report(&mut bed);
    }
    bed.session.drain(bed.now + seconds(20));
    bed.tick();
    assert_eq!(bed.written().len(), 3);
    bed.read(&acked(1, 1));
    assert_eq!(bed.session.want(), Want::Close(1));

    let mut bed = Bed::online();
    report(&mut bed);
    bed.session.drain(bed.now + seconds(20));
    bed.tick();
    assert_eq!(bed.session.want(), Want::Talk(1), "it can go at once");
    assert_eq!(bed.written().len(), 1);
    bed.tick();
    assert_eq!(bed.session.want(), Want::Close(1));

    let mut bed = Bed::new();
    report(&mut bed);
    bed.session.drain(bed.now + seconds(20));
    bed.tick();
    assert_eq!(bed.closed(), BY_US, "without a connection");
}

#[test]
fn whoever_refuses_it_while_it_drains_is_told() {
    let mut bed = Bed::online();
    bed.say("a");
    bed.session.drain(bed.now + seconds(9));
    bed.end(4401);
    let (by, cause) = bed.closed();
    assert_eq!(by, Side::Server);
    assert!(matches!(cause, Some(ConnectError::Closed { code: 4401, .. })));
}

#[test]
fn to_close_is_faster_than_to_drain() {
    let mut bed = Bed::online();
    bed.say("a");
    bed.session.drain(bed.now + seconds(9));
    bed.session.close(bed.now);
    assert_eq!(bed.session.want(), Want::Close(1));
    bed.pass(seconds(5));
    assert_eq!(bed.closed(), BY_US);
    bed.session.drain(bed.now + seconds(9));
    bed.session.close(bed.now);
    bed.pass(seconds(20));
    assert_eq!(bed.states(), [State::Draining, State::Closed { by: Side::Client, cause: None }]);
}
