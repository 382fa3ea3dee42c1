//! More than a client may send.

use serde_json::json;

use super::super::support::{
    Browser, Client, End, Frame, KEY, MIB, Pair, Route, Server, Setup, Stream, Version, frame, message,
    reason, register,
};

/// What the router may take for an attack, above what it took before. It comes and goes with the allocator.
const SLACK: usize = 8 * MIB;

async fn servers() -> [Server; 2] {
    [Server::start().await, Setup::new().wss().start().await]
}

/// Sends frames over and over, long after the router has had enough.
async fn flood(client: &mut Client, frames: &[u8]) -> End {
    for _ in 0..100 {
        if client.try_send(frames).await.is_err() {
            break;
        }
    }
    client.end().await
}

fn assert_policy(end: &End) {
    assert_eq!(*end, End::closed(1008, "policy"));
}

#[tokio::test]
async fn a_flood_of_pings_is_cut() {
    for server in servers().await {
        let pair = Pair::start(&server).await;
        let mut client = Client::join(&server, "pinging").await;
        assert_policy(&flood(&mut client, &frame(Frame::PING, &[b'x'; 125]).repeat(200)).await);
        server.logged("why", reason("too many control frames")).await;
        pair.finish().await;
    }
}

#[tokio::test]
async fn pings_from_a_peer_that_never_reads_take_no_memory() {
    let limits = json!({"control-frames-per-second": 0, "write-stall-seconds": 120});
    for setup in [Setup::new(), Setup::new().wss()] {
        let server = setup.limits(limits.clone()).start().await;
        let mut pair = Pair::start(&server).await;
        let mut client = Client::join_by(Route::narrow(), &server, "pinging").await;
        pair.talk().await;
        let before = server.memory();
        let pings = frame(Frame::PING, &[b'x'; 125]).repeat(1000);
        for _ in 0..2 * SLACK / pings.len() {
            client.send(&pings).await;
        }
        pair.talk().await;
        let growth = server.memory().saturating_sub(before);
        assert!(growth < SLACK, "it took {growth} bytes");
        pair.finish().await;
    }
}

#[tokio::test]
async fn a_flood_of_empty_fragments_is_cut() {
    for server in servers().await {
        let pair = Pair::start(&server).await;
        let mut client = Client::join(&server, "fragments").await;
        client.send(&frame(Frame::TEXT, b"")).await;
        assert_policy(&flood(&mut client, &frame(Frame::CONTINUATION, b"").repeat(1000)).await);
        server.logged("why", reason("too many fragments")).await;
        pair.finish().await;
    }
}

#[tokio::test]
async fn a_packet_drowned_in_pings_is_cut() {
    let limits = json!({"control-frames-per-second": 0, "packet-bytes": 1024});
    let server = Setup::new().limits(limits).start().await;
    let pair = Pair::start(&server).await;
    let mut client = Client::join(&server, "drowning").await;
    client.send(&frame(Frame::TEXT, b"{")).await;
    assert_policy(&flood(&mut client, &frame(Frame::PING, &[b'x'; 125]).repeat(10)).await);
    server.logged("why", reason("too many bytes without a packet")).await;
    pair.finish().await;
}

#[tokio::test]
async fn a_flood_of_bad_packets_is_cut() {
    for server in servers().await {
        let pair = Pair::start(&server).await;
        for bad in ["{", "[]", r#"{"action":"client-message","content":""}"#, r#"{"action":"unknown"}"#] {
            let mut client = Client::join(&server, "bad").await;
            assert_policy(&flood(&mut client, &frame(Frame::WHOLE_TEXT, bad.as_bytes()).repeat(20)).await);
        }
        let mut client = Client::join(&server, "binary").await;
        assert_policy(&flood(&mut client, &frame(Frame::WHOLE_BINARY, b"\0").repeat(20)).await);
        server.logged("why", reason("too many bad packets")).await;
        pair.finish().await;
    }
}

