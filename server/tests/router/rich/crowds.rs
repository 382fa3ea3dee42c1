//! Many at once.

use std::{collections::BTreeSet, ops::Range, time::Duration};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{
    super::support::{Client, MIB, Rich, Route, Server, Setup, Stopwatch, eventually},
    seq_of,
};

/// Says so many messages, and waits until all are in the log.
async fn fill(sender: &mut Rich, messages: Range<u64>, content: &str) {
    let text = json!({"action": "client-message", "content": content}).to_string();
    for _ in messages {
        sender.client.say(&text).await;
    }
    assert_eq!(sender.client.settle().await, [""; 0]);
}

#[tokio::test]
async fn history_for_many_at_once_delays_nobody() {
    const JOINERS: u64 = 50;
    const KEPT: u64 = 4096;
    const SAID: u64 = KEPT + 500;
    const MORE: u64 = 300;
    let server = Server::start().await;
    let mut sender = Rich::join(&server, "sender").await;
    let mut watcher = Client::join(&server, "watcher").await;
    let content = "x".repeat(1024);
    fill(&mut sender, 0..KEPT, &content).await;
    for _ in 0..KEPT {
        watcher.hear().await;
    }
    fill(&mut sender, KEPT..SAID, &content).await;
    let before = server.memory();

    let mut joiners = JoinSet::new();
    for number in 0..JOINERS {
        let mut joiner = Rich::ask(&server, &format!("joiner {number}"), json!({"history": KEPT})).await;
        let (after, newest) = (joiner.number("after"), joiner.number("seq"));
        // Not the oldest that is kept: that may be gone before it is told.
        assert_eq!(after, newest - KEPT + KEPT / 8);
        joiners.spawn(async move {
            for seq in after + 1..=SAID + MORE {
                assert_eq!(seq_of(&joiner.client.text().await), seq);
            }
        });
        // While they read, others talk.
        fill(&mut sender, 0..MORE / JOINERS, &content).await;
    }
    let growth = server.memory().saturating_sub(before);
    assert!(growth < 32 * MIB, "it took {growth} bytes");
    joiners.join_all().await;
    for _ in KEPT..SAID + MORE {
        watcher.hear().await;
    }
    assert_eq!(watcher.settle().await, [""; 0]);
}

/// What became of entry 1.
fn receipt(number: usize) -> String {
    let reason = format!("{number:01000}");
    json!({"action": "client-receipt", "target": 1, "status": "failed", "reason": reason}).to_string()
}

#[tokio::test]
async fn receipts_that_nobody_reads_are_dropped_and_harm_nobody() {
    const FLOOD: usize = 6_000;
    for setup in [Setup::new(), Setup::new().wss()] {
        let server = setup.limits(json!({"write-stall-seconds": 600})).start().await;
        let mut author = Rich::ask_by(Route::narrow(), &server, "author", json!({})).await;
        assert_eq!(author.chat("hello").await, 1);
        let mut flood = Rich::join(&server, "flood").await;
        let before = server.memory();
        for number in 0..FLOOD {
            flood.client.say(&receipt(number)).await;
        }
        assert_eq!(flood.client.settle().await, [""; 0]);
        let growth = server.memory().saturating_sub(before);
        assert!(growth < 4 * MIB, "it took {growth} bytes");
        // What is said has its place in the log, whatever else waits.
        assert_eq!(flood.chat("all is well").await, 2);

        // It reads again: some are missing, the rest is whole and in order, and it goes on.
        let mut numbers = Vec::new();
        loop {
            let packet = author.hear().await;
            if packet["action"] == "forwarding-message" {
                assert_eq!(packet["content"], "all is well");
                break;
            }
            assert_eq!(packet["action"], "forwarding-receipt");
            numbers.push(packet["reason"].as_str().unwrap().parse::<usize>().unwrap());
        }
        assert!(numbers.is_sorted_by(|before, after| before < after));
        assert!(numbers.len() > 10 && numbers.len() < FLOOD / 2, "{} came", numbers.len());
        author.say(&json!({"action": "client-message", "content": "I am back", "id": "3"})).await;
        let ack = loop {
            let packet = author.hear().await;
            if packet["action"] == "message-ack" {
                break packet;
            }
        };
        assert_eq!(ack["seq"], 3);
        flood.client.say(&receipt(FLOOD)).await;
        let last = author.hear().await;
        assert_eq!(last["action"], "forwarding-receipt");
    }
}

