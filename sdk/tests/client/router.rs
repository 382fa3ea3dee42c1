//! With the real router.

use multichat::{
    Client, ConnectError, Event, Fate, GapCause, SendError, Side,
    protocol::{
        Attachment, ClientMessage, ClientReceipt, ClientStatus, Dialect, ErrorCode, PresenceStatus,
        ReceiptStatus, Sender, Status,
    },
};
use serde_json::json;

use crate::support::{Feed, KEY, Plain, Proxy, Router, Weather, confirmed, failed, soon, split, tasks_left};

pub(crate) async fn join(router: &Router, name: &str) -> (Client, Feed) {
    let (client, mut feed) = split(soon("the ack", router.client(name).connect()).await.unwrap());
    assert_eq!(feed.online().await.0, Dialect::Rich);
    (client, feed)
}

fn by(name: &str, content: &str) -> ClientMessage {
    let mut message = ClientMessage::new(content);
    message.sender = Some(Sender::new(name));
    message
}

#[tokio::test]
async fn a_wrong_key_is_said_to_be_one() {
    let router = Router::start().await;
    let error = soon("the refusal", router.client("irc").key("hunter2").connect()).await.unwrap_err();
    assert_eq!(error.code(), "unauthorized");
    assert!(matches!(error, ConnectError::Closed { code: 4401, .. }) && !error.is_retryable());
    assert!(error.explain().contains("key"));
    let (_client, mut feed) = split(router.client("irc").key("hunter2").start().unwrap());
    assert_eq!(feed.closed().await, (Side::Server, Some(error)));
    // Longer than this router lets a name be.
    let error = soon("the refusal", router.client(&"x".repeat(100)).connect()).await.unwrap_err();
    assert_eq!(error.code(), "bad-register");
    // And a key that is no first packet.
    let error = soon("the refusal", router.client("irc").key("x".repeat(5000)).connect()).await.unwrap_err();
    assert_eq!(error.code(), "too-big");
    tasks_left(0).await;
}

#[tokio::test]
async fn a_wrong_path_is_said_to_be_one() {
    let router = Router::with(json!({"ws-path": "/chat"})).await;
    let url = format!("ws://{}/caht", router.address());
    let error = soon("the refusal", Client::builder(&url, "irc").key(KEY).connect()).await.unwrap_err();
    assert_eq!(error, ConnectError::Rejected { status: 404, retry_after: None });
    assert!(error.explain().contains("ws-path"), "{}", error.explain());
    let builder = Client::builder(&url, "irc").key(KEY).room("chat");
    soon("the ack", builder.connect()).await.unwrap();
}

#[tokio::test]
async fn messages_keep_all_that_they_have() {
    let router = Router::start().await;
    let (alice, mut alice_feed) = join(&router, "discord").await;
    let (bob, mut bob_feed) = join(&router, "matrix").await;
    let mut message = by("alice", "look at that 🐈");
    message.event = Some("notice".into());
    let mut cat = Attachment::new("https://cdn.example.org/cat.png");
    cat.name = Some("cat.png".into());
    message.attachments = vec![cat];
    assert_eq!(confirmed(alice.send(message.clone())).await, Some(1));
    let heard = bob_feed.message().await;
    assert_eq!(
        (&heard.content, &heard.sender, &heard.attachments, &heard.event),
        (&message.content, &message.sender, &message.attachments, &message.event)
    );
    assert_eq!((heard.source_client_name.as_str(), heard.place.unwrap().seq), ("discord", 1));
    assert!(!heard.replay && !heard.own);

    assert_eq!(confirmed(bob.reply(1, "nice")).await, Some(2));
    let reply = alice_feed.message().await;
    assert_eq!((reply.reply_to, reply.content.as_str()), (Some(1), "nice"));

    assert_eq!(confirmed(alice.edit(1, "look at this")).await, Some(3));
    match bob_feed.news().await {
        Event::Edit(edit) => {
            assert_eq!((edit.target, edit.content.as_str(), edit.place.seq), (1, "look at this", 3));
        }
        other => panic!("{other:?} instead of the edit"),
    }
    let mut receipt = ClientReceipt::new(1, ReceiptStatus::Delivered);
    receipt.remote_id = Some("$rT9".into());
    bob.report(receipt).unwrap();
    match alice_feed.news().await {
        Event::Receipt(receipt) => {
            assert_eq!((receipt.target, receipt.source_client_name.as_str()), (1, "matrix"));
            assert_eq!(
                (receipt.status, receipt.remote_id.as_deref()),
                (ReceiptStatus::Delivered, Some("$rT9"))
            );
        }
        other => panic!("{other:?} instead of the receipt"),
    }
    assert_eq!(confirmed(alice.delete(1)).await, Some(4));
    match bob_feed.news().await {
        Event::Delete(delete) => assert_eq!((delete.target, delete.place.seq), (1, 4)),
        other => panic!("{other:?} instead of the delete"),
    }
    for (sent, code) in [
        (alice.edit(1, "again"), ErrorCode::UnknownTarget),
        (alice.delete(2), ErrorCode::NotAllowed),
        (bob.edit(77, "what?"), ErrorCode::UnknownTarget),
    ] {
        let failure = failed(sent).await;
        assert_eq!(failure.fate, Fate::NotSent);
        assert!(matches!(failure.error, SendError::Refused { code: given, .. } if given == code));
    }
    // A reply to what never was is said all the same.
    assert_eq!(confirmed(bob.reply(77, "to whom?")).await, Some(5));
    let orphan = alice_feed.message().await;
    assert_eq!((orphan.reply_to, orphan.content.as_str()), (None, "to whom?"));
    bob.report(ClientReceipt::new(77, ReceiptStatus::Delivered)).unwrap();
    match bob_feed.news().await {
        Event::Refused(refusal) => assert_eq!(refusal.code, ErrorCode::UnknownTarget),
        other => panic!("{other:?} instead of the refusal"),
    }
}

