//! A room that is closed.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{
    harness::{Harness, KEY, forwarded, register, settle},
    raw::{self, End, PING, frame},
};
use crate::config::Limits;

const SECOND: Duration = Duration::from_secs(1);

fn gone_after(texts: Vec<String>) -> End {
    End { texts, code: Some(1001), was_reset: false }
}

#[tokio::test(start_paused = true)]
async fn everything_in_the_log_is_delivered_before_the_close() {
    const COUNT: usize = 200;
    let harness = Harness::new(Limits::default());
    let mut sender = harness.join_raw("sender").await;
    // Whoever reads nothing before the room is closed has the most to catch up with.
    let late = harness.join_raw("late").await;
    let expected = (0..COUNT).map(|number| forwarded("sender", &format!("{number}"))).collect::<Vec<_>>();
    for number in 0..COUNT {
        sender.chat(&format!("{number}")).await;
    }
    while harness.room.newest() < COUNT as u64 {
        settle().await;
    }
    let start = Instant::now();
    harness.room.close();
    sender.chat("too late").await;
    let (sender, late) = tokio::join!(sender.end_politely(), late.end_politely());
    assert_eq!(late, gone_after(expected));
    assert_eq!(sender, gone_after(vec![]));
    assert_eq!(harness.room.newest(), COUNT as u64, "nothing more is taken");
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn everyone_is_told_whether_busy_or_idle() {
    let harness = Harness::new(Limits::default());
    let idle = harness.join_raw("idle").await;
    let mut pinging = harness.join_raw("pinging").await;
    sleep(3 * SECOND).await;
    pinging.send(&frame(PING, b"")).await;
    harness.room.close();
    for client in [idle, pinging] {
        assert_eq!(client.end_politely().await, gone_after(vec![]));
    }
}

#[tokio::test(start_paused = true)]
async fn who_registers_in_a_closed_room_is_told_as_well() {
    let harness = Harness::new(Limits::default());
    let mut client = harness.connect_raw();
    harness.room.close();
    client.send(&[raw::text(&register("irc", KEY)), raw::chat("hello")].concat()).await;
    let end = client.end_politely().await;
    assert_eq!((end.code, end.was_reset), (Some(1001), false));
    assert_eq!(harness.room.newest(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_takes_nothing_does_not_outlive_its_stall() {
    let harness = Harness::new(Limits::default());
    let mut sender = harness.join_raw("sender").await;
    let mut stalled = harness.join_raw("stalled").await;
    for _ in 0..10 {
        sender.chat(&"x".repeat(1000)).await;
    }
    settle().await;
    let start = Instant::now();
    harness.room.close();
    stalled.ended().await;
    assert_eq!(start.elapsed(), 15 * SECOND);
    assert!(stalled.was_reset());
}

#[tokio::test(start_paused = true)]
async fn who_is_not_listened_to_any_more_is_not_cut_for_its_silence() {
    let harness = Harness::new(Limits::default());
    let mut sender = harness.join_raw("sender").await;
    let mut client = harness.join_raw("irc").await;
    let content = "x".repeat(1000);
    for _ in 0..20 {
        sender.chat(&content).await;
    }
    settle().await;
    // Half a message, the rest of which comes when nobody listens any more.
    let half = raw::chat("half");
    client.send(&half[..10]).await;
    sleep(5 * SECOND).await;
    harness.room.close();
    client.send(&half[10..]).await;
    sleep(4 * SECOND).await;
    client.take_bytes(3000).await;
    sleep(4 * SECOND).await;
    let end = client.end_politely().await;
    assert_eq!((end.code, end.texts.len()), (Some(1001), 20));
    assert!(end == gone_after(vec![forwarded("sender", &content); 20]));
}

#[tokio::test(start_paused = true)]
async fn pongs_that_nobody_reads_any_more_are_not_missed() {
    let harness = Harness::new(Limits { shutdown: 60 * SECOND, ..Limits::default() });
    let mut sender = harness.join_raw("sender").await;
    let mut client = harness.join_raw("irc").await;
    sleep(24 * SECOND).await;
    for client in [&mut sender, &mut client] {
        client.send(&frame(raw::PONG, b"")).await;
    }
    sleep(SECOND + SECOND / 1000).await;
    // A ping was just sent. Now there is more to send than the pipe holds.
    let content = "x".repeat(1000);
    for _ in 0..8 {
        sender.chat(&content).await;
    }
    settle().await;
    harness.room.close();
    client.send(&frame(raw::PONG, b"")).await;
    sleep(9 * SECOND + SECOND / 2).await;
    client.take_bytes(1).await;
    sleep(SECOND).await;
    let end = client.end_politely().await;
    assert_eq!((end.code, end.texts.len()), (Some(1001), 8));
    assert!(end == gone_after(vec![forwarded("sender", &content); 8]));
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_breaks_in_a_closed_room_ends_at_once() {
    let harness = Harness::new(Limits::default());
    let mut sender = harness.join_raw("sender").await;
    let client = harness.join_raw("irc").await;
    for _ in 0..10 {
        sender.chat(&"x".repeat(1000)).await;
    }
    settle().await;
    harness.room.close();
    settle().await;
    let start = Instant::now();
    client.vanish().await.unwrap();
    assert_eq!(start.elapsed(), Duration::ZERO);
}
