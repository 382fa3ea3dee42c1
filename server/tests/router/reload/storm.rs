//! Clients of both dialects that talk all the time, and keep books.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::{sync::watch, task::JoinSet};

use super::super::support::{Client, Rich, Route, Server, Version, within};

const OF_EACH_DIALECT: usize = 6;
/// How many messages each of them says before it listens to the others.
const MESSAGES: usize = 10;
const ALL: usize = 2 * OF_EACH_DIALECT;

/// The clients. Each of them hears all that the others say, once and in order, on one connection; or it fails.
pub(super) struct Storm {
    talkers: JoinSet<()>,
    rounds: Arc<Rounds>,
    finished: watch::Receiver<usize>,
}

/// How far they are, and how far they go.
#[derive(Debug)]
struct Rounds {
    /// The last round that somebody has begun, and the last that there will be.
    begun_and_last: Mutex<(usize, usize)>,
    finished: watch::Sender<usize>,
}

impl Rounds {
    /// Whether there is to be such a round.
    fn begin(&self, round: usize) -> bool {
        let mut guard = self.begun_and_last.lock();
        let (begun, last) = &mut *guard;
        let is_on = round <= *last;
        if is_on {
            *begun = round.max(*begun);
        }
        is_on
    }

    fn finish(&self, round: usize) {
        self.finished.send_if_modified(|finished| {
            let is_news = round > *finished;
            *finished = round.max(*finished);
            is_news
        });
    }
}

impl Storm {
    pub(super) async fn start(server: &Server) -> Self {
        let (sender, finished) = watch::channel(0);
        let rounds = Arc::new(Rounds { begun_and_last: Mutex::new((0, usize::MAX)), finished: sender });
        let mut clients = Vec::new();
        for number in 0..OF_EACH_DIALECT {
            let route = Route::by(if number % 2 == 0 { Version::Tls13 } else { Version::Tls12 });
            let plain = Client::join_by(route, server, &format!("plain {number}")).await;
            clients.push(Talker::new(format!("plain {number}"), plain, None));
            let rich = Rich::ask_by(route, server, &format!("rich {number}"), json!({})).await;
            clients.push(Talker::new(format!("rich {number}"), rich.client, Some(0)));
        }
        let mut talkers = JoinSet::new();
        for talker in clients {
            talkers.spawn(talker.run(rounds.clone()));
        }
        Self { talkers, rounds, finished }
    }

    /// Waits until they have talked a while more.
    pub(super) async fn talk(&mut self) {
        let enough = *self.finished.borrow() + 3;
        let mut finished = self.finished.clone();
        tokio::select! {
            reached = within("a storm of clients to talk", finished.wait_for(|rounds| *rounds >= enough)) => {
                drop(reached.unwrap());
            }
            Some(early) = self.talkers.join_next() => early.unwrap(),
        }
    }

    /// Lets them say what they are about to say. Returns how many messages each of them has heard.
    pub(super) async fn finish(mut self) -> usize {
        let last = {
            let mut guard = self.rounds.begun_and_last.lock();
            let (begun, last) = &mut *guard;
            *last = *begun;
            *last
        };
        while let Some(ended) = within("a storm to end", self.talkers.join_next()).await {
            ended.unwrap();
        }
        last * MESSAGES * (ALL - 1)
    }
}

struct Talker {
    name: String,
    client: Client,
    /// The newest entry that it was told of, if it speaks the rich dialect.
    cursor: Option<u64>,
    /// How many messages it has heard, by name.
    heard: HashMap<String, usize>,
    acked: usize,
}

impl Talker {
    fn new(name: String, client: Client, cursor: Option<u64>) -> Self {
        Self { name, client, cursor, heard: HashMap::new(), acked: 0 }
    }

    async fn run(mut self, rounds: Arc<Rounds>) {
        for round in 1.. {
            if !rounds.begin(round) {
                return;
            }
            for number in (round - 1) * MESSAGES..round * MESSAGES {
                let mut packet = json!({"action": "client-message", "content": number.to_string()});
                if self.cursor.is_some() {
                    packet["id"] = json!(number.to_string());
                }
                self.client.say(&packet.to_string()).await;
            }
            let all = round * MESSAGES;
            while self.heard.values().filter(|heard| **heard >= all).count() < ALL - 1
                || self.cursor.is_some() && self.acked < all
            {
                self.listen().await;
            }
            rounds.finish(round);
        }
    }

    async fn listen(&mut self) {
        let packet = self.client.packet().await;
        if let Some(cursor) = &mut self.cursor {
            assert_eq!(packet["seq"], *cursor + 1, "{} is told all: {packet}", self.name);
            *cursor += 1;
        }
        if packet["action"] == "message-ack" {
            assert_eq!(packet["id"], self.acked.to_string());
            self.acked += 1;
            return;
        }
        let source = packet["source-client-name"].as_str().unwrap().to_owned();
        let heard = self.heard.entry(source).or_default();
        assert_eq!(packet["content"], Value::from(heard.to_string()), "{} hears all: {packet}", self.name);
        *heard += 1;
    }
}
