//! Clients that stop reading.

use serde_json::{Value, json};

use super::super::support::{Client, End, MIB, Route, Server, Setup};

const PACKET: usize = 16 * 1024;
const MEMORY: usize = 8 * MIB;

/// Content that says what it is and is long.
fn content(number: usize) -> String {
    format!("{number:0PACKET$}")
}

/// Whether a line is about the stalled client's end.
fn is_cut(line: &Value) -> bool {
    line["message"] == "disconnected" && line["client"].as_str().is_some_and(|name| name.contains("stalled"))
}

/// An honest client talks to another one until the third, which does not read, is cut. Returns how much was
/// said.
async fn talk_until_cut(server: &Server) -> usize {
    let mut sender = Client::join(server, "sender").await;
    let mut reader = Client::join(server, "reader").await;
    let before = server.memory();
    let mut said = 0;
    while server.log_count(is_cut) == 0 {
        sender.chat(&content(said)).await;
        let heard = reader.hear().await;
        assert!(heard.content == content(said), "the others miss nothing");
        said += 1;
        assert!(said < 100 * MIB / PACKET, "it is never cut: {:#?}", server.log_tail());
    }
    let growth = server.memory().saturating_sub(before);
    assert!(growth < MEMORY, "it took {growth} bytes for {said} messages");
    said
}

/// A log that is soon full, so that who stalls is soon overrun.
fn limits() -> Value {
    json!({"packet-bytes": 2 * PACKET, "log-bytes": 16 * PACKET, "write-stall-seconds": 600})
}

async fn assert_named(server: &Server, reason: &str) {
    let line = server.logged("who was cut", is_cut).await;
    assert_eq!(line["level"], "WARN");
    assert!(line["reason"].as_str().unwrap().contains(reason), "{line}");
    assert_eq!(line["cut_so_far"], 1);
}

/// What the stalled client finds when it reads again: all from the first message on, without a gap, as far as
/// it goes.
fn assert_gapless(texts: &[String], said: usize) {
    assert!(!texts.is_empty() && texts.len() <= said);
    for (number, text) in texts.iter().enumerate() {
        let packet: Value = serde_json::from_str(text).unwrap();
        assert!(packet["content"] == content(number), "message {number} is there and whole");
    }
}

#[tokio::test]
async fn who_stalls_is_overrun_and_told_so_if_it_reads_again() {
    for setup in [Setup::new(), Setup::new().wss()] {
        let mut limits = limits();
        limits["close-seconds"] = json!(60);
        let server = setup.limits(limits).start().await;
        let mut stalled = Client::join_by(Route::narrow(), &server, "stalled").await;
        let said = talk_until_cut(&server).await;
        assert_named(&server, "the log has moved on").await;
        let (end, texts) = stalled.end_and_texts().await;
        assert_eq!(end, End::closed(4513, "slow-consumer"));
        assert_gapless(&texts, said);
    }
}

#[tokio::test]
async fn who_stalls_for_good_is_reset_and_leaves_nothing_behind() {
    for setup in [Setup::new(), Setup::new().wss()] {
        let mut limits = limits();
        limits["close-seconds"] = json!(0.3);
        let server = setup.limits(limits).start().await;
        let before = server.descriptors();
        let mut stalled = Client::join_by(Route::narrow(), &server, "stalled").await;
        talk_until_cut(&server).await;
        server.all_given_back(before).await;
        let (end, _) = stalled.end_and_texts().await;
        assert_eq!(end, End::Reset);
    }
}

#[tokio::test]
async fn a_socket_that_takes_nothing_is_cut_though_the_log_has_room() {
    let limits = json!({"write-stall-seconds": 0.5, "close-seconds": 0.3, "log-bytes": 256 * MIB});
    let server = Setup::new().limits(limits).start().await;
    let _stalled = Client::join_by(Route::narrow(), &server, "stalled").await;
    let mut sender = Client::join(&server, "sender").await;
    // More than any kernel keeps for a socket.
    for number in 0..10 * MIB / PACKET {
        sender.chat(&content(number)).await;
    }
    assert_named(&server, "the socket takes nothing").await;
}

#[tokio::test]
async fn who_is_always_behind_and_reads_on_gets_everything() {
    for setup in [Setup::new(), Setup::new().wss()] {
        let server = setup.limits(json!({"log-bytes": 256 * MIB})).start().await;
        let mut slow = Client::join_by(Route::narrow(), &server, "slow").await;
        let mut sender = Client::join(&server, "sender").await;
        let all = 4 * MIB / PACKET;
        let talk = async {
            for number in 0..all {
                sender.chat(&content(number)).await;
            }
        };
        // Its socket takes a part of a frame at a time.
        let listen = async {
            for number in 0..all {
                assert!(slow.hear().await.content == content(number), "message {number} is there and whole");
            }
        };
        tokio::join!(talk, listen);
    }
}
