//! History, and sessions that are gone on with.

use std::{sync::atomic::Ordering, time::Duration};

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{
    harness::{EPOCH, Harness, forwarded, settle},
    raw::{CLOSE, close},
    rich_client::{Rich, acked, named, nameless, rich_register, told},
};
use crate::config::Limits;

const HOUR: Duration = Duration::from_hours(1);
const RETENTION: Duration = Duration::from_mins(10);
const MILLISECOND: Duration = Duration::from_millis(1);

/// A harness whose clients may be silent for long, and its log with so many entries of a "sender".
async fn room_with(entries: u64, limits: Limits) -> (Harness, Rich) {
    let harness = Harness::new(Limits { ping: 24 * HOUR, ..limits });
    let mut sender = harness.join_rich("sender").await;
    for number in 1..=entries {
        sender.say(&[named(&format!("{number}"), &format!("{number}"))]).await;
        assert_eq!(sender.hear().await, acked(&format!("{number}"), number));
    }
    (harness, sender)
}

/// What others get of that.
fn entries(range: std::ops::RangeInclusive<u64>) -> Vec<Value> {
    range.map(|number| told("sender", &format!("{number}"), number)).collect()
}

/// Looks that a client which has just got its ack gets exactly what comes after `after`.
async fn assert_follows(client: &mut Rich, sender: &mut Rich, after: u64) {
    let newest = client.ack["seq"].as_u64().unwrap();
    assert_eq!(client.ack["after"], after, "{}", client.ack);
    assert_eq!(client.hear_all(usize::try_from(newest - after).unwrap()).await, entries(after + 1..=newest));
    assert!(client.is_silent().await, "no more than that");
    sender.say(&[named(&format!("live {}", client.name), "live")]).await;
    let live = sender.hear().await["seq"].as_u64().unwrap();
    assert_eq!(client.hear().await, told("sender", "live", live));
}

