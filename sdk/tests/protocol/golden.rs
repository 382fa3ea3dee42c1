//! One exact sample for every packet, both ways, and what may differ from it without harm.

use multichat::protocol::{
    ClientMessage, ClientPacket, Dialect, ForwardingMessage, Register, RegisterAck, Resume, RichRegister,
    ServerPacket,
};

use super::samples;

const MAX: usize = 4096;

#[test]
fn client_packets_are_these_bytes() {
    for (dialect, json, packet) in samples::client() {
        assert_eq!(packet.encode(), json);
        assert_eq!(ClientPacket::decode(json, dialect, MAX), Ok(packet));
    }
}

#[test]
fn server_packets_are_these_bytes() {
    for (dialect, json, packet) in samples::server() {
        assert_eq!(packet.encode(), json);
        assert_eq!(ServerPacket::decode(json, dialect, MAX), Ok(packet));
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
            assert_eq!(ClientPacket::decode(&json, Dialect::Plain, MAX), Ok(packet));
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
        for dialect in [Dialect::Plain, Dialect::Rich] {
            assert_eq!(ClientPacket::decode(json, dialect, MAX), hello, "{json}");
        }
    }

    let json = r#"{"resume" : {"s\u0065q":7 ,
        "epoch":"\u0065","session":"s" },"presence":true
        ,"history": 50 ,"protocol" :2
        , "secret-key":"k","client-name":"n","action":"register"}"#;
    let mut rich = RichRegister::new();
    rich.history = 50;
    rich.presence = true;
    rich.resume = Some(Resume::new("s", "e", 7));
    let mut register = Register::new("n", "k");
    register.rich = Some(rich);
    assert_eq!(ClientPacket::decode(json, Dialect::Plain, MAX), Ok(ClientPacket::Register(register)));

    // Words and URLs in escapes are the same words and URLs.
    let json = r#"{"action":"client-message","attachments":[ {"url":"https:\/\/a.example\/b"} ,{"url":"http:\u002f/c"}]}"#;
    let Ok(ClientPacket::Message(message)) = ClientPacket::decode(json, Dialect::Rich, MAX) else {
        panic!("{json}");
    };
    let urls: Vec<_> = message.attachments.iter().map(|attachment| attachment.url.as_str()).collect();
    assert_eq!(urls, ["https://a.example/b", "http://c"]);
    let json = r#"{"action":"client-status","status":"onl\u0069ne"}"#;
    assert!(ClientPacket::decode(json, Dialect::Rich, MAX).is_ok());
}

