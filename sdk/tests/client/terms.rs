//! What the real router's limits and rights mean for a client.

use std::time::Duration;

use multichat::{
    Event, Fate, SendError,
    protocol::{ClientStatus, Dialect, Status},
};
use serde_json::json;

use crate::{
    router::join,
    support::{KEY, Proxy, Router, Weather, confirmed, failed, soon, soon_enough, split},
};

#[tokio::test]
async fn the_largest_packet_goes_through_and_a_larger_one_is_not_sent() {
    let router = Router::start().await;
    let (client, mut feed) = join(&router, "discord").await;
    let (_matrix, mut matrix) = join(&router, "matrix").await;
    let overhead = r#"{"action":"client-message","content":"","id":"1"}"#.len();
    let largest = "x".repeat(1_048_576 - overhead);
    assert_eq!(confirmed(client.send(&*largest)).await, Some(1));
    matrix.hears(&largest).await;
    let failure = failed(client.send("x".repeat(1_048_577 - overhead))).await;
    assert_eq!(failure.error, SendError::TooBig { size: 1_048_577, max: 1_048_576 });
    assert_eq!(confirmed(client.send("still there")).await, Some(2));
    // It has not been cut off in between.
    assert!(tokio::time::timeout(Duration::from_millis(20), feed.events.next()).await.is_err());
}

#[tokio::test]
async fn a_router_may_allow_packets_of_any_size() {
    let limits = json!({"packet-bytes": 16 << 20, "log-bytes": 64 << 20, "message-seconds": 60});
    let router = Router::with_limits(limits).await;
    let (client, _feed) = join(&router, "discord").await;
    let (matrix, mut heard) = join(&router, "matrix").await;
    let large = "x".repeat(9 << 20);
    assert_eq!(confirmed(client.send(&*large)).await, Some(1));
    heard.hears(&large).await;
    assert_eq!(confirmed(client.edit(1, &*large)).await, Some(2));
    assert!(matches!(heard.news().await, Event::Edit(edit) if edit.content == large));
    assert_eq!(confirmed(matrix.send("on the same connection")).await, Some(3));
    // And who comes later is told of them, too.
    let (_late, mut late) = split(soon("the ack", router.client("late").history(9).connect()).await.unwrap());
    late.hears(&large).await;
}

#[tokio::test]
async fn a_slow_router_is_given_time_and_all_arrives_in_order() {
    let limits = json!({"messages-per-second": 100, "messages-burst": 10});
    let router = Router::with_limits(limits).await;
    let (client, mut feed) = join(&router, "discord").await;
    let (_matrix, mut matrix) = join(&router, "matrix").await;
    let sent: Vec<_> = (1..=80).map(|number| client.send(number.to_string())).collect();
    client.set_status(ClientStatus::new(Status::Degraded)).unwrap();
    for (number, sent) in sent.into_iter().enumerate() {
        assert_eq!(confirmed(sent).await, Some(number as u64 + 1));
        matrix.hears(&(number + 1).to_string()).await;
    }
    // It kept below the rate: nothing was refused, and nobody was cut off.
    assert!(tokio::time::timeout(Duration::from_millis(20), feed.events.next()).await.is_err());
}

#[tokio::test]
async fn a_bound_on_bytes_is_found_out_and_kept_to() {
    // Four refusals, and the connection is closed.
    let limits = json!({
        "bytes-per-second": 4000, "bytes-burst": 4000, "messages-per-second": 100, "messages-burst": 3,
    });
    let router = Router::with_limits(limits).await;
    let (client, mut feed) = join(&router, "discord").await;
    let paste = client.send("x".repeat(10_000));
    let words: Vec<_> = (2..=6).map(|number| client.send(number.to_string())).collect();
    assert_eq!(confirmed(paste).await, Some(1));
    for (seq, sent) in (2..).zip(words) {
        assert_eq!(confirmed(sent).await, Some(seq));
    }
    // It has not been cut off in between.
    assert!(tokio::time::timeout(Duration::from_millis(20), feed.events.next()).await.is_err());
}

#[tokio::test]
async fn who_may_only_write_goes_on_at_once_after_a_break() {
    let clients = json!({"sensor": {"secret-key": KEY, "rights": ["write"]}});
    let router = Router::with(json!({"clients": clients})).await;
    let proxy = Proxy::start(router.address(), Weather::Calm, 1).await;
    let (sensor, mut feed) = split(soon("the ack", proxy.client("sensor").connect()).await.unwrap());
    feed.online().await;
    let (irc, mut heard) = join(&router, "irc").await;
    assert_eq!(confirmed(sensor.send("23 °C")).await, Some(1));
    heard.hears("23 °C").await;
    for seq in 2..=4 {
        assert_eq!(confirmed(irc.send("not for sensors")).await, Some(seq));
    }
    proxy.lead_to(router.address());
    feed.cause().await;
    assert_eq!(feed.online().await, (Dialect::Rich, true));
    // Well before a replay that stands still is given up.
    assert_eq!(
        soon_enough(Duration::from_secs(7), "the ack", sensor.send("24 °C")).await.unwrap().seq(),
        Some(5)
    );
    heard.hears("24 °C").await;
}

#[tokio::test]
async fn who_may_only_read_is_told_why_it_says_nothing() {
    let clients = json!({"tv": {"secret-key": KEY, "rights": ["read"]}});
    let router = Router::with(json!({"clients": clients})).await;
    let (tv, mut heard) = join(&router, "tv").await;
    let (irc, _feed) = join(&router, "irc").await;
    let failure = failed(tv.send("hello")).await;
    assert_eq!((failure.code(), failure.fate), ("not-allowed", Fate::NotSent));
    let explained = failure.explain();
    assert!(
        explained.contains("may only read") && explained.contains("the router refused it"),
        "{explained}"
    );
    confirmed(irc.send("news")).await;
    heard.hears("news").await;
}
