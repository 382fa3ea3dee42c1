//! The yardsticks: the least that a program can do to forward messages.
//!
//! One thread, one epoll, no checks, no limits, no log, no TLS. A message is made into a frame once; then
//!
//! * [`Kind::Write`] writes it to every other client at once, one `write(2)` for each delivery;
//! * [`Kind::Coalesce`] first reads all that one round of epoll says is there, and then writes all that is
//!   pending for a socket with one `write(2)`. All readers share one buffer, made once in a round. Only
//!   who sent some of it, or whose socket did not take all of it, is treated apart.
//!
//! They stand for what the machine can do: no server that uses sockets in the ordinary way does much better.

use std::{
    collections::VecDeque,
    io::{self, ErrorKind, IoSlice, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    ops::Range,
    rc::Rc,
};

use rustix::{
    buffer::spare_capacity,
    event::epoll::{self, Event, EventData, EventFlags},
    fd::OwnedFd,
};

use super::wire::{self, Header};

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One write for each delivery.
    Write,
    /// One write for all that is pending for a socket.
    Coalesce,
}

impl Kind {
    /// As it is called on the command line and in the table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Coalesce => "coalesce",
        }
    }
}

/// Marks the listener among the events.
const LISTENER: u64 = u64::MAX;
/// Room for one read.
const READ: usize = 512 * 1024;
/// Slices for one write.
const SLICES: usize = 64;

/// Ready-made bytes that all readers share.
type Shared = Rc<Vec<u8>>;
/// A part of them that is to be written.
type Chunk = (Shared, Range<usize>);

/// A connection.
struct Peer {
    stream: TcpStream,
    upgraded: bool,
    /// The start of a packet that is not whole yet.
    partial: Vec<u8>,
    /// Not there until it is registered.
    name: Option<Vec<u8>>,
    backlog: VecDeque<Chunk>,
    /// Whether some of the messages of this round are its own.
    sent: bool,
}

/// The frames of one round: all in one buffer, and whose each is.
#[derive(Default)]
struct Round {
    frames: Shared,
    parts: Vec<(usize, Range<usize>)>,
}

struct Yardstick {
    kind: Kind,
    epoll: OwnedFd,
    peers: Vec<Option<Peer>>,
    free: Vec<usize>,
    round: Round,
}

/// Serves on a port of the loopback interface until it is killed.
pub(crate) fn run(kind: Kind, port: u16) -> io::Result<()> {
    // Does not outlive the benchmark.
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    listener.set_nonblocking(true)?;
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
    let mut yardstick =
        Yardstick { kind, epoll, peers: Vec::new(), free: Vec::new(), round: Round::default() };
    let mut events: Vec<Event> = Vec::with_capacity(1024);
    let mut buffer = vec![0; READ];
    loop {
        events.clear();
        epoll::wait(&yardstick.epoll, spare_capacity(&mut events), None)?;
        for event in &events {
            let (flags, data) = (event.flags, event.data.u64());
            if data == LISTENER {
                yardstick.accept(&listener)?;
                continue;
            }
            let place = data as usize;
            if flags.contains(EventFlags::OUT) {
                yardstick.resume(place);
            }
            if flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
                yardstick.read(place, &mut buffer);
            }
        }
        yardstick.deliver();
    }
}

impl Yardstick {
    fn accept(&mut self, listener: &TcpListener) -> io::Result<()> {
        loop {
            let stream = match listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            stream.set_nonblocking(true)?;
            stream.set_nodelay(true)?;
            let place = self.free.pop().unwrap_or(self.peers.len());
            epoll::add(&self.epoll, &stream, EventData::new_u64(place as u64), EventFlags::IN)?;
            let peer = Peer {
                stream,
                upgraded: false,
                partial: Vec::new(),
                name: None,
                backlog: VecDeque::new(),
                sent: false,
            };
            if place == self.peers.len() {
                self.peers.push(Some(peer));
            } else {
                self.peers[place] = Some(peer);
            }
        }
    }

