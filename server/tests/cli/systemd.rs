//! What systemd hands over, and what it is told. The tests do what it does, as `sd_listen_fds(3)` and `sd_notify(3)`
//! say.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::TcpListener,
    os::{
        fd::OwnedFd,
        unix::{
            fs::MetadataExt as _,
            net::{UnixDatagram, UnixListener, UnixStream},
        },
    },
    process::{Command, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

use super::support::{Folder, KEY, PATIENCE, Running, register, register_over};

fn folder(host: &str) -> Folder {
    Folder::with(&format!(r#"{{"ws-path": "/", "host": "{host}", "secret-key": "{KEY}"}}"#))
}

/// The program with these two sockets as its descriptors 3 and 4.
fn with_sockets(
    folder: &Folder,
    count: &str,
    first: impl Into<OwnedFd>,
    second: impl Into<OwnedFd>,
) -> Command {
    let server = folder.command(&[]);
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(
        "exec 4<&1 3<&0 0</dev/null 1>/dev/null && export LISTEN_PID=$$ LISTEN_FDS=\"$1\" && exec \"$0\"",
    );
    shell.arg(server.get_program()).arg(count);
    shell.current_dir(server.get_current_dir().unwrap());
    for (name, _) in server.get_envs() {
        shell.env_remove(name);
    }
    shell.stdin(Stdio::from(first.into())).stdout(Stdio::from(second.into()));
    shell
}

#[test]
fn sockets_that_are_handed_over_are_served() {
    let folder = folder("systemd");
    let path = folder.path("handed.sock");
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = tcp.local_addr().unwrap();
    let unix = UnixListener::bind(&path).unwrap();
    let server = Running::start_as_is(with_sockets(&folder, "2", tcp, unix));
    assert!(server.logged("listening").contains(&format!("address={address} ")));
    assert!(server.logged("listening").contains(&format!("address=unix:{} ", path.display())));
    for _ in 0..2 {
        register(address, KEY);
        register_over(&mut UnixStream::connect(&path).unwrap(), "", KEY);
    }
    server.signal(Signal::TERM);
    assert_eq!(server.end().0, Some(0));
    assert!(path.exists(), "it is systemd's, which serves it again");
}

#[test]
fn who_comes_before_the_router_is_served_by_it() {
    let folder = folder("systemd");
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = tcp.local_addr().unwrap();
    let early = std::thread::spawn(move || register(address, KEY));
    let server = Running::start_as_is(with_sockets(&folder, "1", tcp, fs::File::open("/dev/null").unwrap()));
    early.join().unwrap();
    server.signal(Signal::TERM);
    assert_eq!(server.end().0, Some(0));
}

#[test]
fn without_sockets_it_says_so() {
    let ended = folder("systemd").run(&["serve"]).expect(1);
    assert!(ended.stderr.contains("can't listen on systemd: no socket was handed over"), "{ended:#?}");
    // They are for another process: one that the router was started by.
    let folder = folder("systemd");
    let mut command = folder.command(&[]);
    let output = command.env("LISTEN_PID", "1").env("LISTEN_FDS", "1").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no socket was handed over"));
}

#[test]
fn what_is_no_port_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let connection = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let file = fs::File::open("/dev/null").unwrap();
    let folder = folder("systemd");
    for (first, why) in
        [(OwnedFd::from(connection), "Accept=no"), (file.try_clone().unwrap().into(), "is not a socket")]
    {
        let output = with_sockets(&folder, "1", first, file.try_clone().unwrap()).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains(why), "{stderr}");
    }
}

#[test]
fn sockets_that_nobody_would_serve_are_an_error() {
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let null = fs::File::open("/dev/null").unwrap();
    let output = with_sockets(&folder("127.0.0.1:0"), "1", tcp, null).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("set `host` to \"systemd\", or disable the socket unit"), "{stderr}");
}

/// The socket that systemd listens at.
struct Manager(UnixDatagram);

impl Manager {
    fn new(folder: &Folder) -> Self {
        let socket = UnixDatagram::bind(folder.path("notify.sock")).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(socket)
    }

    /// What it is told next.
    fn hears(&self) -> String {
        let mut news = [0; 1024];
        let len = self.0.recv(&mut news).expect("news");
        String::from_utf8(news[..len].to_vec()).unwrap()
    }
}

#[test]
fn the_manager_is_told_how_the_server_is() {
    let folder = Folder::serving("");
    let manager = Manager::new(&folder);
    let mut command = folder.command(&[]);
    command.env("NOTIFY_SOCKET", folder.path("notify.sock"));
    let server = Running::start(command);
    assert_eq!(manager.hears(), "READY=1\n");
    // It is so.
    register(server.address(), KEY);

    server.signal(Signal::HUP);
    let reloading = manager.hears();
    let time = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").expect(&reloading);
    assert!(time.trim_end().parse::<u64>().is_ok(), "{reloading}");
    assert_eq!(manager.hears(), "READY=1\n");

    server.signal(Signal::TERM);
    assert_eq!(manager.hears(), "STOPPING=1\n");
    assert_eq!(server.end().0, Some(0));
}

