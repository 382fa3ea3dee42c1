//! The examples, as a user runs them: programs that talk to the real router.

use std::{
    env,
    path::PathBuf,
    process::{self, Stdio},
    sync::OnceLock,
};

use multichat::{
    Event,
    protocol::{Attachment, ClientMessage, ForwardingReceipt, ReceiptStatus, Sender},
};
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command},
};

use crate::support::{Feed, KEY, PLAIN_ACK, Router, Scripted, confirmed, soon, split};

/// A running example. It ends with the test.
struct Example {
    child: Child,
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
    errors: Lines<BufReader<ChildStderr>>,
}

impl Example {
    fn start(name: &str, key: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(built().join(name).with_extension(env::consts::EXE_EXTENSION));
        command.args(arguments).env("MULTICHAT_KEY", key).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        Self {
            input: child.stdin.take(),
            output: BufReader::new(child.stdout.take().unwrap()).lines(),
            errors: BufReader::new(child.stderr.take().unwrap()).lines(),
            child,
        }
    }

    /// Says this, and that there is no more.
    async fn is_told(&mut self, text: &str) {
        let mut input = self.input.take().unwrap();
        soon("room in a pipe", input.write_all(text.as_bytes())).await.unwrap();
    }

    async fn shows(&mut self, expected: &str) {
        assert_eq!(line(&mut self.output).await, expected);
    }

    async fn complains(&mut self, expected: &str) {
        let line = line(&mut self.errors).await;
        assert!(line.contains(expected), "{line}");
    }

    /// Its exit code.
    async fn ends(&mut self) -> Option<i32> {
        soon("the end of the example", self.child.wait()).await.unwrap().code()
    }
}

/// Where the examples are. Cargo builds them with all tests, but not with these alone.
fn built() -> PathBuf {
    static IS_BUILT: OnceLock<()> = OnceLock::new();
    IS_BUILT.get_or_init(|| {
        let build = ["build", "--locked", "--quiet", "--package", "multichat", "--examples"];
        let outcome = process::Command::new(env!("CARGO")).args(build).status().unwrap();
        assert!(outcome.success());
    });
    let mut folder = env::current_exe().unwrap();
    folder.pop();
    folder.pop();
    folder.join("examples")
}

async fn line(lines: &mut Lines<BufReader<impl AsyncRead + Unpin>>) -> String {
    soon("a line", lines.next_line()).await.unwrap().expect("it has not ended")
}

/// A router, its URL, and a client of it that is told who is there.
async fn room() -> (Router, String, multichat::Client, Feed) {
    // First, as it may take minutes, in which a client that stands still is taken for dead.
    built();
    let router = Router::start().await;
    let url = format!("ws://{}/", router.address());
    let builder = router.client("irc").presence(true);
    let (client, feed) = split(soon("the ack", builder.connect()).await.unwrap());
    (router, url, client, feed)
}

/// Waits until somebody of this name is there.
async fn arrival(feed: &mut Feed, name: &str) {
    loop {
        match feed.news().await {
            Event::Presence(presence) if presence.client_name == name => return,
            _ => {}
        }
    }
}

#[tokio::test]
async fn the_terminal_is_of_use_in_pipes() {
    let (_router, url, client, mut feed) = room().await;
    confirmed(client.send("before")).await;
    let mut terminal = Example::start("terminal", KEY, &[&url, "alice"]);
    terminal.complains("connected").await;
    terminal.shows("[irc] before").await;
    arrival(&mut feed, "alice").await;
    confirmed(client.send("two\nlines")).await;
    terminal.shows("[irc] two").await;
    terminal.shows("    lines").await;
    // What would clear the screen, or pretend to be another message.
    let seq = confirmed(client.send("\u{1b}[2Jred\u{7}\r\n[bob] lie\u{9b}2J")).await.unwrap();
    terminal.shows("[irc] [2Jred").await;
    terminal.shows("    [bob] lie2J").await;
    confirmed(client.edit(seq, "\u{1b}]0;title\u{7}edited\n[bob] lie")).await;
    terminal.shows("[irc] (edited) ]0;titleedited").await;
    terminal.shows("    [bob] lie").await;
    // All of it is said before it ends.
    terminal.is_told("first\n\nsecond").await;
    for text in ["first", "second"] {
        feed.hears(text).await;
    }
    assert_eq!(terminal.ends().await, Some(0));
}

