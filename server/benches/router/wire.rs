//! The bytes on the wire, for the generator and for the yardsticks alike.
//!
//! Only what a benchmark needs: the four packets of the plain dialect and the common ones of the rich, in
//! the spelling that the server uses, frames without fragments, and a stamp at the start of each content
//! that says who sent it, which of theirs it is, and when it was due. In the rich dialect the stamp is the
//! message's `id` as well. It has a fixed width and is read in a few instructions, so that whoever drives
//! the server costs little beside it.

/// The request that asks for the upgrade. Its key is the example of RFC 6455, so that the answer is known.
pub(crate) const UPGRADE: &[u8] = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
/// What `Sec-WebSocket-Accept` must be for it.
pub(crate) const ACCEPT: &[u8] = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
/// The ready-made answer of the yardsticks.
pub(crate) const SWITCHING: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
/// The end of an HTTP head.
pub(crate) const HEAD_END: &[u8] = b"\r\n\r\n";

/// The key that every client registers with.
pub(crate) const SECRET_KEY: &str = "password";
/// The answer to a register.
pub(crate) const REGISTER_ACK: &[u8] = br#"{"action":"register-ack"}"#;
/// Around the content of a message to the server.
pub(crate) const MESSAGE_START: &[u8] = br#"{"action":"client-message","content":""#;
/// Before the name in a message from the server.
pub(crate) const FORWARD_START: &[u8] = br#"{"action":"forwarding-message","source-client-name":""#;
/// Between that name and the content.
pub(crate) const FORWARD_MIDDLE: &[u8] = br#"","content":""#;
/// After the content, either way.
pub(crate) const PACKET_END: &[u8] = br#""}"#;

/// Where a packet says what it is.
pub(crate) const ACTION: usize = br#"{"action":""#.len();
/// The start of the answer to a register in the rich dialect.
pub(crate) const RICH_ACK_START: &[u8] = br#"{"action":"register-ack","protocol":2,"#;
/// Between the content and the id of a message to the server.
pub(crate) const ID_START: &[u8] = br#"","id":""#;
/// Before the id in the ack of a message.
pub(crate) const ACK_START: &[u8] = br#"{"action":"message-ack","id":""#;
/// The start of what is told of another client.
pub(crate) const PRESENCE_START: &[u8] = br#"{"action":"presence","client-name":""#;

/// Which of its two dialects a client speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Dialect {
    #[default]
    Plain,
    Rich,
}

/// The value of the first field of that name, without quotes.
pub(crate) fn field<'a>(packet: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = packet.split_once(&format!("\"{name}\":"))?;
    match rest.strip_prefix('"') {
        Some(rest) => rest.split('"').next(),
        None => rest.split([',', '}']).next(),
    }
}

/// Opcodes of RFC 6455.
pub(crate) const TEXT: u8 = 0x1;
pub(crate) const CLOSE: u8 = 0x8;
pub(crate) const PING: u8 = 0x9;
pub(crate) const PONG: u8 = 0xA;

/// The mask of every frame that a client sends. It need not be secret here, but the server has to undo it.
const MASK: [u8; 4] = [0x5A, 0xC3, 0x1E, 0x87];

/// The start of a frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    pub(crate) opcode: u8,
    /// Length of the header itself, mask included.
    pub(crate) length: usize,
    /// Length of what follows.
    pub(crate) payload: usize,
    pub(crate) mask: Option<[u8; 4]>,
}

impl Header {
    /// Reads a header, or nothing while it is not whole.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (first, second) = (*bytes.first()?, *bytes.get(1)?);
        let (payload, length) = match second & 0x7F {
            126 => (usize::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?)), 4),
            127 => (usize::try_from(u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?)).ok()?, 10),
            short => (usize::from(short), 2),
        };
        let opcode = first & 0x0F;
        if second & 0x80 == 0 {
            return Some(Self { opcode, length, payload, mask: None });
        }
        let mask = *bytes.get(length..)?.first_chunk()?;
        Some(Self { opcode, length: length + 4, payload, mask: Some(mask) })
    }
}

/// Appends the header of an unmasked frame that is a whole message.
pub(crate) fn put_header(out: &mut Vec<u8>, opcode: u8, payload: usize, masked: bool) {
    let bit = if masked { 0x80 } else { 0 };
    out.push(0x80 | opcode);
    if payload < 126 {
        out.push(bit + payload as u8);
    } else if let Ok(short) = u16::try_from(payload) {
        out.push(bit + 126);
        out.extend_from_slice(&short.to_be_bytes());
    } else {
        out.push(bit + 127);
        out.extend_from_slice(&(payload as u64).to_be_bytes());
    }
}

