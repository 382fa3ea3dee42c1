//! Packets that are dropped after registration, as the original server does, within bounds.

use std::time::Duration;

use tokio::time::sleep;

use super::{
    harness::{Harness, KEY, forwarded, register, settle},
    raw::{self, BINARY, FINAL, PING, frame, text},
};
use crate::config::Limits;

const SECOND: Duration = Duration::from_secs(1);

/// Everything that is not a good `client-message`.
fn bad_packets() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("nothing", text("")),
        ("no JSON", text("hello")),
        ("half of it", text(r#"{"action":"client-message","content":"x"#)),
        ("no object", text(r#"["client-message"]"#)),
        ("no action", text(r#"{"content":"x"}"#)),
        ("an unknown action", text(r#"{"action":"client-shout","content":"x"}"#)),
        ("what only a server says", text(&forwarded("irc", "x"))),
        ("a second register", text(&register("irc", KEY))),
        ("no content", text(r#"{"action":"client-message"}"#)),
        ("an empty content", text(r#"{"action":"client-message","content":""}"#)),
        ("a content that is no string", text(r#"{"action":"client-message","content":7}"#)),
        ("no content at all", text(r#"{"action":"client-message","content":null}"#)),
        ("a content twice", text(r#"{"action":"client-message","content":"x","content":"y"}"#)),
        ("a binary message", frame(FINAL | BINARY, br#"{"action":"client-message","content":"x"}"#)),
        ("an empty binary message", frame(FINAL | BINARY, b"")),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_bad_packet_is_dropped_and_the_connection_stays() {
    let harness = Harness::new(Limits::default());
    let mut listener = harness.join_raw("listener").await;
    let mut client = harness.join_raw("irc").await;
    for (what, packet) in bad_packets() {
        client.send(&packet).await;
        client.chat(what).await;
        assert_eq!(listener.hear().await, forwarded("irc", what), "only what comes behind it");
    }
    client.send(&frame(PING, b"")).await;
    assert_eq!(client.next().await, Some((raw::PONG, vec![])), "and nothing was answered");
}

#[tokio::test(start_paused = true)]
async fn sixty_bad_packets_are_borne_and_then_the_connection_is_closed() {
    for (what, packet) in bad_packets() {
        let harness = Harness::new(Limits::default());
        let mut listener = harness.join_raw("listener").await;
        let mut client = harness.join_raw("irc").await;
        client.send(&packet.repeat(60)).await;
        client.chat("still there").await;
        assert_eq!(listener.hear().await, forwarded("irc", "still there"), "{what}");
        client.send(&[packet, raw::chat("after")].concat()).await;
        let end = client.end_politely().await;
        assert_eq!((end.code, end.was_reset), (Some(1008), false), "{what}");
        settle().await;
        assert_eq!(harness.room.newest(), 1, "{what}: nothing is forwarded after it");
    }
}

#[tokio::test(start_paused = true)]
async fn a_bad_packet_a_second_is_borne_for_an_hour() {
    let harness = Harness::new(Limits::default());
    let mut client = harness.join_raw("irc").await;
    for _ in 0..3600 {
        client.say("nonsense").await;
        sleep(SECOND).await;
    }
    assert!(!client.task.is_finished());
    client.send(&text("nonsense").repeat(61)).await;
    assert_eq!(client.end_politely().await.code, Some(1008));
}

#[tokio::test(start_paused = true)]
async fn good_packets_between_them_do_not_forgive_bad_ones() {
    let harness = Harness::new(Limits::default());
    let mut client = harness.join_raw("irc").await;
    client.send(&[text("nonsense"), raw::chat("sense")].concat().repeat(61)).await;
    assert_eq!(client.end_politely().await.code, Some(1008));
    assert_eq!(harness.room.newest(), 60);
}
