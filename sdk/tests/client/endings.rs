//! How a client ends, and that nothing of it is left.

use std::time::Duration;

use multichat::{
    Client, ConnectError, Fate, Reconnect, SendError, Side, State, protocol::ClientStatus, protocol::Status,
};
use serde_json::json;
use tokio::time::Instant;

use crate::support::{
    Feed, Heard, PLAIN_ACK, Peer, Scripted, ack_of, confirmed, failed, rich_ack, said, same_session, soon,
    split, tasks, tasks_left, timeouts,
};

const HOUR: Duration = Duration::from_hours(1);

async fn online(server: &Scripted) -> (Client, Feed, Peer) {
    let (client, mut feed) = split(server.client().start().unwrap());
    let (peer, _) = server.welcome(&rich_ack(json!({}))).await;
    feed.online().await;
    assert_eq!(tasks(), 1, "a client is one task");
    (client, feed, peer)
}

#[tokio::test]
async fn close_says_goodbye_and_ends() {
    let server = Scripted::start().await;
    let (client, mut feed, peer) = online(&server).await;
    let sent = client.send("too late");
    let ((), ()) = tokio::join!(async { soon("the end", client.close()).await }, async {
        let mut peer = peer;
        // It was not written yet, or it was: either way it is told.
        if let Heard::Text(_) = peer.hear().await {
            assert_eq!(peer.hear().await, Heard::Close(Some(1000)));
        }
        peer.close(Some(1000), "").await;
        peer.ended().await;
    });
    assert_eq!(feed.closed().await, (Side::Client, None));
    assert_eq!(client.state(), State::Closed { by: Side::Client, cause: None });
    let failure = failed(sent).await;
    assert!(matches!(
        (failure.error, failure.fate),
        (SendError::Closed, Fate::NotSent) | (SendError::FateUnknown, Fate::Unknown)
    ));
    tasks_left(0).await;
    assert!(!server.has_caller());
}

#[tokio::test]
async fn after_the_end_nothing_is_taken() {
    let server = Scripted::start().await;
    let (client, _feed, peer) = online(&server).await;
    tokio::join!(soon("the end", client.close()), peer.see_off());
    let failure = failed(client.send("hello?")).await;
    assert_eq!((&failure.error, failure.fate, failure.text()), (&SendError::Closed, Fate::NotSent, "hello?"));
    assert_eq!(client.set_status(ClientStatus::new(Status::Degraded)), Err(SendError::Closed));
    soon("each of these", async {
        soon("the end", client.close()).await;
        client.drain(HOUR).await;
        client.flush().await;
        client.ready().await;
        client.closed().await;
        client.reconnect_now();
    })
    .await;
    tasks_left(0).await;
}

#[tokio::test]
async fn a_close_that_is_not_answered_ends_all_the_same() {
    let server = Scripted::start().await;
    let timeouts = timeouts(|timeouts| timeouts.close = Duration::from_millis(60));
    let (client, mut feed) = split(server.client().timeouts(timeouts).start().unwrap());
    let (peer, _) = server.welcome(&rich_ack(json!({}))).await;
    feed.online().await;
    let start = Instant::now();
    soon("the end", client.close()).await;
    assert!((Duration::from_millis(60)..Duration::from_secs(3)).contains(&start.elapsed()));
    tasks_left(0).await;
    peer.ended().await;
}

#[tokio::test]
async fn acks_that_come_while_it_closes_count() {
    let server = Scripted::start().await;
    let (client, _feed, mut peer) = online(&server).await;
    let sent = [client.send("a"), client.send("b")];
    let packets = [peer.packet().await, peer.packet().await];
    let closing = client.close();
    let serve = async {
        assert_eq!(peer.hear().await, Heard::Close(Some(1000)));
        peer.tell(&ack_of(&packets[0], 1)).await;
        peer.close(Some(1000), "").await;
        peer.ended().await;
    };
    tokio::join!(async { soon("the end", closing).await }, serve);
    let [a, b] = sent;
    assert_eq!(confirmed(a).await, Some(1));
    let failure = failed(b).await;
    assert_eq!((failure.error, failure.fate), (SendError::FateUnknown, Fate::Unknown));
}

