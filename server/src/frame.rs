//! Ready-made WebSocket frames, as a server sends them: final and unmasked (RFC 6455, section 5.2), so that
//! one buffer serves every receiver.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use multichat::protocol::CloseCode;

/// The longest header of an unmasked frame: two bytes and a 64-bit length.
const MAX_HEADER: usize = 10;

const FIN: u8 = 0x80;
const TEXT: u8 = 0x1;
const CLOSE: u8 = 0x8;

/// A ping without payload.
pub(crate) const PING: Bytes = Bytes::from_static(&[FIN | 0x9, 0]);

/// A text message in one frame.
pub(crate) fn text(payload: &str) -> Bytes {
    frame(TEXT, payload.as_bytes())
}

/// A text message whose end is not known yet.
#[derive(Debug)]
pub(crate) struct OpenText {
    /// The payload, behind room for the longest header.
    buffer: BytesMut,
}

impl OpenText {
    /// The beginning of a message, with room for `more` bytes.
    pub(crate) fn new(payload: &str, more: usize) -> Self {
        let mut buffer = BytesMut::with_capacity(MAX_HEADER + payload.len() + more);
        buffer.put_bytes(0, MAX_HEADER);
        buffer.put_slice(payload.as_bytes());
        Self { buffer }
    }

    /// The whole message, which ends with `end`, in one frame.
    pub(crate) fn close(mut self, end: &str) -> Bytes {
        self.buffer.put_slice(end.as_bytes());
        let header = Header::new(TEXT, self.buffer.len() - MAX_HEADER);
        let unused = MAX_HEADER - header.as_ref().len();
        self.buffer[unused..MAX_HEADER].copy_from_slice(header.as_ref());
        self.buffer.advance(unused);
        self.buffer.freeze()
    }
}

/// The payload of a text message that was made here; empty if there is no message.
pub(crate) fn payload(text: &[u8]) -> &str {
    let header = match text.get(1) {
        Some(127) => MAX_HEADER,
        Some(126) => 4,
        _ => 2,
    };
    text.get(header..).and_then(|payload| str::from_utf8(payload).ok()).unwrap_or_default()
}

/// A close frame with code and reason.
pub(crate) fn close(code: CloseCode) -> Bytes {
    frame(CLOSE, &[&code.code().to_be_bytes(), code.reason().as_bytes()].concat())
}

/// The answer to a peer's close: the same code, if it gave one (RFC 6455, section 5.5.1).
pub(crate) fn close_answer(code: Option<u16>) -> Bytes {
    code.map_or(frame(CLOSE, &[]), |code| frame(CLOSE, &code.to_be_bytes()))
}

fn frame(opcode: u8, payload: &[u8]) -> Bytes {
    let header = Header::new(opcode, payload.len());
    // Of the exact size: such a buffer is shared without another allocation.
    let mut frame = Vec::with_capacity(header.as_ref().len() + payload.len());
    frame.extend_from_slice(header.as_ref());
    frame.extend_from_slice(payload);
    frame.into()
}

/// The header of a final, unmasked frame.
struct Header {
    bytes: [u8; MAX_HEADER],
    len: usize,
}

impl Header {
    /// With the length of the payload in its shortest form.
    fn new(opcode: u8, payload: usize) -> Self {
        let mut bytes = [0; MAX_HEADER];
        let mut rest = &mut bytes[..];
        rest.put_u8(FIN | opcode);
        match (u8::try_from(payload), u16::try_from(payload)) {
            (Ok(len @ ..126), _) => rest.put_u8(len),
            (_, Ok(len)) => {
                rest.put_u8(126);
                rest.put_u16(len);
            }
            _ => {
                rest.put_u8(127);
                rest.put_u64(payload as u64);
            }
        }
        let len = MAX_HEADER - rest.len();
        Self { bytes, len }
    }
}

impl AsRef<[u8]> for Header {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_written_in_their_shortest_form() {
        for (len, header) in [
            (0, vec![0x81, 0]),
            (125, vec![0x81, 125]),
            (126, vec![0x81, 126, 0, 126]),
            (0xffff, vec![0x81, 126, 0xff, 0xff]),
            (0x1_0000, vec![0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let payload = "x".repeat(len);
            let frame = text(&payload);
            assert_eq!(frame[..header.len()], header);
            assert_eq!(&frame[header.len()..], payload.as_bytes());
            let (begin, end) = payload.split_at(len / 2);
            assert_eq!(OpenText::new(begin, 0).close(end), frame);
            assert_eq!(self::payload(&frame), payload);
        }
    }

    #[test]
    fn a_close_says_why() {
        assert_eq!(close(CloseCode::SlowConsumer)[..], *b"\x88\x0f\x11\xa1slow-consumer");
        assert_eq!(close_answer(Some(1000))[..], *b"\x88\x02\x03\xe8");
        assert_eq!(close_answer(None)[..], *b"\x88\x00");
    }
}
