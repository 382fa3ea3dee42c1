//! The specification says what the code does.

use multichat::protocol::{ClientPacket, CloseCode, ServerPacket, is_terminal, limits};

const DOCUMENT: &str = include_str!("../../PROTOCOL.md");

/// The packets in the code blocks: the lines that look like one, with the sign that says which way.
fn packets() -> impl Iterator<Item = &'static str> {
    DOCUMENT.lines().map(|line| line.trim_start_matches(['<', '>', ' '])).filter(|line| line.starts_with('{'))
}

#[test]
fn its_packets_are_exact() {
    let mut count = 0;
    for json in packets().filter(|json| !json.contains("client-mesage")) {
        let client = ClientPacket::decode(json, limits::PACKET_BYTES).map(|packet| packet.encode());
        let server = ServerPacket::decode(json, limits::PACKET_BYTES).map(|packet| packet.encode());
        assert_eq!(client.or(server).as_deref(), Ok(json));
        count += 1;
    }
    assert_eq!(count, 9);
}

#[test]
fn its_close_codes_are_ours() {
    let rows = DOCUMENT.lines().filter_map(|line| {
        let cells: Vec<_> = line.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        match cells[..] {
            ["", code, reason, _, retry, ""] => Some((code.parse::<u16>().ok()?, reason, retry)),
            _ => None,
        }
    });
    let mut codes = Vec::new();
    for (code, reason, retry) in rows {
        let row = CloseCode::from_code(code).unwrap();
        assert_eq!(row.reason(), reason);
        assert_eq!(is_terminal(code), retry == "no", "{code}");
        codes.push(row);
    }
    assert_eq!(codes, CloseCode::ALL);
}
