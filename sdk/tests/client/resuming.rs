//! What is kept over a break, and what is said of it.

use multichat::{
    Client, Event, Fate, GapCause, SendError, State,
    protocol::{ClientMessage, Dialect},
};
use serde_json::{Value, json};

use crate::support::{
    Feed, Heard, PLAIN_ACK, Peer, Scripted, ack_of, confirmed, failed, rich_ack, said, same_session, split,
};

/// A client whose cursor is at 5.
async fn at_five(server: &Scripted) -> (Client, Feed, Peer) {
    let (client, mut feed) = split(server.client().history(2).start().unwrap());
    let (mut peer, register) = server.welcome(&rich_ack(json!({"seq": 4, "after": 4}))).await;
    assert!(register.get("resume").is_none(), "there is nothing to resume yet");
    feed.online().await;
    peer.tell(&said("five", 5)).await;
    feed.hears("five").await;
    (client, feed, peer)
}

/// Breaks the connection, and answers so to the next registration.
async fn break_and_welcome(server: &Scripted, peer: Peer, ack: &str) -> (Peer, Value) {
    peer.reset();
    server.welcome(ack).await
}

#[tokio::test]
async fn it_goes_on_where_it_broke_off() {
    let server = Scripted::start().await;
    let (_client, mut feed, peer) = at_five(&server).await;
    let (mut peer, register) = break_and_welcome(&server, peer, &same_session(5, 7)).await;
    assert_eq!(register["resume"], json!({"session": "session-1", "epoch": "epoch-1", "seq": 5}));
    assert_eq!(register["history"], 2, "in case it cannot be resumed");
    peer.tell_all(&[said("six", 6), said("seven", 7), said("eight", 8)]).await;
    assert_eq!(feed.online().await, (Dialect::Rich, true));
    for (content, replay) in [("six", true), ("seven", true), ("eight", false)] {
        let message = feed.message().await;
        assert_eq!((message.content.as_str(), message.replay, message.own), (content, replay, false));
    }
    // In the middle of the next replay it breaks again.
    let (mut peer, register) = break_and_welcome(&server, peer, &same_session(8, 12)).await;
    assert_eq!(register["resume"]["seq"], 8);
    peer.tell(&said("nine", 9)).await;
    feed.hears("nine").await;
    let (mut peer, register) = break_and_welcome(&server, peer, &same_session(9, 12)).await;
    assert_eq!(register["resume"]["seq"], 9);
    for seq in 10..=12 {
        peer.tell(&said(&seq.to_string(), seq)).await;
        feed.hears(&seq.to_string()).await;
    }
}

#[tokio::test]
async fn what_has_no_ack_after_the_replay_is_sent_again() {
    let server = Scripted::start().await;
    let (client, mut feed, mut peer) = at_five(&server).await;
    let sent: Vec<_> = ["a", "b", "c", "d"].map(|text| client.send(text)).into();
    let mut packets = Vec::new();
    for _ in 0..4 {
        packets.push(peer.expect("client-message").await);
    }
    // Of four, the first is acked, and the second and the last were entered; the connection broke before their acks.
    peer.tell(&ack_of(&packets[0], 6)).await;
    let mut sent = sent.into_iter();
    assert_eq!(confirmed(sent.next().unwrap()).await, Some(6));
    let (mut peer, register) = break_and_welcome(&server, peer, &same_session(6, 9)).await;
    assert_eq!(register["resume"]["seq"], 6, "acks move the cursor");
    peer.tell_all(&[ack_of(&packets[1], 7), said("between", 8)]).await;
    assert_eq!(confirmed(sent.next().unwrap()).await, Some(7));
    feed.hears("between").await;
    // The replay is not through: nothing is sent again yet, nor anything new.
    let late = client.send("e");
    assert_eq!(peer.hear_within(std::time::Duration::from_millis(30)).await, None);
    peer.tell(&ack_of(&packets[3], 9)).await;
    assert_eq!(peer.packet().await, packets[2], "what was not entered comes again as it was");
    let new = peer.expect("client-message").await;
    assert_eq!(new["content"], "e");
    assert!(packets.iter().all(|packet| packet["id"] != new["id"]));
    peer.tell_all(&[ack_of(&packets[2], 10), ack_of(&new, 11)]).await;
    let seqs =
        [confirmed(sent.next().unwrap()).await, confirmed(sent.next().unwrap()).await, confirmed(late).await];
    assert_eq!(seqs, [Some(10), Some(9), Some(11)]);
}

#[tokio::test]
async fn a_repeated_ack_does_not_move_the_cursor_back() {
    let server = Scripted::start().await;
    let (client, mut feed, mut peer) = at_five(&server).await;
    let sent = client.send("a");
    let packet = peer.expect("client-message").await;
    peer.tell_all(&[
        ack_of(&packet, 6),
        said("seven", 7),
        ack_of(&packet, 6),
        ack_of(&json!({"id": "?"}), 3),
    ])
    .await;
    assert_eq!(confirmed(sent).await, Some(6));
    feed.hears("seven").await;
    // It has read the acks as well when it tells of this.
    peer.tell(&json!({"action": "error", "code": "unknown-action", "reason": "a mark"})).await;
    assert!(matches!(feed.news().await, Event::Refused(_)));
    let (_, register) = break_and_welcome(&server, peer, &same_session(7, 7)).await;
    assert_eq!(register["resume"]["seq"], 7);
}

