//! What is not a packet, and why.

use multichat::protocol::DecodeError::{self, Duplicate, Empty, Missing, NotJson, UnknownAction, WrongType};
use multichat::protocol::Dialect::{Plain, Rich};
use multichat::protocol::{ClientPacket, ServerPacket, limits, packet_id};

const MAX: usize = limits::PACKET_BYTES;

/// What both directions say to a text, in both dialects.
fn refusals(json: &str) -> [Option<DecodeError>; 4] {
    [
        ClientPacket::decode(json, Plain, MAX).err(),
        ClientPacket::decode(json, Rich, MAX).err(),
        ServerPacket::decode(json, Plain, MAX).err(),
        ServerPacket::decode(json, Rich, MAX).err(),
    ]
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
        assert_eq!(refusals(json), [Some(NotJson); 4], "{json:.60}");
        assert_eq!(packet_id(json), None);
    }
    for around in
        [format!("\u{feff}{good}"), format!("{good}x"), format!("{good}{good}"), format!("{good}\0")]
    {
        assert_eq!(refusals(&around), [Some(NotJson); 4], "{around}");
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
            assert_eq!(ClientPacket::decode(&json, Plain, MAX), Err(NotJson), "{json:?}");
        }
    }
}

#[test]
fn actions() {
    let with = |action: &str| format!(r#"{{{action}"client-name":"a","secret-key":"b","content":"c"}}"#);
    let cases = [
        ("", Missing { field: "action" }),
        (r#""Action":"register","#, Missing { field: "action" }),
        (r#""action":null,"#, WrongType { field: "action", expected: "a string" }),
        (r#""action":["register"],"#, WrongType { field: "action", expected: "a string" }),
        (r#""action":"","#, Empty { field: "action" }),
        (r#""action":"Register","#, UnknownAction),
        (r#""action":"register ","#, UnknownAction),
        (r#""action":"client-edi","#, UnknownAction),
        (r#""action":"client-message\ud83d","#, UnknownAction),
        (r#""action":"register","action":"register","#, Duplicate { field: "action" }),
        (r#""action":"register","action":null,"#, Duplicate { field: "action" }),
        (r#""action":"register","\u0061ction":"x","#, Duplicate { field: "action" }),
    ];
    for (action, error) in cases {
        assert_eq!(refusals(&with(action)), [Some(error); 4], "{action}");
    }
    // Each direction has its own.
    assert!(ClientPacket::decode(&with(r#""action":"register","#), Plain, MAX).is_ok());
    assert_eq!(ServerPacket::decode(&with(r#""action":"register","#), Plain, MAX), Err(UnknownAction));
    assert_eq!(ServerPacket::decode(&with(r#""action":"client-message","#), Plain, MAX), Err(UnknownAction));
    assert_eq!(ClientPacket::decode(&with(r#""action":"register-ack","#), Plain, MAX), Err(UnknownAction));
    assert_eq!(
        ClientPacket::decode(&with(r#""action":"forwarding-message","#), Plain, MAX),
        Err(UnknownAction)
    );
}

#[test]
fn packets_that_are_too_big() {
    let json = r#"{"action":"client-message","content":"é"}"#;
    let size = json.len();
    assert!(ClientPacket::decode(json, Rich, size).is_ok());
    assert_eq!(ClientPacket::decode(json, Rich, size - 1), Err(DecodeError::TooBig { size, max: size - 1 }));

    let json = r#"{"action":"register-ack"} "#;
    let size = json.len();
    assert!(ServerPacket::decode(json, Rich, size).is_ok());
    assert_eq!(ServerPacket::decode(json, Rich, size - 1), Err(DecodeError::TooBig { size, max: size - 1 }));
}

#[test]
fn the_default_limits() {
    assert_eq!(limits::PACKET_BYTES, 1_048_576);
    assert_eq!(limits::FIRST_PACKET_BYTES, 4_096);
    assert_eq!(limits::CLIENT_NAME_BYTES, 64);
    assert_eq!(limits::ID_BYTES, 64);
    assert_eq!(limits::EVENT_BYTES, 64);
    assert_eq!(limits::SENDER_NAME_BYTES, 256);
    assert_eq!(limits::TEXT_BYTES, 1_024);
    assert_eq!(limits::ATTACHMENTS, 10);
}

#[test]
fn errors_do_not_repeat_what_was_sent() {
    let cases = [
        r#"{"action":"hunter2"}"#,
        r#"{"action":"register","client-name":"hunter2"}"#,
        r#"{"action":"register","secret-key":"hunter2","client-name":{"hunter2":1}}"#,
        r#"{"action":"register","secret-key":"hunter2","secret-key":"hunter2","client-name":"hunter2"}"#,
        r#"{"action":"client-message","content":"","hunter2":"hunter2"}"#,
        r#"{"action":"client-status","status":"hunter2"}"#,
        r#"{"action":"client-message","content":"x","sender":{"name":"hunter2","avatar":"hunter2"}}"#,
        r#"{"action":"client-message","attachments":[{"url":"hunter2"}]}"#,
        r#"{"action":"client-message","attachments":[{"url":{"hunter2":1}}]}"#,
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
        (WrongType { field: "sender.name", expected: "a string" }, "`sender.name` is not a string"),
        (DecodeError::UnknownWord { field: "status", expected: "`a` or `b`" }, "`status` is not `a` or `b`"),
        (Empty { field: "content" }, "`content` is empty"),
        (DecodeError::TooLong { field: "id", max: 64 }, "`id` is too long: at most 64 bytes are allowed"),
        (
            DecodeError::TooMany { field: "attachments", max: 10 },
            "`attachments` has too many elements: at most 10 are allowed",
        ),
        (
            DecodeError::BadUrl { field: "attachments.url" },
            "`attachments.url` is not an absolute http or https URL",
        ),
        (UnknownAction, "the packet has an unknown action"),
    ];
    for (error, text) in cases {
        assert_eq!(error.to_string(), text);
    }
}
