//! What is sent to a router that speaks rich, and what becomes of it.

use super::bed::{Bed, ack, acked, error, forwarded, logged, message, millis, seconds};
use super::test;
use crate::protocol::{
    ClientDelete, ClientEdit, ClientMessage, ClientPacket, ClientReceipt, DecodeError, ErrorCode,
    ReceiptStatus,
};
use crate::session::{Event, Fate, SendError};

const NOTHING: [&str; 0] = [];

#[test]
fn a_message_is_acked() {
    let mut bed = Bed::online();
    let ticket = bed.say("hi");
    assert_eq!(bed.written(), [r#"{"action":"client-message","content":"hi","id":"1"}"#]);
    bed.flush();
    assert_eq!(bed.settled(), [], "to be written is not to be logged");
    bed.read(&acked(ticket, 1));
    assert_eq!(bed.settled(), [logged(ticket, 1)]);
}

#[test]
fn edits_and_deletes_are_acked() {
    let mut bed = Bed::online();
    let edit = bed.send(ClientPacket::Edit(ClientEdit::new(7, "x")));
    let delete = bed.send(ClientPacket::Delete(ClientDelete::new(7)));
    assert_eq!(
        bed.written(),
        [
            r#"{"action":"client-edit","target":7,"content":"x","id":"1"}"#,
            r#"{"action":"client-delete","target":7,"id":"2"}"#
        ]
    );
    bed.read(&acked(edit, 8));
    bed.read(&acked(delete, 9));
    assert_eq!(bed.settled(), [logged(edit, 8), logged(delete, 9)]);
}

#[test]
fn the_id_is_the_clients_own() {
    let mut bed = Bed::online();
    let mut mine = ClientMessage::new("hi");
    mine.id = Some("mine".to_owned());
    bed.send(ClientPacket::Message(mine));
    assert_eq!(bed.written(), [message("hi", 1)]);
}

#[test]
fn a_receipt_has_no_answer() {
    let mut bed = Bed::online();
    assert_eq!(bed.session.report(ClientReceipt::new(3, ReceiptStatus::Delivered)), Ok(()));
    let written = bed.written();
    assert_eq!(written, [r#"{"action":"client-receipt","target":3,"status":"delivered"}"#]);
    assert!(bed.session.has_settled(bed.session.last_sent()));
    assert!(bed.session.outbox.is_empty());
}

#[test]
fn ids_go_on_counting_in_the_next_session() {
    let mut bed = Bed::online();
    bed.say("a");
    assert_eq!(bed.written(), [message("a", 1)]);
    bed.end(None);
    bed.again(&ack(0, 0).recovered(false).session("s2").text());
    bed.say("b");
    assert_eq!(bed.written(), [message("b", 2)]);
}

#[test]
fn nothing_is_sent_before_the_ack() {
    let mut bed = Bed::new();
    bed.say("a");
    assert_eq!(bed.written(), NOTHING);
    bed.open();
    bed.say("b");
    assert_eq!(bed.written(), NOTHING);
    bed.read(&ack(0, 0).text());
    assert_eq!(bed.written(), [message("a", 1), message("b", 2)]);
}

#[test]
fn nothing_is_sent_during_a_replay() {
    let mut bed = Bed::with(|settings| settings.history = 5);
    bed.say("a");
    bed.again(&ack(9, 7).text());
    assert_eq!(bed.written(), NOTHING);
    bed.read(&forwarded("qq", "x", 8));
    assert_eq!(bed.written(), NOTHING);
    bed.read(&forwarded("qq", "y", 9));
    assert_eq!(bed.written(), [message("a", 1)]);
}

#[test]
fn acks_come_in_any_order_and_again() {
    let mut bed = Bed::online();
    for _ in 0..3 {
        bed.say("x");
    }
    bed.written();
    for (id, seq) in [(3, 3), (1, 1), (3, 3), (1, 7)] {
        bed.read(&acked(id, seq));
    }
    assert_eq!(bed.settled(), [logged(3, 3), logged(1, 1)]);
    bed.read(&acked(2, 2));
    assert_eq!(bed.settled(), [logged(2, 2)]);
}

#[test]
fn ids_that_nobody_waits_for_are_nothing() {
    let mut bed = Bed::online();
    bed.say("x");
    for id in ["0", "2", "-1", "x", "1 ", " 1", "18446744073709551616"] {
        bed.read(&format!(r#"{{"action":"message-ack","id":"{id}","seq":1,"time":1}}"#));
    }
    // Not even that of a message that was never sent.
    bed.read(&acked(1, 1));
    assert_eq!(bed.settled(), []);
    assert_eq!(bed.written(), [message("x", 1)]);
}

#[test]
fn a_refusal_is_told_and_the_text_handed_back() {
    for (word, code) in [("not-allowed", ErrorCode::NotAllowed), ("later", ErrorCode::Other("later".into()))]
    {
        let mut bed = Bed::online();
        let ticket = bed.say("hi");
        bed.written();
        bed.read(&error(ticket, word));
        let (_, outcome) = bed.settled().remove(0);
        let failure = outcome.unwrap_err();
        assert_eq!(failure.error, SendError::Refused { code, reason: "because".to_owned() });
        assert_eq!(failure.fate, Fate::NotSent);
        assert_eq!(*failure.packet, ClientPacket::Message(ClientMessage::new("hi")), "without an id");
        assert_eq!((failure.text(), failure.code()), ("hi", word));
        // The second answer is to nothing.
        bed.read(&error(ticket, word));
        assert_eq!(bed.settled(), []);
        assert!(matches!(bed.news()[..], [Event::Refused(_)]));
    }
}

#[test]
fn a_reply_that_is_refused_is_handed_back_as_it_was() {
    let mut bed = Bed::online();
    bed.reply(3, "yes");
    bed.written();
    bed.read(&error(1, "not-allowed"));
    assert_eq!(bed.written(), NOTHING);
    let (_, outcome) = bed.settled().remove(0);
    let mut reply = ClientMessage::new("yes");
    reply.reply_to = Some(3);
    assert_eq!(*outcome.unwrap_err().packet, ClientPacket::Message(reply));
}

#[test]
fn what_is_rate_limited_goes_back_to_its_place_after_a_pause() {
    let mut bed = Bed::online();
    for text in ["a", "b", "c"] {
        bed.say(text);
    }
    assert_eq!(bed.written().len(), 3);
    bed.say("d");
    bed.read(&error(2, "rate-limited"));
    bed.read(&acked(1, 1));
    assert_eq!(bed.written(), NOTHING);
    bed.read(&error(3, "rate-limited"));
    assert_eq!(bed.sleep(), seconds(1), "what was on its way makes it no longer");
    assert_eq!(bed.written(), [message("b", 2)], "one at a time");
    bed.pass(seconds(9));
    assert_eq!(bed.written(), NOTHING);
    bed.read(&acked(2, 2));
    assert_eq!(bed.written(), [message("c", 3), message("d", 4)]);
    assert_eq!(bed.news(), []);
    assert_eq!(bed.settled(), [logged(1, 1), logged(2, 2)]);
}

#[test]
fn the_pause_doubles_until_something_is_acked() {
    let mut bed = Bed::online();
    bed.say("a");
    bed.say("b");
    assert_eq!(bed.written().len(), 2);
    bed.read(&error(1, "rate-limited"));
    bed.read(&error(2, "rate-limited"));
    for pause in [1, 2, 4, 8, 16, 30, 30] {
        assert_eq!(bed.sleep(), seconds(pause));
        assert_eq!(bed.written(), [message("a", 1)]);
        bed.read(&error(1, "rate-limited"));
    }
    bed.sleep();
    assert_eq!(bed.written(), [message("a", 1)]);
    bed.read(&acked(1, 1));
    assert_eq!(bed.written(), [message("b", 2)]);
    bed.read(&error(2, "rate-limited"));
    assert_eq!(bed.sleep(), seconds(1), "anew");
}

#[test]
fn an_ack_of_what_was_sent_before_is_no_permission() {
    let mut bed = Bed::online();
    for text in ["a", "b", "c"] {
        bed.say(text);
    }
    assert_eq!(bed.written().len(), 3);
    bed.read(&error(2, "rate-limited"));
    bed.read(&acked(1, 1));
    bed.pass(seconds(1));
    // Its answer, too, is on its way.
    assert_eq!(bed.written(), NOTHING);
    bed.read(&acked(3, 2));
    bed.say("d");
    assert_eq!(bed.written(), [message("b", 2)]);
}

#[test]
fn a_new_connection_is_no_permission_either() {
    let mut bed = Bed::online();
    bed.say("a");
    bed.say("b");
    bed.written();
    bed.read(&error(1, "rate-limited"));
    bed.read(&error(2, "rate-limited"));
    bed.sleep();
    assert_eq!(bed.written(), [message("a", 1)]);
    bed.end(4529);
    bed.again(&ack(0, 0).recovered(true).text());
    bed.pass(seconds(2));
    assert_eq!(bed.written(), [message("a", 1)]);
    bed.read(&error(1, "rate-limited"));
    assert_eq!(bed.sleep(), seconds(4), "the close was a refusal, too");
    assert_eq!(bed.written(), [message("a", 1)]);
}

/// The router's bound on bytes, of which the ack says nothing: who goes on is closed.
#[test]
fn a_bound_that_nobody_told_is_not_run_against() {
    const BURST: u32 = 5;
    let (rate, burst) = (2000, 2000);
    let mut bed = Bed::online_with(&ack(0, 0).rate(1, BURST.into()), |_| {});
    let started = bed.now;
    let mut full_at = bed.now;
    let mut refused = 0;
    let mut arrived = Vec::new();
    bed.say(&"x".repeat(20_000));
    bed.say("two");
    bed.say("words");
    while arrived.len() < 3 {
        let packets = bed.written();
        if packets.is_empty() {
            bed.sleep();
        }
        for packet in packets {
            let id = (1..=3).find(|id| packet.contains(&format!(r#""id":"{id}""#))).unwrap();
            if full_at > bed.now + millis(1000 * burst / rate) {
                refused += 1;
                assert!(refused <= BURST, "closed with 4529");
                bed.read(&error(id, "rate-limited"));
            } else {
                full_at = full_at.max(bed.now) + millis(1000 * packet.len() as u64 / rate);
                arrived.push(id);
                bed.read(&acked(id, arrived.len() as u64));
            }
        }
    }
    assert_eq!(arrived, [1, 2, 3]);
    assert!(bed.now < started + seconds(30));
}

#[test]
fn what_is_rate_limited_was_not_sent() {
    let mut bed = Bed::online();
    bed.say("a");
    bed.written();
    bed.read(&error(1, "rate-limited"));
    bed.session.close(bed.now);
    bed.end(None);
    assert_eq!(bed.failed(), [(1, SendError::Closed, Fate::NotSent)]);
}

#[test]
fn a_rate_limit_without_an_id_pauses_and_is_told() {
    let mut bed = Bed::online();
    bed.read(r#"{"action":"error","code":"rate-limited","reason":"too much"}"#);
    bed.say("a");
    assert_eq!(bed.written(), NOTHING);
    assert!(matches!(bed.news()[..], [Event::Refused(_)]));
    bed.pass(seconds(1));
    assert_eq!(bed.written().len(), 1);
}

#[test]
fn a_reply_to_what_is_gone_is_sent_as_none() {
    let mut bed = Bed::online_with(&ack(5, 5), |_| {});
    bed.reply(3, "yes");
    bed.say("next");
    let reply = r#"{"action":"client-message","content":"yes","id":"1","reply-to":3}"#;
    assert_eq!(bed.written(), [reply.to_owned(), message("next", 2)]);
    bed.say("third");
    bed.read(&error(1, "unknown-target"));
    assert_eq!(bed.written(), [message("yes", 1), message("third", 3)], "at once, and first");
    bed.read(&acked(1, 7));
    assert_eq!(bed.settled(), [logged(1, 7)]);
    assert_eq!(bed.news(), []);
}

#[test]
fn an_unknown_target_of_anything_else_is_a_refusal() {
    let mut bed = Bed::online();
    bed.send(ClientPacket::Edit(ClientEdit::new(7, "x")));
    bed.say("no reply");
    bed.reply(3, "reply");
    bed.written();
    for id in 1..=3 {
        bed.read(&error(id, "unknown-target"));
    }
    assert_eq!(bed.written(), [message("reply", 3)]);
    // Once more than that makes no sense of it.
    bed.read(&error(3, "unknown-target"));
    assert_eq!(bed.written(), NOTHING);
    let refused = SendError::Refused { code: ErrorCode::UnknownTarget, reason: "because".to_owned() };
    let expected: Vec<_> = (1..=3).map(|id| (id, refused.clone(), Fate::NotSent)).collect();
    assert_eq!(bed.failed(), expected);
}

#[test]
fn what_no_server_takes_is_refused_at_once() {
    let mut bed = Bed::new();
    let ticket = bed.say("");
    let error = SendError::Invalid(DecodeError::Empty { field: "content" });
    assert_eq!(bed.failed(), [(ticket, error, Fate::NotSent)]);
    let mut receipt = ClientReceipt::new(1, ReceiptStatus::Failed);
    receipt.reason = Some("x".repeat(1025));
    let outcome = bed.session.report(receipt);
    assert!(matches!(outcome, Err(SendError::Invalid(DecodeError::TooLong { .. }))), "{outcome:?}");
    assert_eq!(bed.settled(), []);
}

const SMALL: &str = r#""packet-bytes":100"#;

#[test]
fn what_is_too_big_is_refused_when_it_is_given() {
    let mut bed = Bed::online_with(&ack(0, 0).limits(SMALL), |_| {});
    bed.say(&"x".repeat(101));
    assert_eq!(bed.failed(), [(1, SendError::TooBig { size: 101, max: 100 }, Fate::NotSent)]);
}

#[test]
fn what_is_too_big_as_a_packet_is_refused_when_it_is_its_turn() {
    let mut bed = Bed::online_with(&ack(0, 0).limits(SMALL), |_| {});
    let largest = 100 - message("", 1).len();
    bed.say(&"x".repeat(largest));
    bed.say(&"x".repeat(largest + 1));
    bed.say(&"\\\"".repeat(20));
    bed.say("after");
    let written = bed.written();
    assert_eq!(written.iter().map(String::len).max(), Some(100));
    assert_eq!(written.len(), 2);
    assert_eq!(
        bed.failed(),
        [
            (2, SendError::TooBig { size: 101, max: 100 }, Fate::NotSent),
            (3, SendError::TooBig { size: largest_of_quotes(), max: 100 }, Fate::NotSent)
        ]
    );
}

/// The size of the packet that 20 backslashes and 20 quotes make.
fn largest_of_quotes() -> usize {
    message("", 3).len() + 80
}

#[test]
fn what_was_given_before_is_checked_against_the_routers_limit() {
    let mut bed = Bed::new();
    bed.say(&"x".repeat(200));
    bed.say("after");
    bed.again(&ack(0, 0).limits(SMALL).text());
    assert_eq!(bed.written(), [message("after", 2)]);
    let size = message("", 1).len() + 200;
    assert_eq!(bed.failed(), [(1, SendError::TooBig { size, max: 100 }, Fate::NotSent)]);
}

#[test]
fn so_many_are_on_their_way_and_no_more() {
    let mut bed = Bed::online();
    for _ in 0..600 {
        bed.say("x");
    }
    assert_eq!(bed.written().len(), 512);
    bed.read(&acked(1, 1));
    bed.read(&acked(2, 2));
    assert_eq!(bed.written(), [message("x", 513), message("x", 514)]);
    bed.read(&error(3, "not-allowed"));
    assert_eq!(bed.written(), [message("x", 515)]);
    assert_eq!(bed.settled().len(), 3);
}

#[test]
fn so_many_bytes_are_on_their_way_and_no_more() {
    let mut bed = Bed::online();
    for _ in 0..6 {
        bed.say(&"x".repeat(100 * 1024));
    }
    // What goes beyond 256 KiB is the last.
    assert_eq!(bed.written().len(), 3);
    bed.read(&acked(2, 1));
    assert_eq!(bed.written().len(), 1);
    assert_eq!(bed.written().len(), 0);
    // One is sent, however large it is.
    let mut bed = Bed::online();
    bed.say(&"x".repeat(1000 * 1024));
    bed.say("y");
    assert_eq!(bed.written().len(), 1);
    bed.read(&acked(1, 1));
    assert_eq!(bed.written().len(), 1);
}

#[test]
fn it_is_known_what_is_settled() {
    let mut bed = Bed::online();
    bed.say("a");
    let first = bed.session.last_sent();
    bed.say("b");
    let second = bed.session.last_sent();
    bed.written();
    assert!(!bed.session.has_settled(first) && !bed.session.has_settled(second));
    bed.read(&acked(2, 1));
    assert!(!bed.session.has_settled(first) && !bed.session.has_settled(second));
    bed.say("c");
    bed.read(&acked(1, 2));
    assert!(bed.session.has_settled(first) && bed.session.has_settled(second));
    assert!(!bed.session.has_settled(bed.session.last_sent()), "it waits");
    // Of two that were on their way, the one that was refused and is sent again is the older.
    bed.say("d");
    bed.written();
    bed.read(&error(3, "rate-limited"));
    bed.read(&acked(4, 3));
    assert!(!bed.session.has_settled(3));
    bed.pass(seconds(1));
    assert_eq!(bed.written(), [message("c", 3)]);
    assert!(!bed.session.has_settled(3));
}
