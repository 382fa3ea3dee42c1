//! What is said to one client alone: receipts, and what waits for a client that does not read.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::{
    io::AsyncWriteExt as _,
    time::{sleep, timeout},
};

use super::{
    harness::{Harness, PIPE_BYTES, settle},
    raw::text,
    rich_client::{Rich, acked, named, nameless, refused, told},
};
use crate::config::Limits;

const SECOND: Duration = Duration::from_secs(1);

fn receipt(target: u64, status: &str) -> Value {
    json!({"action": "client-receipt", "target": target, "status": status})
}

/// What the author gets of it.
fn forwarded_receipt(name: &str, target: u64, status: &str) -> Value {
    json!({"action": "forwarding-receipt", "source-client-name": name, "target": target, "status": status})
}

#[tokio::test(start_paused = true)]
async fn a_receipt_goes_to_the_session_that_said_it_and_to_nobody_else() {
    let harness = Harness::new(Limits::default());
    let mut author = harness.join_rich_with("irc", &json!({"presence": true})).await;
    let mut twin = harness.join_rich("irc").await;
    let mut other = harness.join_rich("mc").await;
    let mut plain = harness.join_raw("plain").await;
    author.say(&[named("a", "hello")]).await;
    assert_eq!(author.hear().await, acked("a", 1));
    assert_eq!(twin.hear().await, told("irc", "hello", 1));
    assert_eq!(other.hear().await, told("irc", "hello", 1));
    plain.hear().await;
    sleep(SECOND).await;
    author.hear_all(2).await;

    other.say(&[receipt(1, "delivered")]).await;
    assert_eq!(author.hear().await, forwarded_receipt("mc", 1, "delivered"));
    let fields = json!({"reason": "no such channel \u{1f600}", "remote-id": "$event:example.org"});
    let (mut said, mut heard) = (receipt(1, "failed"), forwarded_receipt("irc", 1, "failed"));
    for packet in [&mut said, &mut heard] {
        packet.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    }
    twin.say(&[said]).await;
    assert_eq!(author.hear().await, heard);
    // One's own.
    author.say(&[receipt(1, "delivered")]).await;
    assert_eq!(author.hear().await, forwarded_receipt("irc", 1, "delivered"));
    for client in [&mut author, &mut twin, &mut other] {
        assert!(client.is_silent().await);
    }
    assert!(timeout(SECOND, plain.hear()).await.is_err());
    assert_eq!(harness.room.newest(), 1, "receipts are not in the log");
}

