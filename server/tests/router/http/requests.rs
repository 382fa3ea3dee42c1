//! Requests that are too large, too slow, or none at all.

use std::time::{Duration, Instant};

use serde_json::json;

use super::super::support::{Browser, Client, PATIENCE, Server, Setup, get, reason, upgrade, within};

#[tokio::test]
async fn a_head_has_its_largest_size_and_number_of_fields() {
    let server = Server::start().await;
    let many = |count: usize| (0..count).map(|_| "X: 1\r\n").collect::<String>();
    assert_eq!(Browser::ask(&server, &get("/", &many(60))).await.status, 200);
    assert_eq!(Browser::ask(&server, &get("/", &many(70))).await.status, 431);
    let long = |len: usize| format!("X: {}\r\n", "x".repeat(len));
    assert_eq!(Browser::ask(&server, &get("/", &long(15_000))).await.status, 200);
    assert_eq!(Browser::ask(&server, &get("/", &long(17_000))).await.status, 431);
    assert_eq!(Browser::ask(&server, &upgrade("/", &long(17_000))).await.status, 431);
    // Without end, too.
    let mut browser = Browser::connect(&server).await;
    browser.send(format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(20_000))).await;
    assert_eq!(browser.response(false).await.status, 431);
    browser.ended().await;
}

#[tokio::test]
async fn a_path_has_its_largest_size() {
    let server = Server::start().await;
    assert_eq!(Browser::ask(&server, &upgrade(&format!("/{}", "a".repeat(8_000)), "")).await.status, 101);
    let status = Browser::ask(&server, &get(&format!("/{}", "a".repeat(17_000)), "")).await.status;
    assert!([414, 431].contains(&status), "{status}");
}

#[tokio::test]
async fn what_is_no_http_is_refused() {
    let server = Server::start().await;
    let mut honest = Client::join(&server, "honest").await;
    for garbage in [
        b"\x00\x01\x02\x03\r\n\r\n".as_slice(),
        b"\xff\xfe\xfd\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS handshake",
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost router.example\r\n\r\n",
        b"GET / HTTP/3.0\r\n\r\n",
    ] {
        let mut browser = Browser::connect(&server).await;
        browser.send(garbage).await;
        assert_eq!(browser.response(false).await.status, 400, "{garbage:?}");
        browser.ended().await;
    }
    // This one understands no answer but its own.
    let mut browser = Browser::connect(&server).await;
    browser.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    browser.ended().await;
    let mut other = Client::join(&server, "other").await;
    other.chat("nothing happened").await;
    assert_eq!(honest.hear().await.content, "nothing happened");
}

/// Measures how long the router bears someone.
async fn borne(browser: Browser) -> Duration {
    let start = Instant::now();
    browser.ended().await;
    start.elapsed()
}

/// At least as long as it should be, and not until the test gives up.
fn assert_deadline(borne: Duration, limit: Duration) {
    assert!(borne > limit / 2 && borne < limit + PATIENCE / 2, "borne for {borne:?}, the limit is {limit:?}");
}

#[tokio::test]
async fn a_request_has_its_time() {
    let limit = Duration::from_secs(3);
    let server = Setup::new().limits(json!({"http-request-seconds": limit.as_secs_f64()})).start().await;
    let silent = async { borne(Browser::connect(&server).await).await };
    // A head that does not end.
    let endless = async {
        let mut browser = Browser::connect(&server).await;
        browser.send("GET / HTTP/1.1\r\nHost: router.example\r\n").await;
        borne(browser).await
    };
    // A connection that is kept for the next request, which does not come.
    let kept = async {
        let mut browser = Browser::connect(&server).await;
        browser.send(get("/", "")).await;
        assert_eq!(browser.response(false).await.status, 200);
        borne(browser).await
    };
    for borne in <[Duration; 3]>::from(tokio::join!(silent, endless, kept)) {
        assert_deadline(borne, limit);
    }
    server.logged("why they were dropped", reason("bad request")).await;
    assert_eq!(Browser::ask(&server, &get("/", "")).await.status, 200);
}

#[tokio::test]
async fn a_head_that_trickles_has_no_more_time() {
    let limit = Duration::from_secs(3);
    let server = Setup::new().limits(json!({"http-request-seconds": limit.as_secs_f64()})).start().await;
    let mut browser = Browser::connect(&server).await;
    let start = Instant::now();
    browser.send("GET / HTTP/1.1\r\n").await;
    // A byte now and then, until the router has had enough.
    let trickle = async {
        let mut pause = tokio::time::interval(limit / 10);
        loop {
            pause.tick().await;
            if tokio::io::AsyncWriteExt::write_all(&mut browser.stream, b"X").await.is_err() {
                return;
            }
        }
    };
    within("the router to end it", trickle).await;
    assert_deadline(start.elapsed(), limit);
}

#[tokio::test]
async fn a_body_that_does_not_come_has_no_time() {
    let limits = json!({"http-request-seconds": 3});
    let server = Setup::new().limits(limits).start().await;
    let mut browser = Browser::connect(&server).await;
    browser.send("POST / HTTP/1.1\r\nHost: router.example\r\nContent-Length: 1000000\r\n\r\n").await;
    assert_eq!(browser.response(false).await.status, 405);
    browser.ended().await;
}
