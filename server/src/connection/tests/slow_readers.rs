//! Readers that read slowly, or not at all, and those beside them.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{
    harness::{Harness, PIPE_BYTES, forwarded, settle},
    raw::{End, PONG, Raw, frame},
};
use crate::config::Limits;

const SECOND: Duration = Duration::from_secs(1);

/// The content of a message that nobody mistakes for another.
fn content(number: usize, len: usize) -> String {
    format!("{number:04}{}", "x".repeat(len - 4))
}

/// The packets that `sender` is known to have sent.
fn packets(count: usize, len: usize) -> Vec<String> {
    (0..count).map(|number| forwarded("sender", &content(number, len))).collect()
}

/// Sends messages, which `honest` hears at once.
async fn talk(sender: &mut Raw, honest: &mut Raw, numbers: std::ops::Range<usize>, len: usize) {
    let start = Instant::now();
    for number in numbers {
        sender.chat(&content(number, len)).await;
        assert_eq!(honest.hear().await, forwarded("sender", &content(number, len)));
    }
    assert_eq!(start.elapsed(), Duration::ZERO, "without a delay");
}

/// What a stalled reader finds when it reads on: whole packets from the first one on, and why it was cut.
fn assert_cut(end: &End, sent: &[String]) {
    assert_eq!((end.code, end.was_reset), (Some(4513), false));
    assert!(sent.starts_with(&end.texts));
    let begun = PIPE_BYTES / sent[0].len() + 1;
    assert_eq!(end.texts.len(), begun, "what had begun is completed, and nothing else comes");
}

