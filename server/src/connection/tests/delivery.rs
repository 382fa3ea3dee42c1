//! Who gets what, in which order.

use std::{sync::Arc, thread, time::Duration};

use multichat::protocol::ClientName;
use tokio::{runtime::Builder, time::Instant};

use super::{
    harness::{ACK, Harness, KEY, Setup, forwarded, message, register, settle},
    raw::{self, PONG, Raw, frame},
};
use crate::{
    config::Limits,
    room::{Author, Draft, Mailbox, Origin},
};

#[tokio::test(start_paused = true)]
async fn a_message_goes_to_everyone_else() {
    let harness = Harness::new(Limits::default());
    let mut alice = harness.join("alice").await;
    let mut bob = harness.join("bob").await;
    let mut carol = harness.join("carol").await;
    alice.chat("hello").await;
    bob.chat("hi").await;
    assert_eq!(carol.hear().await, forwarded("alice", "hello"));
    assert_eq!(carol.hear().await, forwarded("bob", "hi"));
    assert_eq!(bob.hear().await, forwarded("alice", "hello"));
    assert_eq!(alice.hear().await, forwarded("bob", "hi"));
}

#[tokio::test(start_paused = true)]
async fn connections_of_the_same_name_hear_each_other() {
    let harness = Harness::new(Limits::default());
    let mut one = harness.join("twin").await;
    let mut other = harness.join("twin").await;
    one.chat("from one").await;
    assert_eq!(other.hear().await, forwarded("twin", "from one"));
    other.chat("from the other").await;
    assert_eq!(one.hear().await, forwarded("twin", "from the other"));
}

#[tokio::test(start_paused = true)]
async fn all_hear_the_same_order_without_their_own() {
    const EACH: usize = 40;
    let harness = Harness::new(Limits::default());
    let mut listener = harness.join_raw("listener").await;
    let mut senders = Vec::new();
    for number in 0..5 {
        senders.push(harness.join_raw(&format!("sender {number}")).await);
    }
    let tasks = senders.into_iter().enumerate().map(|(number, mut sender)| {
        tokio::spawn(async move {
            for i in 0..EACH {
                sender.chat(&format!("{number}.{i}")).await;
                if i % (number + 2) == 0 {
                    tokio::task::yield_now().await;
                }
            }
            let mut heard = Vec::new();
            while heard.len() < 4 * EACH {
                heard.push(sender.hear().await);
            }
            (sender, heard)
        })
    });
    let tasks = tasks.collect::<Vec<_>>();
    let mut order = Vec::new();
    while order.len() < 5 * EACH {
        order.push(listener.hear().await);
    }
    for (number, task) in tasks.into_iter().enumerate() {
        let (_sender, heard) = task.await.unwrap();
        let name = format!(r#""sender {number}""#);
        let expected = order.iter().filter(|packet| !packet.contains(&name)).collect::<Vec<_>>();
        assert_eq!(heard.iter().collect::<Vec<_>>(), expected);
        let own = order.iter().filter(|packet| packet.contains(&name)).cloned().collect::<Vec<_>>();
        let sent = (0..EACH).map(|i| forwarded(&format!("sender {number}"), &format!("{number}.{i}")));
        assert_eq!(own, sent.collect::<Vec<_>>(), "each sender's in the order in which it sent them");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lone_surrogate_is_forwarded_as_a_replacement_character() {
    let harness = Harness::new(Limits::default());
    let mut sender = harness.join_raw("irc").await;
    let mut listener = harness.join_raw("listener").await;
    sender.say(r#"{"action":"client-message","content":"cut \ud83d off, whole \ud83d\ude00"}"#).await;
    assert_eq!(listener.hear().await, forwarded("irc", "cut \u{fffd} off, whole \u{1f600}"));
}

#[tokio::test(start_paused = true)]
async fn content_is_forwarded_as_it_came() {
    let harness = Harness::new(Limits::default());
    let mut sender = harness.join_raw("irc").await;
    let mut listener = harness.join_raw("listener").await;
    for content in [
        "\"quoted\" \\ and\nbroken\r\n\t",
        "\u{0}\u{1f}\u{7f}\u{2028}\u{202e}",
        "<b>&amp;</b>",
        " ",
        "名前 \u{1f600}",
    ] {
        sender.say(&message(content)).await;
        let packet: serde_json::Value = serde_json::from_str(&listener.hear().await).unwrap();
        assert_eq!(packet["content"], content);
    }
}

#[tokio::test(start_paused = true)]
async fn who_left_gets_nothing_and_disturbs_nobody() {
    let harness = Harness::new(Limits::default());
    let mut sender = harness.join_raw("sender").await;
    let mut listener = harness.join_raw("listener").await;
    for round in 0..20 {
        let leaver = harness.join_raw("leaver").await;
        sender.chat(&format!("{round}")).await;
        leaver.vanish().await.unwrap();
        assert_eq!(listener.hear().await, forwarded("sender", &format!("{round}")));
    }
}

#[tokio::test(start_paused = true)]
async fn small_messages_right_behind_a_large_one_are_not_lost() {
    // More than one turn's worth, in one piece: the library has them all in its buffer when the first turn
    // ends, and that buffer has grown.
    const SMALL: usize = 100;
    let harness = Harness::new(Limits::default());
    let setup = Setup { pipe_bytes: 1 << 20, ..Setup::default() };
    let mut sender = Raw::new(harness.attach_with(setup));
    sender.say(&register("sender", KEY)).await;
    assert_eq!(sender.hear().await, ACK);
    let mut listener = harness.join("listener").await;
    let large = "x".repeat(100_000);
    for _ in 0..3 {
        let small = (0..SMALL).flat_map(|i| raw::chat(&i.to_string()));
        sender.send(&raw::chat(&large).into_iter().chain(small).collect::<Vec<_>>()).await;
        assert_eq!(listener.hear().await, forwarded("sender", &large));
        for i in 0..SMALL {
            assert_eq!(listener.hear().await, forwarded("sender", &i.to_string()));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_comes_while_the_connection_is_at_work_does_not_wait_for_the_next_one() {
    let harness = Harness::without_fan_out(Limits::default());
    let mut bob = harness.join_raw("bob").await;
    let room = harness.room.clone();
    let client_name = ClientName::parse("alice", 64).unwrap();
    let alice = Arc::new(Author { origin: Origin(99), client_name, sender_name: None });
    // On another thread, and done before the read that bob's own task is at.
    let pass = move || {
        thread::spawn(move || {
            Builder::new_current_thread().build().unwrap().block_on(async {
                room.publish(Draft::plain(&alice, "hello".to_owned()), &Mailbox::new(0));
                tokio::spawn(room.fan_out(0));
                settle().await;
            });
        })
        .join()
        .unwrap();
    };
    settle().await;
    *bob.faults.on_read.lock() = Some(Box::new(pass));
    // Nothing that has to be answered.
    bob.send(&frame(PONG, b"")).await;
    let start = Instant::now();
    assert_eq!(bob.hear().await, forwarded("alice", "hello"));
    assert_eq!(start.elapsed(), Duration::ZERO);
}