/// Appends a masked frame, as a client must send it.
pub(crate) fn put_masked(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    put_header(out, opcode, payload.len(), true);
    out.extend_from_slice(&MASK);
    let start = out.len();
    out.extend_from_slice(payload);
    apply_mask(&mut out[start..], MASK, 0);
}

/// Masks or unmasks bytes that stand `offset` bytes into their payload.
pub(crate) fn apply_mask(bytes: &mut [u8], mask: [u8; 4], offset: usize) {
    let mut turned = mask;
    turned.rotate_left(offset % 4);
    for chunk in bytes.chunks_mut(4) {
        for (byte, mask) in chunk.iter_mut().zip(turned) {
            *byte ^= mask;
        }
    }
}

/// How long the frame is in which the server forwards a content.
pub(crate) fn forwarded_length(name: usize, content: usize) -> usize {
    let payload = FORWARD_START.len() + name + FORWARD_MIDDLE.len() + content + PACKET_END.len();
    let mut header = Vec::with_capacity(16);
    put_header(&mut header, TEXT, payload, false);
    header.len() + payload
}

/// What a content says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// The place of its sender among the clients.
    pub(crate) sender: u32,
    /// Its number among that sender's messages, from 0.
    pub(crate) number: u32,
    /// When it was due, in nanoseconds of the generator's clock.
    pub(crate) due: u64,
}

impl Stamp {
    /// Its width at the start of a content.
    pub(crate) const LENGTH: usize = 32;

    /// As text: each half byte is a letter from `a` to `p`.
    fn to_text(self) -> [u8; Self::LENGTH] {
        let whole = u128::from(self.sender) << 96 | u128::from(self.number) << 64 | u128::from(self.due);
        let mut text = [0; Self::LENGTH];
        for (place, letter) in text.iter_mut().enumerate() {
            *letter = b'a' + (whole >> (124 - 4 * place) & 0xF) as u8;
        }
        text
    }

    /// Back from text, or nothing if this is not one.
    pub(crate) fn read(text: &[u8]) -> Option<Self> {
        let (sender, rest) = text.split_first_chunk::<8>()?;
        let (number, rest) = rest.split_first_chunk::<8>()?;
        let (high, rest) = rest.split_first_chunk::<8>()?;
        let low = rest.first_chunk::<8>()?;
        let due = u64::from(eight_letters(*high)?) << 32 | u64::from(eight_letters(*low)?);
        Some(Self { sender: eight_letters(*sender)?, number: eight_letters(*number)?, due })
    }
}

/// Eight letters from `a` to `p` as a number, all at once.
fn eight_letters(letters: [u8; 8]) -> Option<u32> {
    let mut halves = u64::from_be_bytes(letters).wrapping_sub(u64::from_be_bytes([b'a'; 8]));
    if halves & 0xF0F0_F0F0_F0F0_F0F0 != 0 {
        return None;
    }
    halves = (halves | halves >> 4) & 0x00FF_00FF_00FF_00FF;
    halves = (halves | halves >> 8) & 0x0000_FFFF_0000_FFFF;
    Some((halves | halves >> 16) as u32)
}

/// A ready-made, masked message to the server in which only the stamp changes.
#[derive(Debug)]
pub(crate) struct Template {
    frame: Vec<u8>,
    /// Where the stamp stands in the frame, and in the payload.
    stamps: Vec<(usize, usize)>,
}

impl Template {
    /// One with a content of `size` bytes, and in the rich dialect with an id.
    pub(crate) fn new(dialect: Dialect, size: usize) -> Self {
        let mut packet = MESSAGE_START.to_vec();
        let mut stamps = vec![packet.len()];
        packet.resize(MESSAGE_START.len() + size.max(Stamp::LENGTH), b'x');
        if dialect == Dialect::Rich {
            packet.extend_from_slice(ID_START);
            stamps.push(packet.len());
            packet.resize(packet.len() + Stamp::LENGTH, b'x');
        }
        packet.extend_from_slice(PACKET_END);
        let mut frame = Vec::new();
        put_masked(&mut frame, TEXT, &packet);
        let header = frame.len() - packet.len();
        Self { frame, stamps: stamps.into_iter().map(|place| (header + place, place)).collect() }
    }

    /// Appends the message with this stamp.
    pub(crate) fn put(&mut self, out: &mut Vec<u8>, stamp: Stamp) {
        let text = stamp.to_text();
        for (place, phase) in &self.stamps {
            let place = &mut self.frame[*place..place + Stamp::LENGTH];
            place.copy_from_slice(&text);
            apply_mask(place, MASK, *phase);
        }
        out.extend_from_slice(&self.frame);
    }
}