#[tokio::test(start_paused = true)]
async fn a_receipt_whose_author_is_not_there_is_dropped() {
    let harness = Harness::new(Limits::default());
    let mut other = harness.join_rich("mc").await;
    let mut plain = harness.join_raw("plain").await;
    plain.chat("plain").await;
    other.hear().await;
    let mut author = harness.join_rich("irc").await;
    author.say(&[named("a", "gone")]).await;
    assert_eq!(author.hear().await, acked("a", 2));
    other.hear().await;
    plain.hear().await;
    let resume = author.resume();
    author.vanish().await;
    other.say(&[receipt(1, "failed"), receipt(2, "failed")]).await;
    assert!(other.is_silent().await, "that is no error");
    let mut again = harness.join_rich_with("irc", &resume).await;
    let mut stranger = harness.join_rich("irc").await;
    assert!(again.is_silent().await, "nor is it kept");
    other.say(&[receipt(2, "delivered"), receipt(1, "delivered")]).await;
    assert_eq!(again.hear().await, forwarded_receipt("mc", 2, "delivered"));
    assert!(stranger.is_silent().await);
    assert!(timeout(SECOND, plain.hear()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn after_a_takeover_receipts_go_to_the_newer_connection() {
    let harness = Harness::new(Limits::default());
    let mut other = harness.join_rich("mc").await;
    let mut older = harness.join_rich("irc").await;
    older.say(&[named("a", "hello")]).await;
    older.hear().await;
    other.hear().await;
    let mut newer = harness.join_rich_with("irc", &older.resume()).await;
    other.say(&[receipt(1, "delivered")]).await;
    assert_eq!(newer.hear().await, forwarded_receipt("mc", 1, "delivered"));
    assert_eq!(older.end().await, (vec![], Some(4409)));
    // Now that the older one has gone for good, too.
    other.say(&[receipt(1, "failed")]).await;
    assert_eq!(newer.hear().await, forwarded_receipt("mc", 1, "failed"));
}

#[tokio::test(start_paused = true)]
async fn a_receipt_is_for_a_message_that_the_log_holds() {
    let harness = Harness::new(Limits { log_entries: 16, ..Limits::default() });
    let mut author = harness.join_rich("irc").await;
    let mut other = harness.join_rich("mc").await;
    author
        .say(&[
            nameless("one"),
            named("b", "two"),
            json!({"action": "client-edit", "target": 2, "content": "2", "id": "e"}),
        ])
        .await;
    author.say(&[json!({"action": "client-delete", "target": 1, "id": "d"})]).await;
    author.hear_all(3).await;
    other.hear_all(4).await;
    for target in [0, 1, 3, 4, 5, u64::MAX] {
        other.say(&[receipt(target, "failed")]).await;
        assert_eq!(other.hear().await, refused(None, "unknown-target"), "{target}");
    }
    other.say(&[receipt(2, "failed")]).await;
    assert_eq!(author.hear().await, forwarded_receipt("mc", 2, "failed"));
    for number in 5..=18 {
        author.say(&[nameless(&format!("{number}"))]).await;
        other.hear().await;
    }
    other.say(&[receipt(2, "failed")]).await;
    assert_eq!(other.hear().await, refused(None, "unknown-target"), "not any more");
    assert!(author.is_silent().await);
}

#[tokio::test(start_paused = true)]
async fn a_receipt_comes_no_sooner_than_the_ack_of_its_message() {
    let harness = Harness::without_fan_out(Limits::default());
    let mut author = harness.join_rich("irc").await;
    let mut other = harness.join_rich("mc").await;
    author.say(&[named("a", "hello")]).await;
    settle().await;
    // It can't know yet; but there may be those who do, and are faster.
    other.say(&[receipt(1, "delivered")]).await;
    settle().await;
    tokio::spawn(harness.room.clone().fan_out(0));
    assert_eq!(author.hear_all(2).await, [acked("a", 1), forwarded_receipt("mc", 1, "delivered")]);
}

/// A router that lets no more than this wait.
const OUTBOX: usize = 16 * 1024;

fn small() -> Harness {
    Harness::new(Limits { outbox_bytes: OUTBOX, ..Limits::default() })
}

#[tokio::test(start_paused = true)]
async fn a_receipt_for_what_had_no_id_is_dropped() {
    let harness = Harness::new(Limits::default());
    let mut author = harness.join_rich("irc").await;
    let mut other = harness.join_rich("mc").await;
    author.say(&[nameless("without"), named("b", "with")]).await;
    assert_eq!(author.hear().await, acked("b", 2));
    other.hear_all(2).await;
    // Without an ack it does not know which message is meant.
    other.say(&[receipt(1, "failed"), receipt(2, "delivered")]).await;
    assert_eq!(author.hear().await, forwarded_receipt("mc", 2, "delivered"));
    assert!(author.is_silent().await && other.is_silent().await);
}

#[tokio::test(start_paused = true)]
async fn receipts_beyond_what_may_wait_are_dropped_and_cut_nobody() {
    const COUNT: usize = 200;
    const BYTES: usize = 1000;
    let harness = small();
    let mut author = harness.join_rich("irc").await;
    let mut other = harness.join_rich("mc").await;
    author.say(&[named("a", "hello")]).await;
    author.hear().await;
    other.hear().await;
    let mut said = receipt(1, "failed");
    said["reason"] = json!("x".repeat(BYTES));
    for _ in 0..COUNT {
        other.say(std::slice::from_ref(&said)).await;
        settle().await;
    }
    other.say(&[named("b", "hi")]).await;
    assert_eq!(other.hear().await, acked("b", 2), "nobody else is disturbed");
    // What the outbox and the pipe hold, and a batch on its way.
    let mut receipts = 0;
    while author.hear().await["action"] == "forwarding-receipt" {
        receipts += 1;
    }
    while !author.has_no_more().await {
        assert_eq!(author.hear().await["action"], "forwarding-receipt");
        receipts += 1;
    }
    assert_eq!(author.cursor, 2, "and nothing of the log is lost");
    let waited = receipts * BYTES;
    assert!((OUTBOX..2 * OUTBOX + 3 * PIPE_BYTES).contains(&waited), "{receipts}");
    other.say(&[receipt(1, "delivered")]).await;
    assert_eq!(author.hear().await, forwarded_receipt("mc", 1, "delivered"), "now there is room");
}

#[tokio::test(start_paused = true)]
async fn who_reads_its_receipts_is_not_cut_however_many() {
    let harness = small();
    let mut author = harness.join_rich("irc").await;
    let mut other = harness.join_rich("mc").await;
    author.say(&[named("a", "hello")]).await;
    author.hear().await;
    other.hear().await;
    let mut said = receipt(1, "failed");
    said["reason"] = json!("x".repeat(1000));
    for _ in 0..50 {
        other.say(&[said.clone(), said.clone(), said.clone()]).await;
        author.hear_all(3).await;
    }
    assert!(author.is_silent().await);
}

/// Has a client say the same for as long as it is listened to. Returns how many bytes the router took.
async fn talk_on(client: &mut Rich, packet: &Value) -> usize {
    let bytes = text(&packet.to_string());
    let mut said = 0;
    while let Ok(result) = timeout(SECOND, client.raw.stream.write(&bytes[said % bytes.len()..])).await {
        said += result.unwrap();
        assert!(said < 4 << 20, "it is listened to for ever");
    }
    said
}

#[tokio::test(start_paused = true)]
async fn who_talks_and_does_not_read_is_not_listened_to_until_it_does() {
    for (packet, answer) in [
        (named("a", "hello"), acked("a", 1)),
        (json!({"action": "client-delete", "id": "d", "target": 9}), refused(Some("d"), "unknown-target")),
        (
            json!({"action": "client-edit", "id": "e", "target": 9, "content": ""}),
            refused(Some("e"), "empty-content"),
        ),
    ] {
        let harness = Harness::new(Limits { outbox_bytes: OUTBOX, bad_packets: None, ..Limits::default() });
        let mut other = harness.join_rich("other").await;
        let mut client = harness.join_rich("irc").await;
        client.say(&[named("a", "hello")]).await;
        let len = text(&packet.to_string()).len();
        let said = talk_on(&mut client, &packet).await;
        // What fits both pipes and the library's buffer, and as many answers as half the outbox holds, and a batch of
        // them on its way.
        assert!(said > PIPE_BYTES + OUTBOX / 8, "{said}");
        assert!(said < 2 * PIPE_BYTES + 4 * OUTBOX, "{said}");
        // The others go on.
        other.say(&[named("x", "hi")]).await;
        other.hear_all(2).await;
        assert!(!client.raw.task.is_finished(), "nor is it cut at once");
        // It reads, and gets all its answers, and is listened to.
        let rest = &text(&packet.to_string())[said % len..];
        let count = said / len + 1;
        let raw = &mut client.raw;
        let (mut reader, mut writer) = (Vec::new(), false);
        while reader.len() < count + 2 {
            if !writer && let Ok(result) = timeout(Duration::ZERO, raw.stream.write_all(rest)).await {
                result.unwrap();
                writer = true;
            }
            reader.push(raw.hear().await);
        }
        let heard = reader.iter().map(|text| client.note(text)).collect::<Vec<_>>();
        let count_of = |wanted: &Value| heard.iter().filter(|packet| *packet == wanted).count();
        assert_eq!(count_of(&told("other", "hi", 2)), 1);
        let first = acked("a", 1);
        assert_eq!(count_of(&answer) - usize::from(answer == first), count, "{answer}");
        assert!(count_of(&first) > 0);
        client.say(&[named("z", "done")]).await;
        assert_eq!(client.hear().await, acked("z", 3));
        assert!(client.is_silent().await);
    }
}

#[tokio::test(start_paused = true)]
async fn who_does_not_read_for_long_is_cut_whatever_waits() {
    let harness = small();
    let mut client = harness.join_rich("irc").await;
    let packet = json!({"action": "client-delete", "id": "d", "target": 9});
    talk_on(&mut client, &packet).await;
    let slow_consumers = || harness.slow_consumers();
    sleep(8 * SECOND).await;
    assert_eq!(slow_consumers(), 0);
    sleep(SECOND + SECOND / 1000).await;
    assert_eq!(slow_consumers(), 1, "ten seconds after it was blocked");
}
