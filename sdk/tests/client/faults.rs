//! What goes wrong on a connection that was good.

use std::time::Duration;

use multichat::{ConnectError, Event, Side, Stage};
use serde_json::{Value, json};

use crate::support::{
    GARBAGE, Heard, Peer, Scripted, ack_of, confirmed, half_a_frame, opcode, quickly, rich_ack, said,
    same_session, split, tasks_left, text_frame, timeouts,
};

fn closed(code: u16) -> ConnectError {
    ConnectError::Closed { code, reason: "because".to_owned() }
}

#[tokio::test]
async fn a_code_that_is_final_ends_the_client() {
    for code in [1002, 1003, 1007, 4400, 4401, 4403, 4409, 4410, 4499] {
        let server = Scripted::start().await;
        let (_client, mut feed) = split(server.client().start().unwrap());
        let (mut peer, _) = server.welcome(&rich_ack(json!({}))).await;
        feed.online().await;
        peer.tell(&said("the last word", 1)).await;
        peer.goodbye(code).await;
        feed.hears("the last word").await;
        assert_eq!(feed.closed().await, (Side::Server, Some(closed(code))));
        tasks_left(0).await;
        assert!(!server.has_caller());
    }
}

/// A stopped container, or a page that the browser froze: the clock goes on, and what comes waits in the socket.
#[tokio::test]
async fn what_came_during_a_freeze_is_not_late() {
    let server = Scripted::start().await;
    let (client, mut feed) = split(server.client().start().unwrap());
    let (mut peer, _) = server.welcome(&rich_ack(json!({}))).await;
    feed.online().await;
    let sent = client.send("x");
    let packet = peer.expect("client-message").await;
    tokio::time::pause();
    peer.tell_all(&[said("meanwhile", 1), ack_of(&packet, 2)]).await;
    tokio::time::advance(Duration::from_mins(10)).await;
    tokio::time::resume();
    assert_eq!(confirmed(sent).await, Some(2));
    feed.hears("meanwhile").await;
    peer.tell(&said("afterwards", 3)).await;
    feed.hears("afterwards").await;
}

#[tokio::test]
async fn a_message_beyond_all_bounds_is_called_so() {
    let server = Scripted::start().await;
    let (_client, mut feed) = split(server.client().start().unwrap());
    let (mut peer, _) = server.welcome(&rich_ack(json!({}))).await;
    feed.online().await;
    // The head of a frame of a tebibyte.
    peer.bytes(&[0x81, 127, 0, 0, 1, 0, 0, 0, 0, 0]).await;
    assert_eq!(peer.hear().await, Heard::Close(Some(1009)));
    let cause = feed.cause().await;
    assert_eq!((&cause, cause.code()), (&ConnectError::MessageTooBig, "message-too-big"));
    assert!(cause.is_retryable());
    let (_peer, _) = server.welcome(&same_session(0, 0)).await;
    feed.online().await;
}

#[tokio::test]
async fn any_other_end_is_followed_by_another_connection() {
    let server = Scripted::start().await;
    let (_client, mut feed) = split(server.client().start().unwrap());
    let (mut peer, _) = server.welcome(&rich_ack(json!({}))).await;
    for code in [1000, 1001, 1008, 1009, 1011, 3000, 4000, 4503, 4508, 4513, 4999] {
        feed.online().await;
        peer.goodbye(code).await;
        let (_, retry_in, cause) = feed.waiting().await;
        assert_eq!(cause, closed(code));
        assert!(retry_in <= quickly().longest);
        (peer, _) = server.welcome(&same_session(0, 0)).await;
    }
    for end in 0..4 {
        feed.online().await;
        match end {
            0 => peer.reset(),
            1 => peer.hang_up().await,
            2 => peer.close(None, "").await,
            // A code that no frame may have.
            _ => peer.close(Some(1006), "").await,
        }
        assert_eq!(feed.cause().await, ConnectError::Lost, "at the end number {end}");
        (peer, _) = server.welcome(&same_session(0, 0)).await;
    }
    feed.online().await;
}

