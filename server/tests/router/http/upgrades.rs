//! The way from HTTP to WebSocket.

use serde_json::json;

use super::super::support::{
    Browser, Client, Frame, KEY, Server, Setup, Text, frame, get, message, reason, register, upgrade,
};

/// Which of these paths lead to the WebSocket.
async fn assert_paths(ws_path: &str, good: &[&str], bad: &[&str]) {
    let server = Setup::new().field("ws-path", ws_path).start().await;
    for path in good {
        let response = Browser::ask(&server, &upgrade(path, "")).await;
        assert_eq!(response.status, 101, "{path} for {ws_path}");
    }
    for path in bad {
        let response = Browser::ask(&server, &upgrade(path, "")).await;
        assert_eq!(response.status, 404, "{path} for {ws_path}");
        assert!(response.text().contains("`ws-path`"), "{response:?}");
    }
}

#[tokio::test]
async fn the_root_is_every_path() {
    assert_paths("/", &["/", "/chat", "/chat/room/?a=b", "//", "/%7e", "/..", "/%zz"], &[]).await;
}

#[tokio::test]
async fn a_path_is_itself_with_or_without_a_slash() {
    let good = [
        "/chat",
        "/chat/",
        "/chat?key=1",
        "/%63hat",
        "//chat",
        "/./chat/.",
        "/room/../chat",
        "/room%2f..%2fchat",
        "/../chat",
    ];
    let bad =
        ["/", "/cha", "/chatter", "/chat/room", "/Chat", "/chat/..", "/chat%2froom", "/chat%3f", "/%2563hat"];
    assert_paths("/chat", &good, &bad).await;
}

#[tokio::test]
async fn a_path_that_ends_in_a_slash_is_its_subtree() {
    let good = ["/chat", "/chat/", "/chat/room", "/chat/a/b/", "/%63hat/room", "/chat/a/../b"];
    let bad = ["/", "/chatter", "/chat/..", "/chat/../room", "/chat/%2e%2e/room"];
    assert_paths("/chat/", &good, &bad).await;
}

#[tokio::test]
async fn a_configured_path_is_read_as_a_requested_one_is() {
    assert_paths("//b%c3%bccher/./x/..", &["/b%C3%BCcher", "/b%c3%bccher/"], &["/", "/bucher"]).await;
}

/// A request for an upgrade with something else in it.
fn altered(from: &str, to: &str) -> String {
    let good = upgrade("/", "");
    assert!(good.contains(from));
    good.replace(from, to)
}

#[tokio::test]
async fn a_bad_upgrade_is_told_what_is_wrong() {
    let server = Server::start().await;
    for (from, to, status, advice) in [
        ("Version: 13", "Version: 8", 426, "version 13"),
        ("Sec-WebSocket-Version: 13\r\n", "", 426, "version 13"),
        ("dGhlIHNhbXBsZSBub25jZQ==", "short", 400, "Sec-WebSocket-Key"),
        ("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZ!==", 400, "Sec-WebSocket-Key"),
        ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "", 400, "Sec-WebSocket-Key"),
        ("HTTP/1.1", "HTTP/1.0", 400, "HTTP/1.1"),
        ("GET", "POST", 400, "GET"),
    ] {
        let response = Browser::ask(&server, &altered(from, to)).await;
        assert_eq!(response.status, status, "{to}: {response:?}");
        assert!(response.text().contains(advice), "{to}: {response:?}");
        let version = response.header("sec-websocket-version");
        assert_eq!(version, (status == 426).then_some("13"), "{to}");
    }
    server.logged("a refusal", reason("wrong WebSocket version")).await;
}

#[tokio::test]
async fn half_an_upgrade_is_a_request_for_the_page() {
    let server = Server::start().await;
    for (from, to) in [
        ("Upgrade: websocket\r\n", ""),
        ("Upgrade: websocket", "Upgrade: h2c"),
        ("keep-alive, Upgrade", "keep-alive"),
    ] {
        let response = Browser::ask(&server, &altered(from, to)).await;
        assert_eq!(response.status, 200, "{to}: {response:?}");
    }
}

#[tokio::test]
async fn header_names_and_tokens_are_read_in_any_case() {
    let server = Server::start().await;
    let request = upgrade("/", "").replace("Upgrade: websocket", "UPGRADE: foo, WebSocket");
    let request =
        request.replace("Connection: keep-alive, Upgrade", "connection: keep-alive\r\nconnection: uPGRADE");
    let mut browser = Browser::connect(&server).await;
    browser.send(request).await;
    Client::upgraded(browser).await.register("alice").await;
}

#[tokio::test]
async fn packets_behind_the_request_are_not_lost() {
    let server = Setup::new().limits(json!({"first-packet-bytes": 8192})).start().await;
    let mut watcher = Client::join(&server, "watcher").await;
    // As much as fits the buffer for a request's head, and more.
    for content in ["hello".to_owned(), "long ".repeat(10_000)] {
        let mut bytes = upgrade("/", "").into_bytes();
        bytes.extend(frame(Frame::WHOLE_TEXT, register("early", KEY).as_bytes()));
        bytes.extend(frame(Frame::WHOLE_TEXT, message(&content).as_bytes()));
        bytes.extend(frame(Frame::WHOLE_TEXT, message("second").as_bytes()));
        let mut browser = Browser::connect(&server).await;
        browser.send(bytes).await;
        let mut client = Client::upgraded(browser).await;
        client.acknowledged().await;
        assert_eq!(watcher.hear().await, Text::new("early", &content));
        assert_eq!(watcher.hear().await, Text::new("early", "second"));
    }
}

#[tokio::test]
async fn an_upgrade_may_follow_other_requests() {
    let server = Setup::new().field("ws-path", "/chat").start().await;
    let mut browser = Browser::connect(&server).await;
    let requests = [get("/", ""), get("/nothing", ""), upgrade("/chat", "")].concat();
    // All at once: the answers come in order.
    browser.send(requests).await;
    for status in [200, 404] {
        assert_eq!(browser.response(false).await.status, status);
    }
    Client::upgraded(browser).await.register("alice").await;
}

#[tokio::test]
async fn behind_a_bad_upgrade_nothing_is_read() {
    let server = Setup::new().field("ws-path", "/chat").start().await;
    let mut browser = Browser::connect(&server).await;
    // What a hasty client sends behind its request is no request.
    browser.send([upgrade("/wrong", ""), get("/", "")].concat()).await;
    let response = browser.response(false).await;
    assert_eq!((response.status, response.header("connection")), (404, Some("close")));
    browser.ended().await;
}

#[tokio::test]
async fn a_request_may_come_byte_by_byte() {
    let server = Server::start().await;
    let mut browser = Browser::connect(&server).await;
    for byte in upgrade("/", "").bytes() {
        browser.send([byte]).await;
    }
    let mut client = Client::upgraded(browser).await;
    for byte in frame(Frame::WHOLE_TEXT, register("slow", KEY).as_bytes()) {
        client.send(&[byte]).await;
    }
    client.acknowledged().await;
}
