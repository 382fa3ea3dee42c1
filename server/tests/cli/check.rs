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
    for line in [
        "config.json is good. It means:",
        "  address       127.0.0.1 (this machine alone), any free port",
        "  protocol      ws, without TLS",
        "  path          every path",
        "  secret key    set",
        "  web pages     those of the same host may connect, and https://a.example, https://b.example",
        "  static files  from web",
        "  limits        at their defaults but",
        "                  packet-bytes               65536 (default 1048576)",
        "                  control-frames-per-second  0 (default 64)",
        "                  messages-per-second        5 (default 0)",
        "                  messages-burst             10 (default none)",
    ] {
        assert!(ended.stdout.lines().any(|said| said == line), "{line}\n{}", ended.stdout);
    }
    assert!(!ended.stdout.contains("ping-seconds"), "it is at its default: {}", ended.stdout);
    assert!(!ended.stdout.contains(KEY));
    assert_eq!(ended.stderr, "");
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
