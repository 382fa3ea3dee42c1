//! From the open WebSocket to the ack.

use std::time::Duration;

use multichat::{
    ConnectError, Fate, SendError, Side, Stage, State,
    protocol::{CloseCode, Dialect},
};
use serde_json::json;

use crate::support::{
    GARBAGE, KEY, PLAIN_ACK, Scripted, ack_of, confirmed, failed, half_a_frame, opcode, quickly, rich_ack,
    said, soon, split, tasks_left, timeouts,
};

fn closed(code: u16) -> ConnectError {
    ConnectError::Closed { code, reason: "because".to_owned() }
}

#[tokio::test]
async fn it_says_who_it_is_and_what_it_wants() {
    let server = Scripted::start().await;
    let (_client, mut feed) = split(server.client().start().unwrap());
    let (_peer, register) = server.welcome(&rich_ack(json!({}))).await;
    let plain = json!({"action": "register", "client-name": "irc", "secret-key": KEY, "protocol": 2});
    let mut said = register.as_object().unwrap().clone();
    // What is asked for by default may be said or left out.
    said.retain(|_, value| *value != json!(0) && *value != json!(false));
    assert_eq!(json!(said), plain);
    assert_eq!(feed.state().await, State::Connecting { attempt: 1 });
    assert_eq!(feed.state().await, State::Registering { attempt: 1 });
    let online = State::Online { dialect: Dialect::Rich, recovered: false, epoch: Some("epoch-1".into()) };
    assert_eq!(feed.state().await, online);

    let (_client, _events) = server.client().history(50).presence(true).start().unwrap();
    let (_peer, register) = server.registering().await;
    assert_eq!((&register["history"], &register["presence"]), (&json!(50), &json!(true)));
}

#[tokio::test]
async fn what_is_sent_before_the_ack_waits_for_it() {
    let server = Scripted::start().await;
    let (client, _feed) = split(server.client().start().unwrap());
    let sent = client.send("early");
    let (mut peer, _) = server.registering().await;
    let also_sent = client.send("earlier than the ack");
    peer.frame_of(opcode::PING, b"are you there?").await;
    assert_eq!(peer.hear().await, crate::support::Heard::Pong(b"are you there?".to_vec()));
    peer.text(&rich_ack(json!({}))).await;
    for (number, (sent, content)) in
        [(sent, "early"), (also_sent, "earlier than the ack")].into_iter().enumerate()
    {
        let packet = peer.expect("client-message").await;
        assert_eq!(packet["content"], content);
        let seq = number as u64 + 1;
        peer.tell(&ack_of(&packet, seq)).await;
        assert_eq!(confirmed(sent).await, Some(seq));
    }
}

#[tokio::test]
async fn a_code_that_is_final_ends_the_client_before_the_ack() {
    for code in [1002, 1003, 1007, 4400, 4401, 4403, 4409, 4410, 4499] {
        let server = Scripted::start().await;
        let (client, mut feed) = split(server.client().start().unwrap());
        let sent = client.send("never");
        let (peer, _) = server.registering().await;
        peer.goodbye(code).await;
        assert_eq!(feed.closed().await, (Side::Server, Some(closed(code))));
        assert!(!closed(code).is_retryable());
        let failure = failed(sent).await;
        assert_eq!((failure.error, failure.fate), (SendError::Ended { cause: closed(code) }, Fate::NotSent));
        tasks_left(0).await;
        assert!(!server.has_caller());
    }
}

#[tokio::test]
async fn a_code_that_is_not_final_is_tried_again_before_the_ack() {
    let server = Scripted::start().await;
    let (_client, mut feed) = split(server.client().start().unwrap());
    for code in [1000, 1001, 1008, 1011, 1012, 1013, 3000, 4000, 4503, 4508, 4513, 4999] {
        let (peer, _) = server.registering().await;
        peer.goodbye(code).await;
        let (_, retry_in, cause) = feed.waiting().await;
        assert_eq!(cause, closed(code));
        assert!(retry_in <= quickly().longest);
    }
    server.welcome(&rich_ack(json!({}))).await;
    feed.online().await;
}

