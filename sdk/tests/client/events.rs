//! How a program takes what it is told.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use multichat::{Event, State};
use serde_json::json;
use tokio::task::yield_now;

use crate::support::{Scripted, ack_of, confirmed, rich_ack, said, same_session, soon, split, tasks_left};

#[tokio::test]
async fn who_takes_no_events_is_told_how_many_were_dropped() {
    let server = Scripted::start().await;
    let (client, mut feed) = split(server.client().event_capacity(10).start().unwrap());
    let (mut peer, _) = server.welcome(&rich_ack(json!({}))).await;
    let tell = |from: u64, to: u64| (from..=to).map(|seq| said(&seq.to_string(), seq)).collect::<Vec<_>>();
    peer.tell_all(&tell(1, 100)).await;
    // The client has read all of it when it has the ack of what is behind it.
    let sent = client.send("read it?");
    let packet = peer.expect("client-message").await;
    peer.tell(&ack_of(&packet, 101)).await;
    assert_eq!(confirmed(sent).await, Some(101));
    // Three states and a hundred messages; ten are kept.
    assert_eq!(feed.next().await, Some(Event::Lagged { events: 93 }));
    for seq in 91..=100 {
        feed.hears(&seq.to_string()).await;
    }
    // Who is in time again is told nothing more of it.
    peer.tell_all(&tell(102, 105)).await;
    for seq in 102..=105 {
        feed.hears(&seq.to_string()).await;
    }
    // And the count begins anew.
    peer.tell_all(&tell(106, 120)).await;
    let sent = client.send("read it?");
    let packet = peer.expect("client-message").await;
    peer.tell(&ack_of(&packet, 121)).await;
    confirmed(sent).await;
    let mut seen = 0;
    let mut lagged = 0;
    loop {
        match feed.next().await.unwrap() {
            Event::Lagged { events } => lagged += events,
            Event::Message(message) => {
                seen += 1;
                if message.content == "120" {
                    break;
                }
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(seen + lagged, 15, "{seen} seen, {lagged} dropped");
    assert!(lagged > 0);
}

#[tokio::test]
async fn a_slow_program_costs_no_more_than_its_capacity() {
    // The cursor goes on although nobody takes events: the router need not be asked again.
    let server = Scripted::start().await;
    let (client, mut feed) = split(server.client().event_capacity(1).start().unwrap());
    let (mut peer, _) = server.welcome(&rich_ack(json!({}))).await;
    let sent = client.send("x");
    let packet = peer.expect("client-message").await;
    for seq in 1..=2000 {
        peer.tell(&said("flood", seq)).await;
    }
    peer.tell(&ack_of(&packet, 2001)).await;
    confirmed(sent).await;
    peer.reset();
    let (_, register) = server.registering().await;
    assert_eq!(register["resume"]["seq"], 2001);
    match feed.next().await {
        Some(Event::Lagged { events }) => assert!(events >= 2000, "{events}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_program_on_the_same_thread_has_its_turn_before_its_events_are_too_many() {
    const MESSAGES: u64 = 5000;
    let server = Scripted::start().await;
    // Room for what is read in one turn, and not for that of several.
    let (_client, mut feed) = split(server.client().event_capacity(700).start().unwrap());
    let (mut peer, _) = server.welcome(&rich_ack(json!({}))).await;
    feed.online().await;
    let messages: Vec<_> = (1..=MESSAGES).map(|seq| said(&seq.to_string(), seq)).collect();
    let hear = async {
        for seq in 1..=MESSAGES {
            feed.hears(&seq.to_string()).await;
        }
    };
    tokio::join!(hear, peer.tell_all(&messages));
}

#[tokio::test]
async fn a_next_that_is_dropped_loses_nothing() {
    let server = Scripted::start().await;
    let (_client, mut feed) = split(server.client().start().unwrap());
    let (mut peer, _) = server.welcome(&rich_ack(json!({}))).await;
    feed.online().await;
    let mut random = fastrand::Rng::with_seed(7);
    let mut heard = 0;
    let mut told = 0;
    while heard < 500 {
        if told < 500 && random.bool() {
            let number = random.u64(1..=3);
            let messages: Vec<_> =
                (1..=number).map(|more| said(&(told + more).to_string(), told + more)).collect();
            peer.tell_all(&messages).await;
            told += number;
        }
        for _ in 0..random.u8(0..3) {
            yield_now().await;
        }
        // Polled once, and dropped.
        let polled = {
            let next = pin!(feed.events.next());
            next.poll(&mut Context::from_waker(Waker::noop()))
        };
        if let Poll::Ready(event) = polled {
            heard += 1;
            match event {
                Some(Event::Message(message)) => assert_eq!(message.content, heard.to_string()),
                other => panic!("{other:?}"),
            }
        }
        if told >= 500 && heard == 499 {
            feed.hears("500").await;
            heard += 1;
        }
    }
}

#[tokio::test]
async fn a_next_is_woken_although_an_earlier_one_was_dropped() {
    let server = Scripted::start().await;
    let (_client, mut feed) = split(server.client().start().unwrap());
    let (mut peer, _) = server.welcome(&rich_ack(json!({}))).await;
    feed.online().await;
    for seq in 1..=20 {
        tokio::select! {
            biased;
            event = feed.events.next() => panic!("{event:?} before anything was said"),
            () = yield_now() => {}
        }
        let message = said(&seq.to_string(), seq);
        let (event, ()) = tokio::join!(feed.message(), peer.tell(&message));
        assert_eq!(event.content, seq.to_string());
    }
}

#[tokio::test]
async fn without_a_listener_the_client_goes_on() {
    let server = Scripted::start().await;
    let (client, events) = server.client().start().unwrap();
    drop(events);
    let (mut peer, _) = server.welcome(&rich_ack(json!({}))).await;
    for seq in 1..=5 {
        peer.tell(&said("unheard", seq)).await;
    }
    let sent = client.send("alive");
    let packet = peer.expect("client-message").await;
    peer.tell(&ack_of(&packet, 6)).await;
    assert_eq!(confirmed(sent).await, Some(6));
    peer.reset();
    let (peer, register) = server.welcome(&same_session(6, 6)).await;
    assert_eq!(register["resume"]["seq"], 6);
    tokio::join!(soon("the end", client.close()), peer.see_off());
    tasks_left(0).await;
}

#[tokio::test]
async fn states_show_the_latest_and_end() {
    let server = Scripted::start().await;
    let (client, mut feed) = split(server.client().start().unwrap());
    let mut slow = client.states();
    let mut quick = client.states();
    assert_eq!(soon("a state", quick.next()).await, Some(State::Connecting { attempt: 1 }));
    let (mut peer, _) = server.registering().await;
    assert_eq!(soon("a state", quick.next()).await.unwrap().code(), "registering");
    peer.text(&rich_ack(json!({}))).await;
    assert_eq!(soon("a state", quick.next()).await.unwrap().code(), "online");
    feed.online().await;
    // All that came before is past.
    assert_eq!(soon("a state", slow.next()).await.unwrap().code(), "online");
    let again = tokio::time::timeout(Duration::from_millis(20), slow.next()).await;
    assert!(again.is_err(), "the same state comes once");
    peer.goodbye(4401).await;
    for states in [&mut slow, &mut quick] {
        assert_eq!(soon("the end", states.next()).await.unwrap().code(), "closed");
        assert_eq!(soon("nothing more", states.next()).await, None);
        assert_eq!(soon("nothing more", states.next()).await, None);
    }
    let mut late = client.states();
    assert!(soon("the end", late.next()).await.unwrap().is_closed());
    assert_eq!(soon("nothing more", late.next()).await, None);
}

#[tokio::test]
async fn presence_and_receipts_are_told() {
    let server = Scripted::start().await;
    let (_client, mut feed) = split(server.client().presence(true).start().unwrap());
    let clients = json!([{"client-name": "matrix", "status": "degraded", "text": "slow", "since": 5}]);
    let (mut peer, _) = server.welcome(&rich_ack(json!({"clients": clients}))).await;
    match feed.news().await {
        Event::Roster(rows) => {
            assert_eq!(rows.len(), 1);
            assert_eq!(
                (rows[0].client_name.as_str(), rows[0].text.as_deref(), rows[0].since),
                ("matrix", Some("slow"), 5)
            );
        }
        other => panic!("{other:?} instead of the roster"),
    }
    peer.tell(&json!({"action": "presence", "client-name": "matrix", "status": "left", "time": 9})).await;
    match feed.news().await {
        Event::Presence(presence) => assert_eq!((presence.status.as_str(), presence.time), ("left", 9)),
        other => panic!("{other:?} instead of presence"),
    }
    let receipt = json!({
        "action": "forwarding-receipt", "source-client-name": "matrix", "target": 7, "status": "delivered",
        "remote-id": "$rT9",
    });
    peer.tell(&receipt).await;
    match feed.news().await {
        Event::Receipt(receipt) => {
            assert_eq!((receipt.target, receipt.remote_id.as_deref()), (7, Some("$rT9")));
        }
        other => panic!("{other:?} instead of a receipt"),
    }
    peer.reset();
    let (_peer, _) = server.welcome(&rich_ack(json!({"recovered": true, "clients": []}))).await;
    assert_eq!(feed.news().await, Event::Roster(Vec::new()));
}
