//! A client of the rich dialect that sends every byte by hand.

use serde_json::{Value, json};

use super::{Client, KEY, Route, Server};

/// The client, and what its ack said.
#[derive(Debug)]
pub(crate) struct Rich {
    pub(crate) client: Client,
    pub(crate) ack: Value,
}

impl Rich {
    /// Connects and registers, and asks for nothing more.
    pub(crate) async fn join(server: &Server, name: &str) -> Self {
        Self::ask(server, name, json!({})).await
    }

    /// Connects and registers with these further fields.
    pub(crate) async fn ask(server: &Server, name: &str, fields: Value) -> Self {
        Self::ask_by(Route::USUAL, server, name, fields).await
    }

    pub(crate) async fn ask_by(route: Route, server: &Server, name: &str, fields: Value) -> Self {
        Self::over(Client::connect_by(route, server).await, name, fields).await
    }

    async fn over(mut client: Client, name: &str, fields: Value) -> Self {
        client.say(&Self::register(name, fields).to_string()).await;
        let ack = client.packet().await;
        assert_eq!((&ack["action"], &ack["protocol"]), (&json!("register-ack"), &json!(2)), "{ack}");
        Self { client, ack }
    }

    /// Connects on a path, and registers with these further fields, among which may be another key.
    pub(crate) async fn enter(server: &Server, path: &str, name: &str, fields: Value) -> Self {
        let client = Client::open(server, path).await.expect("an upgrade");
        Self::over(client, name, fields).await
    }

    /// A `register` that asks for this dialect, with further fields.
    pub(crate) fn register(name: &str, fields: Value) -> Value {
        let mut register =
            json!({"action": "register", "client-name": name, "secret-key": KEY, "protocol": 2});
        let Value::Object(fields) = fields else { panic!("{fields} are no fields") };
        register.as_object_mut().unwrap().extend(fields);
        register
    }

    /// A number of the ack.
    pub(crate) fn number(&self, field: &str) -> u64 {
        self.ack[field].as_u64().unwrap_or_else(|| panic!("{field} of {}", self.ack))
    }

    /// The fields with which another connection takes this session over.
    pub(crate) fn resume(&self, seq: u64) -> Value {
        json!({"resume": {"session": self.ack["session"], "epoch": self.ack["epoch"], "seq": seq}})
    }

    /// Sends a packet.
    pub(crate) async fn say(&mut self, packet: &Value) {
        self.client.say(&packet.to_string()).await;
    }

    /// Sends a message with an `id`, and waits for its ack. Returns its `seq`.
    pub(crate) async fn chat(&mut self, content: &str) -> u64 {
        self.say(&json!({"action": "client-message", "content": content, "id": content})).await;
        let ack = self.hear().await;
        assert_eq!((&ack["action"], &ack["id"]), (&json!("message-ack"), &json!(content)), "{ack}");
        seq(&ack)
    }

    /// The next packet.
    pub(crate) async fn hear(&mut self) -> Value {
        self.client.packet().await
    }
}

/// The place of an entry.
fn seq(packet: &Value) -> u64 {
    packet["seq"].as_u64().unwrap_or_else(|| panic!("no place: {packet}"))
}
