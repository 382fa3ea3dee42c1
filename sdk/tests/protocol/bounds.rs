//! What a client's packet may hold: how long, how many, which URLs; and that a server's is taken as it is.

use multichat::protocol::DecodeError::{self, BadUrl, Empty, Missing, TooLong, TooMany, WrongType};
use multichat::protocol::{
    Attachment, ClientDelete, ClientEdit, ClientMessage, ClientPacket, ClientReceipt, ClientRow,
    ClientStatus, Dialect, ErrorCode, ReceiptStatus, Register, Resume, RichRegister, Sender, ServerPacket,
    Status, limits, packet_id,
};

use super::samples::with;

const MAX: usize = limits::PACKET_BYTES;

/// Why a server refuses the packet: for the same as its client is told before.
fn refusal(packet: &ClientPacket) -> Option<DecodeError> {
    let decoded = ClientPacket::decode(&packet.encode(), Dialect::Rich, MAX);
    assert_eq!(decoded.as_ref().err(), packet.check().as_ref().err());
    decoded.err()
}

fn message(content: &str, set: impl FnOnce(&mut ClientMessage)) -> ClientPacket {
    ClientPacket::Message(with(ClientMessage::new(content), set))
}

fn receipt(set: impl FnOnce(&mut ClientReceipt)) -> ClientPacket {
    ClientPacket::Receipt(with(ClientReceipt::new(1, ReceiptStatus::Failed), set))
}

fn attached(urls: impl IntoIterator<Item = impl Into<String>>) -> ClientPacket {
    message("x", |message| message.attachments = urls.into_iter().map(Attachment::new).collect())
}

