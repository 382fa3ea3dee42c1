//! Another parser as the judge: the same texts are JSON, and the same is read from them.

use multichat::protocol::Dialect::Plain;
use multichat::protocol::{ClientPacket, DecodeError, ServerPacket, limits};
use proptest::prelude::*;
use serde::de::IgnoredAny;

const MAX: usize = limits::PACKET_BYTES;

/// Looks that a packet with this value in a field that nobody knows is JSON for both, or for neither.
fn agree_on(value: &str) {
    let json = format!(r#"{{"action":"register-ack","new":{value}}}"#);
    let is_json = serde_json::from_str::<IgnoredAny>(&json).is_ok();
    let outcome = ServerPacket::decode(&json, Plain, MAX);
    assert_eq!(matches!(outcome, Err(DecodeError::NotJson)), !is_json, "{json}: {outcome:?}");
}

/// Every text of up to four of these, and what else it would take for a number, a string or an escape.
#[test]
fn short_values_are_json_for_both_or_for_neither() {
    const PIECES: [&str; 17] =
        ["{", "}", "[", "]", ":", ",", "\"", "\\", "u00", "0", "-", ".", "e", "+", "true", " ", "\u{c}"];
    let mut values = vec![String::new()];
    for _ in 0..4 {
        let longer = values.iter().flat_map(|value| PIECES.map(|piece| format!("{value}{piece}")));
        values = longer.collect();
        for value in &values {
            agree_on(value);
        }
    }
}

/// What a string of JSON says, if it is one: by UTF-16, in which its escapes are.
fn said(string: &str) -> Option<String> {
    let mut units = Vec::new();
    let mut rest = string.chars();
    while let Some(character) = rest.next() {
        match character {
            '"' | '\0'..' ' => return None,
            '\\' => units.push(match rest.next()? {
                'u' => {
                    let digits: String = rest.by_ref().take(4).collect();
                    let is_whole = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
                    u16::from_str_radix(&digits, 16).ok().filter(|_| is_whole)?
                }
                'n' => 0xA,
                't' => 0x9,
                'r' => 0xD,
                'b' => 0x8,
                'f' => 0xC,
                same @ ('"' | '\\' | '/') => same as u16,
                _ => return None,
            }),
            character => units.extend_from_slice(character.encode_utf16(&mut [0; 2])),
        }
    }
    Some(String::from_utf16_lossy(&units))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    /// Strings with escapes anywhere, and halves of surrogate pairs, between runs of plain text of any length: many
    /// bytes are looked at together.
    #[test]
    fn strings_say_the_same_to_both(pieces in prop::collection::vec(prop_oneof![
        2 => "[a-z]{0,20}",
        4 => prop::sample::select(vec![
            "\\n", "\\t", "\\r", "\\b", "\\f", "\\/", "\\\\", "\\\"", "\\u0041", "\\u00e9", "\\u0000", "\\uD83D",
            "\\ud83d", "\\ude00", "\\uDBFF\\uDFFF", "é", "😀", "\u{7f}", "\u{2028}",
        ]).prop_map(String::from),
        1 => prop::sample::select(vec![
            "\"", "\\", "\\x", "\\u", "\\u00", "\\u00g0", "\\u+041", "\n", "\t", "\0", "\u{1f}",
        ]).prop_map(String::from),
    ], 0..8)) {
        let string = pieces.concat();
        let json = format!(r#"{{"action":"client-message","content":"x{string}"}}"#);
        let content = match ClientPacket::decode(&json, Plain, MAX) {
            Ok(ClientPacket::Message(message)) => Some(message.content),
            _ => None,
        };
        let expected = said(&string);
        prop_assert_eq!(&content, &expected.map(|text| format!("x{text}")), "{}", json);
        // The other parser refuses half a pair.
        if let Ok(value) = serde_json::from_str::<serde_json::Value>(&json) {
            prop_assert_eq!(content.as_deref(), value["content"].as_str(), "{}", json);
        }
    }
}