#[tokio::test]
async fn after_4529_it_waits_five_seconds_at_least() {
    let server = Scripted::start().await;
    let (client, mut feed) = split(server.client().start().unwrap());
    for welcomed in [false, true] {
        let (mut peer, _) = server.registering().await;
        if welcomed {
            peer.text(&rich_ack(json!({}))).await;
            feed.online().await;
        }
        peer.goodbye(4529).await;
        let (_, retry_in, _) = feed.waiting().await;
        assert!((Duration::from_secs(5)..Duration::from_secs(6)).contains(&retry_in), "{retry_in:?}");
        assert!(!server.is_called_within(Duration::from_millis(50)).await);
        client.reconnect_now();
    }
    server.registering().await;
}

#[tokio::test]
async fn the_waits_grow_when_no_connection_lasts() {
    let server = Scripted::start().await;
    let (_client, mut feed) = split(server.client().start().unwrap());
    for number in 1..=20 {
        // Each is acked and ends at once: no success.
        let (peer, _) = server.welcome(&rich_ack(json!({}))).await;
        feed.online().await;
        peer.reset();
        assert_eq!(feed.waiting().await.0, number);
    }
}

#[tokio::test]
async fn what_is_not_websocket_breaks_the_connection() {
    let server = Scripted::start().await;
    let (_client, mut feed) = split(server.client().start().unwrap());
    let masked = [0x81, 0x82, 1, 2, 3, 4, b'h' ^ 1, b'i' ^ 2];
    let unknown_opcode = [0x83, 0];
    let fragmented_ping = [0x09, 0];
    let orphan = [0x80, 0];
    let long_ping = {
        let mut bytes = vec![0x89, 126, 0, 200];
        bytes.extend([0; 200]);
        bytes
    };
    let not_utf8 = [0x81, 2, 0xc3, 0x28];
    let all: [&[u8]; 7] =
        [GARBAGE, &masked, &unknown_opcode, &fragmented_ping, &orphan, &long_ping, &not_utf8];
    for bytes in all {
        let (mut peer, _) = server.welcome(&rich_ack(json!({}))).await;
        feed.online().await;
        peer.bytes(bytes).await;
        assert_eq!(feed.cause().await, ConnectError::Lost, "after {bytes:?}");
        peer.ended().await;
    }
}

#[tokio::test]
async fn half_a_frame_is_no_message() {
    let server = Scripted::start().await;
    let (_client, mut feed) = split(server.client().start().unwrap());
    let (mut peer, _) = server.welcome(&rich_ack(json!({}))).await;
    for number in 1..=4 {
        let message = said(&format!("message {number}"), number);
        peer.tell(&message).await;
        peer.bytes(&half_a_frame(&said("cut off", number + 1).to_string())).await;
        feed.hears(&format!("message {number}")).await;
        if number % 2 == 0 {
            peer.reset();
        } else {
            peer.hang_up().await;
        }
        assert_eq!(feed.cause().await, ConnectError::Lost);
        let resumed = server.welcome(&same_session(number, number)).await;
        assert_eq!(resumed.1["resume"]["seq"], number);
        peer = resumed.0;
    }
}

#[tokio::test]
async fn a_message_may_come_in_pieces() {
    let server = Scripted::start().await;
    let (_client, mut feed) = split(server.client().start().unwrap());
    let (mut peer, _) = server.welcome(&rich_ack(json!({}))).await;
    let text = said("in pieces 🧩", 1).to_string();
    for (number, byte) in text.bytes().enumerate() {
        let opcode = if number == 0 { opcode::TEXT } else { opcode::CONTINUATION };
        peer.fragment(opcode, &[byte]).await;
        if number == text.len() / 2 {
            peer.frame_of(opcode::PING, b"now?").await;
            assert_eq!(peer.hear().await, Heard::Pong(b"now?".to_vec()));
        }
    }
    peer.frame_of(opcode::CONTINUATION, b"").await;
    feed.hears("in pieces 🧩").await;
}

