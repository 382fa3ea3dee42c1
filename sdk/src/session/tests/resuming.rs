//! What was sent and not answered when the connection broke.

use super::bed::{Bed, Outcome, PLAIN_ACK, ack, acked, error, forwarded, logged, message, seconds};
use super::test;
use crate::protocol::{ClientDelete, ClientEdit, ClientPacket, ClientReceipt, ReceiptStatus};
use crate::session::{Fate, SendError, WhenFull};

const NOTHING: [&str; 0] = [];

/// A client whose connection broke when three messages were on their way, and entry 5 was the last it knew.
fn broken() -> Bed {
    let mut bed = Bed::online_with(&ack(5, 5), |_| {});
    for text in ["a", "b", "c"] {
        bed.say(text);
    }
    assert_eq!(bed.written().len(), 3);
    bed.end(None);
    assert_eq!(bed.settled(), []);
    bed
}

/// Its connection comes back to a replay that stands still before its end.
fn stalled() -> Bed {
    let mut bed = broken();
    bed.again(&ack(7, 5).recovered(true).text());
    bed.read(&forwarded("qq", "x", 6));
    bed.pass(seconds(10));
    bed
}

fn unknown(tickets: impl IntoIterator<Item = u64>) -> Vec<(u64, SendError, Fate)> {
    tickets.into_iter().map(|ticket| (ticket, SendError::FateUnknown, Fate::Unknown)).collect()
}

#[test]
fn it_is_sent_again_once_the_replay_is_through() {
    let mut bed = broken();
    bed.say("d");
    bed.again(&ack(7, 5).recovered(true).text());
    assert_eq!(bed.written(), NOTHING);
    bed.read(&forwarded("qq", "x", 6));
    assert_eq!(bed.written(), NOTHING);
    bed.read(&forwarded("qq", "y", 7));
    let again = [message("a", 1), message("b", 2), message("c", 3), message("d", 4)];
    assert_eq!(bed.written(), again, "the same ids, in the same order");
    assert_eq!(bed.settled(), []);
}

#[test]
fn without_a_replay_it_is_sent_again_at_once() {
    let mut bed = broken();
    bed.again(&ack(5, 5).recovered(true).text());
    assert_eq!(bed.written(), [message("a", 1), message("b", 2), message("c", 3)]);
}

#[test]
fn it_is_sent_again_in_the_order_in_which_it_was_given() {
    let mut bed = Bed::online_with(&ack(5, 5), |_| {});
    bed.reply(3, "a");
    bed.say("b");
    bed.reply(3, "c");
    bed.say("d");
    assert_eq!(bed.written().len(), 4);
    // These two go out once more, behind the others.
    bed.read(&error(1, "unknown-target"));
    bed.read(&error(3, "unknown-target"));
    assert_eq!(bed.written(), [message("a", 1), message("c", 3)]);
    bed.say("e");
    bed.end(None);
    bed.again(&ack(5, 5).recovered(true).text());
    let again = [message("a", 1), message("b", 2), message("c", 3), message("d", 4), message("e", 5)];
    assert_eq!(bed.written(), again);
    for id in [1, 3, 2, 5, 4] {
        bed.read(&acked(id, id + 5));
    }
    assert_eq!(bed.settled(), [1, 3, 2, 5, 4].map(|id| logged(id, id + 5)));
}

#[test]
fn what_the_replay_acks_is_not_sent_again() {
    let mut bed = broken();
    bed.again(&ack(7, 5).recovered(true).text());
    bed.read(&acked(1, 6));
    bed.read(&acked(3, 7));
    assert_eq!(bed.written(), [message("b", 2)]);
    assert_eq!(bed.settled(), [logged(1, 6), logged(3, 7)]);
    // A late repetition.
    bed.read(&acked(1, 6));
    assert_eq!(bed.settled(), []);
}

