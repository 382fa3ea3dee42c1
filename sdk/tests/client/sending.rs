//! What is sent, and what the router says to it.

use std::time::Duration;

use multichat::{
    Client, Confirmation, Event, Fate, SendError,
    protocol::{
        Attachment, ClientMessage, ClientPacket, ClientReceipt, ClientStatus, ErrorCode, ReceiptStatus,
        Sender, Status,
    },
};
use serde_json::{Value, json};

use crate::support::{
    Feed, Peer, Scripted, ack_of, confirmed, failed, rich_ack, said, same_session, soon, split,
};

async fn online(server: &Scripted) -> (Client, Feed, Peer) {
    online_with(server, json!({})).await
}

async fn online_with(server: &Scripted, ack: Value) -> (Client, Feed, Peer) {
    let (client, mut feed) = split(server.client().start().unwrap());
    let (peer, _) = server.welcome(&rich_ack(ack)).await;
    feed.online().await;
    (client, feed, peer)
}

fn error(packet: &Value, code: &str) -> Value {
    json!({"action": "error", "id": packet["id"], "code": code, "reason": "no"})
}

#[tokio::test]
async fn an_ack_says_where_it_is() {
    let server = Scripted::start().await;
    let (client, _feed, mut peer) = online(&server).await;
    let sent = client.send("hello");
    let packet = peer.expect("client-message").await;
    let id = packet["id"].as_str().unwrap();
    assert!((1..=64).contains(&id.len()));
    let bare = json!({"action": "client-message", "content": "hello", "id": id});
    assert_eq!(packet, bare);
    peer.tell(&json!({"action": "message-ack", "id": id, "seq": 7, "time": 1_763_800_000_123_u64})).await;
    let confirmation = soon("the ack", sent).await.unwrap();
    assert!(matches!(confirmation, Confirmation::Logged { seq: 7, time: 1_763_800_000_123, .. }));
    assert_eq!(confirmation.seq(), Some(7));
}

#[tokio::test]
async fn everything_that_can_be_said_is_sent() {
    let server = Scripted::start().await;
    let (client, _feed, mut peer) = online(&server).await;
    let mut cat = Attachment::new("https://cdn.example.org/cat.png");
    cat.name = Some("cat.png".into());
    cat.mime = Some("image/png".into());
    cat.size = Some(12_345);
    let mut sender = Sender::new("alice");
    sender.id = Some("u42".into());
    sender.avatar = Some("https://cdn.example.org/u42.png".into());
    let mut message = ClientMessage::new("look at that");
    message.sender = Some(sender);
    message.event = Some("notice".into());
    // The client has ids of its own.
    message.id = Some("mine".into());
    let _sent = [
        client.reply(5, message),
        client.attach("", vec![cat]),
        client.edit(6, "look at this"),
        client.delete(7),
    ];
    let mut receipt = ClientReceipt::new(8, ReceiptStatus::Failed);
    receipt.reason = Some("no such channel".into());
    client.report(receipt).unwrap();
    let mut packets = Vec::new();
    for _ in 0..5 {
        packets.push(peer.packet().await);
    }
    assert!(packets[..4].iter().all(|packet| packet["id"].is_string() && packet["id"] != "mine"));
    for packet in &mut packets {
        packet.as_object_mut().unwrap().remove("id");
    }
    let cat = json!({"url": "https://cdn.example.org/cat.png", "name": "cat.png", "mime": "image/png", "size": 12_345});
    let alice = json!({"name": "alice", "id": "u42", "avatar": "https://cdn.example.org/u42.png"});
    assert_eq!(
        packets[0],
        json!({
            "action": "client-message", "content": "look at that", "sender": alice, "event": "notice", "reply-to": 5,
        })
    );
    packets[1].as_object_mut().unwrap().retain(|_, value| *value != "");
    assert_eq!(packets[1], json!({"action": "client-message", "attachments": [cat]}));
    assert_eq!(packets[2], json!({"action": "client-edit", "target": 6, "content": "look at this"}));
    assert_eq!(packets[3], json!({"action": "client-delete", "target": 7}));
    assert_eq!(
        packets[4],
        json!({
            "action": "client-receipt", "target": 8, "status": "failed", "reason": "no such channel",
        })
    );
}

