//! WebSocket frames by hand (RFC 6455, section 5.2).

/// A frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// The final bit, the reserved bits and the kind.
    pub(crate) first: u8,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    pub(crate) const FINAL: u8 = 0x80;
    pub(crate) const CONTINUATION: u8 = 0x0;
    /// The beginning of a text.
    pub(crate) const TEXT: u8 = 0x1;
    /// A text in one frame.
    pub(crate) const WHOLE_TEXT: u8 = Self::FINAL | Self::TEXT;
    pub(crate) const WHOLE_BINARY: u8 = Self::FINAL | 0x2;
    pub(crate) const CLOSE: u8 = Self::FINAL | 0x8;
    pub(crate) const PING: u8 = Self::FINAL | 0x9;
    pub(crate) const PONG: u8 = Self::FINAL | 0xa;

    /// Takes a frame of the router off the beginning of `bytes`, if it is whole.
    pub(super) fn take(bytes: &mut Vec<u8>) -> Option<Self> {
        let (&first, &len) = (bytes.first()?, bytes.get(1)?);
        assert_eq!(first & 0x70, 0, "no extension was agreed on");
        assert_eq!(len & 0x80, 0, "a router does not mask its frames");
        let extended = match len {
            126 => bytes.get(2..4)?,
            127 => bytes.get(2..10)?,
            _ => &[],
        };
        let header = 2 + extended.len();
        let len = match extended {
            [] => usize::from(len),
            extended => extended.iter().fold(0, |len, byte| len << 8 | usize::from(*byte)),
        };
        if bytes.len() < header + len {
            return None;
        }
        let payload = bytes[header..header + len].to_vec();
        bytes.drain(..header + len);
        Some(Self { first, payload })
    }
}

/// The bytes of a frame of a client.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [0x12, 0x34, 0xab, 0xcd];
    let mut frame = vec![first];
    match payload.len() {
        len @ ..126 => frame.push(0x80 | u8::try_from(len).unwrap()),
        len @ 126..=0xffff => {
            frame.push(0x80 | 0x7e);
            frame.extend(u16::try_from(len).unwrap().to_be_bytes());
        }
        len => {
            frame.push(0x80 | 0x7f);
            frame.extend((len as u64).to_be_bytes());
        }
    }
    frame.extend(MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}
