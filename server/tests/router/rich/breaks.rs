//! Connections that end, and sessions that go on.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    super::support::{Client, End, MIB, Random, Rich, Route, Server, Setup, Signal, reason},
    error, message_ack, seq_of, timeless, wordless,
};

const REPLACED: &str = "its session was resumed on another connection";

#[tokio::test]
async fn who_vanishes_and_comes_back_misses_nothing_and_leaves_nothing_behind() {
    const LAST: u64 = 60;
    for setup in [Setup::new(), Setup::new().wss()] {
        let server = setup.limits(json!({"close-seconds": 0.3})).start().await;
        let mut bob = Rich::join(&server, "bob").await;
        let mut alice = Rich::ask_by(Route::narrow(), &server, "alice", json!({})).await;
        let descriptors = server.descriptors();
        assert_eq!(bob.chat("1").await, 1);
        assert_eq!(seq_of(&alice.client.text().await), 1);
        alice.client.stream.vanish();
        // More than any socket takes.
        let content = "x".repeat(64 * 1024);
        for seq in 2..=LAST {
            bob.say(&json!({"action": "client-message", "content": content, "id": format!("{seq}")})).await;
            assert_eq!(timeless(bob.hear().await).0, message_ack(&format!("{seq}"), seq));
        }
        let mut back = Rich::ask(&server, "alice", alice.resume(1)).await;
        assert_eq!(back.ack["recovered"], true);
        for seq in 2..=LAST {
            assert_eq!(seq_of(&back.client.text().await), seq);
        }
        // The one that nobody hears any more is told, but not waited for.
        server.logged("that it is replaced", reason(REPLACED)).await;
        server.all_given_back(descriptors).await;
        assert_eq!(back.chat("here again").await, LAST + 1);
        assert_eq!(bob.hear().await["content"], "here again");
        assert_eq!(bob.chat("welcome").await, LAST + 2);
        assert_eq!(back.hear().await["content"], "welcome");
    }
}

/// A session whose connections end in the midst of the replay, over and over.
#[tokio::test]
async fn a_replay_may_break_off_anywhere() {
    const ENTRIES: u64 = 400;
    for setup in [Setup::new(), Setup::new().wss()] {
        let server = setup.start().await;
        let mut random = Random::new(Random::seed());
        let mut reader = Rich::join(&server, "reader").await;
        let mut sender = Rich::join(&server, "sender").await;
        let content = "x".repeat(8 * 1024);
        for seq in 1..=ENTRIES {
            // Some are its own.
            let speaker = if seq % 7 == 0 { &mut reader } else { &mut sender };
            speaker
                .say(&json!({"action": "client-message", "content": content, "id": format!("{seq}")}))
                .await;
            loop {
                let packet = speaker.hear().await;
                if packet["action"] == "message-ack" {
                    assert_eq!(packet["seq"], seq);
                    break;
                }
            }
        }
        let mut cursor = 0;
        while cursor < ENTRIES {
            reader.client.stream.reset_when_dropped();
            let fields = reader.resume(cursor);
            reader = Rich::ask_by(Route::narrow(), &server, "reader", fields).await;
            assert_eq!((&reader.ack["recovered"], reader.number("after")), (&json!(true), cursor));
            assert_eq!(reader.number("seq"), ENTRIES);
            for _ in 0..random.below(80) {
                if cursor < ENTRIES {
                    let text = reader.client.text().await;
                    assert_eq!(seq_of(&text), cursor + 1);
                    assert_eq!(text.contains("message-ack"), (cursor + 1) % 7 == 0);
                    cursor += 1;
                }
            }
        }
    }
}

#[tokio::test]
async fn who_is_overrun_is_told_so_and_of_the_gap() {
    const KEPT: u64 = 64;
    let limits = json!({"log-entries": KEPT, "write-stall-seconds": 600, "close-seconds": 60});
    for setup in [Setup::new(), Setup::new().wss()] {
        let server = setup.limits(limits.clone()).start().await;
        let mut alice = Rich::ask_by(Route::narrow(), &server, "alice", json!({})).await;
        let mut bob = Rich::join(&server, "bob").await;
        let content = "x".repeat(16 * 1024);
        let mut newest = 0;
        while server.log_count(reason("the log has moved on")) == 0 {
            newest += 1;
            bob.say(&json!({"action": "client-message", "content": content, "id": format!("{newest}")}))
                .await;
            assert_eq!(timeless(bob.hear().await).0, message_ack(&format!("{newest}"), newest));
        }
        let mut cursor = 0;
        let end = loop {
            match alice.client.try_text().await {
                Ok(text) => assert_eq!(seq_of(&text), cursor + 1, "nothing is skipped"),
                Err(end) => break end,
            }
            cursor += 1;
        };
        assert_eq!(end, End::closed(4513, "slow-consumer"));
        assert!(cursor > 0 && cursor < newest - KEPT, "{cursor} of {newest}");
        let mut again = Rich::ask(&server, "alice", alice.resume(cursor)).await;
        assert_eq!(again.ack["recovered"], false);
        assert_eq!((again.number("seq"), again.number("after")), (newest, newest));
        assert_eq!(again.ack["session"], alice.ack["session"]);
        assert_eq!(bob.chat("go on").await, newest + 1);
        assert_eq!(seq_of(&again.client.text().await), newest + 1);
    }
}

