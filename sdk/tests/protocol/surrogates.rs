//! Lone surrogate escapes, against a model that reads a string literal as Go's `encoding/json` does.

use multichat::protocol::{
    ClientMessage, ClientPacket, DecodeError, Dialect, RegisterAck, ServerPacket, limits,
};
use proptest::prelude::*;

const MAX: usize = limits::PACKET_BYTES;

/// The four hex digits of the escape that `literal` starts with.
fn leading_unit(literal: &str) -> Option<u16> {
    u16::from_str_radix(literal.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

/// The text of a good string literal (without its quotes): unit by unit, a pair if the next one makes it
/// a pair, else a replacement character for this one alone.
fn model(mut literal: &str) -> String {
    let mut text = String::new();
    while let Some(first) = literal.chars().next() {
        if first != '\\' {
            text.push(first);
            literal = &literal[first.len_utf8()..];
        } else if let Some(unit) = leading_unit(literal) {
            literal = &literal[6..];
            let pair = leading_unit(literal).map(|next| char::decode_utf16([unit, next]).next());
            if let Ok(alone) = char::decode_utf16([unit]).next().unwrap_or(Ok('\0')) {
                text.push(alone);
            } else if let Some(Some(Ok(both))) = pair {
                text.push(both);
                literal = &literal[6..];
            } else {
                text.push(char::REPLACEMENT_CHARACTER);
            }
        } else {
            let escaped = literal.as_bytes()[1];
            text.push(match escaped {
                b'b' => '\u{8}',
                b'f' => '\u{c}',
                b'n' => '\n',
                b'r' => '\r',
                b't' => '\t',
                other => char::from(other),
            });
            literal = &literal[2..];
        }
    }
    text
}

fn content(json: &str) -> Result<String, DecodeError> {
    match ClientPacket::decode(json, Dialect::Plain, MAX)? {
        ClientPacket::Message(ClientMessage { content, .. }) => Ok(content),
        _ => Err(DecodeError::UnknownAction),
    }
}

#[test]
fn examples() {
    let cases = [
        (r"\ud83d", "\u{fffd}"),
        (r"\uDE00", "\u{fffd}"),
        (r"\ud83d\ude00", "😀"),
        (r"\ud83d\ud83d\ude00", "\u{fffd}😀"),
        (r"\ud83d\ude00\ude00", "😀\u{fffd}"),
        (r"\ude00\ud83d", "\u{fffd}\u{fffd}"),
        (r"\ud83d\n", "\u{fffd}\n"),
        (r"\ud83d\u0041", "\u{fffd}A"),
        (r"\ud83dx\ude00", "\u{fffd}x\u{fffd}"),
        (r"\ud83d\\ude00", "\u{fffd}\\ude00"),
        (r"\\ud83d\ud83d", "\\ud83d\u{fffd}"),
        (r"\\\ud83d", "\\\u{fffd}"),
        (r"\ud83d\\\ude00", "\u{fffd}\\\u{fffd}"),
        (r#"\ud83d\""#, "\u{fffd}\""),
        ("😀\\ud83dé", "😀\u{fffd}é"),
        (r"\ud800\udbff\udc00\udfff", "\u{fffd}\u{10fc00}\u{fffd}"),
        (r"\ud800\ud800\udfff\udbff\udfff", "\u{fffd}\u{103ff}\u{10ffff}"),
        (r"\udfff\ud800\udc00", "\u{fffd}\u{10000}"),
        (r"\ud7ff\ue000\ud83d", "\u{d7ff}\u{e000}\u{fffd}"),
    ];
    for (literal, text) in cases {
        assert_eq!(model(literal), text, "the model, {literal}");
        let json = format!(r#"{{"action":"client-message","content":"{literal}"}}"#);
        assert_eq!(content(&json).as_deref(), Ok(text), "{literal}");
    }
}

#[test]
fn broken_texts_stay_broken() {
    for json in [
        r#"{"action":"client-message","content":"\ud83d"#,
        r#"{"action":"client-message","content":"\ud83d\"#,
        r#"{"action":"client-message","content":"\ud83d\u"}"#,
        r#"{"action":"client-message","content":"\ud83d\ude0"}"#,
        r#"{"action":"client-message","content":"\ud83d\ud8"}"#,
        r#"{"action":"client-message","content":"\ud83d","x":"\ud8g0"}"#,
        r#"{"action":"client-message","content":"\ud83d"}x"#,
        r#"{"action":"client-message","content":"\ud83d\é"}"#,
        r#"{"action":"client-message","content":"\uD83D\U0041"}"#,
        r#"{"action":"client-message","content":"\UD83D"}"#,
        r#"{"action":"client-message","content":\ud83d}"#,
        r#"{"action":"client-message",\ud83d"content":"x"}"#,
    ] {
        assert_eq!(content(json), Err(DecodeError::NotJson), "{json}");
    }
}

/// A piece of a good string literal: plain text, a short escape, or a number, often a surrogate.
fn piece() -> impl Strategy<Value = String> {
    let unit = prop_oneof![0xD800..=0xDBFFu16, 0xDC00..=0xDFFFu16, any::<u16>()];
    prop_oneof![
        2 => any::<char>().prop_filter("needs an escape", |&c| c >= ' ' && c != '"' && c != '\\')
            .prop_map(String::from),
        2 => prop::sample::select(vec![r#"\""#, r"\\", r"\/", r"\b", r"\f", r"\n", r"\r", r"\t", "ud83d", "u"])
            .prop_map(String::from),
        3 => unit.clone().prop_map(|unit| format!("\\u{unit:04x}")),
        3 => unit.prop_map(|unit| format!("\\u{unit:04X}")),
    ]
}

fn literal() -> impl Strategy<Value = String> {
    prop::collection::vec(piece(), 1..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn values_read_as_the_model_reads_them(literal in literal()) {
        let json = format!(r#"{{"action":"client-message","content":"{literal}"}}"#);
        prop_assert_eq!(content(&json), Ok(model(&literal)));
    }

    #[test]
    fn keys_and_ignored_values_do_no_harm(key in literal(), value in literal()) {
        prop_assume!(!["action", "content"].contains(&model(&key).as_str()));
        let json = format!(r#"{{"{key}":"{value}","action":"client-message","content":"{value}","{key}":["{value}"]}}"#);
        prop_assert_eq!(content(&json), Ok(model(&value)));
    }
}

#[test]
fn keys_are_read_the_same_way() {
    // The key reads U+FFFD, so it is unknown, and what follows is not lost.
    let json = r#"{"\ud83d":1,"content\ud83d":"no","\ude00":{},"action":"client-message","content":"yes"}"#;
    assert_eq!(content(json).as_deref(), Ok("yes"));
    // All other rules hold in a repaired text as well.
    let json = r#"{"\ud83d":1,"action":"client-message","content":"a","cont\u0065nt":"b"}"#;
    assert_eq!(content(json), Err(DecodeError::Duplicate { field: "content" }));
    let json = r#"{"\ud83d":1,"action":"client-message","content":null}"#;
    assert_eq!(content(json), Err(DecodeError::WrongType { field: "content", expected: "a string" }));
}

#[test]
fn every_text_of_a_rich_packet_is_read_the_same_way() {
    let x = r"\ud83d";
    let json = format!(
        r#"{{"{x}":"{x}","action":"client-message","content":"{x}","id":"{x}","event":"{x}","sender":{{"{x}":0,"name":"{x}","id":"{x}","avatar":"http://{x}"}},"attachments":[{{"url":"http://{x}","name":"{x}","mime":"{x}","{x}":0}}]}}"#
    );
    let expected = json.replace(x, "\u{fffd}");
    let packet = ClientPacket::decode(&json, Dialect::Rich, MAX);
    assert!(packet.is_ok());
    assert_eq!(packet, ClientPacket::decode(&expected, Dialect::Rich, MAX));

    let ack = |x: &str, row: &str| {
        let json = format!(
            r#"{{"action":"register-ack","protocol":2,"session":"s{x}","epoch":"e{x}","seq":1,"after":1,"limits":{{"{x}":0,"packet-bytes":1}},"clients":[{{"client-name":"a{row}","status":"online","text":"{row}","since":1,"{x}":0}}]}}"#
        );
        ServerPacket::decode(&json, Dialect::Rich, MAX)
    };
    assert!(ack(x, x).is_ok());
    assert_eq!(ack(x, x), ack("\u{fffd}", "\u{fffd}"));
    // A row is not left out for this.
    assert_eq!(ack("", x), ack("", "\u{fffd}"));
    let Ok(ServerPacket::RegisterAck(RegisterAck { rich: Some(rich), .. })) = ack("", x) else {
        panic!("{x}")
    };
    assert_eq!(rich.clients.map(|rows| rows.len()), Some(1));
}