/// What a server says to a `client-message` with these further fields.
fn decode(fields: &str) -> Result<ClientPacket, DecodeError> {
    ClientPacket::decode(&format!(r#"{{"action":"client-message",{fields}}}"#), Dialect::Rich, MAX)
}

#[test]
fn lengths_are_in_bytes_and_inclusive() {
    type Make = fn(String) -> ClientPacket;
    let cases: [(&'static str, usize, Make); 8] = [
        ("id", 64, |text| message("x", |it| it.id = Some(text))),
        ("sender.name", 256, |text| message("x", |it| it.sender = Some(Sender::new(text)))),
        ("event", 64, |text| message("x", |it| it.event = Some(text))),
        ("id", 64, |text| ClientPacket::Edit(with(ClientEdit::new(1, "x"), |it| it.id = Some(text)))),
        ("id", 64, |text| ClientPacket::Delete(with(ClientDelete::new(1), |it| it.id = Some(text)))),
        ("text", 1024, |text| {
            ClientPacket::Status(with(ClientStatus::new(Status::Online), |it| it.text = Some(text)))
        }),
        ("reason", 1024, |text| receipt(|it| it.reason = Some(text))),
        ("remote-id", 1024, |text| receipt(|it| it.remote_id = Some(text))),
    ];
    for (field, max, make) in cases {
        for character in ["x", "é", "\n", "😀"] {
            let longest = max / character.len();
            assert_eq!(refusal(&make(character.into())), None, "{field}");
            assert_eq!(refusal(&make(character.repeat(longest))), None, "{field}");
            assert_eq!(refusal(&make(character.repeat(longest + 1))), Some(TooLong { field, max }));
        }
        let error = refusal(&make("x".repeat(max + 1))).unwrap();
        assert_eq!(error.error_code(), ErrorCode::BadPacket);
    }
}

#[test]
fn what_has_no_bound_of_its_own() {
    let long = "x".repeat(100_000);
    let packet = message(&long, |message| {
        message.sender = Some(with(Sender::new("a"), |sender| {
            sender.id = Some(long.clone());
            sender.avatar = Some(format!("https://{long}"));
        }));
        message.attachments = vec![with(Attachment::new(format!("http://{long}")), |attachment| {
            attachment.name = Some(long.clone());
            attachment.mime = Some(long.clone());
        })];
    });
    assert_eq!(refusal(&packet), None);
}

#[test]
fn what_must_not_be_empty() {
    let registers = [("client-name", "", "k"), ("secret-key", "n", "")];
    for (field, name, key) in registers {
        let register = ClientPacket::Register(Register::new(name, key));
        assert_eq!(refusal(&register), Some(Empty { field }));
    }
    for (field, session, epoch) in [("resume.session", "", "e"), ("resume.epoch", "s", "")] {
        let resume = Some(Resume::new(session, epoch, 0));
        let rich = Some(with(RichRegister::new(), |rich| rich.resume = resume));
        let register = with(Register::new("n", "k"), |register| register.rich = rich);
        assert_eq!(refusal(&ClientPacket::Register(register)), Some(Empty { field }));
    }
    let cases = [
        ("content", message("", |_| {})),
        ("content", ClientPacket::Edit(ClientEdit::new(1, ""))),
        ("id", message("x", |message| message.id = Some(String::new()))),
        ("event", message("x", |message| message.event = Some(String::new()))),
        ("sender.name", message("x", |message| message.sender = Some(Sender::new("")))),
        ("id", ClientPacket::Edit(with(ClientEdit::new(1, "x"), |edit| edit.id = Some(String::new())))),
        ("id", ClientPacket::Delete(with(ClientDelete::new(1), |delete| delete.id = Some(String::new())))),
    ];
    for (field, packet) in cases {
        let error = refusal(&packet).unwrap();
        assert_eq!(error, Empty { field });
        let is_content = field == "content";
        let code = if is_content { ErrorCode::EmptyContent } else { ErrorCode::BadPacket };
        assert_eq!(error.error_code(), code);
    }
}

#[test]
fn content_may_be_left_out_with_attachments_only() {
    let attachments = r#""attachments":[{"url":"http://a"}]"#;
    for content in ["", r#","content":"""#, r#","content":null"#] {
        let packet = decode(&format!("{attachments}{content}")).unwrap();
        assert_eq!(packet, message("", |it| it.attachments = vec![Attachment::new("http://a")]));
        assert!(packet.encode().starts_with(r#"{"action":"client-message","content":"","attach"#));
    }
    let wrong = WrongType { field: "content", expected: "a string" };
    assert_eq!(decode(&format!(r#"{attachments},"content":5"#)), Err(wrong));
    for none in [r#""attachments":[]"#, r#""attachments":null"#, r#""x":0"#] {
        assert_eq!(decode(none), Err(Missing { field: "content" }));
        assert_eq!(decode(&format!(r#"{none},"content":null"#)), Err(wrong));
        assert_eq!(decode(&format!(r#"{none},"content":"""#)), Err(Empty { field: "content" }));
    }

    // The plain dialect has no attachments.
    let json = format!(r#"{{"action":"client-message",{attachments}}}"#);
    let plain = ClientPacket::decode(&json, Dialect::Plain, MAX);
    assert_eq!(plain, Err(Missing { field: "content" }));
    let json = format!(r#"{{"action":"client-message","content":"",{attachments}}}"#);
    let plain = ClientPacket::decode(&json, Dialect::Plain, MAX);
    assert_eq!(plain, Err(Empty { field: "content" }));

    // What is forwarded is read by the same rule.
    let forwarding = r#"{"action":"forwarding-message","source-client-name":"a","seq":1,"time":2@}"#;
    let decode = |fields: &str| ServerPacket::decode(&forwarding.replace('@', fields), Dialect::Rich, MAX);
    assert_eq!(decode(""), Err(Missing { field: "content" }));
    assert_eq!(decode(r#","content":"","attachments":[]"#), Err(Empty { field: "content" }));
    assert!(decode(r#","content":"","attachments":[{"url":"x"}]"#).is_ok());
    assert_eq!(decode(&format!(",{attachments}")), decode(&format!(r#",{attachments},"content":"""#)));
}

#[test]
fn attachments() {
    assert_eq!(refusal(&attached(["http://a"; 10])), None);
    let too_many = TooMany { field: "attachments", max: 10 };
    for count in [11, 12, 10_000] {
        assert_eq!(refusal(&attached(vec!["http://a"; count])), Some(too_many));
    }
    // Before what is in them.
    assert_eq!(decode(&format!(r#""attachments":[{}0]"#, "0,".repeat(10))), Err(too_many));
    assert_eq!(decode(&format!(r#""attachments":[{}0]"#, "[],".repeat(300_000))), Err(too_many));
    for (one, expected) in
        [("0", "an object"), ("null", "an object"), (r#""http://a""#, "an object"), ("[]", "an object")]
    {
        let list = decode(&format!(r#""attachments":[{{"url":"http://a"}},{one}]"#));
        assert_eq!(list, Err(WrongType { field: "attachments", expected }));
    }
    for (bad, field) in [("ftp://a", "attachments.url"), ("", "attachments.url")] {
        let error = refusal(&attached(["http://a", bad])).unwrap();
        assert_eq!(error, BadUrl { field });
        assert_eq!(error.error_code(), ErrorCode::BadAttachment);
    }
    let packet = message("x", |message| {
        message.sender = Some(with(Sender::new("a"), |sender| sender.avatar = Some("a.png".into())));
    });
    let error = refusal(&packet).unwrap();
    assert_eq!(error, BadUrl { field: "sender.avatar" });
    assert_eq!(error.error_code(), ErrorCode::BadPacket);
}

#[test]
fn urls() {
    let good = [
        "http://a",
        "https://a",
        "HTTPS://EXAMPLE.ORG",
        "hTTp://a.example:8080/b%20c?d=e&f#g",
        "https://user:password@a.example/",
        "https://user@a@b/",
        "http://[::1]:80/",
        "http://1.2.3.4",
        "https://a?b",
        "https://a#b",
        "https://bücher.example/ä/👩‍🚀",
        "https://a/b://c",
        "https://a\\b",
        "http://a/\"<>'`{}|^",
    ];
    for url in good {
        assert_eq!(refusal(&attached([url])), None, "{url}");
    }
    let bad = [
        "",
        "a",
        "a.example",
        "//a.example",
        "/a",
        "http",
        "http:",
        "http:/a",
        "http//a",
        "http://",
        "https:///a",
        "https://?a",
        "https://#a",
        "https://\\a",
        "https://:80",
        "https://:80/a",
        "https://user@",
        "https://user@/a",
        "https://user@:80",
        "http:a://b",
        "ftp://a",
        "httpss://a",
        "xhttp://a",
        "javascript://a",
        "javascript:alert(1)//http://a",
        "data:text/plain,http://a",
        "file:///etc/passwd",
        " http://a",
        "http ://a",
        "http: //a",
        "http://a ",
        "http://a b",
        "http://a/\tb",
        "http://a/\nb",
        "http://a/\rb",
        "http://a/\0",
        "http://a/\u{7f}",
        "http://a/\u{85}",
        "http://a/\u{a0}",
        "http://a/\u{3000}",
        "http://a/\u{2028}",
        "http://a/\u{202e}gpj.exe",
        "http://a/\u{200f}",
        "http://\u{61c}a",
    ];
    for url in bad {
        assert_eq!(refusal(&attached([url])), Some(BadUrl { field: "attachments.url" }), "{url:?}");
    }
}

#[test]
fn a_server_is_believed() {
    // Later servers may have other bounds and other schemes; what they send was checked there.
    let long = "x".repeat(5000);
    let urls = r#"{"url":"gemini://a"},"#.repeat(50);
    let json = format!(
        r#"{{"action":"forwarding-message","source-client-name":"{long}","content":"c","sender":{{"name":"","avatar":"a"}},"attachments":[{urls}{{"url":""}}],"event":"{long}","seq":1,"time":2}}"#
    );
    let Ok(ServerPacket::Message(message)) = ServerPacket::decode(&json, Dialect::Rich, MAX) else {
        panic!("{json}");
    };
    assert_eq!((message.attachments.len(), message.event), (51, Some(long.clone())));
    let json = format!(r#"{{"action":"error","id":"{long}","code":"{long}","reason":"{long}"}}"#);
    let Ok(ServerPacket::Error(refused)) = ServerPacket::decode(&json, Dialect::Rich, MAX) else {
        panic!("{json}");
    };
    assert_eq!((refused.code, refused.reason), (ErrorCode::Other(long.clone()), long));
}

#[test]
fn rows_that_are_not_understood_do_not_spoil_the_ack() {
    let good = r#"{"client-name":"a","status":"online","since":1}"#;
    let bad = [
        "null",
        "[]",
        r#"{"client-name":"b","status":"asleep","since":1}"#,
        r#"{"client-name":"","status":"online","since":1}"#,
        r#"{"client-name":"b","status":"online"}"#,
        r#"{"client-name":"b","status":"online","since":1,"since":1}"#,
        r#"{"client-name":"b","status":"online","since":1,"text":5}"#,
    ];
    for row in bad {
        let json = format!(
            r#"{{"action":"register-ack","protocol":2,"session":"s","epoch":"e","seq":0,"after":0,"limits":{{"packet-bytes":1}},"clients":[{row},{good},{row}]}}"#
        );
        let Ok(ServerPacket::RegisterAck(ack)) = ServerPacket::decode(&json, Dialect::Rich, MAX) else {
            panic!("{json}");
        };
        let rows = ack.rich.and_then(|rich| rich.clients);
        assert_eq!(rows, Some(vec![ClientRow::new("a", Status::Online, 1)]), "{row}");
    }
}

#[test]
fn the_id_of_what_does_not_decode() {
    let longest = "x".repeat(64);
    let cases = [
        (r#"{"id":"7"}"#, Some("7")),
        (r#"{"action":"client-mesage","id":"7","content":5}"#, Some("7")),
        (r#"{"action":5,"action":5,"id":"\u0037"}"#, Some("7")),
        (r#"{"x":"\ud83d","id":"\ud83d7"}"#, Some("\u{fffd}7")),
        (&format!(r#"{{"id":"{longest}"}}"#), Some(&*longest)),
        (&format!(r#"{{"id":"{longest}x"}}"#), None),
        (r#"{"id":""}"#, None),
        (r#"{"id":null}"#, None),
        (r#"{"id":7}"#, None),
        (r#"{"id":["7"]}"#, None),
        (r#"{"id":"7","id":"7"}"#, None),
        (r#"{"id":"\ud83d","\u0069d":"7"}"#, None),
        (r#"{"Id":"7","sender":{"id":"7"}}"#, None),
        (r#"{"id":"7"}x"#, None),
        (r#"{"id":"7","x":}"#, None),
        (r#"["id","7"]"#, None),
        ("{}", None),
    ];
    for (json, id) in cases {
        assert_eq!(packet_id(json).as_deref(), id, "{json}");
    }
}
