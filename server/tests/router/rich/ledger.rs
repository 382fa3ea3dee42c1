//! Bridges whose connections break at any time: nothing is missing, and nothing is there twice.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    mem,
    ops::RangeInclusive,
    sync::Arc,
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    select,
    sync::{Semaphore, watch},
    task::JoinSet,
    time::timeout,
};

use super::super::support::{Client, End, Frame, Random, Rich, Server, Setup, frame, within};

const BRIDGES: usize = 12;
const PLAIN: usize = 4;
/// How many packets a bridge sends.
const PACKETS: usize = 60;
const THE_END: &str = "the end";

/// What all of them share.
#[derive(Debug)]
struct Room {
    server: Server,
    seed: u64,
    /// How many entries the log keeps, if it may let go of some before all is over.
    kept: Option<u64>,
    /// The newest entry that anybody has seen.
    newest: watch::Sender<u64>,
    /// A permit for each that has said all.
    done: Semaphore,
}

/// What a bridge knows at the end.
#[derive(Debug, Default)]
struct Book {
    name: String,
    /// What it sent, by `id`.
    sent: HashMap<String, Value>,
    /// Others' entries.
    heard: BTreeMap<u64, Value>,
    /// Its own: `seq` and `time`, by `id`.
    acked: HashMap<String, (u64, u64)>,
    refused: HashSet<String>,
    /// What it was told that it missed.
    gaps: Vec<RangeInclusive<u64>>,
    resumed: usize,
    repeated: usize,
}

/// A bridge as `sdk/PROTOCOL.md` tells to write it.
struct Bridge {
    room: Arc<Room>,
    random: Random,
    rich: Rich,
    cursor: u64,
    /// In the order in which they were sent.
    unanswered: Vec<String>,
    /// Own messages that may be edited.
    messages: Vec<u64>,
    book: Book,
}

impl Bridge {
    async fn join(room: Arc<Room>, number: usize) -> Self {
        let name = format!("bridge {number}");
        let random = Random::new(room.seed.wrapping_mul(31) + number as u64);
        let rich = Rich::join(&room.server, &name).await;
        assert_eq!((rich.number("seq"), rich.number("after")), (0, 0), "nobody has said anything");
        let book = Book { name, ..Book::default() };
        Self { room, random, rich, cursor: 0, unanswered: Vec::new(), messages: Vec::new(), book }
    }

    /// Says all that it has to say, and listens to the end.
    async fn run(mut self, may_sleep: bool) -> Book {
        while self.book.sent.len() < PACKETS {
            if self.live().await.is_ok() {
                self.drop().await;
            }
            if may_sleep && self.book.gaps.is_empty() && self.book.sent.len() > PACKETS / 4 {
                self.sleep_over_a_gap().await;
            }
            self.resume().await;
        }
        let mut has_said_all = false;
        while self.book.heard.values().next_back().is_none_or(|last| last["content"] != THE_END) {
            if !has_said_all && self.unanswered.is_empty() {
                has_said_all = true;
                self.room.done.add_permits(1);
            }
            if self.listen().await.is_err() {
                self.resume().await;
            }
        }
        self.book
    }

    /// A connection's life: some packets, and as much listening as that takes.
    async fn live(&mut self) -> Result<(), End> {
        for _ in 0..=self.random.below(12) {
            let packet = self.packet();
            let id = packet["id"].as_str().unwrap().to_owned();
            self.book.sent.insert(id.clone(), packet);
            self.unanswered.push(id.clone());
            self.send(&id).await?;
            let patience = self.random.below(6);
            while self.unanswered.len() > patience {
                self.listen().await?;
            }
        }
        Ok(())
    }

    /// The next packet: a message, an edit or a delete of one.
    fn packet(&mut self) -> Value {
        let id = format!("{}", self.book.sent.len());
        let content = format!("{}/{id}", self.book.name);
        let recent = self.messages.len().min(5);
        if recent > 0 && self.random.once_in(4) {
            let target = self.messages[self.messages.len() - 1 - self.random.below(recent)];
            if self.random.once_in(3) {
                return json!({"action": "client-delete", "id": id, "target": target});
            }
            return json!({"action": "client-edit", "id": id, "content": content, "target": target});
        }
        let mut message = json!({"action": "client-message", "id": id, "content": content});
        if self.random.once_in(2) {
            message["sender"] = json!({"name": "alice"});
        }
        message
    }

