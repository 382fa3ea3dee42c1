//! How large a packet may be, and how long it may take.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::{
    harness::{Harness, forwarded, message, settle},
    raw::{self, BINARY, CONTINUATION, FINAL, PING, TEXT, frame},
};
use crate::config::Limits;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_packet_may_be_as_large_as_its_bound_and_no_larger() {
    let limits = Limits::default();
    let largest = limits.packet_bytes - message("").len();
    for (content, fragments) in
        [(largest, 1), (largest, 2), (largest, 1024), (largest + 1, 1), (largest + 1, 2), (2 * largest, 1)]
    {
        let harness = Harness::new(limits.clone());
        let mut listener = harness.join_raw("listener").await;
        let mut sender = harness.join_raw("irc").await;
        let content = "x".repeat(content);
        let stream = raw::fragmented(TEXT, message(&content).as_bytes(), fragments);
        if content.len() <= largest {
            let (heard, ()) = tokio::join!(listener.hear(), sender.send(&stream));
            assert!(heard == forwarded("irc", &content), "{} in {fragments}", content.len());
        } else {
            sender.send(&[stream, raw::chat("after")].concat()).await;
            let end = sender.end_politely().await;
            assert_eq!((end.code, end.was_reset), (Some(1009), false), "{} in {fragments}", content.len());
            assert_eq!(harness.room.newest(), 0);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn binary_messages_have_the_same_bound() {
    let harness = Harness::new(Limits { packet_bytes: 10_000, ..Limits::default() });
    let mut client = harness.join_raw("irc").await;
    client.send(&frame(FINAL | BINARY, &[0; 10_000])).await;
    client.send(&frame(FINAL | BINARY, &[0; 10_001])).await;
    assert_eq!(client.end_politely().await.code, Some(1009));
}

#[tokio::test(start_paused = true)]
async fn what_came_before_a_packet_that_is_too_big_is_forwarded() {
    let harness = Harness::new(Limits { packet_bytes: 1000, ..Limits::default() });
    let mut listener = harness.join_raw("listener").await;
    let mut sender = harness.join_raw("irc").await;
    let too_big = frame(FINAL | TEXT, &[b'x'; 1001]);
    sender.send(&[raw::chat("one"), raw::chat("two"), too_big, raw::chat("three")].concat()).await;
    assert_eq!(sender.end_politely().await.code, Some(1009));
    assert_eq!(listener.hear().await, forwarded("irc", "one"));
    assert_eq!(listener.hear().await, forwarded("irc", "two"));
    settle().await;
    assert_eq!(harness.room.newest(), 2);
}

/// When a connection that sends these pieces, one each half second, is closed, and with which code.
async fn drip(pieces: impl IntoIterator<Item = Vec<u8>>) -> (Duration, Option<u16>) {
    let harness = Harness::new(Limits::default());
    let mut client = harness.join_raw("irc").await;
    let start = Instant::now();
    for piece in pieces.into_iter().map(Some).chain(std::iter::repeat(None)).take(60) {
        if let Some(piece) = piece {
            client.send(&piece).await;
        }
        let close = async {
            loop {
                match client.next().await {
                    Some((raw::CLOSE, payload)) => break payload,
                    Some((raw::PONG, _)) => {}
                    other => panic!("expected a close, found {other:?}"),
                }
            }
        };
        if let Ok(payload) = timeout(SECOND / 2, close).await {
            return (start.elapsed(), payload.first_chunk().map(|code| u16::from_be_bytes(*code)));
        }
    }
    (start.elapsed(), None)
}

#[tokio::test(start_paused = true)]
async fn a_message_must_be_there_ten_seconds_after_its_first_byte() {
    let whole = raw::chat("a message that takes its time");
    let bytes = || whole.iter().map(|byte| vec![*byte]);
    let forever = || std::iter::repeat(frame(CONTINUATION, b" "));
    assert_eq!(drip([whole[..1].to_vec()]).await, (10 * SECOND, Some(1008)), "one byte, then silence");
    assert_eq!(drip([whole[..20].to_vec()]).await, (10 * SECOND, Some(1008)), "a part, then silence");
    assert_eq!(drip(bytes()).await, (10 * SECOND, Some(1008)), "a byte now and then");
    let pinging = std::iter::once(frame(TEXT, b"{")).chain(std::iter::repeat(frame(PING, b"")));
    assert_eq!(drip(pinging).await, (10 * SECOND, Some(1008)), "pings between fragments");
    let fragments = std::iter::once(frame(TEXT, b"{")).chain(forever());
    assert_eq!(drip(fragments).await, (10 * SECOND, Some(1008)), "fragments now and then");
    assert_eq!(drip([vec![PING], vec![0x80 | 5]]).await, (10 * SECOND, Some(1008)), "half a ping");
}

#[tokio::test(start_paused = true)]
async fn messages_that_are_slow_but_in_time_may_follow_each_other() {
    let harness = Harness::new(Limits::default());
    let mut listener = harness.join_raw("listener").await;
    let mut sender = harness.join_raw("irc").await;
    for round in 0..6 {
        let whole = raw::chat(&format!("round {round}"));
        // The last byte of one message comes with the first of the next.
        sender.send(&whole[1.min(round)..whole.len() - 1]).await;
        sleep(9 * SECOND + SECOND / 2).await;
        sender.send(&[&whole[whole.len() - 1..], &whole[..1]].concat()).await;
        assert_eq!(listener.hear().await, forwarded("irc", &format!("round {round}")));
        listener.send(&frame(raw::PONG, b"")).await;
    }
}
