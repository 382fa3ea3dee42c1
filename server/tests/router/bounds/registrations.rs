//! The first packet, and those who guess keys.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tokio::task::JoinSet;

use super::super::support::{
    Client, End, Frame, KEY, Lap, Pair, Route, Server, Setup, Stopwatch, frame, message, reason, register,
};

#[tokio::test]
async fn who_does_not_register_in_time_is_told_so() {
    let limits = json!({"register-seconds": 3, "close-seconds": 0.3});
    let late = async |setup: Setup| {
        let server = setup.limits(limits.clone()).start().await;
        let pair = Pair::start(&server).await;
        let mut silent = Client::connect(&server).await;
        let mut pinging = Client::connect(&server).await;
        pinging.send(&frame(Frame::PING, b"")).await;
        let mut half = Client::connect(&server).await;
        let packet = frame(Frame::WHOLE_TEXT, register("half", KEY).as_bytes());
        half.send(&packet[..packet.len() - 1]).await;
        for client in [&mut silent, &mut pinging, &mut half] {
            assert_eq!(client.end().await, End::closed(4508, "register-timeout"));
        }
        server.logged("why", reason("no register in time")).await;
        pair.finish().await;
    };
    tokio::join!(late(Setup::new()), late(Setup::new().wss()));
}

#[tokio::test]
async fn a_bad_first_packet_is_told_so() {
    let server = Server::start().await;
    let pair = Pair::start(&server).await;
    let bad_register = End::closed(4400, "bad-register");
    for (text, end) in [
        ("", &bad_register),
        ("{", &bad_register),
        (&message("hello"), &bad_register),
        (&register("", KEY), &bad_register),
        (&register("a name", ""), &bad_register),
        (&register(&"long".repeat(20), KEY), &bad_register),
        (&register("two\nlines", KEY), &bad_register),
        (&register("a name", "wrong"), &End::closed(4401, "unauthorized")),
        (&register(&"x".repeat(5000), KEY), &End::closed(1009, "too-big")),
    ] {
        let mut client = Client::connect_by(Route::from(2), &server).await;
        client.say(text).await;
        assert_eq!(client.end().await, *end, "{text:.80}");
    }
    for (bytes, end) in [
        (frame(Frame::WHOLE_BINARY, register("a name", KEY).as_bytes()), End::closed(1003, "binary")),
        (frame(Frame::WHOLE_TEXT, b"\xff"), End::closed(1007, "utf-8")),
        (vec![Frame::WHOLE_TEXT, 1, b'x'], End::closed(1002, "protocol-error")),
    ] {
        let mut client = Client::connect(&server).await;
        client.send(&bytes).await;
        assert_eq!(client.end().await, end);
    }
    pair.finish().await;
}

/// Tries a wrong key. Returns how long the answer took.
async fn guess(server: &Server, route: Route) -> Lap {
    let mut client = Client::connect_by(route, server).await;
    let start = Stopwatch::start();
    client.say(&register("guesser", "wrong")).await;
    assert_eq!(client.end().await, End::closed(4401, "unauthorized"));
    start.stop()
}

#[tokio::test]
async fn guesses_become_slow_and_the_right_key_still_gets_in() {
    const DELAY: Duration = Duration::from_secs(1);
    let server = Setup::new().limits(json!({"failed-registrations-per-minute": 3})).start().await;
    let pair = Pair::start(&server).await;
    for _ in 0..3 {
        assert!(guess(&server, Route::from(2)).await.at_work < DELAY);
    }
    let late = tokio::join!(guess(&server, Route::from(2)), guess(&server, Route::from(2)), async {
        let start = Stopwatch::start();
        Client::join_by(Route::from(2), &server, "honest").await;
        assert!(start.stop().at_work < DELAY, "the right key does not wait");
        assert!(guess(&server, Route::from(3)).await.at_work < DELAY, "nor do others");
    });
    assert!(late.0.in_all >= DELAY && late.1.in_all >= DELAY, "{late:?}");
    pair.finish().await;
}

#[tokio::test]
async fn a_flood_of_wrong_keys_harms_nobody() {
    let limits = json!({"unregistered-connections-per-address": 40});
    let server = Arc::new(Setup::new().limits(limits).start().await);
    let mut pair = Pair::start(&server).await;
    let mut guesses = JoinSet::new();
    for number in 0..100 {
        let server = server.clone();
        guesses.spawn(async move { guess(&server, Route::from(10 + number % 4)).await });
    }
    pair.talk().await;
    Client::join_by(Route::from(10), &server, "honest").await;
    guesses.join_all().await;
    pair.finish().await;
    assert_eq!(server.log_count(reason("wrong key")), 100);
}
