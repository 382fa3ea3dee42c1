//! One connection of the generator, and the parser of what it gets.
//!
//! The parser keeps no payload. It looks at the header of a frame and at the stamp in it, skips the rest
//! wherever the reads happen to end, and reports the frame when its last byte is there.

use std::{
    fmt::Write as _,
    io::{self, ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
};

use super::wire::{self, Dialect, Header, Stamp};

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Has asked for the upgrade.
    Upgrading,
    /// Has sent its register.
    Registering,
    /// Has its ack.
    Registered,
    /// The connection is over.
    Ended,
}

/// What a client asks for when it registers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ask {
    pub(crate) dialect: Dialect,
    /// The rest is for the rich dialect.
    pub(crate) history: u32,
    pub(crate) resume: Option<Session>,
    pub(crate) presence: bool,
}

impl Ask {
    /// The rich dialect and nothing else.
    pub(crate) fn rich() -> Self {
        Self { dialect: Dialect::Rich, ..Self::default() }
    }

    /// News of other clients.
    pub(crate) fn presence() -> Self {
        Self { presence: true, ..Self::rich() }
    }

    /// So many entries of what was said before.
    pub(crate) fn history(entries: u32) -> Self {
        Self { history: entries, ..Self::rich() }
    }

    fn register(&self, name: &str) -> String {
        let key = wire::SECRET_KEY;
        let mut packet = format!(r#"{{"action":"register","client-name":"{name}","secret-key":"{key}""#);
        if self.dialect == Dialect::Rich {
            packet.push_str(r#","protocol":2"#);
        }
        if self.history > 0 {
            let _ = write!(packet, r#","history":{}"#, self.history);
        }
        if let Some(Session { name, epoch, seq, .. }) = &self.resume {
            let _ = write!(packet, r#","resume":{{"session":"{name}","epoch":"{epoch}","seq":{seq}}}"#);
        }
        if self.presence {
            packet.push_str(r#","presence":true"#);
        }
        packet.push('}');
        packet
    }
}

/// What a client is told when it registers in the rich dialect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    name: String,
    epoch: String,
    /// The newest entry.
    pub(crate) seq: u64,
    /// Whether what it has missed follows.
    pub(crate) recovered: bool,
}

impl Session {
    fn read(packet: &[u8]) -> Option<Self> {
        let packet = str::from_utf8(packet).ok()?;
        Some(Self {
            name: wire::field(packet, "session")?.into(),
            epoch: wire::field(packet, "epoch")?.into(),
            seq: wire::field(packet, "seq")?.parse().ok()?,
            recovered: wire::field(packet, "recovered") == Some("true"),
        })
    }
}

/// What came in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// The upgrade was granted.
    Upgraded,
    /// The register was acknowledged.
    Acknowledged(Option<Session>),
    /// A whole message.
    Delivery(Stamp),
    /// The ack of an own one.
    Ack(Stamp),
    /// News of the client with this number in its name, in so many bytes.
    Presence { client: usize, bytes: usize },
    /// A ping with its payload.
    Ping(Vec<u8>),
    /// A close with its code, 1005 if it has none.
    Close(u16),
    /// Something that should not be there.
    Nonsense(String),
}

/// A connection.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    pub(crate) stage: Stage,
    /// What it asks for.
    pub(crate) ask: Ask,
    /// What it got, in the rich dialect.
    pub(crate) session: Option<Session>,
    /// The code of the close frame that came.
    pub(crate) close_code: Option<u16>,
    /// Whether it just counts bytes (see the row about both cores).
    pub(crate) discards: bool,
    /// Bytes that came, while it discards.
    pub(crate) discarded: u64,
    /// Whole messages that came.
    pub(crate) received: u64,
    /// Whether it has stopped reading.
    pub(crate) stalled: bool,
    /// Whether it waits until it can write on.
    pub(crate) blocked: bool,
    /// The start of a frame, or of the HTTP answer, that is not long enough to be understood.
    partial: Vec<u8>,
    /// Payload still to come of the frame whose stamp is known.
    skip: usize,
    /// The message or the ack that this is.
    stamped: Option<Arrival>,
    /// Where in the payload of a message the stamp stands.
    stamp_place: usize,
    out: Vec<u8>,
    written: usize,
}

impl Client {
    /// Connects and asks for the upgrade.
    pub(crate) fn connect(address: SocketAddr, name_length: usize, ask: Ask) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut client = Self {
            stream,
            stage: Stage::Upgrading,
            ask,
            session: None,
            close_code: None,
            discards: false,
            discarded: 0,
            received: 0,
            stalled: false,
            blocked: false,
            partial: Vec::new(),
            skip: 0,
            stamped: None,
            stamp_place: wire::FORWARD_START.len() + name_length + wire::FORWARD_MIDDLE.len(),
            out: wire::UPGRADE.to_vec(),
            written: 0,
        };
        client.flush()?;
        Ok(client)
    }

    /// Registers under a name that needs no escapes.
    pub(crate) fn register(&mut self, name: &str) -> io::Result<bool> {
        self.stage = Stage::Registering;
        self.send(wire::TEXT, self.ask.register(name).as_bytes())
    }

    /// Sends a frame. Says whether all is written.
    pub(crate) fn send(&mut self, opcode: u8, payload: &[u8]) -> io::Result<bool> {
        wire::put_masked(&mut self.out, opcode, payload);
        self.flush()
    }

    /// Where frames are put that the next [`flush`](Self::flush) writes.
    pub(crate) fn out(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// Writes what is to be written. Says whether that was all.
    pub(crate) fn flush(&mut self) -> io::Result<bool> {
        while self.written < self.out.len() {
            match self.stream.write(&self.out[self.written..]) {
                Ok(count) => self.written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        self.out.clear();
        self.written = 0;
        Ok(true)
    }

    /// One read; 0 if there is nothing now. The end of the connection, in whatever way, ends the stage.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> usize {
        let result = if self.discards {
            // The kernel throws the bytes away without a copy.
            let flags = rustix::net::RecvFlags::TRUNC;
            rustix::net::recv(&self.stream, buffer, flags).map(|(_, count)| count).map_err(io::Error::from)
        } else {
            self.stream.read(buffer)
        };
        match result {
            Ok(count) if count > 0 => count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
            _ => {
                self.stage = Stage::Ended;
                0
            }
        }
    }

    /// The next thing that is whole, out of what was read.
    pub(crate) fn next_arrival(&mut self, input: &mut &[u8]) -> Option<Arrival> {
        loop {
            if self.stamped.is_some() {
                let count = self.skip.min(input.len());
                *input = &input[count..];
                self.skip -= count;
                if self.skip > 0 {
                    return None;
                }
                return self.stamped.take();
            }
            if input.is_empty() {
                return None;
            }
            if !self.partial.is_empty() {
                // Rare: one byte at a time is good enough.
                self.partial.push(input[0]);
                *input = &input[1..];
                let partial = std::mem::take(&mut self.partial);
                match self.understand(&partial) {
                    None => self.partial = partial,
                    Some((used, arrival)) => {
                        debug_assert_eq!(used, partial.len(), "understood as soon as it can be");
                        if arrival.is_some() {
                            return arrival;
                        }
                    }
                }
                continue;
            }
            match self.understand(input) {
                None => {
                    self.partial.extend_from_slice(input);
                    *input = &[];
                }
                Some((used, arrival)) => {
                    *input = &input[used..];
                    if arrival.is_some() {
                        return arrival;
                    }
                }
            }
        }
    }

    /// Understands the start of `bytes`: how many it used and what they say. A message says nothing yet:
    /// its stamp is kept until the rest of it has come. `None` if there are too few bytes.
    fn understand(&mut self, bytes: &[u8]) -> Option<(usize, Option<Arrival>)> {
        if self.stage == Stage::Upgrading {
            let end = bytes.windows(4).position(|four| four == wire::HEAD_END)? + 4;
            let granted = bytes.starts_with(b"HTTP/1.1 101 ")
                && bytes[..end].windows(wire::ACCEPT.len()).any(|part| part == wire::ACCEPT);
            let answer = || Arrival::Nonsense(String::from_utf8_lossy(&bytes[..end]).into_owned());
            return Some((end, Some(if granted { Arrival::Upgraded } else { answer() })));
        }
        let header = Header::read(bytes)?;
        let end = header.length + header.payload;
        let is_told = header.opcode == wire::TEXT && self.stage == Stage::Registered;
        let is_rich = self.ask.dialect == Dialect::Rich;
        let action = if is_told { *bytes.get(header.length + wire::ACTION)? } else { 0 };
        if is_told && action != b'p' {
            let is_ack = is_rich && action == b'm';
            let (start, place) = if is_ack {
                (wire::ACK_START, wire::ACK_START.len())
            } else {
                (wire::FORWARD_START, self.stamp_place)
            };
            let used = header.length + place + Stamp::LENGTH;
            if used > end {
                let packet = String::from_utf8_lossy(bytes.get(header.length..end)?).into_owned();
                return Some((bytes.len(), Some(Arrival::Nonsense(packet))));
            }
            let stamp = Stamp::read(bytes.get(header.length + place..used)?);
            let Some(stamp) = stamp.filter(|_| bytes[header.length..].starts_with(start)) else {
                let packet = String::from_utf8_lossy(&bytes[header.length..used]).into_owned();
                return Some((bytes.len(), Some(Arrival::Nonsense(packet))));
            };
            self.stamped = Some(if is_ack { Arrival::Ack(stamp) } else { Arrival::Delivery(stamp) });
            self.skip = end - used;
            return Some((used, None));
        }
        let payload = bytes.get(header.length..end)?;
        let arrival = match header.opcode {
            wire::TEXT if is_told && is_rich && payload.starts_with(wire::PRESENCE_START) => {
                let name = &payload[wire::PRESENCE_START.len()..];
                let number = str::from_utf8(name).ok().and_then(|name| name.split(['-', '"']).nth(1));
                match number.and_then(|number| number.parse().ok()) {
                    Some(client) => Arrival::Presence { client, bytes: end },
                    None => Arrival::Nonsense(String::from_utf8_lossy(payload).into_owned()),
                }
            }
            wire::TEXT if !is_told && is_rich && payload.starts_with(wire::RICH_ACK_START) => {
                let session = Session::read(payload);
                let is_good = session.as_ref().is_some_and(|got| got.recovered == self.ask.resume.is_some());
                let packet = || Arrival::Nonsense(String::from_utf8_lossy(payload).into_owned());
                if is_good { Arrival::Acknowledged(session) } else { packet() }
            }
            wire::TEXT if !is_told && !is_rich && payload == wire::REGISTER_ACK => {
                Arrival::Acknowledged(None)
            }
            wire::PING => Arrival::Ping(payload.to_vec()),
            wire::CLOSE => {
                Arrival::Close(payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code)))
            }
            _ => Arrival::Nonsense(format!("opcode {}: {}", header.opcode, String::from_utf8_lossy(payload))),
        };
        Some((end, Some(arrival)))
    }
}
