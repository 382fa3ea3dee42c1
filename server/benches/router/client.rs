//! One connection of the generator, and the parser of what it gets.
//!
//! The parser keeps no payload. It looks at the header of a frame and at the stamp in it, skips the rest
//! wherever the reads happen to end, and reports the frame when its last byte is there.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
};

use super::wire::{self, Header, Stamp};

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

/// What came in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// The upgrade was granted.
    Upgraded,
    /// The register was acknowledged.
    Acknowledged,
    /// A whole message.
    Delivery(Stamp),
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
    stamp: Option<Stamp>,
    /// Where in a payload the stamp stands.
    stamp_place: usize,
    out: Vec<u8>,
    written: usize,
}

impl Client {
    /// Connects and asks for the upgrade.
    pub(crate) fn connect(address: SocketAddr, name_length: usize) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut client = Self {
            stream,
            stage: Stage::Upgrading,
            close_code: None,
            discards: false,
            discarded: 0,
            received: 0,
            stalled: false,
            blocked: false,
            partial: Vec::new(),
            skip: 0,
            stamp: None,
            stamp_place: wire::FORWARD_START.len() + name_length + wire::FORWARD_MIDDLE.len(),
            out: wire::UPGRADE.to_vec(),
            written: 0,
        };
        client.flush()?;
        Ok(client)
    }

    /// Registers under a name that needs no escapes.
    pub(crate) fn register(&mut self, name: &str) -> io::Result<bool> {
        let key = wire::SECRET_KEY;
        let packet = format!(r#"{{"action":"register","client-name":"{name}","secret-key":"{key}"}}"#);
        self.stage = Stage::Registering;
        self.send(wire::TEXT, packet.as_bytes())
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
            if let Some(stamp) = self.stamp {
                let count = self.skip.min(input.len());
                *input = &input[count..];
                self.skip -= count;
                if self.skip > 0 {
                    return None;
                }
                self.stamp = None;
                return Some(Arrival::Delivery(stamp));
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
        if header.opcode == wire::TEXT && self.stage == Stage::Registered {
            let place = header.length + self.stamp_place;
            let used = place + Stamp::LENGTH;
            if used > end {
                return Some((bytes.len(), Some(Arrival::Nonsense("a packet that is too short".into()))));
            }
            let stamp = Stamp::read(bytes.get(place..used)?);
            let Some(stamp) = stamp.filter(|_| bytes[header.length..].starts_with(wire::FORWARD_START))
            else {
                let packet = String::from_utf8_lossy(&bytes[header.length..used]).into_owned();
                return Some((bytes.len(), Some(Arrival::Nonsense(packet))));
            };
            self.stamp = Some(stamp);
            self.skip = end - used;
            return Some((used, None));
        }
        let payload = bytes.get(header.length..end)?;
        let arrival = match header.opcode {
            wire::TEXT if payload == wire::REGISTER_ACK => Arrival::Acknowledged,
            wire::PING => Arrival::Ping(payload.to_vec()),
            wire::CLOSE => {
                Arrival::Close(payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code)))
            }
            _ => Arrival::Nonsense(format!("opcode {}: {}", header.opcode, String::from_utf8_lossy(payload))),
        };
        Some((end, Some(arrival)))
    }
}
