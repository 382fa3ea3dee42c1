//! What is not a packet, and why.

use multichat::protocol::DecodeError::{self, Duplicate, Empty, Missing, NotJson, NotText, UnknownAction};
use multichat::protocol::{ClientPacket, ServerPacket, limits};

const MAX: usize = limits::PACKET_BYTES;

/// What both directions say to a text.
fn refusals(json: &str) -> [Option<DecodeError>; 2] {
    [ClientPacket::decode(json, MAX).err(), ServerPacket::decode(json, MAX).err()]
}

#[test]
fn what_is_not_one_json_object() {
    let good = r#"{"action":"client-message","content":"hello"}"#;
    let deep = "[".repeat(500_000);
    let cases = [
        "",
        " ",
        "hello",
        "null",
        "5",
        "\"x\"",
        "[]",
        "[1,2",
        "{",
        "{}{}",
        "}",
        "\u{0}",
        &deep,
        r"{'action':'client-message','content':'x'}",
        r#"{action:"client-message","content":"x"}"#,
        r#"{"action":"client-message","content":"x",}"#,
        r#"{"action":"client-message" "content":"x"}"#,
        r#"{"action":"client-message","content":"x""#,
        r#"{"action":"client-message","content":"x"#,
        r#"{"action":"client-message","content":"x","y":01}"#,
        r#"{"action":"client-message","content":"x","y":nul}"#,
        r#"{"action":"client-message","content":"x","y":[1}}"#,
        r#"{"action":"client-message","content":"\x"}"#,
        r#"{"action":"client-message","content":"\u12"}"#,
        r#"{"action":"client-message","content":"\u12g4"}"#,
        r#"{"action":"client-message","content":"\U0041"}"#,
        r#"[{"action":"client-message","content":"x"}]"#,
        // No comments.
        r#"{"action":"client-message",/**/"content":"x"}"#,
    ];
    for json in cases {
        assert_eq!(refusals(json), [Some(NotJson); 2], "{json:.60}");
    }
    for around in
        [format!("\u{feff}{good}"), format!("{good}x"), format!("{good}{good}"), format!("{good}\0")]
    {
        assert_eq!(refusals(&around), [Some(NotJson); 2], "{around}");
    }
}

