//! Plain clients can't tell: what they get is what the original server would have sent them, to the byte.

use serde_json::{Value, json};

use super::{
    super::support::{Client, Frame, KEY, MIB, Program, Rich, Server, Setup, frame, message, raw, register},
    message_ack, timeless,
};

/// Something that is said, and what plain clients are told of it.
struct Said {
    packet: Value,
    told: Option<String>,
}

fn said(packet: Value, told: &str) -> Said {
    Said { packet, told: Some(told.to_owned()) }
}

fn unheard(packet: Value) -> Said {
    Said { packet, told: None }
}

fn text(content: &str, fields: Value, told: &str) -> Said {
    let mut packet = json!({"action": "client-message", "content": content});
    let Value::Object(fields) = fields else { panic!("{fields}") };
    packet.as_object_mut().unwrap().extend(fields);
    said(packet, told)
}

fn edit(target: u64, content: &str, told: &str) -> Said {
    said(json!({"action": "client-edit", "target": target, "content": content}), told)
}

fn delete(target: u64) -> Said {
    unheard(json!({"action": "client-delete", "target": target}))
}

/// What plain clients say, which is entry 1.
const OTHERS: &str = "hi <alice> & \"all\"\u{2028}";

const CAT: &str = "https://cdn.example.org/cat.png";

/// The entries from 2 on.
fn talk() -> Vec<Said> {
    let alice = || json!({"name": "alice", "id": "u42", "avatar": CAT});
    let named = |name: &str| json!({"sender": {"name": name}});
    let cat = || json!({"url": CAT, "name": "cat.png", "mime": "image/png", "size": 1});
    let bob_re = |seq: u64| json!({"sender": {"name": "bob"}, "reply-to": seq});
    let control = "two\nlines\r\n\t \0 \u{1b}[31m \u{7f} \u{85} \u{2028} \u{202e} \u{feff} e\u{301} 🏴‍☠️";
    let large = "🦀 ".repeat(MIB / 5 - 200);
    let longest = "ü".repeat(128);
    let odd = ["a\n\u{202e}b", "\u{2028}", ""].map(|name| json!({"url": CAT, "name": name}));
    vec![
        text("hello", json!({}), "hello"),                          // 2
        text("hello", json!({"sender": alice()}), "<alice> hello"), // 3
        text("yes", bob_re(3), "<bob> (re alice) yes"),             // 4
        text("yes", json!({"reply-to": 1}), "(re irc) yes"),        // 5
        text("well", bob_re(2), "<bob> (re discord) well"),         // 6
        text(
            "see:",
            json!({"sender": alice(), "attachments": [cat(), {"url": CAT}]}),
            &format!("<alice> see:\n[cat.png] {CAT}\n{CAT}"),
        ), // 7
        text("", json!({"attachments": [cat()]}), &format!("[cat.png] {CAT}")), // 8
        said(
            json!({"action": "client-message", "sender": alice(), "reply-to": 1, "attachments": [cat()]}),
            &format!("<alice> (re irc) [cat.png] {CAT}"),
        ), // 9
        text("alice joined", json!({"event": "join", "sender": alice(), "reply-to": 1}), "alice joined"), // 10
        text(
            "alice died",
            json!({"event": "death", "attachments": [{"url": CAT}]}),
            &format!("alice died\n{CAT}"),
        ), // 11
        edit(3, "hello, world", "<alice> (edited) hello, world"), // 12
        edit(2, "hello, world", "(edited) hello, world"),         // 13
        edit(7, "look:", "<alice> (edited) look:"),               // 14
        edit(10, "alice is here", "<alice> (edited) alice is here"), // 15
        text("really?", bob_re(12), "<bob> really?"),             // 16: re an edit
        delete(3),                                                // 17
        text("gone", bob_re(3), "<bob> gone"),                    // 18: re what was deleted
        text("gone", bob_re(17), "<bob> gone"),                   // 19: re a delete
        text("hi", named("a\u{202e}li\nce\0\u{7f}"), "<alice> hi"), // 20
        text("hi", named("\u{200f}\n"), "hi"),                    // 21
        text("whose?", bob_re(21), "<bob> (re discord) whose?"),  // 22
        edit(21, "ho", "(edited) ho"),                            // 23
        text("<b>", named("👩‍💻 \"x\\y\" </a>"), "<👩‍💻 \"x\\y\" </a>> <b>"), // 24
        text(control, json!({}), control),                        // 25
        text("names", json!({"attachments": odd}), &format!("names\n[ab] {CAT}\n{CAT}\n{CAT}")), // 26
        text("none", json!({"attachments": [], "event": null, "sender": null}), "none"), // 27
        text(&large, named(&longest), &format!("<{longest}> {large}")), // 28: more than a packet may have
        text("why?", json!({"reply-to": 28}), &format!("(re {longest}) why?")), // 29
        edit(28, "short", &format!("<{longest}> (edited) short")), // 30
    ]
}

