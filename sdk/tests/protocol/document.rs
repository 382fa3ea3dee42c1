//! The specification says what the code does.

use std::collections::{BTreeMap, HashMap};

use multichat::protocol::{
    Attachment, Author, ClientPacket, CloseCode, DecodeError, Dialect, ErrorCode, ForwardingEdit,
    ForwardingMessage, Place, PresenceStatus, ReceiptStatus, Sender, ServerPacket, Status, is_terminal,
    limits, render_plain,
};

const DOCUMENT: &str = include_str!("../../PROTOCOL.md");

/// A line that is a packet.
struct Example {
    json: &'static str,
    /// The connection of the transcript that it belongs to; empty where there is only one, and in examples.
    connection: &'static str,
    /// `>`: from the client, `<`: from the server. Examples do not say.
    sign: Option<char>,
    is_in_rich_part: bool,
}

fn examples() -> Vec<Example> {
    let mut is_in_rich_part = false;
    let mut examples = Vec::new();
    for line in DOCUMENT.lines() {
        if line.starts_with("## ") {
            is_in_rich_part = line == "## Rich";
        }
        let start = line.find('{').unwrap_or(line.len());
        let (prefix, json) = line.split_at(start);
        let connection = prefix.trim_end_matches([' ', '<', '>']);
        let sign = prefix[connection.len()..].chars().next();
        let is_name =
            connection.chars().all(|character| character.is_ascii_alphanumeric() || character == '-');
        if json.starts_with("{\"") && is_name && (connection.is_empty() || sign.is_some()) {
            examples.push(Example { json, connection, sign, is_in_rich_part });
        }
    }
    examples
}

fn reencode_client(json: &str, dialect: Dialect) -> Result<String, DecodeError> {
    ClientPacket::decode(json, dialect, limits::PACKET_BYTES).map(|packet| packet.encode())
}

fn reencode_server(json: &str, dialect: Dialect) -> Result<String, DecodeError> {
    ServerPacket::decode(json, dialect, limits::PACKET_BYTES).map(|packet| packet.encode())
}

#[test]
fn its_packets_are_exact() {
    let mut spoken = HashMap::new();
    let (mut plain, mut rich) = (0, 0);
    for Example { json, connection, sign, is_in_rich_part } in examples() {
        if json.contains("\"register\"") {
            let is_rich = json.contains("\"protocol\":2");
            spoken.insert(connection, if is_rich { Dialect::Rich } else { Dialect::Plain });
        }
        let dialect = match sign {
            Some(_) => spoken[connection],
            None if is_in_rich_part => Dialect::Rich,
            None => Dialect::Plain,
        };
        let reencoded = match sign {
            Some('>') => reencode_client(json, dialect),
            Some(_) => reencode_server(json, dialect),
            None => reencode_client(json, dialect).or(reencode_server(json, dialect)),
        };
        if json.contains("client-mesage") {
            assert_eq!(reencoded, Err(DecodeError::UnknownAction));
            continue;
        }
        assert_eq!(reencoded.as_deref(), Ok(json), "{dialect:?}");
        match dialect {
            Dialect::Plain => plain += 1,
            Dialect::Rich => rich += 1,
        }
    }
    assert_eq!((plain, rich), (21, 60));
}

/// The cells of each table whose heading begins like this, row by row.
fn tables(heading: &str) -> Vec<Vec<Vec<&'static str>>> {
    let lines: Vec<_> = DOCUMENT.lines().collect();
    let starts = lines.iter().enumerate().filter(|(_, line)| line.starts_with(heading));
    starts
        .map(|(start, _)| {
            let rows = lines[start + 2..].iter().take_while(|line| line.starts_with('|'));
            rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect()
        })
        .collect()
}

fn table(heading: &str) -> Vec<Vec<&'static str>> {
    let mut tables = tables(heading);
    assert_eq!(tables.len(), 1, "{heading}");
    tables.remove(0)
}

fn code(cell: &str) -> &str {
    cell.trim_matches('`')
}

#[test]
fn its_close_codes_are_ours() {
    let mut codes = Vec::new();
    for row in table("| code |") {
        let number = row[0].parse().unwrap();
        let close_code = CloseCode::from_code(number).unwrap();
        assert_eq!(code(row[1]), close_code.reason());
        assert_eq!(row[3].starts_with("no"), is_terminal(number), "{number}");
        codes.push(close_code);
    }
    assert_eq!(codes, CloseCode::ALL);
}

#[test]
fn its_error_codes_are_ours() {
    let mut told: Vec<_> = table("| error |").iter().map(|row| code(row[0])).collect();
    let mut known: Vec<_> = ErrorCode::ALL.iter().map(ErrorCode::as_str).collect();
    told.sort_unstable();
    known.sort_unstable();
    assert_eq!(told, known);
}

#[test]
fn its_words_are_ours() {
    let statuses = Status::ALL.iter().map(|word| word.as_str());
    let presences = PresenceStatus::ALL.iter().map(|word| word.as_str());
    let receipts = ReceiptStatus::ALL.iter().map(|word| word.as_str());
    for word in statuses.chain(presences).chain(receipts) {
        assert!(DOCUMENT.contains(&format!("`{word}`")), "{word}");
    }
}

