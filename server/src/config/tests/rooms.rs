//! Rooms, their clients and their keys.

use std::fs;

use super::*;
use crate::{config::keys::Keys, test_folder::Folder};

fn rights(room: &Room, name: &str, key: &str) -> Option<String> {
    room.keys.admit(name, KeyDigest::of(key)).map(|grant| grant.rights.to_string())
}

fn clients(keys: &Keys) -> Vec<String> {
    keys.clients().map(|(name, _)| name).collect()
}

#[test]
fn rooms_have_paths_keys_clients_and_limits_of_their_own() {
    let config = good(
        r#"{"ws-path": "/", "host": ":1", "secret-key": "hall's", "limits": {"packet-bytes": 65536, "ping-seconds": 7},
            "clients": {"irc": {"secret-key": "irc's", "rights": ["read", "write", "moderate"]}},
            "rooms": {
                "staff": {"ws-path": "/staff", "secret-key": "staff's", "limits": {"packet-bytes": 4096}},
                "news": {"ws-path": "/news/", "clients": {"web-*": {"secret-key": "web's", "rights": ["read"]}}}}}"#,
    );
    let [hall, news, staff] = &config.all_rooms().collect::<Vec<_>>()[..] else { panic!("three rooms") };
    assert_eq!([hall, news, staff].map(|room| room.name.as_str()), ["default", "news", "staff"]);
    assert_eq!([hall, news, staff].map(|room| room.ws_path.to_string()), ["/", "/news/", "/staff"]);
    assert_eq!([hall, news, staff].map(|room| room.limits.packet_bytes), [65536, 65536, 4096]);
    assert_eq!(staff.limits.ping, Duration::from_secs(7), "what it does not say, the top level says");

    assert_eq!(rights(hall, "irc", "irc's").unwrap(), "read, write, moderate");
    assert_eq!(rights(hall, "irc", "hall's"), None);
    assert_eq!(rights(hall, "mc", "hall's").unwrap(), "read, write");
    assert_eq!(rights(staff, "irc", "staff's").unwrap(), "read, write");
    assert_eq!(rights(staff, "irc", "irc's"), None, "another room's");
    assert_eq!(rights(news, "web-1", "web's").unwrap(), "read");
    assert!(!news.keys.has_shared());
}

#[test]
fn rates_of_a_client_are_read_like_those_of_a_connection() {
    let config = good(&with(
        r#", "clients": {"irc": {"secret-key": "k", "messages-per-second": 5, "bytes-per-second": 1000, "bytes-burst": 9000}}"#,
    ));
    let second = Duration::from_secs(1);
    let grant = config.default_room.keys.admit("irc", KeyDigest::of("k")).unwrap();
    let expected = Rates { messages: Rate::new(5, second, 10), bytes: Rate::new(1000, second, 9000) };
    assert_eq!(grant.rates, expected);
    assert!(grant.owns_name);
}

