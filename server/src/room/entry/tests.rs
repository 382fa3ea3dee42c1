//! Entries and their frames.

use multichat::protocol::{Attachment, Sender};
use proptest::prelude::*;

use super::*;
use crate::room::tests::drafts::{author, delete, edit, message, name, plain, with};

const PLACE: Place = Place::new(1240, 1_763_800_000_123);

fn entry(draft: Draft) -> Entry {
    Entry::new(draft, PLACE, None)
}

fn text(packet: &ServerPacket) -> Bytes {
    frame::text(&packet.encode())
}

/// A message with everything in it.
fn full() -> ClientMessage {
    with(ClientMessage::new("hello"), |message| {
        message.id = Some("7".into());
        message.sender = Some(with(Sender::new("alice"), |sender| {
            sender.id = Some("u42".into());
            sender.avatar = Some("https://example.org/a.png".into());
        }));
        message.reply_to = Some(1239);
        message.attachments = vec![
            with(Attachment::new("https://example.org/cat.png"), |cat| {
                cat.name = Some("cat.png".into());
                cat.mime = Some("image/png".into());
                cat.size = Some(12345);
            }),
            Attachment::new("http://a"),
        ];
        message.event = Some("notice".into());
    })
}

/// What others are told of a message, in the rich dialect.
fn forwarding(client_name: &str, message: &ClientMessage, place: Place) -> ServerPacket {
    ServerPacket::Message(with(ForwardingMessage::new(client_name, message.content.clone()), |packet| {
        packet.sender = message.sender.clone();
        packet.reply_to = message.reply_to;
        packet.attachments = message.attachments.clone();
        packet.event = message.event.clone();
        packet.place = Some(place);
    }))
}

fn plain_text(client_name: &str, content: &str) -> Bytes {
    text(&ServerPacket::Message(ForwardingMessage::new(client_name, content)))
}

#[test]
fn the_rich_frame_is_the_packet_with_its_place() {
    let bob = Arc::new(Author { sender_name: Some("bob".into()), ..unshared(&author(2)) });
    let cases = [
        (Draft::message(&author(1), full()), forwarding("c1", &full(), PLACE)),
        (message(1, None, "hi"), forwarding("c1", &ClientMessage::new("hi"), PLACE)),
        (plain(1, "hi"), forwarding("c1", &ClientMessage::new("hi"), PLACE)),
        (edit(1, Some("8"), 3), ServerPacket::Edit(ForwardingEdit::new("c1", 3, "better", PLACE))),
        (delete(1, Some("9"), 3), ServerPacket::Delete(ForwardingDelete::new("c1", 3, PLACE))),
    ];
    for (draft, packet) in cases {
        let entry = Entry::new(draft, PLACE, Some(bob.clone()));
        assert_eq!(entry.frame(Dialect::Rich), &text(&packet), "{packet:?}");
    }
}

fn unshared(author: &Author) -> Author {
    Author { origin: author.origin, client_name: author.client_name.clone(), sender_name: None }
}

#[test]
fn the_plain_frame_is_what_the_packet_is_rendered_to() {
    let alice = Arc::new(Author { sender_name: Some("alice".into()), ..unshared(&author(2)) });
    let full = with(full(), |message| message.event = None);
    let files = "hello\n[cat.png] https://example.org/cat.png\nhttp://a";
    let cases = [
        (plain(1, "hi"), None, "hi".to_owned()),
        (message(1, Some("7"), "hi"), None, "hi".to_owned()),
        (Draft::message(&author(1), full.clone()), None, format!("<alice> {files}")),
        (Draft::message(&author(1), full), Some(author(2)), format!("<alice> (re c2) {files}")),
        (edit(1, None, 3), None, "(edited) better".to_owned()),
        (edit(1, None, 3), Some(author(2)), "(edited) better".to_owned()),
        (edit(1, None, 3), Some(alice), "<alice> (edited) better".to_owned()),
    ];
    for (draft, target, content) in cases {
        let entry = Entry::new(draft, PLACE, target);
        assert_eq!(entry.frame(Dialect::Plain), &plain_text("c1", &content));
    }
    assert!(entry(delete(1, Some("9"), 3)).frame(Dialect::Plain).is_empty(), "plain clients know no deletes");
}

#[test]
fn a_frame_is_made_once() {
    for draft in [plain(1, "hi"), message(1, None, "hi"), edit(1, None, 1)] {
        let entry = entry(draft);
        for dialect in [Dialect::Plain, Dialect::Rich] {
            assert_eq!(entry.frame(dialect).as_ptr(), entry.frame(dialect).as_ptr());
        }
    }
}

#[test]
fn the_authors_session_gets_an_ack_if_there_is_a_name() {
    let ack = text(&ServerPacket::MessageAck(MessageAck::new("a\"b", PLACE)));
    for draft in [message(1, Some("a\"b"), "x"), edit(1, Some("a\"b"), 1), delete(1, Some("a\"b"), 1)] {
        assert_eq!(entry(draft).ack().unwrap(), ack);
    }
    for draft in [plain(1, "x"), message(1, None, "x"), edit(1, None, 1), delete(1, None, 1)] {
        assert_eq!(entry(draft).ack(), None);
    }
}