#[test]
fn raw_control_characters() {
    for control in ('\0'..' ').map(String::from) {
        for json in [
            format!(r#"{{"action":"client-message","content":"{control}"}}"#),
            format!(r#"{{"action":"client-message","content":"x","{control}":1}}"#),
            format!(r#"{{"action":"client-message","content":"x","y":"{control}"}}"#),
            format!(r#"{{"action":"client-message","content":"x","y":"\ud83d{control}"}}"#),
        ] {
            assert_eq!(ClientPacket::decode(&json, MAX), Err(NotJson), "{json:?}");
        }
    }
}

#[test]
fn actions() {
    let with = |action: &str| format!(r#"{{{action}"client-name":"a","secret-key":"b","content":"c"}}"#);
    let cases = [
        ("", Missing { field: "action" }),
        (r#""Action":"register","#, Missing { field: "action" }),
        (r#""action":null,"#, NotText { field: "action" }),
        (r#""action":["register"],"#, NotText { field: "action" }),
        (r#""action":"","#, Empty { field: "action" }),
        (r#""action":"Register","#, UnknownAction),
        (r#""action":"register ","#, UnknownAction),
        (r#""action":"client-edit","#, UnknownAction),
        (r#""action":"client-message\ud83d","#, UnknownAction),
        (r#""action":"register","action":"register","#, Duplicate { field: "action" }),
        (r#""action":"register","action":null,"#, Duplicate { field: "action" }),
        (r#""action":"register","\u0061ction":"x","#, Duplicate { field: "action" }),
    ];
    for (action, error) in cases {
        assert_eq!(refusals(&with(action)), [Some(error); 2], "{action}");
    }
    // Each direction has its own.
    assert!(ClientPacket::decode(&with(r#""action":"register","#), MAX).is_ok());
    assert_eq!(ServerPacket::decode(&with(r#""action":"register","#), MAX), Err(UnknownAction));
    assert_eq!(ServerPacket::decode(&with(r#""action":"client-message","#), MAX), Err(UnknownAction));
    assert_eq!(ClientPacket::decode(&with(r#""action":"register-ack","#), MAX), Err(UnknownAction));
    assert_eq!(ClientPacket::decode(&with(r#""action":"forwarding-message","#), MAX), Err(UnknownAction));
}

#[test]
fn every_field_is_required_once_a_string_and_not_empty() {
    let packets: [(&str, &[&'static str]); 3] = [
        ("register", &["client-name", "secret-key"]),
        ("client-message", &["content"]),
        ("forwarding-message", &["source-client-name", "content"]),
    ];
    for (action, fields) in packets {
        for &field in fields {
            // The packet whose `field` reads so, the others being good.
            let refusal = |text: &str| {
                let others = fields.iter().filter(|&&other| other != field);
                let others: Vec<_> = others.map(|other| format!(r#","{other}":"x""#)).collect();
                let json = format!(r#"{{"action":"{action}"{}{text}}}"#, others.concat());
                let [client, server] = refusals(&json);
                if action == "forwarding-message" { server } else { client }
            };
            assert_eq!(refusal(&format!(r#","{field}":"good""#)), None);
            assert_eq!(refusal(""), Some(Missing { field }));
            assert_eq!(refusal(&format!(r#","{}":"good""#, field.to_uppercase())), Some(Missing { field }));
            assert_eq!(refusal(&format!(r#","{field}":"""#)), Some(Empty { field }));
            for value in ["null", "true", "5", "-1.5", "[]", "[\"x\"]", "{}", "{\"x\":\"y\"}"] {
                let error = Some(NotText { field });
                assert_eq!(refusal(&format!(r#","{field}":{value}"#)), error, "{value}");
            }
            assert!(refusal(&format!(r#","{field}":1e999"#)).is_some());
            for second in ["\"x\"", "\"y\"", "\"\"", "null", "[1]"] {
                let error = Some(Duplicate { field });
                assert_eq!(refusal(&format!(r#","{field}":"x","{field}":{second}"#)), error, "{second}");
            }
        }
    }
}

#[test]
fn packets_that_are_too_big() {
    let json = r#"{"action":"client-message","content":"é"}"#;
    let size = json.len();
    assert!(ClientPacket::decode(json, size).is_ok());
    assert_eq!(ClientPacket::decode(json, size - 1), Err(DecodeError::TooBig { size, max: size - 1 }));

    let json = r#"{"action":"register-ack"} "#;
    let size = json.len();
    assert!(ServerPacket::decode(json, size).is_ok());
    assert_eq!(ServerPacket::decode(json, size - 1), Err(DecodeError::TooBig { size, max: size - 1 }));
}

#[test]
fn the_default_limits() {
    assert_eq!(limits::PACKET_BYTES, 1_048_576);
    assert_eq!(limits::FIRST_PACKET_BYTES, 4_096);
    assert_eq!(limits::CLIENT_NAME_BYTES, 64);
}

#[test]
fn errors_do_not_repeat_what_was_sent() {
    let cases = [
        r#"{"action":"hunter2"}"#,
        r#"{"action":"register","client-name":"hunter2"}"#,
        r#"{"action":"register","secret-key":"hunter2","client-name":{"hunter2":1}}"#,
        r#"{"action":"register","secret-key":"hunter2","secret-key":"hunter2","client-name":"hunter2"}"#,
        r#"{"action":"client-message","content":"","hunter2":"hunter2"}"#,
        "hunter2",
    ];
    for json in cases {
        for error in refusals(json).into_iter().flatten() {
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }
}

#[test]
fn errors_read_well() {
    let cases = [
        (DecodeError::TooBig { size: 5, max: 4 }, "a packet of 5 bytes is too big: at most 4 are allowed"),
        (NotJson, "the packet is not one JSON object"),
        (Missing { field: "content" }, "the packet has no `content`"),
        (Duplicate { field: "content" }, "the packet has more than one `content`"),
        (NotText { field: "content" }, "`content` is not a string"),
        (Empty { field: "content" }, "`content` is empty"),
        (UnknownAction, "the packet has an unknown action"),
    ];
    for (error, text) in cases {
        assert_eq!(error.to_string(), text);
    }
}
