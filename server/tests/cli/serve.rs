//! `serve`: with a config and without, and what signals do.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command},
};

use rustix::process::{Pid, Signal, kill_process};

use super::support::{Ended, Folder, KEY, Running, register};

#[test]
fn serves_what_the_config_says() {
    let folder = Folder::serving(r#", "colour": "red""#);
    // `serve` is what happens without a command.
    for arguments in
        [&[][..], &["serve"], &["--config", "config.json"], &["serve", "--config", "config.json"]]
    {
        let server = folder.serve(arguments);
        let warning = server.logged("unknown field");
        assert!(
            warning.contains("WARN") && warning.contains(r#"config.json: unknown field "colour""#),
            "{warning}"
        );
        let address = server.address();
        assert!(address.ip().is_loopback());
        register(address, KEY);
        server.signal(Signal::TERM);
        let (code, log) = server.end();
        assert_eq!(code, Some(0), "{log:#?}");
        assert!(log.iter().all(|line| !line.contains(KEY)), "{log:#?}");
    }
}

#[test]
fn the_environment_says_the_same() {
    let folder = Folder::serving("");
    fs::rename(folder.path("config.json"), folder.path("else.json")).unwrap();
    let mut command = folder.command(&[]);
    command.env("MULTICHAT_CONFIG", "else.json").env("MULTICHAT_LOG", "").env("MULTICHAT_LOG_FORMAT", "json");
    let server = Running::start(command);
    let line: serde_json::Value = serde_json::from_str(&server.logged("listening")).unwrap();
    let address: SocketAddr = line["address"].as_str().unwrap().parse().unwrap();
    assert_eq!(line["protocol"], "ws");
    assert_eq!(line["path"], "/");
    register(address, KEY);
    server.signal(Signal::TERM);
    let (code, log) = server.end();
    assert_eq!(code, Some(0));
    for line in log {
        serde_json::from_str::<serde_json::Value>(&line).expect(&line);
    }
}

#[test]
fn wss_is_announced() {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tls");
    let folder = Folder::serving(&format!(
        r#", "wss": {{"keyfile": "{fixtures}/ec-sec1.key", "certfile": "{fixtures}/ec.crt"}}"#
    ));
    let server = folder.serve(&[]);
    assert!(server.logged("listening").contains(r#"protocol="wss""#));
}

#[test]
fn pages_are_announced() {
    let folder = Folder::serving("");
    fs::create_dir(folder.path("web")).unwrap();
    for (host, expected) in [("127.0.0.1:0", "http://127.0.0.1:"), (":0", "http://localhost:")] {
        let config = fs::read_to_string(folder.path("config.json")).unwrap();
        fs::write(folder.path("config.json"), config.replace("127.0.0.1:0", host)).unwrap();
        let server = folder.serve(&["--web-root", "web"]);
        let port = server.address().port();
        let line = server.logged("serving pages");
        assert!(line.contains(&format!("{expected}{port}/\"")), "{line}");
        server.signal(Signal::TERM);
        let (_, log) = server.end();
        assert!(log.iter().chain([&line]).all(|line| !line.contains(KEY)), "{log:#?}");
    }
}

#[test]
fn without_a_config_it_prints_a_link_that_joins() {
    let folder = Folder::new();
    fs::create_dir(folder.path("web")).unwrap();
    let server = folder.serve(&["--host", "127.0.0.1:0", "--web-root", "web"]);
    let address = server.address();
    server.said("secret key");
    server.said("");
    let key = server.said("    ").trim().to_owned();
    assert_eq!(server.said("#key="), format!("    http://{address}/#key={key}"));
    server.signal(Signal::TERM);
    let (_, log) = server.end();
    assert!(log.iter().all(|line| !line.contains(&key)), "{log:#?}");
}

#[test]
fn without_a_config_it_serves_this_machine() {
    let folder = Folder::new();
    let server = folder.serve(&["--host", "127.0.0.1:0"]);
    let address = server.address();
    server.said("serves programs on this machine at");
    assert_eq!(server.said("ws://"), format!("    ws://{address}"));
    server.said("secret key");
    server.said("");
    let key = server.said("    ").trim().to_owned();
    assert!(key.len() >= 24 && key.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{key}");
    let listen = server.said("wscat");
    assert!(listen.contains(&key) && listen.contains(&format!("ws://{address} ")), "{listen}");
    server.said("multichat-server init");
    register(address, &key);
    assert!(!folder.path("config.json").exists(), "nothing is written");
    // As when its terminal is closed.
    server.signal(Signal::HUP);
    server.logged("SIGHUP: stopping");
    assert_eq!(server.end().0, Some(0));
}

#[test]
fn without_a_config_it_has_a_port_of_its_own() {
    // Another program may have it.
    let folder = Folder::new();
    let server = folder.serve(&[]);
    let line = server.logged("127.0.0.1:6780");
    assert!(line.contains(" listening ") || line.contains("with `--host`"), "{line}");
}

#[test]
fn who_opens_it_to_others_is_told_so() {
    let folder = Folder::new();
    let server = folder.serve(&["--host", ":0"]);
    let port = server.address().port();
    server.said("serves programs that can reach this machine at");
    assert_eq!(server.said("ws://"), format!("    ws://localhost:{port}"));
}

#[cfg(unix)]
#[test]
fn a_socket_without_a_config_has_a_key_as_well() {
    let folder = Folder::new();
    let server = folder.serve(&["--host", "unix:m.sock"]);
    server.said("serves programs on this machine at");
    assert_eq!(server.said("+unix:"), format!("    ws+unix:{}:/", "m.sock"));
    server.said("secret key");
    server.said("");
    let key = server.said("    ").trim().to_owned();
    let mut stream = std::os::unix::net::UnixStream::connect(folder.path("m.sock")).unwrap();
    super::support::register_over(&mut stream, "", &key);
}

#[test]
fn the_command_line_goes_before_the_file() {
    let folder =
        Folder::with(&format!(r#"{{"ws-path": "/", "host": "127.0.0.1:1", "secret-key": "{KEY}"}}"#));
    let server = folder.serve(&["--host", "127.0.0.1:0"]);
    register(server.address(), KEY);
    // After a reload as well: there is nothing that needs a restart.
    server.signal(Signal::HUP);
    server.logged("reloaded");
    server.signal(Signal::TERM);
    let (_, log) = server.end();
    assert!(log.iter().all(|line| !line.contains("restart")), "{log:#?}");
    let check = folder.run(&["check", "--host", "127.0.0.1:7000"]).expect(0);
    assert!(check.stdout.contains("port 7000"), "{check:?}");
    let wrong = folder.run(&["serve", "--host", "7000"]).expect(2);
    assert!(wrong.stderr.contains("the port is missing"), "{wrong:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn without_a_config_it_stays_if_a_hangup_is_to_be_ignored() {
    let folder = Folder::new();
    let program = folder.command(&[]);
    let mut shell = Command::new("sh");
    // As `nohup` does.
    shell.args(["-c", "trap '' HUP && exec \"$0\" --host 127.0.0.1:0"]).arg(program.get_program());
    shell.current_dir(folder.path(""));
    for (name, _) in program.get_envs() {
        shell.env_remove(name);
    }
    let server = Running::start(shell);
    server.address();
    server.signal(Signal::HUP);
    server.signal(Signal::TERM);
    let (code, log) = server.end();
    assert_eq!(code, Some(0));
    assert!(log.iter().any(|line| line.contains("SIGTERM: stopping")), "{log:#?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_terminal_that_is_closed_takes_it_along() {
    use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, openpt, unlockpt};

    let folder = Folder::serving("");
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let terminal = openpt(flags).unwrap();
    unlockpt(&terminal).unwrap();
    let mut command = folder.command(&[]);
    command.stderr(ioctl_tiocgptpeer(&terminal, flags).unwrap());
    let mut server = Killed(command.spawn().unwrap());
    drop(command);
    let process = Pid::from_child(&server.0);
    let signal = || kill_process(process, Signal::HUP).unwrap();
    let mut screen = BufReader::new(fs::File::from(terminal));
    let mut shown = |what: &str| {
        let mut line = String::new();
        while !line.contains(what) {
            line.clear();
            assert_ne!(screen.read_line(&mut line).unwrap(), 0, "it ends before it says {what}");
        }
    };
    shown("listening");
    signal();
    shown("reloaded");
    drop(screen);
    signal();
    assert_eq!(server.0.wait().unwrap().code(), Some(0));
}

/// Killed at the latest when the test ends.
#[cfg(target_os = "linux")]
struct Killed(Child);

#[cfg(target_os = "linux")]
impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn an_address_in_use() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let folder = Folder::with(&format!(
        r#"{{"ws-path": "/", "host": "{address}", "secret-key": "{KEY}", "chat-log": {{"folder": "chat"}}}}"#
    ));
    let ended = folder.run(&["serve"]).expect(1);
    assert_eq!(ended.stderr.lines().count(), 1, "nothing else is wrong: {ended:#?}");
    assert!(ended.stderr.starts_with("error: "), "{ended:#?}");
    assert!(ended.stderr.contains(&address.to_string()), "where: {ended:#?}");
    assert!(ended.stderr.contains("in use"), "what: {ended:#?}");
    assert!(ended.stderr.contains("choose another"), "what to do: {ended:#?}");
}

#[test]
fn the_first_signal_ends_it_well() {
    let folder = Folder::serving("");
    for signal in [Signal::TERM, Signal::INT] {
        let server = folder.serve(&[]);
        server.address();
        server.signal(signal);
        server.logged("stopping");
        let (code, log) = server.end();
        assert_eq!(code, Some(0), "{log:#?}");
        assert!(log.last().unwrap().ends_with("stopped"), "{log:#?}");
    }
}

#[test]
fn the_second_signal_ends_it_at_once() {
    let folder = Folder::serving(r#", "limits": {"close-seconds": 3600, "shutdown-seconds": 3600}"#);
    let server = folder.serve(&[]);
    // A client that never answers the close keeps the server waiting.
    let _client = register(server.address(), KEY);
    server.signal(Signal::TERM);
    server.logged("stopping");
    server.signal(Signal::INT);
    let (code, log) = server.end();
    assert_eq!(code, Some(130), "{log:#?}");
}

#[test]
fn a_hangup_reloads() {
    let folder = Folder::serving("");
    let server = folder.serve(&["--watch", "off"]);
    let address = server.address();
    let config = |key: &str| format!(r#"{{"ws-path": "/", "host": "127.0.0.1:0", "secret-key": "{key}"}}"#);
    for key in ["another", "and another"] {
        fs::write(folder.path("config.json"), config(key)).unwrap();
        server.signal(Signal::HUP);
        let line = server.logged("reload: reloaded");
        assert!(line.contains("INFO") && line.contains("SIGHUP"), "{line}");
        register(address, key);
    }
    fs::write(folder.path("config.json"), r#"{"ws-path": "chat", "host": 7, "secret-key": "k"}"#).unwrap();
    server.signal(Signal::HUP);
    for field in ["ws-path", "host"] {
        let line = server.logged("not reloaded");
        assert!(
            line.contains("ERROR") && line.contains(&format!(r#"config.json: \"{field}\" must be"#)),
            "{line}"
        );
    }
    register(address, "and another");
    server.signal(Signal::TERM);
    assert_eq!(server.end().0, Some(0), "a hangup does not count as the first signal");
}

#[test]
fn what_the_command_line_names_stays_when_the_file_changes() {
    let folder = Folder::serving("");
    fs::create_dir(folder.path("web")).unwrap();
    fs::write(folder.path("web/a.txt"), "a file").unwrap();
    let server = folder.serve(&["--web-root", "web"]);
    let address = server.address();
    let config = r#"{"ws-path": "/", "host": "127.0.0.1:0", "secret-key": "another"}"#;
    fs::write(folder.path("config.json"), config).unwrap();
    server.signal(Signal::HUP);
    server.logged("reload: reloaded");
    register(address, "another");
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /a.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("\r\n\r\na file"), "{answer}");
}

#[test]
fn a_change_reloads_unless_it_is_not_watched() {
    let folders = ["on", "off"].map(|watch| (watch, Folder::serving("")));
    let servers = folders.each_ref().map(|(watch, folder)| folder.serve(&["--watch", watch]));
    let addresses = servers.each_ref().map(Running::address);
    let config = r#"{"ws-path": "/", "host": "127.0.0.1:0", "secret-key": "another"}"#;
    // The one that does not look has had at least as much time as the one that does.
    for (_, folder) in folders.iter().rev() {
        fs::write(folder.path("config.json"), config).unwrap();
    }
    let [watching, other] = servers;
    assert!(watching.logged("reload: reloaded").contains("a file has changed"));
    register(addresses[0], "another");
    register(addresses[1], KEY);
    other.signal(Signal::TERM);
    let (code, log) = other.end();
    assert_eq!(code, Some(0));
    assert!(log.iter().all(|line| !line.contains("reloaded")), "{log:#?}");
}

#[test]
fn a_config_may_come_through_a_pipe() {
    let folder = Folder::new();
    let (reader, mut writer) = std::io::pipe().unwrap();
    let config = format!(r#"{{"ws-path": "/", "host": "127.0.0.1:0", "secret-key": "{KEY}"}}"#);
    writer.write_all(config.as_bytes()).unwrap();
    drop(writer);
    let mut command = folder.command(&["--config", "/dev/stdin"]);
    command.stdin(reader);
    let server = Running::start(command);
    let address = server.address();
    register(address, KEY);
    // Nobody may ever write to it again.
    server.signal(Signal::HUP);
    assert!(server.logged("not reloaded").contains("can be read at the start alone"));
    register(address, KEY);
    server.signal(Signal::TERM);
    let (code, log) = server.end();
    assert_eq!(code, Some(0));
    assert!(log.iter().all(|line| !line.contains("a file has changed")), "{log:#?}");
}

#[cfg(target_os = "linux")]
#[test]
fn descriptors_are_raised_when_there_may_be_more_connections() {
    let config = |connections: usize| {
        format!(
            r#"{{"ws-path": "/", "host": "127.0.0.1:0", "secret-key": "{KEY}",
                "limits": {{"connections": {connections}, "unregistered-connections": 10}}}}"#
        )
    };
    let folder = Folder::with(&config(100));
    let server = with_ulimit(&folder, "ulimit -n 300");
    assert!(server.logged("").contains("listening"), "no warning");
    fs::write(folder.path("config.json"), config(500)).unwrap();
    server.signal(Signal::HUP);
    let line = server.logged("limit of open files");
    assert!(line.contains("allowed=300") && line.contains("needed=574"), "{line}");
}

/// Runs the server with limits of open files.
fn with_ulimit(folder: &Folder, limit: &str) -> Running {
    let server = folder.command(&[]);
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("{limit} && exec \"$0\"")).arg(server.get_program());
    shell.current_dir(server.get_current_dir().unwrap());
    for (name, _) in server.get_envs() {
        shell.env_remove(name);
    }
    Running::start(shell)
}

#[test]
fn too_few_descriptors_are_warned_of() {
    let folder = Folder::serving(r#", "limits": {"connections": 500, "unregistered-connections": 100}"#);
    let server = with_ulimit(&folder, "ulimit -n 300");
    let line = server.logged("limit of open files");
    assert!(line.contains("WARN") && line.contains("allowed=300") && line.contains("needed=664"), "{line}");
    register(server.address(), KEY);
}

#[cfg(target_os = "linux")]
#[test]
fn descriptors_are_raised_to_what_is_allowed() {
    let folder = Folder::serving(r#", "limits": {"connections": 100, "unregistered-connections": 10}"#);
    let server = with_ulimit(&folder, "ulimit -Sn 50 && ulimit -Hn 300");
    let first = server.logged("");
    assert!(first.contains("listening"), "no warning: {first}");
    let limits = fs::read_to_string(format!("/proc/{}/limits", server.pid())).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    assert_eq!(line.split_whitespace().nth(3), Some("300"), "{line}");
}

#[test]
fn the_example_file_serves_when_it_is_copied() {
    let example = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../config.json.example")).unwrap();
    // Only the port is another one, so that tests can run side by side.
    let folder = Folder::with(&example.replace(":6780", ":0"));
    let server = folder.serve(&[]);
    server.logged("choose your own");
    let address = server.address();
    register(SocketAddr::from(([127, 0, 0, 1], address.port())), "change-me");
    server.signal(Signal::TERM);
    assert_eq!(server.end().0, Some(0));
}

#[test]
fn a_log_filter_is_obeyed() {
    let folder = Folder::serving(r#", "colour": "red""#);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    fs::write(
        folder.path("config.json"),
        format!(r#"{{"ws-path": "/", "host": "{address}", "secret-key": "{KEY}", "colour": "red"}}"#),
    )
    .unwrap();
    let ended: Ended = folder.run(&["--log", "error"]).expect(1);
    assert!(!ended.stderr.contains("colour"), "{ended:#?}");
    let ended = folder.run(&["--log", "off,multichat_server=warn"]).expect(1);
    assert!(ended.stderr.contains("colour"), "{ended:#?}");
}
