//! `init`, `key`, and the command line itself.

use std::{fs, io::Write as _, os::unix::fs::PermissionsExt as _, process::Stdio};

use super::support::{Ended, Folder, register};

#[test]
fn version_and_help() {
    let folder = Folder::new();
    let version = folder.run(&["--version"]).expect(0);
    assert_eq!(version.stdout, format!("multichat-server {}\n", env!("CARGO_PKG_VERSION")));
    let help = folder.run(&["--help"]).expect(0).stdout;
    for word in [
        "serve",
        "check",
        "init",
        "key",
        "MULTICHAT_CONFIG",
        "MULTICHAT_LOG",
        "MULTICHAT_LOG_FORMAT",
        "Exit codes",
    ] {
        assert!(help.contains(word), "{word}: {help}");
    }
}

#[test]
fn a_wrong_command_line() {
    let folder = Folder::new();
    for (arguments, says) in [
        (&["dance"][..], "dance"),
        (&["--log", "deubg"][..], "\"deubg\" is no level"),
        (&["--log-format", "xml"][..], "human, json"),
        (&["--config"][..], "--config <PATH>"),
    ] {
        let ended = folder.run(arguments).expect(2);
        assert!(ended.stderr.contains(says), "{ended:#?}");
    }
    let variable = folder.command(&[]).env("MULTICHAT_LOG", "loud").output().unwrap();
    let ended = Ended::from(variable).expect(2);
    assert!(ended.stderr.contains("\"loud\" is no level"), "{ended:#?}");
}

#[test]
fn a_config_that_is_not_there() {
    let folder = Folder::new();
    for command in ["serve", "check"] {
        let ended = folder.run(&["--config", "no/such.json", command]).expect(2);
        assert!(ended.stderr.starts_with("error: no/such.json: cannot be read: "), "{ended:#?}");
        assert!(
            ended.stderr.contains("`multichat-server --config no/such.json init` makes one"),
            "{ended:#?}"
        );
        assert_eq!(ended.stdout, "");
    }
    let variable = folder.command(&["serve"]).env("MULTICHAT_CONFIG", "/no/such.json").output().unwrap();
    assert!(Ended::from(variable).expect(2).stderr.contains("/no/such.json"));
    let ended = folder.run(&["check"]).expect(2);
    assert!(ended.stderr.contains("no config.json here"), "{ended:#?}");
    // A dangling link is there, and is not passed over for the defaults.
    std::os::unix::fs::symlink("nowhere", folder.path("config.json")).unwrap();
    let ended = folder.run(&["serve"]).expect(2);
    assert!(ended.stderr.contains("config.json: cannot be read"), "{ended:#?}");
}

