//! Clients that end in the midst of something.

use super::super::support::{
    Browser, Client, Frame, Pair, Program, Route, Server, Setup, Text, frame, message, upgrade,
};

#[tokio::test]
async fn killing_one_of_many_changes_nothing_for_the_rest() {
    const CLIENTS: usize = 50;
    let server = Server::start().await;
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        clients.push(Client::join(&server, &format!("client {number}")).await);
    }
    let mut node = Program::node(&server, "node").join(&server).await;
    let mut python = Program::python(&server, "python").join(&server).await;
    python.say("my last words").await;
    assert_eq!(node.hear().await, "[python]my last words");

    // It is killed while messages are on their way to it.
    let (first, others) = clients.split_first_mut().unwrap();
    for number in 0..100 {
        first.chat(&format!("before {number}")).await;
    }
    python.kill().await;
    for number in 0..100 {
        first.chat(&format!("after {number}")).await;
    }
    for client in &mut *others {
        assert_eq!(client.hear().await, Text::new("python", "my last words"));
        for when in ["before", "after"] {
            for number in 0..100 {
                assert_eq!(client.hear().await, Text::new("client 0", &format!("{when} {number}")));
            }
        }
    }
    for when in ["before", "after"] {
        for number in 0..100 {
            assert_eq!(node.hear().await, format!("[client 0]{when} {number}"));
        }
    }
    let is_gone = |line: &serde_json::Value| {
        line["message"] == "disconnected"
            && line["client"].as_str().is_some_and(|name| name.contains("python"))
    };
    server.logged("that it is gone", is_gone).await;
}

#[tokio::test]
async fn a_reset_within_a_frame_harms_nobody() {
    for setup in [Setup::new(), Setup::new().wss()] {
        let server = setup.start().await;
        let mut pair = Pair::start(&server).await;
        pair.talk().await;
        let descriptors = server.descriptors();
        let packet = frame(Frame::WHOLE_TEXT, message(&"cut off ".repeat(100)).as_bytes());
        for len in [1, 2, 5, 8, 9, packet.len() / 2, packet.len() - 1] {
            let mut client = Client::join(&server, "cut off").await;
            client.send(&packet[..len]).await;
            client.stream.reset();
            let mut client = Client::join(&server, "cut off").await;
            client.send(&packet[..len]).await;
            drop(client);
        }
        // In the stages before, too.
        for len in [1, 20, 100] {
            let mut browser = Browser::connect(&server).await;
            browser.send(&upgrade("/", "")[..len]).await;
            browser.stream.reset();
            let mut tcp = Route::USUAL.dial_tcp(&server).await;
            tokio::io::AsyncWriteExt::write_all(&mut tcp, b"\x16\x03\x01").await.unwrap();
        }
        pair.talk().await;
        server.all_given_back(descriptors).await;
        pair.finish().await;
    }
}

#[tokio::test]
async fn what_was_said_before_a_reset_is_heard_or_not_but_never_in_part() {
    let server = Server::start().await;
    let mut watcher = Client::join(&server, "watcher").await;
    let mut client = Client::join(&server, "client").await;
    let whole = frame(Frame::WHOLE_TEXT, message("whole").as_bytes());
    client.send(&[whole.as_slice(), &whole[..10]].concat()).await;
    assert_eq!(watcher.hear().await, Text::new("client", "whole"));
    client.stream.reset();
    let mut next = Client::join(&server, "next").await;
    next.chat("and on").await;
    assert_eq!(watcher.hear().await, Text::new("next", "and on"));
}
