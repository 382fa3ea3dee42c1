//! What is heard, and where it leaves the cursor.

use super::bed::{Bed, PLAIN_ACK, ack, acked, forwarded};
use super::test;
use crate::protocol::{ErrorCode, ForwardingMessage, Place, Presence, PresenceStatus, Refusal};
use crate::session::{Event, Received};

/// The messages among the news: number, replay, own.
fn messages(bed: &mut Bed) -> Vec<(u64, bool, bool)> {
    let message = |event| match event {
        Event::Message(message) => (message.entry.place.unwrap().seq, message.replay, message.own),
        Event::Edit(edit) => (edit.place.seq, edit.replay, edit.own),
        Event::Delete(delete) => (delete.place.seq, delete.replay, delete.own),
        event => panic!("{event:?}"),
    };
    bed.news().into_iter().map(message).collect()
}

/// Where the client resumes if its connection breaks now.
fn cursor(bed: &mut Bed) -> u64 {
    bed.end(None);
    let register = bed.open();
    let seq = register.split(r#""seq":"#).nth(1).unwrap();
    seq.split('}').next().unwrap().parse().unwrap()
}

fn edit(name: &str, seq: u64) -> String {
    format!(
        r#"{{"action":"forwarding-edit","source-client-name":"{name}","target":1,"content":"x","seq":{seq},"time":1}}"#
    )
}

fn delete(name: &str, seq: u64) -> String {
    format!(
        r#"{{"action":"forwarding-delete","source-client-name":"{name}","target":1,"seq":{seq},"time":1}}"#
    )
}

#[test]
fn a_message_comes_as_it_is() {
    let mut bed = Bed::online();
    bed.read(&forwarded("qq", "hi", 1));
    let mut entry = ForwardingMessage::new("qq", "hi");
    entry.place = Some(Place::new(1, 1000));
    assert_eq!(bed.events(), [Event::Message(Received { entry, replay: false, own: false })]);
}

#[test]
fn what_was_said_before_the_ack_is_replay() {
    let mut bed = Bed::online_with(&ack(3, 1), |_| {});
    for text in [forwarded("qq", "a", 2), edit("qq", 3), delete("qq", 4), forwarded("qq", "b", 5)] {
        bed.read(&text);
    }
    assert_eq!(
        messages(&mut bed),
        [(2, true, false), (3, true, false), (4, false, false), (5, false, false)]
    );
}

#[test]
fn what_an_earlier_session_said_is_own() {
    let mut bed = Bed::online_with(&ack(4, 0), |_| {});
    for text in [forwarded("irc", "a", 1), edit("irc", 2), delete("irc", 3), forwarded("qq", "b", 4)] {
        bed.read(&text);
    }
    // Another connection of the same name.
    bed.read(&forwarded("irc", "c", 5));
    assert_eq!(
        messages(&mut bed),
        [(1, true, true), (2, true, true), (3, true, true), (4, true, false), (5, false, false)]
    );
}

#[test]
fn what_a_namesake_says_during_the_session_is_not_own() {
    let mut bed = Bed::online_with(&ack(4, 4), |_| {});
    bed.end(None);
    bed.again(&ack(6, 4).recovered(true).text());
    bed.read(&forwarded("irc", "a", 5));
    assert_eq!(messages(&mut bed), [(5, true, false)]);
}

#[test]
fn a_history_that_broke_off_is_own_to_its_end() {
    let mut bed = Bed::online_with(&ack(4, 0), |_| {});
    bed.read(&forwarded("irc", "a", 1));
    bed.end(None);
    bed.again(&ack(5, 1).recovered(true).text());
    for seq in 2..=5 {
        bed.read(&forwarded("irc", "b", seq));
    }
    let own: Vec<_> = messages(&mut bed).into_iter().map(|(seq, _, own)| (seq, own)).collect();
    assert_eq!(own, [(1, true), (2, true), (3, true), (4, true), (5, false)]);
}

#[test]
fn after_a_gap_the_history_is_another_sessions() {
    let mut bed = Bed::online_with(&ack(4, 4), |_| {});
    bed.end(None);
    bed.again(&ack(9, 7).recovered(false).session("s2").text());
    bed.news();
    bed.read(&forwarded("irc", "a", 8));
    assert_eq!(messages(&mut bed), [(8, true, true)]);
}

#[test]
fn what_was_known_before_the_gap_does_not_come_twice() {
    let mut bed = Bed::online_with(&ack(5, 5), |_| {});
    bed.end(None);
    bed.again(&ack(7, 3).recovered(false).session("s2").text());
    for text in
        [forwarded("qq", "a", 4), edit("qq", 5), forwarded("qq", "c", 6), delete("qq", 6), delete("qq", 7)]
    {
        bed.read(&text);
    }
    assert_eq!(messages(&mut bed), [(6, true, false), (7, true, false)]);
}

#[test]
fn everything_with_a_place_moves_the_cursor() {
    for text in [
        forwarded("qq", "a", 9),
        edit("qq", 9),
        delete("qq", 9),
        acked(77, 9),
        r#"{"action":"forwarding-poll","seq":9,"question":{"x":[null]}}"#.to_owned(),
        // Known kinds in a form that is not.
        r#"{"action":"forwarding-message","seq":9,"content":{"html":"x"}}"#.to_owned(),
    ] {
        let mut bed = Bed::online();
        bed.read(&text);
        assert_eq!(cursor(&mut bed), 9, "{text}");
    }
}

#[test]
fn nothing_else_moves_it() {
    for text in [
        r#"{"action":"presence","client-name":"qq","status":"left","time":1,"seq":9}"#,
        r#"{"action":"later","seq":9}"#,
        r#"{"action":"error","code":"x","seq":9}"#,
        r#"{"action":"forwarding-poll","seq":"9"}"#,
        r#"{"action":"forwarding-poll"}"#,
        r#"{"seq":9}"#,
        "forwarding 9",
        "",
    ] {
        let mut bed = Bed::online_with(&ack(3, 3), |_| {});
        bed.read(text);
        assert_eq!(cursor(&mut bed), 3, "{text}");
    }
}

#[test]
fn the_cursor_never_goes_back() {
    let mut bed = Bed::online();
    bed.read(&forwarded("qq", "a", 9));
    for text in [acked(77, 2), r#"{"action":"forwarding-poll","seq":3}"#.to_owned(), forwarded("qq", "b", 4)]
    {
        bed.read(&text);
    }
    assert_eq!(messages(&mut bed).len(), 1);
    assert_eq!(cursor(&mut bed), 9);
}

#[test]
fn what_nobody_has_defined_says_nothing() {
    let mut bed = Bed::online();
    for text in ["", "{", "[]", r#"{"action":"later"}"#, PLAIN_ACK, &ack(9, 9).text(), &acked(77, 1)] {
        bed.read(text);
    }
    bed.read(r#"{"action":"forwarding-message","source-client-name":"qq","content":"no place"}"#);
    assert_eq!(bed.events(), []);
    assert_eq!(cursor(&mut bed), 1);
}

#[test]
fn receipts_presence_and_refusals_are_told() {
    let mut bed = Bed::online();
    bed.read(r#"{"action":"forwarding-receipt","source-client-name":"qq","target":1,"status":"failed"}"#);
    bed.read(r#"{"action":"presence","client-name":"qq","status":"left","time":5}"#);
    bed.read(r#"{"action":"error","code":"not-allowed","reason":"no"}"#);
    bed.read(r#"{"action":"error","id":"77","code":"later"}"#);
    bed.read(r#"{"action":"error","id":"not ours","code":"later"}"#);
    let events = bed.events();
    assert!(matches!(&events[0], Event::Receipt(receipt) if receipt.target == 1));
    let left = Presence::new("qq", PresenceStatus::Left, 5);
    assert_eq!(events[1], Event::Presence(left));
    assert_eq!(events[2], Event::Refused(Refusal::new(ErrorCode::NotAllowed, "no")));
    assert!(matches!(&events[3], Event::Refused(refusal) if refusal.id.as_deref() == Some("77")));
    assert!(matches!(&events[4], Event::Refused(refusal) if refusal.id.as_deref() == Some("not ours")));
    assert_eq!(events.len(), 5);
}

#[test]
fn the_plain_dialect_has_messages_alone() {
    let mut bed = Bed::new();
    bed.again(PLAIN_ACK);
    bed.events();
    bed.read(r#"{"action":"forwarding-message","source-client-name":"irc","content":"hi","seq":4}"#);
    for text in [acked(1, 1), delete("qq", 4), r#"{"action":"error","code":"x"}"#.to_owned(), "{".to_owned()]
    {
        bed.read(&text);
    }
    let entry = ForwardingMessage::new("irc", "hi");
    assert_eq!(bed.events(), [Event::Message(Received { entry, replay: false, own: false })]);
}
