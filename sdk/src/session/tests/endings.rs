//! The ways in which a connection ends, and what each of them means for the client and for what it has sent.

use super::bed::{Bed, PLAIN_ACK, ack, message, seconds};
use super::test;
use crate::protocol::{CloseCode, is_terminal};
use crate::session::{ConnectError, Fate, Reconnect, SendError, Side, Stage, State};

fn closed(code: u16) -> ConnectError {
    ConnectError::Closed { code, reason: "why".to_owned() }
}

/// A client with one message on its way and one that waits, as its window is full of the first.
fn busy() -> Bed {
    let mut bed = Bed::online();
    bed.say(&"x".repeat(300 * 1024));
    bed.say("b");
    assert_eq!(bed.written().len(), 1);
    bed
}

/// That one is unknown, the other one not sent, and that this is all.
fn assert_fates(bed: &mut Bed) {
    let error = bed.closed().1.map_or(SendError::Closed, |cause| SendError::Ended { cause });
    assert_eq!(bed.failed(), [(1, SendError::FateUnknown, Fate::Unknown), (2, error, Fate::NotSent)]);
}

#[test]
fn a_terminal_code_ends_the_client() {
    for code in [1002, 1003, 1007, 4400, 4401, 4403, 4409, 4499] {
        let mut bed = busy();
        bed.end(code);
        assert_eq!(bed.closed(), (Side::Server, Some(closed(code))));
        assert_fates(&mut bed);
        let state = State::Closed { by: Side::Server, cause: Some(closed(code)) };
        assert_eq!(bed.states(), [state]);
        bed.pass(seconds(1000));
        bed.end(code);
        assert_eq!(bed.session.wake_at(bed.now), None);
        bed.say("late");
        let ended = SendError::Ended { cause: closed(code) };
        assert_eq!(bed.failed(), [(3, ended.clone(), Fate::NotSent)]);
        assert_eq!(ended.code(), "closed");
        assert!(ended.explain().contains(&format!("{code} why")), "{}", ended.explain());
        assert_eq!(bed.events(), []);

        let mut bed = Bed::new();
        bed.open();
        bed.say("a");
        bed.end(code);
        assert_eq!(bed.closed(), (Side::Server, Some(closed(code))));
        assert_eq!(bed.failed(), [(1, ended, Fate::NotSent)]);
    }
}

#[test]
fn after_any_other_code_it_comes_back() {
    for code in [1000, 1001, 1005, 1006, 1008, 1011, 3000, 4399, 4500, 4503, 4508, 4513, 4529] {
        let mut bed = busy();
        bed.end(code);
        assert_eq!(bed.waits().0, closed(code));
        bed.again(&ack(0, 0).recovered(true).text());
        assert!(matches!(bed.session.state(), State::Online { recovered: true, .. }));
        assert_eq!(bed.settled(), [], "{code}");
        assert_eq!(bed.written().len(), 1);
    }
}

#[test]
fn after_1009_the_largest_of_what_was_sent_is_not_sent_again() {
    let mut bed = Bed::online();
    for text in ["a", "too big", "b"] {
        bed.say(text);
    }
    bed.written();
    bed.say("larger, and not sent yet");
    bed.end(1009);
    assert_eq!(bed.waits().0, closed(1009));
    assert_eq!(bed.failed(), [(2, SendError::FateUnknown, Fate::Unknown)]);
    bed.again(&ack(0, 0).recovered(true).text());
    assert_eq!(bed.written(), [message("a", 1), message("b", 3), message("larger, and not sent yet", 4)]);
    // If nothing was on its way, it was something else.
    let mut bed = Bed::online();
    bed.say("a");
    bed.end(1009);
    assert_eq!(bed.settled(), []);
}

#[test]
fn every_code_has_one_of_the_two() {
    for code in (1000..1020).chain(2999..3002).chain(3999..5000) {
        let mut bed = Bed::online();
        bed.end(code);
        assert_eq!(bed.session.state().is_closed(), is_terminal(code), "{code}");
    }
    assert!(CloseCode::ALL.iter().any(|row| is_terminal(row.code())));
}

