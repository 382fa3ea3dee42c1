//! On the way to an open WebSocket.

use std::{
    fmt, iter,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use multichat::{Client, ConnectError, Reconnect, Side, Stage, State};
use serde_json::json;
use tokio::{net::TcpListener, select};

use crate::support::{KEY, Scripted, quickly, rich_ack, soon, split, tasks, tasks_left, timeouts};

const MINUTE: Duration = Duration::from_mins(1);

/// An address on which nobody listens.
async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("ws://{}/", listener.local_addr().unwrap())
}

#[tokio::test]
async fn what_is_wrong_with_the_settings_is_said_before_anything_is_tried() {
    let code = |builder: multichat::Builder| builder.start().expect_err("it is wrong").code();
    assert_eq!(code(Client::builder("localhost:1", "irc").key(KEY)), "invalid-url");
    assert_eq!(code(Client::builder("ws://localhost:1", "").key(KEY)), "invalid-name");
    assert_eq!(code(Client::builder("ws://localhost:1", "i\nrc").key(KEY)), "invalid-name");
    assert_eq!(code(Client::builder("ws://localhost:1", "irc")), "invalid-key");
    assert_eq!(
        code(Client::builder("ws://localhost:1", "irc").key(KEY).tls_roots_pem(b"?")),
        "invalid-roots"
    );
    assert_eq!(code(Client::builder("ws://localhost:1", "irc").key(KEY).room("/a#b")), "invalid-url");
    assert_eq!(tasks(), 0);
}

#[test]
fn without_a_runtime_it_says_so() {
    let error = Client::builder("ws://127.0.0.1:1", "irc").key(KEY).start().expect_err("there is none");
    assert_eq!(error, ConnectError::NoRuntime);
}

#[tokio::test]
async fn the_request_goes_to_the_path_and_the_room_takes_its_place() {
    let server = Scripted::start().await;
    let (_client, _events) = server.client().start().unwrap();
    assert!(server.request().await.head.starts_with("GET /chat HTTP/1.1\r\n"));
    let (_client, _events) = server.client().room("lobby?x=1").start().unwrap();
    loop {
        // The first client is still there, and tries again.
        let head = server.request().await.head;
        if head.starts_with("GET /lobby?x=1 HTTP/1.1\r\n") {
            break;
        }
        assert!(head.starts_with("GET /chat "), "{head}");
    }
}

#[tokio::test]
async fn connect_tries_once_and_says_what_was_wrong() {
    let error = soon("the failure", Client::builder(nobody().await, "irc").key(KEY).connect())
        .await
        .expect_err("nobody is there");
    assert_eq!(error.code(), "unreachable");
    assert!(error.is_retryable());
    tasks_left(0).await;
}

#[tokio::test]
async fn start_goes_on_trying_and_counts() {
    let (client, mut feed) =
        split(Client::builder(nobody().await, "irc").key(KEY).reconnect(quickly()).start().unwrap());
    for number in 1..=5 {
        assert_eq!(feed.state().await, State::Connecting { attempt: number });
        match feed.state().await {
            State::Waiting { attempt, retry_in, cause } => {
                assert_eq!((attempt, cause.code()), (number, "unreachable"));
                assert!(retry_in <= quickly().longest);
            }
            state => panic!("{state:?} instead of a failure"),
        }
    }
    soon("the end", client.close()).await;
    tasks_left(0).await;
}

#[tokio::test]
async fn the_waits_are_random_and_double() {
    let policy =
        Reconnect { first: Duration::from_millis(1), longest: Duration::from_millis(16), attempts: None };
    let (_client, mut feed) =
        split(Client::builder(nobody().await, "irc").key(KEY).reconnect(policy).start().unwrap());
    let mut waits = Vec::new();
    for number in 0..40 {
        let (_, wait, _) = feed.waiting().await;
        let bound = Duration::from_millis(1 << number.min(4));
        assert!(wait <= bound, "{wait:?} is within {bound:?}");
        waits.push(wait);
    }
    // In 36 drawings from 0 to 16 ms.
    assert!(waits.iter().any(|wait| *wait > Duration::from_millis(8)), "{waits:?}");
    assert!(waits[4..].iter().any(|wait| *wait < Duration::from_millis(8)), "{waits:?}");
}

