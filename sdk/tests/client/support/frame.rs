//! WebSocket frames, byte by byte: the tests also write what no library would.

/// One whole frame of a client.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) opcode: u8,
    pub(crate) payload: Vec<u8>,
}

pub(crate) mod opcode {
    pub(crate) const CONTINUATION: u8 = 0;
    pub(crate) const TEXT: u8 = 1;
    pub(crate) const BINARY: u8 = 2;
    pub(crate) const CLOSE: u8 = 8;
    pub(crate) const PING: u8 = 9;
    pub(crate) const PONG: u8 = 10;
}

/// Reserved bits and an opcode that do not exist.
pub(crate) const GARBAGE: &[u8] = &[0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];

/// A frame of a server, which has no mask.
pub(crate) fn frame(is_last: bool, opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![u8::from(is_last) << 7 | opcode];
    match payload.len() {
        length @ ..126 => bytes.push(u8::try_from(length).unwrap()),
        length @ 126..0x1_0000 => {
            bytes.push(126);
            bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
        length => {
            bytes.push(127);
            bytes.extend(u64::try_from(length).unwrap().to_be_bytes());
        }
    }
    bytes.extend(payload);
    bytes
}

/// A whole text message.
pub(crate) fn text_frame(text: &str) -> Vec<u8> {
    frame(true, opcode::TEXT, text.as_bytes())
}

/// The beginning of a text message, cut off in its middle.
pub(crate) fn half_a_frame(text: &str) -> Vec<u8> {
    let mut bytes = text_frame(text);
    bytes.truncate(bytes.len() - text.len() / 2);
    bytes
}

/// Takes the first frame out of what a client has written, if it is there as a whole.
pub(crate) fn take(bytes: &mut Vec<u8>) -> Option<Frame> {
    let [first, second] = *bytes.first_chunk()?;
    assert_eq!(first & 0xf0, 0x80, "a client of ours sends whole messages, without extensions");
    assert_eq!(second & 0x80, 0x80, "what a client sends is masked");
    let (length, at) = match second & 0x7f {
        126 => (usize::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?)), 4),
        127 => (usize::try_from(u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?)).unwrap(), 10),
        length => (usize::from(length), 2),
    };
    let mask: [u8; 4] = *bytes.get(at..)?.first_chunk()?;
    let payload = bytes.get(at + 4..at + 4 + length)?;
    let payload = payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
    bytes.drain(..at + 4 + length);
    Some(Frame { opcode: first & 0xf, payload })
}
