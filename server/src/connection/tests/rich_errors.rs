//! Packets of rich clients that are refused: why, and that nothing else happens.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    harness::{Harness, KEY, settle},
    raw::{BINARY, FINAL, frame, text},
    rich_client::{Rich, acked, named, nameless, refused, rich_register, told},
};
use crate::config::Limits;

const BAD: &str = "bad-packet";
const ATTACHMENT: &str = "bad-attachment";
const URL: &str = "https://example.org/";

/// What is no packet at all: with the error that it gets, and the `id` in it.
fn no_packets() -> Vec<(String, &'static str, Option<&'static str>)> {
    let long = "x".repeat(65);
    let mut table = Vec::new();
    let mut row = |text: &str, code, id| table.push((text.to_owned(), code, id));
    row("", BAD, None);
    row("hello", BAD, None);
    row(r#""client-message""#, BAD, None);
    row(r#"["client-message"]"#, BAD, None);
    row(r#"{"action":"client-message","content":"x","id":"a""#, BAD, None);
    row(r#"{"action":"client-message","content":"x","id":"a"} {}"#, BAD, None);
    row(r#"{"content":"x","id":"a"}"#, BAD, Some("a"));
    row(r#"{"action":null,"content":"x","id":"a"}"#, BAD, Some("a"));
    row(r#"{"action":7,"content":"x","id":"a"}"#, BAD, Some("a"));
    row(r#"{"action":"client-message","action":"client-message","content":"x","id":"a"}"#, BAD, Some("a"));
    row(r#"{"action":"client-shout","content":"x","id":"a"}"#, "unknown-action", Some("a"));
    row(r#"{"action":"Client-Message","content":"x"}"#, "unknown-action", None);
    row(
        r#"{"action":"forwarding-message","source-client-name":"irc","content":"x"}"#,
        "unknown-action",
        None,
    );
    row(&format!(r#"{{"action":"client-shout","id":"{long}"}}"#), "unknown-action", None);
    row(r#"{"action":"client-shout","id":""}"#, "unknown-action", None);
    row(r#"{"action":"client-shout","id":7}"#, "unknown-action", None);
    row(
        &format!(r#"{{"action":"register","client-name":"irc","secret-key":"{KEY}","protocol":2,"id":"a"}}"#),
        BAD,
        Some("a"),
    );
    row(&rich_register("irc", &json!({})), BAD, None);
    row(r#"{"action":"register"}"#, BAD, None);
    table
}

/// Messages with this instead of, or beside, `"content":"x"`.
fn bad_messages() -> Vec<(Value, &'static str)> {
    let long = |bytes| "x".repeat(bytes);
    let url = |url: &str| json!({"attachments": [{"url": url}]});
    let mut table = vec![
        (json!({"content": null}), BAD),
        (json!({"content": 7}), BAD),
        (json!({"content": ["x"]}), BAD),
        (json!({"content": ""}), "empty-content"),
        (json!({"content": "", "attachments": []}), "empty-content"),
        (json!({"content": "", "attachments": null}), "empty-content"),
        (json!({"content": "", "event": "join"}), "empty-content"),
        (json!({"content": null, "attachments": [{"url": URL}], "event": 1}), BAD),
        (json!({"content": 7, "attachments": [{"url": URL}]}), BAD),
        (json!({"event": ""}), BAD),
        (json!({"event": 7}), BAD),
        (json!({"event": long(65)}), BAD),
        (json!({"reply-to": "1"}), BAD),
        (json!({"reply-to": -1}), BAD),
        (json!({"reply-to": 1.5}), BAD),
        (json!({"reply-to": 1.0}), BAD),
        (json!({"sender": "alice"}), BAD),
        (json!({"sender": ["alice"]}), BAD),
        (json!({"sender": {}}), BAD),
        (json!({"sender": {"id": "u42"}}), BAD),
        (json!({"sender": {"name": null}}), BAD),
        (json!({"sender": {"name": ""}}), BAD),
        (json!({"sender": {"name": 7}}), BAD),
        (json!({"sender": {"name": long(257)}}), BAD),
        (json!({"sender": {"name": "alice", "id": 42}}), BAD),
        (json!({"sender": {"name": "alice", "avatar": 42}}), BAD),
        (json!({"sender": {"name": "alice", "avatar": ""}}), BAD),
        (json!({"sender": {"name": "alice", "avatar": "ftp://example.org/"}}), BAD),
        (json!({"sender": {"name": "alice", "avatar": "https://"}}), BAD),
        (json!({"attachments": {}}), BAD),
        (json!({"attachments": "https://example.org/"}), BAD),
        (json!({"attachments": ["https://example.org/"]}), BAD),
        (json!({"attachments": [{}]}), BAD),
        (json!({"attachments": [{"url": null}]}), BAD),
        (json!({"attachments": [{"url": 7}]}), BAD),
        (json!({"attachments": [{"url": URL, "name": 7}]}), BAD),
        (json!({"attachments": [{"url": URL, "mime": 7}]}), BAD),
        (json!({"attachments": [{"url": URL, "size": "7"}]}), BAD),
        (json!({"attachments": [{"url": URL, "size": -7}]}), BAD),
        (json!({"attachments": vec![json!({"url": URL}); 11]}), ATTACHMENT),
        (json!({"reply-to": 0}), "unknown-target"),
        (json!({"reply-to": 4}), "unknown-target"),
        (json!({"reply-to": u64::MAX}), "unknown-target"),
    ];
    for bad in [
        "",
        "x",
        "example.org",
        "//example.org",
        "file:///etc",
        "javascript:alert(1)",
        "data:,x",
        "https:example.org",
    ] {
        table.push((url(bad), ATTACHMENT));
    }
    for bad in [
        "https://",
        "http:///x",
        "https://:80/",
        "https://a b/",
        "https://a/\n",
        "https://a/\u{202e}",
        "https://a/\u{2028}",
    ] {
        table.push((url(bad), ATTACHMENT));
    }
    table
}

/// The other packets, of a client whose message is at 1, in a log where another's is at 2 and a delete of that one at 3.
fn bad_others() -> Vec<(Value, &'static str)> {
    let long = "x".repeat(1025);
    let mut table = vec![
        (json!({"action": "client-edit", "content": "x"}), BAD),
        (json!({"action": "client-edit", "target": null, "content": "x"}), BAD),
        (json!({"action": "client-edit", "target": "1", "content": "x"}), BAD),
        (json!({"action": "client-edit", "target": 1}), BAD),
        (json!({"action": "client-edit", "target": 1, "content": 7}), BAD),
        (json!({"action": "client-edit", "target": 1, "content": ""}), "empty-content"),
        (json!({"action": "client-delete"}), BAD),
        (json!({"action": "client-delete", "target": -1}), BAD),
        (json!({"action": "client-receipt", "status": "failed"}), BAD),
        (json!({"action": "client-receipt", "target": 1}), BAD),
        (json!({"action": "client-receipt", "target": 1, "status": "read"}), BAD),
        (json!({"action": "client-receipt", "target": 1, "status": 7}), BAD),
        (json!({"action": "client-receipt", "target": 1, "status": "failed", "reason": 7}), BAD),
        (json!({"action": "client-receipt", "target": 1, "status": "failed", "reason": long}), BAD),
        (json!({"action": "client-receipt", "target": 1, "status": "failed", "remote-id": long}), BAD),
        (json!({"action": "client-receipt", "target": 1, "status": "failed", "remote-id": {}}), BAD),
        (json!({"action": "client-status"}), BAD),
        (json!({"action": "client-status", "status": "left"}), BAD),
        (json!({"action": "client-status", "status": null}), BAD),
        (json!({"action": "client-status", "status": "online", "text": 7}), BAD),
        (json!({"action": "client-status", "status": "online", "text": long}), BAD),
    ];
    // Not held, deleted, a delete; there is nothing yet.
    for target in [0, 2, 3, 4, u64::MAX] {
        table.push((json!({"action": "client-edit", "target": target, "content": "x"}), "unknown-target"));
        table.push((json!({"action": "client-delete", "target": target}), "unknown-target"));
        table.push((
            json!({"action": "client-receipt", "target": target, "status": "delivered"}),
            "unknown-target",
        ));
    }
    table
}

/// A client with a message at 1, and what is said above of 2 and 3.
async fn room(harness: &Harness) -> (Rich, Rich) {
    let mut client = harness.join_rich("irc").await;
    let mut other = harness.join_rich("other").await;
    client.say(&[named("mine", "mine")]).await;
    assert_eq!(client.hear().await, acked("mine", 1));
    assert_eq!(other.hear().await, told("irc", "mine", 1));
    other.say(&[nameless("theirs"), json!({"action": "client-delete", "target": 2, "id": "d"})]).await;
    assert_eq!(other.hear().await, acked("d", 3));
    assert_eq!(client.hear_all(2).await.last().unwrap()["seq"], 3);
    (client, other)
}

/// A router that bears any number of bad packets.
fn patient() -> Harness {
    Harness::new(Limits { bad_packets: None, ..Limits::default() })
}

#[tokio::test(start_paused = true)]
async fn what_is_no_packet_is_answered_with_an_error_and_its_id_if_that_can_be_read() {
    let harness = patient();
    let (mut client, mut other) = room(&harness).await;
    for (packet, code, id) in no_packets() {
        client.raw.say(&packet).await;
        assert_eq!(client.hear().await, refused(id, code), "{packet}");
    }
    client.raw.send(&frame(FINAL | BINARY, nameless("binary").to_string().as_bytes())).await;
    client.raw.send(&frame(FINAL | BINARY, b"")).await;
    assert_eq!(client.hear_all(2).await, [refused(None, BAD), refused(None, BAD)]);
    assert!(other.is_silent().await);
    assert_eq!(harness.room.newest(), 3);
    client.say(&[named("a", "carries on")]).await;
    assert_eq!(client.hear().await, acked("a", 4));
    assert_eq!(other.hear().await, told("irc", "carries on", 4));
}

#[tokio::test(start_paused = true)]
async fn every_bad_message_is_refused_for_what_it_is() {
    let harness = patient();
    let (mut client, mut other) = room(&harness).await;
    for (fields, code) in bad_messages() {
        let mut packet = nameless("x");
        packet.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        if packet["content"].is_null() && packet.get("attachments").is_some() {
            // As good as none, where there may be none.
            packet.as_object_mut().unwrap().remove("content");
        }
        client.say(std::slice::from_ref(&packet)).await;
        assert_eq!(client.hear().await, refused(None, code), "{packet}");
        packet["id"] = json!("a");
        client.say(std::slice::from_ref(&packet)).await;
        assert_eq!(client.hear().await, refused(Some("a"), code), "{packet}");
    }
    for id in [json!(""), json!("x".repeat(65)), json!("\u{1f600}".repeat(17)), json!(7), json!({})] {
        client.say(&[json!({"action": "client-message", "content": "x", "id": id})]).await;
        assert_eq!(client.hear().await, refused(None, BAD), "{id}");
    }
    assert!(other.is_silent().await);
    assert_eq!(harness.room.newest(), 3, "an id of what was refused is not taken");
    client.say(&[named("a", "carries on")]).await;
    assert_eq!(client.hear().await, acked("a", 4));
}

#[tokio::test(start_paused = true)]
async fn every_other_bad_packet_is_refused_for_what_it_is() {
    let harness = patient();
    let (mut client, mut other) = room(&harness).await;
    let mut subscriber = harness.join_rich_with("subscriber", &json!({"presence": true})).await;
    sleep(Duration::from_millis(200)).await;
    for (mut packet, code) in bad_others() {
        client.say(std::slice::from_ref(&packet)).await;
        assert_eq!(client.hear().await, refused(None, code), "{packet}");
        if ["client-edit", "client-delete"].contains(&packet["action"].as_str().unwrap()) {
            packet["id"] = json!("a");
            client.say(std::slice::from_ref(&packet)).await;
            assert_eq!(client.hear().await, refused(Some("a"), code), "{packet}");
        }
    }
    // Another's, in the same name too.
    let mut twin = harness.join_rich("irc").await;
    for (who, code) in [(&mut twin, "not-allowed"), (&mut other, "not-allowed")] {
        who.say(&[json!({"action": "client-edit", "target": 1, "content": "x", "id": "n"})]).await;
        assert_eq!(who.hear().await, refused(Some("n"), code));
        who.say(&[json!({"action": "client-delete", "target": 1})]).await;
        assert_eq!(who.hear().await, refused(None, code));
    }
    assert!(other.is_silent().await && subscriber.is_silent_for(Duration::from_secs(1)).await);
    assert_eq!(harness.room.newest(), 3);
    client.say(&[json!({"action": "client-edit", "target": 1, "content": "carries on", "id": "a"})]).await;
    assert_eq!(client.hear().await, acked("a", 4));
}

#[tokio::test(start_paused = true)]
async fn everything_may_be_as_long_as_its_bound() {
    let harness = patient();
    let (mut client, mut other) = room(&harness).await;
    let long = |bytes: usize| "x".repeat(bytes);
    let attachments =
        vec![json!({"url": "HTTPS://EXAMPLE.ORG", "name": "", "mime": "", "size": u64::MAX}); 10];
    let sender = json!({"name": long(256), "id": "", "avatar": "http://user:pass@example.org:8080/%20?q#f"});
    client.say(&[
        json!({"action": "client-message", "id": long(64), "content": "x", "event": long(64), "reply-to": 3, "attachments": attachments, "sender": sender}),
        json!({"action": "client-receipt", "target": 1, "status": "failed", "reason": long(1024), "remote-id": long(1024)}),
        json!({"action": "client-receipt", "target": 1, "status": "delivered", "reason": "", "remote-id": ""}),
        json!({"action": "client-status", "status": "offline", "text": long(1024)}),
        json!({"action": "client-status", "status": "offline", "text": ""}),
        json!({"action": "client-message", "content": "later", "something": {"new": []}}),
    ]).await;
    let heard = other.hear_all(2).await;
    assert_eq!(
        (&heard[0]["attachments"], &heard[0]["sender"], &heard[0]["reply-to"]),
        (&json!(attachments), &sender, &json!(3))
    );
    assert_eq!(heard[1], told("irc", "later", 5));
    let mut heard = client.hear_all(3).await;
    heard.sort_by_key(|packet| packet["action"] == "message-ack");
    assert_eq!(heard[2], acked(&long(64), 4));
    assert_eq!((&heard[0]["reason"], &heard[0]["remote-id"]), (&json!(long(1024)), &json!(long(1024))));
    assert_eq!((&heard[1]["reason"], &heard[1]["remote-id"]), (&json!(""), &json!("")));
}

#[tokio::test(start_paused = true)]
async fn sixty_bad_packets_have_their_errors_and_then_the_connection_is_closed() {
    for (packet, code, id) in [
        (text("nonsense"), BAD, None),
        (text(r#"{"action":"client-shout","id":"a"}"#), "unknown-action", Some("a")),
        (text(r#"{"action":"client-message","content":""}"#), "empty-content", None),
        (text(r#"{"action":"client-message","content":"x","attachments":[{"url":""}]}"#), ATTACHMENT, None),
        (text(&rich_register("irc", &json!({}))), BAD, None),
        (frame(FINAL | BINARY, b"{}"), BAD, None),
    ] {
        let harness = Harness::new(Limits::default());
        let (mut client, mut other) = room(&harness).await;
        client.raw.send(&packet.repeat(60)).await;
        assert_eq!(client.hear_all(60).await, vec![refused(id, code); 60]);
        client.say(&[named("a", "still there")]).await;
        assert_eq!(client.hear().await, acked("a", 4));
        client.raw.send(&[packet, text(&nameless("after").to_string())].concat()).await;
        assert_eq!(client.end().await, (vec![], Some(1008)));
        assert_eq!(other.hear().await, told("irc", "still there", 4));
        assert!(other.is_silent().await);
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_is_late_or_may_not_is_not_closed_for_it() {
    let harness = Harness::new(Limits::default());
    let (mut client, mut other) = room(&harness).await;
    for _ in 0..100 {
        other
            .say(&[
                json!({"action": "client-edit", "target": 2, "content": "x", "id": "a"}),
                json!({"action": "client-delete", "target": 1, "id": "b"}),
                json!({"action": "client-message", "reply-to": 99, "content": "x", "id": "c"}),
                json!({"action": "client-receipt", "target": 2, "status": "failed"}),
            ])
            .await;
        let expected = [
            refused(Some("a"), "unknown-target"),
            refused(Some("b"), "not-allowed"),
            refused(Some("c"), "unknown-target"),
            refused(None, "unknown-target"),
        ];
        assert_eq!(other.hear_all(4).await, expected);
    }
    other.say(&[named("a", "hello")]).await;
    assert_eq!(other.hear().await, acked("a", 4));
    assert_eq!(client.hear().await, told("other", "hello", 4));
    settle().await;
    assert_eq!(harness.room.newest(), 4);
}
