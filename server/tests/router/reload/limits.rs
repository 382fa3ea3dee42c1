//! Limits that change while clients are connected.

use serde_json::{Value, json};

use super::{
    super::support::{Client, End, Frame, Rich, Server, Setup, frame, message},
    join, key_of,
};

fn limits(limits: Value) -> impl FnOnce(&mut Value) {
    move |config| config["limits"] = limits
}

#[tokio::test]
async fn the_largest_packet_is_another_for_those_who_are_there() {
    for (setup, bytes) in [(Setup::new(), 4096), (Setup::new().wss(), 100_000)] {
        let mut server = setup.start().await;
        let mut clients = [join(&server, "a").await, join(&server, "b").await];
        let [one, other] = &mut clients;
        let large = "x".repeat(200_000);
        one.chat(&large).await;
        assert_eq!(other.hear().await.content, large);

        server.reload(limits(json!({"packet-bytes": bytes}))).await;
        // The largest that is allowed, to the byte.
        let allowed = "x".repeat(bytes - message("").len());
        one.chat(&allowed).await;
        assert_eq!(other.hear().await.content, allowed);
        one.chat(&format!("{allowed}x")).await;
        assert_eq!(one.end().await, End::closed(1009, "too-big"));

        server.reload(limits(json!({"packet-bytes": 500_000}))).await;
        let mut third = join(&server, "c").await;
        other.chat(&large).await;
        assert_eq!(third.hear().await.content, large, "larger again");
    }
}

#[tokio::test]
async fn a_rate_holds_for_those_who_are_there() {
    let mut server = Server::start().await;
    let mut rich = Rich::join(&server, "rich").await;
    for number in 0..20 {
        rich.chat(&number.to_string()).await;
    }
    server.reload(limits(json!({"messages-per-second": 1, "messages-burst": 100}))).await;
    let mut taken = 0;
    let refused = loop {
        let id = format!("burst {taken}");
        rich.say(&json!({"action": "client-message", "content": "x", "id": id})).await;
        let answer = rich.hear().await;
        if answer["action"] == "error" {
            break answer;
        }
        taken += 1;
    };
    assert_eq!(refused["code"], "rate-limited");
    assert!(taken >= 100, "{taken}");

    // To pay what is owed by the old rate would take more than a minute.
    server.reload(limits(json!({"messages-per-second": 10_000}))).await;
    let soon = json!({"action": "client-message", "content": "soon", "id": "soon"});
    loop {
        rich.say(&soon).await;
        if rich.hear().await["action"] == "message-ack" {
            break;
        }
    }
    server.reload(limits(Value::Null)).await;
    for number in 50..70 {
        rich.chat(&number.to_string()).await;
    }
}

#[tokio::test]
async fn fewer_connections_than_there_are_drop_nobody() {
    let mut server = Server::start().await;
    let mut clients = Vec::new();
    for number in 0..5 {
        clients.push(join(&server, &number.to_string()).await);
    }
    server.reload(limits(json!({"connections": 3}))).await;
    let refused = async |server: &Server| Client::open(server, "/").await.unwrap_err().status;
    assert_eq!(refused(&server).await, 503);
    clients[0].chat("all here?").await;
    for client in &mut clients[1..] {
        assert_eq!(client.hear().await.content, "all here?");
    }
    // Room is there again when fewer are left than there may be.
    while clients.len() > 2 {
        assert_eq!(refused(&server).await, 503);
        let mut leaving = clients.pop().unwrap();
        leaving.send(&frame(Frame::CLOSE, &[3, 232])).await;
        assert_eq!(leaving.end().await, End::closed(1000, ""));
    }
    let mut newcomer = loop {
        // The one that has left may not be counted off yet.
        match Client::open(&server, "/").await {
            Ok(client) => break client,
            Err(response) => assert_eq!(response.status, 503),
        }
    };
    newcomer.register("newcomer").await;
    server.reload(limits(json!({"connections": 4}))).await;
    join(&server, "one more").await;
}

#[tokio::test]
async fn a_room_has_its_own() {
    let rooms = json!({"small": {"ws-path": "/small", "secret-key": key_of("small"), "limits": {"packet-bytes": 2048}}});
    let mut server = Setup::new().field("rooms", rooms).start().await;
    let large = "x".repeat(4096);
    let mut hall = join(&server, "hall").await;
    hall.chat(&large).await;
    let enter = async |server: &Server| Client::enter(server, "/small", "a", &key_of("small")).await.unwrap();
    let mut small = enter(&server).await;
    small.chat(&large).await;
    assert_eq!(small.end().await, End::closed(1009, "too-big"));

    // What it does not say, the top level says, also from now on.
    let mut small = enter(&server).await;
    server
        .reload(|config| {
            config["rooms"]["small"]["limits"] = Value::Null;
            config["limits"] = json!({"packet-bytes": 3000});
        })
        .await;
    small.chat(&"x".repeat(2500)).await;
    small.settle().await;
    for client in [&mut small, &mut hall] {
        client.chat(&large).await;
        assert_eq!(client.end().await, End::closed(1009, "too-big"));
    }
}
