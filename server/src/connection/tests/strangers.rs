//! First packets that are refused.

use tokio::time::Instant;

use super::{
    harness::{ACK, Harness, KEY, forwarded, message, register},
    raw::{self, BINARY, CONTINUATION, End, FINAL, PING, TEXT, frame, text},
};
use crate::config::Limits;

fn refused_with(code: u16) -> End {
    End { texts: vec![], code: Some(code), was_reset: false }
}

/// How a connection ends that begins with these bytes.
async fn end_of(bytes: &[u8]) -> End {
    let harness = Harness::new(Limits::default());
    let start = Instant::now();
    let mut client = harness.connect_raw();
    client.send(bytes).await;
    let end = client.end_politely().await;
    assert!(start.elapsed().is_zero(), "at once");
    assert_eq!(harness.room.newest(), 0, "nothing is forwarded");
    end
}

/// A `register` of exactly so many bytes, made up with a field that nobody knows.
fn register_of(len: usize) -> String {
    let bare = format!(r#"{{"x":"","action":"register","client-name":"irc","secret-key":"{KEY}"}}"#);
    let packet = bare.replacen(r#""x":"""#, &format!(r#""x":"{}""#, "x".repeat(len - bare.len())), 1);
    assert_eq!(packet.len(), len);
    packet
}

#[tokio::test(start_paused = true)]
async fn a_first_packet_that_is_not_a_good_register_is_refused() {
    let key = KEY;
    for packet in [
        "",
        "hello",
        "null",
        "[]",
        "{}",
        "{",
        r#""register""#,
        r#"{"action":"register"}"#,
        &format!(r#"{{"action":"register","secret-key":"{key}"}}"#),
        r#"{"action":"register","client-name":"irc"}"#,
        &format!(r#"{{"action":"register","client-name":"","secret-key":"{key}"}}"#),
        r#"{"action":"register","client-name":"irc","secret-key":""}"#,
        &format!(r#"{{"action":"register","client-name":7,"secret-key":"{key}"}}"#),
        &format!(r#"{{"action":"register","client-name":null,"secret-key":"{key}"}}"#),
        &format!(r#"{{"action":"register","client-name":["irc"],"secret-key":"{key}"}}"#),
        r#"{"action":"register","client-name":"irc","secret-key":true}"#,
        &format!(r#"{{"action":7,"client-name":"irc","secret-key":"{key}"}}"#),
        &format!(r#"{{"client-name":"irc","secret-key":"{key}"}}"#),
        &format!(r#"{{"action":"Register","client-name":"irc","secret-key":"{key}"}}"#),
        &format!(r#"{{"action":"register","Client-Name":"irc","secret-key":"{key}"}}"#),
        &format!(r#"{{"action":"register","client-name":"irc","secret-key":"{key}"}} x"#),
        &message("hello"),
        r#"{"action":"register-ack"}"#,
    ] {
        assert_eq!(end_of(&text(packet)).await, refused_with(4400), "{packet}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_name_that_would_disturb_others_is_refused() {
    for name in [
        "a".repeat(65),
        "\u{1F468}".repeat(16) + "x",
        "tab\there".to_owned(),
        "line\nbreak".to_owned(),
        "nul\0".to_owned(),
        "del\u{7f}".to_owned(),
        "c1\u{85}".to_owned(),
        "separator\u{2028}".to_owned(),
        "separator\u{2029}".to_owned(),
        "mark\u{61c}".to_owned(),
        "mark\u{200e}".to_owned(),
        "mark\u{200f}".to_owned(),
        "override\u{202e}".to_owned(),
        "embedding\u{202a}".to_owned(),
        "isolate\u{2066}".to_owned(),
        "isolate\u{2069}".to_owned(),
    ] {
        assert_eq!(end_of(&text(&register(&name, KEY))).await, refused_with(4400), "{name:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn any_other_client_name_is_fine() {
    let family = "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}";
    for name in
        [&"a".repeat(64), &"\u{1F468}".repeat(16), family, "mit Leerzeichen", "名前", "\u{feff}", "\""]
    {
        let harness = Harness::new(Limits::default());
        let mut client = harness.join_raw(name).await;
        let mut listener = harness.join_raw("listener").await;
        client.chat("hello").await;
        assert_eq!(listener.hear().await, forwarded(name, "hello"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_first_packet_may_be_4096_bytes_large_and_no_larger() {
    for (len, fragments) in [(4096, 1), (4096, 3), (4097, 1), (4097, 3), (100_000, 1)] {
        let harness = Harness::new(Limits::default());
        let mut client = harness.connect_raw();
        let packet = register_of(len);
        client.send(&raw::fragmented(TEXT, packet.as_bytes(), fragments)).await;
        if len <= 4096 {
            assert_eq!(client.hear().await, ACK, "{len} in {fragments}");
        } else {
            assert_eq!(client.end_politely().await, refused_with(1009), "{len} in {fragments}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_bound_of_the_first_packet_is_not_that_of_the_second() {
    let harness = Harness::new(Limits::default());
    let mut listener = harness.join_raw("listener").await;
    let mut client = harness.connect_raw();
    let content = "x".repeat(50_000);
    let (sent, heard) = tokio::join!(
        async {
            client.send(&[text(&register("irc", KEY)), raw::chat(&content)].concat()).await;
            client.hear().await
        },
        listener.hear()
    );
    assert_eq!(sent, ACK);
    assert_eq!(heard, forwarded("irc", &content));
}

#[tokio::test(start_paused = true)]
async fn a_second_packet_beyond_its_own_bound_does_not_undo_the_register() {
    let limits = Limits { packet_bytes: 8192, ..Limits::default() };
    let harness = Harness::new(limits);
    let mut client = harness.connect_raw();
    client.send(&[text(&register("irc", KEY)), frame(FINAL | TEXT, &[b' '; 8193])].concat()).await;
    let end = client.end_politely().await;
    assert_eq!(end, End { texts: vec![ACK.to_owned()], code: Some(1009), was_reset: false });
}

#[tokio::test(start_paused = true)]
async fn a_binary_first_packet_is_refused() {
    assert_eq!(end_of(&frame(FINAL | BINARY, register("irc", KEY).as_bytes())).await, refused_with(1003));
}

/// Streams that are not WebSocket, or not text.
fn broken_streams() -> Vec<(&'static str, Vec<u8>, u16)> {
    let unmasked = |first: u8| vec![first, 2, b'{', b'}'];
    vec![
        ("an unmasked text", unmasked(FINAL | TEXT), 1002),
        ("an unmasked ping", unmasked(PING), 1002),
        ("a reserved bit", frame(FINAL | 0x40 | TEXT, b"{}"), 1002),
        ("another reserved bit", frame(FINAL | 0x20 | TEXT, b"{}"), 1002),
        ("the last reserved bit", frame(FINAL | 0x10 | TEXT, b"{}"), 1002),
        ("a reserved kind of data", frame(FINAL | 0x3, b"{}"), 1002),
        ("a reserved kind of control", frame(FINAL | 0xb, b"{}"), 1002),
        ("a continuation of nothing", frame(FINAL | CONTINUATION, b"{}"), 1002),
        ("a message in a message", [frame(TEXT, b"{"), frame(FINAL | TEXT, b"}")].concat(), 1002),
        ("a ping in fragments", frame(0x9, b"x"), 1002),
        ("a ping that is too long", frame(PING, &[0; 126]), 1002),
        ("a close with half a code", frame(raw::CLOSE, &[3]), 1002),
        ("a text that is not UTF-8", frame(FINAL | TEXT, b"\xff"), 1007),
        ("a text that breaks off in a character", frame(FINAL | TEXT, b"\"\xf0\x9f"), 1007),
        ("a surrogate in UTF-8", frame(FINAL | TEXT, b"\"\xed\xa0\x80\""), 1007),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_not_websocket_or_not_text_is_refused() {
    for (what, stream, code) in broken_streams() {
        assert_eq!(end_of(&stream).await, refused_with(code), "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_does_not_speak_websocket_at_all_is_told_so_and_reset() {
    let harness = Harness::new(Limits::default());
    let mut client = harness.connect_raw();
    client.send(b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n").await;
    assert_eq!(client.end().await, End { texts: vec![], code: Some(1002), was_reset: true });
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_breaks_later_is_closed_after_all_that_was_good() {
    for (what, stream, code) in broken_streams() {
        let harness = Harness::new(Limits::default());
        let mut listener = harness.join_raw("listener").await;
        let mut client = harness.join_raw("irc").await;
        client.send(&[raw::chat("before"), stream, raw::chat("after")].concat()).await;
        assert_eq!(client.end_politely().await, refused_with(code), "{what}");
        assert_eq!(listener.hear().await, forwarded("irc", "before"), "{what}");
        assert_eq!(harness.room.newest(), 1, "{what}: nothing is forwarded after it");
    }
}
