//! What waits to be sent, and who waits for that.

use std::time::Duration;

use multichat::{
    Confirmation, Fate, OutboxLimits, SendError, WhenFull,
    protocol::{ClientReceipt, ReceiptStatus},
};
use serde_json::json;

use crate::support::{PLAIN_ACK, Scripted, ack_of, confirmed, failed, rich_ack, same_session, soon, split};

fn limits(messages: usize, when_full: WhenFull) -> OutboxLimits {
    OutboxLimits { messages, when_full, ..OutboxLimits::default() }
}

/// Whether a future has nothing to say yet.
async fn is_waiting(future: impl Future<Output = ()>) -> bool {
    tokio::time::timeout(Duration::from_millis(30), future).await.is_err()
}

#[tokio::test]
async fn a_full_outbox_refuses_what_is_new() {
    let server = Scripted::start().await;
    let (client, _feed) = split(server.client().outbox(limits(3, WhenFull::Refuse)).start().unwrap());
    let kept: Vec<_> = ["a", "b", "c"].map(|text| client.send(text)).into();
    for text in ["d", "e"] {
        let failure = failed(client.send(text)).await;
        assert_eq!(
            (&failure.error, failure.fate, failure.text()),
            (&SendError::OutboxFull, Fate::NotSent, text)
        );
        assert!(failure.error.is_retryable());
    }
    assert_eq!(client.report(ClientReceipt::new(1, ReceiptStatus::Delivered)), Ok(()), "it takes no room");
    assert!(is_waiting(client.ready()).await);
    let (mut peer, _) = server.welcome(&rich_ack(json!({}))).await;
    // What is sent and not acked counts as well.
    let mut packets = Vec::new();
    for text in ["a", "b", "c"] {
        packets.push(peer.expect("client-message").await);
        assert_eq!(packets.last().unwrap()["content"], text);
    }
    peer.expect("client-receipt").await;
    assert_eq!(failed(client.send("f")).await.error, SendError::OutboxFull);
    let ack = ack_of(&packets[0], 1);
    tokio::join!(soon("room", client.ready()), peer.tell(&ack));
    let late = client.send("g");
    let packet = peer.expect("client-message").await;
    assert_eq!(packet["content"], "g");
    peer.tell_all(&[ack_of(&packets[1], 2), ack_of(&packets[2], 3), ack_of(&packet, 4)]).await;
    for (number, sent) in kept.into_iter().chain([late]).enumerate() {
        assert_eq!(confirmed(sent).await, Some(number as u64 + 1));
    }
}

#[tokio::test]
async fn a_full_outbox_drops_what_is_oldest() {
    let server = Scripted::start().await;
    let (client, mut feed) = split(server.client().outbox(limits(3, WhenFull::DropOldest)).start().unwrap());
    let (mut peer, _) = server.welcome(&rich_ack(json!({}))).await;
    feed.online().await;
    let on_its_way = client.send("on its way");
    let first = peer.expect("client-message").await;
    peer.reset();
    let (mut peer, _) = server.registering().await;
    let mut sent = Vec::new();
    for text in ["a", "b", "c", "d"] {
        sent.push(client.send(text));
    }
    // What may have arrived is kept; of the others there is room for two.
    for text in ["a", "b"] {
        let failure = failed(sent.remove(0)).await;
        assert_eq!(
            (&failure.error, failure.fate, failure.text()),
            (&SendError::OutboxFull, Fate::NotSent, text)
        );
    }
    // So it is when it is about to be sent again.
    peer.text(&same_session(0, 1)).await;
    feed.online().await;
    let (e, f) = (client.send("e"), client.send("f"));
    for sent in sent {
        assert_eq!(failed(sent).await.fate, Fate::NotSent);
    }
    peer.tell(&ack_of(&first, 1)).await;
    assert_eq!(confirmed(on_its_way).await, Some(1));
    for (seq, (text, sent)) in [("e", e), ("f", f)].into_iter().enumerate() {
        let packet = peer.expect("client-message").await;
        assert_eq!(packet["content"], text);
        peer.tell(&ack_of(&packet, seq as u64 + 2)).await;
        assert_eq!(confirmed(sent).await, Some(seq as u64 + 2));
    }
}

