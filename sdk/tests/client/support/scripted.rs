//! A server that does what a test tells it to, step by step.

use multichat::{Builder, Client};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::{KEY, Peer, quickly, soon};

/// What original servers answer.
pub(crate) const PLAIN_ACK: &str = r#"{"action":"register-ack"}"#;

/// A port on which a test answers.
#[derive(Debug)]
pub(crate) struct Scripted {
    listener: TcpListener,
}

/// A client that asks for a WebSocket.
#[derive(Debug)]
pub(crate) struct Request {
    stream: TcpStream,
    /// What it wrote, up to the end of the headers.
    pub(crate) head: String,
}

impl Scripted {
    pub(crate) async fn start() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").await.unwrap() }
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://{}/chat", self.listener.local_addr().unwrap())
    }

    /// A client that comes back quickly.
    pub(crate) fn client(&self) -> Builder {
        Client::builder(self.url(), "irc").key(KEY).reconnect(quickly())
    }

    /// The next connection, of which nothing is read.
    pub(crate) async fn connection(&self) -> TcpStream {
        let (stream, _) = soon("a connection", self.listener.accept()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    /// The next request.
    pub(crate) async fn request(&self) -> Request {
        let mut stream = self.connection().await;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(soon("a whole request", stream.read_u8()).await.unwrap());
        }
        Request { stream, head: String::from_utf8(head).unwrap() }
    }

    /// The next WebSocket.
    pub(crate) async fn accept(&self) -> Peer {
        self.request().await.upgrade().await
    }

    /// The next client, which has said who it is.
    pub(crate) async fn registering(&self) -> (Peer, Value) {
        let mut peer = self.accept().await;
        let register = peer.expect("register").await;
        (peer, register)
    }

    /// The next client, with this answer to its registration.
    pub(crate) async fn welcome(&self, ack: &str) -> (Peer, Value) {
        let (mut peer, register) = self.registering().await;
        peer.text(ack).await;
        (peer, register)
    }

    /// Whether somebody has connected who was not accepted.
    pub(crate) fn has_caller(&self) -> bool {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        self.listener.poll_accept(&mut context).is_ready()
    }

    /// Whether a connection is made within so long. For what must *not* come.
    pub(crate) async fn is_called_within(&self, time: std::time::Duration) -> bool {
        tokio::time::timeout(time, self.listener.accept()).await.is_ok()
    }
}

impl Request {
    /// Agrees.
    pub(crate) async fn upgrade(self) -> Peer {
        let key = self.header("sec-websocket-key");
        let accept = derive_accept_key(key.as_bytes());
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        Peer::new(self.answer(&answer).await, Vec::new())
    }

    /// Writes this instead.
    pub(crate) async fn answer(mut self, answer: &str) -> TcpStream {
        self.stream.write_all(answer.as_bytes()).await.unwrap();
        self.stream
    }

    fn header(&self, name: &str) -> &str {
        let mut headers = self.head.lines().filter_map(|line| line.split_once(':'));
        let header = headers.find(|(header, _)| header.eq_ignore_ascii_case(name));
        header.expect("the request has this header").1.trim()
    }
}