#[test]
fn without_a_code_it_comes_back() {
    let mut bed = busy();
    bed.end(None);
    assert_eq!(bed.waits().0, ConnectError::Lost);
    assert_eq!(bed.settled(), []);
}

#[test]
fn whatever_ends_it_for_good_each_message_has_its_fate() {
    type Ending = fn(&mut Bed);
    let endings: [Ending; 7] = [
        |bed| bed.end(4401),
        |bed| bed.session.abandon(),
        |bed| {
            bed.session.close(bed.now);
            bed.end(1000);
        },
        |bed| {
            bed.session.close(bed.now);
            bed.pass(seconds(5));
        },
        |bed| {
            bed.end(None);
            bed.session.close(bed.now);
        },
        |bed| {
            bed.end(None);
            bed.open();
            bed.session.close(bed.now);
            bed.end(None);
        },
        |bed| {
            bed.session.drain(bed.now + seconds(1));
            bed.pass(seconds(1));
            bed.end(None);
        },
    ];
    for (number, ending) in endings.into_iter().enumerate() {
        let mut bed = busy();
        ending(&mut bed);
        assert!(bed.session.state().is_closed(), "{number}");
        assert_fates(&mut bed);
        assert!(bed.session.has_settled(bed.session.last_sent()));
        let closings = bed.states().into_iter().filter(State::is_closed).count();
        assert_eq!(closings, 1, "{number}");
        bed.session.abandon();
        assert_eq!(bed.events(), []);
    }
}

#[test]
fn what_cannot_succeed_later_ends_the_client() {
    for error in [ConnectError::MixedContent, ConnectError::NoWebSocket, ConnectError::NoRuntime] {
        let mut bed = Bed::new();
        bed.fail(error.clone());
        assert_eq!(bed.closed(), (Side::Client, Some(error)));
    }
}

#[test]
fn a_register_that_is_too_big_is_so_again() {
    let mut bed = Bed::new();
    bed.open();
    bed.end(1009);
    assert_eq!(bed.closed(), (Side::Server, Some(closed(1009))));
    let mut bed = Bed::online();
    bed.end(None);
    bed.open();
    bed.end(1009);
    assert!(bed.session.state().is_closed());
}

#[test]
fn after_4529_it_waits_for_five_seconds_at_least() {
    for seed in 0..20 {
        let mut bed = Bed::seeded(seed, |_| {});
        bed.open();
        bed.end(4529);
        let (cause, wait) = bed.waits();
        assert_eq!(cause, closed(4529));
        assert!(wait >= seconds(5) && wait < seconds(6), "{wait:?}");
        assert_eq!(bed.sleep(), wait);
    }
}

#[test]
fn two_silent_closes_before_an_ack_are_a_refused_key() {
    let mut bed = Bed::new();
    for attempt in 1..5 {
        bed.open();
        bed.end(None);
        let (cause, _) = bed.waits();
        let expected = if attempt == 1 { ConnectError::Lost } else { ConnectError::KeyProbablyRefused };
        assert_eq!(cause, expected, "it goes on trying");
    }
    bed.again(&ack(0, 0).text());
    bed.end(None);
    assert_eq!(bed.waits().0, ConnectError::Lost, "that was after the ack");
    bed.open();
    bed.end(None);
    assert_eq!(bed.waits().0, ConnectError::Lost, "a success was between");
    bed.open();
    bed.end(None);
    assert_eq!(bed.waits().0, ConnectError::KeyProbablyRefused);
}

#[test]
fn closes_with_a_word_are_no_silent_ones() {
    let mut bed = Bed::new();
    for _ in 0..3 {
        bed.open();
        bed.end(1001);
        assert_eq!(bed.waits().0, closed(1001));
    }
    bed.open();
    bed.end(None);
    assert_eq!(bed.waits().0, ConnectError::Lost);
}

