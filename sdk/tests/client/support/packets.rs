//! What a router of the rich dialect says, written by hand: not by the codec that reads it.

use serde_json::{Value, json};

/// An ack of a new session in an empty log, but for these fields.
pub(crate) fn rich_ack(changes: Value) -> String {
    let mut ack = json!({
        "action": "register-ack", "protocol": 2, "session": "session-1", "epoch": "epoch-1",
        "seq": 0, "after": 0, "limits": {"packet-bytes": 1_048_576},
    });
    let Value::Object(changes) = changes else { panic!("{changes} is no object") };
    ack.as_object_mut().unwrap().extend(changes);
    ack.to_string()
}

/// The ack for who resumes, with nothing missed up to `after` and the log at `seq`.
pub(crate) fn same_session(after: u64, seq: u64) -> String {
    rich_ack(json!({"recovered": true, "after": after, "seq": seq}))
}

/// What another client said.
pub(crate) fn said(content: &str, seq: u64) -> Value {
    json!({
        "action": "forwarding-message", "source-client-name": "matrix", "content": content,
        "seq": seq, "time": 1_763_800_000_000 + seq,
    })
}

/// The ack of something that a client sent.
pub(crate) fn ack_of(packet: &Value, seq: u64) -> Value {
    json!({"action": "message-ack", "id": packet["id"], "seq": seq, "time": 1_763_800_000_000 + seq})
}
