//! Plain clients that say more than they may are read more slowly.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::{Instant, sleep},
};

use super::{
    harness::{Harness, forwarded},
    raw::{self, PONG, frame},
};
use crate::{
    config::Limits,
    rate::{Rate, Rates},
};

const SECOND: Duration = Duration::from_secs(1);

fn limits(per_second: u32, burst: u32) -> Limits {
    Limits {
        rates: Rates { messages: Rate::new(per_second, SECOND, burst), bytes: None },
        ..Limits::default()
    }
}

#[tokio::test(start_paused = true)]
async fn who_says_too_much_is_read_at_the_rate_and_nothing_is_lost() {
    const COUNT: u32 = 300;
    // One a second: it takes minutes, with pings and answers, and parts of messages wait in the buffers.
    let harness = Harness::new(limits(1, 2));
    let mut listener = harness.join_raw("listener").await;
    let client = harness.join_raw("irc").await;
    let start = Instant::now();
    let (mut reader, mut writer) = tokio::io::split(client.stream);
    let stream = (0..COUNT).flat_map(|number| raw::chat(&format!("{number:03}"))).collect::<Vec<_>>();
    let talk = async {
        writer.write_all(&stream).await.unwrap();
        // Whoever has said everything answers pings, behind all that it has said.
        let mut ping = [0; 2];
        loop {
            reader.read_exact(&mut ping).await.unwrap();
            sleep(SECOND / 100).await;
            writer.write_all(&frame(PONG, b"")).await.unwrap();
        }
    };
    let listen = async {
        for number in 0..COUNT {
            assert_eq!(listener.hear().await, forwarded("irc", &format!("{number:03}")));
            let due = SECOND * number.saturating_sub(1);
            let late = start.elapsed().checked_sub(due).expect("no sooner than allowed");
            assert!(late < SECOND / 100, "message {number} is {late:?} late");
            if number % 5 == 0 {
                listener.send(&frame(PONG, b"")).await;
            }
        }
    };
    tokio::select! {
        () = talk => unreachable!("it does not end"),
        () = listen => {}
    }
    assert!(!client.task.is_finished());
}

#[tokio::test(start_paused = true)]
async fn who_keeps_to_the_rate_is_not_delayed() {
    let harness = Harness::new(limits(10, 20));
    let mut listener = harness.join_raw("listener").await;
    let mut client = harness.join_raw("irc").await;
    for number in 0..200 {
        let start = Instant::now();
        client.chat(&format!("{number}")).await;
        assert_eq!(listener.hear().await, forwarded("irc", &format!("{number}")));
        assert_eq!(start.elapsed(), Duration::ZERO);
        sleep(SECOND / 10).await;
        for client in [&mut client, &mut listener] {
            client.send(&frame(PONG, b"")).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_who_says_too_much_does_not_delay_the_others() {
    let harness = Harness::new(limits(1, 1));
    let mut listener = harness.join_raw("listener").await;
    let mut loud = harness.join_raw("loud").await;
    loud.send(&raw::chat("loud").repeat(20)).await;
    assert_eq!(listener.hear().await, forwarded("loud", "loud"));
    let mut quiet = harness.join_raw("quiet").await;
    let start = Instant::now();
    quiet.chat("quiet").await;
    assert_eq!(listener.hear().await, forwarded("quiet", "quiet"));
    assert_eq!(loud.hear().await, forwarded("quiet", "quiet"), "and is spoken to itself");
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_too_slow_is_cut_even_from_one_who_said_too_much_before() {
    let harness = Harness::new(limits(1, 1));
    let mut client = harness.join_raw("irc").await;
    let start = Instant::now();
    client.send(&raw::chat("x").repeat(5)).await;
    let slow = raw::chat("slow");
    client.send(&slow[..10]).await;
    assert_eq!(client.last_words().await, (vec![], Some(1008)));
    let cut = start.elapsed();
    assert!((10 * SECOND..=25 * SECOND).contains(&cut), "{cut:?}");
}

#[tokio::test(start_paused = true)]
async fn who_is_not_listened_to_because_the_room_is_congested_is_not_cut_for_it() {
    let limits = Limits { log_entries: 16, ..Limits::default() };
    let harness = Harness::without_fan_out(limits);
    let mut listener = harness.join_raw("listener").await;
    let client = harness.join_raw("irc").await;
    let (mut reader, mut writer) = tokio::io::split(client.stream);
    let talk = async {
        // Half of the next message waits as well.
        let stream = (0..40).flat_map(|number| raw::chat(&format!("{number}"))).collect::<Vec<_>>();
        writer.write_all(&stream).await.unwrap();
        loop {
            let mut ping = [0; 2];
            reader.read_exact(&mut ping).await.expect("it is not cut");
            sleep(SECOND / 100).await;
            writer.write_all(&frame(PONG, b"")).await.expect("it is not cut");
        }
    };
    let listen = async {
        for _ in 0..12 {
            sleep(5 * SECOND).await;
            listener.send(&frame(PONG, b"")).await;
        }
        tokio::spawn(harness.room.clone().fan_out(0));
        for number in 0..40 {
            assert_eq!(listener.hear().await, forwarded("irc", &format!("{number}")));
        }
    };
    tokio::select! {
        () = talk => unreachable!("it does not end"),
        () = listen => {}
    }
}