#[tokio::test]
async fn it_ends_at_once_wherever_it_stands() {
    // While it waits for the next attempt.
    let server = Scripted::start().await;
    let policy = Reconnect { first: HOUR, longest: HOUR, attempts: None };
    let (client, mut feed) = split(server.client().reconnect(policy).start().unwrap());
    drop(server.connection().await);
    feed.waiting().await;
    soon("the end", client.close()).await;
    assert_eq!(feed.closed().await, (Side::Client, None));
    // While it connects.
    let (client, mut feed) = split(server.client().start().unwrap());
    let mut stream = server.connection().await;
    soon("the end", client.close()).await;
    assert_eq!(feed.closed().await, (Side::Client, None));
    tasks_left(0).await;
    let mut rest = Vec::new();
    soon("its end", tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut rest)).await.unwrap();
    // While it is asked for its key.
    let never = || std::future::pending::<Result<String, String>>();
    let (client, _events) = server.client().key_from(never).start().unwrap();
    soon("the end", client.close()).await;
    // While it registers.
    let (client, mut feed) = split(server.client().start().unwrap());
    let (peer, _) = server.registering().await;
    tokio::join!(async { soon("the end", client.close()).await }, peer.see_off());
    assert_eq!(feed.closed().await, (Side::Client, None));
    tasks_left(0).await;
    assert!(!server.has_caller());
}

#[tokio::test]
async fn dropping_all_handles_ends_it() {
    let server = Scripted::start().await;
    let (client, feed, peer) = online(&server).await;
    let clone = client.clone();
    drop(client);
    drop(feed);
    let sent = clone.send("still here");
    let mut peer = peer;
    let packet = peer.expect("client-message").await;
    peer.tell(&ack_of(&packet, 1)).await;
    assert_eq!(confirmed(sent).await, Some(1));
    assert_eq!(tasks(), 1);
    let mut states = clone.states();
    drop(clone);
    peer.see_off().await;
    tasks_left(0).await;
    // A stream of states does not keep it alive, and ends.
    assert!(soon("the end", states.next()).await.unwrap().is_closed());
}

#[tokio::test]
async fn events_alone_keep_it_alive() {
    let server = Scripted::start().await;
    let (client, mut feed, mut peer) = online(&server).await;
    drop(client);
    peer.tell(&said("hello", 1)).await;
    feed.hears("hello").await;
    drop(feed);
    peer.see_off().await;
    tasks_left(0).await;
}

#[tokio::test]
async fn dropping_it_while_it_tries_ends_it() {
    let server = Scripted::start().await;
    let policy = Reconnect { first: HOUR, longest: HOUR, attempts: None };
    let (client, mut feed) = split(server.client().reconnect(policy).start().unwrap());
    let sent = client.send("never");
    drop(server.connection().await);
    feed.waiting().await;
    drop((client, feed));
    assert_eq!(failed(sent).await.fate, Fate::NotSent);
    tasks_left(0).await;
    let (client, events) = server.client().start().unwrap();
    let stream = server.connection().await;
    drop((client, events));
    tasks_left(0).await;
    drop(stream);
    assert!(!server.has_caller());
}

#[tokio::test]
async fn a_drain_sends_what_is_there_and_ends() {
    let server = Scripted::start().await;
    let (client, mut feed, mut peer) = online(&server).await;
    let sent = [client.send("a"), client.send("b")];
    let mut drain = tokio::spawn({
        let client = client.clone();
        async move { client.drain(Duration::from_secs(25)).await }
    });
    let packets = [peer.packet().await, peer.packet().await];
    assert_eq!(feed.state().await, State::Draining);
    assert_eq!(client.state(), State::Draining);
    assert_eq!(failed(client.send("c")).await.error, SendError::Closed);
    peer.tell(&ack_of(&packets[0], 1)).await;
    // A break in between: what is unanswered is settled on the next connection, and the state stays.
    peer.reset();
    let (mut peer, _) = server.welcome(&same_session(1, 1)).await;
    assert_eq!(peer.packet().await, packets[1]);
    assert!(!drain.is_finished());
    peer.tell_all(&[said("still told", 2), ack_of(&packets[1], 3)]).await;
    peer.see_off().await;
    soon("the end", &mut drain).await.unwrap();
    let [a, b] = sent;
    assert_eq!((confirmed(a).await, confirmed(b).await), (Some(1), Some(3)));
    feed.hears("still told").await;
    assert_eq!(feed.closed().await, (Side::Client, None));
    tasks_left(0).await;
}

