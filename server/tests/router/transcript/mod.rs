//! The transcript in `sdk/PROTOCOL.md` is what happens.

mod script;
mod values;

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};
use tokio::time::sleep;

use self::{
    script::{Line, Step, parse},
    values::Values,
};
use super::support::{Client, End, Server, Setup};

const DOCUMENT: &str = include_str!("../../../../sdk/PROTOCOL.md");
const HEADING: &str = "### A rich bridge";

/// A connection that is open.
struct Connection {
    client: Client,
    /// What came while its ping was on the way.
    inbox: VecDeque<String>,
}

impl Connection {
    async fn hear(&mut self) -> String {
        match self.inbox.pop_front() {
            Some(text) => text,
            None => self.client.text().await,
        }
    }
}

/// A replay.
struct Replay {
    server: Server,
    connections: BTreeMap<String, Connection>,
    values: Values,
    /// What the document tells and what came.
    heard: Vec<(Value, Value)>,
}

impl Replay {
    async fn of(script: &[Line]) -> Self {
        let packets = script.iter().filter_map(|line| match &line.step {
            Step::Says(text) => Some(json(text)),
            _ => None,
        });
        let keys: Vec<_> = packets.filter_map(|packet| packet.get("secret-key").cloned()).collect();
        assert!(keys.windows(2).all(|keys| keys[0] == keys[1]), "one key: {keys:?}");
        let server = Setup::new().field("secret-key", keys[0].clone()).start().await;
        let mut replay =
            Self { server, connections: BTreeMap::new(), values: Values::default(), heard: Vec::new() };
        for line in script {
            println!("{line:?}");
            if matches!(line.step, Step::Connects | Step::Says(_)) {
                tick().await;
            }
            replay.play(line).await;
        }
        replay
    }

    async fn play(&mut self, line: &Line) {
        if matches!(line.step, Step::Connects) {
            let client = Client::connect(&self.server).await;
            let connection = Connection { client, inbox: VecDeque::new() };
            let before = self.connections.insert(line.connection.clone(), connection);
            assert!(before.is_none(), "line {}: it is connected", line.number);
            return;
        }
        let connection = self.connections.get_mut(&line.connection);
        let connection = connection.unwrap_or_else(|| panic!("line {}: it is not connected", line.number));
        match &line.step {
            Step::Connects => unreachable!("see above"),
            Step::Says(text) => {
                let mut packet = json(text);
                self.values.fill(&mut packet);
                connection.client.say(&packet.to_string()).await;
                if packet["action"] != "register" {
                    // What it said is in the log before the next line.
                    connection.inbox.extend(connection.client.settle().await);
                }
            }
            Step::Hears(text) => {
                let (told, found) = (json(text), json(&connection.hear().await));
                let result = self.values.compare(&told, &found);
                result.unwrap_or_else(|difference| panic!("line {}: {difference}", line.number));
                self.heard.push((told, found));
            }
            Step::Closed(code, reason) => {
                let mut connection = self.connections.remove(&line.connection).unwrap();
                let (end, texts) = connection.client.end_and_texts().await;
                assert_eq!(end, End::closed(*code, reason), "line {}", line.number);
                assert_eq!([Vec::from(connection.inbox), texts].concat(), [""; 0], "line {}", line.number);
            }
            Step::Drops => {
                self.connections.remove(&line.connection).unwrap().client.stream.reset();
            }
        }
    }

    /// Nobody is told more than that.
    async fn finish(&mut self) {
        for (name, connection) in &mut self.connections {
            connection.inbox.extend(connection.client.settle().await);
            assert_eq!(connection.inbox, [""; 0], "{name} is told more");
        }
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Waits for the clock: what happens one after the other there has not the same time here.
async fn tick() {
    let before = now_ms();
    while now_ms() <= before {
        sleep(Duration::from_millis(1)).await;
    }
}

fn now_ms() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

#[tokio::test]
async fn the_transcript_is_what_happens() {
    let start = now_ms();
    let mut replay = Replay::of(&parse(DOCUMENT, HEADING)).await;
    replay.finish().await;
    let end = now_ms();
    assert!(replay.values.times().all(|time| (start..=end).contains(&time)), "{:?}", replay.values);

    // And it would be noticed if it were told otherwise.
    let heard = replay.heard;
    let mut count = 0;
    for line in 0..heard.len() {
        for field in fields("", &heard[line].0) {
            for change in [alter, remove] {
                let mut changed = heard.clone();
                change(&mut changed[line].0, &field);
                let is_noticed = !agree(&changed);
                assert_eq!(
                    is_noticed,
                    must_be_noticed(&heard, &changed, line, &field),
                    "{:?}",
                    changed[line]
                );
                count += 1;
            }
        }
    }
    assert!(count > 200, "only {count} changes");
}

fn agree(heard: &[(Value, Value)]) -> bool {
    let mut values = Values::default();
    heard.iter().all(|(told, found)| values.compare(told, found).is_ok())
}

/// The places of all values in a packet that are no objects or arrays.
fn fields(at: &str, value: &Value) -> Vec<String> {
    match value {
        Value::Object(object) => {
            object.iter().flat_map(|(key, value)| fields(&format!("{at}/{key}"), value)).collect()
        }
        Value::Array(array) => {
            array.iter().enumerate().flat_map(|(key, value)| fields(&format!("{at}/{key}"), value)).collect()
        }
        _ => vec![at.to_owned()],
    }
}

fn alter(packet: &mut Value, field: &str) {
    let value = packet.pointer_mut(field).unwrap();
    *value = match &value {
        Value::String(text) => json!(format!("{text}!")),
        Value::Number(number) => json!(number.as_u64().unwrap() + 1),
        Value::Bool(bool) => json!(!bool),
        other => panic!("{other}"),
    };
}

fn remove(packet: &mut Value, field: &str) {
    let (parent, key) = field.rsplit_once('/').unwrap();
    packet.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(key);
}

/// A value that the router made up may have another name, if it comes once only.
fn must_be_noticed(heard: &[(Value, Value)], changed: &[(Value, Value)], line: usize, field: &str) -> bool {
    let value = &heard[line].0.pointer(field).unwrap();
    let is_altered = changed[line].0.pointer(field).is_some();
    if field == "/reason" && heard[line].0["action"] == "error" {
        return !is_altered;
    }
    let is_made_up = ["session", "epoch", "time", "since"].iter().any(|name| field.ends_with(name));
    let all = heard.iter().flat_map(|(told, _)| fields("", told).into_iter().map(move |at| (told, at)));
    let is_once = all.filter(|(told, at)| told.pointer(at) == Some(value)).count() == 1;
    !(is_altered && is_made_up && is_once)
}