#[tokio::test]
async fn history_comes_first_and_knows_its_own() {
    let router = Router::start().await;
    let (irc, mut irc_feed) = join(&router, "irc").await;
    let (matrix, _feed) = join(&router, "matrix").await;
    for number in 1..=6 {
        let (client, text) = if number % 2 == 0 { (&irc, "irc's") } else { (&matrix, "matrix's") };
        assert_eq!(confirmed(client.send(format!("{text} {number}"))).await, Some(number));
    }
    for number in [1, 3, 5] {
        irc_feed.hears(&format!("matrix's {number}")).await;
    }
    soon("the end", irc.close()).await;
    let builder = router.client("irc").history(4);
    let (_irc, mut feed) = split(soon("the ack", builder.connect()).await.unwrap());
    assert_eq!(feed.online().await, (Dialect::Rich, false));
    for (content, own) in [("matrix's 3", false), ("irc's 4", true), ("matrix's 5", false), ("irc's 6", true)]
    {
        let message = feed.message().await;
        assert_eq!((message.content.as_str(), message.own, message.replay), (content, own, true));
    }
    confirmed(matrix.send("live")).await;
    let message = feed.message().await;
    assert_eq!((message.content.as_str(), message.own, message.replay), ("live", false, false));
}

#[tokio::test]
async fn presence_tells_who_is_there() {
    let router = Router::start().await;
    let (matrix, _matrix_feed) = join(&router, "matrix").await;
    let builder = router.client("irc").presence(true);
    let (_irc, mut feed) = split(soon("the ack", builder.connect()).await.unwrap());
    match feed.news().await {
        Event::Roster(rows) => {
            assert_eq!(rows.len(), 1);
            assert_eq!((rows[0].client_name.as_str(), rows[0].status), ("matrix", Status::Online));
        }
        other => panic!("{other:?} instead of the roster"),
    }
    let mut status = ClientStatus::new(Status::Degraded);
    status.text = Some("the homeserver is slow".into());
    matrix.set_status(status).unwrap();
    match feed.news().await {
        Event::Presence(presence) => {
            assert_eq!(
                (presence.client_name.as_str(), presence.status),
                ("matrix", PresenceStatus::Degraded)
            );
            assert_eq!(presence.text.as_deref(), Some("the homeserver is slow"));
        }
        other => panic!("{other:?} instead of the presence"),
    }
    let (_qq, _qq_feed) = join(&router, "qq").await;
    match feed.news().await {
        Event::Presence(presence) => {
            assert_eq!((presence.client_name.as_str(), presence.status), ("qq", PresenceStatus::Online));
        }
        other => panic!("{other:?} instead of the presence"),
    }
    soon("the end", matrix.close()).await;
    match feed.news().await {
        Event::Presence(presence) => {
            assert_eq!((presence.client_name.as_str(), presence.status), ("matrix", PresenceStatus::Left));
        }
        other => panic!("{other:?} instead of the presence"),
    }
}