#[tokio::test]
async fn after_so_many_attempts_it_gives_up() {
    let policy = Reconnect { attempts: Some(3), ..quickly() };
    let (client, mut feed) =
        split(Client::builder(nobody().await, "irc").key(KEY).reconnect(policy).start().unwrap());
    for attempt in 1..=3 {
        assert_eq!(feed.waiting().await.0, attempt);
    }
    let (by, cause) = feed.closed().await;
    assert_eq!((by, cause.unwrap().code()), (Side::Client, "unreachable"));
    assert!(client.state().is_closed());
    tasks_left(0).await;
}

#[tokio::test]
async fn who_never_reconnects_ends_with_the_connection() {
    let server = Scripted::start().await;
    let (_client, mut feed) = split(server.client().reconnect(Reconnect::never()).start().unwrap());
    let (peer, _) = server.welcome(&rich_ack(json!({}))).await;
    feed.online().await;
    peer.reset();
    assert_eq!(feed.closed().await, (Side::Client, Some(ConnectError::Lost)));
    tasks_left(0).await;
    assert!(!server.has_caller());
}

#[tokio::test]
async fn after_connect_it_reconnects_by_itself() {
    let server = Scripted::start().await;
    let ack = rich_ack(json!({}));
    let (connected, (peer, _)) =
        tokio::join!(soon("the outcome of connect", server.client().connect()), server.welcome(&ack));
    let (_client, mut feed) = split(connected.unwrap());
    feed.online().await;
    peer.reset();
    assert_eq!(feed.cause().await, ConnectError::Lost);
    let _peer = server.welcome(&ack).await;
    feed.online().await;
}

#[tokio::test]
async fn an_answer_that_is_no_upgrade_is_told_by_its_status() {
    let server = Scripted::start().await;
    let (_client, mut feed) = split(server.client().start().unwrap());
    for (answer, status, retry_after) in [
        ("404 Not Found\r\n", 404, None),
        ("403 Forbidden\r\nContent-Length: 0\r\n", 403, None),
        ("200 OK\r\nContent-Length: 2\r\n", 200, None),
        ("302 Found\r\nLocation: /elsewhere\r\n", 302, None),
        ("503 Service Unavailable\r\nRetry-After: never\r\n", 503, None),
        ("503 Service Unavailable\r\nRetry-After: 0\r\n", 503, Some(Duration::ZERO)),
    ] {
        let request = server.request().await;
        let _open = request.answer(&format!("HTTP/1.1 {answer}\r\n")).await;
        let cause = feed.cause().await;
        assert_eq!(cause, ConnectError::Rejected { status, retry_after });
        assert!(cause.is_retryable());
        assert!(cause.explain().contains(&status.to_string()), "{}", cause.explain());
    }
}

#[tokio::test]
async fn retry_after_is_waited_for_within_reason() {
    for (seconds, least, most) in [("7", 7, 8), ("31536000", 60, 3600)] {
        let server = Scripted::start().await;
        let (client, mut feed) = split(server.client().start().unwrap());
        let head = format!("HTTP/1.1 503 Service Unavailable\r\nRetry-After: {seconds}\r\n\r\n");
        let _open = server.request().await.answer(&head).await;
        let (_, retry_in, _) = feed.waiting().await;
        let allowed = Duration::from_secs(least)..=Duration::from_secs(most);
        assert!(allowed.contains(&retry_in), "{retry_in:?} for {seconds}");
        // Who knows better may try at once.
        client.reconnect_now();
        server.request().await;
    }
}

