//! What plain clients see of rich packets.

use multichat::protocol::{
    AckLimits, Attachment, Author, ErrorCode, ForwardingDelete, ForwardingEdit, ForwardingMessage,
    ForwardingReceipt, MessageAck, Place, Presence, PresenceStatus, ReceiptStatus, Refusal, RegisterAck,
    RichAck, Sender, ServerPacket, render_plain,
};
use proptest::prelude::*;

use super::samples::with;

const PLACE: Place = Place::new(1240, 5);

const ALICE: Author<'_> = Author { source_client_name: "mc", sender_name: Some("alice") };
const NOBODY: Author<'_> = Author { source_client_name: "mc", sender_name: None };

fn message(
    sender: Option<&str>,
    content: &str,
    target: Option<Author<'_>>,
    set: impl FnOnce(&mut ForwardingMessage),
) -> String {
    let message = with(ForwardingMessage::new("irc", content), |message| {
        message.sender = sender.map(Sender::new);
        message.place = Some(PLACE);
        set(message);
    });
    render_plain(&ServerPacket::Message(message), target).unwrap_or_default()
}

fn edit(content: &str, target: Option<Author<'_>>) -> String {
    let edit = ForwardingEdit::new("irc", 1239, content, PLACE);
    render_plain(&ServerPacket::Edit(edit), target).unwrap_or_default()
}

fn file(url: &str, name: Option<&str>) -> Attachment {
    with(Attachment::new(url), |file| file.name = name.map(Into::into))
}

fn reply(message: &mut ForwardingMessage) {
    message.reply_to = Some(1239);
}

#[test]
fn messages() {
    assert_eq!(message(Some("alice"), "hello", None, |_| {}), "<alice> hello");
    assert_eq!(message(None, "hello", None, |_| {}), "hello");
    assert_eq!(message(Some("alice"), "two\nlines", None, |_| {}), "<alice> two\nlines");
}

#[test]
fn replies() {
    assert_eq!(message(Some("bob"), "yes", Some(ALICE), reply), "<bob> (re alice) yes");
    assert_eq!(message(Some("bob"), "yes", Some(NOBODY), reply), "<bob> (re mc) yes");
    assert_eq!(message(Some("bob"), "yes", None, reply), "<bob> yes");
    assert_eq!(message(None, "yes", Some(ALICE), reply), "(re alice) yes");
    assert_eq!(message(None, "yes", Some(NOBODY), reply), "(re mc) yes");
    assert_eq!(message(None, "yes", None, reply), "yes");
    // Whoever gives an author to what is no reply.
    assert_eq!(message(Some("bob"), "yes", Some(ALICE), |_| {}), "<bob> yes");
}

#[test]
fn attachments() {
    let attach = |message: &mut ForwardingMessage| {
        message.attachments = vec![
            file("https://a/cat.png", Some("cat.png")),
            file("https://b", None),
            file("https://c", Some("")),
        ];
    };
    let lines = "[cat.png] https://a/cat.png\nhttps://b\nhttps://c";
    assert_eq!(message(Some("alice"), "look", None, attach), format!("<alice> look\n{lines}"));
    assert_eq!(message(None, "look", None, attach), format!("look\n{lines}"));
    assert_eq!(message(None, "", None, attach), lines);
    assert_eq!(message(Some("alice"), "", None, attach), format!("<alice> {lines}"));
    let both = |message: &mut ForwardingMessage| {
        attach(message);
        reply(message);
    };
    assert_eq!(message(Some("bob"), "", Some(ALICE), both), format!("<bob> (re alice) {lines}"));
}

#[test]
fn events() {
    let event = |message: &mut ForwardingMessage| {
        reply(message);
        message.event = Some("join".into());
    };
    assert_eq!(message(Some("alice"), "alice came", Some(ALICE), event), "alice came");
    let attached = |message: &mut ForwardingMessage| {
        event(message);
        message.attachments = vec![file("https://a", Some("map"))];
    };
    assert_eq!(message(Some("alice"), "alice came", None, attached), "alice came\n[map] https://a");
}

