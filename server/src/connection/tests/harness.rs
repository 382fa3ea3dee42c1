//! A router without a port: clients are attached by pipes, and the clock is virtual.

use std::{
    future::pending,
    io,
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex},
    task::JoinHandle,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, protocol::Role},
};

use crate::{
    config::{Limits, SecretKey},
    connection::{ByteStream, Candidate, Peer, Router},
    room::{LogBounds, Origin, Room},
};

/// The key of every router here.
pub(super) const KEY: &str = "open sesame";

/// How many bytes a pipe holds in each direction.
pub(super) const PIPE_BYTES: usize = 4096;

/// The server's end of a pipe.
pub(super) struct Pipe {
    stream: DuplexStream,
    taken: u64,
    was_reset: Arc<AtomicBool>,
}

/// A router.
pub(super) struct Harness {
    pub(super) router: Arc<Router>,
    next_id: AtomicU64,
}

/// The client's end of a connection, before and below WebSocket.
pub(super) struct Attached {
    pub(super) stream: DuplexStream,
    /// Ends with the connection.
    pub(super) task: JoinHandle<()>,
    /// Whether the server ended it with a reset.
    pub(super) was_reset: Arc<AtomicBool>,
}

/// A client that speaks WebSocket.
pub(super) struct Client {
    pub(super) socket: WebSocketStream<DuplexStream>,
    pub(super) task: JoinHandle<()>,
    pub(super) was_reset: Arc<AtomicBool>,
}

impl Harness {
    pub(super) fn new(limits: Limits) -> Self {
        let bounds = LogBounds { entries: limits.log_entries, bytes: limits.log_bytes };
        let room = Arc::new(Room::new(bounds, 1));
        tokio::spawn(room.clone().fan_out(0));
        let router = Arc::new(Router::new(room, limits, SecretKey::new(KEY).unwrap()));
        Self { router, next_id: AtomicU64::new(1) }
    }

    /// A new connection, just upgraded, from 192.0.2.1.
    pub(super) fn attach(&self) -> Attached {
        let (near, stream) = duplex(PIPE_BYTES);
        let was_reset = Arc::new(AtomicBool::new(false));
        let pipe = Pipe { stream: near, taken: 0, was_reset: was_reset.clone() };
        let peer = Peer {
            id: Origin(self.next_id.fetch_add(1, Ordering::Relaxed)),
            address: SocketAddr::from((Ipv4Addr::new(192, 0, 2, 1), 1234)),
        };
        let router = self.router.clone();
        let task = tokio::spawn(async move {
            let candidate = Candidate::new(router, peer, pipe, Bytes::new()).await;
            if let Some(member) = candidate.register(pending()).await {
                member.run().await;
            }
        });
        Attached { stream, task, was_reset }
    }

    /// A new connection that speaks WebSocket, not registered.
    pub(super) async fn connect(&self) -> Client {
        let Attached { stream, task, was_reset } = self.attach();
        let socket = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
        Client { socket, task, was_reset }
    }

    /// A registered client.
    pub(super) async fn join(&self, name: &str) -> Client {
        let mut client = self.connect().await;
        client.say(&register(name, KEY)).await;
        assert_eq!(client.hear().await, r#"{"action":"register-ack"}"#);
        client
    }
}

impl Client {
    /// Sends a text.
    pub(super) async fn say(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    /// Sends a `client-message`.
    pub(super) async fn chat(&mut self, content: &str) {
        self.say(&serde_json::json!({"action": "client-message", "content": content}).to_string()).await;
    }

    /// The next text.
    pub(super) async fn hear(&mut self) -> String {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => return text.to_string(),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("expected a text, found {other:?}"),
            }
        }
    }

    /// Reads on to the close, and waits for the connection's end.
    pub(super) async fn closed(mut self) -> (u16, String) {
        let close = loop {
            match self.socket.next().await {
                Some(Ok(Message::Close(Some(close)))) => break close,
                Some(Ok(_)) => {}
                other => panic!("expected a close, found {other:?}"),
            }
        };
        // The library answers the close as it reads on.
        while self.socket.next().await.is_some() {}
        self.task.await.unwrap();
        assert!(!self.was_reset.load(Ordering::Relaxed), "an answered close is no reset");
        (close.code.into(), close.reason.to_string())
    }
}

/// A `register`.
pub(super) fn register(name: &str, key: &str) -> String {
    serde_json::json!({"action": "register", "client-name": name, "secret-key": key}).to_string()
}

/// What others get of a `client-message`.
pub(super) fn forwarded(name: &str, content: &str) -> String {
    let name = serde_json::json!(name);
    let content = serde_json::json!(content);
    format!(r#"{{"action":"forwarding-message","source-client-name":{name},"content":{content}}}"#)
}

impl ByteStream for Pipe {
    fn taken(&self) -> u64 {
        self.taken
    }

    fn reset_on_drop(&self) {
        self.was_reset.store(true, Ordering::Relaxed);
    }
}

impl AsyncRead for Pipe {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        if let Poll::Ready(Ok(len)) = written {
            self.taken += len as u64;
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
