//! Texts that nobody thought of.

use multichat::protocol::Dialect::{Plain, Rich};
use multichat::protocol::{
    Author, ClientMessage, ClientPacket, DecodeError, ForwardingMessage, ServerPacket, limits, packet_id,
    render_plain,
};
use proptest::prelude::*;
use proptest::sample::Index;
use serde::de::IgnoredAny;

use super::strategies::{client_packet, server_packet, text};

const MAX: usize = limits::PACKET_BYTES;

/// Decodes in both directions and dialects. What is accepted is an object by the grammar alone, too, and
/// what was made of it is written as something that is accepted.
fn decode_all(text: &str) -> Result<(), TestCaseError> {
    let mut is_client = false;
    let mut is_server = false;
    for dialect in [Plain, Rich] {
        if let Ok(packet) = ClientPacket::decode(text, dialect, MAX) {
            is_client = true;
            prop_assert_eq!(ClientPacket::decode(&packet.encode(), dialect, usize::MAX), Ok(packet));
        }
        if let Ok(packet) = ServerPacket::decode(text, dialect, MAX) {
            is_server = true;
            let author = Author { source_client_name: "a", sender_name: Some("b") };
            let _ = render_plain(&packet, Some(author));
            prop_assert_eq!(ServerPacket::decode(&packet.encode(), dialect, usize::MAX), Ok(packet));
        }
    }
    prop_assert!(!(is_client && is_server));
    // And whatever another parser takes for an object is one here.
    let is_object = text.trim_start().starts_with('{') && serde_json::from_str::<IgnoredAny>(text).is_ok();
    if is_object {
        prop_assert_ne!(ServerPacket::decode(text, Rich, usize::MAX), Err(DecodeError::NotJson), "{}", text);
    }
    if is_client || is_server || packet_id(text).is_some() {
        prop_assert!(text.trim_start().starts_with('{'), "{text:?}");
        prop_assert!(serde_json::from_str::<IgnoredAny>(text).is_ok(), "{text:?}");
    }
    Ok(())
}

/// The fields of any one object in `json`, with this one put before them.
fn put_in(json: &str, at: Index, field: &str) -> String {
    // Where an object begins, and not in a string.
    let mut places = Vec::new();
    let mut is_string = false;
    let mut is_escaped = false;
    for (place, character) in json.char_indices() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => is_string = !is_string,
            '{' if !is_string => places.push(place + 1),
            _ => {}
        }
    }
    let (before, after) = json.split_at(places[at.index(places.len())]);
    let comma = if after.starts_with('}') { "" } else { "," };
    format!("{before}{field}{comma}{after}")
}

