//! Texts that nobody thought of.

use multichat::protocol::{
    ClientMessage, ClientPacket, ForwardingMessage, Register, RegisterAck, ServerPacket, limits,
};
use proptest::prelude::*;
use proptest::sample::Index;

const MAX: usize = limits::PACKET_BYTES;

/// Any text that is not empty: all of Unicode, and often what JSON has to escape.
fn text() -> impl Strategy<Value = String> {
    let special =
        prop::sample::select(vec!['"', '\\', '/', '\0', '\n', '\u{1f}', '\u{7f}', '\u{2028}', '😀']);
    prop::collection::vec(prop_oneof![any::<char>(), prop::char::range('\0', '/'), special], 1..40)
        .prop_map(|characters| characters.into_iter().collect())
}

fn client_packet() -> impl Strategy<Value = ClientPacket<'static>> {
    prop_oneof![
        (text(), text()).prop_map(|(name, key)| ClientPacket::Register(Register::new(name, key))),
        text().prop_map(|content| ClientPacket::Message(ClientMessage::new(content))),
    ]
}

fn server_packet() -> impl Strategy<Value = ServerPacket<'static>> {
    prop_oneof![
        Just(ServerPacket::RegisterAck(RegisterAck::new())),
        (text(), text())
            .prop_map(|(name, content)| { ServerPacket::Message(ForwardingMessage::new(name, content)) }),
    ]
}

/// Decodes in both directions. What is accepted is an object by the grammar alone, too.
fn decode_both(text: &str) -> Result<(), TestCaseError> {
    let client = ClientPacket::decode(text, MAX).is_ok();
    let server = ServerPacket::decode(text, MAX).is_ok();
    prop_assert!(!(client && server));
    if client || server {
        prop_assert!(text.trim_start().starts_with('{'), "{text:?}");
        prop_assert!(serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok(), "{text:?}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn client_packets_come_back(packet in client_packet()) {
        let json = packet.encode();
        prop_assert_eq!(ClientPacket::decode(&json, json.len()), Ok(packet));
    }

    #[test]
    fn server_packets_come_back(packet in server_packet()) {
        let json = packet.encode();
        prop_assert_eq!(ServerPacket::decode(&json, json.len()), Ok(packet));
    }

    /// Another reader reads what we write.
    #[test]
    fn what_is_written_is_json(content in text()) {
        let json = ClientPacket::Message(ClientMessage::new(content.as_str())).encode();
        let expected = serde_json::json!({ "action": "client-message", "content": content });
        prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&json).ok(), Some(expected));
        prop_assert!(json.chars().all(|character| character >= ' '));
    }

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        decode_both(&String::from_utf8_lossy(&bytes))?;
    }

    /// Random, but with the pieces that JSON is made of.
    #[test]
    fn any_tokens(tokens in prop::collection::vec(prop::sample::select(vec![
        "{", "}", "[", "]", ":", ",", "\"", "\\", "\\u", "d83d", "\\ud83d", "\\ude00", "\"action\"", "\"content\"",
        "\"client-message\"", "\"register-ack\"", "null", "1e999", "-", "é", " ", "\n", "\0",
    ]), 0..30)) {
        decode_both(&tokens.concat())?;
    }

    /// A good packet with a few pieces replaced, put in, or cut out.
    #[test]
    fn mutated_packets(
        packet in client_packet(),
        edits in prop::collection::vec((any::<Index>(), 0..3usize, prop_oneof![
            any::<char>().prop_map(String::from),
            prop::sample::select(vec!["\"", "\\", "\\u", "\\ud83d", "{", "}", ",", ":", "[", "]"]).prop_map(String::from),
        ]), 1..5),
    ) {
        let mut characters: Vec<char> = packet.encode().chars().collect();
        for (at, cut, put) in edits {
            let start = at.index(characters.len() + 1);
            let end = (start + cut).min(characters.len());
            characters.splice(start..end, put.chars());
        }
        let text: String = characters.iter().collect();
        decode_both(&text)?;
        // And what a connection that breaks in the middle leaves.
        for cut in 0..characters.len() {
            decode_both(&characters.iter().take(cut).collect::<String>())?;
        }
    }
}