#[test]
fn edits() {
    assert_eq!(edit("hello, world", Some(ALICE)), "<alice> (edited) hello, world");
    assert_eq!(edit("hello, world", Some(NOBODY)), "(edited) hello, world");
    assert_eq!(edit("hello, world", None), "(edited) hello, world");
}

#[test]
fn all_else_is_not_told() {
    let rich = RichAck::new("s", "e", 0, 0, AckLimits::new(1));
    let packets = [
        ServerPacket::Delete(ForwardingDelete::new("irc", 1239, PLACE)),
        ServerPacket::RegisterAck(RegisterAck::rich(rich)),
        ServerPacket::MessageAck(MessageAck::new("7", PLACE)),
        ServerPacket::Error(Refusal::new(ErrorCode::BadPacket, "no")),
        ServerPacket::Receipt(ForwardingReceipt::new("mc", 1239, ReceiptStatus::Failed)),
        ServerPacket::Presence(Presence::new("mc", PresenceStatus::Left, 5)),
    ];
    for packet in packets {
        assert_eq!(render_plain(&packet, Some(ALICE)), None, "{packet:?}");
    }
}

#[test]
fn names_are_cleaned() {
    let bad = "a\nl\0i\u{202e}c\u{2028}e\u{200f}";
    let author = Author { source_client_name: "m\rc\u{7f}", sender_name: Some(bad) };
    let client = Author { sender_name: Some("\n\u{2066}"), ..author };
    let file = |message: &mut ForwardingMessage| message.attachments = vec![file("https://a", Some(bad))];
    assert_eq!(message(Some(bad), "x", None, file), "<alice> x\n[alice] https://a");
    assert_eq!(message(Some("\u{2066}\n"), "x", Some(author), reply), "(re alice) x");
    assert_eq!(message(None, "x", Some(client), reply), "(re mc) x");
    assert_eq!(message(None, "x", Some(Author { source_client_name: "\n", ..client }), reply), "x");
    assert_eq!(message(None, "x", Some(Author { source_client_name: "", ..NOBODY }), reply), "x");
    assert_eq!(edit("x", Some(author)), "<alice> (edited) x");
    assert_eq!(edit("x", Some(client)), "(edited) x");
    // Names may have anything else, and the content is what it is.
    assert_eq!(message(Some("<👩‍🚀 b>"), "\u{202e}x\n", None, |_| {}), "<<👩‍🚀 b>> \u{202e}x\n");
}

fn name() -> impl Strategy<Value = String> {
    let special =
        prop::sample::select(vec!['\n', '\r', '\0', '\u{85}', '\u{2028}', '\u{2029}', '\u{202e}', 'é']);
    prop::collection::vec(prop_oneof![any::<char>(), special], 0..8).prop_map(String::from_iter)
}

/// Nothing that ends a line, turns the text around, or is not meant to be seen.
fn is_one_line(text: &str) -> bool {
    let turns = |character| matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !text.chars().any(|character| character.is_control() || turns(character))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_name_breaks_its_line(
        sender in prop::option::of(name()),
        target_sender in prop::option::of(name()),
        target_client in name(),
        files in prop::collection::vec(prop::option::of(name()), 0..4),
        is_reply in any::<bool>(),
        is_event in any::<bool>(),
        content in prop::sample::select(vec!["", "hello"]),
    ) {
        let author = Author { source_client_name: &target_client, sender_name: target_sender.as_deref() };
        let text = message(sender.as_deref(), content, Some(author), |message| {
            message.reply_to = is_reply.then_some(1);
            message.event = is_event.then(|| "join".into());
            message.attachments = files.iter().map(|name| file("https://a", name.as_deref())).collect();
        });
        let lines: Vec<_> = text.split('\n').collect();
        let expected = files.len() + usize::from(!content.is_empty() || files.is_empty());
        prop_assert_eq!(lines.len(), expected);
        prop_assert!(lines.iter().all(|line| is_one_line(line)), "{:?}", text);
        prop_assert!(is_one_line(&edit("hello", Some(author))));
    }
}
