//! The yardsticks: the least that a program can do to forward messages.
//!
//! One thread, one epoll, no checks, no limits, no log, no TLS. A message is made into a frame once; then
//!
//! * [`Kind::Write`] writes it to every other client at once, one `write(2)` for each delivery;
//! * [`Kind::Coalesce`] first reads all that one round of epoll says is there, and then writes all that is
//!   pending for a socket with one `write(2)`. All readers share one buffer for each dialect, made once in a
//!   round. Only who sent some of it, or whose socket did not take all of it, is treated apart;
//! * [`Kind::Replay`] coalesces, and keeps all that it ever forwarded: who registers with a `resume` or a
//!   `history` is pushed the end of that with one `write(2)`.
//!
//! Whoever registers in the rich dialect gets the same bytes from them as from the server.
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

use super::wire::{self, Dialect, Header, Stamp};

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One write for each delivery.
    Write,
    /// One write for all that is pending for a socket.
    Coalesce,
    /// The same, with what was said before in one write too.
    Replay,
}

impl Kind {
    /// The one of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Write, Self::Coalesce, Self::Replay].into_iter().find(|kind| kind.name() == name)
    }

    /// As it is called on the command line and in the table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Coalesce => "coalesce",
            Self::Replay => "replay",
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
    dialect: Dialect,
    backlog: VecDeque<Chunk>,
    /// Whether some of the messages of this round are its own.
    sent: bool,
}

/// The frames of one round: all of a kind in one buffer, and whose each is.
#[derive(Default)]
struct Round {
    plain: Shared,
    rich: Shared,
    /// What senders in the rich dialect get in the place of their own messages.
    acks: Shared,
    parts: Vec<Part>,
    /// How many of the registered peers speak each dialect.
    plain_peers: usize,
    rich_peers: usize,
    newest: u64,
    /// All that was ever forwarded, if that is kept.
    log: Option<Log>,
}

/// Where the frames of one message are, and who sent it.
struct Part {
    origin: usize,
    plain: Range<usize>,
    rich: Range<usize>,
    ack: Range<usize>,
}

/// All the rich frames that ever were, and where each begins.
#[derive(Default)]
struct Log {
    frames: Shared,
    starts: Vec<usize>,
}

/// A moment as the server tells it, in as many digits.
const TIME: u64 = 1_763_800_000_123;

impl Round {
    fn frames(&self, dialect: Dialect) -> &Shared {
        match dialect {
            Dialect::Plain => &self.plain,
            Dialect::Rich => &self.rich,
        }
    }

    fn peers(&mut self, dialect: Dialect) -> &mut usize {
        match dialect {
            Dialect::Plain => &mut self.plain_peers,
            Dialect::Rich => &mut self.rich_peers,
        }
    }

    /// Makes the frames of a message, each if somebody is to get it.
    fn add(&mut self, origin: usize, name: &[u8], content: &[u8], id: Option<&[u8]>) {
        self.newest += 1;
        let place = format!(",\"seq\":{},\"time\":{TIME}}}", self.newest);
        let (quote, place) = (&b"\""[..], place.as_bytes());
        let message = [wire::FORWARD_START, name, wire::FORWARD_MIDDLE, content];
        let [start, name, middle, content] = message;
        let part = Part {
            origin,
            plain: match self.plain_peers {
                0 => 0..0,
                _ => append(&mut self.plain, &[start, name, middle, content, wire::PACKET_END]),
            },
            rich: match self.rich_peers {
                0 => 0..0,
                _ => append(&mut self.rich, &[start, name, middle, content, quote, place]),
            },
            ack: id.map_or(0..0, |id| append(&mut self.acks, &[wire::ACK_START, id, quote, place])),
        };
        self.parts.push(part);
        if let Some(log) = &mut self.log {
            log.starts.push(log.frames.len());
            append(&mut log.frames, &[start, name, middle, content, quote, place]);
        }
    }

    /// The round for one of those who sent some of it: the others' messages, and the acks of its own, in as few
    /// pieces as possible.
    fn told(&self, dialect: Dialect, place: usize) -> Vec<Chunk> {
        let mut chunks: Vec<Chunk> = Vec::new();
        for (frames, range) in self.parts.iter().filter_map(|part| self.chunk(part, dialect, place)) {
            match chunks.last_mut().filter(|(of, last)| Rc::ptr_eq(of, &frames) && last.end == range.start) {
                Some((_, last)) => last.end = range.end,
                None => chunks.push((frames, range)),
            }
        }
        chunks
    }

    /// What of a message is for this peer.
    fn chunk(&self, part: &Part, dialect: Dialect, place: usize) -> Option<Chunk> {
        let (frames, range) = match (part.origin == place, dialect) {
            (true, _) => (&self.acks, &part.ack),
            (false, Dialect::Plain) => (&self.plain, &part.plain),
            (false, Dialect::Rich) => (&self.rich, &part.rich),
        };
        (!range.is_empty()).then(|| (Rc::clone(frames), range.clone()))
    }

    /// Begins the next one.
    fn clear(&mut self) {
        self.parts.clear();
        // Made anew only while somebody still has to write some of it.
        for frames in [&mut self.plain, &mut self.rich, &mut self.acks] {
            match Rc::get_mut(frames) {
                Some(frames) => frames.clear(),
                None => *frames = Rc::default(),
            }
        }
    }
}

