//! The rich dialect.

mod breaks;
mod crowds;
mod independent;
mod ledger;
mod plain_clients;
mod sample;

use serde_json::{Value, json};

/// A packet without its `time`, and that.
fn timeless(mut packet: Value) -> (Value, u64) {
    let time = packet.as_object_mut().unwrap().remove("time");
    (packet, time.and_then(|time| time.as_u64()).expect("a time"))
}

/// A refusal without its words.
fn wordless(mut packet: Value) -> Value {
    assert!(packet["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{packet}");
    packet.as_object_mut().unwrap().remove("reason");
    packet
}

fn message_ack(id: &str, seq: u64) -> Value {
    json!({"action": "message-ack", "id": id, "seq": seq})
}

fn error(id: &str, code: &str) -> Value {
    json!({"action": "error", "id": id, "code": code})
}

/// The numbers of the entries that a client is told of: others' and its own.
fn seq_of(text: &str) -> u64 {
    let (_, rest) = text.rsplit_once(r#","seq":"#).unwrap_or_else(|| panic!("no entry: {text:.200}"));
    rest.split(',').next().and_then(|seq| seq.parse().ok()).unwrap()
}
