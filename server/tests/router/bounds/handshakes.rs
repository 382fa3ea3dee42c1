//! Connections that never become one.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use super::super::support::{
    Browser, Client, MIB, PATIENCE, Pair, Route, Server, Setup, Stream, get, reason, upgrade,
};

/// A `ClientHello` begins so, and goes on for 508 bytes more.
const HALF_A_HELLO: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";

/// Connections that send a beginning and no more.
async fn half_open(server: &Server, route: Route, beginning: &[u8], count: usize) -> Vec<TcpStream> {
    let mut streams = Vec::new();
    for _ in 0..count {
        let mut stream = route.dial_tcp(server).await;
        // Who is refused may be told before it has said anything.
        let _ = stream.write_all(beginning).await;
        streams.push(stream);
    }
    streams
}

/// Waits until the router has ended all of them.
async fn all_ended(streams: Vec<TcpStream>) {
    for stream in streams {
        Browser::over(Stream::Plain(stream)).dropped().await;
    }
}

#[tokio::test]
async fn a_tls_handshake_has_its_time() {
    let limit = Duration::from_secs(3);
    let server =
        Setup::new().wss().limits(json!({"tls-handshake-seconds": limit.as_secs_f64()})).start().await;
    let pair = Pair::start(&server).await;
    let borne = async |beginning| {
        let start = Instant::now();
        all_ended(half_open(&server, Route::USUAL, beginning, 1).await).await;
        start.elapsed()
    };
    for borne in <[Duration; 2]>::from(tokio::join!(borne(b""), borne(HALF_A_HELLO))) {
        assert!(borne > limit / 2 && borne < limit + PATIENCE / 2, "borne for {borne:?}");
    }
    server.logged("why", reason("no TLS in time")).await;
    pair.finish().await;
}

#[tokio::test]
async fn after_tls_a_request_has_its_time_too() {
    let server = Setup::new().wss().limits(json!({"http-request-seconds": 3})).start().await;
    let pair = Pair::start(&server).await;
    let silent = Browser::connect(&server).await;
    let mut half = Browser::connect(&server).await;
    half.send(&upgrade("/", "")[..50]).await;
    tokio::join!(silent.dropped(), half.dropped());
    pair.finish().await;
}

#[tokio::test]
async fn what_is_no_tls_is_dropped() {
    let server = Setup::new().wss().start().await;
    let pair = Pair::start(&server).await;
    for garbage in [upgrade("/", "").as_bytes(), &[0; 1000], &[0xff; 1000]] {
        all_ended(half_open(&server, Route::USUAL, garbage, 1).await).await;
    }
    server.logged("why", reason("no TLS:")).await;
    pair.finish().await;
}

/// As many as an address may have, and more, from several addresses, beside clients from the same ones.
async fn flood_of_half_open(setup: Setup, beginning: &[u8]) {
    let limits = json!({
        "tls-handshake-seconds": 3, "http-request-seconds": 3,
        "unregistered-connections": 60, "unregistered-connections-per-address": 20,
    });
    let server = setup.limits(limits).start().await;
    let mut pair = Pair::start(&server).await;
    pair.talk().await;
    let (memory, descriptors) = (server.memory(), server.descriptors());
    let mut streams = Vec::new();
    for address in 2..10 {
        streams.extend(half_open(&server, Route::from(address), beginning, 30).await);
        // The newcomer comes from an address of its own: those of the others are full.
        let mut newcomer = Client::join_by(Route::from(address + 100), &server, "newcomer").await;
        newcomer.chat("hello").await;
    }
    pair.talk().await;
    all_ended(streams).await;
    server.logged("a refusal", reason("from this address")).await;
    server.logged("an eviction", reason("made room")).await;
    pair.finish().await;
    let growth = server.memory().saturating_sub(memory);
    assert!(growth < 16 * MIB, "it took {growth} bytes");
    assert!(server.descriptors() <= descriptors, "all are given back");
}

#[tokio::test]
async fn half_open_http_requests_keep_nobody_out() {
    flood_of_half_open(Setup::new(), b"GET / HTTP/1.1\r\n").await;
}

#[tokio::test]
async fn half_open_tls_handshakes_keep_nobody_out() {
    flood_of_half_open(Setup::new().wss(), HALF_A_HELLO).await;
}

#[tokio::test]
async fn connections_that_close_at_once_harm_nobody() {
    for setup in [Setup::new(), Setup::new().wss()] {
        let server = setup.start().await;
        let mut pair = Pair::start(&server).await;
        pair.talk().await;
        let (memory, descriptors) = (server.memory(), server.descriptors());
        for number in 0..1000 {
            let stream = Route::from(2).dial_tcp(&server).await;
            if number % 2 == 0 {
                Stream::Plain(stream).reset();
            }
        }
        pair.talk().await;
        // The last ones are served before this one.
        Client::join(&server, "last").await;
        let growth = server.memory().saturating_sub(memory);
        assert!(growth < 8 * MIB, "it took {growth} bytes");
        pair.finish().await;
        server.all_given_back(descriptors).await;
    }
}

/// The kernel's bound on what is sent and not taken (`TCP_USER_TIMEOUT`): in this stage no pings are sent.
#[tokio::test]
async fn who_asks_for_files_and_does_not_read_them_is_dropped() {
    let file = "x".repeat(16 * MIB);
    let limits = json!({"ping-seconds": 0.5, "pong-seconds": 0.5});
    let setup = Setup::new().field("ws-path", "/chat").web_root(&[("large.txt", &file)]).limits(limits);
    let server = setup.start().await;
    let descriptors = server.descriptors();
    let mut browser = Browser::over(Route::narrow().dial(&server).await);
    browser.send(get("/large.txt", "")).await;
    server.logged("that it came", |line| line["message"] == "connected").await;
    server.logged("that it went", |line| line["message"] == "disconnected").await;
    server.all_given_back(descriptors).await;
    drop(browser);
}