#[tokio::test]
async fn what_no_router_takes_is_not_sent() {
    let server = Scripted::start().await;
    let (client, _feed, mut peer) = online(&server).await;
    let mut nameless = ClientMessage::new("hi");
    nameless.sender = Some(Sender::new(""));
    let links = vec![Attachment::new("https://example.org/"); 11];
    for (sent, code) in [
        (client.send(""), "empty-content"),
        (client.edit(1, ""), "empty-content"),
        (client.attach("x", vec![Attachment::new("javascript:alert(1)")]), "bad-attachment"),
        (client.attach("x", links), "bad-attachment"),
        (client.send(nameless), "bad-packet"),
    ] {
        let failure = failed(sent).await;
        assert_eq!((failure.code(), failure.fate), (code, Fate::NotSent));
    }
    let mut receipt = ClientReceipt::new(1, ReceiptStatus::Failed);
    receipt.reason = Some("x".repeat(1025));
    assert_eq!(client.report(receipt).unwrap_err().code(), "bad-packet");
    let mut status = ClientStatus::new(Status::Degraded);
    status.text = Some("x".repeat(1025));
    assert_eq!(client.set_status(status).unwrap_err().code(), "bad-packet");
    let _good = client.send("good");
    assert_eq!(peer.packet().await["content"], "good");
}

#[tokio::test]
async fn what_is_refused_comes_back() {
    let server = Scripted::start().await;
    let (client, _feed, mut peer) = online(&server).await;
    for code in
        ["bad-packet", "unknown-action", "empty-content", "bad-attachment", "not-allowed", "out-of-cheese"]
    {
        let sent = client.edit(5, "new text");
        let packet = peer.expect("client-edit").await;
        peer.tell(&error(&packet, code)).await;
        let failure = failed(sent).await;
        assert_eq!((failure.code(), failure.fate, failure.text()), (code, Fate::NotSent, "new text"));
        let refused = SendError::Refused { code: ErrorCode::from_word(code), reason: "no".into() };
        assert_eq!(failure.error, refused);
        let ClientPacket::Edit(edit) = *failure.packet else { panic!("it was an edit") };
        assert_eq!((edit.target, edit.id), (5, None));
        assert!(refused.explain().len() > 10);
    }
    assert!(peer.hear_within(Duration::from_millis(20)).await.is_none(), "nothing of it is sent again");
}

#[tokio::test]
async fn an_answer_to_what_is_gone_is_sent_without_its_target() {
    let server = Scripted::start().await;
    let (client, _feed, mut peer) = online(&server).await;
    let reply = client.reply(5, "yes");
    let packet = peer.expect("client-message").await;
    assert_eq!(packet["reply-to"], 5);
    peer.tell(&error(&packet, "unknown-target")).await;
    let again = peer.expect("client-message").await;
    assert_eq!(
        (&again["content"], again.get("reply-to"), &again["id"]),
        (&json!("yes"), None, &packet["id"])
    );
    peer.tell(&ack_of(&again, 9)).await;
    assert_eq!(confirmed(reply).await, Some(9));
    // An edit has nothing to fall back on.
    let edit = client.edit(5, "no");
    let packet = peer.expect("client-edit").await;
    peer.tell(&error(&packet, "unknown-target")).await;
    assert_eq!(failed(edit).await.code(), "unknown-target");
}

