//! How much may wait, and what gives way.

use super::bed::{Bed, acked, message};
use super::test;
use crate::protocol::{
    Attachment, ClientEdit, ClientMessage, ClientPacket, ClientReceipt, ReceiptStatus, Sender,
};
use crate::session::{Fate, OutboxLimits, SendError, WhenFull};

fn bed(messages: usize, bytes: usize, when_full: WhenFull) -> Bed {
    Bed::with(|settings| settings.outbox = OutboxLimits { messages, bytes, when_full })
}

fn full(tickets: impl IntoIterator<Item = u64>) -> Vec<(u64, SendError, Fate)> {
    tickets.into_iter().map(|ticket| (ticket, SendError::OutboxFull, Fate::NotSent)).collect()
}

/// What is sent once there is a router.
fn sent(bed: &mut Bed) -> Vec<String> {
    bed.again(&super::bed::ack(0, 0).text());
    bed.written()
}

fn report(bed: &mut Bed) -> Result<(), SendError> {
    bed.session.report(ClientReceipt::new(1, ReceiptStatus::Delivered))
}

#[test]
fn beyond_so_many_messages_the_new_one_is_refused() {
    let mut bed = bed(3, 1000, WhenFull::Refuse);
    for text in ["a", "b", "c", "d", "e"] {
        assert_eq!(bed.session.has_room(), bed.session.last_sent() < 3);
        bed.say(text);
    }
    assert_eq!(bed.failed(), full(4..=5));
    assert_eq!(sent(&mut bed), [message("a", 1), message("b", 2), message("c", 3)]);
}

#[test]
fn what_is_on_its_way_counts_until_it_is_answered() {
    let mut bed = bed(2, 1000, WhenFull::Refuse);
    bed.say("a");
    bed.say("b");
    assert_eq!(sent(&mut bed).len(), 2);
    assert!(!bed.session.has_room());
    bed.say("c");
    assert_eq!(bed.failed(), full([3]));
    bed.read(&acked(1, 1));
    assert!(bed.session.has_room());
    bed.say("d");
    assert_eq!(bed.settled().len(), 1);
    assert_eq!(bed.written().len(), 1);
}

#[test]
fn beyond_so_many_bytes_the_new_one_is_refused() {
    let mut bed = bed(100, 10, WhenFull::Refuse);
    bed.say("12345");
    bed.say("123456");
    bed.say("12345");
    assert_eq!(bed.failed(), full([2]));
    bed.say("1");
    assert_eq!(bed.failed(), full([4]));
    assert_eq!(sent(&mut bed).len(), 2);
    // What was refused has no number.
    for id in [1, 2] {
        bed.read(&acked(id, id));
    }
    bed.settled();
    bed.say("1234567890");
    assert_eq!(bed.settled(), [], "all bytes are free again");
}

#[test]
fn a_single_packet_may_be_larger() {
    for when_full in [WhenFull::Refuse, WhenFull::DropOldest] {
        let mut bed = bed(100, 10, when_full);
        bed.say(&"x".repeat(100));
        assert_eq!(bed.settled(), []);
        assert!(!bed.session.has_room());
        assert_eq!(sent(&mut bed).len(), 1);
    }
}

#[test]
fn no_room_at_all_is_room_for_one() {
    let mut bed = bed(0, 0, WhenFull::Refuse);
    bed.say("a");
    assert_eq!(bed.settled(), []);
    bed.say("b");
    assert_eq!(bed.failed(), full([2]));
}

#[test]
fn the_oldest_gives_way_if_that_is_wanted() {
    let mut bed = bed(3, 1000, WhenFull::DropOldest);
    for text in ["a", "b", "c", "d", "e"] {
        bed.say(text);
    }
    assert_eq!(bed.failed(), full(1..=2));
    assert_eq!(sent(&mut bed), [message("c", 3), message("d", 4), message("e", 5)]);
}

#[test]
fn as_many_of_the_oldest_as_it_takes() {
    let mut bed = bed(100, 10, WhenFull::DropOldest);
    for text in ["123", "456", "789"] {
        bed.say(text);
    }
    bed.say("12345");
    assert_eq!(bed.failed(), full(1..=2));
    assert_eq!(sent(&mut bed).len(), 2);
}

#[test]
fn what_is_on_its_way_does_not_give_way() {
    let mut bed = bed(2, 1000, WhenFull::DropOldest);
    bed.say("a");
    bed.say("b");
    assert_eq!(sent(&mut bed).len(), 2);
    bed.say("c");
    assert_eq!(bed.failed(), full([3]));
    bed.read(&acked(1, 1));
    bed.say("d");
    bed.say("e");
    assert_eq!(bed.settled().remove(1).1.unwrap_err().text(), "d");
    // What was refused has no number.
    assert_eq!(bed.written(), [message("e", 4)]);
}