/// What is said, and comes to no plain client in any form.
fn noise() -> Vec<Value> {
    vec![
        json!({"action": "client-message", "content": ""}),
        json!({"action": "client-message", "content": "x", "reply-to": 1000}),
        json!({"action": "client-message", "content": "x", "attachments": [{"url": "ftp://example.org"}]}),
        json!({"action": "client-message", "content": "x", "event": 1}),
        json!({"action": "client-edit", "target": 1, "content": "not mine"}),
        json!({"action": "client-delete", "target": 3, "id": "deleted already"}),
        json!({"action": "client-dance"}),
        json!({"action": "client-receipt", "target": 1, "status": "delivered", "remote-id": "1"}),
        json!({"action": "client-receipt", "target": 2, "status": "failed", "reason": "none"}),
        json!({"action": "client-status", "status": "offline", "text": "gone fishing"}),
        json!({"action": "client-status", "status": "online"}),
        json!({"action": "register", "client-name": "x", "secret-key": "y", "protocol": 2}),
        json!("no object"),
    ]
}

/// The packets that plain clients get.
fn expected() -> Vec<String> {
    let forwarding = |source: &str, content: &str| {
        let content = Value::from(content);
        format!(r#"{{"action":"forwarding-message","source-client-name":"{source}","content":{content}}}"#)
    };
    let mut texts = vec![r#"{"action":"register-ack"}"#.to_owned(), forwarding("irc", OTHERS)];
    texts.extend(talk().iter().filter_map(|said| Some(forwarding("discord", said.told.as_deref()?))));
    texts
}

/// A plain client that only listens, and what it has got, to the byte.
async fn watch(server: &Server) -> (Client, Vec<u8>) {
    let mut watcher = Client::connect(server).await;
    watcher.say(&register("watcher", KEY)).await;
    let ack = raw(&mut watcher, r#"{"action":"register-ack"}"#).await;
    (watcher, ack)
}

/// A rich client says all that it can say.
async fn talk_richly(server: &Server, watchers: &mut [Program]) -> Vec<u8> {
    let (mut watcher, mut bytes) = watch(server).await;
    let mut irc = Client::join(server, "irc").await;
    let mut matrix = Rich::ask(server, "matrix", json!({"presence": true})).await;
    let mut discord = Rich::join(server, "discord").await;
    irc.chat(OTHERS).await;
    assert_eq!(timeless(discord.hear().await).0["seq"], 1);
    for (said, seq) in talk().into_iter().zip(2..) {
        let Said { mut packet, told } = said;
        let id = format!("d-{seq}");
        packet["id"] = json!(id);
        discord.say(&packet).await;
        assert_eq!(
            timeless(answer(&mut discord).await).0,
            message_ack(&id, seq),
            "{:.200}",
            packet.to_string()
        );
        if let Some(told) = told {
            assert_eq!(irc.hear().await.content, told);
        }
        if seq == 20 {
            // Meanwhile others do what they can, and break off, and resume.
            for packet in noise() {
                discord.say(&packet).await;
                matrix.say(&packet).await;
            }
            discord.say(&json!({"action": "client-message", "content": "again", "id": "d-4"})).await;
            discord.client.send(&frame(Frame::WHOLE_BINARY, b"x")).await;
            while answer(&mut discord).await["id"] != "d-4" {}
            assert_eq!(answer(&mut discord).await["code"], "bad-packet");
            matrix.client.settle().await;
            let resume = matrix.resume(0);
            matrix.client.stream.reset();
            matrix = Rich::ask(server, "matrix", resume).await;
        }
    }
    let expected = expected();
    for program in watchers {
        for text in &expected {
            assert!(program.packet().await.1 == *text, "{text:.200}");
        }
    }
    bytes.extend(raw(&mut watcher, expected.last().unwrap()).await);
    bytes
}

/// What the router says next, but for receipts: they come at any time.
async fn answer(rich: &mut Rich) -> Value {
    loop {
        let packet = rich.hear().await;
        if packet["action"] != "forwarding-receipt" {
            return packet;
        }
    }
}

/// A plain client says how that is rendered.
async fn talk_plainly(server: &Server) -> Vec<u8> {
    let (mut watcher, mut bytes) = watch(server).await;
    let mut irc = Client::join(server, "irc").await;
    let mut discord = Client::join(server, "discord").await;
    irc.chat(OTHERS).await;
    discord.hear().await;
    for told in talk().into_iter().filter_map(|said| said.told) {
        discord.say(&message(&told)).await;
    }
    bytes.extend(raw(&mut watcher, expected().last().unwrap()).await);
    bytes
}

#[tokio::test]
async fn what_rich_clients_say_comes_to_plain_ones_as_from_the_original() {
    let quiet = json!({"ping-seconds": 3600, "packet-bytes": MIB});
    let server = Setup::new().limits(quiet).start().await;
    let mut watchers = Vec::new();
    for setup in [Program::python(&server, "watcher"), Program::node(&server, "watcher")] {
        watchers.push(setup.ask(&json!({})).register(&server.url()).await.0);
    }
    let rich = talk_richly(&server, &mut watchers).await;

    let quiet = json!({"ping-seconds": 3600, "packet-bytes": 2 * MIB});
    let server = Setup::new().limits(quiet).start().await;
    let plain = talk_plainly(&server).await;
    assert_eq!(rich.len(), plain.len());
    assert!(rich == plain, "every byte of it");
    for text in expected() {
        assert!(rich.windows(text.len()).any(|window| window == text.as_bytes()), "{text:.200}");
    }
}

/// Without `protocol`, or with 1, all other fields are unknown ones, and ignored.
#[tokio::test]
async fn who_does_not_ask_for_it_gets_the_plain_dialect() {
    let server = Server::start().await;
    let mut discord = Rich::join(&server, "discord").await;
    assert_eq!(discord.chat("before").await, 1);
    for fields in [
        json!({"history": 5, "presence": true}),
        json!({"protocol": 1, "history": "five", "resume": 7, "presence": []}),
        json!({"protocol": null, "history": -1, "resume": {"session": "", "epoch": "", "seq": 1}}),
    ] {
        let mut packet = json!({"action": "register", "client-name": "irc", "secret-key": KEY});
        packet.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let mut irc = Client::connect(&server).await;
        irc.say(&packet.to_string()).await;
        assert_eq!(irc.text().await, r#"{"action":"register-ack"}"#);
        // What would be rich is dropped, and what is plain with rich fields is plain.
        irc.say(r#"{"action":"client-edit","target":1,"content":"x","id":"1"}"#).await;
        irc.say(r#"{"action":"client-status","status":"offline"}"#).await;
        irc.say(r#"{"action":"client-message","content":"hi","id":"","sender":7,"reply-to":99,"event":""}"#)
            .await;
        let (heard, _) = timeless(discord.hear().await);
        let seq = heard["seq"].as_u64().unwrap();
        let plain =
            json!({"action": "forwarding-message", "source-client-name": "irc", "content": "hi", "seq": seq});
        assert_eq!(heard, plain);
        // It has neither an ack nor an error.
        assert_eq!(discord.chat(&format!("after {seq}")).await, seq + 1);
        assert_eq!(irc.hear().await.content, format!("after {seq}"));
    }
}
