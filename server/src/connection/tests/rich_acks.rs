//! Acks: where they come, and what a client gets that says the same again.

use serde_json::{Value, json};
use tokio::task::yield_now;

use super::{
    harness::{Harness, Setup, settle},
    raw::{Raw, text},
    rich_client::{Rich, acked, named, nameless, refused, rich_register, told},
};
use crate::config::Limits;

#[tokio::test(start_paused = true)]
async fn an_ack_comes_where_others_get_the_entry() {
    const EACH: usize = 60;
    let harness = Harness::new(Limits::default());
    let mut clients = Vec::new();
    for name in ["a", "b", "c"] {
        clients.push(harness.join_rich(name).await);
    }
    let tasks = clients.into_iter().map(|mut client| {
        tokio::spawn(async move {
            for number in 0..EACH {
                client.say(&[named(&format!("{number}"), &format!("{} {number}", client.name))]).await;
                if number % (client.name.len() + 3) == 0 {
                    yield_now().await;
                }
            }
            client.hear_all(3 * EACH).await
        })
    });
    let mut streams = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        streams.push(task.await.unwrap());
    }
    for seq in 0..3 * EACH {
        let at = streams.iter().map(|stream| &stream[seq]).collect::<Vec<_>>();
        assert!(at.iter().all(|packet| packet["seq"] == seq + 1), "{at:?}");
        let acks = at.iter().filter(|packet| packet["action"] == "message-ack").collect::<Vec<_>>();
        let told = at.iter().filter(|packet| packet["action"] == "forwarding-message").collect::<Vec<_>>();
        assert_eq!((acks.len(), told.len()), (1, 2));
        assert_eq!(told[0], told[1]);
        assert!(
            told[0]["content"].as_str().unwrap().ends_with(&format!(" {}", acks[0]["id"].as_str().unwrap()))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_has_no_id_has_no_ack_and_nobody_gets_its_own() {
    let harness = Harness::new(Limits::default());
    let mut client = harness.join_rich("irc").await;
    let mut other = harness.join_rich("irc").await;
    client
        .say(&[nameless("one"), named("b", "two"), nameless("three"), nameless("four"), named("e", "five")])
        .await;
    assert_eq!(client.hear_all(2).await, [acked("b", 2), acked("e", 5)]);
    let expected = ["one", "two", "three", "four", "five"];
    let expected =
        expected.iter().zip(1..).map(|(content, seq)| told("irc", content, seq)).collect::<Vec<_>>();
    assert_eq!(other.hear_all(5).await, expected, "another session of the same name does");
    assert!(client.is_silent().await);
}

#[tokio::test(start_paused = true)]
async fn an_id_may_have_sixty_four_bytes_of_any_kind() {
    let harness = Harness::new(Limits::default());
    let mut client = harness.join_rich("irc").await;
    for (id, seq) in ["x".repeat(64), "\u{1f600}".repeat(16), "\"\\\u{0}\u{2028}".to_owned()].iter().zip(1..)
    {
        client.say(&[named(id, "hello")]).await;
        assert_eq!(client.hear().await, acked(id, seq));
    }
}

/// Packets that all have the same `id`, good and not so good ones.
fn the_same_again() -> Vec<Value> {
    vec![
        named("a", "one"),
        named("a", "another text"),
        json!({"action": "client-message", "id": "a", "content": "x", "reply-to": 77}),
        json!({"action": "client-edit", "id": "a", "target": 1, "content": "x"}),
        json!({"action": "client-edit", "id": "a", "target": 77, "content": "x"}),
        json!({"action": "client-delete", "id": "a", "target": 1}),
        json!({"action": "client-delete", "id": "a", "target": 2}),
    ]
}

#[tokio::test(start_paused = true)]
async fn whoever_says_the_same_again_gets_the_same_ack_and_nothing_is_entered() {
    let harness = Harness::new(Limits::default());
    let mut other = harness.join_rich("other").await;
    let mut client = harness.join_rich("irc").await;
    client
        .say(&[named("a", "one"), json!({"action": "client-edit", "id": "e", "target": 1, "content": "two"})])
        .await;
    let first = client.raw.hear().await;
    client.note(&first);
    assert_eq!(client.hear().await, acked("e", 2));
    other.hear_all(2).await;
    for packet in the_same_again() {
        client.say(&[packet]).await;
        assert_eq!(client.raw.hear().await, first, "to the byte");
    }
    for packet in [named("e", "x"), json!({"action": "client-delete", "id": "e", "target": 1})] {
        client.say(&[packet]).await;
        assert_eq!(client.hear().await, acked("e", 2));
    }
    assert!(other.is_silent().await);
    assert_eq!(harness.room.newest(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_second_ack_comes_no_sooner_than_its_place() {
    let harness = Harness::without_fan_out(Limits::default());
    let mut client = harness.join_rich("irc").await;
    let mut other = harness.join_rich("other").await;
    other.say(&[nameless("before")]).await;
    settle().await;
    client.say(&[named("a", "one"), named("a", "one"), named("b", "two"), named("a", "one")]).await;
    client.say(&[json!({"action": "client-delete", "id": "d", "target": 77})]).await;
    settle().await;
    other.say(&[nameless("after")]).await;
    settle().await;
    tokio::spawn(harness.room.clone().fan_out(0));
    let heard = client.hear_all(7).await;
    let expected = [told("other", "before", 1), acked("a", 2), acked("b", 3), told("other", "after", 4)];
    let seqs = heard.iter().filter_map(|packet| packet["seq"].as_u64()).collect::<Vec<_>>();
    assert_eq!(heard[..2], expected[..2]);
    for packet in expected {
        assert!(heard.contains(&packet), "{packet}");
    }
    assert_eq!(seqs.iter().filter(|seq| **seq == 2).count(), 3, "{heard:?}");
    assert!(heard.contains(&refused(Some("d"), "unknown-target")));
    assert!(client.is_silent().await);
}

#[tokio::test(start_paused = true)]
async fn an_id_is_its_sessions_own() {
    let harness = Harness::new(Limits::default());
    let mut clients = Vec::new();
    for name in ["irc", "irc", "mc"] {
        clients.push(harness.join_rich(name).await);
    }
    for (seq, client) in (1..).zip(&mut clients) {
        client.say(&[named("a", "hello")]).await;
        settle().await;
        client.hear_all(usize::try_from(seq).unwrap() - 1).await;
        assert_eq!(client.hear().await, acked("a", seq));
    }
    assert_eq!(
        clients[0].hear_all(2).await,
        [told("irc", "hello", 2), told("mc", "hello", 3)],
        "ids are told to nobody"
    );
}

#[tokio::test(start_paused = true)]
async fn an_id_is_kept_as_long_again_as_its_entry_and_then_forgotten() {
    const KEPT: u64 = 16;
    let harness = Harness::new(Limits { log_entries: 16, ..Limits::default() });
    let mut client = harness.join_rich("irc").await;
    client.say(&[named("a", "first")]).await;
    assert_eq!(client.hear().await, acked("a", 1));
    for seq in 2..=2 * KEPT {
        client.say(&[named(&format!("{seq}"), "more")]).await;
        assert_eq!(client.hear().await, acked(&format!("{seq}"), seq));
        client.say(&[named("a", "again")]).await;
        assert_eq!(client.hear().await, acked("a", 1));
    }
    client.say(&[named("33", "one too many")]).await;
    client.say(&[named("a", "new")]).await;
    assert_eq!(client.hear_all(2).await, [acked("33", 33), acked("a", 34)]);
    client.say(&[named("a", "again")]).await;
    assert_eq!(client.hear().await, acked("a", 34));
}

#[tokio::test(start_paused = true)]
async fn acks_that_were_lost_come_with_the_replay_in_their_places() {
    let harness = Harness::new(Limits::default());
    let mut other = harness.join_rich("other").await;
    let mut client = harness.join_rich("irc").await;
    let own = |number: usize| named(&format!("{number}"), "own");
    for number in [2, 4, 5] {
        other.say(&[nameless("theirs")]).await;
        settle().await;
        client.say(&[own(number), own(number)]).await;
        settle().await;
    }
    let resume = client.resume();
    assert_eq!(client.cursor, 0, "it has read nothing");
    client.vanish().await;
    // The last one did not even arrive.
    let mut client = harness.join_rich_with("irc", &resume).await;
    assert_eq!(
        (&client.ack["recovered"], &client.ack["seq"], &client.ack["after"]),
        (&json!(true), &json!(6), &json!(0))
    );
    let expected = [
        told("other", "theirs", 1),
        acked("2", 2),
        told("other", "theirs", 3),
        acked("4", 4),
        told("other", "theirs", 5),
        acked("5", 6),
    ];
    assert_eq!(client.hear_all(6).await, expected);
    client.say(&[own(2), own(4), own(5), own(7)]).await;
    let mut acks = client.hear_all(4).await;
    acks.sort_by_key(|packet| packet["seq"].as_u64());
    assert_eq!(acks, [acked("2", 2), acked("4", 4), acked("5", 6), acked("7", 7)]);
    assert_eq!(other.hear_all(4).await.last(), Some(&told("irc", "own", 7)));
    assert!(client.is_silent().await);
}

#[tokio::test(start_paused = true)]
async fn what_is_said_over_two_connections_while_one_replaces_the_other_is_entered_once() {
    for steps in 0..40 {
        let harness = Harness::new(Limits::default());
        let mut other = harness.join_rich("other").await;
        let mut older = harness.join_rich("irc").await;
        let resume = older.resume();
        let say = [named("a", "one"), named("b", "two")];
        older.say(&say).await;
        for _ in 0..steps {
            yield_now().await;
        }
        let both = say.iter().flat_map(|packet| text(&packet.to_string()));
        let early = text(&rich_register("irc", &resume)).into_iter().chain(both).collect::<Vec<_>>();
        let mut raw = Raw::new(harness.attach_with(Setup { early: early.into(), ..Setup::default() }));
        // The older one goes on until it is told.
        let _ = tokio::time::timeout(std::time::Duration::ZERO, older.say(&say)).await;
        let text = raw.hear().await;
        assert!(text.contains(r#""recovered":true"#));
        settle().await;
        assert_eq!(harness.room.newest(), 2, "{steps}");
        assert_eq!(other.hear_all(2).await, [told("irc", "one", 1), told("irc", "two", 2)]);
        assert!(other.is_silent().await);

        harness.room.close();
        let end = raw.end_politely().await;
        let acks = |id: &str| {
            end.texts.iter().filter(|packet| packet.contains(&format!(r#""id":"{id}""#))).collect::<Vec<_>>()
        };
        for id in ["a", "b"] {
            let acks = acks(id);
            assert!(!acks.is_empty() && acks.len() <= 2, "{steps}: {:?}", end.texts);
            assert!(acks.iter().all(|ack| *ack == acks[0]), "{acks:?}");
        }
        assert_eq!(end.texts.len(), acks("a").len() + acks("b").len());
        let (heard, code) = older.end().await;
        assert_eq!(code, Some(4409), "{steps}");
        assert!(heard.iter().all(|packet| packet["action"] == "message-ack"));
    }
}

#[tokio::test(start_paused = true)]
async fn edits_and_deletes_have_acks_too() {
    let harness = Harness::new(Limits::default());
    let mut client = harness.join_rich("irc").await;
    client
        .say(&[
            nameless("hello"),
            json!({"action": "client-edit", "id": "e", "target": 1, "content": "hello, world"}),
            json!({"action": "client-edit", "target": 1, "content": "hello, you"}),
            json!({"action": "client-delete", "id": "d", "target": 1}),
            json!({"action": "client-delete", "id": "d2", "target": 1}),
            json!({"action": "client-edit", "id": "e2", "target": 1, "content": "too late"}),
        ])
        .await;
    let mut heard = client.hear_all(4).await;
    heard.sort_by_key(ToString::to_string);
    assert_eq!(
        heard,
        [
            refused(Some("d2"), "unknown-target"),
            refused(Some("e2"), "unknown-target"),
            acked("d", 4),
            acked("e", 2),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn acks_of_a_client_that_reads_late_wait_for_it_however_many() {
    const COUNT: u64 = 1500;
    let harness = Harness::new(Limits::default());
    let setup = Setup { pipe_bytes: 61, ..Setup::default() };
    let Rich { mut raw, .. } = harness.join_rich_over("irc", &json!({}), setup).await;
    for number in 1..=COUNT {
        raw.say(&named(&format!("{number}"), "x").to_string()).await;
    }
    for number in 1..=COUNT {
        let packet: Value = serde_json::from_str(&raw.hear().await).unwrap();
        assert_eq!((&packet["id"], &packet["seq"]), (&json!(format!("{number}")), &json!(number)));
    }
}

#[tokio::test(start_paused = true)]
async fn small_packets_right_behind_a_large_one_are_not_lost() {
    const SMALL: usize = 100;
    let harness = Harness::new(Limits::default());
    let setup = Setup { pipe_bytes: 1 << 20, ..Setup::default() };
    let mut client = harness.join_rich_over("irc", &json!({}), setup).await;
    for round in 0..3 {
        let large = named(&format!("{round}"), &"x".repeat(100_000));
        let small = (0..SMALL).map(|number| named(&format!("{round}.{number}"), "x"));
        client.say(&std::iter::once(large).chain(small).collect::<Vec<_>>()).await;
        let seqs = client.hear_all(SMALL + 1).await.into_iter().map(|packet| packet["seq"].as_u64().unwrap());
        let before = round * (SMALL as u64 + 1);
        assert_eq!(seqs.collect::<Vec<_>>(), (before + 1..=before + SMALL as u64 + 1).collect::<Vec<_>>());
    }
}