    /// One read; a connection that is over, in whatever way, is dropped.
    fn read(&mut self, place: usize, buffer: &mut [u8]) {
        let Some(peer) = &mut self.peers[place] else { return };
        let count = match peer.stream.read(buffer) {
            Ok(count) if count > 0 => count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            _ => return self.drop_peer(place),
        };
        let round = &mut self.round;
        let alive = if peer.partial.is_empty() {
            let (used, alive) = peer.take(&mut buffer[..count], place, round);
            peer.partial.extend_from_slice(&buffer[used..count]);
            alive
        } else {
            let mut partial = std::mem::take(&mut peer.partial);
            partial.extend_from_slice(&buffer[..count]);
            let (used, alive) = peer.take(&mut partial, place, round);
            partial.drain(..used);
            peer.partial = partial;
            alive
        };
        if !alive {
            self.drop_peer(place);
        }
        if self.kind == Kind::Write {
            self.deliver();
        }
    }

    fn drop_peer(&mut self, place: usize) {
        self.peers[place] = None;
        self.free.push(place);
    }

    /// Writes the messages of this round to everybody but who sent them.
    fn deliver(&mut self) {
        if self.round.parts.is_empty() {
            return;
        }
        let Round { frames, parts } = &self.round;
        match self.kind {
            Kind::Write => {
                for (origin, range) in parts {
                    let chunk = (Rc::clone(frames), range.clone());
                    for (place, peer) in self.peers.iter_mut().enumerate() {
                        if let Some(peer) =
                            peer.as_mut().filter(|peer| peer.name.is_some() && place != *origin)
                        {
                            peer.push(std::slice::from_ref(&chunk), &self.epoll, place);
                        }
                    }
                }
            }
            Kind::Coalesce => {
                let all = [(Rc::clone(frames), 0..frames.len())];
                for (place, peer) in self.peers.iter_mut().enumerate() {
                    let Some(peer) = peer.as_mut().filter(|peer| peer.name.is_some()) else { continue };
                    if std::mem::take(&mut peer.sent) {
                        peer.push(&others(frames, parts, place), &self.epoll, place);
                    } else {
                        peer.push(&all, &self.epoll, place);
                    }
                }
            }
        }
        self.round.parts.clear();
        // Made anew only while somebody still has to write some of it.
        match Rc::get_mut(&mut self.round.frames) {
            Some(frames) => frames.clear(),
            None => self.round.frames = Rc::default(),
        }
    }

    /// A socket takes more.
    fn resume(&mut self, place: usize) {
        if let Some(peer) = &mut self.peers[place] {
            peer.write();
            if peer.backlog.is_empty() {
                let data = EventData::new_u64(place as u64);
                let _ = epoll::modify(&self.epoll, &peer.stream, data, EventFlags::IN);
            }
        }
    }
}

/// What is left of a round without a peer's own messages, in as few pieces as possible.
fn others(frames: &Shared, parts: &[(usize, Range<usize>)], place: usize) -> Vec<Chunk> {
    let mut chunks: Vec<Chunk> = Vec::new();
    for (_, range) in parts.iter().filter(|(origin, _)| *origin != place) {
        match chunks.last_mut().filter(|(_, last)| last.end == range.start) {
            Some((_, last)) => last.end = range.end,
            None => chunks.push((Rc::clone(frames), range.clone())),
        }
    }
    chunks
}

