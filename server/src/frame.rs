//! Ready-made WebSocket frames, as a server sends them: final and unmasked (RFC 6455, section 5.2), so that
//! one buffer serves every receiver.

use bytes::{BufMut, Bytes, BytesMut};
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

/// A close frame with code and reason.
pub(crate) fn close(code: CloseCode) -> Bytes {
    frame(CLOSE, &[&code.code().to_be_bytes(), code.reason().as_bytes()].concat())
}

/// The answer to a peer's close: the same code, if it gave one (RFC 6455, section 5.5.1).
pub(crate) fn close_answer(code: Option<u16>) -> Bytes {
    code.map_or(frame(CLOSE, &[]), |code| frame(CLOSE, &code.to_be_bytes()))
}

fn frame(opcode: u8, payload: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(payload.len() + MAX_HEADER);
    frame.put_u8(FIN | opcode);
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(len @ ..126), _) => frame.put_u8(len),
        (_, Ok(len)) => {
            frame.put_u8(126);
            frame.put_u16(len);
        }
        _ => {
            frame.put_u8(127);
            frame.put_u64(payload.len() as u64);
        }
    }
    frame.put_slice(payload);
    frame.freeze()
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
        }
    }

    #[test]
    fn a_close_says_why() {
        assert_eq!(close(CloseCode::SlowConsumer)[..], *b"\x88\x0f\x11\xa1slow-consumer");
        assert_eq!(close_answer(Some(1000))[..], *b"\x88\x02\x03\xe8");
        assert_eq!(close_answer(None)[..], *b"\x88\x00");
    }
}
