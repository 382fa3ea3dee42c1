//! Which web pages may connect.

use serde_json::json;

use super::super::support::{Browser, Server, Setup, upgrade};

/// The status that a page of this origin gets, at the host `router.example`.
async fn status(server: &Server, host: &str, origin: &str) -> u16 {
    let request = upgrade("/", "").replace("router.example", host);
    let request = request.replace("Upgrade: websocket", &format!("Upgrade: websocket\r\nOrigin: {origin}"));
    let response = Browser::ask(server, &request).await;
    if response.status == 403 {
        assert!(response.text().contains("`allowed-origins`"), "how to allow it: {response:?}");
    }
    response.status
}

#[tokio::test]
async fn pages_of_the_same_host_may_connect_and_others_may_not() {
    let server = Server::start().await;
    for (host, origin) in [
        ("router.example", "http://router.example"),
        ("router.example", "https://router.example"),
        ("router.example:80", "http://router.example"),
        ("router.example", "https://router.example:443"),
        ("router.example:443", "https://router.example"),
        ("router.example:6780", "http://router.example:6780"),
        ("Router.Example", "http://rOUTER.eXAMPLE"),
        ("127.0.0.1:6780", "http://127.0.0.1:6780"),
        ("[::1]:6780", "http://[::1]:6780"),
    ] {
        assert_eq!(status(&server, host, origin).await, 101, "{origin} at {host}");
    }
    for (host, origin) in [
        ("router.example", "https://evil.example"),
        ("router.example", "https://router.example.evil.example"),
        ("router.example", "https://evilrouter.example"),
        ("router.example:6780", "http://router.example:6781"),
        ("router.example:6780", "http://router.example"),
        ("router.example:443", "http://router.example"),
        ("router.example", "null"),
        ("router.example", "router.example"),
        ("router.example", "ws://router.example"),
        ("router.example", ""),
    ] {
        assert_eq!(status(&server, host, origin).await, 403, "{origin} at {host}");
    }
}

#[tokio::test]
async fn listed_pages_may_connect_too() {
    let origins = json!(["https://chat.example.org", "http://localhost:5173", "null"]);
    let server = Setup::new().field("allowed-origins", origins).start().await;
    for (origin, expected) in [
        ("https://chat.example.org", 101),
        ("https://chat.example.org:443", 101),
        ("http://localhost:5173", 101),
        ("http://router.example", 101),
        ("null", 101),
        ("http://chat.example.org", 403),
        ("http://localhost:5174", 403),
        ("https://a.chat.example.org", 403),
    ] {
        assert_eq!(status(&server, "router.example", origin).await, expected, "{origin}");
    }
}

#[tokio::test]
async fn every_page_may_connect_where_all_are_listed() {
    let server = Setup::new().field("allowed-origins", json!(["*"])).start().await;
    for origin in ["https://evil.example", "null", "chrome-extension://abc", ""] {
        assert_eq!(status(&server, "router.example", origin).await, 101, "{origin}");
    }
}

#[tokio::test]
async fn the_page_itself_is_for_everyone() {
    let server = Server::start().await;
    let request = super::get("/", "Origin: https://evil.example\r\n");
    assert_eq!(Browser::ask(&server, &request).await.status, 200);
}
