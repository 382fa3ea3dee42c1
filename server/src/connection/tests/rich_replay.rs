//! Replay over connections that are slow or end in the midst of it.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};
use tokio::time::timeout;

use super::{
    harness::{Harness, Setup, settle},
    rich_client::{Rich, acked, named, nameless, told},
};
use crate::config::Limits;

/// The content of an entry that fills a quarter of a pipe.
fn large(number: u64) -> String {
    format!("{number:04}{}", "x".repeat(996))
}

async fn fill(sender: &mut Rich, numbers: std::ops::RangeInclusive<u64>) {
    for number in numbers {
        sender.say(&[named(&format!("{number}"), &large(number))]).await;
        assert_eq!(sender.hear().await, acked(&format!("{number}"), number));
    }
}

fn entries(range: std::ops::RangeInclusive<u64>) -> Vec<Value> {
    range.map(|number| told("sender", &large(number), number)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_replay_that_is_larger_than_the_pipe_is_followed_by_what_others_say_meanwhile() {
    for (pipe_bytes, fields) in [(4096, "history"), (61, "history"), (4096, "resume"), (61, "resume")] {
        let harness = Harness::new(Limits::default());
        let mut sender = harness.join_rich("sender").await;
        let fields = if fields == "history" {
            json!({"history": 200})
        } else {
            let client = harness.join_rich("irc").await;
            let resume = client.resume();
            client.vanish().await;
            resume
        };
        fill(&mut sender, 1..=200).await;
        let setup = Setup { pipe_bytes, ..Setup::default() };
        let mut client = harness.join_rich_over("irc", &fields, setup).await;
        assert_eq!((&client.ack["seq"], &client.ack["after"]), (&json!(200), &json!(0)));
        fill(&mut sender, 201..=250).await;
        let mut heard = client.hear_all(100).await;
        fill(&mut sender, 251..=300).await;
        client.say(&[named("a", "mine")]).await;
        heard.extend(client.hear_all(200).await);
        assert!(heard == entries(1..=300), "{pipe_bytes}");
        assert_eq!(client.hear().await, acked("a", 301));
        assert!(client.is_silent().await);
    }
}

#[tokio::test(start_paused = true)]
async fn whose_connection_ends_in_the_midst_of_history_goes_on_from_there() {
    for cut in [0, 1, 1100, 4000, 5000, 30_000] {
        let harness = Harness::new(Limits::default());
        let mut sender = harness.join_rich("sender").await;
        fill(&mut sender, 1..=60).await;
        let mut client = harness.join_rich_with("irc", &json!({"history": 50})).await;
        assert_eq!(client.ack["after"], 10);
        let mut heard = Vec::new();
        // Whole packets, and a part of the next one, which is lost.
        client.raw.take_bytes(cut).await;
        while let Ok(packet) = timeout(Duration::ZERO, client.hear()).await {
            heard.push(packet);
            if heard.len() > cut / 1000 {
                break;
            }
        }
        let resume = client.resume();
        client.vanish().await;
        fill(&mut sender, 61..=70).await;
        let mut client = harness.join_rich_with("irc", &resume).await;
        assert_eq!(client.ack["recovered"], true);
        let rest = 60 - heard.len();
        heard.extend(client.hear_all(rest).await);
        assert!(heard == entries(11..=70), "{cut}");
        assert!(client.is_silent().await);
    }
}

#[tokio::test(start_paused = true)]
async fn who_was_too_slow_for_the_log_is_cut_and_told_of_the_gap() {
    let harness = Harness::new(Limits { log_entries: 16, ..Limits::default() });
    let mut sender = harness.join_rich("sender").await;
    let mut client = harness.join_rich("irc").await;
    fill(&mut sender, 1..=40).await;
    let (heard, code) = {
        let (texts, code) = client.raw.last_words().await;
        (texts.iter().map(|text| client.note(text)).collect::<Vec<_>>(), code)
    };
    assert_eq!(code, Some(4513));
    assert!(entries(1..=40).starts_with(&heard));
    let fields = client.resume();
    let mut again = harness.join_rich_with("irc", &fields).await;
    assert_eq!((&again.ack["recovered"], &again.ack["after"]), (&json!(false), &json!(40)));
    // What it has missed is between where it was and `after`.
    fill(&mut sender, 41..=41).await;
    assert_eq!(again.hear_all(1).await, entries(41..=41));
}

/// A client that keeps to the protocol: says everything once, as far as it knows, and notes all that it is told.
struct Bridge {
    client: Rich,
    /// What it said and has no ack for.
    pending: BTreeMap<u64, String>,
    acks: BTreeMap<String, u64>,
    told: Vec<u64>,
}

impl Bridge {
    async fn listen(&mut self, packets: u64) {
        for _ in 0..packets {
            match timeout(Duration::from_millis(1), self.client.hear()).await {
                Ok(packet) => self.note(&packet),
                Err(_) => break,
            }
        }
    }

    fn note(&mut self, packet: &Value) {
        let seq = packet["seq"].as_u64().unwrap();
        match packet["action"].as_str().unwrap() {
            "message-ack" => {
                let id = packet["id"].as_str().unwrap().to_owned();
                self.pending.retain(|_, pending| *pending != id);
                assert_eq!(*self.acks.entry(id).or_insert(seq), seq);
            }
            "forwarding-message" => self.told.push(seq),
            _ => panic!("{packet}"),
        }
    }

    /// Loses its connection, or is thought to have, and comes back.
    async fn come_back(&mut self, harness: &Harness, over: u64) {
        let resume = self.client.resume();
        let setup =
            Setup { pipe_bytes: [61, 4096, 1 << 20][usize::try_from(over % 3).unwrap()], ..Setup::default() };
        let again = harness.join_rich_over("irc", &resume, setup).await;
        assert_eq!(again.ack["recovered"], true);
        let older = std::mem::replace(&mut self.client, again);
        if over.is_multiple_of(2) {
            older.vanish().await;
        }
        let known = self.client.ack["seq"].as_u64().unwrap();
        while self.client.cursor < known {
            // Entries of its own without an `id` there are none: everything up to the ack's `seq` comes.
            let packet = self.client.hear().await;
            self.note(&packet);
        }
        for id in self.pending.clone().into_values() {
            self.client.say(&[named(&id, &format!("own {id}"))]).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_keeps_to_the_protocol_hears_and_says_everything_exactly_once() {
    const ROUNDS: u64 = 120;
    let harness = Harness::new(Limits { ping: Duration::from_hours(1), ..Limits::default() });
    let mut other = harness.join_rich("other").await;
    let mut bridge = Bridge {
        client: harness.join_rich("irc").await,
        pending: BTreeMap::new(),
        acks: BTreeMap::new(),
        told: Vec::new(),
    };
    // A small generator: what happens differs from round to round, and not from run to run.
    let mut dice = 0x2545_f491_u64;
    let mut roll = |sides: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % sides
    };
    let mut said = 0;
    for round in 0..ROUNDS {
        for _ in 0..roll(5) {
            other
                .say(&[nameless(&format!(
                    "other {round} {}",
                    "x".repeat(usize::try_from(roll(800)).unwrap())
                ))])
                .await;
        }
        for _ in 0..roll(4) {
            said += 1;
            bridge.pending.insert(said, format!("{said}"));
            bridge.client.say(&[named(&format!("{said}"), &format!("own {said}"))]).await;
        }
        if roll(2) == 0 {
            bridge.listen(roll(12)).await;
        }
        if roll(3) == 0 {
            bridge.come_back(&harness, roll(6)).await;
        }
    }
    bridge.come_back(&harness, 0).await;
    bridge.listen(u64::MAX).await;
    assert!(bridge.pending.is_empty());
    settle().await;

    let newest = harness.room.newest();
    let mut seqs = bridge.told.iter().chain(bridge.acks.values()).copied().collect::<Vec<_>>();
    assert!(bridge.told.is_sorted(), "in order");
    seqs.sort_unstable();
    assert_eq!(seqs, (1..=newest).collect::<Vec<_>>(), "every entry once");
    assert_eq!(bridge.acks.len() as u64, said);
    let mut watcher = harness.join_rich_with("watcher", &json!({"history": newest})).await;
    let log = watcher.hear_all(usize::try_from(newest).unwrap()).await;
    let own = log.iter().filter(|packet| packet["source-client-name"] == "irc").collect::<Vec<_>>();
    let expected =
        bridge.acks.iter().map(|(id, seq)| (*seq, format!("own {id}"))).collect::<BTreeMap<_, _>>();
    assert_eq!(own.len(), expected.len());
    for packet in own {
        assert_eq!(packet["content"], expected[&packet["seq"].as_u64().unwrap()]);
    }
}