#[test]
fn unknown_fields_are_ignored() {
    let deep = format!("{}1{}", r#"[{"x":"#.repeat(20_000), "}]".repeat(20_000));
    let values = [
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
    ];
    // At the beginning, at the end, more than once, and under names that are almost known.
    let around = |json: &str, value: &str| {
        let fields = json.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap().to_owned();
        [
            format!(r#"{{"extra":{value},{fields}}}"#),
            format!(r#"{{{fields},"extra":{value}}}"#),
            format!(r#"{{"x":{value},"":{value},{fields},"x":{value}}}"#),
            format!(
                r#"{{{fields},"Content":{value},"ACTION":{value},"sender.name":{value},"name":{value}}}"#
            ),
        ]
    };
    for value in values {
        for (dialect, json, packet) in samples::client() {
            for json in around(json, value) {
                assert_eq!(ClientPacket::decode(&json, dialect, json.len()).as_ref(), Ok(&packet));
            }
        }
        for (dialect, json, packet) in samples::server() {
            for json in around(json, value) {
                assert_eq!(ServerPacket::decode(&json, dialect, json.len()).as_ref(), Ok(&packet));
            }
        }
        // In what is in a packet, too.
        let (_, json, packet) =
            samples::client().into_iter().find(|(_, json, _)| json.contains("avatar")).unwrap();
        let json = json
            .replace(
                r#""sender":{"#,
                &format!(r#""sender":{{"sender.name":{value},"x":{value},"seq":{value},"#),
            )
            .replace(r#"{"url""#, &format!(r#"{{"x":{value},"attachments.url":{value},"x":{value},"url""#));
        assert_eq!(ClientPacket::decode(&json, Dialect::Rich, json.len()), Ok(packet));
    }
}

#[test]
fn the_fields_of_other_packets_are_ignored() {
    for value in ["null", "0", r#""""#, r#""\ud83d""#, "[{}]", r#"{"a":1,"a":2}"#] {
        let others = samples::twice(
            &["client-name", "secret-key", "protocol", "resume", "target", "status", "reason", "text"],
            value,
        );
        let json = format!(r#"{{"action":"client-message","content":"hello"{others}}}"#);
        for dialect in [Dialect::Plain, Dialect::Rich] {
            let hello = Ok(ClientPacket::Message(ClientMessage::new("hello")));
            assert_eq!(ClientPacket::decode(&json, dialect, MAX), hello, "{json}");
        }
        let others = samples::twice(&["id", "content", "sender", "attachments", "target", "status"], value);
        let json = format!(r#"{{"action":"register","client-name":"a","secret-key":"b"{others}}}"#);
        let register = Ok(ClientPacket::Register(Register::new("a", "b")));
        assert_eq!(ClientPacket::decode(&json, Dialect::Plain, MAX), register, "{json}");

        let others = samples::twice(
            &["content", "time", "session", "seq", "limits", "clients", "place", "rich"],
            value,
        );
        let json = format!(r#"{{"action":"register-ack"{others}}}"#);
        let ack = Ok(ServerPacket::RegisterAck(RegisterAck::new()));
        assert_eq!(ServerPacket::decode(&json, Dialect::Rich, MAX), ack, "{json}");
        let others =
            samples::twice(&["protocol", "limits", "id", "code", "status", "target", "client-name"], value);
        let json = format!(
            r#"{{"action":"forwarding-message","source-client-name":"a","content":"b","seq":1,"time":2{others}}}"#
        );
        let message = ForwardingMessage::new("a", "b");
        assert_eq!(ServerPacket::decode(&json, Dialect::Plain, MAX), Ok(ServerPacket::Message(message)));
        assert!(ServerPacket::decode(&json, Dialect::Rich, MAX).is_ok(), "{json}");
    }
}

#[test]
fn null_is_no_value_where_none_is_needed() {
    let cases = [
        (r#"{"action":"client-delete","target":7}"#, r#""id":null"#),
        (r#"{"action":"client-edit","target":7,"content":"x"}"#, r#""id":null"#),
        (
            r#"{"action":"client-message","content":"x"}"#,
            r#""id":null,"sender":null,"reply-to":null,"attachments":null,"event":null"#,
        ),
        (r#"{"action":"client-message","content":"x"}"#, r#""attachments":[]"#),
        (r#"{"action":"client-message","attachments":[{"url":"http://a"}]}"#, r#""content":null"#),
        (r#"{"action":"client-message","attachments":[{"url":"http://a"}]}"#, r#""content":"""#),
        (r#"{"action":"client-receipt","target":7,"status":"failed"}"#, r#""reason":null,"remote-id":null"#),
        (r#"{"action":"client-status","status":"offline"}"#, r#""text":null"#),
        (
            r#"{"action":"register","client-name":"a","secret-key":"b","protocol":2}"#,
            r#""history":null,"resume":null,"presence":null"#,
        ),
        (r#"{"action":"register","client-name":"a","secret-key":"b"}"#, r#""protocol":null"#),
        (r#"{"action":"register","client-name":"a","secret-key":"b"}"#, r#""protocol":1,"history":-1"#),
    ];
    for (json, fields) in cases {
        let expected = ClientPacket::decode(json, Dialect::Rich, MAX);
        assert!(expected.is_ok(), "{json}");
        let json = json.replacen('{', &format!("{{{fields},"), 1);
        assert_eq!(ClientPacket::decode(&json, Dialect::Rich, MAX), expected, "{json}");
    }

    let nulls = [
        (r#"{"name":"a","id":null,"avatar":null}"#, r#"{"name":"a"}"#),
        (r#"{"url":"http://a","name":null,"mime":null,"size":null}"#, r#"{"url":"http://a"}"#),
    ];
    for (with, without) in nulls {
        let field = if with.contains("url") {
            format!(r#""attachments":[{with}]"#)
        } else {
            format!(r#""sender":{with}"#)
        };
        let json = format!(r#"{{"action":"client-message","content":"x",{field}}}"#);
        let expected = ClientPacket::decode(&json.replace(with, without), Dialect::Rich, MAX);
        assert!(expected.is_ok());
        assert_eq!(ClientPacket::decode(&json, Dialect::Rich, MAX), expected, "{json}");
    }

    // And what a server leaves out, a later one may say as `null`.
    let cases = [
        (
            r#"{"action":"register-ack","protocol":2,"session":"s","epoch":"e","seq":0,"after":0,"limits":{"packet-bytes":9}}"#,
            r#""recovered":null,"clients":null"#,
        ),
        (r#"{"action":"error","code":"bad-packet","reason":""}"#, r#""id":null"#),
        (r#"{"action":"error","code":"bad-packet"}"#, r#""reason":null"#),
        (r#"{"action":"presence","client-name":"a","status":"left","time":5}"#, r#""text":null"#),
        (
            r#"{"action":"forwarding-message","source-client-name":"a","content":"b","seq":1,"time":2}"#,
            r#""sender":null,"reply-to":null,"attachments":null,"event":null"#,
        ),
    ];
    for (json, fields) in cases {
        let expected = ServerPacket::decode(json, Dialect::Rich, MAX);
        assert!(expected.is_ok(), "{json}");
        let json = json.replacen('{', &format!("{{{fields},"), 1);
        assert_eq!(ServerPacket::decode(&json, Dialect::Rich, MAX), expected, "{json}");
    }
}

#[test]
fn debug_does_not_print_secrets() {
    let mut register = Register::new("irc", "hunter2");
    let mut rich = RichRegister::new();
    rich.resume = Some(Resume::new("hunter3", "log-7", 77));
    register.rich = Some(rich);
    let register = ClientPacket::Register(register);
    for debug in [format!("{register:?}"), format!("{register:#?}")] {
        assert!(debug.contains("irc") && debug.contains("log-7") && debug.contains("77"), "{debug}");
        assert!(!debug.contains("hunter"), "{debug}");
    }
    let (_, _, ack) =
        samples::server().into_iter().find(|(_, json, _)| json.contains(samples::SESSION)).unwrap();
    for debug in [format!("{ack:?}"), format!("{ack:#?}")] {
        for told in
            ["protocol: 2", "epoch: ", "seq: 1240", "after: 1234", "recovered: ", "packet_bytes: ", "mc"]
        {
            assert!(debug.contains(told), "{debug}");
        }
        assert!(!debug.contains(samples::SESSION), "{debug}");
    }
}
