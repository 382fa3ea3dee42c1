//! Rich clients that say more than they may are refused, and told which packets were.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{
    harness::{Harness, forwarded, settle},
    rich_client::{Rich, acked, named, nameless, refused, told},
};
use crate::{
    config::Limits,
    rate::{Rate, Rates},
};

const SECOND: Duration = Duration::from_secs(1);
const BURST: u32 = 4;

/// A router that takes two packets a second, four at once.
fn harness() -> Harness {
    Harness::new(Limits {
        rates: Rates { messages: Rate::new(2, SECOND, BURST), bytes: None },
        ..Limits::default()
    })
}

/// Says so many messages, and looks how many of them are taken before all others are refused.
async fn say_more(client: &mut Rich, prefix: &str, count: u32, taken: u32) {
    let ids = (0..count).map(|number| format!("{prefix}{number}")).collect::<Vec<_>>();
    client.say(&ids.iter().map(|id| named(id, "hello")).collect::<Vec<_>>()).await;
    let mut seq = client.cursor;
    let mut expected = Vec::new();
    for (number, id) in (0..).zip(&ids) {
        if number < taken {
            seq += 1;
            expected.push(acked(id, seq));
        } else {
            expected.push(refused(Some(id), "rate-limited"));
        }
    }
    let key = |packet: &Value| packet["id"].as_str().unwrap()[prefix.len()..].parse::<u32>().unwrap();
    let mut heard = client.hear_all(ids.len()).await;
    heard.sort_by_key(key);
    assert_eq!(heard, expected);
}

#[tokio::test(start_paused = true)]
async fn what_is_beyond_the_rate_is_refused_and_not_entered() {
    let harness = harness();
    let mut other = harness.join_rich("other").await;
    let mut client = harness.join_rich("irc").await;
    let start = Instant::now();
    say_more(&mut client, "a", 6, 4).await;
    assert_eq!(other.hear_all(4).await.last(), Some(&told("irc", "hello", 4)));
    assert!(other.is_silent().await);
    assert_eq!(harness.room.newest(), 4);
    sleep(SECOND / 2).await;
    say_more(&mut client, "b", 2, 1).await;
    // What was refused can be said again, and then is entered.
    sleep(SECOND / 2).await;
    client.say(&[named("a5", "hello"), named("a4", "hello")]).await;
    let heard = client.hear_all(2).await;
    assert!(
        heard.contains(&acked("a5", 6)) && heard.contains(&refused(Some("a4"), "rate-limited")),
        "{heard:?}"
    );
    assert!(start.elapsed() < SECOND + SECOND / 100);
}