    async fn send(&mut self, id: &str) -> Result<(), End> {
        let packet = self.book.sent[id].to_string();
        let sent = self.rich.client.try_send(&frame(Frame::WHOLE_TEXT, packet.as_bytes())).await;
        sent.map_err(|_| End::Reset)
    }

    /// Ends the connection in one of many ways.
    async fn drop(&mut self) {
        match self.random.below(4) {
            // Another connection takes over while this one is open.
            0 => return,
            1 => {
                let half = frame(Frame::WHOLE_TEXT, self.packet().to_string().as_bytes());
                let len = self.random.below(half.len());
                let _ = self.rich.client.try_send(&half[..len]).await;
            }
            2 => {
                // Something that is on its way when the connection breaks.
                let packet = self.packet();
                let id = packet["id"].as_str().unwrap().to_owned();
                self.book.sent.insert(id.clone(), packet);
                self.unanswered.push(id.clone());
                let _ = self.send(&id).await;
            }
            _ => {}
        }
        self.rich.client.stream.reset_when_dropped();
    }

    /// Stays away until the log has lost what it has not seen, unless all others fall silent.
    async fn sleep_over_a_gap(&mut self) {
        self.rich.client.stream.reset_when_dropped();
        let enough = self.cursor + self.room.kept.unwrap() + 1;
        let mut newest = self.room.newest.subscribe();
        let _ = timeout(Duration::from_secs(2), newest.wait_for(|newest| *newest >= enough)).await;
    }

    /// Connects again, until all that was sent is sent again that has to be.
    async fn resume(&mut self) {
        while self.try_resume().await.is_err() {}
    }

    async fn try_resume(&mut self) -> Result<(), End> {
        let mut fields = self.rich.resume(self.cursor);
        fields["history"] = json!(self.random.below(20) + 1);
        let rich = Rich::ask(&self.room.server, &self.book.name, fields).await;
        let before = mem::replace(&mut self.rich, rich);
        self.book.resumed += 1;
        for field in ["session", "epoch"] {
            assert_eq!(self.rich.ack[field], before.ack[field]);
        }
        let after = self.rich.number("after");
        if self.rich.ack["recovered"] == false {
            assert!(after > self.cursor, "nothing was missing: {} {}", self.cursor, self.rich.ack);
            self.book.gaps.push(self.cursor + 1..=after);
            self.cursor = after;
            // Their fate is unknown.
            self.unanswered.clear();
            return Ok(());
        }
        assert_eq!((&self.rich.ack["recovered"], after), (&json!(true), self.cursor), "from where it was");
        // While it waits, the log could let go of what was entered, and with it of the names.
        let may_send_at_once = self.room.kept.is_none();
        while !may_send_at_once && self.cursor < self.rich.number("seq") {
            self.listen().await?;
        }
        for id in self.unanswered.clone() {
            self.send(&id).await?;
        }
        Ok(())
    }

    /// Takes the next packet.
    async fn listen(&mut self) -> Result<(), End> {
        let mut packet: Value = serde_json::from_str(&self.rich.client.try_text().await?).unwrap();
        let seq = packet["seq"].as_u64().unwrap_or_default();
        match packet["action"].as_str().unwrap() {
            "message-ack" => {
                let id = packet["id"].as_str().unwrap().to_owned();
                let place = (seq, packet["time"].as_u64().unwrap());
                self.unanswered.retain(|unanswered| *unanswered != id);
                if let Some(first) = self.book.acked.get(&id) {
                    assert_eq!(place, *first, "an ack again is the same: {packet}");
                    assert!(seq <= self.cursor, "it comes behind its place: {packet}");
                    self.book.repeated += 1;
                    return Ok(());
                }
                if self.book.sent[&id]["action"] == "client-message" {
                    self.messages.push(seq);
                }
                self.book.acked.insert(id, place);
            }
            "error" => {
                let id = packet["id"].as_str().unwrap().to_owned();
                assert_eq!(packet["code"], "unknown-target", "{packet}");
                assert_ne!(self.book.sent[&id]["action"], "client-message", "{packet}");
                self.unanswered.retain(|unanswered| *unanswered != id);
                self.book.refused.insert(id);
                return Ok(());
            }
            _ => {
                self.book.heard.insert(seq, packet.take());
            }
        }
        // All that it says has an `id`: so it is told something of every entry.
        assert_eq!(seq, self.cursor + 1, "{} is told the next", self.book.name);
        self.cursor = seq;
        self.room.newest.send_if_modified(|newest| {
            let is_news = *newest < seq;
            *newest = seq.max(*newest);
            is_news
        });
        Ok(())
    }
}

