//! The other side: plays the router for one client, or for many idle ones, with as little work as possible.
//!
//! It blocks on its sockets, which is cheapest. How busy its core was is told with the figures: a client is measured
//! only if it is not this that is waited for.

use std::{
    io::{ErrorKind, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    process::Child,
    thread,
    time::{Duration, Instant},
};

use multichat_bench::{Result, Tally, own_cpu};
use tokio_tungstenite::tungstenite;

use super::{
    ledger::Ledger,
    subject::{Task, Work},
    wire::{self, CLOSE, Frame, Template},
};

/// How long a client may take to come.
const PATIENCE: Duration = Duration::from_secs(10);
/// Room for one read, and about what is written at once.
const CHUNK: usize = 128 * 1024;

/// What it saw.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Served {
    /// The share of the time in which it was busy.
    pub(crate) busy: f64,
    pub(crate) tally: Tally,
}

/// A port that is listened on.
#[derive(Debug)]
pub(crate) struct Peer {
    listener: TcpListener,
}

impl Peer {
    pub(crate) fn new() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener })
    }

    pub(crate) fn port(&self) -> Result<u16> {
        Ok(self.listener.local_addr()?.port())
    }

    /// Does the router's part of the work, until the client goes.
    pub(crate) fn serve(&self, task: &Task, child: &mut Child) -> Result<Served> {
        if task.work == Work::Idle {
            return self.keep(task, child);
        }
        let mut stream = self.register(task, child)?;
        let (start, before) = (Instant::now(), own_cpu());
        let tally = match task.work {
            Work::Receive => say(&mut stream, task, task.count).map(|()| Tally::default())?,
            _ => acknowledge(&mut stream, task, task.count)?,
        };
        let busy = (own_cpu() - before) / start.elapsed().as_secs_f64();
        wait_for_end(&mut stream);
        Ok(Served { busy, tally })
    }

    /// Takes one client more than are counted, and keeps them all until their process ends.
    fn keep(&self, task: &Task, child: &mut Child) -> Result<Served> {
        let mut served = Served::default();
        let mut streams = Vec::new();
        for _ in 0..=task.count {
            let mut stream = self.register(task, child)?;
            if task.size > 0 {
                say(&mut stream, task, 1)?;
                served.tally += acknowledge(&mut stream, task, 1)?;
            }
            streams.push(stream);
        }
        streams.iter_mut().for_each(wait_for_end);
        Ok(served)
    }

    /// The next client's connection, upgraded and registered.
    fn register(&self, task: &Task, child: &mut Child) -> Result<TcpStream> {
        let deadline = Instant::now() + PATIENCE;
        let stream = loop {
            match self.listener.accept() {
                Ok((stream, _)) => break stream,
                Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error.into()),
                Err(_) if child.try_wait()?.is_some() => return Err("the client ended by itself".into()),
                Err(_) if Instant::now() > deadline => return Err("the client does not connect".into()),
                Err(_) => thread::sleep(Duration::from_micros(100)),
            }
        };
        stream.set_nonblocking(false)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut socket = tungstenite::accept(stream)?;
        let register = socket.read()?;
        if !register.to_text()?.contains(wire::KEY) {
            return Err(format!("the client says {register} first").into());
        }
        // A client says nothing more before it has its ack, so nothing is left in the socket's buffer.
        let mut stream = socket.get_ref().try_clone()?;
        let mut ack = Vec::new();
        wire::put_text(&mut ack, task.dialect.ack().as_bytes());
        stream.write_all(&ack)?;
        Ok(stream)
    }
}

/// Sends so many messages, as fast as they are taken.
fn say(stream: &mut TcpStream, task: &Task, count: u64) -> Result<()> {
    let mut template = Template::message(task.dialect, task.size);
    let mut chunk = Vec::with_capacity(2 * CHUNK);
    for number in 0..count {
        chunk.extend_from_slice(template.fill(number));
        if chunk.len() >= CHUNK || number + 1 == count {
            stream.write_all(&chunk)?;
            chunk.clear();
        }
    }
    Ok(())
}

/// Takes so many messages, and acknowledges each: all that one read has brought with one write.
fn acknowledge(stream: &mut TcpStream, task: &Task, count: u64) -> Result<Tally> {
    const BEFORE_CONTENT: usize = br#"{"action":"client-message","content":""#.len();
    const BEFORE_ID: usize = br#"","id":""#.len();
    const AFTER_ID: usize = br#""}"#.len();
    let (before, mut after) = Template::ack();
    let mut ledger = Ledger::default();
    let (mut buffer, mut whole) = (vec![0; 2 * CHUNK], 0);
    let (mut acks, mut packet, mut text) = (Vec::new(), Vec::new(), Vec::new());
    let mut taken = 0;
    while taken < count {
        let size = stream.read(&mut buffer[whole..])?;
        if size == 0 {
            return Err("the client went before it had sent everything".into());
        }
        whole += size;
        let mut rest = &buffer[..whole];
        while let Some(frame) = Frame::read(rest) {
            rest = &rest[frame.length..];
            if frame.opcode == CLOSE {
                return Err("the client closes before it has sent everything".into());
            }
            let id = BEFORE_CONTENT + task.size + BEFORE_ID;
            text.clear();
            frame.unmask(BEFORE_CONTENT..BEFORE_CONTENT + wire::DIGITS, &mut text).ok_or("a short packet")?;
            ledger.enter(wire::number(&text).ok_or("a content without a number")?);
            if task.dialect == wire::Dialect::Rich {
                packet.clear();
                packet.extend_from_slice(before);
                let end = frame.payload_length().saturating_sub(AFTER_ID);
                frame.unmask(id..end, &mut packet).ok_or("a packet without an id")?;
                packet.extend_from_slice(after.fill(taken));
                wire::put_text(&mut acks, &packet);
            }
            taken += 1;
        }
        let left = rest.len();
        buffer.copy_within(whole - left..whole, 0);
        whole = left;
        stream.write_all(&acks)?;
        acks.clear();
    }
    Ok(ledger.close(count))
}

/// Waits until the other side goes, however it does.
fn wait_for_end(stream: &mut TcpStream) {
    let mut buffer = [0; 1024];
    while matches!(stream.read(&mut buffer), Ok(size) if size > 0) {}
}
