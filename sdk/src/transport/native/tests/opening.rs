//! How a connection is opened, and why not.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

/// Answers the request with these bytes, and closes; what is the client told?
async fn told(answer: &str) -> ConnectError {
    let (listener, url) = listen("ws").await;
    let tls = Tls::default();
    let server = async {
        let mut stream = accept(&listener).await;
        read_request(&mut stream).await;
        stream.write_all(answer.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        stream
    };
    tokio::join!(refusal_of(&url, &tls), server).0
}

async fn read_request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(soon(stream.read_u8()).await.unwrap());
    }
    String::from_utf8(request).unwrap()
}

fn unreachable(error: ConnectError) -> String {
    match error {
        ConnectError::Unreachable { reason } => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_request_names_the_host_and_the_path() {
    let (listener, url) = listen("ws").await;
    let port = listener.local_addr().unwrap().port();
    let tls = Tls::default();
    let server = async { read_request(&mut accept(&listener).await).await };
    let (_, request) = tokio::join!(refusal_of(&url, &tls), server);
    assert!(request.starts_with("GET /room HTTP/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("\r\nHost: localhost:{port}\r\n")), "{request}");
    assert!(!request.contains("Sec-WebSocket-Protocol") && !request.contains("Extensions"), "{request}");
}

#[tokio::test]
async fn an_answer_that_is_no_upgrade_is_told_by_its_status() {
    let rejected = |status, seconds: Option<u64>| ConnectError::Rejected {
        status,
        retry_after: seconds.map(Duration::from_secs),
    };
    for (answer, error) in [
        ("404 Not Found\r\n", rejected(404, None)),
        ("403 Forbidden\r\ncontent-length: 2\r\n\r\nno", rejected(403, None)),
        ("503 Service Unavailable\r\nretry-after: 5\r\n", rejected(503, Some(5))),
        ("429 Too Many Requests\r\nRetry-After:  120 \r\n", rejected(429, Some(120))),
        ("503 Busy\r\nretry-after: Fri, 31 Dec 1999 23:59:59 GMT\r\n", rejected(503, None)),
        ("503 Busy\r\nretry-after: -1\r\n", rejected(503, None)),
        ("301 Moved\r\nlocation: wss://example.org/\r\n", rejected(301, None)),
        ("200 OK\r\ncontent-type: text/html\r\n\r\n<h1>hello</h1>", rejected(200, None)),
    ] {
        assert_eq!(told(&format!("HTTP/1.1 {answer}\r\n")).await, error, "{answer}");
    }
}

#[tokio::test]
async fn what_is_no_websocket_server_is_unreachable() {
    for (answer, reason) in [
        ("", "instead of opening a WebSocket"),
        ("HTTP/1.1 101 Switch", "instead of opening a WebSocket"),
        ("SSH-2.0-OpenSSH_9.2\r\n", "no WebSocket server"),
        ("HTTP/1.0 200 OK\r\n\r\n", "no WebSocket server"),
        ("HTTP/1.1 101 Switching Protocols\r\n\r\n", "no WebSocket server"),
        (
            "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
             sec-websocket-accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
            "no WebSocket server",
        ),
    ] {
        let told = unreachable(told(answer).await);
        assert!(told.contains(reason), "{answer:?}: {told}");
    }
}

/// Headers without an end are not read for ever.
#[tokio::test]
async fn an_endless_answer_ends_the_attempt() {
    let (listener, url) = listen("ws").await;
    let tls = Tls::default();
    let server = async {
        let mut stream = accept(&listener).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\n").await.unwrap();
        while stream.write_all(&b"x-more: more\r\n".repeat(100)).await.is_ok() {}
    };
    let (error, ()) = soon(async { tokio::join!(refusal_of(&url, &tls), server) }).await;
    assert!(unreachable(error).contains("no WebSocket server"));
}

#[tokio::test]
async fn a_port_on_which_nobody_listens_is_unreachable() {
    let (listener, url) = listen("ws").await;
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let reason = unreachable(refusal_of(&url, &Tls::default()).await);
    assert!(reason.starts_with(&format!("localhost, port {port}: ")), "{reason}");
    assert!(reason.contains("refused"), "{reason}");
}

/// The name is one that no resolver asks the network for.
#[tokio::test]
async fn a_name_that_does_not_exist_is_named() {
    let reason = unreachable(refusal_of(&url("ws://no..such.host:1/"), &Tls::default()).await);
    assert!(reason.starts_with("the name no..such.host leads to no address ("), "{reason}");
}

#[tokio::test]
async fn a_url_that_no_request_may_have_is_refused() {
    let error = refusal_of(&url("ws://localhost:1/a<b>"), &Tls::default()).await;
    assert_eq!(error.code(), "invalid-url");
    let error = refusal_of(&url("ws://local|host:1/"), &Tls::default()).await;
    assert_eq!(error.code(), "invalid-url");
}

#[tokio::test]
async fn hosts_may_be_addresses() {
    for address in ["127.0.0.1:0", "[::1]:0"] {
        let listener = TcpListener::bind(address).await.unwrap();
        let url = url(&format!("ws://{}", listener.local_addr().unwrap()));
        let tls = Tls::default();
        let accepted = async { accept_async(accept(&listener).await).await.unwrap() };
        let (socket, mut peer) = soon(async { tokio::join!(Socket::connect(&url, &tls), accepted) }).await;
        let mut socket = socket.unwrap_or_else(|error| panic!("{error}"));
        socket.say("hello").await.unwrap();
        assert_eq!(heard(&mut peer).await, "hello".into());
    }
}

/// What the server says in the same breath as the upgrade is not lost.
#[tokio::test]
async fn the_first_message_may_come_with_the_answer() {
    use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
    let (listener, url) = listen("ws").await;
    let tls = Tls::default();
    let server = async {
        let mut stream = accept(&listener).await;
        let request = read_request(&mut stream).await;
        let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap();
        let mut answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Accept: {}\r\n\r\n",
            derive_accept_key(key.as_bytes())
        )
        .into_bytes();
        answer.extend(b"\x81\x05early\x88\x02\x03\xe9");
        stream.write_all(&answer).await.unwrap();
        stream
    };
    let (socket, _stream) = soon(async { tokio::join!(Socket::connect(&url, &tls), server) }).await;
    let mut socket = socket.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(socket.hear().await.as_str(), "early");
    assert_eq!(socket.end().await, (Some(1001), String::new()));
}

/// The server accepts and says nothing: whoever drops the attempt leaves nothing behind.
#[tokio::test]
async fn an_attempt_that_is_dropped_closes_its_connection() {
    for scheme in ["ws", "wss"] {
        let (listener, url) = listen(scheme).await;
        let tls = Tls::from_pem(trust::CERTIFICATE).unwrap();
        let mut attempt = Box::pin(Socket::connect(&url, &tls));
        let mut stream = tokio::select! {
            _ = &mut attempt => panic!("there was no answer"),
            stream = accept(&listener) => stream,
        };
        // Its first bytes are there.
        tokio::select! {
            _ = &mut attempt => panic!("there was no answer"),
            byte = stream.read_u8() => drop(byte.unwrap()),
        }
        drop(attempt);
        let mut rest = Vec::new();
        soon(stream.read_to_end(&mut rest)).await.unwrap();
    }
}