#[test]
fn an_entry_of_a_kind_nobody_knows_ends_the_replay_too() {
    let mut bed = broken();
    bed.again(&ack(6, 5).recovered(true).text());
    bed.read(r#"{"action":"forwarding-poll","seq":6}"#);
    assert_eq!(bed.written().len(), 3);
}

#[test]
fn a_break_in_the_replay_leaves_it_unanswered() {
    let mut bed = broken();
    bed.again(&ack(7, 5).recovered(true).text());
    bed.read(&acked(2, 6));
    bed.end(1001);
    let register = bed.again(&ack(8, 6).recovered(true).text());
    assert!(register.contains(r#""seq":6}"#));
    bed.read(&forwarded("qq", "x", 7));
    assert_eq!(bed.written(), NOTHING);
    bed.read(&acked(3, 8));
    assert_eq!(bed.written(), [message("a", 1)]);
    assert_eq!(bed.settled(), [logged(2, 6), logged(3, 8)]);
}

#[test]
fn if_nothing_is_recovered_its_fate_is_unknown() {
    let recovered = |recovered| ack(9, 5).recovered(recovered);
    for answer in [
        recovered(false),
        recovered(false).session("s2"),
        recovered(true).epoch("e2"),
        recovered(false).epoch("e2"),
        ack(9, 5),
        ack(4, 4).recovered(true),
    ] {
        let mut bed = broken();
        bed.say("d");
        bed.again(&answer.text());
        assert_eq!(bed.failed(), unknown(1..=3), "{}", answer.text());
        for seq in 5..=9 {
            bed.read(&forwarded("qq", "x", seq));
        }
        assert_eq!(bed.written(), [message("d", 4)]);
    }
    let mut bed = broken();
    bed.say("d");
    bed.again(PLAIN_ACK);
    assert_eq!(bed.failed(), unknown(1..=3));
    assert_eq!(bed.written(), [r#"{"action":"client-message","content":"d"}"#]);
}

#[test]
fn a_new_log_voids_what_refers_to_the_old_one() {
    let mut bed = Bed::online_with(&ack(5, 5), |_| {});
    bed.end(None);
    bed.reply(3, "a");
    bed.send(ClientPacket::Edit(ClientEdit::new(3, "x")));
    bed.send(ClientPacket::Delete(ClientDelete::new(3)));
    assert_eq!(bed.session.report(ClientReceipt::new(3, ReceiptStatus::Failed)), Ok(()));
    bed.say("b");
    bed.again(&ack(5, 5).recovered(false).epoch("e2").text());
    let gone = |ticket| (ticket, SendError::LogChanged, Fate::NotSent);
    assert_eq!(bed.failed(), [gone(2), gone(3)]);
    assert_eq!(bed.written(), [message("a", 1), message("b", 4)]);
}

#[test]
fn the_same_log_voids_nothing() {
    let mut bed = Bed::online_with(&ack(5, 5), |_| {});
    bed.end(None);
    bed.reply(3, "a");
    bed.send(ClientPacket::Edit(ClientEdit::new(3, "x")));
    bed.again(&ack(5, 5).recovered(false).session("s2").text());
    assert_eq!(bed.settled(), []);
    assert_eq!(
        bed.written(),
        [
            r#"{"action":"client-message","content":"a","id":"1","reply-to":3}"#,
            r#"{"action":"client-edit","target":3,"content":"x","id":"2"}"#
        ]
    );
}

#[test]
fn numbers_that_were_given_before_the_first_ack_hold() {
    let mut bed = Bed::new();
    bed.reply(3, "a");
    bed.again(&ack(5, 5).text());
    assert_eq!(bed.written(), [r#"{"action":"client-message","content":"a","id":"1","reply-to":3}"#]);
}

#[test]
fn a_replay_that_stands_still_is_not_waited_for() {
    let mut bed = broken();
    bed.again(&ack(7, 5).recovered(true).text());
    bed.pass(seconds(9));
    bed.read(&forwarded("qq", "x", 6));
    bed.pass(seconds(9));
    assert_eq!(bed.written(), NOTHING, "it did not stand still");
    assert_eq!(bed.sleep(), seconds(1));
    assert_eq!(bed.written(), [message("a", 1), message("b", 2), message("c", 3)]);
    // It may have been entered all the same: then this is the first one's ack.
    bed.read(&acked(1, 7));
    assert_eq!(bed.settled(), [logged(1, 7)]);
}

#[test]
fn the_end_of_such_a_replay_is_no_proof() {
    let mut bed = stalled();
    // Entry 7 was ours: the packets that are on their way are not sent a third time.
    assert_eq!(bed.written().len(), 3);
    bed.read(&forwarded("qq", "x", 8));
    assert_eq!(bed.written(), NOTHING);
}

#[test]
fn after_such_a_replay_the_fate_is_unknown() {
    for is_written in [false, true] {
        let mut bed = stalled();
        bed.say("d");
        if is_written {
            assert_eq!(bed.written().len(), 4);
        }
        bed.end(None);
        bed.again(&ack(8, 8).recovered(false).session("s2").text());
        assert_eq!(bed.failed(), unknown(if is_written { 1..=4 } else { 1..=3 }));
        assert_eq!(bed.written(), if is_written { vec![] } else { vec![message("d", 4)] });
    }
}

#[test]
fn what_is_closed_after_such_a_replay_has_an_unknown_fate() {
    let mut bed = stalled();
    bed.say("d");
    bed.session.close(bed.now);
    bed.end(None);
    let mut failed = bed.failed();
    assert_eq!(failed.pop(), Some((4, SendError::Closed, Fate::NotSent)));
    assert_eq!(failed, unknown(1..=3));
}

#[test]
fn an_ack_after_such_a_replay_is_one_before_the_packet_is_sent_again() {
    let mut bed = stalled();
    bed.read(&acked(2, 7));
    assert_eq!(bed.settled(), [logged(2, 7)]);
    assert_eq!(bed.written(), [message("a", 1), message("c", 3)]);
}

#[test]
fn a_whole_replay_after_such_a_replay_is_proof() {
    let mut bed = stalled();
    bed.end(None);
    bed.again(&ack(7, 6).recovered(true).text());
    assert_eq!(bed.written(), NOTHING);
    bed.read(&acked(2, 7));
    bed.session.close(bed.now);
    bed.end(None);
    let settled = bed.settled();
    assert_eq!(settled[0], logged(2, 7));
    let fate = |(ticket, outcome): &(u64, Outcome)| (*ticket, outcome.clone().unwrap_err().fate);
    let fates: Vec<_> = settled[1..].iter().map(fate).collect();
    assert_eq!(fates, [(1, Fate::NotSent), (3, Fate::NotSent)]);
}

#[test]
fn what_is_refused_after_such_a_replay_was_not_entered() {
    let mut bed = stalled();
    bed.written();
    bed.read(&error(1, "not-allowed"));
    bed.read(&error(2, "rate-limited"));
    bed.session.close(bed.now);
    bed.end(None);
    let fates: Vec<_> = bed.failed().into_iter().map(|(ticket, _, fate)| (ticket, fate)).collect();
    assert_eq!(fates, [(1, Fate::NotSent), (3, Fate::Unknown), (2, Fate::NotSent)]);
}

#[test]
fn what_is_too_big_after_such_a_replay_may_have_arrived() {
    let mut bed = Bed::online_with(&ack(5, 5), |_| {});
    bed.say(&"x".repeat(200));
    bed.written();
    bed.end(None);
    bed.again(&ack(6, 5).recovered(true).limits(r#""packet-bytes":100"#).text());
    bed.pass(seconds(10));
    assert_eq!(bed.written(), NOTHING);
    let (ticket, error, fate) = bed.failed().remove(0);
    assert!(matches!(error, SendError::TooBig { max: 100, .. }));
    assert_eq!((ticket, fate), (1, Fate::Unknown));
}

#[test]
fn what_may_be_on_its_way_does_not_give_way() {
    let mut bed = Bed::online_with(&ack(5, 5), |settings| {
        settings.outbox.messages = 3;
        settings.outbox.when_full = WhenFull::DropOldest;
    });
    bed.say("a");
    bed.say("b");
    bed.written();
    bed.end(None);
    bed.again(&ack(6, 5).recovered(true).text());
    bed.pass(seconds(10));
    bed.say("c");
    bed.say("d");
    assert_eq!(bed.failed(), [(3, SendError::OutboxFull, Fate::NotSent)]);
    assert_eq!(bed.written(), [message("a", 1), message("b", 2), message("d", 4)]);
}
