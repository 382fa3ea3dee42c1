//! A router without a port: clients are attached by pipes, and the clock is virtual.

use std::{
    future::{Future, pending},
    io,
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use parking_lot::Mutex;
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex},
    task::{JoinHandle, yield_now},
    time::sleep,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, protocol::Role},
};

use super::raw::Raw;
use crate::{
    config::{self, Keys, Limits, RoomName, SecretKey, WsPath},
    connection::{ByteStream, Candidate, Ending, Hall, Peer},
    room::{ConnectionId, Room},
};

/// The key of every router here.
pub(super) const KEY: &str = "open sesame";

/// The answer to a good `register`.
pub(super) const ACK: &str = r#"{"action":"register-ack"}"#;

/// The name of every router's log here.
pub(super) const EPOCH: &str = "epoch-of-the-tests";

/// How many bytes a pipe holds in each direction.
pub(super) const PIPE_BYTES: usize = 4096;

/// The server's end of a pipe.
pub(super) struct Pipe {
    stream: DuplexStream,
    taken: u64,
    writes: Arc<AtomicUsize>,
    was_reset: Arc<AtomicBool>,
    faults: Arc<Faults>,
}

/// What a pipe does wrong, once it is told to.
#[derive(Default)]
pub(super) struct Faults {
    pub(super) panic_on_read: AtomicBool,
    pub(super) panic_on_write: AtomicBool,
    /// What happens in the midst of the next read.
    pub(super) on_read: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

/// What may be different about a connection.
pub(super) struct Setup {
    pub(super) address: Ipv4Addr,
    /// What was read behind the upgrade request.
    pub(super) early: Bytes,
    pub(super) pipe_bytes: usize,
    /// How long it is a member before its task has its first turn.
    pub(super) linger: Duration,
    pub(super) interrupt: Pin<Box<dyn Future<Output = Ending> + Send>>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            address: Ipv4Addr::new(192, 0, 2, 1),
            early: Bytes::new(),
            pipe_bytes: PIPE_BYTES,
            linger: Duration::ZERO,
            interrupt: Box::pin(pending()),
        }
    }
}

/// A router.
pub(super) struct Harness {
    pub(super) hall: Arc<Hall>,
    pub(super) room: Arc<Room>,
    next_id: AtomicU64,
}

/// The client's end of a connection, before and below WebSocket.
pub(super) struct Attached {
    pub(super) stream: DuplexStream,
    /// Ends with the connection.
    pub(super) task: JoinHandle<()>,
    /// Whether the server ended it with a reset.
    pub(super) was_reset: Arc<AtomicBool>,
    pub(super) faults: Arc<Faults>,
    /// How many writes the server has made.
    pub(super) writes: Arc<AtomicUsize>,
}

/// A client that speaks WebSocket.
pub(super) struct Client {
    pub(super) socket: WebSocketStream<DuplexStream>,
    pub(super) task: JoinHandle<()>,
    pub(super) was_reset: Arc<AtomicBool>,
}

impl Harness {
    pub(super) fn new(limits: Limits) -> Self {
        let harness = Self::without_fan_out(limits);
        tokio::spawn(harness.room.clone().fan_out(0));
        harness
    }

    /// How many readers were cut because they were too slow.
    pub(super) fn slow_consumers(&self) -> u64 {
        let endings = self.hall.endings().counts();
        endings.iter().filter(|(reason, _)| *reason == "slow-consumer").map(|(_, count)| count).sum()
    }

    /// A router whose fan-out does not run yet.
    pub(super) fn without_fan_out(limits: Limits) -> Self {
        Self::closed(&room_config(Keys::shared(SecretKey::new(KEY).unwrap()), limits))
    }

    /// A router of which this holds.
    pub(super) fn of(config: &config::Room) -> Self {
        let harness = Self::closed(config);
        tokio::spawn(harness.room.clone().fan_out(0));
        harness
    }

    fn closed(config: &config::Room) -> Self {
        let hall = Arc::new(Hall::new(config, EPOCH.to_owned(), 1, Arc::default()));
        let room = hall.room();
        tokio::spawn(room.clone().announce());
        Self { hall, room, next_id: AtomicU64::new(1) }
    }

    /// A new connection, just upgraded.
    pub(super) fn attach(&self) -> Attached {
        self.attach_with(Setup::default())
    }

    pub(super) fn attach_with(&self, setup: Setup) -> Attached {
        let (near, stream) = duplex(setup.pipe_bytes);
        let was_reset = Arc::<AtomicBool>::default();
        let faults = Arc::<Faults>::default();
        let writes = Arc::<AtomicUsize>::default();
        let pipe = Pipe {
            stream: near,
            taken: 0,
            writes: writes.clone(),
            was_reset: was_reset.clone(),
            faults: faults.clone(),
        };
        let peer = Peer {
            id: ConnectionId(self.next_id.fetch_add(1, Ordering::Relaxed)),
            address: SocketAddr::from((setup.address, 1234)).into(),
        };
        let hall = self.hall.clone();
        let task = tokio::spawn(async move {
            let candidate = Candidate::new(hall, peer, pipe, setup.early).unwrap();
            if let Some(member) = candidate.register(setup.interrupt).await {
                if !setup.linger.is_zero() {
                    sleep(setup.linger).await;
                }
                member.run().await;
            }
        });
        Attached { stream, task, was_reset, faults, writes }
    }

    /// A new connection whose client sends what it likes, not registered.
    pub(super) fn connect_raw(&self) -> Raw {
        Raw::new(self.attach())
    }

    /// A registered client that sends what it likes.
    pub(super) async fn join_raw(&self, name: &str) -> Raw {
        self.join_raw_with(name, Setup::default()).await
    }

    pub(super) async fn join_raw_with(&self, name: &str, setup: Setup) -> Raw {
        let mut client = Raw::new(self.attach_with(setup));
        client.say(&register(name, KEY)).await;
        assert_eq!(client.hear().await, ACK);
        client
    }

    /// A new connection that speaks WebSocket, not registered.
    pub(super) async fn connect(&self) -> Client {
        let Attached { stream, task, was_reset, .. } = self.attach();
        let socket = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
        Client { socket, task, was_reset }
    }

    /// A registered client.
    pub(super) async fn join(&self, name: &str) -> Client {
        let mut client = self.connect().await;
        client.say(&register(name, KEY)).await;
        assert_eq!(client.hear().await, ACK);
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
        self.say(&message(content)).await;
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

/// A `client-message`.
pub(super) fn message(content: &str) -> String {
    serde_json::json!({"action": "client-message", "content": content}).to_string()
}

/// What the configuration says of a room.
pub(super) fn room_config(keys: Keys, limits: Limits) -> config::Room {
    config::Room { name: RoomName::default(), ws_path: WsPath::root(), keys, limits, chat_log: None }
}

/// Lets every task go as far as it can at this moment of virtual time.
pub(super) async fn settle() {
    for _ in 0..200 {
        yield_now().await;
    }
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
        if let Some(on_read) = self.faults.on_read.lock().take() {
            on_read();
        }
        assert!(!self.faults.panic_on_read.load(Ordering::Relaxed), "a fault that the test asked for");
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        assert!(!self.faults.panic_on_write.load(Ordering::Relaxed), "a fault that the test asked for");
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        if let Poll::Ready(Ok(len)) = written {
            self.taken += len as u64;
            self.writes.fetch_add(1, Ordering::Relaxed);
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
