//! The PROXY protocol.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use super::{
    super::support::{Browser, PATIENCE, Pair, Route, Server, Setup, Stream, eventually, reason, upgrade},
    DELAY, PROXY, address_of, dial, guess, try_upgrade,
};

const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// A router that the proxy tells by a header whom it connects for. There is a second one behind it.
fn behind_proxy() -> Setup {
    let trusted = json!(["127.0.0.2", "10.0.0.0/8"]);
    Setup::new().field("trusted-proxies", trusted).field("proxy-protocol", true)
}

/// A header of version 2, for TCP over IPv4, with so many bytes of extensions.
fn version_2(source: [u8; 4], extensions: u16) -> Vec<u8> {
    let length = (12 + extensions).to_be_bytes();
    let rest = vec![0xee; extensions.into()];
    let ports = [0x12, 0x34, 0x1a, 0x7c];
    [SIGNATURE, b"\x21\x11", &length, &source, &[10, 0, 0, 1], &ports, &rest].concat()
}

const LOCAL: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00";
const UNKNOWN: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x00\x00\x00";

async fn dial_behind(server: &Server, header: &[u8]) -> Stream {
    Route::from(PROXY).dial_behind(server, header).await
}

#[tokio::test]
async fn the_log_says_where_a_connection_really_comes_from() {
    for setup in [behind_proxy(), behind_proxy().wss()] {
        let server = setup.start().await;
        for (number, (header, headers, expected)) in [
            (version_2([203, 0, 113, 7], 0), "", "203.0.113.7:4660"),
            (version_2([203, 0, 113, 7], 20_000), "", "203.0.113.7:4660"),
            (b"PROXY TCP4 203.0.113.7 10.0.0.1 4660 6780\r\n".to_vec(), "", "203.0.113.7:4660"),
            (b"PROXY TCP6 2001:db8::7 2001:db8::1 4660 6780\r\n".to_vec(), "", "[2001:db8::7]:4660"),
            // A client may claim what it likes; another proxy may not.
            (version_2([203, 0, 113, 7], 0), "X-Forwarded-For: 198.51.100.1\r\n", "203.0.113.7:4660"),
            (version_2([10, 0, 0, 7], 0), "X-Forwarded-For: 198.51.100.1\r\n", "198.51.100.1"),
            (version_2([10, 0, 0, 7], 0), "", "10.0.0.7:4660"),
        ]
        .into_iter()
        .enumerate()
        {
            let name = format!("client {number}");
            let address = address_of(&server, dial_behind(&server, &header).await, headers, &name).await;
            assert_eq!(address, expected);
        }
        // The proxy looks whether the router is there, or can't tell for whom it is: whoever that is may claim
        // anything.
        for (number, header) in [LOCAL, UNKNOWN, b"PROXY UNKNOWN\r\n"].into_iter().enumerate() {
            let (stream, name) = (dial_behind(&server, header).await, format!("nobody {number}"));
            let address = address_of(&server, stream, "X-Forwarded-For: 203.0.113.7\r\n", &name).await;
            assert!(address.starts_with("127.0.0.2:"), "{address}");
        }
        // Who is no proxy needs no header.
        let address = address_of(&server, dial(&server, 3).await, "", "a neighbour").await;
        assert!(address.starts_with("127.0.0.3:"), "{address}");
    }
}

#[tokio::test]
async fn who_is_no_proxy_may_not_send_a_header() {
    let server = behind_proxy().start().await;
    let mut stranger = Browser::over(dial(&server, 3).await);
    stranger.send(version_2([203, 0, 113, 7], 0)).await;
    stranger.send(upgrade("/", "")).await;
    stranger.dropped().await;
    let line = server.logged("why", reason("bad request")).await;
    assert!(line["address"].as_str().unwrap().starts_with("127.0.0.3:"), "{line}");
}

#[tokio::test]
async fn without_the_setting_a_header_is_no_request() {
    let server = Setup::new().field("trusted-proxies", json!(["127.0.0.2"])).start().await;
    let mut proxy = Browser::over(dial(&server, PROXY).await);
    proxy.send(version_2([203, 0, 113, 7], 0)).await;
    proxy.dropped().await;
    server.logged("why", reason("bad request")).await;
}