#[tokio::test]
async fn the_bot_answers() {
    let (_router, url, client, mut feed) = room().await;
    let _bot = Example::start("echo_bot", KEY, &[&url]);
    arrival(&mut feed, "echo").await;
    confirmed(client.send("hello")).await;
    let seq = confirmed(client.send("!echo hello yourself")).await;
    let answer = feed.message().await;
    assert_eq!((answer.content.as_str(), answer.reply_to), ("hello yourself", seq));
}

#[tokio::test]
async fn the_bot_says_why_it_ends() {
    let server = Scripted::start().await;
    let mut bot = Example::start("echo_bot", KEY, &[&server.url()]);
    let (mut peer, _) = server.welcome(PLAIN_ACK).await;
    peer.close(Some(4403), "revoked").await;
    bot.complains("4403 revoked. The key was changed or taken away").await;
    assert_eq!(bot.ends().await, Some(1));
}

#[tokio::test]
async fn the_skeleton_is_a_bridge() {
    let (_router, url, client, mut feed) = room().await;
    let mut bridge = Example::start("bridge_skeleton", KEY, &[&url]);
    bridge.complains("connected").await;
    let said = loop {
        if let Event::Message(message) = feed.news().await {
            break message;
        }
    };
    assert_eq!(said.source_client_name, "my-platform");
    assert_eq!(said.sender.as_ref().map(|sender| sender.name.as_str()), Some("clock"));
    let seq = confirmed(client.send("hello")).await.unwrap();
    bridge.shows("[irc] hello").await;
    let receipt = ForwardingReceipt::new("my-platform", seq, ReceiptStatus::Delivered);
    assert_eq!(feed.news().await, Event::Receipt(receipt));
    // What would clear the screen.
    confirmed(client.send("\u{1b}[2Jred\u{9b}2J")).await;
    bridge.shows("[irc] [2Jred2J").await;
    // Files, and who said it.
    let mut message = ClientMessage::new("");
    message.sender = Some(Sender::new("alice"));
    message.attachments = vec![Attachment::new("https://cdn.example.org/cat.png")];
    confirmed(client.send(message)).await;
    bridge.shows("[irc] <alice> https://cdn.example.org/cat.png").await;
}

#[tokio::test]
async fn the_skeleton_tells_what_was_not_said() {
    let clients = json!({"my-platform": {"secret-key": KEY, "rights": ["read"]}});
    let router = Router::with(json!({"clients": clients})).await;
    let mut bridge = Example::start("bridge_skeleton", KEY, &[&format!("ws://{}/", router.address())]);
    // Whichever is first.
    let mut lines = [line(&mut bridge.errors).await, line(&mut bridge.errors).await];
    lines.sort();
    assert_eq!(lines[0], "connected");
    assert!(lines[1].starts_with("not confirmed: another minute has passed: "), "{}", lines[1]);
}

#[tokio::test]
async fn all_of_them_say_that_a_key_is_wrong_and_fail() {
    let (_router, url, _client, _feed) = room().await;
    for (name, arguments) in [
        ("terminal", [url.as_str(), "alice"].as_slice()),
        ("echo_bot", &[url.as_str()]),
        ("bridge_skeleton", &[url.as_str()]),
    ] {
        let mut example = Example::start(name, "wrong", arguments);
        example.complains("The key or the name is wrong").await;
        assert_eq!(example.ends().await, Some(1), "{name}");
    }
}
