//! Follows WebSocket frames through a stream of bytes, by their headers alone (RFC 6455, section 5.2).
//! Pure: no clock, no socket.

/// What a frame's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The last frame of its message.
    pub(super) is_final: bool,
    /// The kind of frame, 0 to 15, known or not.
    pub(super) opcode: u8,
    /// The length of the payload in bytes.
    pub(super) len: u64,
}

impl Header {
    const CLOSE: u8 = 0x8;

    /// Whether this is a control frame: a close, a ping, a pong, or one that is reserved.
    pub(super) fn is_control(self) -> bool {
        self.opcode & 0x8 != 0
    }

    /// Whether this is a close.
    pub(super) fn is_close(self) -> bool {
        self.opcode == Self::CLOSE
    }
}

/// What the scanner came upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A header is complete; its payload begins.
    Header(Header),
    /// A frame is complete.
    End(Header),
}

/// The longest header: two bytes, a 64-bit length and a mask.
const MAX_HEADER: usize = 14;

/// Where in a frame the stream stands.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// In a header, of which so many bytes are there.
    Header(usize),
    /// In a payload, of which so many bytes are missing.
    Payload(Header, u64),
}

/// The scanner.
#[derive(Debug)]
pub(super) struct FrameScanner {
    place: Place,
    header: [u8; MAX_HEADER],
}

impl FrameScanner {
    /// A scanner at the beginning of a frame.
    pub(super) fn new() -> Self {
        Self { place: Place::Header(0), header: [0; MAX_HEADER] }
    }

    /// Goes on to the next event. Takes its bytes off `bytes`, all of them if there is no event in them.
    pub(super) fn next(&mut self, bytes: &mut &[u8]) -> Option<Event> {
        match self.place {
            Place::Header(have) => self.next_header(have, bytes).map(Event::Header),
            Place::Payload(header, missing) => {
                let taken = usize::try_from(missing).map_or(bytes.len(), |missing| missing.min(bytes.len()));
                *bytes = &bytes[taken..];
                let missing = missing - taken as u64;
                self.place = if missing > 0 { Place::Payload(header, missing) } else { Place::Header(0) };
                (missing == 0).then_some(Event::End(header))
            }
        }
    }

    fn next_header(&mut self, mut have: usize, bytes: &mut &[u8]) -> Option<Header> {
        loop {
            if have >= 2 && have == self.header_len() {
                let header = self.parse();
                self.place = Place::Payload(header, header.len);
                return Some(header);
            }
            let (byte, rest) = bytes.split_first()?;
            *bytes = rest;
            self.header[have] = *byte;
            have += 1;
            self.place = Place::Header(have);
        }
    }

    /// The length of the header, by its first two bytes.
    fn header_len(&self) -> usize {
        let mask = if self.header[1] & 0x80 != 0 { 4 } else { 0 };
        let extended = match self.header[1] & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        2 + extended + mask
    }

    fn parse(&self) -> Header {
        let [first, second, extended @ ..] = self.header;
        let big_endian = |bytes: &[u8]| bytes.iter().fold(0, |len, byte| len << 8 | u64::from(*byte));
        let len = match second & 0x7f {
            126 => big_endian(&extended[..2]),
            127 => big_endian(&extended[..8]),
            len => u64::from(len),
        };
        Header { is_final: first & 0x80 != 0, opcode: first & 0x0f, len }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The events in a stream that arrives in pieces of the given sizes.
    fn scan(stream: &[u8], mut sizes: impl Iterator<Item = usize>) -> Vec<Event> {
        let mut scanner = FrameScanner::new();
        let mut events = Vec::new();
        let mut rest = stream;
        while !rest.is_empty() {
            let size = sizes.next().unwrap_or(usize::MAX).clamp(1, rest.len());
            let (mut piece, after) = rest.split_at(size);
            rest = after;
            loop {
                match scanner.next(&mut piece) {
                    Some(event) => events.push(event),
                    None if piece.is_empty() => break,
                    None => panic!("no event, and bytes left"),
                }
            }
        }
        events
    }

    fn frame(is_final: bool, opcode: u8, masked: bool, len: usize) -> Vec<u8> {
        let mut frame = vec![u8::from(is_final) << 7 | opcode];
        let mask_bit = u8::from(masked) << 7;
        match (u8::try_from(len), u16::try_from(len)) {
            (Ok(len @ ..126), _) => frame.push(mask_bit | len),
            (_, Ok(len)) => {
                frame.push(mask_bit | 0x7e);
                frame.extend(len.to_be_bytes());
            }
            _ => {
                frame.push(mask_bit | 0x7f);
                frame.extend((len as u64).to_be_bytes());
            }
        }
        frame.extend(vec![0xff; len + if masked { 4 } else { 0 }]);
        frame
    }

    #[test]
    fn an_endless_frame_does_not_overflow() {
        let mut stream = vec![0x82, 0xff];
        stream.extend([0xff; 12 + 1000]);
        let header = Header { is_final: true, opcode: 2, len: u64::MAX };
        assert_eq!(scan(&stream, std::iter::repeat(7)), [Event::Header(header)]);
    }

    proptest! {
        #[test]
        fn frames_are_found_wherever_the_stream_is_cut(
            frames in prop::collection::vec(
                (any::<bool>(), 0_u8..16, any::<bool>(), prop_oneof![0_usize..130, 65_530_usize..65_540]), 0..8),
            sizes in prop::collection::vec(1_usize..40, 0..300),
        ) {
            let stream = frames.iter().flat_map(|(fin, op, masked, len)| frame(*fin, *op, *masked, *len));
            let expected = frames.iter().flat_map(|(is_final, opcode, _, len)| {
                let header = Header { is_final: *is_final, opcode: *opcode, len: *len as u64 };
                [Event::Header(header), Event::End(header)]
            });
            let found = scan(&stream.collect::<Vec<_>>(), sizes.into_iter());
            prop_assert_eq!(found, expected.collect::<Vec<_>>());
        }
    }
}