/// A plain client: says something now and then, and comes back when it is cut. What it heard on each connection.
async fn be_plain(room: Arc<Room>, number: usize, mut client: Client) -> (String, Vec<Vec<String>>) {
    let name = plain_name(number);
    let mut heard = vec![Vec::new()];
    let mut said = 0;
    loop {
        // As fast as the bridges, more or less.
        let next = said as u64 * 10 + 1;
        if said < PACKETS / 2 && *room.newest.borrow() >= next {
            if client.try_send(&frame(Frame::WHOLE_TEXT, plain_packet(&name, said).as_bytes())).await.is_ok()
            {
                said += 1;
            }
            if said == PACKETS / 2 {
                room.done.add_permits(1);
            }
        }
        if let Ok(text) = client.try_text().await {
            let is_the_end = text.contains(THE_END);
            heard.last_mut().unwrap().push(text);
            if is_the_end {
                return (name, heard);
            }
        } else {
            client = Client::join(&room.server, &name).await;
            heard.push(Vec::new());
        }
    }
}

fn plain_name(number: usize) -> String {
    format!("plain {number}")
}

fn plain_packet(name: &str, said: usize) -> String {
    json!({"action": "client-message", "content": format!("{name}/{said}")}).to_string()
}

/// All of it. Returns the bridges' books, and what the plain clients heard.
async fn chat(limits: Value, kept: Option<u64>) -> (Vec<Book>, Vec<(String, Vec<Vec<String>>)>) {
    let server = Setup::new().limits(limits).start().await;
    let seed = Random::seed();
    let room =
        Arc::new(Room { server, seed, kept, newest: watch::Sender::default(), done: Semaphore::new(0) });
    let (mut bridges, mut plain) = (JoinSet::new(), JoinSet::new());
    for number in 0..PLAIN {
        let client = Client::join(&room.server, &plain_name(number)).await;
        plain.spawn(be_plain(room.clone(), number, client));
    }
    let mut joined = Vec::new();
    for number in 0..BRIDGES {
        joined.push(Bridge::join(room.clone(), number).await);
    }
    for (number, bridge) in joined.into_iter().enumerate() {
        bridges.spawn(bridge.run(kept.is_some() && number % 3 == 0));
    }
    let all = u32::try_from(BRIDGES + PLAIN).unwrap();
    select! {
        permit = within("all to have said all", room.done.acquire_many(all)) => drop(permit),
        // Nobody ends before the end, unless it fails.
        Some(early) = bridges.join_next() => panic!("{:?}", early.map(|book| book.name)),
        Some(early) = plain.join_next() => panic!("{early:?}"),
    }
    Client::join(&room.server, "director").await.chat(THE_END).await;
    let books = within("bridges to end", bridges.join_all()).await;
    (books, within("plain clients to end", plain.join_all()).await)
}

/// What the log is: everything that anybody has heard, and all tell the same.
fn log(books: &[Book]) -> BTreeMap<u64, Value> {
    let mut log = BTreeMap::new();
    for book in books {
        for (seq, packet) in &book.heard {
            let known = log.entry(*seq).or_insert(packet.clone());
            assert_eq!(known, packet, "{} has heard the same as others", book.name);
        }
    }
    log
}

