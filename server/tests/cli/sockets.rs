//! Unix-domain sockets as the port.

use std::{
    fs,
    io::{Read as _, Write as _},
    os::unix::{
        fs::FileTypeExt as _,
        net::{UnixDatagram, UnixListener, UnixStream},
    },
    path::Path,
};

use rustix::process::Signal;

use super::support::{Folder, KEY, PATIENCE, register_over};

/// A folder whose router listens at `router.sock` beside its config file.
fn folder(fields: &str) -> Folder {
    Folder::with(&format!(r#"{{"ws-path": "/", "host": "unix:router.sock", "secret-key": "{KEY}"{fields}}}"#))
}

fn connect(path: &Path) -> UnixStream {
    let stream = UnixStream::connect(path).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn is_socket(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket())
}

#[test]
fn a_socket_is_served_and_removed() {
    let folder = folder("");
    let path = folder.path("router.sock");
    let server = folder.serve(&[]);
    let line = server.logged("listening");
    assert!(line.contains("address=unix:router.sock "), "{line}");
    let mut stream = connect(&path);
    register_over(&mut stream, "", KEY);
    assert!(server.logged("registered").contains("address=unix "));
    server.signal(Signal::TERM);
    let mut close = Vec::new();
    stream.read_to_end(&mut close).unwrap();
    assert!(String::from_utf8_lossy(&close).ends_with("going-away"), "{close:?}");
    assert_eq!(server.end().0, Some(0));
    assert!(!path.exists(), "nothing is left behind");
}

#[test]
fn operators_come_by_a_socket() {
    let folder = folder(r#", "admin": {"host": "unix:admin.sock"}, "limits": {"close-seconds": 0.1}"#);
    let path = folder.path("admin.sock");
    let server = folder.serve(&[]);
    let line = server.logged("listening for operators");
    assert!(line.contains("address=unix:admin.sock"), "{line}");
    let mut client = connect(&folder.path("router.sock"));
    register_over(&mut client, "", KEY);
    let ask = |request: &str, host: &str| {
        let mut stream = connect(&path);
        let rest = "Content-Length: 0\r\nConnection: close\r\n\r\n";
        stream.write_all(format!("{request} HTTP/1.1\r\nHost: {host}\r\n{rest}").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let clients = ask("GET /clients", "localhost");
    assert!(clients.contains(r#""address":"unix""#), "{clients}");
    // As at any port without a key: a proxy would let everybody in.
    let refused = ask("GET /clients", "chat.example.org");
    assert!(refused.starts_with("HTTP/1.1 403 "), "{refused}");
    let kicked = ask("POST /clients/1/kick", "localhost");
    assert!(kicked.starts_with("HTTP/1.1 200 "), "{kicked}");
    let mut close = Vec::new();
    client.read_to_end(&mut close).unwrap();
    assert!(String::from_utf8_lossy(&close).ends_with("revoked"), "{close:?}");
    let line = server.logged("kicked by an operator");
    assert!(line.contains("address=unix "), "{line}");
    let second =
        fs::read_to_string(folder.path("config.json")).unwrap().replace("router.sock", "second.sock");
    fs::write(folder.path("second.json"), second).unwrap();
    let ended = folder.run(&["--config", "second.json", "serve"]).expect(1);
    assert!(ended.stderr.contains("choose another `admin.host`"), "{ended:#?}");
    server.signal(Signal::TERM);
    assert_eq!(server.end().0, Some(0));
    assert!(!path.exists(), "nothing is left behind");
}

#[test]
fn a_proxy_by_a_socket_is_believed_if_it_is_listed() {
    for (fields, expected) in
        [("", "address=unix "), (r#", "trusted-proxies": "unix""#, "address=203.0.113.7 ")]
    {
        let folder = folder(fields);
        let server = folder.serve(&[]);
        server.logged("listening");
        register_over(&mut connect(&folder.path("router.sock")), "X-Forwarded-For: 203.0.113.7\r\n", KEY);
        let line = server.logged("registered");
        assert!(line.contains(expected), "{line}");
    }
}

#[test]
fn unix_peers_are_bounded_by_the_whole() {
    let folder = folder(
        r#", "limits": {
            "unregistered-connections": 4, "unregistered-connections-per-address": 1,
            "http-request-seconds": 60, "register-seconds": 60
        }"#,
    );
    let server = folder.serve(&[]);
    server.logged("listening");
    let mut strangers: Vec<_> = (0..4).map(|_| connect(&folder.path("router.sock"))).collect();
    for stranger in &mut strangers {
        register_over(stranger, "", KEY);
    }
    let _strangers: Vec<_> = (0..5).map(|_| connect(&folder.path("router.sock"))).collect();
    let line = server.logged("refused");
    assert!(line.contains("made room"), "{line}");
}

#[test]
fn a_dead_socket_makes_room() {
    let folder = folder("");
    let path = folder.path("router.sock");
    let server = folder.serve(&[]);
    server.logged("listening");
    server.signal(Signal::KILL);
    server.end();
    assert!(is_socket(&path), "it had no time to remove it");
    let server = folder.serve(&[]);
    server.logged("nobody serves any more");
    server.logged("listening");
    register_over(&mut connect(&path), "", KEY);
}

#[test]
fn a_socket_that_is_served_is_left_alone() {
    let folder = folder("");
    let path = folder.path("router.sock");
    let expect = |why: &str| {
        let ended = folder.run(&["serve"]).expect(1);
        assert!(ended.stderr.contains("unix:router.sock"), "where: {ended:#?}");
        assert!(ended.stderr.contains(why), "why: {ended:#?}");
        assert!(ended.stderr.contains("choose another `host`"), "what to do: {ended:#?}");
    };
    let first = folder.serve(&[]);
    first.logged("listening");
    expect("another program serves this socket");
    register_over(&mut connect(&path), "", KEY);
    first.signal(Signal::TERM);
    first.end();

    // Nobody accepts here, and the queue is full: still, it is somebody's.
    let busy = UnixListener::bind(&path).unwrap();
    let probe = socket2::SockRef::from(&busy);
    probe.listen(0).unwrap();
    let _queued = connect(&path);
    expect("another program serves this socket");
    assert!(is_socket(&path));
    fs::remove_file(&path).unwrap();

    let _log = UnixDatagram::bind(&path).unwrap();
    expect("another program serves this socket");
    assert!(is_socket(&path));
    fs::remove_file(&path).unwrap();

    fs::write(&path, "dear diary").unwrap();
    expect("a file that is no socket is in the way");
    assert_eq!(fs::read_to_string(&path).unwrap(), "dear diary");
}

#[test]
fn a_successor_keeps_its_socket() {
    let folder = folder("");
    let path = folder.path("router.sock");
    let first = folder.serve(&[]);
    first.logged("listening");
    // Somebody clears the way for a second router, and then stops the first.
    fs::remove_file(&path).unwrap();
    let second = folder.serve(&[]);
    second.logged("listening");
    first.signal(Signal::TERM);
    assert_eq!(first.end().0, Some(0));
    register_over(&mut connect(&path), "", KEY);
    second.signal(Signal::TERM);
    assert_eq!(second.end().0, Some(0));
    assert!(!path.exists());
}

#[test]
fn what_is_in_the_way_of_a_socket() {
    let long = "x".repeat(200);
    for (host, why) in [
        ("unix:no/such/folder/a.sock", "make the folder of the socket first"),
        (&format!("unix:{long}"), "path"),
        ("unix:/proc/a.sock", "unix:/proc/a.sock"),
    ] {
        let folder = Folder::with(&format!(r#"{{"ws-path": "/", "host": "{host}", "secret-key": "{KEY}"}}"#));
        let ended = folder.run(&["serve"]).expect(1);
        assert!(ended.stderr.contains(why), "{ended:#?}");
    }
}