#[tokio::test(start_paused = true)]
async fn every_kind_of_packet_counts() {
    let harness = harness();
    let mut client = harness.join_rich("irc").await;
    let mut kinds = [
        named("a", "hello"),
        json!({"action": "client-edit", "target": 1, "content": "x"}),
        json!({"action": "client-receipt", "target": 1, "status": "delivered"}),
        json!({"action": "client-status", "status": "degraded"}),
    ];
    client.say(&kinds).await;
    assert_eq!(client.hear().await, acked("a", 1));
    assert_eq!(client.hear().await["action"], "forwarding-receipt");
    kinds[0] = nameless("hello");
    for kind in kinds {
        client.say(&[kind]).await;
        assert_eq!(client.hear().await, refused(None, "rate-limited"));
    }
    assert_eq!(harness.room.newest(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_status_beyond_the_rate_is_not_told() {
    let harness = harness();
    let mut subscriber = harness.join_rich_with("subscriber", &json!({"presence": true})).await;
    let mut client = harness.join_rich("irc").await;
    assert_eq!(subscriber.hear().await["status"], "online");
    say_more(&mut client, "a", 4, 4).await;
    subscriber.hear_all(4).await;
    client.say(&[json!({"action": "client-status", "status": "offline"})]).await;
    assert_eq!(client.hear().await, refused(None, "rate-limited"));
    assert!(subscriber.is_silent_for(SECOND).await);
}

#[tokio::test(start_paused = true)]
async fn bad_packets_take_nothing_of_the_rate() {
    let harness = harness();
    let mut client = harness.join_rich("irc").await;
    client.say(&vec![json!({"action": "nonsense"}); 20]).await;
    client.hear_all(20).await;
    say_more(&mut client, "a", 5, 4).await;
}

#[tokio::test(start_paused = true)]
async fn what_has_been_entered_is_acked_again_even_beyond_the_rate() {
    let harness = harness();
    let mut client = harness.join_rich("irc").await;
    client.say(&[named("a", "hello")]).await;
    let first = client.raw.hear().await;
    client.note(&first);
    say_more(&mut client, "b", 4, 3).await;
    for packet in [
        named("a", "hello"),
        json!({"action": "client-edit", "id": "a", "target": 1, "content": "x"}),
        json!({"action": "client-delete", "id": "a", "target": 1}),
    ] {
        client.say(&[packet]).await;
        assert_eq!(client.raw.hear().await, first);
    }
    // Nor is it a refusal, however often.
    client.say(&vec![named("a", "hello"); 50]).await;
    client.hear_all(50).await;
    // Another session's entry of that name is none of it.
    let mut twin = harness.join_rich("irc").await;
    say_more(&mut twin, "b", 4, 4).await;
    twin.say(&[named("a", "hello")]).await;
    assert_eq!(twin.hear().await, refused(Some("a"), "rate-limited"));
    assert_eq!(harness.room.newest(), 8);
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_again_takes_nothing_of_the_rate() {
    let harness = harness();
    let mut client = harness.join_rich("irc").await;
    client.say(&[named("a", "hello")]).await;
    assert_eq!(client.hear().await, acked("a", 1));
    for _ in 0..20 {
        client.say(&[named("a", "hello")]).await;
        assert_eq!(client.hear().await, acked("a", 1));
    }
    say_more(&mut client, "b", BURST, BURST - 1).await;
}

#[tokio::test(start_paused = true)]
async fn who_has_as_many_again_refused_as_one_burst_holds_has_to_go() {
    let harness = harness();
    let mut other = harness.join_raw("other").await;
    let mut client = harness.join_rich("irc").await;
    say_more(&mut client, "a", 2 * BURST, BURST).await;
    client.say(&[named("b", "one too many"), named("c", "after")]).await;
    assert_eq!(client.end().await, (vec![], Some(4529)));
    settle().await;
    assert_eq!(harness.room.newest(), u64::from(BURST));
    for _ in 0..BURST {
        assert_eq!(other.hear().await, forwarded("irc", "hello"));
    }
}

#[tokio::test(start_paused = true)]
async fn refusals_add_up_until_there_is_a_pause() {
    // All four are back after two seconds.
    for (pause, is_closed) in [(Duration::from_millis(1999), true), (2 * SECOND, false), (5 * SECOND, false)]
    {
        let harness = harness();
        let mut client = harness.join_rich("irc").await;
        say_more(&mut client, "a", 2 * BURST, BURST).await;
        sleep(pause).await;
        if is_closed {
            say_more(&mut client, "b", 3, 3).await;
            client.say(&[named("c", "one too many")]).await;
            assert_eq!(client.end().await, (vec![], Some(4529)));
        } else {
            say_more(&mut client, "b", 2 * BURST, BURST).await;
            client.say(&[named("c", "one too many")]).await;
            assert_eq!(client.end().await, (vec![], Some(4529)));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_a_little_too_fast_for_ever_has_to_go_sometime() {
    let harness = harness();
    let mut client = harness.join_rich("irc").await;
    let start = Instant::now();
    let mut refusals = 0;
    // Three a second where there may be two.
    let code = loop {
        client.say(&[named(&format!("{:?}", start.elapsed()), "hello")]).await;
        settle().await;
        if client.raw.task.is_finished() || refusals > BURST {
            break None;
        }
        let packet = tokio::time::timeout(Duration::from_millis(1), client.raw.next()).await;
        match packet {
            Ok(Some((super::raw::CLOSE, payload))) => {
                break payload.first_chunk().map(|code| u16::from_be_bytes(*code));
            }
            Ok(Some((_, payload))) if payload.windows(12).any(|part| part == b"rate-limited") => {
                refusals += 1;
            }
            _ => {}
        }
        sleep(SECOND / 3).await;
    };
    assert_eq!((code, refusals), (Some(4529), BURST));
}

#[tokio::test(start_paused = true)]
async fn plain_clients_beside_them_are_still_slowed_and_lose_nothing() {
    let harness = harness();
    let mut rich = harness.join_rich("rich").await;
    let mut plain = harness.join_raw("plain").await;
    let start = Instant::now();
    for number in 0..10 {
        plain.chat(&format!("{number}")).await;
    }
    for number in 0..10 {
        assert_eq!(rich.hear().await, told("plain", &format!("{number}"), number + 1));
    }
    let late = start.elapsed().checked_sub(3 * SECOND).expect("six beyond the burst, two a second");
    assert!(late < SECOND / 100);
}
