//! What a plain client gets where others speak the rich dialect: what the original router would send, and not a
//! byte more.

use serde_json::{Value, json};

use super::{
    harness::{Harness, forwarded, settle},
    raw::End,
    rich_client::{nameless, rich_register, told},
};
use crate::{
    config::Limits,
    rate::{Rate, Rates},
};

const CAT: &str = "https://example.org/cat.png";
const DOG: &str = "http://example.org/dog";

fn edit(target: u64, content: &str) -> Value {
    json!({"action": "client-edit", "target": target, "content": content, "id": format!("edit {target}")})
}

fn delete(target: u64) -> Value {
    json!({"action": "client-delete", "target": target, "id": format!("delete {target}")})
}

/// A message with these fields.
fn with(content: &str, fields: Value) -> Value {
    let mut packet = nameless(content);
    let Value::Object(fields) = fields else { unreachable!() };
    packet.as_object_mut().unwrap().extend(fields);
    packet
}

/// What "mc" says, entry by entry, and what a plain client gets of it.
fn conversation() -> Vec<(Value, Option<&'static str>)> {
    let from = |name: &str| json!({"sender": {"name": name}});
    vec![
        // 1 on
        (
            with("hello", json!({"id": "a", "sender": {"name": "alice", "id": "u42", "avatar": CAT}})),
            Some("<alice> hello"),
        ),
        (nameless("no sender"), Some("no sender")),
        (with("yes", json!({"sender": {"name": "bob"}, "reply-to": 1})), Some("<bob> (re alice) yes")),
        (with("indeed", json!({"reply-to": 2, "id": "b"})), Some("(re mc) indeed")),
        // 5 on
        (
            with(
                "look",
                json!({"attachments": [{"url": CAT, "name": "cat.png", "mime": "image/png", "size": 1}, {"url": DOG}]}),
            ),
            Some("look\n[cat.png] https://example.org/cat.png\nhttp://example.org/dog"),
        ),
        (
            with(
                "",
                json!({"attachments": [{"url": CAT, "name": ""}], "sender": {"name": "bob"}, "reply-to": 3}),
            ),
            Some("<bob> (re bob) https://example.org/cat.png"),
        ),
        (
            json!({"action": "client-message", "attachments": [{"url": DOG, "name": "dog"}]}),
            Some("[dog] http://example.org/dog"),
        ),
        (
            with("empty list", json!({"attachments": [], "event": null, "reply-to": null, "sender": null})),
            Some("empty list"),
        ),
        // 9 on
        (
            with("alice joined", json!({"event": "join", "sender": {"name": "alice"}, "reply-to": 1})),
            Some("alice joined"),
        ),
        (edit(1, "hello, world"), Some("<alice> (edited) hello, world")),
        (edit(2, "still none"), Some("(edited) still none")),
        (delete(2), None),
        // 13 on
        (with("to a deleted one", json!({"reply-to": 2})), Some("to a deleted one")),
        (with("to an edit", json!({"reply-to": 10})), Some("to an edit")),
        (with("to a delete", json!({"reply-to": 12})), Some("to a delete")),
        (with("to an event", json!({"reply-to": 9})), Some("(re alice) to an event")),
        // 17 on
        (with("clean", from("al\u{202e}i\nce\u{0}")), Some("<alice> clean")),
        (with("nothing left", from("\u{202e}\n")), Some("nothing left")),
        (with("to nobody", json!({"reply-to": 18})), Some("(re mc) to nobody")),
        (edit(17, "cleaner"), Some("<alice> (edited) cleaner")),
        (edit(18, "nobody"), Some("(edited) nobody")),
        (
            with("<b>\"\\\r\n\u{7f}\u{2028} \u{1f600}", from("名前")),
            Some("<名前> <b>\"\\\r\n\u{7f}\u{2028} \u{1f600}"),
        ),
        (delete(22), None),
        (edit(9, "alice is here"), Some("<alice> (edited) alice is here")),
    ]
}

