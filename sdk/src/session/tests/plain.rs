//! A server that speaks the plain dialect: nothing is confirmed but that it was written.

use super::bed::{Bed, PLAIN_ACK, ack, seconds};
use super::test;
use crate::protocol::{
    Attachment, ClientDelete, ClientEdit, ClientMessage, ClientPacket, ClientReceipt, ReceiptStatus, Sender,
};
use crate::session::{Confirmation, Fate, SendError};

fn plain(content: &str) -> String {
    format!(r#"{{"action":"client-message","content":"{content}"}}"#)
}

fn online() -> Bed {
    let mut bed = Bed::new();
    bed.again(PLAIN_ACK);
    bed.events();
    bed
}

#[test]
fn a_message_is_written_when_it_is_flushed() {
    let mut bed = online();
    let first = bed.say("a");
    let second = bed.say("b");
    assert_eq!(bed.written(), [plain("a"), plain("b")]);
    bed.pass(seconds(100));
    assert_eq!(bed.settled(), []);
    assert!(!bed.session.has_settled(bed.session.last_sent()));
    let third = bed.say("c");
    bed.flush();
    assert_eq!(bed.settled(), [(first, Ok(Confirmation::Written)), (second, Ok(Confirmation::Written))]);
    assert_eq!(bed.written(), [plain("c")]);
    bed.flush();
    assert_eq!(bed.settled(), [(third, Ok(Confirmation::Written))]);
    bed.flush();
    assert_eq!(bed.settled(), []);
    assert_eq!(Confirmation::Written.seq(), None);
}

#[test]
fn what_is_rich_goes_as_text() {
    let mut bed = online();
    let mut message = ClientMessage::new("see");
    message.sender = Some(Sender::new("alice"));
    message.reply_to = Some(3);
    message.attachments = vec![Attachment::new("https://example.org/a.png")];
    message.attachments[0].name = Some("a.png".to_owned());
    bed.send(ClientPacket::Message(message.clone()));
    message.event = Some("join".to_owned());
    bed.send(ClientPacket::Message(message.clone()));
    message.content = String::new();
    bed.send(ClientPacket::Message(message));
    assert_eq!(
        bed.written(),
        [
            plain("<alice> see\\n[a.png] https://example.org/a.png"),
            plain("see\\n[a.png] https://example.org/a.png"),
            plain("[a.png] https://example.org/a.png")
        ]
    );
}

#[test]
fn nothing_else_can_be_sent() {
    let mut bed = online();
    bed.send(ClientPacket::Edit(ClientEdit::new(3, "x")));
    bed.send(ClientPacket::Delete(ClientDelete::new(3)));
    let receipt = ClientReceipt::new(3, ReceiptStatus::Delivered);
    assert_eq!(bed.session.report(receipt), Err(SendError::NotInPlain));
    let refused = |ticket| (ticket, SendError::NotInPlain, Fate::NotSent);
    assert_eq!(bed.failed(), [refused(1), refused(2)]);
}

#[test]
fn nor_what_was_given_before() {
    for is_first in [true, false] {
        let mut bed = if is_first { Bed::new() } else { Bed::online() };
        if !is_first {
            bed.end(None);
        }
        bed.reply(3, "a");
        bed.send(ClientPacket::Edit(ClientEdit::new(3, "x")));
        assert_eq!(bed.session.report(ClientReceipt::new(3, ReceiptStatus::Delivered)), Ok(()));
        bed.again(PLAIN_ACK);
        assert_eq!(bed.failed(), [(2, SendError::NotInPlain, Fate::NotSent)]);
        assert_eq!(bed.written(), [plain("a")]);
    }
}

#[test]
fn a_packet_of_a_mebibyte_is_the_largest() {
    let mut bed = online();
    let largest = 1024 * 1024 - plain("").len();
    bed.say(&"x".repeat(largest + 1));
    bed.say(&"x".repeat(largest));
    let written = bed.written();
    assert_eq!(written.iter().map(String::len).collect::<Vec<_>>(), [1024 * 1024]);
    let too_big = SendError::TooBig { size: 1024 * 1024 + 1, max: 1024 * 1024 };
    assert_eq!(bed.failed(), [(1, too_big, Fate::NotSent)]);
}

#[test]
fn what_was_written_and_not_flushed_has_an_unknown_fate() {
    for code in [None, Some(1001), Some(4401), Some(4529)] {
        let mut bed = online();
        bed.say("a");
        bed.written();
        bed.say("b");
        bed.end(code);
        let failed = bed.failed();
        assert_eq!(failed[0], (1, SendError::FateUnknown, Fate::Unknown), "at once");
        if code == Some(4401) {
            assert!(matches!(&failed[1..], [(2, SendError::Ended { .. }, Fate::NotSent)]));
        } else {
            assert_eq!(failed.len(), 1);
            bed.again(PLAIN_ACK);
            assert_eq!(bed.written(), [plain("b")]);
        }
    }
}

#[test]
fn what_waited_is_sent_to_whatever_comes_next() {
    let mut bed = online();
    bed.end(None);
    bed.say("a");
    bed.again(&ack(0, 0).text());
    assert_eq!(bed.written(), [super::bed::message("a", 1)]);
}

#[test]
fn a_long_queue_goes_in_parts() {
    let mut bed = Bed::with(|settings| settings.outbox.messages = 2000);
    for _ in 0..1500 {
        bed.say("x");
    }
    bed.again(PLAIN_ACK);
    let mut parts = Vec::new();
    loop {
        let written = bed.written().len();
        if written == 0 {
            break;
        }
        parts.push(written);
        bed.flush();
    }
    assert_eq!(parts, [512, 512, 476]);
    assert_eq!(bed.settled().len(), 1500);
}
