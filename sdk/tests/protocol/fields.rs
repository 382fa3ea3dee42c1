//! Every field of every packet: required or not, once, of its type, and empty or not.

use multichat::protocol::DecodeError::{self, BadUrl, Duplicate, Empty, Missing, UnknownWord, WrongType};
use multichat::protocol::Dialect::{self, Plain, Rich};
use multichat::protocol::{ClientPacket, ErrorCode, ServerPacket};

const MAX: usize = 4096;

/// What a field may hold.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// A string, perhaps an empty one.
    Text,
    Filled,
    Url,
    Word(&'static str),
    Number,
    Boolean,
    Object(&'static str),
    List(&'static str),
}
use Kind::{Boolean, Filled, List, Number, Object, Text, Url, Word};

const TARGET: Field = need("target", Number);
const ID: Field = take("id", Filled);
const SOURCE: Field = need("source-client-name", Filled);
const CONTENT: Field = need("content", Filled);
const SEQ: Field = need("seq", Number);
const TIME: Field = need("time", Number);
const STATUS: Field = need("status", Word("`online`, `degraded` or `offline`"));
const RECEIPT: Field = need("status", Word("`delivered` or `failed`"));
const SENDER: Field = take("sender", Object(r#"{"name":"a"}"#));
const ATTACHMENTS: Field = take("attachments", List(r#"[{"url":"http://a"}]"#));

type Field = (&'static str, Kind, bool);

const fn need(name: &'static str, kind: Kind) -> Field {
    (name, kind, true)
}

const fn take(name: &'static str, kind: Kind) -> Field {
    (name, kind, false)
}

/// Who reads it, in which dialect, what is around the fields, and the fields.
type Packet = (Reader, Dialect, &'static str, &'static [Field]);

type Reader = fn(&str, Dialect) -> Option<DecodeError>;

fn client(json: &str, dialect: Dialect) -> Option<DecodeError> {
    ClientPacket::decode(json, dialect, MAX).err()
}

fn server(json: &str, dialect: Dialect) -> Option<DecodeError> {
    ServerPacket::decode(json, dialect, MAX).err()
}

const PACKETS: [Packet; 21] = [
    (client, Plain, r#"{"action":"register"@}"#, &[need("client-name", Filled), need("secret-key", Filled)]),
    (
        client,
        Plain,
        r#"{"action":"register","client-name":"a","secret-key":"b","protocol":2@}"#,
        &[
            take("history", Number),
            take("resume", Object(r#"{"session":"s","epoch":"e","seq":1}"#)),
            take("presence", Boolean),
        ],
    ),
    (
        client,
        Plain,
        r#"{"action":"register","client-name":"a","secret-key":"b","protocol":3,"resume":{"x":0@}}"#,
        &[need("resume.session", Filled), need("resume.epoch", Filled), need("resume.seq", Number)],
    ),
    (client, Plain, r#"{"action":"client-message"@}"#, &[CONTENT]),
    (
        client,
        Rich,
        r#"{"action":"client-message"@}"#,
        // Without attachments: with them, `content` may be empty.
        &[CONTENT, ID, SENDER, take("reply-to", Number), take("event", Filled)],
    ),
    (client, Rich, r#"{"action":"client-message","content":"c"@}"#, &[ATTACHMENTS]),
    (
        client,
        Rich,
        r#"{"action":"client-message","content":"c","sender":{"x":0@}}"#,
        &[need("sender.name", Filled), take("sender.id", Text), take("sender.avatar", Url)],
    ),
    (
        client,
        Rich,
        r#"{"action":"client-message","attachments":[{"url":"http://a"},{"x":0@}]}"#,
        &[
            need("attachments.url", Url),
            take("attachments.name", Text),
            take("attachments.mime", Text),
            take("attachments.size", Number),
        ],
    ),
    (client, Rich, r#"{"action":"client-edit"@}"#, &[TARGET, CONTENT, ID]),
    (client, Rich, r#"{"action":"client-delete"@}"#, &[TARGET, ID]),
    (
        client,
        Rich,
        r#"{"action":"client-receipt"@}"#,
        &[TARGET, RECEIPT, take("reason", Text), take("remote-id", Text)],
    ),
    (client, Rich, r#"{"action":"client-status"@}"#, &[STATUS, take("text", Text)]),
    (
        server,
        Plain,
        r#"{"action":"register-ack","protocol":2@}"#,
        &[
            need("session", Filled),
            need("epoch", Filled),
            SEQ,
            need("after", Number),
            take("recovered", Boolean),
            need("limits", Object(r#"{"packet-bytes":1}"#)),
            take("clients", List("[]")),
        ],
    ),
    (
        server,
        Rich,
        r#"{"action":"register-ack","protocol":2,"session":"s","epoch":"e","seq":1,"after":1,"limits":{"x":0@}}"#,
        &[
            need("limits.packet-bytes", Number),
            take("limits.messages-per-second", Number),
            take("limits.messages-burst", Number),
        ],
    ),
    (server, Plain, r#"{"action":"forwarding-message"@}"#, &[SOURCE, CONTENT]),
    (
        server,
        Rich,
        r#"{"action":"forwarding-message"@}"#,
        &[SOURCE, CONTENT, SENDER, take("reply-to", Number), take("event", Text), SEQ, TIME],
    ),
    (server, Rich, r#"{"action":"forwarding-edit"@}"#, &[SOURCE, TARGET, CONTENT, SEQ, TIME]),
    (server, Rich, r#"{"action":"forwarding-delete"@}"#, &[SOURCE, TARGET, SEQ, TIME]),
    (server, Rich, r#"{"action":"message-ack"@}"#, &[need("id", Filled), SEQ, TIME]),
    (server, Rich, r#"{"action":"error"@}"#, &[take("id", Text), need("code", Text), take("reason", Text)]),
    (
        server,
        Rich,
        r#"{"action":"forwarding-receipt"@}"#,
        &[SOURCE, TARGET, RECEIPT, take("reason", Text), take("remote-id", Text)],
    ),
];

const PRESENCE: Packet = (
    server,
    Rich,
    r#"{"action":"presence"@}"#,
    &[
        need("client-name", Filled),
        need("status", Word("`online`, `degraded`, `offline` or `left`")),
        take("text", Text),
        TIME,
    ],
);

fn good(kind: Kind) -> &'static str {
    match kind {
        Text | Filled => r#""good""#,
        Url => r#""https://good.example""#,
        Word("`delivered` or `failed`") => r#""failed""#,
        Word(_) => r#""offline""#,
        Number => "7",
        Boolean => "false",
        Object(value) | List(value) => value,
    }
}

fn expected(kind: Kind) -> &'static str {
    match kind {
        Text | Filled | Url | Word(_) => "a string",
        Number => "a whole number below 2^64",
        Boolean => "true or false",
        Object(_) => "an object",
        List(_) => "a list",
    }
}

/// What a field of this kind may not hold, `null` aside.
fn wrong(kind: Kind) -> Vec<&'static str> {
    let mut values = vec![
        "true",
        "5",
        r#""5""#,
        "[]",
        r#"["x"]"#,
        "{}",
        r#"{"x":"y"}"#,
        "-1",
        "-0",
        "1.0",
        "1e0",
        "0.5",
        "1e999",
        "18446744073709551616",
        r#""true""#,
        r#""null""#,
    ];
    values.retain(|value| match kind {
        Text | Filled | Url | Word(_) => !value.starts_with('"'),
        Number => *value != "5",
        Boolean => *value != "true",
        // Lists and objects look into what they hold.
        Object(_) => !value.starts_with('{'),
        List(_) => !value.starts_with('['),
    });
    values
}

#[test]
fn all_of_them() {
    for (read, dialect, template, fields) in PACKETS.into_iter().chain([PRESENCE]) {
        for &(field, kind, is_required) in fields {
            let key = |field: &'static str| field.rsplit('.').next().unwrap_or_default();
            // The packet whose `field` is these, the others being good.
            let refusal = |values: &[&str]| {
                let others = fields.iter().filter(|(other, ..)| *other != field);
                let others = others.map(|&(other, kind, _)| format!(r#","{}":{}"#, key(other), good(kind)));
                let own = values.iter().map(|value| format!(r#","{}":{value}"#, key(field)));
                let json = template.replace('@', &others.chain(own).collect::<String>());
                read(&json, dialect)
            };
            let none_if = |is_optional, error| if is_optional { None } else { Some(error) };
            let wrong_type = WrongType { field, expected: expected(kind) };
            let good = good(kind);
            let about = format!("{template} {field}");

            assert_eq!(refusal(&[good]), None, "{about}");
            assert_eq!(refusal(&[&format!(" \n{good}\t ")]), None, "{about}");
            assert_eq!(refusal(&[]), none_if(!is_required, Missing { field }), "{about}");
            assert_eq!(refusal(&["null"]), none_if(!is_required, wrong_type), "{about}");
            for second in [good, "null", r#""""#, "[1]"] {
                assert_eq!(refusal(&[good, second]), Some(Duplicate { field }), "{about} {second}");
                assert_eq!(refusal(&[second, good]), Some(Duplicate { field }), "{about} {second}");
            }
            for value in wrong(kind) {
                assert_eq!(refusal(&[value]), Some(wrong_type), "{about} {value}");
            }
            let empty = match kind {
                Text => None,
                Filled => Some(Empty { field }),
                Url => Some(BadUrl { field }),
                Word(expected) => Some(UnknownWord { field, expected }),
                _ => Some(wrong_type),
            };
            assert_eq!(refusal(&[r#""""#]), empty, "{about}");
            if let Word(expected) = kind {
                for word in [r#""Offline""#, r#""offline ""#, r#""lef""#, r#""read""#] {
                    assert_eq!(refusal(&[word]), Some(UnknownWord { field, expected }), "{about} {word}");
                }
            }
            if kind == Number {
                for number in ["0", "18446744073709551615"] {
                    assert_eq!(refusal(&[number]), None, "{about} {number}");
                }
            }
        }
    }
}

#[test]
fn what_a_client_is_told() {
    let field = "content";
    assert_eq!(Empty { field }.error_code(), ErrorCode::EmptyContent);
    assert_eq!(DecodeError::UnknownAction.error_code(), ErrorCode::UnknownAction);
    for error in [BadUrl { field: "attachments.url" }, DecodeError::TooMany { field: "attachments", max: 10 }]
    {
        assert_eq!(error.error_code(), ErrorCode::BadAttachment);
    }
    for error in [
        DecodeError::TooBig { size: 5, max: 4 },
        DecodeError::NotJson,
        Missing { field },
        Duplicate { field },
        WrongType { field, expected: "a string" },
        UnknownWord { field: "status", expected: "`on`" },
        Empty { field: "action" },
        Empty { field: "id" },
        Empty { field: "sender.name" },
        DecodeError::TooLong { field: "id", max: 64 },
        BadUrl { field: "sender.avatar" },
        Missing { field: "attachments.url" },
        WrongType { field: "attachments", expected: "a list" },
        WrongType { field: "attachments.url", expected: "a string" },
    ] {
        assert_eq!(error.error_code(), ErrorCode::BadPacket, "{error}");
    }
}