fn check_book(book: &Book, log: &BTreeMap<u64, Value>) {
    let name = &book.name;
    let own: HashMap<u64, &String> = book.acked.iter().map(|(id, (seq, _))| (*seq, id)).collect();
    assert_eq!(own.len(), book.acked.len(), "{name}: no two acks have one place");
    let newest = *log.keys().next_back().unwrap();
    for seq in 1..=newest {
        let times = usize::from(book.heard.contains_key(&seq))
            + usize::from(own.contains_key(&seq))
            + book.gaps.iter().filter(|gap| gap.contains(&seq)).count();
        assert_eq!(times, 1, "{name} is told of {seq} once, or that it has missed it: {:?}", book.gaps);
    }
    // What others were told is what it sent.
    for (id, (seq, time)) in &book.acked {
        let Some(entry) = log.get(seq) else { continue };
        let mut expected = book.sent[id].clone();
        let object = expected.as_object_mut().unwrap();
        object.remove("id");
        let action = object["action"].as_str().unwrap().replace("client-", "forwarding-");
        object.extend(
            [("action", json!(action)), ("source-client-name", json!(name))].map(|(k, v)| (k.into(), v)),
        );
        object.extend([("seq", json!(seq)), ("time", json!(time))].map(|(k, v)| (k.into(), v)));
        assert_eq!(*entry, expected);
    }
    assert!(book.refused.iter().all(|id| !book.acked.contains_key(id)), "{name}: refused is not entered");
    assert!(
        book.heard.values().all(|packet| packet["source-client-name"] != name.as_str()),
        "{name} hears itself"
    );
}

/// How plain clients are told of an entry.
fn render(entry: &Value, log: &BTreeMap<u64, Value>) -> Option<String> {
    let said = match entry["action"].as_str().unwrap() {
        "forwarding-message" => Some(entry),
        "forwarding-edit" => log.get(&entry["target"].as_u64().unwrap()),
        _ => return None,
    };
    let sender = said.and_then(|said| said["sender"]["name"].as_str());
    let prefix = sender.map(|sender| format!("<{sender}> ")).unwrap_or_default();
    let mark = if entry["action"] == "forwarding-edit" { "(edited) " } else { "" };
    let content = format!("{prefix}{mark}{}", entry["content"].as_str().unwrap());
    let source = &entry["source-client-name"];
    let content = json!(content);
    Some(format!(r#"{{"action":"forwarding-message","source-client-name":{source},"content":{content}}}"#))
}

/// Checks all; returns the log.
fn check(books: &[Book], plain: &[(String, Vec<Vec<String>>)]) -> BTreeMap<u64, Value> {
    let log = log(books);
    for book in books {
        check_book(book, &log);
        // No `id` is entered twice, whatever became of it: its content tells which it is.
        let mut entered = HashSet::new();
        for entry in log.values().filter(|entry| entry["source-client-name"] == book.name.as_str()) {
            assert!(entry["content"].is_null() || entered.insert(&entry["content"]), "twice: {entry}");
        }
    }
    let times: Vec<_> = log.values().map(|entry| entry["time"].as_u64().unwrap()).collect();
    assert!(times.is_sorted(), "time goes on");
    for (name, connections) in plain {
        let others = log.values().filter(|entry| entry["source-client-name"] != name.as_str());
        let order: Vec<_> = others.filter_map(|entry| render(entry, &log)).collect();
        let mut begin = 0;
        for heard in connections.iter().filter(|heard| !heard.is_empty()) {
            let skipped = order[begin..].iter().position(|text| *text == heard[0]);
            begin += skipped.unwrap_or_else(|| panic!("{name} heard {} too late", heard[0]));
            assert!(order[begin..].starts_with(heard), "{name} hears all, in order, while it is connected");
            begin += heard.len();
        }
        assert_eq!(begin, order.len(), "{name} hears the end");
        assert!(connections.len() > 1 || connections[0].len() == order.len(), "{name} hears all");
    }
    log
}

#[tokio::test]
async fn who_resumes_has_everything_once_and_in_order() {
    let (books, plain) = chat(json!({}), None).await;
    let log = check(&books, &plain);
    assert!(log.keys().copied().eq(1..=log.len() as u64), "all of it is known");
    for book in &books {
        assert_eq!(book.gaps, [], "{} has missed nothing", book.name);
        assert_eq!(book.acked.len() + book.refused.len(), book.sent.len(), "{} has all answers", book.name);
        assert!(book.resumed > 0);
    }
    let repeated = books.iter().map(|book| book.repeated).sum::<usize>();
    assert!(repeated > 0, "something was sent again for nothing");
    assert!(plain.iter().all(|(_, connections)| connections.len() == 1));
}

#[tokio::test]
async fn who_resumes_too_late_is_told_what_it_missed() {
    const KEPT: u64 = 48;
    let (books, plain) = chat(json!({"log-entries": KEPT}), Some(KEPT)).await;
    check(&books, &plain);
    assert!(books.iter().any(|book| !book.gaps.is_empty()), "nobody has missed anything");
}