#[tokio::test]
async fn an_error_without_a_message_is_an_event() {
    let server = Scripted::start().await;
    let (client, mut feed, mut peer) = online(&server).await;
    client.report(ClientReceipt::new(5, ReceiptStatus::Delivered)).unwrap();
    assert_eq!(peer.packet().await.get("id"), None);
    peer.tell(&json!({"action": "error", "code": "unknown-target", "reason": "gone"})).await;
    peer.tell(&json!({"action": "error", "id": "nobody's", "code": "bad-packet", "reason": "?"})).await;
    for code in [ErrorCode::UnknownTarget, ErrorCode::BadPacket] {
        match feed.news().await {
            Event::Refused(refusal) => assert_eq!(refusal.code, code),
            other => panic!("{other:?} instead of a refusal"),
        }
    }
}

#[tokio::test]
async fn what_came_too_fast_is_sent_again_in_its_place() {
    let server = Scripted::start().await;
    let (client, _feed, mut peer) = online(&server).await;
    let sent: Vec<_> = ["a", "b", "c"].map(|text| client.send(text)).into();
    let mut packets = Vec::new();
    for _ in 0..3 {
        packets.push(peer.expect("client-message").await);
    }
    let started = std::time::Instant::now();
    peer.tell_all(&[
        error(&packets[1], "rate-limited"),
        error(&packets[2], "rate-limited"),
        ack_of(&packets[0], 1),
    ])
    .await;
    let mut sent = sent.into_iter();
    // It has read all of it then.
    assert_eq!(confirmed(sent.next().unwrap()).await, Some(1));
    let late = client.send("d");
    assert_eq!(peer.packet().await, packets[1], "with the same id");
    assert!(started.elapsed() > Duration::from_millis(500), "about a second later");
    // One at a time, until one is acked.
    assert_eq!(peer.hear_within(Duration::from_millis(20)).await, None);
    peer.tell(&ack_of(&packets[1], 2)).await;
    assert_eq!(peer.packet().await, packets[2]);
    let new = peer.packet().await;
    assert_eq!(new["content"], "d");
    peer.tell_all(&[ack_of(&packets[2], 3), ack_of(&new, 4)]).await;
    for (number, sent) in sent.chain([late]).enumerate() {
        assert_eq!(confirmed(sent).await, Some(number as u64 + 2));
    }
}

#[tokio::test]
async fn it_stays_below_the_rate_that_the_ack_says() {
    let server = Scripted::start().await;
    let limits = json!({"packet-bytes": 1_048_576, "messages-per-second": 40, "messages-burst": 5});
    let (client, _feed, mut peer) = online_with(&server, json!({"limits": limits})).await;
    let started = std::time::Instant::now();
    let _sent: Vec<_> = (0..25).map(|number| client.send(number.to_string())).collect();
    for number in 0..25 {
        assert_eq!(peer.packet().await["content"], number.to_string());
    }
    let took = started.elapsed();
    // 5 at once, and 20 more of 25 ms each.
    assert!(took >= Duration::from_millis(500), "25 messages in {took:?}");
}

#[tokio::test]
async fn what_is_too_large_is_not_sent() {
    let server = Scripted::start().await;
    let limits = json!({"packet-bytes": 1000});
    let (client, mut feed) = split(server.client().start().unwrap());
    // Of these, nobody knows yet whether they are: the second is small, but grows in JSON.
    let early = client.send("x".repeat(1000));
    let escaped = client.send("\"".repeat(500));
    let (mut peer, _) = server.welcome(&rich_ack(json!({"limits": limits}))).await;
    feed.online().await;
    let late = client.edit(1, "x".repeat(2000));
    for sent in [early, escaped, late] {
        let failure = failed(sent).await;
        assert_eq!((failure.code(), failure.fate), ("too-big", Fate::NotSent));
        assert!(
            matches!(failure.error, SendError::TooBig { size, max: 1000, .. } if size > 1000),
            "{failure:?}"
        );
    }
    // One of exactly the limit is sent.
    let probe = client.send("x");
    let overhead = peer.packet().await.to_string().len() - 1;
    drop(probe);
    let _exact = client.send("x".repeat(1000 - overhead));
    assert_eq!(peer.packet().await.to_string().len(), 1000);
    let over = client.send("x".repeat(1001 - overhead));
    assert_eq!(failed(over).await.error, SendError::TooBig { size: 1001, max: 1000 });
}

