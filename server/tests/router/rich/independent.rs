//! All of the dialect between clients that this project did not write.

use serde_json::{Value, json};

use super::{
    super::support::{Program, ProgramSetup, Server, Setup},
    error, message_ack, timeless, wordless,
};

/// How a bridge is made: in Python or in JavaScript.
type Make = fn(&Server, &str) -> ProgramSetup;

/// A bridge, and what its ack said.
struct Bridge {
    program: Program,
    ack: Value,
}

impl Bridge {
    async fn join(make: Make, server: &Server, name: &str, mut fields: Value) -> Self {
        fields["protocol"] = json!(2);
        let (mut program, _) = make(server, name).ask(&fields).register(&server.url()).await;
        let (ack, _) = program.packet().await;
        Self { program, ack }
    }

    /// The fields with which another connection takes its session over.
    fn resume(&self, seq: u64) -> Value {
        json!({"presence": true, "resume":
            {"session": self.ack["session"], "epoch": self.ack["epoch"], "seq": seq}})
    }

    /// An ack that this one may get, with the router's own choices as they were.
    fn ack_again(&self, seq: u64, after: u64, fields: &Value) -> Value {
        let mut ack = self.ack.clone();
        let object = ack.as_object_mut().unwrap();
        object.extend([("seq".to_owned(), json!(seq)), ("after".to_owned(), json!(after))]);
        object.extend(fields.as_object().unwrap().clone());
        ack
    }

    async fn say(&mut self, packet: Value) {
        self.program.send(&packet).await;
    }

    async fn hear(&mut self) -> Value {
        self.program.packet().await.0
    }

    /// Its next packet is the ack of this; returns the time.
    async fn acked(&mut self, id: &str, seq: u64) -> u64 {
        let (ack, time) = timeless(self.hear().await);
        assert_eq!(ack, message_ack(id, seq));
        time
    }

    async fn hears(&mut self, expected: &Value) {
        assert_eq!(self.hear().await, *expected);
    }

    /// What it says is refused.
    async fn refused(&mut self, packet: Value, id: &str, code: &str) {
        self.say(packet.clone()).await;
        assert_eq!(wordless(self.hear().await), error(id, code), "{packet}");
    }
}

/// A message with everything that one can have.
fn everything(id: &str) -> Value {
    json!({
        "action": "client-message", "content": "look: 🦀 \"é\"\n\u{2028}", "id": id, "reply-to": 1, "event": "notice",
        "sender": {"name": "älice 👩‍💻", "id": "u42", "avatar": "https://cdn.example.org/ü.png?a=1&b=2"},
        "attachments": [
            {"url": "https://cdn.example.org/cat.png", "name": "cat.png", "mime": "image/png", "size": 12345},
            {"url": "HTTP://example.org"}
        ]
    })
}

/// What others get of it.
fn forwarded(mut packet: Value, source: &str, seq: u64, time: u64) -> Value {
    let object = packet.as_object_mut().unwrap();
    let action = object["action"].as_str().unwrap().replace("client-", "forwarding-");
    object.remove("id");
    object.extend([
        ("action".to_owned(), json!(action)),
        ("source-client-name".to_owned(), json!(source)),
        ("seq".to_owned(), json!(seq)),
        ("time".to_owned(), json!(time)),
    ]);
    packet
}