#[tokio::test]
async fn its_bytes_are_bounded_as_well() {
    let server = Scripted::start().await;
    let bounds = OutboxLimits { bytes: 1000, ..OutboxLimits::default() };
    let (client, _feed) = split(server.client().outbox(bounds).start().unwrap());
    // A single one may be larger.
    let large = client.send("x".repeat(5000));
    assert_eq!(failed(client.send("y")).await.error, SendError::OutboxFull);
    let (mut peer, _) = server.welcome(&rich_ack(json!({}))).await;
    let packet = peer.expect("client-message").await;
    peer.tell(&ack_of(&packet, 1)).await;
    confirmed(large).await;
    let (a, b) = (client.send("x".repeat(400)), client.send("x".repeat(400)));
    assert_eq!(failed(client.send("x".repeat(400))).await.error, SendError::OutboxFull);
    for (seq, sent) in [(2, a), (3, b)] {
        let packet = peer.expect("client-message").await;
        peer.tell(&ack_of(&packet, seq)).await;
        assert_eq!(confirmed(sent).await, Some(seq));
    }
}

#[tokio::test]
async fn thousands_go_out_without_a_word_from_the_server() {
    for ack in [PLAIN_ACK.to_owned(), rich_ack(json!({}))] {
        let server = Scripted::start().await;
        let bounds = limits(10_000, WhenFull::Refuse);
        let (client, mut feed) = split(server.client().outbox(bounds).start().unwrap());
        let sent: Vec<_> = (0..3000).map(|number| client.send(number.to_string())).collect();
        let (mut peer, _) = server.welcome(&ack).await;
        let is_plain = ack == PLAIN_ACK;
        for number in 0..3000 {
            let packet = peer.expect("client-message").await;
            assert_eq!(packet["content"], number.to_string());
            if !is_plain {
                peer.tell(&ack_of(&packet, number + 1)).await;
            }
        }
        for (number, sent) in sent.into_iter().enumerate() {
            let outcome = soon("a confirmation", sent).await.unwrap();
            assert_eq!(outcome.seq(), (!is_plain).then_some(number as u64 + 1));
        }
        feed.online().await;
    }
}

#[tokio::test]
async fn a_flush_waits_for_what_was_sent_before_it() {
    let server = Scripted::start().await;
    let (client, _feed) = split(server.client().start().unwrap());
    soon("the flush of nothing", client.flush()).await;
    let (a, b) = (client.send("a"), client.send("b"));
    let flush = tokio::spawn({
        let client = client.clone();
        async move { client.flush().await }
    });
    let (mut peer, _) = server.welcome(&rich_ack(json!({}))).await;
    let packets = [peer.packet().await, peer.packet().await];
    let later = client.send("later");
    peer.packet().await;
    peer.tell(&ack_of(&packets[1], 1)).await;
    assert_eq!(confirmed(b).await, Some(1));
    assert!(!flush.is_finished(), "a is not acked");
    peer.tell(&json!({"action": "error", "id": packets[0]["id"], "code": "not-allowed", "reason": ""})).await;
    // Refused is known as well. What came after the flush it does not wait for.
    soon("the flush", flush).await.unwrap();
    assert_eq!(failed(a).await.code(), "not-allowed");
    drop(later);
}

#[tokio::test]
async fn a_flush_ends_with_the_client() {
    let server = Scripted::start().await;
    let (client, _feed) = split(server.client().start().unwrap());
    let sent = client.send("never");
    let waiting = {
        let client = client.clone();
        tokio::spawn(async move { tokio::join!(client.flush(), client.closed()) })
    };
    let (peer, _) = server.registering().await;
    peer.goodbye(4401).await;
    soon("the flush and the end", waiting).await.unwrap();
    assert_eq!(failed(sent).await.fate, Fate::NotSent);
    soon("room for nothing", client.ready()).await;
}

#[tokio::test]
async fn many_tasks_may_send_and_wait_at_once() {
    let server = Scripted::start().await;
    let (client, _feed) = split(server.client().outbox(limits(4, WhenFull::Refuse)).start().unwrap());
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..8 {
        let client = client.clone();
        tasks.spawn(async move {
            for number in 0..20 {
                loop {
                    client.ready().await;
                    match client.send(format!("{task}/{number}")).await {
                        Ok(Confirmation::Logged { .. }) => break,
                        Err(failure) if failure.error == SendError::OutboxFull => {}
                        other => panic!("{other:?}"),
                    }
                }
            }
        });
    }
    let (mut peer, _) = server.welcome(&rich_ack(json!({}))).await;
    let mut next = [0; 8];
    for seq in 1..=160 {
        let packet = peer.expect("client-message").await;
        let (task, number) = packet["content"].as_str().unwrap().split_once('/').unwrap();
        let next = &mut next[task.parse::<usize>().unwrap()];
        assert_eq!(number, next.to_string());
        *next += 1;
        peer.tell(&ack_of(&packet, seq)).await;
    }
    soon("all tasks", tasks.join_all()).await;
}
