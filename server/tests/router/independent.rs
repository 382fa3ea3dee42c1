//! Clients that this project did not write, as bridges that know only the original protocol.

use serde_json::{Value, json};

use super::support::{Client, Program, Server, Setup, Text};

/// What people write, and what tends to break.
const TEXTS: [&str; 7] = [
    "hello",
    "Grüße, 你好, привет, שלום, مرحبا",
    "👋🏽 👨‍👩‍👧‍👦 🏴‍☠️ 🇺🇳",
    "e\u{301}\u{302} \u{200f}\u{202e}abc\u{202c} \u{feff}",
    r#""quoted" \back\slash\ /slash/ </script> {"action":"register"}"#,
    "two\nlines\r\n\tand a tab, \0, \u{1b}[31m, \u{7f}, \u{85}, \u{2028}",
    " ",
];

/// Each in turn says everything, and all the others hear it.
async fn chat(bridges: &mut [(&str, &mut Program)], watcher: &mut Client) {
    for speaker in 0..bridges.len() {
        let name = bridges[speaker].0;
        for text in TEXTS {
            bridges[speaker].1.say(text).await;
            assert_eq!(watcher.hear().await, Text::new(name, text));
            for (listener, (_, bridge)) in bridges.iter_mut().enumerate() {
                if listener != speaker {
                    assert_eq!(bridge.hear().await, format!("[{name}]{text}"));
                }
            }
        }
    }
}

/// No extension is agreed on, though both offer compression.
fn registered(tls: Option<&str>) -> Value {
    json!({"extensions": "", "tls": tls})
}

#[tokio::test]
async fn bridges_on_foreign_libraries_chat_with_each_other() {
    let server = Server::start().await;
    let (mut minecraft, report) = Program::python(&server, "MC").register(&server.url()).await;
    assert_eq!(report, registered(None));
    let (mut discord, report) = Program::node(&server, "Discord").register(&server.url()).await;
    assert_eq!(report, registered(None));
    // Two may have one name, and hear each other.
    let mut twin = Program::python(&server, "MC").join(&server).await;
    let mut watcher = Client::join(&server, "watcher").await;
    chat(&mut [("MC", &mut minecraft), ("Discord", &mut discord), ("MC", &mut twin)], &mut watcher).await;

    // Who leaves is missed by nobody.
    twin.leave();
    assert_eq!(twin.closed().await.0, 1000);
    minecraft.say("he is gone").await;
    assert_eq!(discord.hear().await, "[MC]he is gone");
}

async fn chat_over_tls(version: &str, name: &str) {
    let server = Setup::new().wss().start().await;
    let url = server.url();
    let (mut python, report) = Program::python(&server, "python").tls(version).register(&url).await;
    assert_eq!(report, registered(Some(name)));
    let (mut node, report) = Program::node(&server, "node").tls(version).register(&url).await;
    assert_eq!(report, registered(Some(name)));
    let mut watcher = Client::join(&server, "watcher").await;
    chat(&mut [("python", &mut python), ("node", &mut node)], &mut watcher).await;
}

#[tokio::test]
async fn bridges_chat_over_tls_1_2() {
    chat_over_tls("1.2", "TLSv1.2").await;
}

#[tokio::test]
async fn bridges_chat_over_tls_1_3() {
    chat_over_tls("1.3", "TLSv1.3").await;
}

#[tokio::test]
async fn a_path_with_a_slash_added_is_the_path() {
    let server = Setup::new().field("ws-path", "/chat").start().await;
    let url = format!("{}/chat", server.url());
    let (mut python, _) = Program::python(&server, "python").register(&url).await;
    let (mut node, _) = Program::node(&server, "node").register(&url).await;
    python.say("hello").await;
    assert_eq!(node.hear().await, "[python]hello");
}

#[tokio::test]
async fn a_wrong_key_is_told_by_a_close() {
    let server = Server::start().await;
    for bridge in [Program::python(&server, "python"), Program::node(&server, "node")] {
        let mut bridge = bridge.start(&server.url(), "wrong");
        assert_eq!(bridge.closed().await, (4401, "unauthorized".to_owned()));
    }
}

/// The content with which a packet has 1 MiB. The libraries set different white space.
fn largest_content(overhead: &str) -> String {
    "x".repeat(1024 * 1024 - overhead.len())
}

const PYTHON_OVERHEAD: &str = r#"{"action": "client-message", "content": ""}"#;
const NODE_OVERHEAD: &str = r#"{"action":"client-message","content":""}"#;

#[tokio::test]
async fn the_largest_packet_arrives_and_one_byte_more_does_not() {
    let server = Setup::new().wss().start().await;
    let mut python = Program::python(&server, "python").join(&server).await;
    let mut node = Program::node(&server, "node").join(&server).await;

    let content = largest_content(PYTHON_OVERHEAD);
    python.say(&content).await;
    assert!(node.hear().await == format!("[python]{content}"), "every byte of it");
    python.say(&(content + "x")).await;
    assert_eq!(python.closed().await, (1009, "too-big".to_owned()));

    let content = largest_content(NODE_OVERHEAD);
    let mut python = Program::python(&server, "python").join(&server).await;
    node.say(&content).await;
    assert!(python.hear().await == format!("[node]{content}"), "every byte of it");
    node.say(&(content + "x")).await;
    assert_eq!(node.closed().await, (1009, "too-big".to_owned()));

    // Those who are still there have noticed nothing.
    let mut node = Program::node(&server, "node").join(&server).await;
    node.say("again").await;
    assert_eq!(python.hear().await, "[node]again");
}

#[tokio::test]
async fn messages_in_fragments_are_messages() {
    let server = Server::start().await;
    let mut python = Program::python(&server, "python").join(&server).await;
    let mut node = Program::node(&server, "node").join(&server).await;
    let long = "long 🦀 ".repeat(20_000);
    // The fragments end anywhere, within a character too.
    for (text, fragments) in [("🦀🦀🦀", 1), ("🦀🦀🦀", 7), ("🦀🦀🦀", 1000), (&long, 1000)]
    {
        python.say_in_fragments(text, fragments).await;
        assert_eq!(node.hear().await, format!("[python]{text}"));
        node.say_in_fragments(text, fragments).await;
        assert_eq!(python.hear().await, format!("[node]{text}"));
    }
}

#[tokio::test]
async fn pings_are_answered_by_both_sides() {
    let limits = json!({"ping-seconds": 0.2, "pong-seconds": 4});
    let server = Setup::new().limits(limits).start().await;
    let mut python = Program::python(&server, "python").join(&server).await;
    let mut node = Program::node(&server, "node").join(&server).await;
    python.ping().await;
    // Long enough for who does not answer to be dropped.
    for _ in 0..25 {
        assert_eq!(node.report().await, json!({"pinged": true}));
    }
    python.say("still here").await;
    while node.report().await != json!({"heard": "[python]still here"}) {}
    node.say("me too").await;
    assert_eq!(python.hear().await, "[node]me too");
}

#[tokio::test]
async fn half_an_emoji_becomes_a_replacement_character() {
    let server = Server::start().await;
    let mut watcher = Client::join(&server, "watcher").await;
    let mut python = Program::python(&server, "python").join(&server).await;
    // Python's texts can be cut within an emoji.
    python.say_json(r#""cut \ud83d here \ud83d\ude00""#).await;
    assert_eq!(watcher.hear().await, Text::new("python", "cut \u{fffd} here \u{1f600}"));
}
