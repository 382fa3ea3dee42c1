//! Who is let in.

use std::time::Duration;

use serde_json::json;

use super::super::support::{Browser, Client, End, Operator, Server, Setup, Stopwatch, get};

const OPERATORS_KEY: &str = "k3y-of-the-operators";

/// All that there is but `/healthz`.
const GUARDED: [(&str, &str); 6] = [
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/clients"),
    ("POST", "/clients/1/kick"),
    ("POST", "/rooms/default/mute"),
    ("GET", "/nothing"),
];

#[tokio::test]
async fn it_is_off_unless_it_is_asked_for() {
    let server = Server::start().await;
    assert_eq!(server.log_count(|line| line["message"] == "listening for operators"), 0);
    // And it is not on the port of the clients.
    for path in ["/healthz", "/metrics", "/clients"] {
        let response = Browser::ask(&server, &get(path, "")).await;
        assert_ne!(response.status, 200, "{path}");
    }
}

#[tokio::test]
async fn with_a_key_nothing_is_told_and_done_without_it() {
    let server = Setup::new().admin_with_key(OPERATORS_KEY).start().await;
    let mut client = Client::join(&server, "irc").await;
    let nobody = Operator::of(&server);
    let stranger = Operator::with_key(&server, "wrong");
    let operator = Operator::with_key(&server, OPERATORS_KEY);
    for (method, path) in GUARDED {
        let ask = |who: &Operator| {
            let (who, request) = (who.clone(), who.request(method, path, "Content-Length: 0\r\n\r\n"));
            async move { who.ask(&request).await }
        };
        let response = ask(&nobody).await;
        let challenge = response.header("www-authenticate").unwrap_or_default();
        assert_eq!((response.status, challenge), (401, r#"Bearer realm="multichat""#), "{path}");
        let response = ask(&stranger).await;
        let challenge = response.header("www-authenticate").unwrap_or_default();
        assert_eq!(response.status, 401, "{path}");
        assert!(challenge.contains(r#"error="invalid_token""#), "{challenge}");
        assert_ne!(ask(&operator).await.status, 401, "{path}");
    }
    // It was kicked by who has the key, and not before.
    assert_eq!(client.end().await, End::closed(4403, "revoked"));
    // Whether the process lives, everybody may know; and the page asks for the key itself.
    for path in ["/healthz", "/", "/page.css", "/page.js", "/icon.svg"] {
        assert_eq!(nobody.get(path).await.status, 200, "{path}");
    }
    assert_eq!(server.log_count(|line| line.to_string().contains(OPERATORS_KEY)), 0);
}

#[tokio::test]
async fn guesses_become_slow_and_the_right_key_still_gets_in() {
    const DELAY: Duration = Duration::from_secs(1);
    let limits = json!({"failed-registrations-per-minute": 1});
    let server = Setup::new().admin_with_key(OPERATORS_KEY).limits(limits).start().await;
    let stranger = Operator::with_key(&server, "wrong");
    assert_eq!(stranger.get("/clients").await.status, 401);
    let guess = async || {
        let start = Stopwatch::start();
        assert_eq!(stranger.get("/clients").await.status, 401);
        start.stop()
    };
    let laps = tokio::join!(guess(), guess(), async {
        assert_eq!(Operator::with_key(&server, OPERATORS_KEY).get("/clients").await.status, 200);
    });
    assert!(laps.0.in_all >= DELAY && laps.1.in_all >= DELAY, "{laps:?}");
    assert_eq!(server.log_count(|line| line["message"] == "wrong operators' key"), 3);
    // Of clients, nobody has guessed.
    Client::join(&server, "irc").await;
}

#[tokio::test]
async fn with_a_key_it_may_have_any_name() {
    let server = Setup::new().admin_with_key(OPERATORS_KEY).start().await;
    let request = format!(
        "GET /clients HTTP/1.1\r\nHost: chat.example.org\r\nAuthorization: Bearer {OPERATORS_KEY}\r\n\r\n"
    );
    assert_eq!(Operator::of(&server).ask(&request).await.status, 200);
}

#[tokio::test]
async fn without_a_key_it_is_for_programs_and_pages_of_this_machine() {
    let server = Setup::new().admin().start().await;
    let operator = Operator::of(&server);
    let port = server.admin_address().port();
    let client = Client::join(&server, "irc").await;
    let status = async |method: &str, path: &str, host: &str, more: &str| {
        let request = format!("{method} {path} HTTP/1.1\r\n{host}{more}Content-Length: 0\r\n\r\n");
        operator.ask(&request).await.status
    };
    for host in ["127.0.0.1", "localhost", "[::1]"] {
        let host = format!("Host: {host}:{port}\r\n");
        assert_eq!(status("GET", "/clients", &host, "").await, 200, "{host}");
    }
    // A name that somebody has made to stand for this machine.
    let rebound = format!("Host: evil.example:{port}\r\n");
    for (method, path) in GUARDED {
        assert_eq!(status(method, path, &rebound, "").await, 403, "{path}");
    }
    assert_eq!(status("GET", "/", &rebound, "").await, 403);
    assert_eq!(status("GET", "/clients", "Host: localhost\r\nHost: evil.example\r\n", "").await, 403);
    // A page of another site, which can send but not read.
    let host = format!("Host: 127.0.0.1:{port}\r\n");
    let row = operator.client("irc").await;
    let kick = format!("/clients/{}/kick", row["connection"]);
    for origin in ["Origin: https://evil.example\r\n", "Origin: null\r\n", "Sec-Fetch-Site: cross-site\r\n"] {
        assert_eq!(status("POST", &kick, &host, origin).await, 403, "{origin}");
        assert_eq!(status("OPTIONS", &kick, &host, origin).await, 403, "{origin}");
    }
    assert_eq!(operator.client("irc").await["connection"], row["connection"], "it is still there");
    let own = format!("Origin: http://127.0.0.1:{port}\r\nSec-Fetch-Site: same-origin\r\n");
    assert_eq!(status("POST", &kick, &host, &own).await, 200);
    drop(client);
}

#[tokio::test]
async fn nothing_may_be_kept_shown_elsewhere_or_taken_for_something_else() {
    let server = Setup::new().admin().start().await;
    for path in ["/", "/page.js", "/clients", "/metrics", "/nothing"] {
        let response = Operator::of(&server).get(path).await;
        assert_eq!(response.header("cache-control"), Some("no-store"), "{path}");
        assert_eq!(response.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(response.header("cross-origin-resource-policy"), Some("same-origin"), "{path}");
        assert_eq!(response.header("access-control-allow-origin"), None, "{path}");
        let policy = response.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none';") && policy.contains("frame-ancestors 'none'"));
        assert!(!policy.contains("unsafe"), "{policy}");
    }
}