#[tokio::test]
async fn a_few_bad_packets_are_borne() {
    let server = Server::start().await;
    let mut watcher = Client::join(&server, "watcher").await;
    let mut clumsy = Client::join(&server, "clumsy").await;
    for number in 0..8 {
        for bad in ["", "null", r#"{"content":"no action"}"#, "{\"action\":\"client-message\",\"content\":1}"]
        {
            clumsy.say(bad).await;
        }
        clumsy.send(&frame(Frame::WHOLE_BINARY, message("binary").as_bytes())).await;
        clumsy.say(&register("another name", KEY)).await;
        clumsy.chat(&number.to_string()).await;
        assert_eq!(watcher.hear().await.content, number.to_string());
    }
}

#[tokio::test]
async fn a_packet_that_never_ends_is_cut() {
    let server = Setup::new().limits(json!({"message-seconds": 0.3, "close-seconds": 0.3})).start().await;
    let pair = Pair::start(&server).await;
    for part in [
        frame(Frame::TEXT, b"{"),
        frame(Frame::WHOLE_TEXT, message("hello").as_bytes())[..20].to_vec(),
        frame(Frame::WHOLE_TEXT, b"x")[..1].to_vec(),
        frame(Frame::PING, b"ping")[..5].to_vec(),
    ] {
        let mut client = Client::join(&server, "slow").await;
        client.send(&part).await;
        assert_policy(&client.end().await);
    }
    server.logged("why", reason("packet too slow")).await;
    pair.finish().await;
}

#[tokio::test]
async fn a_packet_that_is_too_large_is_cut_before_it_is_there() {
    let server = Setup::new().limits(json!({"close-seconds": 0.3})).start().await;
    let pair = Pair::start(&server).await;
    let before = server.memory();
    for announced in [1024 * 1024 + 1, 1 << 40, (1 << 63) - 1_u64] {
        let mut client = Client::join(&server, "large").await;
        let mut header = vec![Frame::WHOLE_TEXT, 0x80 | 0x7f];
        header.extend(announced.to_be_bytes());
        client.send(&[header.as_slice(), &[0; 4]].concat()).await;
        assert_eq!(client.end().await, End::closed(1009, "too-big"));
    }
    let mut client = Client::join(&server, "large").await;
    let part = vec![b' '; 65536];
    let fragments = [frame(Frame::TEXT, &part), frame(Frame::CONTINUATION, &part).repeat(16)];
    let _ = client.try_send(&fragments.concat()).await;
    assert_eq!(client.end().await, End::closed(1009, "too-big"));
    let growth = server.memory().saturating_sub(before);
    assert!(growth < SLACK, "it took {growth} bytes");
    pair.finish().await;
}

/// Bytes without meaning, the same in every run.
fn noise(seed: u64) -> Vec<u8> {
    // xorshift64*, by Sebastiano Vigna.
    let mut state = seed;
    let next = || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(10_000).collect()
}

#[tokio::test]
async fn noise_is_cut() {
    let server = Setup::new().limits(json!({"message-seconds": 0.3, "close-seconds": 0.3})).start().await;
    let pair = Pair::start(&server).await;
    for seed in 1..=50 {
        let noise = noise(seed);
        let mut client = Client::join(&server, "noisy").await;
        let _ = client.try_send(&noise).await;
        let end = client.end().await;
        // Most of it is no WebSocket; some announces what never comes, or too much of it; and a close may be
        // among it, which is answered.
        let is_told = matches!(&end, End::Closed(code, _) if (1000..1012).contains(code));
        assert!(is_told || end == End::Reset || end == End::Dropped, "{seed}: {end:?}");
    }
    pair.finish().await;
}

#[tokio::test]
async fn noise_under_tls_is_cut() {
    let server = Setup::new().wss().start().await;
    let pair = Pair::start_by(Route::by(Version::Tls12), &server).await;
    for seed in 1..=20 {
        let client = Client::join(&server, "noisy").await;
        let mut below_tls = Browser::over(Stream::Plain(client.stream.into_tcp()));
        below_tls.send(noise(seed)).await;
        below_tls.dropped().await;
    }
    server.logged("that it went", |line| line["message"] == "disconnected").await;
    pair.finish().await;
}