/// A number as the document writes it: `1,048,576`.
fn grouped(number: usize) -> String {
    if number < 1000 {
        number.to_string()
    } else {
        format!("{},{:03}", grouped(number / 1000), number % 1000)
    }
}

#[test]
fn its_bounds_are_ours() {
    let rows = tables("| what |").concat();
    for (what, bound) in [
        ("the first packet", limits::FIRST_PACKET_BYTES),
        ("a packet, the payload of the whole message", limits::PACKET_BYTES),
        ("a client name", limits::CLIENT_NAME_BYTES),
        ("`id`", limits::ID_BYTES),
        ("`event`", limits::EVENT_BYTES),
        ("`sender.name`", limits::SENDER_NAME_BYTES),
        ("`reason`, `remote-id`, `text`", limits::TEXT_BYTES),
        ("attachments of a message", limits::ATTACHMENTS),
    ] {
        let row = rows.iter().find(|row| row[0] == what).expect(what);
        let numbers = row[1].split(|character: char| !character.is_ascii_digit() && character != ',');
        assert!(numbers.into_iter().any(|number| number == grouped(bound)), "{what}: {}", row[1]);
    }
}

#[test]
fn its_fields_have_our_bounds() {
    let bounds = [
        ("| field |", "`id`", limits::ID_BYTES),
        ("| field |", "`event`", limits::EVENT_BYTES),
        ("| field |", "`reason`", limits::TEXT_BYTES),
        ("| field |", "`remote-id`", limits::TEXT_BYTES),
        ("| field |", "`text`", limits::TEXT_BYTES),
        ("| `sender` |", "`name`", limits::SENDER_NAME_BYTES),
    ];
    for (heading, field, bound) in bounds {
        let rows = tables(heading).concat();
        let told: Vec<_> = rows
            .iter()
            .filter(|row| row[0] == field)
            .flat_map(|row| row.iter().filter(|cell| cell.ends_with(" bytes")))
            .collect();
        assert_eq!(told.len(), 1, "{field}");
        assert!(told[0].ends_with(&format!(" {} bytes", grouped(bound))), "{field}: {}", told[0]);
    }
    let most = format!("at most {}", limits::ATTACHMENTS);
    assert!(tables("| field |").concat().iter().any(|row| row[0] == "`attachments`" && row[3] == most));
}

#[test]
fn plain_clients_see_what_it_tells() {
    let place = Place::new(2, 1_763_800_000_123);
    let author = |sender_name| Author { source_client_name: "irc", sender_name };
    let message = |content: &str, sender: Option<&str>| {
        let mut message = ForwardingMessage::new("discord", content);
        message.sender = sender.map(Sender::new);
        message.place = Some(place);
        message
    };
    let mut reply = message("yes", Some("bob"));
    reply.reply_to = Some(1);
    let mut bare_reply = message("yes", None);
    bare_reply.reply_to = Some(1);
    let mut file = message("", None);
    file.attachments = vec![Attachment::new("https://…")];
    file.attachments[0].name = Some("cat.png".to_owned());
    let edit = || ServerPacket::Edit(ForwardingEdit::new("discord", 1, "hello, world", place));

    let alice = Some(author(Some("alice")));
    let rendered = [
        render_plain(&ServerPacket::Message(message("hello", None)), None),
        render_plain(&ServerPacket::Message(message("hello", Some("alice"))), None),
        render_plain(&ServerPacket::Message(reply), alice),
        render_plain(&ServerPacket::Message(bare_reply), alice),
        render_plain(&ServerPacket::Message(file), None),
        render_plain(&edit(), alice),
        render_plain(&edit(), Some(author(None))),
    ];
    let told = table("| rich |").concat();
    let told: Vec<_> = told.iter().flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    for text in rendered {
        let text = text.unwrap();
        assert!(told.contains(&text.as_str()), "{text}");
    }
}

#[test]
fn its_transcript_is_of_one_log() {
    let mut log = BTreeMap::new();
    for Example { json, connection, sign, .. } in examples() {
        if connection.is_empty() || sign != Some('<') {
            continue;
        }
        let place = match ServerPacket::decode(json, Dialect::Rich, limits::PACKET_BYTES) {
            Ok(ServerPacket::Message(packet)) => packet.place,
            Ok(ServerPacket::Edit(packet)) => Some(packet.place),
            Ok(ServerPacket::Delete(packet)) => Some(packet.place),
            Ok(ServerPacket::MessageAck(packet)) => Some(packet.place),
            _ => None,
        };
        if let Some(Place { seq, time, .. }) = place {
            assert_eq!(*log.entry(seq).or_insert(time), time, "an entry has one time: {json}");
        }
    }
    assert!(log.keys().copied().eq(1..=11), "all entries are seen: {log:?}");
    assert!(log.values().is_sorted_by(|a, b| a < b), "each has its own time: {log:?}");
}
