//! How connections end.

use std::time::Duration;

use tokio::{
    io::AsyncWriteExt as _,
    time::{Instant, sleep},
};

use super::{
    harness::{Harness, KEY, Setup, forwarded, register, settle},
    raw::{self, CLOSE, End, FINAL, PING, Raw, TEXT, close, frame},
};
use crate::{
    config::Limits,
    rate::{Rate, Rates},
};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_close_is_answered_with_the_same_code_and_no_reset() {
    for (sent, answered) in [
        (close(1000, "bye"), Some(1000)),
        (close(1001, ""), Some(1001)),
        (close(4000, "my own"), Some(4000)),
        (frame(CLOSE, b""), None),
        (close(1005, ""), Some(1002)),
    ] {
        for is_registered in [false, true] {
            let harness = Harness::new(Limits::default());
            let start = Instant::now();
            let mut client =
                if is_registered { harness.join_raw("irc").await } else { harness.connect_raw() };
            client.send(&sent).await;
            let (first, payload) = client.next().await.unwrap();
            assert_eq!(first, CLOSE);
            assert_eq!(payload.first_chunk().map(|code| u16::from_be_bytes(*code)), answered);
            let end = client.end().await;
            assert_eq!((end.code, end.was_reset), (None, false));
            assert_eq!(start.elapsed(), Duration::ZERO);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_came_before_a_close_is_forwarded_and_what_comes_after_is_not() {
    let harness = Harness::new(Limits::default());
    let mut listener = harness.join_raw("listener").await;
    let mut client = harness.join_raw("irc").await;
    client.send(&[raw::chat("before"), close(1000, ""), raw::chat("after")].concat()).await;
    assert_eq!(client.end().await, End { texts: vec![], code: Some(1000), was_reset: false });
    assert_eq!(listener.hear().await, forwarded("irc", "before"));
    settle().await;
    assert_eq!(harness.room.newest(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_close_that_is_not_answered_becomes_a_reset_after_five_seconds() {
    for is_registered in [false, true] {
        let harness = Harness::new(Limits::default());
        let mut client = if is_registered { harness.join_raw("irc").await } else { harness.connect_raw() };
        let start = Instant::now();
        client.send(&frame(FINAL | 0x40 | TEXT, b"a reserved bit")).await;
        assert_eq!(client.end().await, End { texts: vec![], code: Some(1002), was_reset: true });
        assert_eq!(start.elapsed(), 5 * SECOND);
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_comes_instead_of_the_answer_does_not_defer_the_reset() {
    let harness = Harness::new(Limits::default());
    let mut client = harness.join_raw("irc").await;
    let start = Instant::now();
    client.send(&frame(FINAL | 0x40 | TEXT, b"a reserved bit")).await;
    while !client.task.is_finished() {
        let _ = client.stream.write_all(&[raw::chat("more"), frame(PING, b"")].concat()).await;
        sleep(SECOND / 10).await;
    }
    assert_eq!(start.elapsed().as_secs(), 5);
    assert!(client.was_reset());
    assert_eq!(harness.room.newest(), 0, "nothing of it is forwarded");
}

#[tokio::test(start_paused = true)]
async fn an_answer_behind_the_rest_of_a_packet_that_is_too_big_is_found() {
    let harness = Harness::new(Limits { packet_bytes: 8192, ..Limits::default() });
    let mut client = harness.join_raw("irc").await;
    let start = Instant::now();
    client.send(&frame(FINAL | TEXT, &vec![b'x'; 100_000])).await;
    let end = client.end_politely().await;
    assert_eq!(end, End { texts: vec![], code: Some(1009), was_reset: false });
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_ends_without_a_close_ends_the_connection_at_once() {
    let whole = raw::text(&register("irc", KEY));
    for bytes in [0, 1, whole.len() / 2, whole.len(), whole.len() + 3] {
        let harness = Harness::new(Limits::default());
        let mut client = harness.connect_raw();
        let stream = [whole.clone(), raw::chat("half")].concat();
        client.send(&stream[..bytes]).await;
        settle().await;
        let start = Instant::now();
        client.vanish().await.unwrap();
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}

#[tokio::test(start_paused = true)]
async fn half_a_close_of_the_stream_is_its_end() {
    let harness = Harness::new(Limits::default());
    let mut client = harness.join_raw("irc").await;
    client.stream.shutdown().await.unwrap();
    assert_eq!(client.end().await, End { texts: vec![], code: None, was_reset: true });
}

#[tokio::test(start_paused = true)]
async fn what_was_said_before_the_end_of_the_stream_is_forwarded() {
    let harness = Harness::new(Limits::default());
    let mut listener = harness.join_raw("listener").await;
    let mut client = harness.join_raw("irc").await;
    client.send(&raw::chat("goodbye").repeat(50)).await;
    client.vanish().await.unwrap();
    for _ in 0..50 {
        assert_eq!(listener.hear().await, forwarded("irc", "goodbye"));
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_said_is_forwarded_even_if_its_sender_takes_nothing_any_more() {
    // At this rate most of it has not been read yet when the first attempt to send fails.
    let limits =
        Limits { rates: Rates { messages: Rate::new(1, SECOND, 1), bytes: None }, ..Limits::default() };
    let harness = Harness::new(limits);
    let mut talker = harness.join_raw("talker").await;
    let mut listener = harness.join_raw("listener").await;
    let mut client = harness.join_raw("irc").await;
    client.send(&raw::chat("goodbye").repeat(4)).await;
    drop(client.stream);
    talker.chat("how are you").await;
    let mut heard = Vec::new();
    while heard.len() < 5 {
        heard.push(listener.hear().await);
    }
    assert_eq!(heard.iter().filter(|packet| **packet == forwarded("irc", "goodbye")).count(), 4);
    client.task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_close_is_answered_however_many_pongs_wait_before_it() {
    for pings in 0..40 {
        let limits = Limits { control_frames: None, ..Limits::default() };
        let harness = Harness::new(limits);
        let setup = Setup { pipe_bytes: 256, ..Setup::default() };
        let mut client = harness.join_raw_with("irc", setup).await;
        for _ in 0..pings {
            client.send(&frame(PING, &[b'x'; 100])).await;
        }
        client.send(&close(1000, "bye")).await;
        let end = client.end().await;
        assert_eq!((end.code, end.was_reset), (Some(1000), false), "behind {pings} pings");
    }
}

#[tokio::test(start_paused = true)]
async fn a_close_to_a_socket_that_takes_nothing_becomes_a_reset() {
    let harness = Harness::new(Limits::default());
    let mut sender = harness.join_raw("sender").await;
    let mut client = harness.join_raw("irc").await;
    for _ in 0..10 {
        sender.chat(&"x".repeat(1000)).await;
    }
    settle().await;
    let start = Instant::now();
    client.send(&close(1000, "")).await;
    client.ended().await;
    assert_eq!(start.elapsed(), 5 * SECOND);
    assert!(client.was_reset());
}

#[tokio::test(start_paused = true)]
async fn who_is_being_closed_is_out_of_the_room_already() {
    let harness = Harness::new(Limits::default());
    let mut sender = harness.join_raw("sender").await;
    let mut client = harness.join_raw("irc").await;
    client.send(&frame(FINAL | 0x40 | TEXT, b"a reserved bit")).await;
    settle().await;
    sender.chat("not for the one who has to go").await;
    let end = client.end_politely().await;
    assert_eq!(end, End { texts: vec![], code: Some(1002), was_reset: false });
}

/// A client that pings while its reader is blocked gets its pongs as soon as it reads on.
#[tokio::test(start_paused = true)]
async fn pongs_that_had_to_wait_come_as_soon_as_there_is_room() {
    for pings in [1, 5, 9, 10, 12, 17, 20, 30] {
        let harness = Harness::new(Limits::default());
        let mut sender = harness.join_raw("sender").await;
        let mut client: Raw = harness.join_raw("irc").await;
        for _ in 0..5 {
            sender.chat(&"x".repeat(3000)).await;
        }
        settle().await;
        for number in 0..pings {
            client.send(&frame(PING, &[number; 100])).await;
        }
        settle().await;
        let start = Instant::now();
        while client.next().await != Some((raw::PONG, vec![pings - 1; 100])) {}
        assert_eq!(start.elapsed(), Duration::ZERO, "{pings} pings");
    }
}