#[test]
fn without_a_shared_key_there_must_be_clients() {
    let config = |keys: &str| format!(r#"{{"ws-path": "/", "host": ":1"{keys}}}"#);
    assert_eq!(
        clients(&good(&config(r#", "clients": {"a": {"secret-key": "k"}}"#)).default_room.keys),
        ["a"]
    );
    let missing = problems(&config(""));
    assert!(missing[0].starts_with(r#""secret-key" must be the key"#), "{missing:?}");
    let empty = problems(&config(r#", "clients": {}"#));
    assert!(empty[0].starts_with(r#""clients" must be at least one client"#), "{empty:?}");
    let keyless = problems(&config(r#", "clients": {"a": {}}"#));
    assert!(keyless[0].starts_with(r#""clients.a.secret-key" must be"#), "{keyless:?}");
}

#[test]
fn keys_may_stand_elsewhere() {
    let folder = Folder::new();
    folder.write("irc.key", "\u{FEFF}irc's\r\n");
    let digest = KeyDigest::of("mc's").to_hex();
    let text = format!(
        r#"{{"ws-path": "/", "host": ":1", "secret-key": {{"env": "CARGO_PKG_NAME"}}, "clients": {{
            "irc": {{"secret-key": {{"file": "irc.key"}}}},
            "mc": {{"secret-key": {{"sha256": "{digest}"}}}}}}}}"#
    );
    let file = folder.0.join("config.json");
    fs::write(&file, text).unwrap();
    let mut files = Files::default();
    let (config, warnings) = Config::load(&file, &mut files).unwrap();
    assert_eq!(warnings, []);
    let room = &config.default_room;
    for (name, key) in [("irc", "irc's"), ("mc", "mc's"), ("other", env!("CARGO_PKG_NAME"))] {
        assert!(opens(room, name, key), "{name}");
        assert!(!opens(room, name, "CARGO_PKG_NAME"), "{name}");
    }
    assert_eq!(files.paths().collect::<Vec<_>>(), [&file, &folder.0.join("irc.key")]);
}

#[test]
fn what_is_wrong_with_a_key_is_said_without_showing_it() {
    let folder = Folder::new();
    folder.write("two", "hunter2\nhunter3\n");
    folder.write("none", "\n");
    for (key, expected) in [
        (r#""""#, "found an empty text"),
        ("17", "found a number"),
        (r#"{"sha256": "hunter2"}"#, r#"found an object: "sha256" is no digest of 64 hexadecimal digits"#),
        (r#"{"env": "MULTICHAT_NO_SUCH_KEY"}"#, "MULTICHAT_NO_SUCH_KEY: there is no such variable"),
        (r#"{"file": "missing"}"#, "missing: No such file"),
        (r#"{"file": "two"}"#, "there is more than one line"),
        (r#"{"file": "none"}"#, "a key must not be empty"),
        (r#"{"text": "hunter2"}"#, "found an object"),
        (r#"{"env": "A", "file": "b"}"#, "found an object"),
    ] {
        let text = format!(r#"{{"ws-path": "/", "host": ":1", "secret-key": {key}}}"#);
        let error = Config::parse(text.as_bytes(), &folder.0.join("config.json")).unwrap_err().to_string();
        assert!(error.contains(expected), "{key}: {error}");
        assert!(!error.contains("hunter"), "{key}: {error}");
    }
}

#[test]
fn what_is_wrong_with_a_room_is_said_with_its_name() {
    for (fields, expected) in [
        (
            r#", "rooms": {"Staff": {"ws-path": "/staff", "secret-key": "k"}}"#,
            r#""rooms.Staff" must be called otherwise; found this name: a name has"#,
        ),
        (
            r#", "rooms": {"default": {"ws-path": "/staff", "secret-key": "k"}}"#,
            "the room of the top level is called that",
        ),
        (r#", "rooms": {"staff": {"secret-key": "k"}}"#, r#""rooms.staff.ws-path" must be the path"#),
        (r#", "rooms": {"staff": {"ws-path": "/staff"}}"#, r#""rooms.staff.secret-key" must be the key"#),
        (
            r#", "rooms": {"staff": {"ws-path": "/x/..", "secret-key": "k"}}"#,
            r#""rooms.staff.ws-path" must be a path that no other room has; found "/x/..": room default has it"#,
        ),
        (
            r#", "rooms": {"a": {"ws-path": "/a", "secret-key": "k"}, "b": {"ws-path": "/a/", "secret-key": "k"}}"#,
            "room a has it",
        ),
        (r#", "rooms": {"staff": 17}"#, r#""rooms" must be an object that has an object for each room"#),
        (
            r#", "rooms": {"a": {"ws-path": "/a", "secret-key": "k", "limits": {"packet-bytes": 1}}}"#,
            r#""rooms.a.limits.packet-bytes" must be"#,
        ),
        (r#", "clients": {"a\u0000b": {"secret-key": "k"}}"#, "must be called as the client calls itself"),
        (
            r#", "clients": {"a": {"secret-key": "k", "rights": []}}"#,
            "a client without rights has nothing to come for",
        ),
        (
            r#", "clients": {"a": {"secret-key": "k", "rights": ["admin"]}}"#,
            r#""clients.a.rights" must be an array of "read", "write" and "moderate"; found an array: there is no right "admin""#,
        ),
        (r#", "clients": {"a": {"secret-key": "k", "rights": ["read", 7]}}"#, "7 is no text"),
        (
            r#", "clients": {"a": {"secret-key": "k", "rights": ["read", "moderate"]}}"#,
            "who moderates writes",
        ),
    ] {
        let found = problems(&with(fields));
        assert!(found.iter().any(|problem| problem.contains(expected)), "{fields}: {found:?}");
    }
}

#[test]
fn what_holds_for_the_port_is_no_matter_of_a_room() {
    let text =
        with(r#", "rooms": {"a": {"ws-path": "/a", "secret-key": "k", "limits": {"connections": 5}}}"#);
    let found = warnings(&text);
    assert!(found[0].contains("rooms.a.limits.connections"), "{found:?}");
}

#[test]
fn a_known_key_of_any_room_is_warned_of() {
    let text = with(r#", "rooms": {"a": {"ws-path": "/a", "clients": {"b": {"secret-key": "password"}}}}"#);
    assert!(warnings(&text)[0].contains("of room a"), "{:?}", warnings(&text));
}

#[test]
fn a_register_with_the_longest_key_fits() {
    let key = "k".repeat(10_000);
    let text = with(&format!(
        r#", "rooms": {{"a": {{"ws-path": "/a", "clients": {{"b": {{"secret-key": "{key}"}}}}}}}}"#
    ));
    let config = good(&text);
    assert!(config.rooms[0].limits.first_packet_bytes > 10_000);
    assert_eq!(config.limits.first_packet_bytes, 4096);
}

#[test]
fn chat_logs_are_read_with_their_defaults() {
    let chat_log =
        |fields: &str| good(&with(&format!(r#", "chat-log": {fields}"#))).default_room.chat_log.unwrap();
    let folder = PathBuf::from("/etc/multichat/chat");
    let daily = ChatLog { folder: folder.clone(), rotate: Rotate::Daily, keep: None };
    assert_eq!(chat_log(r#"{"folder": "chat"}"#), daily);
    let weekly = ChatLog { folder, rotate: Rotate::Weekly, keep: Some(5) };
    assert_eq!(chat_log(r#"{"folder": "chat", "rotate": "weekly", "keep": 5}"#), weekly);
    assert_eq!(good(&with("")).default_room.chat_log, None);
    for (fields, expected) in [
        (r"{}", r#""chat-log.folder" must be the path"#),
        (r#"{"folder": "a", "rotate": "yearly"}"#, r#""chat-log.rotate" must be "hourly""#),
        (r#"{"folder": "a", "keep": 0}"#, r#""chat-log.keep" must be a whole number"#),
        (r#"{"folder": "a", "rotate": "never", "keep": 3}"#, "there is one file then"),
    ] {
        let found = problems(&with(&format!(r#", "chat-log": {fields}"#)));
        assert!(found[0].contains(expected), "{fields}: {found:?}");
    }
}

#[test]
fn rooms_do_not_share_a_chat_log() {
    let text = with(
        r#", "chat-log": {"folder": "chat"},
           "rooms": {"a": {"ws-path": "/a", "secret-key": "k", "chat-log": {"folder": "chat"}}}"#,
    );
    assert!(problems(&text)[0].contains("room default has it"), "{:?}", problems(&text));
}

#[test]
fn a_chat_log_is_not_served_to_everybody() {
    let folder = Folder::new();
    fs::create_dir_all(folder.0.join("web")).unwrap();
    let text = with(r#", "web-root": "web", "chat-log": {"folder": "web/chat"}"#);
    let error = Config::parse(text.as_bytes(), &folder.0.join("config.json")).unwrap_err().to_string();
    assert!(error.contains("everybody could read"), "{error}");
}