#[tokio::test]
async fn what_does_not_answer_in_time_is_left() {
    let server = Scripted::start().await;
    let timeouts = timeouts(|timeouts| timeouts.connect = Duration::from_secs(1));
    let (_client, mut feed) = split(server.client().timeouts(timeouts).start().unwrap());
    let silent = server.connection().await;
    assert_eq!(feed.cause().await, ConnectError::TimedOut(Stage::Connect));
    let half = server.request().await.answer("HTTP/1.1 101 Switching Pro").await;
    assert_eq!(feed.cause().await, ConnectError::TimedOut(Stage::Connect));
    // Both attempts are gone, not only forgotten.
    for mut stream in [silent, half] {
        let mut rest = Vec::new();
        soon("the end of an attempt", tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut rest))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn what_is_no_websocket_is_tried_again() {
    let server = Scripted::start().await;
    let (_client, mut feed) = split(server.client().start().unwrap());
    let wrong_accept = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                        Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n";
    for answer in ["SSH-2.0-OpenSSH_9.9\r\n", wrong_accept, "\0\0\0\0", ""] {
        drop(server.request().await.answer(answer).await);
        let cause = feed.cause().await;
        assert_eq!(cause.code(), "unreachable", "{cause:?} for {answer:?}");
    }
    drop(server.connection().await);
    assert_eq!(feed.cause().await.code(), "unreachable");
}

#[tokio::test]
async fn the_key_is_asked_for_at_each_attempt() {
    let server = Scripted::start().await;
    let asked = Arc::new(AtomicUsize::new(0));
    let keys = Arc::clone(&asked);
    let key = move || {
        let number = keys.fetch_add(1, Ordering::Relaxed);
        async move {
            match number {
                1 => Err("the vault is shut"),
                2 => Ok(String::new()),
                _ => Ok(format!("key {number}")),
            }
        }
    };
    let (_client, mut feed) = split(server.client().key_from(key).start().unwrap());
    let (peer, register) = server.registering().await;
    assert_eq!(register["secret-key"], "key 0");
    peer.reset();
    assert_eq!(feed.cause().await, ConnectError::Lost);
    let cause = feed.cause().await;
    assert_eq!(cause, ConnectError::KeyUnavailable { reason: "the vault is shut".to_owned() });
    assert!(cause.is_retryable() && cause.explain().contains("the vault is shut"));
    assert_eq!(feed.cause().await.code(), "key-unavailable");
    let (_peer, register) = server.welcome(&rich_ack(json!({}))).await;
    assert_eq!(register["secret-key"], "key 3");
    feed.online().await;
    assert_eq!(asked.load(Ordering::Relaxed), 4);
    assert!(!server.has_caller(), "no connection is made without a key");
}

#[tokio::test]
async fn a_key_that_does_not_come_has_the_time_of_the_connection() {
    let server = Scripted::start().await;
    let never = || std::future::pending::<Result<String, fmt::Error>>();
    let timeouts = timeouts(|timeouts| timeouts.connect = Duration::from_millis(20));
    let builder = || server.client().key_from(never).timeouts(timeouts);
    let (client, mut feed) = split(builder().start().unwrap());
    assert_eq!(feed.cause().await, ConnectError::TimedOut(Stage::Connect));
    drop((client, feed));
    let error = soon("a failure", builder().connect()).await.expect_err("there is no key");
    assert_eq!(error, ConnectError::TimedOut(Stage::Connect));
    tasks_left(0).await;
}

#[tokio::test]
async fn the_keys_function_may_use_the_client() {
    // It runs in the client's task: a lock that is held meanwhile would stand still for ever.
    let server = Scripted::start().await;
    let slot = Arc::new(std::sync::Mutex::new(None::<Client>));
    let known = Arc::clone(&slot);
    let key = move || {
        let state = known.lock().unwrap().as_ref().map(|client| client.state().code());
        async move { Ok::<_, fmt::Error>(format!("{state:?}")) }
    };
    let (client, mut feed) = split(server.client().key_from(key).start().unwrap());
    *slot.lock().unwrap() = Some(client);
    let (_peer, register) = server.welcome(&rich_ack(json!({}))).await;
    assert_eq!(register["secret-key"], r#"Some("connecting")"#);
    feed.online().await;
    drop(slot.lock().unwrap().take());
}

#[tokio::test]
async fn a_connect_that_is_dropped_leaves_nothing() {
    let server = Scripted::start().await;
    // While it connects.
    let stream = select! {
        _ = soon("the outcome of connect", server.client().connect()) => panic!("nobody has answered"),
        stream = server.connection() => stream,
    };
    tasks_left(0).await;
    drop(stream);
    // While it registers.
    let timeouts = timeouts(|timeouts| timeouts.close = Duration::from_secs(5));
    let peer = select! {
        _ = soon("the outcome of connect", server.client().timeouts(timeouts).connect()) => panic!("nobody has answered"),
        (peer, _) = server.registering() => peer,
    };
    peer.see_off().await;
    tasks_left(0).await;
    assert!(!server.has_caller());
}

#[tokio::test]
async fn who_asks_is_connected_at_once() {
    let server = Scripted::start().await;
    let policy = Reconnect { first: 60 * MINUTE, longest: 60 * MINUTE, attempts: None };
    let (client, mut feed) = split(server.client().reconnect(policy).start().unwrap());
    drop(server.connection().await);
    // One wait in a million is shorter than what this test takes.
    feed.waiting().await;
    client.reconnect_now();
    let _peer = server.welcome(&rich_ack(json!({}))).await;
    feed.online().await;
    // Now it is nothing to hurry with.
    iter::repeat_n((), 3).for_each(|()| client.reconnect_now());
    assert!(!server.is_called_within(Duration::from_millis(50)).await);
}
