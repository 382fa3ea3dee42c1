//! Who is there: what those are told who ask for it, and that nobody else is told anything.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use multichat::protocol::CloseCode;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{
    harness::{Harness, Setup, settle},
    raw::Raw,
    rich_client::{Rich, named, nameless},
};
use crate::{config::Limits, connection::ending::Ending, room::Cut};

const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const COALESCE: Duration = Duration::from_millis(100);
const GRACE: Duration = Duration::from_secs(5);
/// Not quite that.
const ALMOST: Duration = Duration::from_millis(4990);
const MANY: usize = 1000;

/// A router whose clients may be silent for long.
fn harness() -> Harness {
    Harness::new(Limits { ping: 3600 * SECOND, ..Limits::default() })
}

async fn subscriber(harness: &Harness) -> Rich {
    harness.join_rich_with("subscriber", &json!({"presence": true})).await
}

fn presence(name: &str, status: &str) -> Value {
    json!({"action": "presence", "client-name": name, "status": status})
}

fn status(status: &str, text: Option<&str>) -> Value {
    let mut packet = json!({"action": "client-status", "status": status});
    if let Some(text) = text {
        packet["text"] = json!(text);
    }
    packet
}

fn now_ms() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

impl Rich {
    /// The next packet, which is of presence, without its time, which is now.
    async fn see(&mut self) -> Value {
        let mut packet = self.hear().await;
        let time = packet.as_object_mut().unwrap().remove("time").unwrap().as_u64().unwrap();
        assert!(time <= now_ms() && time + 60_000 > now_ms());
        packet
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_is_told_who_comes_and_goes() {
    let harness = harness();
    let mut subscriber = subscriber(&harness).await;
    assert_eq!(subscriber.ack["clients"], json!([]));
    let start = Instant::now();
    let rich = harness.join_rich("rich").await;
    assert_eq!(subscriber.see().await, presence("rich", "online"));
    assert!(start.elapsed() <= COALESCE + MILLISECOND);
    let plain = harness.join_raw("plain").await;
    assert_eq!(subscriber.see().await, presence("plain", "online"));

    let start = Instant::now();
    rich.vanish().await;
    sleep(SECOND).await;
    plain.vanish().await.unwrap();
    assert_eq!(subscriber.see().await, presence("rich", "left"));
    let after = start.elapsed();
    assert!((GRACE..=GRACE + COALESCE + MILLISECOND).contains(&after), "{after:?}");
    assert_eq!(subscriber.see().await, presence("plain", "left"));
    let (earliest, after) = (GRACE + SECOND, start.elapsed());
    assert!((earliest..=earliest + COALESCE + MILLISECOND).contains(&after), "{after:?}");
    let _rich = harness.join_rich("rich").await;
    assert_eq!(subscriber.see().await, presence("rich", "online"), "whoever comes back is there again");
    assert!(subscriber.is_silent_for(60 * SECOND).await);
}

#[tokio::test(start_paused = true)]
async fn who_is_back_in_time_was_never_away() {
    for (away, is_seen) in [(MILLISECOND, false), (ALMOST, false), (GRACE + 2 * COALESCE, true)] {
        let harness = harness();
        let mut subscriber = subscriber(&harness).await;
        let client = harness.join_rich("irc").await;
        subscriber.see().await;
        client.vanish().await;
        sleep(away).await;
        let mut late = harness.join_rich_with("late", &json!({"presence": true})).await;
        let names = late.ack["clients"].as_array().unwrap().iter().map(|row| row["client-name"].clone());
        let expected =
            if is_seen { vec![json!("subscriber")] } else { vec![json!("subscriber"), json!("irc")] };
        assert_eq!(names.collect::<Vec<_>>(), expected, "still listed, or not");
        let _irc = harness.join_raw("irc").await;
        sleep(SECOND).await;
        let mut seen = Vec::new();
        while !subscriber.has_no_more().await {
            seen.push(subscriber.see().await);
        }
        let mut expected = vec![presence("late", "online")];
        if is_seen {
            expected.insert(0, presence("irc", "left"));
            expected.push(presence("irc", "online"));
            assert_eq!(late.see().await, presence("irc", "online"));
        }
        assert_eq!(seen, expected, "{away:?}");
        assert!(late.is_silent_for(10 * SECOND).await && subscriber.is_silent().await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_is_there_as_long_as_one_of_its_connections_is() {
    let harness = harness();
    let mut subscriber = subscriber(&harness).await;
    let one = harness.join_raw("irc").await;
    let other = harness.join_rich("irc").await;
    assert_eq!(subscriber.see().await, presence("irc", "online"));
    one.vanish().await.unwrap();
    assert!(subscriber.is_silent_for(60 * SECOND).await);
    let third = harness.join_rich_with("irc", &other.resume()).await;
    assert_eq!(other.end().await.1, Some(4409));
    assert!(subscriber.is_silent_for(60 * SECOND).await);
    third.vanish().await;
    sleep(GRACE + COALESCE).await;
    assert_eq!(subscriber.see().await, presence("irc", "left"));
}

#[tokio::test(start_paused = true)]
async fn the_latest_of_each_name_is_told_and_no_sooner_than_after_a_moment() {
    let harness = harness();
    let mut subscriber = subscriber(&harness).await;
    let mut one = harness.join_rich("one").await;
    let mut other = harness.join_rich("other").await;
    sleep(SECOND).await;
    subscriber.hear_all(2).await;
    let start = Instant::now();
    for number in 0..9 {
        one.say(&[status("degraded", Some(&format!("{number}")))]).await;
        other.say(&[status("offline", None), status("online", None)]).await;
        sleep(10 * MILLISECOND).await;
    }
    one.say(&[status("offline", Some("gone fishing"))]).await;
    assert!(subscriber.is_silent_for(9 * MILLISECOND).await);
    let mut expected = presence("one", "offline");
    expected["text"] = json!("gone fishing");
    let mut seen = [subscriber.see().await, subscriber.see().await];
    seen.sort_by_key(|packet| packet["client-name"].to_string());
    assert_eq!(seen, [expected, presence("other", "online")]);
    let after = start.elapsed();
    assert!((COALESCE..=COALESCE + 2 * MILLISECOND).contains(&after), "{after:?}");
    assert!(subscriber.is_silent_for(SECOND).await);
    // To say the same again is no news.
    one.say(&[status("offline", Some("gone fishing"))]).await;
    assert!(subscriber.is_silent_for(SECOND).await);
    // Another text is, and so is none.
    for (said, text) in [(Some("back soon"), true), (None, false)] {
        one.say(&[status("offline", said)]).await;
        assert_eq!(subscriber.see().await.get("text").is_some(), text);
    }
}

#[tokio::test(start_paused = true)]
async fn the_ack_lists_the_others_as_they_are() {
    let harness = harness();
    let began = now_ms();
    let _plain = harness.join_raw("plain").await;
    let mut rich = harness.join_rich("rich").await;
    rich.say(&[status("degraded", Some("slow")), named("a", "done")]).await;
    rich.hear().await;
    let _same = harness.join_raw("subscriber").await;
    let mut subscriber = subscriber(&harness).await;
    let mut rows = subscriber.ack["clients"].as_array().unwrap().clone();
    for row in &mut rows {
        let since = row.as_object_mut().unwrap().remove("since").unwrap().as_u64().unwrap();
        assert!((began..=now_ms()).contains(&since));
    }
    rows.sort_by_key(ToString::to_string);
    let expected = [
        json!({"client-name": "plain", "status": "online"}),
        json!({"client-name": "rich", "status": "degraded", "text": "slow"}),
    ];
    assert_eq!(rows, expected, "never its own name");
    let mut twin = harness.join_rich("subscriber").await;
    twin.say(&[status("offline", None)]).await;
    subscriber.say(&[status("degraded", None)]).await;
    twin.vanish().await;
    assert!(subscriber.is_silent_for(20 * SECOND).await, "nor is it told of that");
}

#[tokio::test(start_paused = true)]
async fn a_list_that_is_too_long_for_the_ack_is_continued_at_once() {
    let limits =
        Limits { packet_bytes: 8192, first_packet_bytes: 1024, ping: 3600 * SECOND, ..Limits::default() };
    let harness = Harness::new(limits);
    let mut clients = Vec::new();
    for number in 0..100 {
        clients.push(harness.join_raw(&format!("client {number}")).await);
    }
    sleep(SECOND).await;
    let start = Instant::now();
    let mut subscriber = subscriber(&harness).await;
    assert!(subscriber.ack.to_string().len() <= 8192);
    let listed = subscriber.ack["clients"].as_array().unwrap().iter();
    let mut names = listed.map(|row| row["client-name"].to_string()).collect::<Vec<_>>();
    assert!((10..100).contains(&names.len()), "{}", names.len());
    while names.len() < 100 {
        let packet = subscriber.see().await;
        assert_eq!(packet["status"], "online");
        names.push(packet["client-name"].to_string());
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), 100, "each of them once");
    assert!(subscriber.is_silent_for(SECOND).await);
    clients.pop().unwrap().vanish().await.unwrap();
    sleep(GRACE + COALESCE).await;
    assert_eq!(subscriber.see().await, presence("client 99", "left"));
}

#[tokio::test(start_paused = true)]
async fn the_ack_is_no_larger_than_a_packet_whatever_others_say_of_themselves() {
    const BYTES: usize = 64 * 1024;
    // Where packets may be large, it is bounded all the same: it waits for a client that does not read.
    for packet_bytes in [BYTES, 16 * BYTES] {
        let harness = Harness::new(Limits { packet_bytes, ping: 3600 * SECOND, ..Limits::default() });
        let mut clients = Vec::new();
        for number in 0..60 {
            let mut client = harness.join_rich(&format!("client {number}")).await;
            // As JSON each of these bytes becomes six.
            client.say(&[status("degraded", Some(&"\u{1}".repeat(1024)))]).await;
            clients.push(client);
        }
        sleep(SECOND).await;
        let mut subscriber = subscriber(&harness).await;
        let bytes = subscriber.ack.to_string().len();
        assert!(bytes <= BYTES, "{bytes} of {packet_bytes}");
        let listed = subscriber.ack["clients"].as_array().unwrap().len();
        assert!(listed > 0);
        assert_eq!(subscriber.hear_all(60 - listed).await.len(), 60 - listed);
        assert!(subscriber.is_silent_for(SECOND).await);
    }
}

/// Three who watch: one who asked for it, a rich client that did not, and a plain one.
async fn watchers(harness: &Harness) -> (Rich, Rich, Raw) {
    let setup = Setup { pipe_bytes: 1 << 20, ..Setup::default() };
    let mut subscriber = harness.join_rich_over("subscriber", &json!({"presence": true}), setup).await;
    let rich = harness.join_rich("rich").await;
    let plain = harness.join_raw("plain").await;
    sleep(SECOND).await;
    subscriber.hear_all(2).await;
    (subscriber, rich, plain)
}

async fn join_many(harness: &Harness) -> Vec<Rich> {
    let mut clients = Vec::new();
    for number in 0..MANY {
        clients.push(harness.join_rich(&format!("client {number}")).await);
    }
    clients
}

#[tokio::test(start_paused = true)]
async fn a_thousand_newcomers_are_one_packet_each_in_a_few_writes_and_only_to_who_asked() {
    let harness = harness();
    let (mut subscriber, mut rich, mut plain) = watchers(&harness).await;
    let before = (subscriber.raw.writes(), rich.raw.writes(), plain.writes());
    let clients = join_many(&harness).await;
    sleep(SECOND).await;
    let mut names = BTreeSet::new();
    for packet in subscriber.hear_all(MANY).await {
        assert_eq!(packet["status"], "online");
        names.insert(packet["client-name"].to_string());
    }
    assert_eq!(names.len(), MANY);
    let writes = subscriber.raw.writes() - before.0;
    assert!(writes <= 10, "{writes}");
    assert!(subscriber.is_silent().await && rich.is_silent().await);
    assert_eq!((rich.raw.writes(), plain.writes()), (before.1, before.2), "not a byte");

    // They leave, all of them.
    let before = subscriber.raw.writes();
    drop(clients);
    sleep(GRACE + 2 * COALESCE).await;
    let left = subscriber.hear_all(MANY).await;
    assert!(left.iter().all(|packet| packet["status"] == "left"));
    assert!(subscriber.raw.writes() - before <= 10);
    plain.chat("still here").await;
    assert_eq!(rich.hear().await["content"], "still here");
}

#[tokio::test(start_paused = true)]
async fn a_thousand_who_are_back_in_time_are_not_seen_at_all() {
    let harness = harness();
    let (mut subscriber, mut rich, plain) = watchers(&harness).await;
    let clients = join_many(&harness).await;
    sleep(SECOND).await;
    subscriber.hear_all(MANY).await;
    let before = (subscriber.raw.writes(), rich.raw.writes(), plain.writes());
    let mut asks = Vec::new();
    for client in clients {
        asks.push((client.name.clone(), client.resume()));
        client.vanish().await;
    }
    sleep(ALMOST).await;
    let mut clients = Vec::new();
    for (number, (name, resume)) in asks.into_iter().enumerate() {
        // Some of them with their sessions, some as if they were new.
        let fields = if number % 2 == 0 { resume } else { json!({}) };
        clients.push(harness.join_rich_with(&name, &fields).await);
    }
    sleep(3 * GRACE).await;
    assert!(subscriber.is_silent().await && rich.is_silent().await);
    assert_eq!((subscriber.raw.writes(), rich.raw.writes(), plain.writes()), before, "not a byte to anyone");
    // Only the first of them goes for good.
    clients.swap_remove(0).vanish().await;
    sleep(GRACE + 2 * COALESCE).await;
    assert_eq!(subscriber.see().await, presence("client 0", "left"));
    assert!(subscriber.is_silent().await);
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_that_does_not_read_gets_the_latest_of_each_name() {
    const NAMES: usize = 50;
    let harness = harness();
    let mut subscriber = subscriber(&harness).await;
    let mut clients = Vec::new();
    for number in 0..NAMES {
        clients.push(harness.join_rich(&format!("client {number}")).await);
    }
    sleep(SECOND).await;
    subscriber.hear_all(NAMES).await;
    for _ in 0..8 {
        clients[0].say(&[nameless(&"x".repeat(1000))]).await;
    }
    settle().await;
    // Its pipe is full.
    for round in 0..20 {
        for client in &mut clients {
            client.say(&[status("degraded", Some(&format!("{round}")))]).await;
        }
        sleep(2 * COALESCE).await;
    }
    let leaver = clients.pop().unwrap();
    leaver.vanish().await;
    sleep(GRACE + 2 * COALESCE).await;
    let mut latest = BTreeMap::new();
    let mut count = 0;
    while latest.len() < NAMES {
        let packet = subscriber.hear().await;
        if packet["action"] == "presence" {
            count += 1;
            latest.insert(packet["client-name"].to_string(), packet);
        }
    }
    assert!(subscriber.is_silent().await);
    assert_eq!(count, NAMES, "one packet for each");
    for (name, packet) in latest {
        let is_gone = name == format!("\"client {}\"", NAMES - 1);
        assert_eq!(packet["status"], if is_gone { "left" } else { "degraded" });
        assert!(is_gone || packet["text"] == "19", "{packet}");
    }
}

#[test]
fn who_is_too_far_behind_the_news_is_a_slow_consumer() {
    for (cut, code) in [(Cut::Behind, CloseCode::SlowConsumer), (Cut::Replaced, CloseCode::Replaced)] {
        assert_eq!(Ending::from(cut).close_code(), Some(code));
    }
}

#[tokio::test(start_paused = true)]
async fn presence_comes_between_the_messages_of_a_busy_room() {
    let harness = harness();
    let mut subscriber = subscriber(&harness).await;
    let mut sender = harness.join_rich("sender").await;
    let talk = async {
        for number in 0..200 {
            sender.say(&[nameless(&format!("{number}"))]).await;
            sleep(5 * MILLISECOND).await;
        }
    };
    let listen = async {
        let mut at = Vec::new();
        for index in 0..202 {
            if subscriber.hear().await["action"] == "presence" {
                at.push(index);
            }
        }
        at
    };
    let come = async {
        sleep(SECOND / 2).await;
        harness.join_raw("newcomer").await
    };
    let (_newcomer, (), at) = tokio::join!(come, talk, listen);
    // After 100 ms each: twenty messages.
    assert!(at[0] <= 22 && (100..=125).contains(&at[1]), "{at:?}");
}
