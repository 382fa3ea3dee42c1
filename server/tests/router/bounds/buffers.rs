//! Memory that a client needs for a moment only.

use super::super::support::{Client, Frame, MIB, Server, frame, within};

#[tokio::test]
async fn large_packets_leave_nothing_behind() {
    const CLIENTS: usize = 48;
    let server = Server::start().await;
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        clients.push(Client::join(&server, &format!("client {number}")).await);
    }
    let before = server.memory();
    // Not JSON, so that it is dropped and does not stay in the log.
    let packet = "x".repeat(MIB);
    for client in &mut clients {
        client.say(&packet).await;
        // Its answer means that the packet before it is done with.
        client.send(&frame(Frame::PING, b"done?")).await;
        within("the pong", client.frame()).await.unwrap().unwrap();
    }
    let growth = server.memory().saturating_sub(before);
    assert!(growth < 8 * MIB, "{CLIENTS} idle clients hold {growth} bytes");
}