#[tokio::test]
async fn after_a_restart_nothing_is_recovered() {
    let mut server = Server::start().await;
    let mut alice = Rich::join(&server, "alice").await;
    assert_eq!(alice.chat("hello").await, 1);
    server.signal(Signal::KILL);
    server.ended().await;
    assert!(matches!(alice.client.end().await, End::Dropped | End::Reset));

    let mut server = Server::start().await;
    let mut fields = alice.resume(1);
    fields["history"] = json!(10);
    let mut again = Rich::ask(&server, "alice", fields).await;
    assert_eq!(again.ack["recovered"], false);
    assert_ne!(again.ack["session"], alice.ack["session"]);
    assert_ne!(again.ack["epoch"], alice.ack["epoch"]);
    assert_eq!((again.number("seq"), again.number("after")), (0, 0));
    // The log does not know its names any more.
    assert_eq!(again.chat("hello").await, 1);
    server.signal(Signal::TERM);
    assert_eq!(again.client.end().await, End::closed(1001, "going-away"));
    server.ended().await;
}

#[tokio::test]
async fn a_session_ends_after_its_time() {
    let server = Setup::new().limits(json!({"session-seconds": 0.05})).start().await;
    let mut alice = Rich::join(&server, "alice").await;
    assert_eq!(alice.chat("hello").await, 1);
    let fields = alice.resume(0);
    let mut again = alice;
    // The router may be slow to notice that it is gone.
    while again.ack["recovered"] != false {
        drop(again);
        sleep(Duration::from_millis(100)).await;
        again = Rich::ask(&server, "alice", fields.clone()).await;
    }
    assert_eq!(again.number("after"), 1);
    assert_ne!(again.ack["session"], fields["resume"]["session"]);
    assert_eq!(again.ack["epoch"], fields["resume"]["epoch"]);
    // What an earlier session said is another's.
    again.say(&json!({"action": "client-delete", "target": 1, "id": "d"})).await;
    assert_eq!(wordless(again.hear().await), error("d", "not-allowed"));
}

#[tokio::test]
async fn what_cannot_be_resumed_is_a_gap() {
    let server = Server::start().await;
    let mut alice = Rich::join(&server, "alice").await;
    for seq in 1..=5 {
        assert_eq!(alice.chat(&format!("{seq}")).await, seq);
    }
    let resume = |session: &Value, epoch: &Value, seq: u64| json!({"history": 2, "resume": {"session": session, "epoch": epoch, "seq": seq}});
    let (session, epoch) = (alice.ack["session"].clone(), alice.ack["epoch"].clone());
    let other = json!("no such thing");
    let mut kept = Vec::new();
    for (name, fields, keeps_session) in [
        ("alice", resume(&session, &other, 5), true),
        ("alice", resume(&session, &epoch, 6), true),
        ("alice", resume(&session, &epoch, u64::MAX), true),
        ("alice", resume(&other, &epoch, 5), false),
        ("bob", resume(&session, &epoch, 5), false),
    ] {
        let mut again = Rich::ask(&server, name, fields.clone()).await;
        assert_eq!(again.ack["recovered"], false, "{fields}");
        assert_eq!(again.ack["session"] == session, keeps_session, "{fields}");
        assert_eq!(again.ack["epoch"], epoch);
        assert_eq!((again.number("seq"), again.number("after")), (5, 3));
        for seq in 4..=5 {
            let (packet, _) = timeless(again.hear().await);
            let id = format!("{seq}");
            let own = message_ack(&id, seq);
            let others = json!({
                "action": "forwarding-message", "source-client-name": "alice", "content": id, "seq": seq
            });
            assert_eq!(packet, if keeps_session { own } else { others }, "{fields}");
        }
        kept.push(again);
    }
    // Each of the first three took it over from the one before.
    let is_replaced = reason(REPLACED);
    assert_eq!(alice.client.end().await, End::closed(4409, "replaced"));
    server.logged("that all are replaced", |line| is_replaced(line) && line["connection"] == 3).await;
    assert_eq!(server.log_count(&is_replaced), 3);
    for bad in [
        json!({"protocol": 0}),
        json!({"protocol": 2.0}),
        json!({"protocol": -2}),
        json!({"history": -1}),
        json!({"presence": 1}),
        json!({"resume": {"session": session, "epoch": epoch}}),
        json!({"resume": {"session": session, "epoch": "", "seq": 5}}),
    ] {
        let mut client = Client::connect(&server).await;
        client.say(&Rich::register("alice", bad.clone()).to_string()).await;
        assert_eq!(client.end().await, End::closed(4400, "bad-register"), "{bad}");
    }
}

/// Who is asked to wait, and does not.
#[tokio::test]
async fn who_goes_on_beyond_its_rate_is_refused_and_then_closed() {
    let limits = json!({"messages-per-second": 1, "messages-burst": 5});
    let server = Setup::new().limits(limits).start().await;
    let mut hasty = Rich::join(&server, "hasty").await;
    assert_eq!(
        hasty.ack["limits"],
        json!({"packet-bytes": MIB, "messages-per-second": 1, "messages-burst": 5})
    );
    let mut entered = Vec::new();
    let mut refused = 0;
    let end = 'end: {
        for number in 0.. {
            let id = format!("{number}");
            let packet = json!({"action": "client-message", "content": "x", "id": id}).to_string();
            hasty.client.say(&packet).await;
            let text = match hasty.client.try_text().await {
                Ok(text) => text,
                Err(end) => break 'end end,
            };
            let answer: Value = serde_json::from_str(&text).unwrap();
            if answer["action"] == "message-ack" {
                entered.push(answer);
            } else {
                assert_eq!(wordless(answer), error(&id, "rate-limited"));
                refused += 1;
                // What was entered is told even so.
                let first = &entered[0];
                hasty.say(&json!({"action": "client-message", "content": "x", "id": first["id"]})).await;
                match hasty.client.try_text().await {
                    Ok(text) => assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), *first),
                    Err(end) => break 'end end,
                }
            }
        }
        unreachable!()
    };
    assert_eq!(end, End::closed(4529, "rate-limited"));
    assert!(entered.len() >= 5 && refused >= 2, "{} {refused}", entered.len());
}