#[tokio::test]
async fn who_reads_gets_all_receipts() {
    const SENDERS: usize = 10;
    const EACH: usize = 300;
    let server = Setup::new().limits(json!({"outbox-bytes": 4 * MIB})).start().await;
    let mut author = Rich::join(&server, "author").await;
    assert_eq!(author.chat("hello").await, 1);
    let mut senders = JoinSet::new();
    for sender in 0..SENDERS {
        let mut rich = Rich::join(&server, &format!("{sender}")).await;
        senders.spawn(async move {
            for number in 0..EACH {
                let remote_id = format!("{number}");
                let receipt = json!({
                    "action": "client-receipt", "target": 1, "status": "delivered", "remote-id": remote_id
                });
                rich.say(&receipt).await;
            }
            assert_eq!(rich.client.settle().await, [""; 0]);
        });
    }
    let mut next = [0; SENDERS];
    for _ in 0..SENDERS * EACH {
        let packet = author.hear().await;
        let sender: usize = packet["source-client-name"].as_str().unwrap().parse().unwrap();
        assert_eq!(packet["remote-id"], format!("{}", next[sender]));
        next[sender] += 1;
    }
    senders.join_all().await;
}

/// More descriptors than a shell gives.
fn raise_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    let current = limit.maximum.map_or(8192, |most| most.min(8192)).max(limit.current.unwrap_or(0));
    setrlimit(Resource::Nofile, Rlimit { current: Some(current), ..limit }).unwrap();
}

const PLAIN: usize = 1000;
const SUBSCRIBERS: usize = 300;

async fn join_plain(server: &Server) -> Vec<Client> {
    let mut clients = Vec::new();
    for number in 0..PLAIN {
        clients.push(Client::join(server, &format!("plain {number}")).await);
    }
    clients
}

/// What subscribers are told until somebody's status has this text: the packets, and how many have `status`.
async fn told_until(subscriber: &mut Rich, mark: &str) -> Vec<String> {
    let mut told = Vec::new();
    loop {
        let text = subscriber.client.text().await;
        assert!(text.starts_with(r#"{"action":"presence""#), "{text}");
        if text.contains(mark) {
            return told;
        }
        told.push(text);
    }
}

/// The client names in presence packets that have this status.
fn names(told: &[String], status: &str) -> BTreeSet<String> {
    let packets = told.iter().map(|text| serde_json::from_str::<Value>(text).unwrap());
    packets
        .filter(|packet| packet["status"] == status)
        .map(|packet| packet["client-name"].to_string())
        .collect()
}

async fn mark(speaker: &mut Rich, mark: &str) {
    speaker.say(&json!({"action": "client-status", "status": "online", "text": mark})).await;
}

#[tokio::test]
async fn a_crowd_that_drops_and_comes_back_is_not_told_of_and_one_that_leaves_is_once() {
    raise_descriptors();
    let limits = json!({"unregistered-connections-per-address": 2000, "unregistered-connections": 2000});
    let server = Setup::new().limits(limits).start().await;
    let mut plain = join_plain(&server).await;
    let mut speaker = Rich::join(&server, "speaker").await;
    let mut subscribers = Vec::new();
    for number in 0..SUBSCRIBERS {
        let subscriber = Rich::ask(&server, &format!("{number}"), json!({"presence": true})).await;
        subscribers.push(subscriber);
    }
    // Each knows of all others, and was told once.
    mark(&mut speaker, "mark 1").await;
    for subscriber in &mut subscribers {
        let told = told_until(subscriber, "mark 1").await;
        let rows = subscriber.ack["clients"].as_array().unwrap();
        let listed = rows.iter().filter(|row| row["client-name"] != "speaker").count();
        // Of the speaker it may be told its latest status alone.
        let told = told.iter().filter(|text| !text.contains(r#""speaker""#)).count();
        assert_eq!(listed + told, PLAIN + SUBSCRIBERS - 1);
    }

    // They drop, and come back before they are missed.
    let mut tries = 0;
    loop {
        tries += 1;
        let lap = Stopwatch::start();
        for client in plain.drain(..) {
            client.stream.reset();
        }
        plain = join_plain(&server).await;
        let lap = lap.stop();
        let text = format!("mark 2.{tries}");
        mark(&mut speaker, &text).await;
        let mut told = 0;
        for subscriber in &mut subscribers {
            told += told_until(subscriber, &text).await.len();
        }
        if lap.in_all < Duration::from_secs(4) {
            assert_eq!(told, 0);
            break;
        }
        assert!(tries < 5, "this machine is too slow: {lap:?}");
    }
    let is_gone = |line: &Value| line["message"] == "disconnected";
    eventually("the router notices", || server.log_count(is_gone) == tries * PLAIN).await;

    // They leave.
    for client in &mut plain {
        assert_eq!(client.settle().await, [""; 0], "who is plain is told nothing");
    }
    drop(plain);
    for (number, subscriber) in subscribers.iter_mut().enumerate() {
        let mut told = Vec::new();
        while told.len() < PLAIN {
            told.push(subscriber.client.text().await);
        }
        if number % 100 == 0 {
            assert_eq!(names(&told, "left").len(), PLAIN);
        } else {
            assert!(told.iter().all(|text| text.contains(r#""status":"left""#)));
        }
    }
    mark(&mut speaker, "mark 3").await;
    for subscriber in &mut subscribers {
        assert_eq!(told_until(subscriber, "mark 3").await, [""; 0]);
    }
    assert_eq!(speaker.client.settle().await, [""; 0], "who did not ask is told nothing");
}
