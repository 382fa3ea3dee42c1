//! A client that speaks the rich dialect, and looks closely at what it is told.

use std::{collections::BTreeMap, time::Duration};

use multichat::protocol::{Dialect, ServerPacket};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{
    harness::{EPOCH, Harness, KEY, Setup},
    raw::{Raw, text},
};

/// The client.
pub(super) struct Rich {
    pub(super) raw: Raw,
    pub(super) name: String,
    /// The answer to its `register`.
    pub(super) ack: Value,
    /// Where it would resume.
    pub(super) cursor: u64,
    newest_time: u64,
    /// The times of the entries that it has seen.
    times: BTreeMap<u64, u64>,
}

/// A `register` with these fields beside the usual ones.
pub(super) fn rich_register(name: &str, fields: &Value) -> String {
    let mut packet = json!({"action": "register", "client-name": name, "secret-key": KEY, "protocol": 2});
    let fields = fields.as_object().unwrap().clone();
    packet.as_object_mut().unwrap().extend(fields);
    packet.to_string()
}

/// A `client-message` with an `id`.
pub(super) fn named(id: &str, content: &str) -> Value {
    json!({"action": "client-message", "id": id, "content": content})
}

/// A `client-message` without one.
pub(super) fn nameless(content: &str) -> Value {
    json!({"action": "client-message", "content": content})
}

/// What others get of a message. Like all packets here without its `time`, which [`Rich::hear`] looks at.
pub(super) fn told(name: &str, content: &str, seq: u64) -> Value {
    json!({"action": "forwarding-message", "source-client-name": name, "content": content, "seq": seq})
}

/// What its author gets.
pub(super) fn acked(id: &str, seq: u64) -> Value {
    json!({"action": "message-ack", "id": id, "seq": seq})
}

/// What it gets if it is refused. The reason is for people.
pub(super) fn refused(id: Option<&str>, code: &str) -> Value {
    let mut packet = json!({"action": "error", "code": code});
    if let Some(id) = id {
        packet["id"] = json!(id);
    }
    packet
}

impl Harness {
    /// A registered rich client.
    pub(super) async fn join_rich(&self, name: &str) -> Rich {
        self.join_rich_with(name, &json!({})).await
    }

    /// A registered rich client that asks for more.
    pub(super) async fn join_rich_with(&self, name: &str, fields: &Value) -> Rich {
        self.join_rich_over(name, fields, Setup::default()).await
    }

    pub(super) async fn join_rich_over(&self, name: &str, fields: &Value, setup: Setup) -> Rich {
        let mut raw = Raw::new(self.attach_with(setup));
        raw.say(&rich_register(name, fields)).await;
        Rich::welcomed(raw, name).await
    }
}

impl Rich {
    /// The client, once it has got its ack.
    pub(super) async fn welcomed(mut raw: Raw, name: &str) -> Self {
        let text = raw.hear().await;
        assert!(matches!(
            ServerPacket::decode(&text, Dialect::Rich, usize::MAX),
            Ok(ServerPacket::RegisterAck(_))
        ));
        let ack: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(ack["protocol"], 2, "{text}");
        assert_eq!(ack["epoch"], EPOCH);
        let cursor = ack["after"].as_u64().unwrap();
        Self { raw, name: name.to_owned(), ack, cursor, newest_time: 0, times: BTreeMap::new() }
    }

    pub(super) fn session(&self) -> &str {
        self.ack["session"].as_str().unwrap()
    }

    /// What it would ask for to go on where it is.
    pub(super) fn resume(&self) -> Value {
        self.resume_at(self.cursor)
    }

    pub(super) fn resume_at(&self, seq: u64) -> Value {
        json!({"resume": {"session": self.session(), "epoch": EPOCH, "seq": seq}})
    }

    /// Sends packets, all at once.
    pub(super) async fn say(&mut self, packets: &[Value]) {
        let bytes = packets.iter().flat_map(|packet| text(&packet.to_string())).collect::<Vec<_>>();
        self.raw.send(&bytes).await;
    }

    /// The next packet, without what differs from one time to the next: the `time` of entries, and the reason of
    /// errors.
    pub(super) async fn hear(&mut self) -> Value {
        let text = self.raw.hear().await;
        self.note(&text)
    }

    /// The next packets.
    pub(super) async fn hear_all(&mut self, count: usize) -> Vec<Value> {
        let mut heard = Vec::new();
        while heard.len() < count {
            heard.push(self.hear().await);
        }
        heard
    }

    /// Looks at a packet as a client does, and takes out what differs from one time to the next.
    pub(super) fn note(&mut self, text: &str) -> Value {
        ServerPacket::decode(text, Dialect::Rich, usize::MAX)
            .unwrap_or_else(|error| panic!("{error}: {text}"));
        let mut packet: Value = serde_json::from_str(text).unwrap();
        let fields = packet.as_object_mut().unwrap();
        match fields["action"].as_str().unwrap() {
            "presence" => assert!(fields["time"].is_u64()),
            "error" => {
                let reason = fields.remove("reason").unwrap();
                assert!(!reason.as_str().unwrap().is_empty(), "people are told why");
            }
            "forwarding-receipt" => {}
            _ => {
                let time = fields.remove("time").unwrap().as_u64().unwrap();
                let seq = fields["seq"].as_u64().unwrap();
                if seq > self.cursor {
                    assert!(time >= self.newest_time, "time never goes back");
                    self.newest_time = time;
                    self.cursor = seq;
                }
                assert_eq!(*self.times.entry(seq).or_insert(time), time, "an entry has one time");
            }
        }
        packet
    }

    /// Looks whether anything comes, for a moment.
    pub(super) async fn is_silent(&mut self) -> bool {
        self.is_silent_for(Duration::from_millis(1)).await
    }

    /// Looks whether anything comes for so long.
    pub(super) async fn is_silent_for(&mut self, time: Duration) -> bool {
        match timeout(time, self.raw.hear()).await {
            Err(_) => true,
            Ok(packet) => {
                eprintln!("{} heard {packet}", self.name);
                false
            }
        }
    }

    /// Looks whether anything is there to be heard, and leaves it there.
    pub(super) async fn has_no_more(&mut self) -> bool {
        timeout(Duration::from_millis(1), self.raw.has_frame()).await.is_err()
    }

    /// Goes away without a word.
    pub(super) async fn vanish(self) {
        self.raw.vanish().await.unwrap();
    }

    /// Reads on to the close, and answers it. Returns the packets and the code.
    pub(super) async fn end(mut self) -> (Vec<Value>, Option<u16>) {
        let (texts, code) = self.raw.last_words().await;
        let packets = texts.iter().map(|text| self.note(text)).collect();
        let end = self.raw.part(texts, code).await;
        assert!(!end.was_reset, "an answered close is no reset");
        (packets, code)
    }
}
