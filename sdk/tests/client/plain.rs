//! With a server that talks like the original one: no code in a close, no pings, no acks.

use std::time::Duration;

use multichat::{
    Client, Confirmation, Event, Fate, GapCause, SendError,
    protocol::{
        Attachment, ClientMessage, ClientReceipt, ClientStatus, Dialect, ReceiptStatus, Sender, Status,
    },
};
use serde_json::{Value, json};

use crate::support::{Feed, PLAIN_ACK, Peer, Scripted, confirmed, failed, soon, split};

async fn online(server: &Scripted) -> (Client, Feed, Peer) {
    let (client, mut feed) = split(server.client().history(50).presence(true).start().unwrap());
    let (peer, _) = server.welcome(PLAIN_ACK).await;
    assert_eq!(feed.online().await, (Dialect::Plain, false));
    (client, feed, peer)
}

/// What an original server forwards.
fn said(content: &str) -> Value {
    json!({"action": "forwarding-message", "source-client-name": "qq", "content": content})
}

#[tokio::test]
async fn texts_go_both_ways() {
    let server = Scripted::start().await;
    let (client, mut feed, mut peer) = online(&server).await;
    let sent = client.send("hello");
    assert_eq!(peer.packet().await, json!({"action": "client-message", "content": "hello"}));
    assert!(matches!(soon("the writing", sent).await, Ok(Confirmation::Written)));
    peer.tell(&said("hi")).await;
    let message = feed.message().await;
    assert_eq!((message.content.as_str(), message.source_client_name.as_str()), ("hi", "qq"));
    assert_eq!((message.place, message.replay, message.own), (None, false, false));
    // Our own name is another connection's: nothing is held back.
    peer.tell(&json!({"action": "forwarding-message", "source-client-name": "irc", "content": "namesake"}))
        .await;
    let message = feed.message().await;
    assert_eq!((message.content.as_str(), message.own), ("namesake", false));
}

#[tokio::test]
async fn what_is_rich_is_rendered_down() {
    let server = Scripted::start().await;
    let (client, _feed, mut peer) = online(&server).await;
    let mut file = Attachment::new("https://cdn.example.org/cat.png");
    file.name = Some("cat.png".into());
    let by_alice = |content: &str| {
        let mut message = ClientMessage::new(content);
        message.sender = Some(Sender::new("alice"));
        message
    };
    let mut join = by_alice("alice joined");
    join.event = Some("join".into());
    let mut odd = by_alice("hi");
    odd.sender = Some(Sender::new("a\nl\u{202e}ice"));
    let mut with_file = by_alice("see:");
    with_file.attachments = vec![file.clone()];
    for (sent, content) in [
        (client.send(by_alice("hi")), "<alice> hi"),
        (client.send(join), "alice joined"),
        (client.send(odd), "<alice> hi"),
        (client.send(with_file), "<alice> see:\n[cat.png] https://cdn.example.org/cat.png"),
        (client.attach("", vec![file]), "[cat.png] https://cdn.example.org/cat.png"),
        (client.reply(7, "yes"), "yes"),
    ] {
        assert_eq!(peer.packet().await, json!({"action": "client-message", "content": content}));
        assert_eq!(confirmed(sent).await, None);
    }
}

#[tokio::test]
async fn what_plain_does_not_know_is_not_sent() {
    let server = Scripted::start().await;
    let (client, mut feed) = split(server.client().start().unwrap());
    let early = [client.edit(1, "x"), client.delete(1)];
    let (mut peer, _) = server.welcome(PLAIN_ACK).await;
    feed.online().await;
    for sent in early.into_iter().chain([client.edit(1, "x"), client.delete(1)]) {
        let failure = failed(sent).await;
        assert_eq!((failure.error, failure.fate), (SendError::NotInPlain, Fate::NotSent));
    }
    assert_eq!(client.report(ClientReceipt::new(1, ReceiptStatus::Delivered)), Err(SendError::NotInPlain));
    client.set_status(ClientStatus::new(Status::Degraded)).unwrap();
    let _good = client.send("good");
    assert_eq!(peer.packet().await["content"], "good");
}