/// Registers, says and hears everything once.
async fn all_of_it(server: &Server, author_of: Make, peer_of: Make) {
    let mut author = Bridge::join(author_of, server, "author", json!({"presence": true})).await;
    let ack = author.ack_again(0, 0, &json!({"clients": [], "limits": {"packet-bytes": 1_048_576}}));
    assert_eq!(author.ack, ack);
    assert_eq!(ack.get("recovered"), None);

    let hello = json!({"action": "client-message", "content": "hello", "id": "m1"});
    author.say(hello.clone()).await;
    let time = author.acked("m1", 1).await;
    let hello = forwarded(hello, "author", 1, time);

    let mut peer = Bridge::join(peer_of, server, "peer", json!({"presence": true, "history": 10})).await;
    let ack = peer.ack_again(1, 0, &json!({"epoch": author.ack["epoch"]}));
    assert_eq!(peer.ack, ack);
    let clients = &peer.ack["clients"];
    let since = clients[0]["since"].as_u64().unwrap();
    assert_eq!(*clients, json!([{"client-name": "author", "status": "online", "since": since}]));
    assert_ne!(peer.ack["session"], author.ack["session"]);
    peer.hears(&hello).await;
    let (presence, since) = timeless(author.hear().await);
    assert_eq!(presence, json!({"action": "presence", "client-name": "peer", "status": "online"}));
    assert!(since >= time);

    author.say(everything("m2")).await;
    let time = author.acked("m2", 2).await;
    peer.hears(&forwarded(everything("m2"), "author", 2, time)).await;

    // Without an `id`.
    let reply = json!({"action": "client-message", "content": "yes", "reply-to": 2});
    peer.say(reply.clone()).await;
    let (heard, time) = timeless(author.hear().await);
    assert_eq!(timeless(forwarded(reply, "peer", 3, time)), (heard, time));

    let edit = json!({"action": "client-edit", "target": 1, "content": "hello, world", "id": "m3"});
    author.say(edit.clone()).await;
    let time = author.acked("m3", 4).await;
    peer.hears(&forwarded(edit, "author", 4, time)).await;
    let delete = json!({"action": "client-delete", "target": 2, "id": "m4"});
    author.say(delete.clone()).await;
    let deleted_at = author.acked("m4", 5).await;
    peer.hears(&forwarded(delete.clone(), "author", 5, deleted_at)).await;

    let receipt = json!({"target": 1, "status": "failed", "reason": "no such channel", "remote-id": "$é"});
    let with = |action: &str, fields: &Value| {
        let mut packet = fields.clone();
        packet["action"] = json!(action);
        packet
    };
    peer.say(with("client-receipt", &receipt)).await;
    let mut expected = with("forwarding-receipt", &receipt);
    expected["source-client-name"] = json!("peer");
    author.hears(&expected).await;
    peer.say(json!({"action": "client-status", "status": "degraded", "text": "netsplit 🌐"})).await;
    let (presence, degraded_at) = timeless(author.hear().await);
    let expected =
        json!({"action": "presence", "client-name": "peer", "status": "degraded", "text": "netsplit 🌐"});
    assert_eq!(presence, expected);

    refusals(&mut author).await;
    // The same `id` again is not entered again, whatever it says.
    author.say(json!({"action": "client-edit", "target": 77, "content": "what?", "id": "m4"})).await;
    assert_eq!(
        author.hear().await,
        json!({"action": "message-ack", "id": "m4", "seq": 5, "time": deleted_at})
    );

    // Its connection breaks, and it resumes.
    let resume = author.resume(4);
    author.program.abort().await;
    let while_away = json!({"action": "client-message", "content": "are you there?", "id": "p1"});
    peer.say(while_away.clone()).await;
    let time = peer.acked("p1", 6).await;
    let mut resumed = Bridge::join(author_of, server, "author", resume).await;
    let here =
        json!([{"client-name": "peer", "status": "degraded", "text": "netsplit 🌐", "since": degraded_at}]);
    let session = json!({"session": author.ack["session"], "recovered": true, "clients": here});
    assert_eq!(resumed.ack, resumed.ack_again(6, 4, &session));
    assert_eq!(resumed.ack["epoch"], author.ack["epoch"]);
    assert_eq!(
        resumed.hear().await,
        json!({"action": "message-ack", "id": "m4", "seq": 5, "time": deleted_at})
    );
    resumed.hears(&forwarded(while_away, "peer", 6, time)).await;

    // Another program has its state.
    let mut twin = Bridge::join(peer_of, server, "author", resumed.resume(6)).await;
    assert_eq!(twin.ack, resumed.ack_again(6, 6, &json!({})));
    assert_eq!(resumed.program.closed().await, (4409, "replaced".to_owned()));
    // And one has another name.
    let mut thief = Bridge::join(peer_of, server, "thief", twin.resume(6)).await;
    assert_eq!(thief.ack["recovered"], false);
    assert_ne!(thief.ack["session"], twin.ack["session"]);

    // All are in step: the peer has heard nothing of all that, but for the newcomer.
    for bridge in [&mut twin, &mut peer] {
        let (presence, _) = timeless(bridge.hear().await);
        assert_eq!(presence, json!({"action": "presence", "client-name": "thief", "status": "online"}));
    }
    twin.say(json!({"action": "client-message", "content": "bye", "id": "m5"})).await;
    let time = twin.acked("m5", 7).await;
    for bridge in [&mut peer, &mut thief] {
        bridge
            .hears(&forwarded(json!({"action": "client-message", "content": "bye"}), "author", 7, time))
            .await;
    }
}

/// What the author may not say: 1 is its own message, 2 was deleted, 3 is its peer's, and 5 no message.
async fn refusals(author: &mut Bridge) {
    let edit = |target: u64| json!({"action": "client-edit", "target": target, "content": "x", "id": "e1"});
    author.refused(edit(2), "e1", "unknown-target").await;
    author.refused(edit(3), "e1", "not-allowed").await;
    author.refused(edit(5), "e1", "unknown-target").await;
    author.refused(edit(6), "e1", "unknown-target").await;
    let message = |fields: Value| {
        let mut packet = json!({"action": "client-message", "content": "x", "id": "e2"});
        packet.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        packet
    };
    author.refused(message(json!({"content": ""})), "e2", "empty-content").await;
    author.refused(message(json!({"content": null})), "e2", "bad-packet").await;
    author.refused(message(json!({"attachments": [{"url": "ftp://x.y"}]})), "e2", "bad-attachment").await;
    author.refused(message(json!({"sender": {"name": ""}})), "e2", "bad-packet").await;
    author.refused(message(json!({"reply-to": 6})), "e2", "unknown-target").await;
    author.refused(message(json!({"action": "client-dance"})), "e2", "unknown-action").await;
    author.say(json!({"action": "client-receipt", "target": 2, "status": "delivered"})).await;
    assert_eq!(wordless(author.hear().await), json!({"action": "error", "code": "unknown-target"}));
    author.say(json!({"action": "client-message", "content": "x", "id": "x".repeat(65)})).await;
    assert_eq!(wordless(author.hear().await), json!({"action": "error", "code": "bad-packet"}));
}

#[tokio::test]
async fn python_is_told_everything_by_node() {
    all_of_it(&Server::start().await, Program::node, Program::python).await;
}

#[tokio::test]
async fn node_is_told_everything_by_python() {
    all_of_it(&Server::start().await, Program::python, Program::node).await;
}

#[tokio::test]
async fn python_is_told_everything_by_node_over_tls() {
    all_of_it(&Setup::new().wss().start().await, Program::node, Program::python).await;
}

#[tokio::test]
async fn node_is_told_everything_by_python_over_tls() {
    all_of_it(&Setup::new().wss().start().await, Program::python, Program::node).await;
}