#[tokio::test]
async fn connect_gives_the_code_that_it_was_refused_with() {
    let server = Scripted::start().await;
    for code in CloseCode::ALL {
        let (connected, ()) =
            tokio::join!(soon("the outcome of connect", server.client().connect()), async {
                server.registering().await.0.goodbye(code.code()).await;
            });
        let error = connected.expect_err("it was refused");
        assert_eq!(error, closed(code.code()));
        assert_eq!(error.code(), code.reason());
    }
    tasks_left(0).await;
    assert!(!server.has_caller());
}

#[tokio::test]
async fn too_large_to_register_is_so_again() {
    let server = Scripted::start().await;
    let (_client, mut feed) = split(server.client().start().unwrap());
    server.registering().await.0.goodbye(1009).await;
    assert_eq!(feed.closed().await, (Side::Server, Some(closed(1009))));
}

#[tokio::test]
async fn two_silent_closes_in_a_row_are_probably_a_refused_key() {
    let server = Scripted::start().await;
    let (_client, mut feed) = split(server.client().start().unwrap());
    server.registering().await.0.hang_up().await;
    assert_eq!(feed.cause().await, ConnectError::Lost);
    // Without a code in its close frame, without a frame, or by a reset: all the same.
    for end in 0..3 {
        let (mut peer, _) = server.registering().await;
        match end {
            0 => peer.close(None, "").await,
            1 => peer.hang_up().await,
            _ => peer.reset(),
        }
        let cause = feed.cause().await;
        assert_eq!(cause, ConnectError::KeyProbablyRefused);
        assert!(cause.is_retryable() && cause.explain().contains("key"));
    }
    // A success in between: it was not the key.
    let (peer, _) = server.welcome(PLAIN_ACK).await;
    feed.online().await;
    peer.reset();
    assert_eq!(feed.cause().await, ConnectError::Lost);
    server.registering().await.0.reset();
    assert_eq!(feed.cause().await, ConnectError::Lost);
}

#[tokio::test]
async fn connect_asks_an_original_server_twice_about_its_key() {
    let server = Scripted::start().await;
    let (connected, ()) = tokio::join!(soon("the outcome of connect", server.client().connect()), async {
        server.registering().await.0.hang_up().await;
        server.registering().await.0.hang_up().await;
    });
    assert_eq!(connected.expect_err("it was refused"), ConnectError::KeyProbablyRefused);
    tasks_left(0).await;
    assert!(!server.has_caller());
}

