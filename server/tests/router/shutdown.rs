//! The end of the router.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::support::{
    Browser, Client, End, LogReader, MIB, Pair, Route, Server, Setup, Signal, Stopwatch, Stream,
};

/// The router's own default for the whole shutdown.
const ALL_WITHIN: Duration = Duration::from_secs(10);

fn going_away() -> End {
    End::closed(1001, "going-away")
}

fn is_stopping(line: &Value) -> bool {
    line["message"].as_str().is_some_and(|text| text.contains("stopping"))
}

#[tokio::test]
async fn what_is_in_the_log_reaches_everyone_and_then_all_are_told() {
    const SAID: usize = 2000;
    const HEARD: usize = 100;
    const LENGTH: usize = 4096;
    let content = |number: usize| format!("{number:0LENGTH$}");
    for setup in [Setup::new(), Setup::new().wss()] {
        let mut server = setup.limits(json!({"log-bytes": 64 * MIB, "shutdown-seconds": 60})).start().await;
        let mut sender = Client::join(&server, "sender").await;
        let mut readers = Vec::new();
        // For some of them more is waiting than their socket takes.
        for route in [Route::USUAL, Route::narrow(), Route::narrow()] {
            readers.push(Client::join_by(route, &server, "reader").await);
        }
        let mut first = Client::join(&server, "first").await;
        let talk = async {
            for number in 0..SAID {
                sender.chat(&content(number)).await;
            }
        };
        let listen = async {
            for number in 0..HEARD {
                assert!(first.hear().await.content == content(number));
            }
        };
        tokio::join!(talk, listen);
        server.signal(Signal::TERM);
        let (end, rest) = first.end_and_texts().await;
        assert_eq!(end, going_away());
        let entered = HEARD + rest.len();
        // One order for all, and the same end.
        for reader in &mut readers {
            let (end, texts) = reader.end_and_texts().await;
            assert_eq!(end, going_away());
            assert_eq!(texts.len(), entered);
            for (number, text) in texts.iter().enumerate() {
                let packet: Value = serde_json::from_str(text).unwrap();
                assert!(packet["content"] == content(number), "message {number} is there and whole");
            }
        }
        assert_eq!(sender.end().await, going_away());
        assert_eq!(server.ended().await.code(), Some(0));
    }
}

#[tokio::test]
async fn idle_clients_do_not_delay_it() {
    let mut server = Server::start().await;
    let mut clients = Vec::new();
    for _ in 0..10 {
        clients.push(Client::join(&server, "idle").await);
    }
    let start = Stopwatch::start();
    server.signal(Signal::TERM);
    for client in &mut clients {
        assert_eq!(client.end().await, going_away());
    }
    assert_eq!(server.ended().await.code(), Some(0));
    // No limit has to run out for that.
    assert!(start.stop().at_work < Duration::from_secs(5));
}

/// A client that does not read, and for which more waits than any socket takes.
async fn stall(server: &Server, sender: &mut Client) -> Client {
    let stalled = Client::join_by(Route::narrow(), server, "stalled").await;
    for _ in 0..8 {
        sender.chat(&"x".repeat(MIB - 1000)).await;
    }
    stalled
}

#[tokio::test]
async fn a_stalled_reader_delays_it_no_longer_than_allowed() {
    let mut server = Setup::new()
        .limits(json!({"shutdown-seconds": 4, "write-stall-seconds": 120, "log-bytes": 64 * MIB}))
        .start()
        .await;
    let mut sender = Client::join(&server, "sender").await;
    let _stalled = stall(&server, &mut sender).await;
    let mut reader = Client::join(&server, "reader").await;
    sender.chat("last words").await;
    while reader.hear().await.content != "last words" {}
    let start = Stopwatch::start();
    server.signal(Signal::TERM);
    // The others do not wait for it.
    assert_eq!(reader.end().await, going_away());
    assert_eq!(sender.end().await, going_away());
    assert_eq!(server.ended().await.code(), Some(0));
    assert!(start.stop().at_work < ALL_WITHIN);
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let limits = json!({"shutdown-seconds": 120, "write-stall-seconds": 120, "close-seconds": 120, "log-bytes": 64 * MIB});
    let mut server = Setup::new().limits(limits).start().await;
    let mut sender = Client::join(&server, "sender").await;
    let _stalled = stall(&server, &mut sender).await;
    server.signal(Signal::TERM);
    assert_eq!(sender.end().await, going_away());
    // The port is closed by now, and it waits for the stalled one alone.
    assert!(TcpStream::connect(server.address()).await.is_err());
    server.signal(Signal::TERM);
    let status = server.ended().await;
    assert!(status.code().is_some_and(|code| code != 0), "{status}");
}

#[tokio::test]
async fn who_has_not_registered_is_let_go_too() {
    for (setup, is_tls) in [(Setup::new(), false), (Setup::new().wss(), true)] {
        let mut server = setup.start().await;
        let half_open = Browser::over(Stream::Plain(Route::USUAL.dial_tcp(&server).await));
        let mut upgraded = Client::connect(&server).await;
        let idle = Browser::connect(&server).await;
        server.signal(Signal::TERM);
        assert_eq!(upgraded.end().await, going_away());
        idle.dropped().await;
        half_open.dropped().await;
        assert_eq!(server.ended().await.code(), Some(0), "with TLS: {is_tls}");
    }
}

#[tokio::test]
async fn a_hangup_is_nothing_to_clients() {
    let mut server = Server::start().await;
    let mut pair = Pair::start(&server).await;
    for _ in 0..3 {
        server.signal(Signal::HUP);
        pair.talk().await;
    }
    server.logged("that it noticed", |line| line.to_string().contains("SIGHUP")).await;
    pair.finish().await;
    server.signal(Signal::INT);
    assert_eq!(server.ended().await.code(), Some(0));
}

#[tokio::test]
async fn a_log_that_nobody_reads_stops_nothing() {
    for reader in [LogReader::Stalls, LogReader::Leaves] {
        let mut server = Setup::new().log_reader(reader).start().await;
        let mut pair = Pair::start(&server).await;
        // Each is a line or two; together more than a pipe holds.
        for _ in 0..500 {
            Client::join_by(Route::from(2), &server, "passing by").await;
        }
        pair.talk().await;
        pair.finish().await;
        server.signal(Signal::TERM);
        assert_eq!(server.ended().await.code(), Some(0), "{reader:?}");
    }
}

#[tokio::test]
async fn the_log_tells_of_the_end() {
    let mut server = Server::start().await;
    let mut client = Client::join(&server, "client").await;
    server.signal(Signal::TERM);
    server.logged("that it stops", is_stopping).await;
    assert_eq!(client.end().await, going_away());
    assert_eq!(server.ended().await.code(), Some(0));
    server.log_ended().await;
    assert_eq!(server.log_count(|line| line["message"] == "stopped"), 1);
}
