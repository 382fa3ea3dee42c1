//! Which dialect a client gets, and what the answer to its `register` says.

use std::{collections::HashSet, time::Duration};

use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    harness::{ACK, EPOCH, Harness, KEY, Setup, forwarded, settle},
    raw::{PING, PONG, Raw, frame},
    rich_client::{Rich, acked, named, nameless, rich_register, told},
};
use crate::{
    config::Limits,
    rate::{Rate, Rates},
};

/// A `register` with this at its end.
fn register_with(fields: &str) -> String {
    format!(r#"{{"action":"register","client-name":"irc","secret-key":"{KEY}"{fields}}}"#)
}

/// Client messages that hold rich fields, good ones and others.
const RICH_FIELDS: [&str; 8] = [
    r#""id":"1""#,
    r#""id":7,"sender":"x","reply-to":-1,"attachments":"x","event":[]"#,
    r#""id":"","sender":{"name":""},"reply-to":77,"event":"""#,
    r#""id":"1","id":"1""#,
    r#""sender":{"name":"alice"}"#,
    r#""attachments":[{"url":"https://example.org/cat.png"}]"#,
    r#""attachments":[{"url":"file:///etc/passwd"}],"target":{}"#,
    r#""event":"join","protocol":2,"history":"x","status":1,"reason":2"#,
];

/// Talks as a plain client, and is answered as one.
async fn assert_plain(harness: &Harness, mut client: Raw, fields: &str) {
    let mut listener = harness.join_raw("listener").await;
    assert_eq!(client.hear().await, ACK, "{fields}");
    for fields in RICH_FIELDS {
        client.say(&format!(r#"{{"action":"client-message","content":"hello",{fields}}}"#)).await;
        assert_eq!(listener.hear().await, forwarded("irc", "hello"), "{fields}");
    }
    for packet in [
        r#"{"action":"client-edit","target":1,"content":"x","id":"e"}"#,
        r#"{"action":"client-delete","target":1,"id":"d"}"#,
        r#"{"action":"client-receipt","target":1,"status":"failed"}"#,
        r#"{"action":"client-status","status":"offline"}"#,
        r#"{"action":"client-message","attachments":[{"url":"https://example.org/cat.png"}]}"#,
    ] {
        client.say(packet).await;
    }
    listener.chat("hi").await;
    assert_eq!(client.hear().await, forwarded("listener", "hi"));
    client.send(&frame(PING, b"")).await;
    assert_eq!(client.next().await, Some((PONG, vec![])), "and nothing was answered");
    assert_eq!(harness.room.newest(), RICH_FIELDS.len() as u64 + 1);
}

#[tokio::test(start_paused = true)]
async fn who_does_not_ask_for_the_rich_dialect_gets_the_plain_one_whatever_else_it_asks() {
    for fields in [
        "",
        r#","protocol":null"#,
        r#","protocol":1"#,
        r#","history":50,"presence":true,"resume":{"session":"s","epoch":"e","seq":1}"#,
        r#","protocol":1,"history":50,"presence":true"#,
        r#","history":-1,"presence":"yes","resume":7"#,
        r#","protocol":1,"history":1.5,"presence":[],"resume":{}"#,
        r#","protocol":null,"history":{},"history":{},"resume":{"session":""}"#,
    ] {
        let harness = Harness::new(Limits::default());
        // Something that a history would have.
        harness.join_raw("before").await.chat("before").await;
        settle().await;
        let mut client = harness.connect_raw();
        client.say(&register_with(fields)).await;
        // One in the log is from before.
        let mut listener = harness.join_rich("watcher").await;
        assert_eq!(client.hear().await, ACK, "{fields}");
        client.chat("hello").await;
        assert_eq!(listener.hear().await, told("irc", "hello", 2), "{fields}");
    }
    let harness = Harness::new(Limits::default());
    let mut client = harness.connect_raw();
    client.say(&register_with(r#","protocol":1,"history":50"#)).await;
    assert_plain(&harness, client, "protocol 1").await;
}

#[tokio::test(start_paused = true)]
async fn a_client_of_an_earlier_day_is_answered_as_ever() {
    let harness = Harness::new(Limits::default());
    let mut client = harness.connect_raw();
    client.say(&register_with("")).await;
    assert_plain(&harness, client, "").await;
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_for_2_or_more_gets_2() {
    for protocol in ["2", "3", "4294967296", "18446744073709551615"] {
        for fields in ["", r#","history":null,"resume":null,"presence":null,"later":{}"#] {
            let harness = Harness::new(Limits::default());
            let mut raw = harness.connect_raw();
            raw.say(&register_with(&format!(r#","protocol":{protocol}{fields}"#))).await;
            let mut client = Rich::welcomed(raw, "irc").await;
            let names = client.ack.as_object().unwrap().keys().collect::<HashSet<_>>();
            let expected = ["action", "protocol", "session", "epoch", "seq", "after", "limits"];
            assert_eq!(names, expected.map(String::from).iter().collect(), "{protocol}{fields}");
            client.say(&[named("1", "hello")]).await;
            assert_eq!(client.hear().await["action"], "message-ack");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_register_with_a_rich_field_that_is_wrong_is_a_bad_one() {
    const TOO_LARGE: &str = "18446744073709551616";
    let mut bad = Vec::new();
    for protocol in [
        "0",
        "-0",
        "-1",
        "2.0",
        "2e0",
        "1.5",
        "1.0",
        "\"2\"",
        "true",
        "[2]",
        "{}",
        TOO_LARGE,
        "2,\"protocol\":2",
    ] {
        bad.push(format!(r#","protocol":{protocol}"#));
    }
    let rich = |fields: &str| format!(r#","protocol":2,{fields}"#);
    for history in ["-1", "1.0", "1e1", "\"1\"", "true", "[]", "{}", TOO_LARGE, "1,\"history\":1"] {
        bad.push(rich(&format!(r#""history":{history}"#)));
    }
    for presence in ["1", "0", "\"true\"", "[]", "{}", "true,\"presence\":true"] {
        bad.push(rich(&format!(r#""presence":{presence}"#)));
    }
    for resume in ["0", "\"s\"", "[]", "true", "{}", r#"["s","e",1]"#] {
        bad.push(rich(&format!(r#""resume":{resume}"#)));
    }
    // All of them with something wrong in one of its fields.
    let good = [("session", "\"s\""), ("epoch", "\"e\""), ("seq", "1")];
    let wrong: [&[Option<&str>]; 3] = [
        &[None, Some("null"), Some("1"), Some("\"\""), Some("{}"), Some("\"s\",\"session\":\"s\"")],
        &[None, Some("null"), Some("1"), Some("\"\""), Some("{}")],
        &[
            None,
            Some("null"),
            Some("-1"),
            Some("1.0"),
            Some("1e0"),
            Some("\"1\""),
            Some("true"),
            Some(TOO_LARGE),
        ],
    ];
    for (index, wrong) in wrong.iter().enumerate() {
        for value in *wrong {
            let mut fields = good.map(|(name, value)| (name, Some(value)));
            fields[index].1 = *value;
            let fields = fields.iter().filter_map(|(name, value)| Some(format!("\"{name}\":{}", (*value)?)));
            bad.push(rich(&format!(r#""resume":{{{}}}"#, fields.collect::<Vec<_>>().join(","))));
        }
    }
    let harness = Harness::new(Limits { failed_registrations: None, ..Limits::default() });
    for fields in bad {
        let mut client = harness.connect_raw();
        client.say(&register_with(&fields)).await;
        let end = client.end_politely().await;
        assert_eq!((end.texts, end.code, end.was_reset), (vec![], Some(4400), false), "{fields}");
    }
    assert!(harness.join_rich_with("watcher", &json!({"presence": true})).await.ack["clients"] == json!([]));
}

#[tokio::test(start_paused = true)]
async fn a_wrong_key_is_unauthorized_in_any_dialect() {
    let harness = Harness::new(Limits::default());
    let mut client = harness.connect_raw();
    client.say(&rich_register("irc", &json!({"secret-key": "wrong"}))).await;
    let end = client.end_politely().await;
    assert_eq!((end.texts, end.code), (vec![], Some(4401)));
}

/// The ack, without the name of the session, which is looked at.
fn without_session(client: &Rich) -> Value {
    let mut ack = client.ack.clone();
    let session = ack.as_object_mut().unwrap().remove("session").unwrap();
    assert_eq!(session.as_str().unwrap().len(), 26);
    ack
}

#[tokio::test(start_paused = true)]
async fn the_ack_says_what_was_asked_for_and_no_more() {
    let harness = Harness::new(Limits::default());
    let irc = harness.join_rich("irc").await;
    let mut expected = json!({
        "action": "register-ack", "protocol": 2, "epoch": EPOCH, "seq": 0, "after": 0,
        "limits": {"packet-bytes": 1_048_576}
    });
    assert_eq!(without_session(&irc), expected);

    let mut sender = harness.join_rich("sender").await;
    sender.say(&[named("a", "one"), named("b", "two"), named("c", "three")]).await;
    sender.hear_all(3).await;
    expected["seq"] = json!(3);
    expected["after"] = json!(3);
    assert_eq!(without_session(&harness.join_rich("irc").await), expected);
    expected["after"] = json!(1);
    assert_eq!(without_session(&harness.join_rich_with("irc", &json!({"history": 2})).await), expected);

    expected["recovered"] = json!(false);
    let fields = json!({"history": 2, "resume": {"session": "unknown", "epoch": EPOCH, "seq": 1}});
    assert_eq!(without_session(&harness.join_rich_with("irc", &fields).await), expected);

    expected["recovered"] = json!(true);
    let fields = irc.resume();
    expected["after"] = json!(0);
    assert_eq!(without_session(&harness.join_rich_with("irc", &fields).await), expected);
}

#[tokio::test(start_paused = true)]
async fn the_ack_says_the_limits_that_are_set() {
    let rate = Rate::new(50, Duration::from_secs(1), 7);
    let harness = Harness::new(Limits {
        packet_bytes: 70_000,
        rates: Rates { messages: rate, bytes: None },
        ..Limits::default()
    });
    let client = harness.join_rich("irc").await;
    assert_eq!(
        client.ack["limits"],
        json!({"packet-bytes": 70_000, "messages-per-second": 50, "messages-burst": 7})
    );
}

#[tokio::test(start_paused = true)]
async fn every_session_has_its_own_name() {
    let harness = Harness::new(Limits::default());
    let mut names = HashSet::new();
    for _ in 0..50 {
        names.insert(harness.join_rich("irc").await.session().to_owned());
    }
    assert_eq!(names.len(), 50);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_before_the_ack() {
    let harness = Harness::new(Limits::default());
    let mut sender = harness.join_rich("sender").await;
    let client = harness.join_rich("irc").await;
    let mut fields = client.resume();
    fields["presence"] = json!(true);
    let linger = Duration::from_secs(1);
    let mut raw = Raw::new(harness.attach_with(Setup { linger, ..Setup::default() }));
    let mut older = client;
    older.say(&[named("a", "mine")]).await;
    assert_eq!(sender.hear().await, told("irc", "mine", 1));
    raw.say(&rich_register("irc", &fields)).await;
    settle().await;
    sender
        .say(&[nameless("theirs"), json!({"action": "client-receipt", "target": 1, "status": "failed"})])
        .await;
    sender.say(&[json!({"action": "client-status", "status": "offline"})]).await;
    sleep(linger / 2).await;
    let mut client = Rich::welcomed(raw, "irc").await;
    assert_eq!((&client.ack["seq"], &client.ack["after"]), (&json!(1), &json!(0)));
    assert_eq!(client.hear_all(2).await, [acked("a", 1), told("sender", "theirs", 2)]);
    let rest = client.hear_all(2).await.iter().map(|packet| packet["action"].clone()).collect::<HashSet<_>>();
    assert_eq!(rest, HashSet::from([json!("forwarding-receipt"), json!("presence")]));
}