#[test]
fn frames_of_all_lengths_have_the_right_header() {
    for place in [Place::new(1, 0), PLACE, Place::new(u64::MAX, u64::MAX)] {
        let around_plain = plain_text("c1", "").len() - 2;
        let around_rich = forwarding("c1", &ClientMessage::new(""), place).encode().len();
        let lens = [124, 125, 126, 127, 0xfffe, 0xffff, 0x1_0000, 0x1_0001].iter();
        let lens = lens.flat_map(|len: &usize| [len.checked_sub(around_plain), len.checked_sub(around_rich)]);
        for len in lens.flatten().filter(|len| *len > 0).chain([1, 1 << 20]) {
            let said = ClientMessage::new("x".repeat(len));
            let drafts =
                [Draft::plain(&author(1), said.content.clone()), Draft::message(&author(1), said.clone())];
            for draft in drafts {
                let native = draft.native;
                let entry = Entry::new(draft, place, None);
                let rich = text(&forwarding("c1", &said, place));
                assert!(entry.frame(Dialect::Rich) == &rich, "{len} bytes, rich from {native:?}");
                let plain = plain_text("c1", &said.content);
                assert!(entry.frame(Dialect::Plain) == &plain, "{len} bytes, plain from {native:?}");
            }
        }
    }
}

#[test]
fn what_looks_like_the_end_of_a_packet_is_only_text() {
    for content in [r#"","seq":0,"time":0}"#, r#","seq":0,"time":0}"#, "}", "\"", "\\", "\\\"}", "\0\u{1f}"] {
        let said = ClientMessage::new(content);
        let author = Arc::new(Author { client_name: name("m\"}\\c"), ..unshared(&author(1)) });
        for draft in [Draft::plain(&author, content.into()), Draft::message(&author, said.clone())] {
            let entry = entry(draft);
            assert_eq!(entry.frame(Dialect::Rich), &text(&forwarding("m\"}\\c", &said, PLACE)));
            assert_eq!(entry.frame(Dialect::Plain), &plain_text("m\"}\\c", content));
        }
    }
}

/// Any text that is not empty: control characters, quotes and astral planes too.
fn word() -> impl Strategy<Value = String> {
    prop::collection::vec(any::<char>(), 1..12).prop_map(String::from_iter)
}

fn attachment() -> impl Strategy<Value = Attachment> {
    let maybe = || prop::option::of(word());
    (maybe(), maybe(), prop::option::of(any::<u64>())).prop_map(|(name, mime, size)| {
        with(Attachment::new("https://example.org/ä?\"=\\"), |attachment| {
            (attachment.name, attachment.mime, attachment.size) = (name, mime, size);
        })
    })
}

fn sender() -> impl Strategy<Value = Sender> {
    (word(), prop::option::of(word())).prop_map(|(name, id)| with(Sender::new(name), |sender| sender.id = id))
}

fn any_message() -> impl Strategy<Value = ClientMessage> {
    let maybe = || prop::option::of(word());
    let attachments = prop::collection::vec(attachment(), 0..3);
    (word(), maybe(), prop::option::of(sender()), prop::option::of(any::<u64>()), attachments, maybe())
        .prop_map(|(content, id, sender, reply_to, attachments, event)| {
            with(ClientMessage::new(content), |message| {
                if !attachments.is_empty() && message.content.len() < 8 {
                    message.content.clear();
                }
                (message.id, message.sender, message.reply_to) = (id, sender, reply_to);
                (message.attachments, message.event) = (attachments, event);
            })
        })
}

proptest! {
    #[test]
    fn frames_say_what_was_said(
        message in any_message(),
        client_name in "[^\\p{C}\\u{2028}\\u{2029}]{1,10}",
        target_name in prop::option::of(word()),
        is_held in any::<bool>(),
        seq in any::<u64>(),
        time in any::<u64>(),
    ) {
        let author = Arc::new(Author { client_name: name(&client_name), ..unshared(&author(1)) });
        let target = is_held.then(|| {
            Arc::new(Author { sender_name: target_name.as_deref().map(Box::from), ..unshared(&author) })
        });
        let place = Place::new(seq, time);
        let expected = forwarding(&client_name, &message, place);
        let rendered = render_plain(&expected, target.as_deref().map(|author| protocol::Author {
            source_client_name: &author.client_name,
            sender_name: author.sender_name.as_deref(),
        }));
        let entry = Entry::new(Draft::message(&author, message), place, target);
        let rich = entry.frame(Dialect::Rich);
        prop_assert_eq!(rich, &text(&expected));
        let told = ServerPacket::decode(frame::payload(rich), Dialect::Rich, usize::MAX);
        prop_assert_eq!(told.unwrap(), expected);
        let told = ServerPacket::decode(frame::payload(entry.frame(Dialect::Plain)), Dialect::Plain, usize::MAX);
        let plain = ForwardingMessage::new(client_name, rendered.unwrap());
        prop_assert_eq!(told.unwrap(), ServerPacket::Message(plain));
    }

    #[test]
    fn what_plain_clients_say_is_told_in_both_dialects(content in word(), seq in any::<u64>(), time in any::<u64>()) {
        let entry = Entry::new(plain(1, &content), Place::new(seq, time), None);
        prop_assert_eq!(entry.frame(Dialect::Plain), &plain_text("c1", &content));
        let said = forwarding("c1", &ClientMessage::new(content), Place::new(seq, time));
        prop_assert_eq!(entry.frame(Dialect::Rich), &text(&said));
    }
}

#[test]
fn an_id_counts_twice_as_it_is_kept_for_as_long_again() {
    let cost = |len: usize| entry(message(1, Some(&"x".repeat(len)), "hi")).names_cost();
    assert_eq!(cost(64) - cost(1), 2 * 63);
    assert!(cost(1) > 2 * ID_OVERHEAD);
}