#[tokio::test]
async fn a_status_outlives_the_connection_and_the_router() {
    let (first, second) = (Router::start().await, Router::start().await);
    let proxy = Proxy::start(first.address(), Weather::Calm, 1).await;
    let (client, mut feed) = split(soon("the ack", proxy.client("matrix").connect()).await.unwrap());
    client.set_status(ClientStatus::new(Status::Offline)).unwrap();
    feed.online().await;
    proxy.lead_to(second.address());
    assert_eq!(feed.online().await, (Dialect::Rich, false));
    assert_eq!(feed.gap().await, (GapCause::NewLog, None));
    let (_irc, mut irc) =
        split(soon("the ack", second.client("irc").presence(true).connect()).await.unwrap());
    let mut status = Status::Online;
    while status != Status::Offline {
        status = match irc.news().await {
            Event::Roster(rows) => rows[0].status,
            Event::Presence(presence) if presence.status == PresenceStatus::Offline => Status::Offline,
            other => panic!("{other:?} instead of the status"),
        };
    }
}

#[tokio::test]
async fn plain_and_rich_clients_hear_each_other() {
    let router = Router::start().await;
    let (client, mut feed) = join(&router, "discord").await;
    let mut plain = Plain::join(&router, "irc").await;
    for (sent, content) in [
        (client.send(by("alice", "hi")), "<alice> hi"),
        (client.edit(1, "hello"), "<alice> (edited) hello"),
        (client.reply(1, by("bob", "yes")), "<bob> (re alice) yes"),
    ] {
        confirmed(sent).await.unwrap();
        assert_eq!(plain.hear().await, content);
    }
    plain.say("hi from irc").await;
    let message = feed.message().await;
    assert_eq!((message.content.as_str(), message.source_client_name.as_str()), ("hi from irc", "irc"));
    assert_eq!((&message.sender, message.place.unwrap().seq), (&None, 4));
}

#[tokio::test]
async fn a_router_that_stops_says_so_and_is_waited_for() {
    let (first, second) = (Router::start().await, Router::start().await);
    let proxy = Proxy::start(first.address(), Weather::Calm, 1).await;
    let (client, mut feed) = split(soon("the ack", proxy.client("irc").connect()).await.unwrap());
    feed.online().await;
    confirmed(client.send("one")).await;
    first.stop().await;
    let cause = feed.cause().await;
    assert_eq!(cause, ConnectError::Closed { code: 1001, reason: "going-away".into() });
    let waits = [client.send("two"), client.reply(1, "three"), client.edit(1, "four")];
    proxy.lead_to(second.address());
    assert_eq!(feed.online().await, (Dialect::Rich, false));
    assert_eq!(feed.gap().await, (GapCause::NewLog, None));
    let [two, three, four] = waits;
    assert_eq!((confirmed(two).await, confirmed(three).await), (Some(1), Some(2)));
    assert_eq!(failed(four).await.error, SendError::LogChanged);
}

#[tokio::test]
async fn who_was_away_too_long_is_told_how_much_is_missing() {
    let router = Router::with_limits(json!({"log-entries": 16})).await;
    let proxy = Proxy::start(router.address(), Weather::Calm, 1).await;
    let builder = proxy.client("irc").history(4);
    let (_irc, mut feed) = split(soon("the ack", builder.connect()).await.unwrap());
    let (matrix, _matrix_feed) = join(&router, "matrix").await;
    confirmed(matrix.send("1")).await;
    feed.online().await;
    feed.hears("1").await;
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    proxy.lead_to(nobody);
    feed.cause().await;
    for number in 2..=50 {
        confirmed(matrix.send(number.to_string())).await;
    }
    proxy.lead_to(router.address());
    assert_eq!(feed.online().await, (Dialect::Rich, false));
    assert_eq!(feed.gap().await, (GapCause::Forgotten, Some(45)));
    for number in 47..=50 {
        let message = feed.message().await;
        assert_eq!((message.content.as_str(), message.replay), (&*number.to_string(), true));
    }
}