#[test]
fn a_config_that_is_wrong() {
    let folder =
        Folder::with(r#"{"host": "localhost", "secret-key": "hunter2", "ws-path": "chat", "wss": {}}"#);
    for command in ["serve", "check"] {
        let ended = folder.run(&[command]).expect(2);
        let fields: Vec<_> = ended.stderr.lines().map(|line| line.split('"').nth(1).unwrap()).collect();
        assert_eq!(fields, ["ws-path", "host", "wss.keyfile", "wss.certfile"], "{ended:#?}");
        assert!(ended.stderr.lines().all(|line| line.starts_with("error: config.json: \"")), "{ended:#?}");
        assert!(!ended.stderr.contains("hunter2"));
    }
    let json = folder.run(&["--log-format", "json", "serve"]).expect(2);
    let line: serde_json::Value = serde_json::from_str(json.stderr.trim_end()).unwrap();
    assert!(line["reason"].as_str().unwrap().contains("config.json: \"host\" must be"), "{line}");
    fs::write(folder.path("config.json"), "{\n  \"host\": \":1\",\n}").unwrap();
    let ended = folder.run(&["check"]).expect(2);
    assert_eq!(ended.stderr, "error: config.json:3:1: not JSON: trailing comma\n");
}

#[test]
fn secrets_are_not_served_as_files() {
    let folder = Folder::serving(r#", "web-root": ".""#);
    let ended = folder.run(&["check"]).expect(2);
    assert!(ended.stderr.contains(r#"found ".": everybody could read config.json there"#), "{ended:#?}");
    let wss = r#", "web-root": "web", "wss": {"keyfile": "web/key.pem", "certfile": "cert.pem"}"#;
    let folder = Folder::serving(wss);
    fs::create_dir(folder.path("web")).unwrap();
    fs::write(folder.path("web/key.pem"), "").unwrap();
    let ended = folder.run(&["check"]).expect(2);
    assert!(ended.stderr.contains("everybody could read web/key.pem there"), "{ended:#?}");
}

#[test]
fn a_folder_of_files_can_be_named_on_the_command_line() {
    let folder = Folder::serving(r#", "content-security-policy": """#);
    fs::create_dir(folder.path("web")).unwrap();
    let ended = folder.run(&["check", "--web-root", "web"]).expect(0);
    let expected = "  static files  from web, without a content-security-policy\n";
    assert!(ended.stdout.contains(expected), "{ended:#?}");
    for command in ["check", "serve"] {
        for (named, reason) in [
            (".", "everybody could read config.json there"),
            ("config.json", "config.json is not a folder"),
            ("nowhere", "nowhere: "),
        ] {
            let ended = folder.run(&[command, "--web-root", named]).expect(2);
            let expected = format!("error: --web-root must be a folder of static files: {reason}");
            assert!(ended.stderr.starts_with(&expected), "{command} {named}: {ended:#?}");
        }
    }
}

#[test]
fn init_makes_a_config_once() {
    let folder = Folder::new();
    let ended = folder.run(&["init"]).expect(0);
    assert!(ended.stdout.contains("multichat-server check"), "{ended:#?}");
    assert!(ended.stdout.contains("multichat-server serve"), "{ended:#?}");
    let file = folder.path("config.json");
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "its owner's alone");
    let config: serde_json::Value = serde_json::from_str(&text).unwrap();
    let key = config["secret-key"].as_str().unwrap();
    assert!(key.len() >= 24, "{key}");
    assert!(!ended.stdout.contains(key), "it is in the file, and need not be in a terminal's history");

    let check = folder.run(&["check"]).expect(0);
    assert!(!check.stdout.contains("warning"), "{check:#?}");

    let ended = folder.run(&["init"]).expect(1);
    assert!(ended.stderr.starts_with("error: config.json is there already"), "{ended:#?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), text, "left as it was");

    folder.run(&["--config", "other.json", "init"]).expect(0);
    let other = fs::read_to_string(folder.path("other.json")).unwrap();
    assert!(!other.contains(key), "a key of its own");

    // What the command line names is in the file, whichever folder that is in.
    fs::create_dir(folder.path("it's")).unwrap();
    let arguments =
        ["--config", "it's/m.json", "init", "--host", "unix:m.sock", "--web-root", "it's/\"web\""];
    folder.run(&arguments).expect(0);
    let text = fs::read_to_string(folder.path("it's/m.json")).unwrap();
    let config: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(config["host"], format!("unix:{}", folder.path("m.sock").display()));
    assert_eq!(config["web-root"], folder.path("it's/\"web\"").display().to_string());
    let ended = folder.run(&["--config", "no/such.json", "init"]).expect(1);
    assert!(ended.stderr.contains("make the folder first"), "{ended:#?}");
    std::os::unix::fs::symlink("nowhere.json", folder.path("link.json")).unwrap();
    folder.run(&["--config", "link.json", "init"]).expect(1);
    assert!(!folder.path("nowhere.json").exists(), "not written through a link");
}

/// The digest of a text, as others compute it.
fn sha256(text: &str) -> String {
    let mut tool =
        std::process::Command::new("sha256sum").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    tool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = String::from_utf8(tool.wait_with_output().unwrap().stdout).unwrap();
    output.split(' ').next().unwrap().to_owned()
}

#[test]
fn key_makes_a_key_and_its_hash() {
    let folder = Folder::new();
    let lines = || {
        let ended = folder.run(&["key"]).expect(0);
        assert_eq!(ended.stderr, "");
        let lines: Vec<_> = ended.stdout.lines().map(str::to_owned).collect();
        <[String; 2]>::try_from(lines).unwrap()
    };
    let [key, hash] = lines();
    assert!(key.len() == 28 && key.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{key}");
    assert_eq!(hash, format!(r#"{{"sha256": "{}"}}"#, sha256(&key)));
    assert_ne!(lines()[0], key);

    // As it is pasted.
    let config = format!(r#"{{"ws-path": "/", "host": "127.0.0.1:0", "secret-key": {hash}}}"#);
    let folder = Folder::with(&config);
    let server = folder.serve(&[]);
    register(server.address(), &key);
}

#[test]
fn key_says_to_a_person_what_it_is() {
    let folder = Folder::new();
    let program = folder.command(&["key"]);
    // Its standard output is a terminal then.
    let python = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)";
    let mut command = std::process::Command::new("python3");
    command.args(["-c", python]).arg(program.get_program()).arg("key").stdin(Stdio::null());
    let shown = Ended::from(command.output().unwrap()).expect(0).stdout.replace('\r', "");
    let line = |number: usize| shown.lines().nth(number).unwrap().trim();
    assert_eq!(line(0), "The key, for the client and nobody else:");
    assert_eq!(line(6), format!(r#""secret-key": {{"sha256": "{}"}}"#, sha256(line(2))), "{shown}");
}

#[test]
fn a_key_that_nobody_gets_is_none() {
    let folder = Folder::new();
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let ended =
        Ended::from(folder.command(&["key"]).stdout(full).stderr(Stdio::piped()).output().unwrap()).expect(1);
    assert!(ended.stderr.contains("the key cannot be written"), "{ended:#?}");
}
