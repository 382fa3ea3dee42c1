//! The bytes on the wire, for the side that plays the router: frames that are ready-made, with a number in them that
//! changes.
//!
//! The number is in the content's first ten digits; as it begins at a thousand million, its length never changes. The
//! place in the log is the same number, and so are the `id`s that both clients choose, counted from 1.

/// Who speaks, and with which key.
pub(crate) const NAME: &str = "bench";
pub(crate) const KEY: &str = "correct horse";

/// The first number of all.
pub(crate) const FIRST: u64 = 1_000_000_000;
/// How many digits it has.
pub(crate) const DIGITS: usize = 10;
/// A moment as a router tells it, in as many digits.
const TIME: u64 = 1_763_800_000_123;

const TEXT: u8 = 0x1;
pub(crate) const CLOSE: u8 = 0x8;

/// Which of the two dialects the router speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Plain,
    Rich,
}

impl Dialect {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Rich => "rich",
        }
    }

    /// The answer to a `register`.
    pub(crate) fn ack(self) -> String {
        let last = FIRST - 1;
        match self {
            Self::Plain => r#"{"action":"register-ack"}"#.to_owned(),
            Self::Rich => format!(
                r#"{{"action":"register-ack","protocol":2,"session":"k3v9q2m7x4w8t6b5n2c4z3j7fa","epoch":"e7r2p8d4s6h3y","seq":{last},"after":{last},"limits":{{"packet-bytes":1048576}}}}"#
            ),
        }
    }

    /// A message of another client, with a content of `size` bytes that begins with this number.
    fn message(self, number: u64, size: usize) -> String {
        let content = content(number, size);
        let place = match self {
            Self::Plain => String::new(),
            Self::Rich => format!(r#","seq":{number},"time":{TIME}"#),
        };
        format!(
            r#"{{"action":"forwarding-message","source-client-name":"irc","content":"{content}"{place}}}"#
        )
    }
}

/// A content of `size` bytes that begins with this number.
pub(crate) fn content(number: u64, size: usize) -> String {
    let mut content = String::with_capacity(size.max(DIGITS));
    content.push_str(&number.to_string());
    content.push_str(&"x".repeat(size.saturating_sub(DIGITS)));
    content
}

/// The number that a content begins with, counted from 0.
pub(crate) fn number(content: &[u8]) -> Option<u64> {
    let digits = content.get(..DIGITS)?.iter();
    let number = digits.fold(0, |number, digit| number * 10 + u64::from(digit.wrapping_sub(b'0')));
    number.checked_sub(FIRST)
}

/// Appends a whole text message, unmasked.
pub(crate) fn put_text(out: &mut Vec<u8>, payload: &[u8]) {
    out.push(0x80 | TEXT);
    if let Ok(length) = u8::try_from(payload.len())
        && length < 126
    {
        out.push(length);
    } else {
        out.push(126);
        out.extend_from_slice(&u16::try_from(payload.len()).unwrap_or(u16::MAX).to_be_bytes());
    }
    out.extend_from_slice(payload);
}

/// Writes a number over as many digits.
fn overwrite(place: &mut [u8], mut number: u64) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// Frames in which numbers change.
#[derive(Debug)]
pub(crate) struct Template {
    frame: Vec<u8>,
    /// Where the numbers stand.
    places: Vec<usize>,
}

impl Template {
    /// A message of another client.
    pub(crate) fn message(dialect: Dialect, size: usize) -> Self {
        Self::new(&dialect.message(FIRST, size))
    }

    /// The ack of a message; its `id` comes between the two halves.
    pub(crate) fn ack() -> (&'static [u8], Self) {
        let place = format!(r#"","seq":{FIRST},"time":{TIME}}}"#);
        let rest = Self { places: vec![br#"","seq":"#.len()], frame: place.into_bytes() };
        (br#"{"action":"message-ack","id":""#, rest)
    }

    fn new(packet: &str) -> Self {
        let mut frame = Vec::new();
        put_text(&mut frame, packet.as_bytes());
        let header = frame.len() - packet.len();
        let places = packet.match_indices(&FIRST.to_string()).map(|(place, _)| header + place).collect();
        Self { frame, places }
    }

    /// Its bytes, with this number, counted from 0.
    pub(crate) fn fill(&mut self, number: u64) -> &[u8] {
        for place in &self.places {
            overwrite(&mut self.frame[*place..*place + DIGITS], FIRST + number);
        }
        &self.frame
    }
}

/// A frame from a client: whole, and masked.
#[derive(Debug)]
pub(crate) struct Frame<'a> {
    pub(crate) opcode: u8,
    mask: [u8; 4],
    payload: &'a [u8],
    /// How long it is, its header included.
    pub(crate) length: usize,
}

impl<'a> Frame<'a> {
    /// Reads a frame, or nothing while it is not whole.
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        let (first, second) = (*bytes.first()?, *bytes.get(1)?);
        let (payload, header) = match second & 0x7F {
            126 => (usize::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?)), 4),
            127 => (usize::try_from(u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?)).ok()?, 10),
            short => (usize::from(short), 2),
        };
        let mask = *bytes.get(header..)?.first_chunk()?;
        let length = header + 4 + payload;
        Some(Self { opcode: first & 0x0F, mask, payload: bytes.get(header + 4..length)?, length })
    }

    /// Appends some of the payload, unmasked: the rest does not matter, and costs nothing.
    pub(crate) fn unmask(&self, range: std::ops::Range<usize>, out: &mut Vec<u8>) -> Option<()> {
        let masks = self.mask.iter().cycle().skip(range.start % 4);
        out.extend(self.payload.get(range)?.iter().zip(masks).map(|(byte, mask)| byte ^ mask));
        Some(())
    }

    pub(crate) const fn payload_length(&self) -> usize {
        self.payload.len()
    }
}