#[tokio::test]
async fn an_old_break_is_no_news() {
    // The router closes the connection that was taken over; only the present one counts.
    let server = Scripted::start().await;
    let timeouts = crate::support::timeouts(|timeouts| timeouts.silence = std::time::Duration::from_secs(2));
    let (_client, mut feed) = split(server.client().timeouts(timeouts).start().unwrap());
    let (mut old, _) = server.welcome(&rich_ack(json!({}))).await;
    feed.online().await;
    feed.cause().await;
    let (mut peer, _) = server.welcome(&same_session(0, 0)).await;
    old.try_frame(8, &[0x11, 0x39]).await;
    assert!(feed.online().await.1);
    peer.tell(&said("on", 1)).await;
    feed.hears("on").await;
}

#[tokio::test]
async fn a_gap_in_the_same_log_is_counted() {
    let server = Scripted::start().await;
    let (client, mut feed, mut peer) = at_five(&server).await;
    let sent = client.send("who knows");
    let packet = peer.expect("client-message").await;
    let reply = client.reply(3, "yes");
    let reply_packet = peer.expect("client-message").await;
    assert_eq!(reply_packet["reply-to"], 3);
    let ack = rich_ack(json!({"session": "session-2", "recovered": false, "seq": 20, "after": 18}));
    let (mut peer, _) = break_and_welcome(&server, peer, &ack).await;
    assert_eq!(feed.online().await, (Dialect::Rich, false));
    assert_eq!(feed.gap().await, (GapCause::Forgotten, Some(13)));
    for (sent, text) in [(sent, "who knows"), (reply, "yes")] {
        let failure = failed(sent).await;
        assert_eq!(
            (&failure.error, failure.fate, failure.text()),
            (&SendError::FateUnknown, Fate::Unknown, text)
        );
        let multichat::protocol::ClientPacket::Message(message) = *failure.packet else {
            panic!("it was a message")
        };
        assert_eq!(message.id, None);
    }
    peer.tell_all(&[said("19", 19), said("20", 20), said("21", 21)]).await;
    for (content, replay) in [("19", true), ("20", true), ("21", false)] {
        let message = feed.message().await;
        assert_eq!((message.content.as_str(), message.replay), (content, replay));
    }
    // Nothing of it is sent again, and no id is used twice.
    let sent = client.send("another");
    let another = peer.expect("client-message").await;
    assert_eq!(another["content"], "another");
    assert!(another["id"] != packet["id"] && another["id"] != reply_packet["id"]);
    peer.tell(&ack_of(&another, 22)).await;
    assert_eq!(confirmed(sent).await, Some(22));
    let (_, register) = break_and_welcome(&server, peer, &same_session(22, 22)).await;
    assert_eq!(register["resume"], json!({"session": "session-2", "epoch": "epoch-1", "seq": 22}));
}

#[tokio::test]
async fn entries_that_were_known_before_a_gap_are_skipped() {
    let server = Scripted::start().await;
    let (_client, mut feed, peer) = at_five(&server).await;
    // The session is gone, but the history reaches back behind the cursor: nothing is missing.
    let ack = rich_ack(json!({"session": "session-2", "recovered": false, "seq": 6, "after": 3}));
    let (mut peer, _) = break_and_welcome(&server, peer, &ack).await;
    peer.tell_all(&[said("four", 4), said("five", 5), said("six", 6)]).await;
    assert_eq!(feed.online().await, (Dialect::Rich, false));
    // No gap, and no entry twice.
    assert_eq!(feed.message().await.content, "six");
    let (_, register) = break_and_welcome(&server, peer, &same_session(6, 6)).await;
    assert_eq!(register["resume"]["seq"], 6);
}

#[tokio::test]
async fn what_an_earlier_session_said_is_own() {
    let server = Scripted::start().await;
    let (_client, mut feed, peer) = at_five(&server).await;
    let ack = rich_ack(json!({"session": "session-2", "recovered": false, "seq": 8, "after": 5}));
    let (mut peer, _) = break_and_welcome(&server, peer, &ack).await;
    let under_our_name = |content: &str, seq| {
        let mut message = said(content, seq);
        message["source-client-name"] = json!("irc");
        message
    };
    // Live, our name is another connection's.
    peer.tell_all(&[under_our_name("mine", 6), said("hers", 7), under_our_name("mine too", 8)]).await;
    peer.tell(&under_our_name("a namesake", 9)).await;
    for (content, own) in [("mine", true), ("hers", false), ("mine too", true), ("a namesake", false)] {
        let message = feed.message().await;
        assert_eq!((message.content.as_str(), message.own), (content, own));
    }
    // After a resume, what comes under our name is a namesake's, replay or not, as our session's own does not come.
    let (mut peer, _) = break_and_welcome(&server, peer, &same_session(9, 10)).await;
    peer.tell(&under_our_name("a namesake again", 10)).await;
    let message = feed.message().await;
    assert_eq!((message.content.as_str(), message.own, message.replay), ("a namesake again", false, true));
}