#[tokio::test]
async fn what_is_too_large_for_any_router_is_not_sent() {
    let server = Scripted::start().await;
    let (client, _feed, mut peer) = online(&server).await;
    let failure = failed(client.send("x".repeat(1_048_576))).await;
    assert_eq!((failure.code(), failure.fate), ("too-big", Fate::NotSent));
    let _good = client.send("good");
    assert_eq!(peer.packet().await["content"], "good");
}

#[tokio::test]
async fn rich_packets_from_a_plain_server_are_unknown_ones() {
    let server = Scripted::start().await;
    let (client, mut feed, mut peer) = online(&server).await;
    let sent = client.send("x");
    peer.packet().await;
    confirmed(sent).await;
    for packet in [
        json!({"action": "message-ack", "id": "1", "seq": 1, "time": 1}),
        json!({"action": "error", "id": "1", "code": "rate-limited", "reason": ""}),
        json!({"action": "presence", "client-name": "qq", "status": "online", "time": 1}),
        json!({"action": "forwarding-delete", "source-client-name": "qq", "target": 1, "seq": 2, "time": 1}),
    ] {
        peer.tell(&packet).await;
    }
    let mut message = said("hi");
    message["seq"] = json!("not a number");
    message["sender"] = json!(7);
    peer.tell(&message).await;
    match feed.next().await {
        Some(Event::Message(message)) => assert_eq!(message.content, "hi"),
        other => panic!("{other:?} instead of the message"),
    }
}

#[tokio::test]
async fn a_break_is_a_gap() {
    let server = Scripted::start().await;
    let (client, mut feed, mut peer) = online(&server).await;
    for round in 0..3 {
        if round == 1 {
            peer.reset();
        } else {
            peer.hang_up().await;
        }
        feed.cause().await;
        let (mut next, register) = server.registering().await;
        assert_eq!(register.get("resume"), None);
        // What was never sent is sent now.
        let sent = client.send("waited");
        next.text(PLAIN_ACK).await;
        assert_eq!(feed.online().await, (Dialect::Plain, false));
        assert_eq!(feed.gap().await, (GapCause::Plain, None));
        assert_eq!(next.packet().await["content"], "waited");
        assert_eq!(confirmed(sent).await, None);
        peer = next;
    }
}

#[tokio::test]
async fn what_was_half_written_is_not_sent_again() {
    let server = Scripted::start().await;
    let (client, mut feed, peer) = online(&server).await;
    // More than the buffers on the way hold, and nobody reads.
    let sent: Vec<_> =
        (0..8).map(|number| client.send(format!("{number} {}", "x".repeat(1_000_000)))).collect();
    // Once the first is on its way there is no telling how far the others are.
    let mut unfinished = sent;
    assert!(!server.is_called_within(Duration::from_millis(100)).await);
    peer.reset();
    feed.cause().await;
    let (mut peer, _) = server.welcome(PLAIN_ACK).await;
    let last = client.send("last");
    let mut again = Vec::new();
    loop {
        let packet = peer.expect("client-message").await;
        match packet["content"].as_str().unwrap().split_once(' ') {
            Some((number, _)) => again.push(number.parse::<usize>().unwrap()),
            None => break,
        }
    }
    confirmed(last).await;
    let mut unknown = 0;
    for (number, sent) in unfinished.drain(..).enumerate() {
        match soon("the end of it", sent).await {
            Ok(Confirmation::Written) => {}
            Ok(other) => panic!("{other:?} from a plain server"),
            Err(failure) => {
                assert_eq!((failure.error, failure.fate), (SendError::FateUnknown, Fate::Unknown));
                assert!(!again.contains(&number), "message {number} may be there twice");
                unknown += 1;
            }
        }
    }
    assert!(unknown > 0, "not all of it was written");
}

#[tokio::test]
async fn an_original_server_sends_no_pings_and_is_asked() {
    let server = Scripted::start().await;
    let timeouts = crate::support::timeouts(|timeouts| timeouts.silence = Duration::from_secs(2));
    let (client, mut feed) = split(server.client().timeouts(timeouts).start().unwrap());
    let (mut peer, _) = server.welcome(PLAIN_ACK).await;
    feed.online().await;
    for _ in 0..2 {
        assert_eq!(peer.hear().await, crate::support::Heard::Ping);
        peer.frame_of(crate::support::opcode::PONG, b"").await;
    }
    assert!(matches!(client.state(), multichat::State::Online { .. }));
}