#[tokio::test]
async fn what_a_router_closes_with_1009_for_is_not_sent_for_ever() {
    // A router that takes less than it said: each time it gets the packet, it closes.
    let server = Scripted::start().await;
    let (client, mut feed, mut peer) = online(&server).await;
    let large = client.send("x".repeat(5000));
    let serve = async {
        for _ in 0..20 {
            peer.expect("client-message").await;
            peer.goodbye(1009).await;
            (peer, _) = server.welcome(&same_session(0, 0)).await;
            feed.online().await;
        }
        panic!("it is sent without end");
    };
    tokio::select! {
        () = serve => {}
        failure = failed(large) => assert_eq!(failure.text().len(), 5000),
    }
}

#[tokio::test]
async fn the_status_is_said_again_after_each_registration() {
    let server = Scripted::start().await;
    let (client, mut feed) = split(server.client().start().unwrap());
    let mut status = ClientStatus::new(Status::Degraded);
    status.text = Some("netsplit".into());
    client.set_status(status).unwrap();
    let degraded = json!({"action": "client-status", "status": "degraded", "text": "netsplit"});
    let (mut peer, _) = server.welcome(&rich_ack(json!({}))).await;
    assert_eq!(peer.packet().await, degraded);
    peer.reset();
    let (mut peer, _) = server.welcome(&same_session(0, 0)).await;
    assert_eq!(peer.packet().await, degraded);
    client.set_status(ClientStatus::new(Status::Offline)).unwrap();
    let offline = json!({"action": "client-status", "status": "offline"});
    assert_eq!(peer.packet().await, offline);
    // A server that speaks plain is not told; the next rich one is.
    peer.reset();
    let (mut peer, _) = server.welcome(crate::support::PLAIN_ACK).await;
    client.send("hi");
    assert_eq!(peer.packet().await["action"], "client-message");
    peer.reset();
    let (mut peer, _) = server.welcome(&rich_ack(json!({}))).await;
    assert_eq!(peer.packet().await, offline);
    client.set_status(ClientStatus::new(Status::Online)).unwrap();
    assert_eq!(peer.packet().await, json!({"action": "client-status", "status": "online"}));
    drop(client);
    feed.online().await;
}

#[tokio::test]
async fn ids_are_not_used_twice_over_breaks() {
    let server = Scripted::start().await;
    let (client, mut feed, mut peer) = online(&server).await;
    let mut ids = std::collections::HashSet::new();
    for seq in 1..=10 {
        let sent = client.send("x");
        let packet = peer.expect("client-message").await;
        assert!(ids.insert(packet["id"].as_str().unwrap().to_owned()));
        peer.tell_all(&[ack_of(&packet, 2 * seq - 1), said("y", 2 * seq)]).await;
        confirmed(sent).await;
        feed.hears("y").await;
        peer.reset();
        (peer, _) = server.welcome(&same_session(2 * seq, 2 * seq)).await;
    }
}

#[tokio::test]
async fn dropping_what_was_sent_takes_nothing_back() {
    let server = Scripted::start().await;
    let (client, _feed) = split(server.client().start().unwrap());
    drop(client.send("one"));
    let (mut peer, _) = server.welcome(&rich_ack(json!({}))).await;
    let packet = peer.expect("client-message").await;
    assert_eq!(packet["content"], "one");
    drop(client.send("two"));
    assert_eq!(peer.packet().await["content"], "two");
    peer.reset();
    // Both are unanswered, and sent again.
    let (mut peer, _) = server.welcome(&same_session(0, 0)).await;
    assert_eq!(peer.packet().await, packet);
    assert_eq!(peer.packet().await["content"], "two");
}