/// Appends a frame. Says where it stands.
fn append(frames: &mut Shared, pieces: &[&[u8]]) -> Range<usize> {
    let frames = Rc::make_mut(frames);
    let start = frames.len();
    wire::put_header(frames, wire::TEXT, pieces.iter().map(|piece| piece.len()).sum(), false);
    for piece in pieces {
        frames.extend_from_slice(piece);
    }
    start..frames.len()
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
    let log = (kind == Kind::Replay).then(Log::default);
    let round = Round { log, ..Round::default() };
    let mut yardstick = Yardstick { kind, epoll, peers: Vec::new(), free: Vec::new(), round };
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
                dialect: Dialect::Plain,
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
            let (used, alive) = peer.take(&mut buffer[..count], place, round, &self.epoll);
            peer.partial.extend_from_slice(&buffer[used..count]);
            alive
        } else {
            let mut partial = std::mem::take(&mut peer.partial);
            partial.extend_from_slice(&buffer[..count]);
            let (used, alive) = peer.take(&mut partial, place, round, &self.epoll);
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
        if let Some(peer) = self.peers[place].take()
            && peer.name.is_some()
        {
            *self.round.peers(peer.dialect) -= 1;
        }
        self.free.push(place);
    }

    /// Writes the messages of this round to everybody but who sent them.
    fn deliver(&mut self) {
        if self.round.parts.is_empty() {
            return;
        }
        let round = &self.round;
        let peers = self.peers.iter_mut().enumerate();
        let peers = peers.filter_map(|(place, peer)| Some((place, peer.as_mut()?)));
        let registered = peers.filter(|(_, peer)| peer.name.is_some());
        if self.kind == Kind::Write {
            let mut registered = registered.collect::<Vec<_>>();
            for part in &round.parts {
                for (place, peer) in &mut registered {
                    if let Some(chunk) = round.chunk(part, peer.dialect, *place) {
                        peer.push(&[chunk], &self.epoll, *place);
                    }
                }
            }
        } else {
            let all = [Dialect::Plain, Dialect::Rich]
                .map(|dialect| [(Rc::clone(round.frames(dialect)), 0..round.frames(dialect).len())]);
            let [plain, rich] = &all;
            for (place, peer) in registered {
                if std::mem::take(&mut peer.sent) {
                    peer.push(&round.told(peer.dialect, place), &self.epoll, place);
                } else {
                    peer.push(if peer.dialect == Dialect::Plain { plain } else { rich }, &self.epoll, place);
                }
            }
        }
        self.round.clear();
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

impl Peer {
    /// Takes whole packets off the start of `input`. Says how many bytes that were, and whether the
    /// connection goes on.
    fn take(&mut self, input: &mut [u8], place: usize, round: &mut Round, epoll: &OwnedFd) -> (usize, bool) {
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
                wire::TEXT => self.register(payload, place, round, epoll),
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

    fn register(&mut self, packet: &[u8], place: usize, round: &mut Round, epoll: &OwnedFd) {
        let Ok(packet) = str::from_utf8(packet) else { return };
        self.name = wire::field(packet, "client-name").map(|name| name.as_bytes().to_vec());
        let mut answer: Shared = Rc::default();
        if wire::field(packet, "protocol").is_none() {
            round.plain_peers += 1;
            append(&mut answer, &[wire::REGISTER_ACK]);
            let _ = self.stream.write(&answer);
            return;
        }
        round.rich_peers += 1;
        self.dialect = Dialect::Rich;
        let number = |name| wire::field(packet, name).and_then(|number| number.parse::<u64>().ok());
        let newest = round.newest;
        let (after, recovered) = match number("seq") {
            Some(seq) => (seq, r#","recovered":true"#),
            None => (newest - number("history").unwrap_or(0).min(newest), ""),
        };
        let session = format!(r#""session":"{place:026}","epoch":"0000000000000""#);
        let place_in_log = format!(r#","seq":{newest},"after":{after}{recovered}"#);
        let limits = r#","limits":{"packet-bytes":1048576}}"#;
        append(
            &mut answer,
            &[wire::RICH_ACK_START, session.as_bytes(), place_in_log.as_bytes(), limits.as_bytes()],
        );
        let _ = self.stream.write(&answer);
        if let Some(log) = &round.log
            && let Some(start) = log.starts.get(after as usize)
        {
            self.push(&[(Rc::clone(&log.frames), *start..log.frames.len())], epoll, place);
        }
    }

    /// Makes the frames of a message.
    fn forward(&mut self, packet: &[u8], place: usize, round: &mut Round) {
        let Some(content) =
            packet.strip_prefix(wire::MESSAGE_START).and_then(|rest| rest.strip_suffix(wire::PACKET_END))
        else {
            return;
        };
        let (content, id) = match self.dialect {
            Dialect::Plain => (content, None),
            Dialect::Rich => {
                let end = content.len().saturating_sub(Stamp::LENGTH);
                match content[..end].strip_suffix(wire::ID_START) {
                    Some(text) => (text, Some(&content[end..])),
                    None => (content, None),
                }
            }
        };
        round.add(place, self.name.as_deref().unwrap_or_default(), content, id);
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