/// Any JSON value, and not too deep.
fn value() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        prop::sample::select(vec![
            "null",
            "true",
            "0",
            "-1.5e-7",
            "1e999",
            r#""""#,
            r#""\ud83d""#,
            "[]",
            "{}"
        ])
        .prop_map(String::from),
        text().prop_map(|text| serde_json::json!(text).to_string()),
    ];
    scalar.prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(|values| format!("[{}]", values.join(","))),
            prop::collection::vec(inner, 0..3).prop_map(|values| {
                let fields: Vec<_> = values.iter().map(|value| format!(r#""action":{value}"#)).collect();
                format!("{{{}}}", fields.join(","))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn client_packets_come_back(packet in client_packet()) {
        let json = packet.encode();
        prop_assert_eq!(packet.check(), Ok(()));
        prop_assert_eq!(ClientPacket::decode(&json, Rich, json.len()), Ok(packet));
    }

    #[test]
    fn server_packets_come_back(packet in server_packet()) {
        let json = packet.encode();
        prop_assert_eq!(ServerPacket::decode(&json, Rich, json.len()), Ok(packet));
    }

    #[test]
    fn plain_packets_come_back(name in text(), content in text()) {
        let packet = ClientPacket::Message(ClientMessage::new(content.as_str()));
        prop_assert_eq!(ClientPacket::decode(&packet.encode(), Plain, MAX), Ok(packet.clone()));
        prop_assert_eq!(ClientPacket::decode(&packet.encode(), Rich, MAX), Ok(packet));
        let packet = ServerPacket::Message(ForwardingMessage::new(name, content));
        prop_assert_eq!(ServerPacket::decode(&packet.encode(), Plain, MAX), Ok(packet));
    }

    #[test]
    fn plain_packets_have_nothing_rich(client in client_packet(), server in server_packet()) {
        match ClientPacket::decode(&client.encode(), Plain, MAX) {
            Ok(ClientPacket::Message(message)) => {
                let content = message.content.clone();
                prop_assert_eq!(message, ClientMessage::new(content));
            }
            Ok(register @ ClientPacket::Register(_)) => prop_assert_eq!(register, client),
            outcome => {
                let is_empty = outcome == Err(DecodeError::Empty { field: "content" });
                prop_assert!(is_empty || outcome == Err(DecodeError::UnknownAction));
            }
        }
        match ServerPacket::decode(&server.encode(), Plain, MAX) {
            Ok(ServerPacket::Message(message)) => {
                let plain = ForwardingMessage::new(message.source_client_name.clone(), message.content.clone());
                prop_assert_eq!(message, plain);
            }
            Ok(ack @ ServerPacket::RegisterAck(_)) => prop_assert_eq!(ack, server),
            outcome => {
                let is_empty = outcome == Err(DecodeError::Empty { field: "content" });
                prop_assert!(is_empty || outcome == Err(DecodeError::UnknownAction));
            }
        }
    }

    #[test]
    fn unknown_fields_do_not_matter(
        client in client_packet(),
        server in server_packet(),
        fields in prop::collection::vec((any::<Index>(), text(), value()), 1..4),
    ) {
        let (mut client_json, mut server_json) = (client.encode(), server.encode());
        for (at, key, value) in fields {
            // No known key has a plus.
            let field = format!("{}:{value}", serde_json::json!(format!("{key}+")));
            client_json = put_in(&client_json, at, &field);
            server_json = put_in(&server_json, at, &field);
        }
        prop_assert_eq!(ClientPacket::decode(&client_json, Rich, MAX), Ok(client), "{}", client_json);
        prop_assert_eq!(ServerPacket::decode(&server_json, Rich, MAX), Ok(server), "{}", server_json);
    }

    /// Another reader reads what we write, in one line.
    #[test]
    fn what_is_written_is_json(content in text(), client in client_packet(), server in server_packet()) {
        let json = ClientPacket::Message(ClientMessage::new(content.as_str())).encode();
        let expected = serde_json::json!({ "action": "client-message", "content": content });
        prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&json).ok(), Some(expected));
        for json in [client.encode(), server.encode()] {
            prop_assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok());
            prop_assert!(json.chars().all(|character| character >= ' '));
        }
    }

    #[test]
    fn the_id_is_read_from_any_packet(packet in client_packet()) {
        let id = match &packet {
            ClientPacket::Message(packet) => packet.id.clone(),
            ClientPacket::Edit(packet) => packet.id.clone(),
            ClientPacket::Delete(packet) => packet.id.clone(),
            _ => None,
        };
        prop_assert_eq!(packet_id(&packet.encode()), id);
    }

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        decode_all(&String::from_utf8_lossy(&bytes))?;
    }

    /// Random, but with the pieces that JSON is made of.
    #[test]
    fn any_tokens(tokens in prop::collection::vec(prop::sample::select(vec![
        "{", "}", "[", "]", ":", ",", "\"", "\\", "\\u", "d83d", "\\ud83d", "\\ude00", "\"action\"", "\"content\"",
        "\"client-message\"", "\"register-ack\"", "\"attachments\"", "\"url\"", "\"sender\"", "\"id\"", "null",
        "1e999", "-", "é", " ", "\n", "\0",
    ]), 0..30)) {
        decode_all(&tokens.concat())?;
    }

    /// A field that nobody knows, whose value is made of all that values are made of: it is passed over if another
    /// parser takes it, and only then.
    #[test]
    fn any_value(tokens in prop::collection::vec(prop::sample::select(vec![
        "{", "}", "[", "]", ":", ",", "\"", "\"a\"", "\"\\n\\u00e9\"", "\"\\x\"", "\\", "0", "1", "-", ".", "e", "E+", "12",
        "null", "true", "false", "nul", " ", "\t", "é", "\u{1}", "\u{a0}",
    ]), 1..8)) {
        let json = format!(r#"{{"action":"register-ack","new":{}}}"#, tokens.concat());
        let is_json = serde_json::from_str::<IgnoredAny>(&json).is_ok();
        let outcome = ServerPacket::decode(&json, Plain, MAX);
        // Some of them end the object, and bring other fields.
        prop_assert_eq!(matches!(outcome, Err(DecodeError::NotJson)), !is_json, "{}: {:?}", json, outcome);
    }

    /// Objects of known fields, with any values.
    #[test]
    fn any_fields(
        action in prop::sample::select(vec![
            "register", "client-message", "client-edit", "client-status", "register-ack", "forwarding-message",
            "error", "presence",
        ]),
        fields in prop::collection::vec((prop::sample::select(vec![
            "action", "client-name", "secret-key", "protocol", "history", "resume", "content", "id", "sender",
            "attachments", "status", "source-client-name", "seq", "time", "code", "limits", "clients",
        ]), prop_oneof![
            value(),
            prop::sample::select(vec![
                "1", "2", r#""online""#, r#""x""#, r#"{"name":"a","packet-bytes":1}"#, r#"[{"url":"http://a"}]"#,
            ]).prop_map(String::from),
        ]), 0..8),
    ) {
        let fields: Vec<_> = fields.iter().map(|(name, value)| format!(r#","{name}":{value}"#)).collect();
        let json = format!(r#"{{"action":"{action}"{}}}"#, fields.concat());
        // The values may have what no other parser takes.
        for dialect in [Plain, Rich] {
            let _ = (ClientPacket::decode(&json, dialect, MAX), ServerPacket::decode(&json, dialect, MAX));
        }
        let _ = packet_id(&json);
    }

    /// A good packet with a few pieces replaced, put in, or cut out.
    #[test]
    fn mutated_packets(
        json in prop_oneof![
            client_packet().prop_map(|packet| packet.encode()),
            server_packet().prop_map(|packet| packet.encode()),
        ],
        edits in prop::collection::vec((any::<Index>(), 0..3usize, prop_oneof![
            any::<char>().prop_map(String::from),
            prop::sample::select(vec!["\"", "\\", "\\u", "\\ud83d", "{", "}", ",", ":", "[", "]"]).prop_map(String::from),
        ]), 1..5),
        cuts in prop::collection::vec(any::<Index>(), 8),
    ) {
        let mut characters: Vec<char> = json.chars().collect();
        for (at, cut, put) in edits {
            let start = at.index(characters.len() + 1);
            let end = (start + cut).min(characters.len());
            characters.splice(start..end, put.chars());
        }
        let text: String = characters.iter().collect();
        decode_all(&text)?;
        // And what a connection that breaks in the middle leaves.
        for cut in cuts {
            decode_all(&characters.iter().take(cut.index(characters.len() + 1)).collect::<String>())?;
        }
    }
}
