//! One exact sample for every packet, both ways, and what may differ from it without harm.

use std::borrow::Cow;

use multichat::protocol::{
    ClientMessage, ClientPacket, ForwardingMessage, Register, RegisterAck, ServerPacket,
};

const MAX: usize = 4096;

fn client_samples() -> Vec<(&'static str, ClientPacket<'static>)> {
    vec![
        (
            r#"{"action":"register","client-name":"irc","secret-key":"s3cret"}"#,
            ClientPacket::Register(Register::new("irc", "s3cret")),
        ),
        (
            r#"{"action":"client-message","content":"hello"}"#,
            ClientPacket::Message(ClientMessage::new("hello")),
        ),
        (
            r#"{"action":"client-message","content":"a\"b\\c/\n\r\t\u0000\b\f\u001f\u001b"}"#,
            ClientPacket::Message(ClientMessage::new("a\"b\\c/\n\r\t\0\u{8}\u{c}\u{1f}\u{1b}")),
        ),
        (
            "{\"action\":\"client-message\",\"content\":\"\u{7f}é<&>\u{2028}\u{fffd}👩‍🚀\"}",
            ClientPacket::Message(ClientMessage::new("\u{7f}é<&>\u{2028}\u{fffd}👩‍🚀")),
        ),
    ]
}

fn server_samples() -> Vec<(&'static str, ServerPacket<'static>)> {
    vec![
        (r#"{"action":"register-ack"}"#, ServerPacket::RegisterAck(RegisterAck::new())),
        (
            r#"{"action":"forwarding-message","source-client-name":"m\"c","content":"hi\n😀"}"#,
            ServerPacket::Message(ForwardingMessage::new("m\"c", "hi\n😀")),
        ),
    ]
}

#[test]
fn client_packets_are_these_bytes() {
    for (json, packet) in client_samples() {
        assert_eq!(packet.encode(), json);
        assert_eq!(ClientPacket::decode(json, MAX), Ok(packet));
    }
}

#[test]
fn server_packets_are_these_bytes() {
    for (json, packet) in server_samples() {
        assert_eq!(packet.encode(), json);
        assert_eq!(ServerPacket::decode(json, MAX), Ok(packet));
    }
}

#[test]
fn escapes_at_every_place() {
    for (character, escape) in [("\"", r#"\""#), ("\n", r"\n"), ("\u{1f}", r"\u001f"), ("é", "é")] {
        for (before, after) in (0..70).flat_map(|before| [(before, 0), (before, 50)]) {
            let text = |middle| format!("{}{middle}{}", "x".repeat(before), "y".repeat(after));
            let packet = ClientPacket::Message(ClientMessage::new(text(character)));
            let json = format!(r#"{{"action":"client-message","content":"{}"}}"#, text(escape));
            assert_eq!(packet.encode(), json);
        }
    }
}

#[test]
fn order_space_and_escapes_do_not_matter() {
    let hello = Ok(ClientPacket::Message(ClientMessage::new("hello/A😀\u{8}\u{c}")));
    for json in [
        r#"{"content":"hello/A😀\b\f","action":"client-message"}"#,
        " \t\r\n{ \"action\" :\n\"client-message\" ,\"content\": \"hello/A😀\\b\\f\" } \r\n\t ",
        r#"{"\u0061ction":"client\u002dmessage","con\u0074ent":"hello\/\u0041\ud83D\uDe00\b\f"}"#,
    ] {
        assert_eq!(ClientPacket::decode(json, MAX), hello, "{json}");
    }
}

#[test]
fn unknown_fields_are_ignored() {
    let deep = format!("{}1{}", r#"[{"x":"#.repeat(100_000), "}]".repeat(100_000));
    for value in [
        "null",
        "true",
        "false",
        "0",
        "-1.5e-7",
        "1e999",
        "123456789012345678901234567890",
        r#""""#,
        r#""\ud83d""#,
        "[]",
        "{}",
        r#"[1,[2,{"action":"x","content":null}]]"#,
        r#"{"a":1,"a":2}"#,
        &deep,
    ] {
        for json in [
            format!(r#"{{"extra":{value},"action":"client-message","content":"hello"}}"#),
            format!(r#"{{"action":"client-message","content":"hello","extra":{value}}}"#),
            format!(r#"{{"action":"client-message","x":{value},"content":"hello","x":{value}}}"#),
            // Known to other actions, or to this one in another case.
            format!(r#"{{"action":"client-message","secret-key":{value},"content":"hello"}}"#),
            format!(r#"{{"action":"client-message","Content":{value},"content":"hello","ACTION":{value}}}"#),
            format!(
                r#"{{"client-name":{value},"client-name":"a","content":"hello","action":"client-message"}}"#
            ),
        ] {
            let hello = Ok(ClientPacket::Message(ClientMessage::new("hello")));
            assert_eq!(ClientPacket::decode(&json, json.len()), hello);
        }
        let ack = format!(r#"{{"action":"register-ack","content":{value},"protocol":{value}}}"#);
        let expected = Ok(ServerPacket::RegisterAck(RegisterAck::new()));
        assert_eq!(ServerPacket::decode(&ack, ack.len()), expected);
        let register = format!(
            r#"{{"action":"register","client-name":"a","secret-key":"b","protocol":{value},"content":{value}}}"#
        );
        let expected = Ok(ClientPacket::Register(Register::new("a", "b")));
        assert_eq!(ClientPacket::decode(&register, register.len()), expected);
    }
}

#[test]
fn text_without_escapes_is_borrowed() {
    let json = r#"{"action":"client-message","content":"héllo 😀"}"#;
    let Ok(ClientPacket::Message(message)) = ClientPacket::decode(json, MAX) else { panic!("{json}") };
    assert!(matches!(message.content, Cow::Borrowed("héllo 😀")));

    let json = r#"{"action":"forwarding-message","source-client-name":"a","content":"b"}"#;
    let Ok(ServerPacket::Message(message)) = ServerPacket::decode(json, MAX) else { panic!("{json}") };
    assert!(matches!(message.source_client_name, Cow::Borrowed("a")));
    assert!(matches!(message.content, Cow::Borrowed("b")));

    let json = r#"{"action":"register","client-name":"a","secret-key":"b"}"#;
    let Ok(ClientPacket::Register(register)) = ClientPacket::decode(json, MAX) else { panic!("{json}") };
    assert!(matches!(register.client_name, Cow::Borrowed("a")));
    assert!(matches!(register.secret_key, Cow::Borrowed("b")));
}

#[test]
fn into_owned_keeps_the_packet() {
    for (json, packet) in client_samples() {
        let decoded = ClientPacket::decode(json, MAX).unwrap();
        assert_eq!(decoded.into_owned(), packet);
    }
    for (json, packet) in server_samples() {
        let decoded = ServerPacket::decode(json, MAX).unwrap();
        assert_eq!(decoded.into_owned(), packet);
    }
}

#[test]
fn debug_does_not_print_the_key() {
    let packet = ClientPacket::Register(Register::new("irc", "hunter2"));
    for debug in [format!("{packet:?}"), format!("{packet:#?}")] {
        assert!(debug.contains("irc") && !debug.contains("hunter2"), "{debug}");
    }
}
