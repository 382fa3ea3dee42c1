//! What is said in a room, on disk.

use std::{fs, os::unix::fs::symlink, path::PathBuf};

use serde_json::{Value, json};

use super::support::{Client, Rich, Server, Setup, Signal, eventually};

/// The files of a chat log, by name.
fn files(server: &Server, folder: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(server.folder().path(folder)) else { return Vec::new() };
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// The lines of all whole files.
fn lines(server: &Server, folder: &str) -> Vec<Value> {
    let text: String = files(server, folder).iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
    whole.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

async fn written(server: &Server, folder: &str, count: usize) -> Vec<Value> {
    eventually("what was said is in the chat log", || lines(server, folder).len() >= count).await;
    lines(server, folder)
}

#[tokio::test]
async fn what_is_said_in_a_room_is_in_its_files() {
    let rooms = json!({"staff": {"ws-path": "/staff", "secret-key": "x", "chat-log": {"folder": "staff"}}});
    let setup = Setup::new().field("chat-log", json!({"folder": "chat", "keep": 3})).field("rooms", rooms);
    let mut server = setup.start().await;
    let mut irc = Rich::join(&server, "irc").await;
    let mut mc = Client::join(&server, "mc").await;
    assert_eq!(irc.chat("hello").await, 1);
    mc.chat("\u{1F600} \"line\"\nbreak").await;
    irc.hear().await;
    irc.say(&json!({"action": "client-edit", "target": 1, "content": "hello, world"})).await;
    let said = written(&server, "chat", 3).await;
    let actions: Vec<_> = said.iter().map(|line| line["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["forwarding-message", "forwarding-message", "forwarding-edit"]);
    assert_eq!(said[1]["content"], "\u{1F600} \"line\"\nbreak");
    assert!(said.iter().zip(1..).all(|(line, seq)| line["seq"] == seq && line["epoch"] == irc.ack["epoch"]));
    let names: Vec<_> =
        files(&server, "chat").iter().map(|file| file.file_name().unwrap().to_owned()).collect();
    assert_eq!(names.len(), 1);
    assert_eq!(names[0].len(), "2026-01-31.jsonl".len(), "{names:?}");
    assert_eq!(lines(&server, "staff"), [Value::Null; 0], "another room's are its own");
    // The last words too.
    mc.chat("bye").await;
    irc.hear().await;
    server.signal(Signal::TERM);
    assert!(server.ended().await.success());
    assert_eq!(lines(&server, "chat").last().unwrap()["content"], "bye");
}

#[tokio::test]
async fn a_full_disk_is_said_and_stops_nobody() {
    let setup = Setup::new().field("chat-log", json!({"folder": "chat", "rotate": "never"}));
    let setup = setup.limits(json!({"log-entries": 16, "packet-bytes": 4096, "log-bytes": 65536}));
    let file = setup.folder().path("chat/chat.jsonl");
    fs::create_dir(file.parent().unwrap()).unwrap();
    symlink("/dev/full", &file).unwrap();
    let mut server = setup.start().await;
    let mut irc = Rich::join(&server, "irc").await;
    let mut mc = Client::join(&server, "mc").await;
    for number in 0..100 {
        irc.chat(&format!("number {number}")).await;
        assert_eq!(mc.hear().await.content, format!("number {number}"));
    }
    let line = |text: &'static str| move |line: &Value| line["message"].as_str().unwrap().contains(text);
    let failure = server.logged("that the disk is full", line("the chat log can't be written")).await;
    assert!(failure["error"].as_str().unwrap().contains("No space left"), "{failure}");
    assert_eq!(server.log_count(line("the chat log can't be written")), 1, "once");
    // There is room again.
    fs::remove_file(&file).unwrap();
    server.logged("that it goes on", line("the chat log can be written again")).await;
    server.logged("what is missing", line("is missing in the chat log")).await;
    irc.chat("after").await;
    eventually("what is said now is there", || {
        lines(&server, "chat").last().is_some_and(|line| line["content"] == "after")
    })
    .await;
    server.signal(Signal::TERM);
    assert!(server.ended().await.success());
}
