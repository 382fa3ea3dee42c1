//! A plain client of another make, for the real router.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

use super::{KEY, Router, soon};

/// A registered plain client.
#[derive(Debug)]
pub(crate) struct Plain {
    socket: WebSocketStream<TcpStream>,
}

impl Plain {
    pub(crate) async fn join(router: &Router, name: &str) -> Self {
        let stream = TcpStream::connect(router.address()).await.unwrap();
        let url = format!("ws://{}/", router.address());
        let (socket, _) = soon("the upgrade", client_async(url, stream)).await.unwrap();
        let mut plain = Self { socket };
        plain.send(&json!({"action": "register", "client-name": name, "secret-key": KEY})).await;
        assert_eq!(plain.packet().await, json!({"action": "register-ack"}));
        plain
    }

    async fn send(&mut self, packet: &Value) {
        self.socket.send(Message::text(packet.to_string())).await.unwrap();
    }

    async fn packet(&mut self) -> Value {
        loop {
            let message =
                soon("a packet", self.socket.next()).await.expect("the connection is open").unwrap();
            if let Message::Text(text) = message {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }

    pub(crate) async fn say(&mut self, content: &str) {
        self.send(&json!({"action": "client-message", "content": content})).await;
    }

    /// What somebody says next.
    pub(crate) async fn hear(&mut self) -> String {
        let packet = self.packet().await;
        assert_eq!(packet["action"], "forwarding-message");
        packet["content"].as_str().unwrap().to_owned()
    }
}