/// What waits while there is no connection: a message, a reply, an edit, a delete; and one reply that was sent.
async fn across_logs(ack: &str, cause: GapCause, error: SendError) {
    let server = Scripted::start().await;
    let (client, mut feed, mut peer) = at_five(&server).await;
    let unsure = client.reply(5, "unsure");
    peer.expect("client-message").await;
    peer.reset();
    let (mut peer, _) = server.registering().await;
    let message = client.send("message");
    let reply = client.reply(4, ClientMessage::new("reply"));
    let edit = client.edit(3, "edit");
    let delete = client.delete(2);
    peer.text(ack).await;
    feed.online().await;
    assert_eq!(feed.gap().await, (cause, None));
    assert_eq!(failed(unsure).await.fate, Fate::Unknown);
    for void in [edit, delete] {
        let failure = failed(void).await;
        assert_eq!((failure.error, failure.fate), (error.clone(), Fate::NotSent));
    }
    let first = peer.expect("client-message").await;
    let second = peer.expect("client-message").await;
    assert_eq!((&first["content"], &second["content"]), (&json!("message"), &json!("reply")));
    assert_eq!(second.get("reply-to"), None, "it would hit another message");
    if cause == GapCause::Plain {
        assert_eq!((confirmed(message).await, confirmed(reply).await), (None, None));
    } else {
        peer.tell_all(&[ack_of(&first, 1), ack_of(&second, 2)]).await;
        assert_eq!((confirmed(message).await, confirmed(reply).await), (Some(1), Some(2)));
    }
}

#[tokio::test]
async fn a_new_log_voids_all_numbers() {
    let ack = rich_ack(json!({"session": "session-2", "epoch": "epoch-2", "recovered": false}));
    across_logs(&ack, GapCause::NewLog, SendError::LogChanged).await;
}

#[tokio::test]
async fn a_log_that_is_behind_our_cursor_is_a_new_one() {
    let ack = rich_ack(json!({"session": "session-2", "recovered": false, "seq": 0}));
    across_logs(&ack, GapCause::NewLog, SendError::LogChanged).await;
}

#[tokio::test]
async fn a_server_that_became_plain_voids_all_numbers() {
    across_logs(PLAIN_ACK, GapCause::Plain, SendError::NotInPlain).await;
}

#[tokio::test]
async fn the_cursor_of_another_log_is_not_carried_over() {
    let server = Scripted::start().await;
    let (_client, mut feed, peer) = at_five(&server).await;
    let ack = rich_ack(json!({"session": "session-2", "epoch": "epoch-2", "recovered": false, "seq": 1}));
    let (mut peer, _) = break_and_welcome(&server, peer, &ack).await;
    peer.tell(&said("one", 1)).await;
    assert_eq!(feed.gap().await, (GapCause::NewLog, None));
    feed.hears("one").await;
    let (mut peer, register) = break_and_welcome(&server, peer, PLAIN_ACK).await;
    assert_eq!(register["resume"], json!({"session": "session-2", "epoch": "epoch-2", "seq": 1}));
    assert_eq!(feed.gap().await, (GapCause::Plain, None));
    peer.tell(&json!({"action": "forwarding-message", "source-client-name": "qq", "content": "plain"})).await;
    feed.hears("plain").await;
    // And back: nothing of the rich session is left, and what was said in between is lost.
    let (_, register) = break_and_welcome(&server, peer, &rich_ack(json!({"seq": 9, "after": 9}))).await;
    assert_eq!(register.get("resume"), None);
    assert_eq!(feed.online().await, (Dialect::Rich, false));
    assert_eq!(feed.gap().await, (GapCause::Plain, None));
}

#[tokio::test]
async fn the_state_names_the_log() {
    let server = Scripted::start().await;
    let (client, mut feed, peer) = at_five(&server).await;
    let epoch = |client: &Client| match client.state() {
        State::Online { epoch, .. } => epoch,
        state => panic!("{state:?} instead of a registration"),
    };
    assert_eq!(epoch(&client).as_deref(), Some("epoch-1"));
    let (peer, _) = break_and_welcome(&server, peer, &rich_ack(json!({"epoch": "epoch-2"}))).await;
    feed.online().await;
    assert_eq!(epoch(&client).as_deref(), Some("epoch-2"));
    let (mut peer, _) = break_and_welcome(&server, peer, PLAIN_ACK).await;
    feed.gap().await;
    feed.gap().await;
    assert_eq!(epoch(&client), None);
    assert_eq!(peer.hear_within(std::time::Duration::from_millis(10)).await, None::<Heard>);
}
