//! Config files as a whole.

mod admin;
mod proxies;
mod rooms;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use proptest::prelude::*;

use super::*;
use crate::rate::{Rate, Rates};

const FILE: &str = "/etc/multichat/config.json";

fn parse(text: &str) -> Result<(Config, Vec<Warning>), ConfigError> {
    Config::parse(text.as_bytes(), Path::new(FILE))
}

/// A good file with something added.
fn with(fields: &str) -> String {
    format!(r#"{{"ws-path": "/", "host": ":6780", "secret-key": "k3y"{fields}}}"#)
}

fn good(text: &str) -> Config {
    let (config, warnings) = parse(text).unwrap();
    assert_eq!(warnings, []);
    config
}

fn limits(fields: &str) -> Limits {
    good(&with(&format!(r#", "limits": {{{fields}}}"#))).limits
}

fn warnings(text: &str) -> Vec<String> {
    parse(text).unwrap().1.iter().map(ToString::to_string).collect()
}

/// The lines of the message, without the file's name.
fn problems(text: &str) -> Vec<String> {
    let message = parse(text).unwrap_err().to_string();
    message.lines().map(|line| line.strip_prefix(&format!("{FILE}: ")).expect(line).to_owned()).collect()
}

fn opens(room: &Room, name: &str, key: &str) -> bool {
    room.keys.admit(name, KeyDigest::of(key)).is_some()
}

#[test]
fn the_original_file() {
    let config = good(
        r#"{"ws-path": "/chat", "host": "0.0.0.0:6780", "secret-key": "hunter2",
            "wss": {"keyfile": "/keys/key.pem", "certfile": "cert.pem"}}"#,
    );
    assert_eq!(config.default_room.ws_path.to_string(), "/chat");
    assert_eq!(config.host, Host::AnyInterface { port: 6780 });
    assert!(opens(&config.default_room, "irc", "hunter2"));
    let wss = config.wss.unwrap();
    assert_eq!(wss.keyfile, PathBuf::from("/keys/key.pem"));
    assert_eq!(wss.certfile, PathBuf::from("/etc/multichat/cert.pem"), "relative to the file's folder");
    assert_eq!(config.limits, Limits::default());
    assert!(config.allowed_origins.is_empty());
    assert_eq!(config.web_root, None);
    assert_eq!(config.content_policy, Some(ContentPolicy::default()));
}

#[test]
fn pages_have_a_policy_unless_that_is_switched_off() {
    let policy = |value| good(&with(&format!(r#", "content-security-policy": {value}"#))).content_policy;
    assert_eq!(policy("null"), Some(ContentPolicy::default()));
    assert_eq!(policy(r#""""#), None);
    assert_eq!(policy(r#""default-src *""#), ContentPolicy::parse("default-src *").unwrap());
}

#[test]
fn a_file_without_a_folder() {
    let text = with(r#", "wss": {"keyfile": "k", "certfile": "c"}"#);
    let (config, _) = Config::parse(text.as_bytes(), Path::new("config.json")).unwrap();
    assert_eq!(config.wss.unwrap().keyfile, PathBuf::from("k"));
}

#[test]
fn what_go_tolerates() {
    assert!(
        good("\u{feff}{\"Host\": \":1\", \"WS-Path\": \"/\", \"SECRET-KEY\": \"k\", \"wss\": null}")
            .wss
            .is_none()
    );
    assert_eq!(good(&with(r#", "host": ":2""#)).host, Host::AnyInterface { port: 2 }, "the last one wins");
    let (config, _) = parse(&with(r#", "HOST": ":2""#)).unwrap();
    assert_eq!(config.host, Host::AnyInterface { port: 6780 }, "the exact name wins");
}

#[test]
fn required_fields() {
    assert_eq!(
        problems(r#"{"host": "", "secret-key": 12345}"#),
        [
            r#""ws-path" must be the path of the WebSocket, such as "/" (every path) or "/chat"; it is missing"#,
            r#""host" must be where to listen, such as ":6780" (every interface), "127.0.0.1:6780" or "unix:multichat.sock"; found """#,
            "\"secret-key\" must be the key that clients register with: a text of at least one character \
             (`multichat-server key` makes a good one), {\"sha256\": …}, {\"env\": …} or {\"file\": …}; found a number",
        ]
    );
    assert!(
        problems(r#"{"ws-path": null, "host": ":1", "secret-key": "k"}"#)[0].ends_with("; it is missing")
    );
    assert!(
        problems(r#"{"ws-path": "/", "host": ":1", "secret-key": ""}"#)[0].ends_with("; found an empty text")
    );
}

#[test]
fn wrong_values_are_shown() {
    for (fields, end) in [
        (r#", "host": "localhost""#, r#"; found "localhost": the port is missing"#),
        (r#", "host": 6780"#, "; found 6780"),
        (r#", "ws-path": "chat""#, r#"; found "chat": it does not begin with /"#),
        (r#", "ws-path": "a\nb""#, r#"; found "a\nb": it does not begin with /"#),
        (r#", "ws-path": ["/"]"#, "; found an array"),
        (r#", "web-root": "/no/such/folder""#, "(os error 2)"),
        (r#", "web-root": "/dev/null""#, "/dev/null is not a folder"),
        (r#", "web-root": """#, r#"; found """#),
        (
            r#", "content-security-policy": "a\nb""#,
            r#"; found "a\nb": a policy has printable ASCII characters alone"#,
        ),
        (r#", "content-security-policy": false"#, "; found false"),
        (
            r#", "allowed-origins": ["https://a.example", "b.example"]"#,
            r#""b.example": an origin begins with its scheme, such as https://"#,
        ),
        (r#", "allowed-origins": ["https://a.example", 1]"#, "; found an array: 1 is no text"),
        (r#", "allowed-origins": true"#, "; found true"),
        (
            r#", "trusted-proxies": ["127.0.0.1", "nginx"]"#,
            r#""nginx": that is no IP address and no network, such as 10.0.0.0/8; names are not looked up"#,
        ),
        (
            r#", "trusted-proxies": ["10.1.2.3/8"]"#,
            "write 10.0.0.0/8 for the network, or leave the / and what follows out",
        ),
        (r#", "trusted-proxies": 1, "proxy-protocol": true"#, "; found 1"),
        (r#", "proxy-protocol": "yes""#, r#"; found "yes""#),
        (r#", "proxy-protocol": true"#, r#"; found true: "trusted-proxies" lists nobody who may send one"#),
        (
            r#", "trusted-proxies": [], "proxy-protocol": true"#,
            r#"; found true: "trusted-proxies" lists nobody who may send one"#,
        ),
        (r#", "limits": 1"#, r#""limits" must be an object, such as {"packet-bytes": 65536}; found 1"#),
        (
            r#", "wss": true"#,
            r#""wss" must be an object with "keyfile" and "certfile", or null for no TLS; found true"#,
        ),
    ] {
        let text = with(fields);
        let found = problems(&text);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].ends_with(end), "{} ends with {end}", found[0]);
    }
    let wss = problems(&with(r#", "wss": {"certfile": ""}"#));
    assert!(wss[0].starts_with(r#""wss.keyfile" must be the path to the private key"#), "{wss:?}");
    assert!(wss[1].starts_with(r#""wss.certfile" must be the path to the certificate chain"#), "{wss:?}");
}

#[test]
fn long_values_are_cut() {
    let found = problems(&with(&format!(r#", "host": "{}""#, "x".repeat(5000))));
    assert!(found[0].len() < 250, "{}", found[0]);
}

#[test]
fn what_is_not_json() {
    for (text, expected) in [
        ("{\n  \"host\": \":1\"\n  \"ws-path\": \"/\"\n}", ":3:3: not JSON: expected `,` or `}`"),
        ("", ":1:0: not JSON: the file is empty"),
        (" \n", ":2:0: not JSON: the file is empty"),
        ("{} {}", ":1:4: not JSON: trailing characters"),
    ] {
        assert_eq!(parse(text).unwrap_err().to_string(), format!("{FILE}{expected}"));
    }
    let utf_16 = Config::parse(b"\xFF\xFE{\0}\0", Path::new(FILE)).unwrap_err().to_string();
    assert!(utf_16.ends_with("the file is in UTF-16; save it as UTF-8"), "{utf_16}");
    assert!(problems("[]")[0].starts_with("the file must be a JSON object with at least"));
}

#[test]
fn unknown_fields_are_warned_of() {
    assert_eq!(
        warnings(&with(
            r#", "allowed-origin": [], "web_root": "/", "comment": "hi", "limits": {"packetBytes": 1, "ping-second": 1}, "HOST": ":1""#
        )),
        [
            r#"unknown field "limits.packetBytes"; did you mean "limits.packet-bytes"?"#,
            r#"unknown field "limits.ping-second"; did you mean "limits.ping-seconds"?"#,
            r#"unknown field "HOST"; did you mean "host"?"#,
            r#"unknown field "allowed-origin"; did you mean "allowed-origins"?"#,
            r#"unknown field "comment""#,
            r#"unknown field "web_root"; did you mean "web-root"?"#,
        ]
    );
    let wss = warnings(&with(r#", "wss": {"keyfile": "k", "certfile": "c", "cert-file": "d"}"#));
    assert_eq!(wss, [r#"unknown field "wss.cert-file"; did you mean "wss.certfile"?"#]);
}

#[test]
fn a_known_key_is_warned_of() {
    for key in ["password", "change-me"] {
        let found = warnings(&format!(r#"{{"ws-path": "/", "host": ":6780", "secret-key": "{key}"}}"#));
        assert!(found[0].contains("everybody knows"), "{found:?}");
        assert!(!found[0].contains(key), "the key is not shown");
    }
}

#[test]
fn every_limit_can_be_set() {
    let set = limits(
        r#""tls-handshake-seconds": 1.5, "http-request-seconds": 2, "register-seconds": 3, "first-packet-bytes": 2048,
           "packet-bytes": 65536, "message-seconds": 4, "message-fragments": 5, "control-frames-per-second": 6,
           "control-frames-burst": 7, "bad-packets-per-minute": 8, "client-name-bytes": 9, "connections": 10,
           "unregistered-connections": 11, "unregistered-connections-per-address": 12,
           "failed-registrations-per-minute": 13, "log-entries": 1000, "log-bytes": 262144, "session-seconds": 14,
           "outbox-bytes": 32768, "write-stall-seconds": 16,
           "ping-seconds": 17, "pong-seconds": 18, "messages-per-second": 19, "messages-burst": 20,
           "bytes-per-second": 1000000000, "bytes-burst": 2000000000, "close-seconds": 0.25, "shutdown-seconds": 22"#,
    );
    let seconds = Duration::from_secs;
    let expected = Limits {
        tls_handshake: Duration::from_millis(1500),
        http_request: seconds(2),
        register: seconds(3),
        first_packet_bytes: 2048,
        packet_bytes: 65536,
        message: seconds(4),
        message_fragments: 5,
        control_frames: Rate::new(6, seconds(1), 7),
        bad_packets: Rate::new(8, seconds(60), 10),
        client_name_bytes: 9,
        connections: 10,
        unregistered_connections: 11,
        unregistered_connections_per_address: 12,
        failed_registrations: Rate::new(13, seconds(60), 13),
        log_entries: 1000,
        log_bytes: 262_144,
        session: seconds(14),
        outbox_bytes: 32_768,
        write_stall: seconds(16),
        ping: seconds(17),
        pong: seconds(18),
        rates: Rates {
            messages: Rate::new(19, seconds(1), 20),
            bytes: Rate::new(1_000_000_000, seconds(1), 2_000_000_000),
        },
        close: Duration::from_millis(250),
        shutdown: seconds(22),
    };
    assert_eq!(set, expected);
    let written: Vec<_> = set.fields().iter().map(|(name, value)| format!(r#""{name}": {value}"#)).collect();
    assert_eq!(written.len(), 28);
    assert_eq!(limits(&written.join(", ")), expected, "what is shown can be read back");
}

#[test]
fn what_rich_clients_cost_has_defaults_and_ends() {
    let defaults = Limits::default();
    assert_eq!((defaults.session, defaults.outbox_bytes), (Duration::from_mins(10), 64 * 1024));
    assert_eq!(limits(r#""outbox-bytes": 1024"#).outbox_bytes, 1024);
    assert_eq!(limits(r#""outbox-bytes": 268435456"#).outbox_bytes, 268_435_456);
}

#[test]
fn rates_can_be_off_and_bursts_follow() {
    let off = limits(
        r#""control-frames-per-second": 0, "bad-packets-per-minute": 0, "failed-registrations-per-minute": 0, "messages-per-second": 0"#,
    );
    assert_eq!(
        [off.control_frames, off.bad_packets, off.failed_registrations, off.rates.messages],
        [None; 4]
    );
    let second = Duration::from_secs(1);
    assert_eq!(limits(r#""messages-per-second": 5"#).rates.messages, Rate::new(5, second, 10));
    assert_eq!(limits(r#""control-frames-burst": 5"#).control_frames, Rate::new(64, second, 5));
    assert_eq!(
        warnings(&with(r#", "limits": {"messages-burst": 9}"#)),
        [r#""limits.messages-burst" has no effect while "limits.messages-per-second" is 0"#]
    );
}

#[test]
fn sizes_fit_each_other() {
    assert_eq!(limits(r#""packet-bytes": 1024"#).first_packet_bytes, 1024, "a default gives way");
    assert_eq!(limits(r#""packet-bytes": 16777216"#).log_bytes, 67_108_864, "a default gives way");
    let long_key = format!(r#"{{"ws-path": "/", "host": ":1", "secret-key": "{}"}}"#, "k".repeat(5000));
    assert_eq!(
        good(&long_key).limits.first_packet_bytes,
        512 + 64 + 5002,
        "whose key is long registers all the same"
    );
    for (fields, expected) in [
        (
            r#""first-packet-bytes": 4096, "packet-bytes": 1024"#,
            r#""limits.first-packet-bytes" must be no more than "limits.packet-bytes", which is 1024; found 4096"#,
        ),
        (
            r#""first-packet-bytes": 580"#,
            "\"limits.first-packet-bytes\" must be at least 581, which a register with your secret-key and the longest \
             client name takes; found 580",
        ),
        (
            r#""packet-bytes": 256"#,
            "\"limits.packet-bytes\" must be at least 581, which a register with your secret-key and the longest \
             client name takes; found 256",
        ),
        (
            r#""log-bytes": 1048576"#,
            "\"limits.log-bytes\" must be at least 4194304, four times \"limits.packet-bytes\" (1048576): the log must hold \
             the largest packet in both dialects, and not only that; found 1048576",
        ),
    ] {
        assert_eq!(problems(&with(&format!(r#", "limits": {{{fields}}}"#))), [expected]);
    }
}

#[test]
fn limits_have_bounds() {
    for (name, value) in [
        ("ping-seconds", "0"),
        ("ping-seconds", "-1"),
        ("ping-seconds", "1e300"),
        ("ping-seconds", "0.0000001"),
        ("ping-seconds", "\"25\""),
        ("packet-bytes", "0"),
        ("packet-bytes", "-1"),
        ("packet-bytes", "1024.5"),
        ("packet-bytes", "18446744073709551616"),
        ("connections", "0"),
        ("log-entries", "1"),
        ("session-seconds", "0"),
        ("outbox-bytes", "1023"),
        ("outbox-bytes", "268435457"),
        ("message-fragments", "0"),
        ("client-name-bytes", "0"),
        ("messages-per-second", "-1"),
        ("messages-per-second", "10001"),
        ("messages-per-second", "0.5"),
        ("control-frames-burst", "0"),
    ] {
        let found = problems(&with(&format!(r#", "limits": {{"{name}": {value}}}"#)));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with(&format!("\"limits.{name}\" must be a ")), "{}", found[0]);
    }
    assert_eq!(
        problems(&with(r#", "limits": {"packet-bytes": "1 MiB"}"#)),
        [
            r#""limits.packet-bytes" must be a whole number from 256 to 268435456, such as 1048576; found "1 MiB""#
        ]
    );
}

#[test]
fn the_example_file_is_good() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config.json.example");
    let (config, warnings) = Config::load(&file, &mut Files::default()).unwrap();
    assert_eq!(
        warnings,
        [Warning::KnownSecretKey { room: RoomName::default() }],
        "and asks for a key of one's own"
    );
    assert_eq!(config.host, Host::AnyInterface { port: 6780 });
    assert!(config.wss.is_none(), "it serves as it is");
}

#[test]
fn a_missing_file_is_named() {
    let error =
        Config::load(Path::new("/no/such/config.json"), &mut Files::default()).unwrap_err().to_string();
    assert!(error.starts_with("/no/such/config.json: cannot be read: "), "{error}");
}

proptest! {
    #[test]
    fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), number in any::<f64>(), field in 0..26_usize) {
        let _ = Config::parse(&bytes, Path::new(FILE));
        let name = Limits::default().fields().get(field).map_or("messages-burst", |(name, _)| name);
        let _ = parse(&with(&format!(r#", "limits": {{"{name}": {number:?}}}"#)));
        let _ = parse(&with(&format!(r#", "limits": {{"{name}": {}}}"#, number.to_bits())));
    }
}