#[tokio::test]
async fn a_drain_of_nothing_ends_at_once() {
    let server = Scripted::start().await;
    let (client, _feed, peer) = online(&server).await;
    tokio::join!(async { soon("the end", client.drain(Duration::MAX)).await }, peer.see_off());
    let (client, _events) = server.client().start().unwrap();
    soon("the end", client.drain(HOUR)).await;
    tasks_left(0).await;
}

#[tokio::test]
async fn a_drain_takes_no_longer_than_it_may() {
    let server = Scripted::start().await;
    let (client, _feed, mut peer) = online(&server).await;
    let sent = client.send("unanswered");
    peer.packet().await;
    let start = Instant::now();
    tokio::join!(async { soon("the end", client.drain(Duration::from_millis(80))).await }, peer.see_off());
    assert!((Duration::from_millis(80)..Duration::from_secs(4)).contains(&start.elapsed()));
    assert_eq!(failed(sent).await.fate, Fate::Unknown);
    // Without a connection as well: what was never sent says so.
    let (client, _events) = server.client().start().unwrap();
    let (sent, stream) = (client.send("never sent"), server.connection().await);
    soon("the end", client.drain(Duration::from_millis(50))).await;
    let failure = failed(sent).await;
    assert_eq!((failure.error, failure.fate), (SendError::Closed, Fate::NotSent));
    drop(stream);
    tasks_left(0).await;
}

#[tokio::test]
async fn a_drain_with_a_plain_server_ends_when_all_is_written() {
    let server = Scripted::start().await;
    let (client, _events) = server.client().start().unwrap();
    let sent = client.send("bye");
    let drain = tokio::spawn({
        let client = client.clone();
        async move { client.drain(Duration::from_secs(25)).await }
    });
    let (mut peer, _) = server.welcome(PLAIN_ACK).await;
    assert_eq!(peer.packet().await["content"], "bye");
    peer.see_off().await;
    soon("the end", drain).await.unwrap();
    assert_eq!(confirmed(sent).await, None);
}

#[tokio::test]
async fn a_terminal_close_ends_a_drain() {
    let server = Scripted::start().await;
    let (client, mut feed, peer) = online(&server).await;
    let sent = client.send("a");
    let drain = tokio::spawn({
        let client = client.clone();
        async move { client.drain(HOUR).await }
    });
    peer.goodbye(4403).await;
    soon("the end", drain).await.unwrap();
    let cause = ConnectError::Closed { code: 4403, reason: "because".into() };
    loop {
        match feed.state().await {
            State::Draining => {}
            state => break assert_eq!(state, State::Closed { by: Side::Server, cause: Some(cause) }),
        }
    }
    failed(sent).await;
}

#[test]
fn a_runtime_that_goes_takes_the_client_with_it() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (client, sent, events) = runtime.block_on(async {
        let server = Scripted::start().await;
        let (client, feed, mut peer) = online(&server).await;
        let sent = [client.send("on its way"), client.send("perhaps")];
        peer.packet().await;
        (client, sent, feed.events)
    });
    drop(runtime);
    assert!(client.state().is_closed());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for sent in sent {
            failed(sent).await;
        }
        assert_eq!(failed(client.send("hello?")).await.error, SendError::Closed);
        soon("the end", client.close()).await;
        let mut feed = Feed::new(events);
        feed.rest().await;
    });
}

#[tokio::test]
async fn a_hundred_clients_come_and_go() {
    let server = Scripted::start().await;
    for round in 0..100 {
        let (client, events) = server.client().start().unwrap();
        match round % 4 {
            0 => drop(server.connection().await),
            1 => drop(server.registering().await),
            2 => drop(server.welcome(PLAIN_ACK).await),
            _ => server.welcome(&rich_ack(json!({}))).await.0.reset(),
        }
        drop((client, events));
    }
    // Some of them have connected again before they were dropped.
    loop {
        tokio::select! {
            connection = server.connection() => drop(connection),
            () = tasks_left(0) => break,
        }
    }
}
