//! A room that is closed over rich clients.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::{
    harness::{Harness, Setup, settle},
    raw::{PING, frame},
    rich_client::{acked, named, refused, told},
};
use crate::config::Limits;

#[tokio::test(start_paused = true)]
async fn the_acks_of_all_that_was_taken_go_out_before_the_close() {
    const COUNT: u64 = 300;
    for pipe_bytes in [61, 4096, 1 << 20] {
        let harness = Harness::new(Limits::default());
        let other = harness.join_rich("other").await;
        let setup = Setup { pipe_bytes, ..Setup::default() };
        let mut client = harness.join_rich_over("irc", &json!({}), setup).await;
        for number in 1..=COUNT {
            client.say(&[named(&format!("{number}"), "hello")]).await;
        }
        client.say(&[json!({"action": "client-delete", "target": 0, "id": "d"}), named("1", "again")]).await;
        while harness.room.newest() < COUNT {
            settle().await;
        }
        settle().await;
        let start = Instant::now();
        harness.room.close();
        if pipe_bytes > 4096 {
            client.say(&[named("late", "too late")]).await;
        }
        let (client, other) = tokio::join!(client.end(), other.end());
        let (heard, code) = client;
        assert_eq!(code, Some(1001), "{pipe_bytes}");
        let acks =
            heard.iter().filter(|packet| packet["action"] == "message-ack").cloned().collect::<Vec<_>>();
        let mut expected = (1..=COUNT).map(|number| acked(&format!("{number}"), number)).collect::<Vec<_>>();
        expected.push(acked("1", 1));
        assert_eq!(acks.len(), expected.len(), "{pipe_bytes}");
        assert!(expected.iter().all(|ack| acks.contains(ack)));
        assert!(heard.contains(&refused(Some("d"), "unknown-target")));
        let expected = (1..=COUNT).map(|number| told("irc", "hello", number)).collect();
        assert_eq!(other, (expected, Some(1001)));
        assert_eq!(start.elapsed(), Duration::ZERO);
        assert_eq!(harness.room.newest(), COUNT);
    }
}

#[tokio::test(start_paused = true)]
async fn a_replay_is_completed_before_the_close() {
    let harness = Harness::new(Limits::default());
    let mut sender = harness.join_rich("sender").await;
    for number in 1..=100_u64 {
        sender.say(&[named(&format!("{number}"), &"x".repeat(500))]).await;
        sender.hear().await;
    }
    let client = harness.join_rich_with("irc", &json!({"history": 100})).await;
    settle().await;
    harness.room.close();
    let (heard, code) = client.end().await;
    assert_eq!((heard.len(), code), (100, Some(1001)));
    assert_eq!(sender.end().await, (vec![], Some(1001)));
}

#[tokio::test(start_paused = true)]
async fn what_was_taken_is_acked_even_if_it_has_not_been_handed_out_yet() {
    let harness = Harness::without_fan_out(Limits::default());
    let mut other = harness.join_rich("other").await;
    let mut client = harness.join_rich("irc").await;
    client.say(&[named("a", "one"), named("b", "two"), named("a", "again")]).await;
    settle().await;
    harness.room.close();
    let start = Instant::now();
    // Whatever wakes them.
    client.raw.send(&frame(PING, b"")).await;
    other.raw.send(&frame(PING, b"")).await;
    assert_eq!(client.end().await, (vec![acked("a", 1), acked("b", 2), acked("a", 1)], Some(1001)));
    assert_eq!(other.end().await, (vec![told("irc", "one", 1), told("irc", "two", 2)], Some(1001)));
    assert_eq!(start.elapsed(), Duration::ZERO);
}