impl Peer {
    /// Takes whole packets off the start of `input`. Says how many bytes that were, and whether the
    /// connection goes on.
    fn take(&mut self, input: &mut [u8], place: usize, round: &mut Round) -> (usize, bool) {
        let mut used = 0;
        if !self.upgraded {
            let Some(end) = input.windows(4).position(|four| four == wire::HEAD_END) else {
                return (0, true);
            };
            used = end + 4;
            self.upgraded = true;
            let _ = self.stream.write(wire::SWITCHING);
        }
        while let Some(header) = Header::read(&input[used..]) {
            let Some(payload) = input[used..].get_mut(header.length..header.length + header.payload) else {
                break;
            };
            wire::apply_mask(payload, header.mask.unwrap_or_default(), 0);
            match header.opcode {
                wire::TEXT if self.name.is_some() => self.forward(payload, place, round),
                wire::TEXT => self.register(payload),
                wire::CLOSE => {
                    let mut answer = Vec::with_capacity(8);
                    wire::put_header(&mut answer, wire::CLOSE, payload.len(), false);
                    answer.extend_from_slice(payload);
                    let _ = self.stream.write(&answer);
                    return (input.len(), false);
                }
                _ => {}
            }
            used += header.length + header.payload;
        }
        (used, true)
    }

    fn register(&mut self, packet: &[u8]) {
        let mut parts = packet.split(|byte| *byte == b'"').skip_while(|part| *part != b"client-name");
        self.name = parts.nth(2).map(<[u8]>::to_vec);
        let mut answer = Vec::with_capacity(32);
        wire::put_header(&mut answer, wire::TEXT, wire::REGISTER_ACK.len(), false);
        answer.extend_from_slice(wire::REGISTER_ACK);
        let _ = self.stream.write(&answer);
    }

    /// Makes the frame of a message.
    fn forward(&mut self, packet: &[u8], place: usize, round: &mut Round) {
        let Some(content) =
            packet.strip_prefix(wire::MESSAGE_START).and_then(|rest| rest.strip_suffix(wire::PACKET_END))
        else {
            return;
        };
        let name = self.name.as_deref().unwrap_or_default();
        let pieces = [wire::FORWARD_START, name, wire::FORWARD_MIDDLE, content, wire::PACKET_END];
        if Rc::get_mut(&mut round.frames).is_none() {
            round.frames = Rc::default();
        }
        let Some(frames) = Rc::get_mut(&mut round.frames) else { return };
        let start = frames.len();
        wire::put_header(frames, wire::TEXT, pieces.iter().map(|piece| piece.len()).sum(), false);
        for piece in pieces {
            frames.extend_from_slice(piece);
        }
        round.parts.push((place, start..frames.len()));
        self.sent = true;
    }

    /// Writes chunks, or as much as the socket takes; the rest is kept.
    fn push(&mut self, chunks: &[Chunk], epoll: &OwnedFd, place: usize) {
        if !self.backlog.is_empty() {
            self.backlog.extend(chunks.iter().cloned());
            return;
        }
        if let [(bytes, range)] = chunks {
            // The usual case.
            let count = self.stream.write(&bytes[range.clone()]).unwrap_or(0);
            if count == range.len() {
                return;
            }
            self.backlog.push_back((Rc::clone(bytes), range.start + count..range.end));
        } else {
            self.backlog.extend(chunks.iter().cloned());
            self.write();
        }
        if !self.backlog.is_empty() {
            let data = EventData::new_u64(place as u64);
            let _ = epoll::modify(epoll, &self.stream, data, EventFlags::IN | EventFlags::OUT);
        }
    }

    /// Writes of the backlog what the socket takes. An error shows at the next read.
    fn write(&mut self) {
        while !self.backlog.is_empty() {
            let slices: Vec<IoSlice<'_>> = self
                .backlog
                .iter()
                .take(SLICES)
                .map(|(bytes, range)| IoSlice::new(&bytes[range.clone()]))
                .collect();
            let Ok(mut count) = self.stream.write_vectored(&slices) else { return };
            while let Some((_, range)) = self.backlog.front_mut() {
                let taken = count.min(range.len());
                range.start += taken;
                count -= taken;
                if range.start < range.end {
                    break;
                }
                self.backlog.pop_front();
            }
        }
    }
}
