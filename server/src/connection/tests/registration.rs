//! The first packet, and what is answered.

use std::{net::Ipv4Addr, time::Duration};

use tokio::time::{Instant, sleep};

use super::{
    harness::{ACK, Harness, KEY, Setup, forwarded, message, register},
    raw::{self, FINAL, PING, PONG, Raw, TEXT, frame, text},
};
use crate::{config::Limits, connection::Ending};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_wrong_key_is_unauthorized() {
    let harness = Harness::new(Limits::default());
    let mut client = harness.connect().await;
    client.say(&register("irc", "wrong")).await;
    assert_eq!(client.closed().await, (4401, "unauthorized".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn who_does_not_register_in_time_is_closed() {
    let harness = Harness::new(Limits::default());
    let start = Instant::now();
    let client = harness.connect().await;
    assert_eq!(client.closed().await, (4508, "register-timeout".to_owned()));
    assert_eq!(start.elapsed(), 5 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_to_register_holds_whatever_else_is_sent() {
    let whole = text(&register("irc", KEY));
    let half = &whole[..whole.len() / 2];
    let drip = whole.chunks(1).map(<[u8]>::to_vec).collect::<Vec<_>>();
    let fragments = [frame(TEXT, b"{"), frame(raw::CONTINUATION, b" "), frame(raw::CONTINUATION, b" ")];
    for (what, pieces) in [
        ("nothing", vec![]),
        ("half a frame", vec![half.to_vec()]),
        ("a byte now and then", drip),
        ("pings", vec![frame(PING, b"still here"); 100]),
        ("a message without an end", fragments.to_vec()),
    ] {
        let harness = Harness::new(Limits::default());
        let start = Instant::now();
        let mut client = harness.connect_raw();
        for piece in pieces.iter().take(49) {
            client.send(piece).await;
            sleep(SECOND / 10).await;
        }
        assert_eq!(client.last_words().await, (vec![], Some(4508)), "{what}");
        assert_eq!(start.elapsed(), 5 * SECOND, "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_registers_at_the_last_moment_is_in_time() {
    let harness = Harness::new(Limits::default());
    let mut client = harness.connect_raw();
    let whole = text(&register("irc", KEY));
    client.send(&whole[..10]).await;
    sleep(Duration::from_millis(4999)).await;
    client.send(&whole[10..]).await;
    assert_eq!(client.hear().await, ACK);
}

#[tokio::test(start_paused = true)]
async fn pings_before_the_register_are_answered() {
    let harness = Harness::new(Limits::default());
    let mut client = harness.connect_raw();
    client.send(&frame(PING, b"are you there")).await;
    assert_eq!(client.next().await, Some((PONG, b"are you there".to_vec())));
}

#[tokio::test(start_paused = true)]
async fn messages_that_come_with_the_register_are_forwarded() {
    let together = [text(&register("irc", KEY)), raw::chat("one"), raw::chat("two")].concat();
    let cuts = [0, 1, 20, together.len() / 2, together.len() - 1, together.len()];
    for (early, rest) in cuts.map(|cut| together.split_at(cut)) {
        let harness = Harness::new(Limits::default());
        let mut listener = harness.join_raw("listener").await;
        let setup = Setup { early: early.to_vec().into(), ..Setup::default() };
        let mut client = Raw::new(harness.attach_with(setup));
        client.send(rest).await;
        assert_eq!(client.hear().await, ACK);
        assert_eq!(listener.hear().await, forwarded("irc", "one"));
        assert_eq!(listener.hear().await, forwarded("irc", "two"));
    }
}

#[tokio::test(start_paused = true)]
async fn who_has_to_go_before_it_registers_is_told_why() {
    let harness = Harness::new(Limits::default());
    let interrupt = Box::pin(async {
        sleep(SECOND).await;
        Ending::EVICTED
    });
    let start = Instant::now();
    let client = Raw::new(harness.attach_with(Setup { interrupt, ..Setup::default() }));
    assert_eq!(client.end_politely().await.code, Some(4503));
    assert_eq!(start.elapsed(), SECOND);
}

/// How long the answer to a `register` with this key takes, and its close code.
async fn knock(harness: &Harness, address: [u8; 4], key: &str) -> (Duration, Option<u16>) {
    let start = Instant::now();
    let setup = Setup { address: Ipv4Addr::from(address), ..Setup::default() };
    let mut client = Raw::new(harness.attach_with(setup));
    client.say(&register("irc", key)).await;
    match client.next().await {
        Some((raw::CLOSE, payload)) => {
            (start.elapsed(), payload.first_chunk().map(|code| u16::from_be_bytes(*code)))
        }
        Some((0x81, payload)) if payload == ACK.as_bytes() => (start.elapsed(), None),
        other => panic!("neither an ack nor a close: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn who_fails_over_and_over_waits_but_the_right_key_gets_in_at_once() {
    const HERE: [u8; 4] = [192, 0, 2, 1];
    const THERE: [u8; 4] = [192, 0, 2, 2];
    let harness = Harness::new(Limits::default());
    for _ in 0..10 {
        assert_eq!(knock(&harness, HERE, "wrong").await, (Duration::ZERO, Some(4401)));
    }
    assert_eq!(knock(&harness, HERE, "wrong").await, (SECOND, Some(4401)));
    assert_eq!(knock(&harness, HERE, "wrong").await, (SECOND, Some(4401)));
    assert_eq!(knock(&harness, HERE, KEY).await, (Duration::ZERO, None));
    assert_eq!(knock(&harness, THERE, "wrong").await, (Duration::ZERO, Some(4401)));
    sleep(60 * SECOND).await;
    assert_eq!(knock(&harness, HERE, "wrong").await, (Duration::ZERO, Some(4401)), "later");
}

#[tokio::test(start_paused = true)]
async fn bad_registers_count_as_failures_too() {
    let harness = Harness::new(Limits::default());
    let mut waits = Vec::new();
    for _ in 0..12 {
        let start = Instant::now();
        let mut client = harness.connect_raw();
        client.say("{}").await;
        assert_eq!(client.end_politely().await.code, Some(4400));
        waits.push(start.elapsed());
    }
    assert_eq!(waits, [[Duration::ZERO; 10].as_slice(), &[SECOND; 2]].concat());
}

#[tokio::test(start_paused = true)]
async fn nothing_that_enters_the_room_after_the_ack_is_missed() {
    let harness = Harness::new(Limits::default());
    let mut sender = harness.join_raw("sender").await;
    for round in 0..20 {
        let mut late = harness.connect_raw();
        late.say(&register("late", KEY)).await;
        assert_eq!(late.hear().await, ACK);
        sender.chat(&format!("round {round}")).await;
        assert_eq!(late.hear().await, forwarded("sender", &format!("round {round}")));
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_before_the_ack() {
    let harness = Harness::new(Limits::default());
    let mut sender = harness.join_raw("sender").await;
    let mut slow = Raw::new(harness.attach_with(Setup { linger: SECOND, ..Setup::default() }));
    slow.say(&register("slow", KEY)).await;
    sleep(SECOND / 2).await;
    sender.chat("hello").await;
    assert_eq!(slow.hear().await, ACK);
    assert_eq!(slow.hear().await, forwarded("sender", "hello"));
}

#[tokio::test(start_paused = true)]
async fn a_register_in_fragments_is_one_packet() {
    let harness = Harness::new(Limits::default());
    let mut client = harness.connect_raw();
    let packet = register("irc", KEY);
    let (first, second) = packet.as_bytes().split_at(20);
    client.send(&frame(TEXT, first)).await;
    client.send(&frame(PING, b"between")).await;
    assert_eq!(client.next().await, Some((PONG, b"between".to_vec())));
    client.send(&frame(FINAL | raw::CONTINUATION, second)).await;
    assert_eq!(client.hear().await, ACK);
    client.say(&message("works")).await;
}