#[tokio::test]
async fn what_nobody_has_defined_is_ignored() {
    let server = Scripted::start().await;
    let (_client, mut feed) = split(server.client().presence(true).start().unwrap());
    let (mut peer, _) = server.welcome(&rich_ack(json!({"clients": []}))).await;
    feed.online().await;
    assert_eq!(feed.news().await, Event::Roster(Vec::new()));
    let unknown = [
        json!({"action": "celebrate", "seq": 900}),
        json!({"action": "client-message", "content": "you are the server"}),
        json!({"action": "message-ack", "id": "nobody's", "seq": 0, "time": 1}),
        json!({"action": "forwarding-message", "source-client-name": "matrix", "content": "without a place"}),
        json!({"action": "presence", "client-name": "matrix", "status": "sleeping", "time": 1}),
        json!({"action": 7}),
        json!(["forwarding-message"]),
    ];
    for packet in unknown {
        peer.tell(&packet).await;
    }
    for text in
        ["", "nonsense", "{", "null", "\u{feff}{}", r#"{"action":"forwarding-message","content":"\n"}"#]
    {
        peer.text(text).await;
    }
    peer.frame_of(opcode::BINARY, b"\0\xff").await;
    peer.frame_of(opcode::PONG, b"unasked").await;
    let mut message = said("known", 1);
    message["poll"] = json!({"options": ["a", "b"], "nested": [[[[[[[[{}]]]]]]]]});
    message["Content"] = json!("keys are case-sensitive");
    peer.tell(&message).await;
    // Nothing else has come up to here; a presence of an unknown status may be told or not.
    loop {
        match feed.news().await {
            Event::Presence(presence) => assert_eq!(presence.client_name, "matrix"),
            Event::Message(message) => break assert_eq!(message.content, "known"),
            other => panic!("{other:?} of what nobody has defined"),
        }
    }
    peer.reset();
    let (_, register) = server.registering().await;
    assert_eq!(register["resume"]["seq"], 1, "what is no entry does not move the cursor");
}

#[tokio::test]
async fn an_entry_of_an_unknown_kind_has_its_place() {
    let server = Scripted::start().await;
    let (client, mut feed) = split(server.client().start().unwrap());
    let (mut peer, _) = server.welcome(&rich_ack(json!({}))).await;
    feed.online().await;
    peer.tell(&said("one", 1)).await;
    peer.tell(
        &json!({"action": "forwarding-poll", "source-client-name": "matrix", "seq": 2, "question": "?"}),
    )
    .await;
    feed.hears("one").await;
    let sent = client.send("two");
    let packet = peer.expect("client-message").await;
    peer.reset();
    // It is the end of the replay as well: what has no ack by then is sent again.
    let (mut peer, register) = server.welcome(&same_session(2, 3)).await;
    assert_eq!(register["resume"]["seq"], 2);
    peer.tell(&json!({"action": "forwarding-poll", "seq": 3})).await;
    assert_eq!(peer.packet().await, packet);
    peer.tell(&ack_of(&packet, 4)).await;
    assert_eq!(confirmed(sent).await, Some(4));
}

#[tokio::test]
async fn lone_surrogates_and_huge_messages_come() {
    let server = Scripted::start().await;
    let (_client, mut feed) = split(server.client().start().unwrap());
    let (mut peer, _) = server.welcome(&rich_ack(json!({}))).await;
    let lone = r#"{"action":"forwarding-message","source-client-name":"qq","content":"\ud83d\ud83d\ude00","seq":1,"time":1}"#;
    peer.text(lone).await;
    feed.hears("\u{fffd}😀").await;
    // More than a client may send: what the router adds comes on top.
    let text = "long ".repeat(1_100_000 / 5);
    peer.tell(&said(&text, 2)).await;
    feed.hears(&text).await;
    let odd = "\u{0}\r\n<@everyone> \u{202e} \"\\";
    peer.tell(&said(odd, 3)).await;
    feed.hears(odd).await;
}

/// Answers pings, and counts them, until the client is gone.
async fn count_pings(mut peer: Peer, answers: usize) -> usize {
    let mut pings = 0;
    loop {
        match peer.hear().await {
            Heard::Ping => {
                pings += 1;
                if pings <= answers {
                    peer.try_frame(opcode::PONG, b"").await;
                }
            }
            Heard::End => return pings,
            other => panic!("{other:?} from an idle client"),
        }
    }
}

#[tokio::test]
async fn a_silent_server_is_asked_and_then_left() {
    let server = Scripted::start().await;
    let timeouts = timeouts(|timeouts| timeouts.silence = Duration::from_secs(2));
    let (_client, mut feed) = split(server.client().timeouts(timeouts).start().unwrap());
    let (peer, _) = server.welcome(&rich_ack(json!({}))).await;
    feed.online().await;
    let (cause, pings) = tokio::join!(feed.cause(), count_pings(peer, 1));
    assert_eq!(cause, ConnectError::TimedOut(Stage::Silence));
    // Once in each silence: one that was answered, and one that was not; fewer if the answer came too late.
    assert!((1..=2).contains(&pings), "{pings} pings");
    server.welcome(&same_session(0, 0)).await;
    assert!(feed.online().await.1, "the session goes on");
}

#[tokio::test]
async fn a_server_is_asked_once_in_a_silence() {
    let server = Scripted::start().await;
    let timeouts = timeouts(|timeouts| timeouts.silence = Duration::from_secs(2));
    let (client, _feed) = split(server.client().timeouts(timeouts).start().unwrap());
    let (mut peer, _) = server.welcome(&rich_ack(json!({}))).await;
    assert_eq!(peer.hear().await, Heard::Ping);
    for number in 0..5 {
        drop(client.send(number.to_string()));
        assert_eq!(peer.packet().await["content"], number.to_string());
    }
    assert_eq!(peer.hear_within(Duration::from_millis(50)).await, None);
}

#[tokio::test]
async fn who_hears_something_does_not_ask() {
    let server = Scripted::start().await;
    let timeouts = timeouts(|timeouts| timeouts.silence = Duration::from_secs(2));
    let (_client, mut feed) = split(server.client().timeouts(timeouts).start().unwrap());
    let (mut peer, _) = server.welcome(&rich_ack(json!({}))).await;
    feed.online().await;
    for number in 1..=60 {
        peer.tell(&said("tick", number)).await;
        feed.hears("tick").await;
        let heard = peer.hear_within(Duration::from_millis(25)).await;
        assert_eq!(heard, None, "after {number} of them");
    }
}

#[tokio::test]
async fn an_ack_that_does_not_come_makes_the_client_resume() {
    let server = Scripted::start().await;
    let timeouts = timeouts(|timeouts| timeouts.ack = Duration::from_secs(1));
    let (client, mut feed) = split(server.client().timeouts(timeouts).start().unwrap());
    let (mut peer, _) = server.welcome(&rich_ack(json!({}))).await;
    feed.online().await;
    let sent = client.send("hello?");
    let packet = peer.expect("client-message").await;
    assert_eq!(feed.cause().await, ConnectError::TimedOut(Stage::Ack));
    peer.ended().await;
    let (mut peer, _) = server.welcome(&same_session(0, 0)).await;
    assert_eq!(peer.packet().await, packet, "the same again, with the same id");
    peer.tell(&ack_of(&packet, 1)).await;
    assert_eq!(confirmed(sent).await, Some(1));
}

#[tokio::test]
async fn acks_that_never_come_are_given_up() {
    let server = Scripted::start().await;
    let timeouts = timeouts(|timeouts| timeouts.ack = Duration::from_millis(30));
    let (client, mut feed) = split(server.client().timeouts(timeouts).start().unwrap());
    let sent: Vec<_> = (0..3).map(|number| client.send(format!("lost {number}"))).collect();
    let mut ids = Vec::new();
    // A router that takes everything and answers nothing to it: the client does not go on for ever.
    let serve = async {
        let mut ack = rich_ack(json!({}));
        loop {
            let (mut peer, _) = server.welcome(&ack).await;
            ack = same_session(0, 0);
            while let Heard::Text(text) = peer.hear().await {
                let packet: Value = serde_json::from_str(&text).unwrap();
                ids.push(packet["id"].clone());
            }
        }
    };
    let outcomes = async {
        for sent in sent {
            let failure = crate::support::failed(sent).await;
            assert_eq!(failure.fate, multichat::Fate::Unknown, "nobody knows");
            assert_eq!(failure.code(), "fate-unknown");
            assert!(failure.text().starts_with("lost "));
        }
    };
    tokio::select! {
        () = serve => {}
        () = outcomes => {}
    }
    assert!(ids.len() < 30, "{} packets for three messages", ids.len());
    feed.online().await;
}

#[tokio::test]
async fn a_server_that_does_not_read_holds_nobody_up() {
    let server = Scripted::start().await;
    let timeouts = timeouts(|timeouts| timeouts.ack = Duration::from_secs(4));
    let (client, mut feed) = split(server.client().timeouts(timeouts).start().unwrap());
    let (mut peer, _) = server.welcome(&rich_ack(json!({}))).await;
    feed.online().await;
    // More than is on its way at once.
    let sent: Vec<_> = (0..6).map(|_| client.send("x".repeat(100_000))).collect();
    // Reading goes on all the same.
    for seq in 1..=20 {
        peer.tell(&said("still here", seq)).await;
        feed.hears("still here").await;
    }
    assert_eq!(feed.cause().await, ConnectError::TimedOut(Stage::Ack));
    drop(peer);
    // Each is entered once, however often it is sent: on a busy machine an ack may come too late.
    let mut entered = Vec::new();
    let serve = async {
        loop {
            let newest = 20 + entered.len() as u64;
            let (mut peer, _) = server.welcome(&same_session(newest, newest)).await;
            while let Heard::Text(text) = peer.hear().await {
                let packet: Value = serde_json::from_str(&text).unwrap();
                let place = entered.iter().position(|id| *id == packet["id"]).unwrap_or(entered.len());
                if place == entered.len() {
                    entered.push(packet["id"].clone());
                }
                peer.try_frame(opcode::TEXT, ack_of(&packet, 21 + place as u64).to_string().as_bytes()).await;
            }
        }
    };
    let acked = async {
        for (number, sent) in sent.into_iter().enumerate() {
            assert_eq!(confirmed(sent).await, Some(21 + number as u64));
        }
    };
    tokio::select! {
        () = serve => {}
        () = acked => {}
    }
}

#[tokio::test]
async fn everything_at_once_and_then_the_end() {
    // Ack, replay, an ack of nothing, a close: in one reading.
    let server = Scripted::start().await;
    let (_client, mut feed) = split(server.client().history(3).start().unwrap());
    let (mut peer, _) = server.registering().await;
    let mut bytes = text_frame(&rich_ack(json!({"seq": 3})));
    for seq in 1..=300 {
        bytes.extend(text_frame(&said(&seq.to_string(), seq).to_string()));
    }
    bytes.extend([0x88, 2, 0x11, 0x39]);
    peer.bytes(&bytes).await;
    feed.online().await;
    for seq in 1..=300 {
        let message = feed.message().await;
        assert_eq!(message.content, seq.to_string());
        assert_eq!(message.replay, seq <= 3);
    }
    assert_eq!(
        feed.closed().await,
        (Side::Server, Some(ConnectError::Closed { code: 4409, reason: String::new() }))
    );
}