#[test]
fn nothing_gives_way_for_what_would_not_fit_all_the_same() {
    let mut bed = bed(100, 10, WhenFull::DropOldest);
    bed.say("123456");
    assert_eq!(sent(&mut bed).len(), 1);
    bed.say("12");
    bed.say("1234567");
    assert_eq!(bed.failed(), full([3]));
    assert_eq!(bed.written(), [message("12", 2)]);
}

#[test]
fn there_is_room_again_when_what_was_refused_fits() {
    let mut bed = bed(100, 10, WhenFull::Refuse);
    bed.say("12345");
    assert!(bed.session.has_room());
    bed.say("123456");
    assert_eq!(bed.failed(), full([2]));
    assert!(!bed.session.has_room(), "who waits for room would come back for nothing");
    assert_eq!(sent(&mut bed).len(), 1);
    bed.read(&acked(1, 1));
    assert!(bed.session.has_room());
}

#[test]
fn of_many_receipts_the_oldest_give_way() {
    let mut bed = bed(1, 1000, WhenFull::Refuse);
    for target in 1..=300 {
        assert_eq!(bed.session.report(ClientReceipt::new(target, ReceiptStatus::Delivered)), Ok(()));
    }
    bed.say("a");
    assert_eq!(bed.settled(), []);
    let sent = sent(&mut bed);
    assert_eq!(sent[0], message("a", 1));
    let receipt =
        |target: u64| format!(r#"{{"action":"client-receipt","target":{target},"status":"delivered"}}"#);
    assert_eq!(sent[1..], (45..=300).map(receipt).collect::<Vec<_>>());
}

#[test]
fn receipts_wait_for_messages() {
    let mut bed = bed(100, 1000, WhenFull::Refuse);
    for _ in 0..300 {
        assert_eq!(report(&mut bed), Ok(()));
    }
    bed.say("a");
    bed.again(&super::bed::ack(0, 0).rate(10, 4).text());
    let written = bed.written();
    assert_eq!(written[0], message("a", 1));
    assert_eq!(written.len(), 2, "one of three is left for a message");
    bed.say("b");
    assert_eq!(bed.written(), [message("b", 2)], "which has not to wait for it");
    bed.say("c");
    bed.read(&acked(1, 1));
    assert_eq!(bed.sleep(), super::bed::millis(105));
    assert_eq!(bed.written(), [message("c", 3)]);
    // All that is left goes, in time: 256 were kept.
    let mut receipts = 1;
    while bed.session.wake_at(bed.now).is_some_and(|at| at < bed.now + super::bed::seconds(1)) {
        bed.sleep();
        receipts += bed.written().len();
    }
    assert_eq!(receipts, 256);
}

#[test]
fn there_is_room_in_what_has_ended() {
    let mut bed = bed(1, 1000, WhenFull::Refuse);
    bed.say("a");
    assert!(!bed.session.has_room());
    bed.session.abandon();
    assert!(bed.session.has_room(), "nobody waits for it in vain");
}

/// How many bytes of the outbox a packet takes.
fn size(packet: &ClientPacket) -> usize {
    let fits = |bytes: usize| {
        let mut bed = bed(2, bytes, WhenFull::Refuse);
        bed.say("x");
        bed.send(packet.clone());
        bed.settled().is_empty()
    };
    (0..100).find(|&bytes| fits(bytes + 1)).unwrap()
}

#[test]
fn all_texts_of_a_packet_count() {
    assert_eq!(size(&ClientPacket::Edit(ClientEdit::new(1, "12345"))), 5);
    let mut message = ClientMessage::new("12345");
    assert_eq!(size(&ClientPacket::Message(message.clone())), 5);
    message.event = Some("join".to_owned());
    let mut sender = Sender::new("alice");
    sender.id = Some("u7".to_owned());
    sender.avatar = Some("http://a/1".to_owned());
    message.sender = Some(sender);
    assert_eq!(size(&ClientPacket::Message(message.clone())), 5 + 4 + 5 + 2 + 10);
    let mut file = Attachment::new("http://a/2");
    file.name = Some("cat.png".to_owned());
    file.mime = Some("image/png".to_owned());
    message.attachments = vec![file; 2];
    assert_eq!(size(&ClientPacket::Message(message)), 26 + 2 * (10 + 7 + 9));
    let mut receipt = ClientReceipt::new(1, ReceiptStatus::Failed);
    (receipt.reason, receipt.remote_id) = (Some("full".to_owned()), Some("r1".to_owned()));
    assert_eq!(size(&ClientPacket::Receipt(receipt)), 6);
}

#[test]
fn receipts_take_no_room() {
    let mut bed = bed(9, 10, WhenFull::Refuse);
    let mut receipt = ClientReceipt::new(1, ReceiptStatus::Failed);
    receipt.reason = Some("1234567890".to_owned());
    assert_eq!(bed.session.report(receipt), Ok(()));
    bed.say("12345");
    bed.say("67890");
    assert_eq!(bed.settled(), []);
}