#[tokio::test]
async fn a_proxy_that_breaks_the_protocol_is_dropped() {
    let server = behind_proxy().start().await;
    let pair = Pair::start(&server).await;
    for (bytes, why) in [
        (upgrade("/", "").as_bytes(), "no PROXY header"),
        (&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, 0], "no PROXY header"),
        (&[SIGNATURE, b"\x31\x11\0\0"].concat(), "malformed PROXY header"),
        (&[SIGNATURE, b"\x21\x11\0\x04abcd"].concat(), "malformed PROXY header"),
        (b"PROXY TCP4 203.0.113.7 localhost 1 2\r\n", "malformed PROXY header"),
    ] {
        let before = server.log_count(reason(why));
        Browser::over(dial_behind(&server, bytes).await).dropped().await;
        eventually(why, || server.log_count(reason(why)) > before).await;
    }
    let half = version_2([203, 0, 113, 7], 100);
    let mut stream = dial_behind(&server, &half[..60]).await;
    stream.shutdown().await.unwrap();
    Browser::over(stream).dropped().await;
    pair.finish().await;
}

#[tokio::test]
async fn a_header_has_its_time() {
    let limit = Duration::from_secs(3);
    let limits = json!({"http-request-seconds": 3, "tls-handshake-seconds": 3});
    for setup in [behind_proxy(), behind_proxy().wss()] {
        let server = setup.limits(limits.clone()).start().await;
        let pair = Pair::start(&server).await;
        let header = version_2([203, 0, 113, 7], 60_000);
        let borne = async |beginning: &[u8]| {
            let start = Instant::now();
            let mut stream: TcpStream = Route::from(PROXY).dial_tcp(&server).await;
            stream.write_all(beginning).await.unwrap();
            Browser::over(Stream::Plain(stream)).dropped().await;
            start.elapsed()
        };
        let all =
            tokio::join!(borne(b""), borne(b"PROXY TCP4 203"), borne(&header[..5]), borne(&header[..9000]));
        for borne in <[Duration; 4]>::from(all) {
            assert!(borne > limit / 2 && borne < limit + PATIENCE / 2, "borne for {borne:?}");
        }
        server.logged("why", reason("no PROXY header in time")).await;
        pair.finish().await;
    }
}

#[tokio::test]
async fn a_header_may_come_in_pieces() {
    let server = behind_proxy().start().await;
    let mut stream = dial_behind(&server, b"").await;
    for byte in version_2([203, 0, 113, 7], 20) {
        stream.write_all(&[byte]).await.unwrap();
        stream.flush().await.unwrap();
    }
    assert_eq!(address_of(&server, stream, "", "in pieces").await, "203.0.113.7:4660");
}

#[tokio::test]
async fn bounds_hold_for_each_client() {
    let limits = json!({
        "unregistered-connections-per-address": 2, "failed-registrations-per-minute": 3,
        "http-request-seconds": 60, "register-seconds": 60, "tls-handshake-seconds": 60,
    });
    for setup in [behind_proxy(), behind_proxy().wss()] {
        let server = setup.limits(limits.clone()).start().await;
        let (greedy, other) = (version_2([203, 0, 113, 7], 0), version_2([203, 0, 113, 8], 0));
        for _ in 0..3 {
            assert!(guess(dial_behind(&server, &greedy).await, "").await.at_work < DELAY);
        }
        assert!(guess(dial_behind(&server, &greedy).await, "").await.in_all >= DELAY);
        assert!(guess(dial_behind(&server, &other).await, "").await.at_work < DELAY);

        // Before it says whom it connects for, it takes nobody's place.
        let mut silent = Vec::new();
        for _ in 0..8 {
            silent.push(Route::from(PROXY).dial_tcp(&server).await);
        }
        let mut clients = Vec::new();
        for _ in 0..2 {
            clients.push(try_upgrade(dial_behind(&server, &greedy).await, "").await.unwrap());
        }
        let refusal = try_upgrade(dial_behind(&server, &greedy).await, "").await.unwrap_err();
        assert_eq!((refusal.status, refusal.header("retry-after")), (429, Some("5")));
        let line = server.logged("a refusal", reason("from this address")).await;
        assert_eq!(line["address"], Value::from("203.0.113.7:4660"));
        try_upgrade(dial_behind(&server, &other).await, "").await.unwrap().register("other").await;
    }
}