#[test]
fn silent_closes_after_the_ack_are_lost_connections() {
    let mut bed = Bed::new();
    for _ in 0..3 {
        bed.again(PLAIN_ACK);
        bed.end(None);
        assert_eq!(bed.waits().0, ConnectError::Lost);
    }
}

fn one_attempt() -> Bed {
    Bed::with(|settings| settings.one_attempt = true)
}

#[test]
fn one_attempt_fails_with_its_cause() {
    let unreachable = ConnectError::Unreachable { reason: "x".to_owned() };
    let mut bed = one_attempt();
    bed.fail(unreachable.clone());
    assert_eq!(bed.closed(), (Side::Client, Some(unreachable)));

    let mut bed = one_attempt();
    bed.pass(seconds(10));
    assert_eq!(bed.closed(), (Side::Client, Some(ConnectError::TimedOut(Stage::Connect))));

    let mut bed = one_attempt();
    bed.open();
    bed.end(4503);
    assert_eq!(bed.closed(), (Side::Server, Some(closed(4503))));

    // Nor does it promise another attempt, which there will not be.
    let mut bed = one_attempt();
    bed.open();
    bed.session.disconnected(Some(1000), "", bed.now);
    let (_, cause) = bed.closed();
    let explained = cause.map(|cause| cause.explain());
    assert_eq!(
        explained.as_deref(),
        Some("the server closed the connection: 1000. Another attempt may succeed.")
    );

    let mut bed = one_attempt();
    bed.again("?");
    assert_eq!(bed.closed(), (Side::Client, Some(ConnectError::NoRouter)));
    // The rest of what such a server says is read as well.
    bed.end(1001);
    assert_eq!(bed.states().into_iter().filter(State::is_closed).count(), 1);
}

#[test]
fn one_attempt_is_two_where_the_first_says_nothing() {
    let mut bed = one_attempt();
    bed.open();
    bed.end(None);
    assert_eq!(bed.waits().0, ConnectError::Lost);
    bed.open();
    bed.end(None);
    assert_eq!(bed.closed(), (Side::Client, Some(ConnectError::KeyProbablyRefused)));

    let mut bed = one_attempt();
    bed.open();
    bed.end(None);
    bed.sleep();
    bed.fail(ConnectError::Unreachable { reason: "x".to_owned() });
    assert!(bed.session.state().is_closed(), "the second one did say something");

    let mut bed = one_attempt();
    bed.open();
    bed.end(None);
    bed.open();
    bed.end(4401);
    assert_eq!(bed.closed(), (Side::Server, Some(closed(4401))));

    let mut bed = one_attempt();
    bed.open();
    bed.end(None);
    bed.again(PLAIN_ACK);
    assert!(matches!(bed.session.state(), State::Online { .. }));
}

#[test]
fn after_its_ack_it_comes_back_like_any_other() {
    let mut bed = one_attempt();
    bed.again(&ack(0, 0).text());
    for _ in 0..3 {
        bed.end(None);
        bed.open();
    }
    bed.end(4503);
    assert_eq!(bed.waits().0, closed(4503));
}

#[test]
fn never_is_never() {
    let mut bed = Bed::online_with(&ack(0, 0), |settings| settings.reconnect = Reconnect::never());
    bed.say("a");
    assert_eq!(bed.written(), [message("a", 1)]);
    bed.end(1001);
    assert_eq!(bed.closed(), (Side::Server, Some(closed(1001))));
    assert_eq!(bed.failed(), [(1, SendError::FateUnknown, Fate::Unknown)]);

    let mut bed = Bed::with(|settings| {
        (settings.reconnect, settings.one_attempt) = (Reconnect::never(), true);
    });
    bed.open();
    bed.end(None);
    assert_eq!(bed.closed(), (Side::Client, Some(ConnectError::Lost)));
}
