//! The yardstick: the same work by hand, with tokio-tungstenite and the protocol's codec alone.
//!
//! One task, no queue, no lock, no session, no deadline. Each text is decoded in the rich dialect and looked at where
//! it was read; each message is encoded where it is written. Otherwise it does what the client does: `TCP_NODELAY`, as
//! many messages on their way at once, and an `id` for each, which its ack must have.
//!
//! * `raw` has the library's own settings: it reads up to 128 KiB at once, and writes when 128 KiB have come together;
//! * `lean` has small buffers, 8 KiB and 64 KiB, without which 1,000 idle ones would be dear. The client reads into 4 KiB
//!   while little comes, and into 32 KiB more while much does.
//!
//! In one thing it does less than a bridge has to: it forgets a message as soon as it is written, so that what has no ack
//! when the connection breaks is lost. The client keeps it, to send it again. To keep it costs the loop itself, for each
//! message, a twentieth of its CPU at 64 B and nearly a fifth at 1 KiB, where what is kept is in no near cache any more.
//! The aims are over the loop as it is.

use futures_util::{FutureExt, SinkExt, StreamExt};
use multichat::protocol::{ClientMessage, ClientPacket, Dialect, Register, RichRegister, ServerPacket};
use multichat_bench::{Result, Tally};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};

use super::{
    ledger::Ledger,
    sdk::AFTER,
    subject::{Book, Findings, Kind, Scales, Task, Work},
    wire::{self, FIRST},
};

/// How many messages are on their way at once: as many as the client allows itself.
const WINDOW: u64 = 512;

pub(crate) async fn run(kind: Kind, task: &Task, port: u16) -> Result<Findings> {
    if task.work == Work::Idle {
        return idle(kind, task, port).await;
    }
    let raw = Raw::connect(kind, port).await?;
    match task.work {
        Work::Receive => raw.receive(task).await,
        Work::Turns => raw.send(task, 1).await,
        _ => raw.send(task, WINDOW).await,
    }
}

/// A connection that has registered.
struct Raw {
    socket: WebSocketStream<TcpStream>,
}

impl Raw {
    async fn connect(kind: Kind, port: u16) -> Result<Self> {
        let config = match kind {
            Kind::Lean => WebSocketConfig::default().read_buffer_size(8 * 1024).write_buffer_size(64 * 1024),
            _ => WebSocketConfig::default(),
        };
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        let url = format!("ws://127.0.0.1:{port}/");
        let (mut socket, _) = client_async_with_config(url, stream, Some(config)).await?;
        let mut register = Register::new(wire::NAME, wire::KEY);
        register.rich = Some(RichRegister::new());
        socket.send(Message::text(ClientPacket::Register(register).encode())).await?;
        let mut raw = Self { socket };
        match raw.next().await? {
            ServerPacket::RegisterAck(_) => Ok(raw),
            other => Err(format!("the other side says {other:?}").into()),
        }
    }

    async fn next(&mut self) -> Result<ServerPacket> {
        let message = self.socket.next().await.ok_or("the connection ended")??;
        Ok(ServerPacket::decode(message.to_text()?, Dialect::Rich, usize::MAX)?)
    }

    /// The number of the next message.
    async fn hear(&mut self) -> Result<u64> {
        let packet = match self.next().await? {
            ServerPacket::Message(message) => wire::number(message.content.as_bytes()),
            _ => None,
        };
        Ok(packet.ok_or("not a message with a number")?)
    }

    async fn receive(mut self, task: &Task) -> Result<Findings> {
        let mut book = Book::new(task);
        while !book.is_full() {
            book.enter(self.hear().await?);
        }
        while let Ok(number) = timeout(AFTER, self.hear()).await {
            book.enter(number?);
        }
        Ok(book.close())
    }

    async fn send(mut self, task: &Task, window: u64) -> Result<Findings> {
        let mut book = Book::new(task);
        let (mut sent, mut acked) = (0, 0);
        while acked < task.count {
            while sent < task.count && sent - acked < window {
                self.socket.feed(message(sent, task.size)).await?;
                sent += 1;
            }
            self.socket.flush().await?;
            let mut next = Some(self.acked(acked).await);
            while let Some(number) = next {
                book.enter(number?);
                acked += 1;
                next = if acked < sent { self.acked(acked).now_or_never() } else { None };
            }
        }
        Ok(book.close())
    }

    /// The ack that is due next, as the number in the log, counted from 0.
    async fn acked(&mut self, number: u64) -> Result<u64> {
        match self.next().await? {
            ServerPacket::MessageAck(ack) if ack.id.parse() == Ok(number + 1) => {
                Ok(ack.place.seq.checked_sub(FIRST).ok_or("it is at a place that is none")?)
            }
            other => Err(format!("the other side says {other:?} in place of an ack").into()),
        }
    }
}

fn message(number: u64, size: usize) -> Message {
    let mut message = ClientMessage::new(wire::content(FIRST + number, size));
    message.id = Some((number + 1).to_string());
    Message::text(ClientPacket::Message(message).encode())
}

async fn idle(kind: Kind, task: &Task, port: u16) -> Result<Findings> {
    let mut scales = Scales::default();
    let mut tally = Tally::default();
    for _ in 0..=task.count {
        let mut raw = Raw::connect(kind, port).await?;
        if task.size > 0 {
            let mut ledger = Ledger::default();
            ledger.enter(raw.hear().await?);
            tally += ledger.close(1);
            raw.socket.send(message(0, task.size)).await?;
            if task.dialect == wire::Dialect::Rich {
                raw.acked(0).await?;
            }
        }
        // Each in a task of its own, which waits for what comes.
        tokio::spawn(async move { while raw.next().await.is_ok() {} });
        tokio::task::yield_now().await;
        scales.add()?;
    }
    scales.close(tally)
}
