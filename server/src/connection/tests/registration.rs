//! The first packet, and what is answered.

use std::time::Duration;

use tokio::time::Instant;

use super::harness::{Harness, forwarded, register};
use crate::config::Limits;

#[tokio::test(start_paused = true)]
async fn a_message_goes_to_everyone_else() {
    let harness = Harness::new(Limits::default());
    let mut alice = harness.join("alice").await;
    let mut bob = harness.join("bob").await;
    let mut carol = harness.join("carol").await;
    alice.chat("hello").await;
    bob.chat("hi").await;
    assert_eq!(carol.hear().await, forwarded("alice", "hello"));
    assert_eq!(carol.hear().await, forwarded("bob", "hi"));
    assert_eq!(bob.hear().await, forwarded("alice", "hello"));
    assert_eq!(alice.hear().await, forwarded("bob", "hi"));
}

#[tokio::test(start_paused = true)]
async fn a_wrong_key_is_unauthorized() {
    let harness = Harness::new(Limits::default());
    let mut client = harness.connect().await;
    client.say(&register("irc", "wrong")).await;
    assert_eq!(client.closed().await, (4401, "unauthorized".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn who_does_not_register_in_time_is_closed() {
    let harness = Harness::new(Limits::default());
    let start = Instant::now();
    let client = harness.connect().await;
    assert_eq!(client.closed().await, (4508, "register-timeout".to_owned()));
    assert_eq!(start.elapsed(), Duration::from_secs(5));
}
