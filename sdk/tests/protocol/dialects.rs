//! Which dialect a packet is of.

use multichat::protocol::DecodeError::{self, Duplicate, UnknownAction, WrongType};
use multichat::protocol::{
    ClientMessage, ClientPacket, Dialect, ForwardingMessage, PROTOCOL, Register, RegisterAck, RichRegister,
    ServerPacket,
};

use super::samples;

const MAX: usize = 4096;

#[test]
fn the_protocols() {
    assert_eq!((Dialect::Plain.protocol(), Dialect::Rich.protocol()), (1, 2));
    assert_eq!(PROTOCOL, 2);
    assert_eq!(RichRegister::default().protocol, PROTOCOL);
}

#[test]
fn the_plain_dialect_has_four_packets() {
    for (_, json, packet) in samples::client() {
        let plain = match packet {
            ClientPacket::Register(_) => Ok(packet),
            ClientPacket::Message(message) if message.content.is_empty() => {
                Err(DecodeError::Empty { field: "content" })
            }
            ClientPacket::Message(message) => Ok(ClientPacket::Message(ClientMessage::new(message.content))),
            _ => Err(UnknownAction),
        };
        assert_eq!(ClientPacket::decode(json, Dialect::Plain, MAX), plain);
    }
    for (_, json, packet) in samples::server() {
        let plain = match packet {
            ServerPacket::RegisterAck(_) => Ok(packet),
            ServerPacket::Message(message) if message.content.is_empty() => {
                Err(DecodeError::Empty { field: "content" })
            }
            ServerPacket::Message(ForwardingMessage { source_client_name, content, .. }) => {
                Ok(ServerPacket::Message(ForwardingMessage::new(source_client_name, content)))
            }
            _ => Err(UnknownAction),
        };
        assert_eq!(ServerPacket::decode(json, Dialect::Plain, MAX), plain);
    }
}

#[test]
fn what_rich_fields_hold_does_not_matter_in_plain_packets() {
    for value in ["null", "0", r#""""#, r#""\ud83d""#, "[{}]", r#"{"a":1,"a":2}"#] {
        let names = ["id", "sender", "reply-to", "attachments", "event", "seq", "time"];
        let fields = samples::twice(&names, value);
        let json = format!(r#"{{"action":"client-message","content":"x"{fields}}}"#);
        let message = ClientPacket::Message(ClientMessage::new("x"));
        assert_eq!(ClientPacket::decode(&json, Dialect::Plain, MAX), Ok(message), "{json}");
        assert!(ClientPacket::decode(&json, Dialect::Rich, MAX).is_err(), "{json}");

        let json =
            format!(r#"{{"action":"forwarding-message","source-client-name":"a","content":"x"{fields}}}"#);
        let message = ServerPacket::Message(ForwardingMessage::new("a", "x"));
        assert_eq!(ServerPacket::decode(&json, Dialect::Plain, MAX), Ok(message), "{json}");
        assert!(ServerPacket::decode(&json, Dialect::Rich, MAX).is_err(), "{json}");
    }
}

/// A `register` with these further fields, and the same of an ack.
fn decode(fields: &str) -> [Result<Option<u64>, DecodeError>; 4] {
    let register = format!(r#"{{"action":"register","client-name":"a","secret-key":"b"{fields}}}"#);
    let ack = format!(r#"{{"action":"register-ack"{fields}}}"#);
    let client = |dialect| match ClientPacket::decode(&register, dialect, MAX)? {
        ClientPacket::Register(Register { rich, .. }) => Ok(rich.map(|rich| rich.protocol)),
        _ => Err(UnknownAction),
    };
    let server = |dialect| match ServerPacket::decode(&ack, dialect, MAX)? {
        ServerPacket::RegisterAck(RegisterAck { rich, .. }) => Ok(rich.map(|rich| rich.protocol)),
        _ => Err(UnknownAction),
    };
    [client(Dialect::Plain), client(Dialect::Rich), server(Dialect::Plain), server(Dialect::Rich)]
}

#[test]
fn registers_and_acks_say_it_themselves() {
    let others = r#","session":"s","epoch":"e","seq":1,"after":1,"limits":{"packet-bytes":1}"#;
    for (protocol, rich) in [
        ("", None),
        (r#","protocol":null"#, None),
        (r#","protocol":1"#, None),
        (r#","Protocol":2"#, None),
        (r#","protocol":2"#, Some(2)),
        (r#","pr\u006ftocol": 3 "#, Some(3)),
        (r#","protocol":18446744073709551615"#, Some(u64::MAX)),
    ] {
        assert_eq!(decode(&format!("{protocol}{others}")), [Ok(rich); 4]);
    }
    let number = WrongType { field: "protocol", expected: "a whole number below 2^64" };
    let zero = WrongType { field: "protocol", expected: "a whole number from 1 on" };
    for (value, error) in [
        ("0", zero),
        ("-1", number),
        ("1.0", number),
        ("2.0", number),
        ("2e0", number),
        ("18446744073709551616", number),
        ("1e999", number),
        (r#""2""#, number),
        ("true", number),
        ("[2]", number),
        ("{}", number),
    ] {
        assert_eq!(decode(&format!(r#","protocol":{value}{others}"#)), [Err(error); 4], "{value}");
    }
    let twice = format!(r#","protocol":2,"protocol":2{others}"#);
    assert_eq!(decode(&twice), [Err(Duplicate { field: "protocol" }); 4]);
}

#[test]
fn a_plain_register_may_hold_anything_else() {
    for protocol in ["", r#""protocol":1,"#, r#""protocol":null,"#] {
        for value in ["-1", r#""""#, r#"{"session":5}"#, "null", r#""\ud83d""#] {
            let names =
                ["history", "resume", "presence", "session", "epoch", "limits", "clients", "recovered"];
            let fields = samples::twice(&names, value);
            let json =
                format!(r#"{{{protocol}"action":"register","client-name":"a","secret-key":"b"{fields}}}"#);
            let register = ClientPacket::Register(Register::new("a", "b"));
            assert_eq!(ClientPacket::decode(&json, Dialect::Rich, MAX), Ok(register), "{json}");
            let json = format!(r#"{{{protocol}"action":"register-ack"{fields}}}"#);
            let ack = ServerPacket::RegisterAck(RegisterAck::new());
            assert_eq!(ServerPacket::decode(&json, Dialect::Rich, MAX), Ok(ack), "{json}");
        }
    }
}