#[test]
fn a_reload_that_is_overtaken_by_the_end_is_not_told() {
    // So large that it takes a while, and a client that keeps the server for longer than that.
    let blanks = " ".repeat(4 << 20);
    let folder = Folder::serving(&format!(r#", "limits": {{"close-seconds": 3}}{blanks}"#));
    let manager = Manager::new(&folder);
    let mut command = folder.command(&["--watch", "off"]);
    command.env("NOTIFY_SOCKET", folder.path("notify.sock"));
    let server = Running::start(command);
    assert_eq!(manager.hears(), "READY=1\n");
    let _client = register(server.address(), KEY);
    server.signal(Signal::HUP);
    assert!(manager.hears().starts_with("RELOADING=1\n"));
    server.signal(Signal::TERM);
    while manager.hears() != "STOPPING=1\n" {}
    let (code, log) = server.end();
    assert_eq!(code, Some(0));
    assert!(log.iter().all(|line| !line.contains("ERROR")), "{log:#?}");
    manager.0.set_nonblocking(true).unwrap();
    assert!(manager.0.recv(&mut [0; 1024]).is_err(), "nothing after that it stops");
}

#[test]
fn a_pipe_does_not_keep_a_reload() {
    let folder = Folder::serving("");
    let manager = Manager::new(&folder);
    let mut command = folder.command(&["--watch", "off"]);
    command.env("NOTIFY_SOCKET", folder.path("notify.sock"));
    let server = Running::start(command);
    assert_eq!(manager.hears(), "READY=1\n");
    assert!(Command::new("mkfifo").arg(folder.path("key")).status().unwrap().success());
    for fields in [
        r#""secret-key": {"file": "key"}"#,
        r#""secret-key": "k", "wss": {"keyfile": "key", "certfile": "key"}"#,
    ] {
        let config = format!(r#"{{"ws-path": "/", "host": "127.0.0.1:0", {fields}}}"#);
        fs::write(folder.path("config.json"), config).unwrap();
        server.signal(Signal::HUP);
        assert!(manager.hears().starts_with("RELOADING=1\n"));
        assert_eq!(manager.hears(), "READY=1\n");
        assert!(server.logged("not reloaded").contains("can be read at the start alone"));
    }
}

#[test]
fn the_manager_is_told_that_the_server_is_alive() {
    let folder = Folder::serving("");
    let manager = Manager::new(&folder);
    let mut command = folder.command(&[]);
    command.env("NOTIFY_SOCKET", folder.path("notify.sock"));
    command.env("WATCHDOG_USEC", Duration::from_millis(100).as_micros().to_string());
    let server = Running::start(command);
    assert_eq!(manager.hears(), "READY=1\n");
    for _ in 0..3 {
        assert_eq!(manager.hears(), "WATCHDOG=1\n");
    }
    server.signal(Signal::TERM);
    while manager.hears() != "STOPPING=1\n" {}
    assert_eq!(server.end().0, Some(0));
}

#[test]
fn a_manager_that_is_not_there_is_no_obstacle() {
    let folder = Folder::serving("");
    let mut command = folder.command(&[]);
    command.env("NOTIFY_SOCKET", folder.path("no.sock"));
    let server = Running::start(command);
    let address = server.address();
    server.logged("can't be told");
    register(address, KEY);
}

#[test]
fn the_journal_is_told_the_level_of_each_line() {
    // A field that is unknown is a warning to who serves, and what `check` ends with.
    let folder = Folder::serving(r#", "colour": "red""#);
    // What systemd connects to its journal, and so names in the environment; or something else.
    let start = |arguments: &[&str], is_journal: bool| {
        let (log, stderr) = std::io::pipe().unwrap();
        let stderr = fs::File::from(OwnedFd::from(stderr));
        let metadata = stderr.metadata().unwrap();
        let inode = metadata.ino() + u64::from(!is_journal);
        let mut command = folder.command(arguments);
        command
            .env("JOURNAL_STREAM", format!("{}:{inode}", metadata.dev()))
            .stdout(Stdio::null())
            .stderr(stderr);
        (command.spawn().unwrap(), BufReader::new(log).lines().map(Result::unwrap))
    };
    for (format, warning, info) in [("human", "<4>20", "<6>20"), ("json", "<4>{", "<6>{")] {
        let (mut server, mut log) = start(&["--log-format", format], true);
        let mut lines: Vec<String> = Vec::new();
        while !lines.last().is_some_and(|line| line.contains("listening")) {
            lines.push(log.next().expect("it listens"));
        }
        kill_process(Pid::from_child(&server), Signal::TERM).unwrap();
        lines.extend(log);
        assert!(server.wait().unwrap().success());
        let (warnings, others): (Vec<_>, Vec<_>) = lines.iter().partition(|line| line.contains("WARN"));
        assert!(matches!(warnings[..], [line] if line.starts_with(warning)), "{lines:#?}");
        assert!(others.iter().all(|line| line.starts_with(info)), "{lines:#?}");
    }
    for (is_journal, begin) in [(true, "<3>error: "), (false, "error: ")] {
        let (mut check, log) = start(&["check"], is_journal);
        let lines: Vec<String> = log.collect();
        assert_eq!(check.wait().unwrap().code(), Some(2));
        assert!(matches!(&lines[..], [line] if line.starts_with(begin)), "{lines:#?}");
    }
}