#[tokio::test]
async fn what_is_no_ack_ends_the_attempt() {
    let server = Scripted::start().await;
    let (_client, mut feed) = split(server.client().start().unwrap());
    let unknown_protocol = rich_ack(json!({"epoch": 7}));
    for answer in
        ["hello", "{}", "[]", r#"{"action":"welcome"}"#, &said("early", 1).to_string(), &unknown_protocol]
    {
        let (mut peer, _) = server.registering().await;
        peer.text(answer).await;
        assert_eq!(feed.cause().await, ConnectError::NoRouter, "after {answer}");
        peer.ended().await;
    }
    for bytes in [GARBAGE.to_vec(), half_a_frame(PLAIN_ACK)] {
        let (mut peer, _) = server.registering().await;
        peer.bytes(&bytes).await;
        peer.hang_up().await;
        feed.waiting().await;
    }
    server.welcome(&rich_ack(json!({}))).await;
    feed.online().await;
}

#[tokio::test]
async fn garbage_and_a_close_behind_it_are_one_failure() {
    let server = Scripted::start().await;
    let (_client, mut feed) = split(server.client().start().unwrap());
    for attempt in 1..=3 {
        let (mut peer, _) = server.registering().await;
        let mut bytes = crate::support::text_frame("nonsense");
        bytes.extend([0x88, 2, 0x11, 0x31]);
        // In one piece: the client reads both at once. The second is 4401, which would be the end.
        peer.bytes(&bytes).await;
        let (number, _, cause) = feed.waiting().await;
        assert_eq!((number, cause), (attempt, ConnectError::NoRouter));
    }
}

#[tokio::test]
async fn an_ack_with_more_in_it_than_is_known_is_an_ack() {
    let server = Scripted::start().await;
    let (_client, mut feed) = split(server.client().start().unwrap());
    let more = json!({
        "protocol": 2, "motd": {"deep": [[[{"action": "no"}]]]}, "recovered": null, "client-name": 7,
        "limits": {"packet-bytes": 10_000, "moon-phase": "full"},
    });
    server.welcome(&rich_ack(more)).await;
    assert_eq!(feed.online().await, (Dialect::Rich, false));
}

#[tokio::test]
async fn an_ack_that_never_comes_is_not_waited_for_for_ever() {
    let server = Scripted::start().await;
    let timeouts = timeouts(|timeouts| timeouts.register = Duration::from_secs(1));
    let (_client, mut feed) = split(server.client().timeouts(timeouts).start().unwrap());
    let (peer, _) = server.registering().await;
    assert_eq!(feed.cause().await, ConnectError::TimedOut(Stage::Register));
    peer.ended().await;
    // Signs of life are no ack.
    let (mut peer, _) = server.registering().await;
    let (cause, ()) = tokio::join!(feed.cause(), async {
        while peer
            .hear_within(Duration::from_millis(5))
            .await
            .is_none_or(|heard| heard != crate::support::Heard::End)
        {
            peer.try_frame(opcode::PING, b"").await;
        }
    });
    assert_eq!(cause, ConnectError::TimedOut(Stage::Register));
    server.welcome(&rich_ack(json!({}))).await;
    soon("the ack", feed.online()).await;
}

#[tokio::test]
async fn a_second_ack_changes_nothing() {
    let server = Scripted::start().await;
    let (client, mut feed) = split(server.client().start().unwrap());
    let (mut peer, _) = server.welcome(&rich_ack(json!({"seq": 5, "after": 5}))).await;
    feed.online().await;
    peer.text(&rich_ack(json!({"session": "other", "epoch": "other", "seq": 90, "after": 90}))).await;
    peer.text(PLAIN_ACK).await;
    peer.tell(&said("hello", 6)).await;
    // The next event is the message: no state, no gap.
    match feed.next().await {
        Some(multichat::Event::Message(message)) => assert_eq!(message.content, "hello"),
        other => panic!("{other:?} instead of the message"),
    }
    assert!(matches!(client.state(), State::Online { .. }));
    peer.reset();
    let (_peer, register) = server.registering().await;
    assert_eq!(register["resume"], json!({"session": "session-1", "epoch": "epoch-1", "seq": 6}));
}

#[tokio::test]
async fn a_break_together_with_the_ack_is_a_break_after_it() {
    let server = Scripted::start().await;
    let (client, mut feed) = split(server.client().start().unwrap());
    let sent = client.send("once");
    let (mut peer, _) = server.registering().await;
    let mut bytes = crate::support::text_frame(&rich_ack(json!({})));
    bytes.extend([0x88, 2, 0x03, 0xe9]);
    peer.bytes(&bytes).await;
    feed.online().await;
    assert_eq!(feed.cause().await, ConnectError::Closed { code: 1001, reason: String::new() });
    let (mut peer, register) = server.welcome(&rich_ack(json!({"recovered": true}))).await;
    assert_eq!(register["resume"]["session"], "session-1");
    // Whether it was written before the break or not, it is sent now, and confirmed once.
    let packet = peer.expect("client-message").await;
    assert_eq!(packet["content"], "once");
    peer.tell(&ack_of(&packet, 1)).await;
    assert_eq!(confirmed(sent).await, Some(1));
}