#[tokio::test(start_paused = true)]
async fn who_takes_nothing_for_ten_seconds_is_cut_and_told_why() {
    let harness = Harness::new(Limits::default());
    let mut sender = harness.join_raw("sender").await;
    let mut honest = harness.join_raw("honest").await;
    let stalled = harness.join_raw("stalled").await;
    talk(&mut sender, &mut honest, 0..20, 1000).await;
    sleep(Duration::from_millis(9999)).await;
    assert_eq!(harness.slow_consumers(), 0);
    sleep(SECOND / 500).await;
    assert_eq!(harness.slow_consumers(), 1);
    talk(&mut sender, &mut honest, 20..40, 1000).await;
    let start = Instant::now();
    assert_cut(&stalled.end_politely().await, &packets(40, 1000));
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn the_stall_of_a_reader_is_counted_from_its_last_byte_whatever_else_happens() {
    let harness = Harness::new(Limits::default());
    let mut sender = harness.join_raw("sender").await;
    let mut honest = harness.join_raw("honest").await;
    let mut stalled = harness.join_raw("stalled").await;
    talk(&mut sender, &mut honest, 0..10, 1000).await;
    for second in 1..10 {
        sleep(SECOND).await;
        // More is to be sent, and the peer is alive: neither takes the blame off it.
        talk(&mut sender, &mut honest, 10 * second..10 * (second + 1), 1000).await;
        stalled.send(&frame(PONG, b"")).await;
        stalled.chat("I can still talk").await;
        assert_eq!(honest.hear().await, forwarded("stalled", "I can still talk"));
        assert_eq!(sender.hear().await, forwarded("stalled", "I can still talk"));
    }
    assert_eq!(harness.slow_consumers(), 0);
    sleep(SECOND + SECOND / 1000).await;
    assert_eq!(harness.slow_consumers(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_never_reads_on_is_reset_five_seconds_after_it_was_cut() {
    let harness = Harness::new(Limits::default());
    let mut sender = harness.join_raw("sender").await;
    let mut honest = harness.join_raw("honest").await;
    let mut stalled = harness.join_raw("stalled").await;
    talk(&mut sender, &mut honest, 0..20, 1000).await;
    let start = Instant::now();
    stalled.ended().await;
    assert_eq!(start.elapsed(), 15 * SECOND);
    assert!(stalled.was_reset());
}

#[tokio::test(start_paused = true)]
async fn whom_the_log_has_overtaken_is_cut_at_once() {
    let harness = Harness::new(Limits { log_entries: 16, ..Limits::default() });
    let mut sender = harness.join_raw("sender").await;
    let mut honest = harness.join_raw("honest").await;
    let stalled = harness.join_raw("stalled").await;
    let begun = PIPE_BYTES / packets(1, 1000)[0].len() + 1;
    // Its cursor is at the last one begun; one more is one too many.
    talk(&mut sender, &mut honest, 0..begun + 16, 1000).await;
    settle().await;
    assert_eq!(harness.slow_consumers(), 0);
    talk(&mut sender, &mut honest, begun + 16..begun + 17, 1000).await;
    settle().await;
    assert_eq!(harness.slow_consumers(), 1);
    talk(&mut sender, &mut honest, begun + 17..60, 1000).await;
    assert_cut(&stalled.end_politely().await, &packets(60, 1000));
}

#[tokio::test(start_paused = true)]
async fn who_takes_a_byte_now_and_then_is_not_stalled() {
    let harness = Harness::new(Limits::default());
    let mut sender = harness.join_raw("sender").await;
    let mut honest = harness.join_raw("honest").await;
    let mut slow = harness.join_raw("slow").await;
    talk(&mut sender, &mut honest, 0..20, 1000).await;
    for _ in 0..60 {
        sleep(9 * SECOND).await;
        slow.take_bytes(1).await;
        honest.send(&frame(PONG, b"")).await;
        sender.send(&frame(PONG, b"")).await;
    }
    for packet in packets(20, 1000) {
        assert_eq!(slow.hear().await, packet);
    }
    talk(&mut sender, &mut honest, 20..21, 1000).await;
    assert_eq!(slow.hear().await, packets(21, 1000)[20]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_and_steady_reader_gets_everything_that_the_log_can_hold() {
    const COUNT: usize = 1000;
    let harness = Harness::new(Limits::default());
    let mut sender = harness.join_raw("sender").await;
    let mut honest = harness.join_raw("honest").await;
    let mut slow = harness.join_raw("slow").await;
    talk(&mut sender, &mut honest, 0..COUNT, 1000).await;
    let len = packets(1, 1000)[0].len() + 4;
    for _ in 0..COUNT * len / 100 {
        sleep(SECOND / 100).await;
        slow.take_bytes(100).await;
    }
    let mut heard = Vec::new();
    while heard.len() < COUNT {
        heard.push(slow.hear().await);
    }
    assert!(heard == packets(COUNT, 1000));
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_pauses_now_and_then_gets_everything() {
    let harness = Harness::new(Limits::default());
    let mut sender = harness.join_raw("sender").await;
    let mut honest = harness.join_raw("honest").await;
    let mut moody = harness.join_raw("moody").await;
    for round in 0..20 {
        talk(&mut sender, &mut honest, 10 * round..10 * (round + 1), 1000).await;
        sleep(9 * SECOND).await;
        for number in 10 * round..10 * (round + 1) {
            assert_eq!(moody.hear().await, forwarded("sender", &content(number, 1000)));
        }
        for client in [&mut sender, &mut honest, &mut moody] {
            client.send(&frame(PONG, b"")).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn packets_of_all_sizes_reach_readers_with_little_room() {
    const LENS: [usize; 7] = [4, 100, 125, 5000, 70_000, 20, 300_000];
    let harness = Harness::new(Limits::default());
    let mut sender = harness.join_raw("sender").await;
    let setup = super::harness::Setup { pipe_bytes: 61, ..Default::default() };
    let mut narrow = harness.join_raw_with("narrow", setup).await;
    let contents = LENS.iter().enumerate().map(|(number, len)| content(number, *len)).collect::<Vec<_>>();
    let send = async {
        for content in &contents {
            sender.chat(content).await;
        }
    };
    let hear = async {
        for content in &contents {
            assert!(narrow.hear().await == forwarded("sender", content), "{}", content.len());
        }
    };
    tokio::join!(send, hear);
}