#[tokio::test(start_paused = true)]
async fn the_newest_entries_follow_as_many_as_are_asked_for_and_kept() {
    for (kept, history, after) in [
        (4096, "0", 40),
        (4096, "1", 39),
        (4096, "39", 1),
        (4096, "40", 0),
        (4096, "41", 0),
        (4096, "18446744073709551615", 0),
        // A log that has let go of something: the oldest eighth goes next.
        (16, "13", 27),
        (16, "14", 26),
        (16, "15", 26),
        (16, "18446744073709551615", 26),
        (40, "40", 0),
        (39, "40", 5),
    ] {
        let (harness, mut sender) = room_with(40, Limits { log_entries: kept, ..Limits::default() }).await;
        let fields = serde_json::from_str(&format!(r#"{{"history":{history}}}"#)).unwrap();
        let mut client = harness.join_rich_with("irc", &fields).await;
        assert_eq!((&client.ack["seq"], client.ack.get("recovered")), (&json!(40), None));
        assert_follows(&mut client, &mut sender, after).await;
    }
}

#[tokio::test(start_paused = true)]
async fn history_counts_entries_whatever_they_are() {
    let (harness, mut sender) = room_with(2, Limits::default()).await;
    harness.join_raw("plain").await.chat("plain").await;
    settle().await;
    sender
        .say(&[
            json!({"action": "client-edit", "id": "e", "target": 1, "content": "edited"}),
            json!({"action": "client-delete", "id": "d", "target": 2}),
        ])
        .await;
    settle().await;
    let mut client = harness.join_rich_with("sender", &json!({"history": 4})).await;
    assert_eq!(client.ack["after"], 1);
    let mut expected = entries(2..=2);
    expected.push(told("plain", "plain", 3));
    expected.push(json!({"action": "forwarding-edit", "source-client-name": "sender", "target": 1, "content": "edited", "seq": 4}));
    expected
        .push(json!({"action": "forwarding-delete", "source-client-name": "sender", "target": 2, "seq": 5}));
    assert_eq!(client.hear_all(4).await, expected);
}

/// Someone who was there when the log ended at 20, and is not any more.
async fn gone_at_20(limits: Limits) -> (Harness, Rich, Value) {
    let (harness, mut sender) = room_with(20, limits).await;
    let client = harness.join_rich("irc").await;
    let resume = client.resume();
    client.vanish().await;
    for number in 21..=40 {
        sender.say(&[named(&format!("{number}"), &format!("{number}"))]).await;
        sender.hear().await;
    }
    (harness, sender, resume)
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_gets_what_it_missed() {
    // Twenty were missed and thirty-two are kept: it may have known any of 8 to 40.
    for seq in [8, 9, 19, 20, 30, 39, 40] {
        for history in [0, 5, 100] {
            let limits = Limits { log_entries: 32, ..Limits::default() };
            let (harness, mut sender, mut fields) = gone_at_20(limits).await;
            fields["history"] = json!(history);
            fields["resume"]["seq"] = json!(seq);
            let mut client = harness.join_rich_with("irc", &fields).await;
            assert_eq!(client.ack["recovered"], true, "{seq}");
            assert_eq!(client.session(), fields["resume"]["session"], "{seq}");
            assert_follows(&mut client, &mut sender, seq).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_can_not_be_given_all_is_told_so() {
    for (what, field, value, name, keeps_session) in [
        ("behind the tail", "seq", json!(7), "irc", true),
        ("from the beginning", "seq", json!(0), "irc", true),
        ("beyond the newest", "seq", json!(41), "irc", true),
        ("far beyond", "seq", json!(u64::MAX), "irc", true),
        ("another log", "epoch", json!("another"), "irc", true),
        ("an unknown session", "session", json!("unknown"), "irc", false),
        ("another's session", "seq", json!(20), "mc", false),
    ] {
        for (history, after) in [(0, 40), (5, 35), (100, 12)] {
            let limits = Limits { log_entries: 32, ..Limits::default() };
            let (harness, mut sender, mut fields) = gone_at_20(limits).await;
            let session = fields["resume"]["session"].clone();
            fields["history"] = json!(history);
            fields["resume"][field] = value.clone();
            let mut client = harness.join_rich_with(name, &fields).await;
            assert_eq!(client.ack["recovered"], false, "{what}");
            assert_eq!(*client.session() == session, keeps_session, "{what}");
            assert_ne!(client.session(), "unknown");
            assert_follows(&mut client, &mut sender, after).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_takes_anothers_session_leaves_it_alone() {
    let (harness, mut sender) = room_with(1, Limits::default()).await;
    let mut irc = harness.join_rich("irc").await;
    let thief = harness.join_rich_with("mc", &irc.resume()).await;
    assert_ne!(thief.session(), irc.session());
    // Nor does it help to have the name and no key.
    let mut fields = irc.resume();
    fields["secret-key"] = json!("wrong");
    let mut stranger = harness.connect_raw();
    stranger.say(&rich_register("irc", &fields)).await;
    assert_eq!(stranger.end_politely().await.code, Some(4401));
    sender.say(&[nameless("hello")]).await;
    assert_eq!(irc.hear().await, told("sender", "hello", 2), "it is still there");
    irc.say(&[named("a", "hi")]).await;
    assert_eq!(irc.hear().await, acked("a", 3));
}

#[tokio::test(start_paused = true)]
async fn a_session_of_another_log_is_kept_with_all_that_it_said() {
    let (harness, _sender) = room_with(1, Limits::default()).await;
    let mut client = harness.join_rich("irc").await;
    client.say(&[named("a", "one")]).await;
    assert_eq!(client.hear().await, acked("a", 2));
    let mut fields = client.resume();
    fields["resume"]["epoch"] = json!("another");
    fields["history"] = json!(2);
    let mut client = harness.join_rich_with("irc", &fields).await;
    assert_eq!(client.ack["recovered"], false);
    assert_eq!(client.hear_all(2).await, [entries(1..=1).remove(0), acked("a", 2)], "its own are its own");
    client.say(&[named("a", "one")]).await;
    assert_eq!(client.hear().await, acked("a", 2));
}

#[tokio::test(start_paused = true)]
async fn a_session_outlives_its_connection_by_ten_minutes() {
    for (waits, is_kept) in
        [(Duration::from_millis(599_999), true), (RETENTION, false), (2 * RETENTION, false)]
    {
        let (harness, mut sender) = room_with(2, Limits::default()).await;
        let client = harness.join_rich("irc").await;
        let resume = client.resume();
        // Not from its beginning.
        sleep(HOUR).await;
        client.vanish().await;
        let start = Instant::now();
        sleep(waits).await;
        assert_eq!(start.elapsed(), waits);
        let mut again = harness.join_rich_with("irc", &resume).await;
        assert_eq!(again.ack["recovered"], is_kept, "{waits:?}");
        assert_eq!(again.session() == resume["resume"]["session"], is_kept);
        assert_follows(&mut again, &mut sender, 2).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_that_was_gone_on_with_lives_on() {
    let (harness, _sender) = room_with(1, Limits { session: MILLISECOND, ..Limits::default() }).await;
    let first = harness.join_rich("irc").await;
    let resume = first.resume();
    let second = harness.join_rich_with("irc", &resume).await;
    // The end of the older connection is not the end of the session.
    assert_eq!(first.end().await.1, Some(4409));
    sleep(HOUR).await;
    let third = harness.join_rich_with("irc", &resume).await;
    assert_eq!(third.ack["recovered"], true);
    assert_eq!(second.end().await.1, Some(4409));
    third.vanish().await;
    sleep(2 * MILLISECOND).await;
    assert_eq!(harness.join_rich_with("irc", &resume).await.ack["recovered"], false);
}

#[tokio::test(start_paused = true)]
async fn as_many_ended_sessions_are_remembered_as_there_may_be_connections() {
    let (harness, _sender) = room_with(1, Limits { connections: 2, ..Limits::default() }).await;
    let mut asks = Vec::new();
    for _ in 0..3 {
        let client = harness.join_rich("irc").await;
        asks.push(client.resume());
        client.vanish().await;
        sleep(MILLISECOND).await;
    }
    let mut clients = Vec::new();
    for (resume, is_kept) in asks.iter().zip([false, true, true]) {
        clients.push(harness.join_rich_with("irc", resume).await);
        assert_eq!(clients.last().unwrap().ack["recovered"], is_kept);
    }
}

#[tokio::test(start_paused = true)]
async fn the_older_connection_is_told_that_it_is_replaced_and_says_nothing_any_more() {
    let (harness, mut sender) = room_with(1, Limits::default()).await;
    let mut plain = harness.join_raw("plain").await;
    let mut older = harness.join_rich("irc").await;
    let newer = harness.join_rich_with("irc", &older.resume()).await;
    let start = Instant::now();
    older.say(&[nameless("too late"), named("a", "too late")]).await;
    assert_eq!(older.raw.next().await, Some((CLOSE, [&4409_u16.to_be_bytes()[..], b"replaced"].concat())));
    older.raw.send(&close(4409, "")).await;
    assert_eq!(older.end().await, (vec![], None), "and what it said is nowhere");
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(harness.room.newest(), 1);
    sender.say(&[nameless("hello")]).await;
    assert_eq!(plain.hear().await, forwarded("sender", "hello"));
    let mut newer = newer;
    assert_eq!(newer.hear().await, told("sender", "hello", 2));
}

#[tokio::test(start_paused = true)]
async fn an_older_connection_that_does_not_read_is_replaced_all_the_same() {
    let (harness, mut sender) = room_with(1, Limits::default()).await;
    let mut older = harness.join_rich("irc").await;
    for _ in 0..20 {
        sender.say(&[nameless(&"x".repeat(1000))]).await;
    }
    settle().await;
    let start = Instant::now();
    let mut newer = harness.join_rich_with("irc", &older.resume()).await;
    assert_eq!((&newer.ack["recovered"], &newer.ack["seq"]), (&json!(true), &json!(21)));
    newer.hear_all(20).await;
    assert_eq!(start.elapsed(), Duration::ZERO);
    older.raw.ended().await;
    assert!(older.raw.was_reset());
    assert_eq!(start.elapsed(), Limits::default().close);
    newer.say(&[named("a", "still here")]).await;
    assert_eq!(newer.hear().await, acked("a", 22));
}

#[tokio::test(start_paused = true)]
async fn a_session_gone_on_with_twice_from_one_place_gets_the_same_twice() {
    let (harness, _sender) = room_with(30, Limits::default()).await;
    let client = harness.join_rich("irc").await;
    let resume = client.resume_at(0);
    client.vanish().await;
    for _ in 0..3 {
        let mut again = harness.join_rich_with("irc", &resume).await;
        assert_eq!(again.hear_all(30).await, entries(1..=30));
        assert!(again.is_silent().await);
    }
    assert_eq!(EPOCH, resume["resume"]["epoch"]);
}

#[tokio::test(start_paused = true)]
async fn a_panic_ends_the_connection_and_not_the_session() {
    let (harness, mut sender) = room_with(1, Limits::default()).await;
    let broken = harness.join_rich("irc").await;
    let resume = broken.resume();
    broken.raw.faults.panic_on_write.store(true, Ordering::Relaxed);
    sender.say(&[nameless("hello")]).await;
    settle().await;
    assert!(broken.raw.task.is_finished());
    let mut again = harness.join_rich_with("irc", &resume).await;
    assert_eq!(again.ack["recovered"], true);
    assert_eq!(again.hear().await, told("sender", "hello", 2));
}

#[tokio::test(start_paused = true)]
async fn a_register_that_comes_late_does_not_take_the_session_from_a_newer_connection() {
    let (harness, mut sender) = room_with(1, Limits::default()).await;
    let first = harness.join_rich("irc").await;
    let resume = first.resume();
    first.vanish().await;
    // Given up by its client before it is answered, and served after the next one.
    let mut late = harness.connect_raw();
    let mut current = harness.join_rich_with("irc", &resume).await;
    late.say(&rich_register("irc", &resume)).await;
    let end = late.end_politely().await;
    assert_eq!(
        (end.texts, end.code),
        (vec![], Some(4409)),
        "and no ack, which would say that its session is lost"
    );
    sender.say(&[nameless("hello")]).await;
    assert_eq!(current.hear().await, told("sender", "hello", 2));
    current.say(&[named("a", "still here")]).await;
    assert_eq!(current.hear().await, acked("a", 3));
    sleep(HOUR).await;
    assert_eq!(harness.join_rich_with("irc", &resume).await.ack["recovered"], true);
}
