//! The number of an entry of a kind that nobody has defined yet.

use multichat::protocol::{ServerPacket, entry_seq};

use super::samples;

#[test]
fn every_forwarding_packet_with_a_number_is_an_entry() {
    for (text, seq) in [
        (r#"{"action":"forwarding-poll","seq":7}"#, 7),
        (r#"{"seq":7,"question":{"seq":9,"action":"x"},"action":"forwarding-poll"}"#, 7),
        (r#"{"action":"forwarding-","seq":0}"#, 0),
        (r#"{"action":"forwarding-poll","seq":18446744073709551615}"#, u64::MAX),
        // A known kind in a form that is not.
        (r#"{"action":"forwarding-message","seq":7,"content":[]}"#, 7),
        (r#"{"action":"\u0066orwarding-poll","s\u0065q":7}"#, 7),
        // A cut-off emoji in a field that nobody knows is no reason to lose the number.
        (r#"{"action":"forwarding-poll","seq":7,"text":"\ud83d"}"#, 7),
    ] {
        assert_eq!(entry_seq(text), Some(seq), "{text}");
    }
}

#[test]
fn known_entries_have_the_number_of_their_place() {
    for (_, text, packet) in samples::server() {
        let seq = match packet {
            ServerPacket::Message(message) => message.place.map(|place| place.seq),
            ServerPacket::Edit(edit) => Some(edit.place.seq),
            ServerPacket::Delete(delete) => Some(delete.place.seq),
            _ => None,
        };
        assert_eq!(entry_seq(text), seq, "{text}");
    }
}

#[test]
fn nothing_else_is() {
    for text in [
        "",
        "7",
        "null",
        "[]",
        "{}",
        r#"{"seq":7}"#,
        r#"{"action":"forwarding-poll"}"#,
        r#"{"action":"forwarding-poll","seq":null}"#,
        r#"{"action":"forwarding-poll","seq":"7"}"#,
        r#"{"action":"forwarding-poll","seq":7.0}"#,
        r#"{"action":"forwarding-poll","seq":-7}"#,
        r#"{"action":"forwarding-poll","seq":18446744073709551616}"#,
        r#"{"action":"forwarding-poll","seq":7,"seq":8}"#,
        r#"{"action":"forwarding-poll","seq":7"#,
        r#"{"action":"forwarding-poll","seq":7} "#.repeat(2).as_str(),
        r#"{"action":"Forwarding-poll","seq":7}"#,
        r#"{"action":"forwarding","seq":7}"#,
        r#"{"action":"not-forwarding-poll","seq":7}"#,
        r#"{"action":7,"seq":7}"#,
        r#"{"action":"presence","seq":7}"#,
        r#"{"action":"message-ack","id":"1","seq":7,"time":1}"#,
    ] {
        assert_eq!(entry_seq(text), None, "{text}");
    }
}