#[tokio::test(start_paused = true)]
async fn everything_rich_is_rendered_down_or_not_sent_at_all() {
    let harness = Harness::new(Limits {
        rates: Rates { messages: Rate::new(10, std::time::Duration::from_secs(1), 100), bytes: None },
        ..Limits::default()
    });
    let irc = harness.join_raw("irc").await;
    let mut mc = harness.join_rich_with("mc", &json!({"presence": true, "history": 50})).await;
    let mut other = harness.join_rich("other").await;
    let conversation = conversation();
    let mut expected = Vec::new();
    for (seq, (packet, rendered)) in (1..).zip(&conversation) {
        mc.say(std::slice::from_ref(packet)).await;
        // All else that there is, and none of it for a plain client.
        mc.say(&[
            json!({"action": "client-status", "status": "degraded", "text": format!("{seq}")}),
            json!({"action": "client-receipt", "target": seq, "status": "delivered"}),
            json!({"action": "client-edit", "id": "x", "target": 999, "content": "nothing"}),
        ])
        .await;
        assert_eq!(other.hear().await["seq"], seq, "{packet}");
        other
            .say(&[json!({"action": "client-receipt", "target": 1, "status": "failed", "reason": "no"})])
            .await;
        expected.extend(rendered.map(|content| forwarded("mc", content)));
        tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    }
    // One that leaves, resumes, is replaced, floods and is closed.
    let resume = other.resume();
    let again = harness.join_rich_with("other", &resume).await;
    let (_, code) = other.end().await;
    assert_eq!(code, Some(4409));
    again.vanish().await;
    let mut flood = harness.join_rich("flood").await;
    flood.say(&vec![json!({"action": "nonsense"}); 61]).await;
    assert_eq!(flood.end().await.1, Some(1008));
    let mut stranger = harness.connect_raw();
    stranger.say(&rich_register("irc", &json!({"protocol": 0}))).await;
    assert_eq!(stranger.end_politely().await.code, Some(4400));
    settle().await;
    assert_eq!(harness.room.newest(), conversation.len() as u64);
    harness.room.close();
    assert_eq!(irc.end_politely().await, End { texts: expected, code: Some(1001), was_reset: false });
}

#[tokio::test(start_paused = true)]
async fn the_rich_get_it_as_it_came() {
    let harness = Harness::new(Limits::default());
    let mut mc = harness.join_rich("mc").await;
    let mut other = harness.join_rich("other").await;
    // Nobody speaks plain here, and then somebody does.
    for (seq, (packet, _)) in (1_u64..).zip(conversation()) {
        let mut expected = packet.clone();
        let fields = expected.as_object_mut().unwrap();
        fields.remove("id");
        fields.retain(|_, value| !value.is_null() && *value != json!([]));
        let action = packet["action"].as_str().unwrap().replace("client", "forwarding");
        fields.insert("action".to_owned(), json!(action));
        if action == "forwarding-message" {
            fields.entry("content").or_insert(json!(""));
        }
        fields.extend([("source-client-name".to_owned(), json!("mc")), ("seq".to_owned(), json!(seq))]);
        mc.say(&[packet]).await;
        assert_eq!(other.hear().await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn plain_messages_have_their_places_too_and_can_be_answered() {
    let harness = Harness::new(Limits::default());
    let mut irc = harness.join_raw("irc").await;
    let mut twin = harness.join_raw("irc").await;
    let mut mc = harness.join_rich("mc").await;
    irc.chat("from irc \u{1f600}\n\"").await;
    assert_eq!(mc.hear().await, told("irc", "from irc \u{1f600}\n\"", 1));
    mc.say(&[with("hi", json!({"reply-to": 1}))]).await;
    assert_eq!(irc.hear().await, forwarded("mc", "(re irc) hi"));
    assert_eq!(twin.hear().await, forwarded("irc", "from irc \u{1f600}\n\""));
    assert_eq!(twin.hear().await, forwarded("mc", "(re irc) hi"));
}

#[tokio::test(start_paused = true)]
async fn a_reply_to_what_the_log_has_let_go_of_has_no_mark() {
    let harness = Harness::new(Limits { log_entries: 16, ..Limits::default() });
    let mut irc = harness.join_raw("irc").await;
    let mut mc = harness.join_rich("mc").await;
    for number in 1..=16 {
        mc.say(&[nameless(&format!("{number}"))]).await;
        assert_eq!(irc.hear().await, forwarded("mc", &format!("{number}")));
    }
    mc.say(&[with("held", json!({"reply-to": 1})), with("gone", json!({"reply-to": 1}))]).await;
    assert_eq!(irc.hear().await, forwarded("mc", "(re mc) held"), "when it was entered");
    assert_eq!(irc.hear().await, forwarded("mc", "gone"));
}

#[tokio::test(start_paused = true)]
async fn a_reply_keeps_its_mark_whatever_becomes_of_its_target_afterwards() {
    let harness = Harness::new(Limits::default());
    let mut mc = harness.join_rich("mc").await;
    // Nobody speaks plain when these are entered, and nobody asks for them before the target is gone.
    mc.say(&[nameless("target"), with("reply", json!({"reply-to": 1, "id": "r"})), delete(1)]).await;
    mc.hear_all(2).await;
    let mut watcher = harness.join_rich_with("watcher", &json!({"history": 3})).await;
    assert_eq!(watcher.hear_all(3).await[1]["reply-to"], 1);
}
