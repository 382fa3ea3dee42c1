//! Pings, and peers that are gone.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{
    harness::{Harness, forwarded},
    raw::{self, End, PING, PONG, frame},
};
use crate::config::Limits;

const SECOND: Duration = Duration::from_secs(1);
/// How long an answer is under way.
const LATENCY: Duration = Duration::from_millis(20);

#[tokio::test(start_paused = true)]
async fn a_peer_is_pinged_when_it_has_been_idle_and_is_gone_when_it_does_not_answer() {
    let harness = Harness::new(Limits::default());
    let mut client = harness.join_raw("irc").await;
    let start = Instant::now();
    assert_eq!(client.next().await, Some((PING, vec![])));
    assert_eq!(start.elapsed(), 25 * SECOND);
    let end = client.end().await;
    assert_eq!(end, End { texts: vec![], code: None, was_reset: true }, "who is gone reads no close");
    assert_eq!(start.elapsed(), 35 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_answers_stays_for_hours() {
    let harness = Harness::new(Limits::default());
    let mut client = harness.join_raw("irc").await;
    let start = Instant::now();
    let mut pings = 0;
    while start.elapsed() < 3 * 3600 * SECOND {
        assert_eq!(client.next().await, Some((PING, vec![])));
        pings += 1;
        assert_eq!(start.elapsed().as_secs(), 25 * pings, "each 25 seconds");
        sleep(LATENCY).await;
        client.send(&frame(PONG, b"")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_almost_all_the_time_to_answer_stays() {
    let harness = Harness::new(Limits::default());
    let mut client = harness.join_raw("irc").await;
    for _ in 0..20 {
        assert_eq!(client.next().await, Some((PING, vec![])));
        sleep(Duration::from_millis(9980)).await;
        client.send(&frame(PONG, b"")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_arrives_is_a_sign_of_life() {
    let long = raw::chat(&"x".repeat(500));
    for (what, answers) in [
        ("a pong with another payload", vec![frame(PONG, b"what")]),
        ("a ping", vec![frame(PING, b"")]),
        ("a message", vec![raw::chat("hello")]),
        ("a bad packet", vec![raw::text("nonsense")]),
        ("parts of a message", vec![long[..100].to_vec(), long[100..].to_vec()]),
    ] {
        let harness = Harness::new(Limits::default());
        let mut client = harness.join_raw("irc").await;
        let start = Instant::now();
        while start.elapsed() < 600 * SECOND {
            match client.next().await {
                Some((PING, _)) => {}
                Some((PONG, _)) => continue,
                other => panic!("{what}: expected a ping, found {other:?}"),
            }
            for answer in &answers {
                sleep(LATENCY).await;
                client.send(answer).await;
                sleep(6 * SECOND).await;
            }
        }
        assert!(!client.task.is_finished(), "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_vanishes_right_after_an_answer_is_gone_within_forty_seconds() {
    let harness = Harness::new(Limits::default());
    let mut talker = harness.join_raw("talker").await;
    let mut client = harness.join_raw("irc").await;
    assert_eq!(client.next().await, Some((PING, vec![])));
    sleep(LATENCY).await;
    client.send(&frame(PONG, b"")).await;
    let start = Instant::now();
    let end = tokio::spawn(client.end());
    // What is sent to it is no sign of life.
    let mut said = Vec::new();
    while !end.is_finished() {
        talker.chat("are you there").await;
        said.push(forwarded("talker", "are you there"));
        sleep(SECOND).await;
    }
    assert!(start.elapsed() <= 40 * SECOND, "{:?}", start.elapsed());
    let end = end.await.unwrap();
    assert_eq!((end.code, end.was_reset), (None, true));
    assert!(said.starts_with(&end.texts));
}

#[tokio::test(start_paused = true)]
async fn who_is_gone_is_out_of_the_room() {
    let harness = Harness::new(Limits::default());
    let client = harness.join_raw("irc").await;
    let router = std::sync::Arc::downgrade(&harness.hall);
    assert!(client.end().await.was_reset);
    drop(harness);
    super::harness::settle().await;
    // The fan-out's task has the room, not the router.
    assert_eq!(router.strong_count(), 0, "nobody keeps what the connection had");
}

#[tokio::test(start_paused = true)]
async fn a_ping_that_could_not_be_sent_is_not_waited_for() {
    let limits = Limits { write_stall: 60 * SECOND, ..Limits::default() };
    let harness = Harness::new(limits);
    let mut talker = harness.join_raw("talker").await;
    let mut client = harness.join_raw("irc").await;
    sleep(20 * SECOND).await;
    // More than the pipe holds; it stays full for half a minute.
    let content = "x".repeat(3000);
    for _ in 0..3 {
        talker.chat(&content).await;
    }
    sleep(30 * SECOND).await;
    for _ in 0..3 {
        assert_eq!(client.hear().await, forwarded("talker", &content));
    }
    assert!(!client.task.is_finished());
}

#[tokio::test(start_paused = true)]
async fn who_reads_on_but_has_not_come_to_the_ping_yet_is_not_gone() {
    let harness = Harness::new(Limits::default());
    let mut talker = harness.join_raw("talker").await;
    let mut client = harness.join_raw("irc").await;
    sleep(24 * SECOND).await;
    talker.send(&frame(PONG, b"")).await;
    // There is room for a ping behind this.
    talker.chat(&"x".repeat(3000)).await;
    sleep(2 * SECOND).await;
    // And none behind that.
    talker.chat(&"y".repeat(3000)).await;
    for _ in 0..6 {
        client.take_bytes(10).await;
        sleep(4 * SECOND).await;
    }
    assert_eq!(client.hear().await, forwarded("talker", &"x".repeat(3000)));
    assert_eq!(client.next().await, Some((PING, vec![])));
    assert_eq!(client.hear().await, forwarded("talker", &"y".repeat(3000)));
}
