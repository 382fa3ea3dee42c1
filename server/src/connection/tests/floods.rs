//! Floods that complete no message, and an honest client beside them.

use std::time::Duration;

use tokio::{
    io::AsyncWriteExt as _,
    time::{Instant, sleep},
};

use super::{
    harness::{Harness, Setup, forwarded, settle},
    raw::{self, CONTINUATION, FINAL, PING, PONG, TEXT, frame},
};
use crate::config::Limits;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_flood_that_completes_nothing_is_cut_and_honest_clients_notice_nothing() {
    let empty_fragments = [vec![frame(TEXT, b"")], vec![frame(CONTINUATION, b""); 5000]].concat().concat();
    let small_fragments = [vec![frame(TEXT, b"")], vec![frame(CONTINUATION, b"x"); 5000]].concat().concat();
    for (what, flood) in [
        ("empty fragments", empty_fragments),
        ("small fragments", small_fragments),
        ("pings", frame(PING, b"").repeat(5000)),
        ("pongs", frame(PONG, &[0; 125]).repeat(5000)),
    ] {
        for is_registered in [false, true] {
            let harness = Harness::new(Limits::default());
            let mut alice = harness.join_raw("alice").await;
            let mut bob = harness.join_raw("bob").await;
            let start = Instant::now();
            let setup = Setup { pipe_bytes: 64 * 1024, ..Setup::default() };
            let mut attacker = if is_registered {
                harness.join_raw_with("attacker", setup).await
            } else {
                raw::Raw::new(harness.attach_with(setup))
            };
            attacker.send(&flood).await;
            attacker.send(&raw::chat("after")).await;
            alice.chat("hello").await;
            assert_eq!(bob.hear().await, forwarded("alice", "hello"), "{what}");
            let end = attacker.end_politely().await;
            assert_eq!((end.code, end.was_reset), (Some(1008), false), "{what}, registered: {is_registered}");
            assert_eq!(start.elapsed(), Duration::ZERO, "{what}, registered: {is_registered}");
            assert_eq!(harness.room.newest(), 1, "{what}: alice's");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_may_have_1024_fragments() {
    for (fragments, is_fine) in [(1024, true), (1025, false)] {
        let harness = Harness::new(Limits::default());
        let mut listener = harness.join_raw("listener").await;
        let mut client = harness.join_raw("irc").await;
        let packet = super::harness::message("hello");
        client.send(&frame(TEXT, packet.as_bytes())).await;
        client.send(&frame(CONTINUATION, b"").repeat(fragments - 2)).await;
        client.send(&frame(FINAL | CONTINUATION, b"")).await;
        if is_fine {
            assert_eq!(listener.hear().await, forwarded("irc", "hello"));
        } else {
            assert_eq!(client.end_politely().await.code, Some(1008));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn bytes_between_the_fragments_of_a_message_are_bounded() {
    let limits = Limits { packet_bytes: 4096, control_frames: None, ..Limits::default() };
    let raw_bytes = limits.raw_bytes();
    let harness = Harness::new(limits);
    let mut client = harness.join_raw("irc").await;
    let pings = frame(PONG, &[0; 125]);
    client.send(&pings.repeat(2 * raw_bytes / pings.len())).await;
    client.send(&frame(TEXT, b"{")).await;
    client.send(&pings.repeat(raw_bytes / pings.len() - 1)).await;
    settle().await;
    assert!(!client.task.is_finished());
    client.send(&pings.repeat(2)).await;
    assert_eq!(client.end_politely().await.code, Some(1008));
}

#[tokio::test(start_paused = true)]
async fn pings_are_answered_at_the_rate_that_is_allowed() {
    let harness = Harness::new(Limits::default());
    let mut client = harness.join_raw("irc").await;
    // A burst, and then 64 a second for ten minutes.
    for _ in 0..128 {
        client.send(&frame(PING, b"burst")).await;
        assert_eq!(client.next().await, Some((PONG, b"burst".to_vec())));
    }
    for round in 0..600 * 64_u32 {
        sleep(SECOND / 64 + Duration::from_nanos(1)).await;
        let payload = round.to_be_bytes();
        client.send(&frame(PING, &payload)).await;
        match client.next().await {
            Some((PING, _)) => assert_eq!(client.next().await, Some((PONG, payload.to_vec()))),
            answer => assert_eq!(answer, Some((PONG, payload.to_vec()))),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn pongs_to_a_peer_that_never_reads_are_bounded() {
    let limits = Limits { control_frames: None, write_stall: 1000 * SECOND, ..Limits::default() };
    let harness = Harness::new(limits);
    let setup = Setup { pipe_bytes: 512, ..Setup::default() };
    let mut client = harness.join_raw_with("irc", setup).await;
    for _ in 0..10_000 {
        client.stream.write_all(&frame(PING, &[b'x'; 125])).await.unwrap();
    }
    client.send(&frame(PING, b"the last")).await;
    settle().await;
    let mut pongs = 0;
    loop {
        match client.next().await {
            Some((PONG, payload)) if payload == b"the last" => break,
            Some((PONG, _)) => pongs += 1,
            other => panic!("expected a pong, found {other:?}"),
        }
    }
    // The pipe's 512 bytes, and twice 1 KiB in queues, by 127 bytes each.
    assert!(pongs <= 24, "{pongs} pongs were kept");
}
