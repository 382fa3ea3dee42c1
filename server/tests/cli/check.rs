//! `check`.

use std::{fs, path::Path, process::Stdio};

use super::support::{Folder, KEY};

#[test]
fn check_says_what_a_config_means() {
    let folder = Folder::serving(
        r#", "web-root": "web", "allowed-origins": ["https://a.example", "https://b.example:443"],
           "limits": {"packet-bytes": 65536, "messages-per-second": 5, "control-frames-per-second": 0, "ping-seconds": 25}"#,
    );
    fs::create_dir(folder.path("web")).unwrap();
    let ended = folder.run(&["check"]).expect(0);
    assert_eq!(
        ended.stdout,
        "\
config.json is good. It means:

  address       127.0.0.1 (this machine alone), any free port
  protocol      ws, without TLS
  web pages     those of the same host may connect, and https://a.example, https://b.example
  proxies       none is believed; a client's address is that of its connection
  static files  from web
  limits        at their defaults but
                  packet-bytes               65536 (default 1048576)
                  control-frames-per-second  0 (default 64)
                  messages-per-second        5 (default 0)
                  messages-burst             10 (default none)

Room default, at every path
  every name    with the shared key: read, write
  limits        those above
"
    );
    assert_eq!(ended.stderr, "");
}

#[test]
fn check_says_who_may_do_what_in_which_room() {
    let folder = Folder::with(&format!(
        r#"{{
    "ws-path": "/chat/", "host": "127.0.0.1:0", "secret-key": "{KEY}",
    "limits": {{"packet-bytes": 65536}},
    "clients": {{
        "irc": {{"secret-key": "{KEY}-irc", "rights": ["read", "write", "moderate"]}},
        "web-*": {{"secret-key": "{KEY}-web", "messages-per-second": 1, "messages-burst": 5,
                   "bytes-per-second": 2000}}
    }},
    "chat-log": {{"folder": "said", "keep": 30}},
    "rooms": {{
        "staff": {{"ws-path": "/chat/staff", "secret-key": "{KEY}-staff",
                   "limits": {{"packet-bytes": 4096, "messages-per-second": 5}}}},
        "news": {{"ws-path": "/news/", "clients": {{"*": {{"secret-key": "{KEY}-news", "rights": ["read"]}}}},
                  "chat-log": {{"folder": "news", "rotate": "never"}}}}
    }}
}}"#
    ));
    let ended = folder.run(&["check"]).expect(0);
    let (_, rooms) = ended.stdout.split_once("\n\n").and_then(|(_, rest)| rest.split_once("\n\n")).unwrap();
    assert_eq!(
        rooms,
        "\
Room default, at /chat/ and everything below it that is no other room's
  irc           with its own key: read, write, moderate
  web-*         with the key of these names: read, write; at most 1 message a second, 5 at once; at most 2000 bytes \
         a second, 4000 at once
  other names   with the shared key: read, write
  limits        those above
  chat log      daily files in said; the newest 30 are kept

Room news, at /news/ and everything below it that is no other room's
  *             with the key of these names: read
  other names   nobody
  limits        those above
  chat log      one file in news

Room staff, at /chat/staff
  every name    with the shared key: read, write
  limits        those above but
                  packet-bytes         4096 (above 65536)
                  messages-per-second  5 (above 0)
                  messages-burst       10 (above none)
"
    );
    assert!(!ended.stdout.contains(KEY));
}

#[test]
fn check_warns_of_keys_that_do_something_else_than_it_seems() {
    let folder = Folder::serving(
        r#", "clients": {
            "web-*": {"secret-key": "a", "rights": ["read", "write", "moderate"]},
            "web-?": {"secret-key": "b"},
            "irc": {"secret-key": "c"},
            "mc": {"secret-key": "c", "rights": ["read"]}},
        "rooms": {"staff": {"ws-path": "/staff", "secret-key": "d", "clients": {
            "?*": {"secret-key": "e"}, "x": {"secret-key": "d"}}}}"#,
    );
    let ended = folder.run(&["check"]).expect(0);
    let warnings: Vec<_> = ended.stdout.lines().filter_map(|line| line.strip_prefix("warning: ")).collect();
    assert_eq!(
        warnings,
        [
            "\"clients.web-*\" may moderate: whoever has its key can edit and delete what anybody said, under one name \
             after the other",
            "\"clients.web-?\" is never used: \"clients.web-*\" stands for all of its names",
            "\"clients.irc\" and \"clients.mc\" have the same key: who has it may do what either may",
            "\"rooms.staff.secret-key\" opens to nobody: \"rooms.staff.clients.?*\" stands for all names that have no \
             key of their own",
            "\"rooms.staff.secret-key\" and \"rooms.staff.clients.x\" have the same key: who has it may do what either \
             may",
        ]
    );
    // Who only serves is told so in the log.
    let server = folder.serve(&[]);
    for warning in warnings {
        let line = server.logged(warning);
        assert!(line.contains("WARN"), "{line}");
    }
}

#[test]
fn check_takes_unknown_fields_for_errors() {
    let folder = Folder::serving(r#", "allowed-origin": [], "limits": {"packet-size": 1}"#);
    let ended = folder.run(&["check"]).expect(2);
    assert_eq!(
        ended.stderr,
        "error: config.json: unknown field \"limits.packet-size\"; did you mean \"limits.packet-bytes\"?\n\
         error: config.json: unknown field \"allowed-origin\"; did you mean \"allowed-origins\"?\n"
    );
}

#[test]
fn check_warns_without_refusing() {
    let folder = Folder::new();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config.json.example");
    let ended = folder.run(&["--config", example.to_str().unwrap(), "check"]).expect(0);
    assert!(ended.stdout.contains("warning: \"secret-key\" is the one of the example file"), "{ended:#?}");
}

#[test]
fn check_loads_the_key_and_the_certificate() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls");
    let wss = |key: &str| {
        Folder::serving(&format!(
            r#", "wss": {{"keyfile": "{}", "certfile": "{}"}}"#,
            fixtures.join(key).display(),
            fixtures.join("ec.crt").display()
        ))
    };
    let ended = wss("ec-pkcs8.key").run(&["check"]).expect(0);
    assert!(ended.stdout.contains("  protocol      wss, with the certificate in "), "{ended:#?}");
    for command in ["check", "serve"] {
        let ended = wss("rsa-pkcs8.key").run(&[command]).expect(2);
        assert!(ended.stderr.contains("\"wss.keyfile\": the key in "), "{ended:#?}");
        assert!(ended.stderr.contains("does not fit"), "{ended:#?}");
    }
}

#[test]
fn check_does_not_mind_a_closed_standard_output() {
    let folder = Folder::serving("");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = folder.command(&["check"]).stdout(writer).stderr(Stdio::null()).status().unwrap();
    assert_eq!(status.code(), Some(0));
}
