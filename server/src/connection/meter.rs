//! Holds what a peer sends under its bounds, before anything is buffered or parsed. Pure: the time is an
//! argument.
//!
//! A WebSocket library bounds the size of a message, but not what comes without ever completing one: empty
//! fragments, pings, a byte now and then.

use std::time::Duration;

use multichat::protocol::CloseCode;
use tokio::time::Instant;

use super::scanner::{Event, FrameScanner, Header};
use crate::{
    config::Limits,
    rate::{Rate, TokenBucket},
};

/// The largest payload of a control frame, in bytes (RFC 6455, section 5.5).
const MAX_CONTROL_PAYLOAD: u64 = 125;

/// A bound that a peer went beyond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Violation {
    /// A message is larger than allowed.
    #[error("packet too big")]
    TooBig,
    /// A message took too long to arrive.
    #[error("packet too slow")]
    TooSlow,
    /// A message has too many fragments.
    #[error("too many fragments")]
    TooManyFragments,
    /// Too many bytes came without completing a message.
    #[error("too many bytes without a packet")]
    TooManyBytes,
    /// Too many pings, pongs or closes.
    #[error("too many control frames")]
    TooManyControlFrames,
    /// A control frame is fragmented or too long (RFC 6455, section 5.5).
    #[error("malformed control frame")]
    MalformedControlFrame,
}

impl Violation {
    /// What the peer is told.
    pub(super) fn close_code(self) -> CloseCode {
        match self {
            Self::TooBig => CloseCode::TooBig,
            Self::MalformedControlFrame => CloseCode::ProtocolError,
            Self::TooSlow | Self::TooManyFragments | Self::TooManyBytes | Self::TooManyControlFrames => {
                CloseCode::Policy
            }
        }
    }
}

/// The bounds that a [`Meter`] keeps.
#[derive(Debug)]
pub(super) struct MeterBounds {
    /// The largest payload of the first message, in bytes.
    pub(super) first_message_bytes: u64,
    /// The largest payload of any other message.
    pub(super) message_bytes: u64,
    /// From the first byte of a message to its last.
    pub(super) message_time: Duration,
    /// The most frames of a message.
    pub(super) fragments: u32,
    /// The most bytes, headers and control frames included, from the first byte of a message to its last.
    pub(super) raw_bytes: u64,
    /// How many control frames may come.
    pub(super) control_frames: Option<Rate>,
}

impl MeterBounds {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            first_message_bytes: limits.first_packet_bytes as u64,
            message_bytes: limits.packet_bytes as u64,
            message_time: limits.message,
            fragments: limits.message_fragments,
            raw_bytes: limits.raw_bytes() as u64,
            control_frames: limits.control_frames,
        }
    }
}

/// A message, or any frame, of which not all is there.
#[derive(Debug)]
struct Progress {
    since: Instant,
    raw_bytes: u64,
    payload_bytes: u64,
    fragments: u32,
}

/// Meters what one peer sends.
#[derive(Debug)]
pub(super) struct Meter {
    scanner: FrameScanner,
    progress: Option<Progress>,
    control_frames: TokenBucket,
    is_first: bool,
    has_close: bool,
}

impl Meter {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            scanner: FrameScanner::new(),
            progress: None,
            control_frames: TokenBucket::full(now),
            is_first: true,
            has_close: false,
        }
    }

    /// Keeps to other bounds from now on.
    pub(super) fn change(&mut self, bounds: &MeterBounds, now: Instant) {
        self.control_frames.change(bounds.control_frames, now);
    }

    /// Meters bytes that arrived. Returns how many of them are good, and what is wrong with the next one.
    pub(super) fn feed(
        &mut self,
        bytes: &[u8],
        bounds: &MeterBounds,
        now: Instant,
    ) -> (usize, Option<Violation>) {
        let mut rest = bytes;
        loop {
            let before = rest.len();
            let event = self.scanner.next(&mut rest);
            let taken = (before - rest.len()) as u64;
            if let Err(violation) = self.account(taken, event, bounds, now) {
                self.skim(rest);
                return (bytes.len() - before, Some(violation));
            }
            if event.is_none() {
                return (bytes.len(), None);
            }
        }
    }

    fn account(
        &mut self,
        taken: u64,
        event: Option<Event>,
        bounds: &MeterBounds,
        now: Instant,
    ) -> Result<(), Violation> {
        if taken > 0 {
            let progress = self.progress.get_or_insert(Progress {
                since: now,
                raw_bytes: 0,
                payload_bytes: 0,
                fragments: 0,
            });
            progress.raw_bytes += taken;
            if progress.raw_bytes > bounds.raw_bytes {
                return Err(Violation::TooManyBytes);
            }
        }
        match event {
            Some(Event::Header(header)) if header.is_control() => self.begin_control(header, bounds, now),
            Some(Event::Header(header)) => self.begin_fragment(header, bounds),
            Some(Event::End(header)) => {
                self.end_frame(header);
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn begin_control(&mut self, header: Header, bounds: &MeterBounds, now: Instant) -> Result<(), Violation> {
        if !header.is_final || header.len > MAX_CONTROL_PAYLOAD {
            return Err(Violation::MalformedControlFrame);
        }
        let in_rate = bounds.control_frames.is_none_or(|rate| self.control_frames.take(rate, now).is_ok());
        if in_rate { Ok(()) } else { Err(Violation::TooManyControlFrames) }
    }

    fn begin_fragment(&mut self, header: Header, bounds: &MeterBounds) -> Result<(), Violation> {
        let Some(progress) = &mut self.progress else { return Ok(()) };
        let most = if self.is_first { bounds.first_message_bytes } else { bounds.message_bytes };
        progress.payload_bytes = progress.payload_bytes.saturating_add(header.len);
        progress.fragments += 1;
        if progress.payload_bytes > most {
            return Err(Violation::TooBig);
        }
        if progress.fragments > bounds.fragments {
            return Err(Violation::TooManyFragments);
        }
        Ok(())
    }

    fn end_frame(&mut self, header: Header) {
        self.has_close |= header.is_close();
        let ends_message = !header.is_control() && header.is_final;
        let stands_alone = self.progress.as_ref().is_some_and(|progress| progress.fragments == 0);
        if ends_message {
            self.is_first = false;
        }
        if ends_message || stands_alone {
            self.progress = None;
        }
    }

    /// Whether nothing is on its way.
    pub(super) fn is_idle(&self) -> bool {
        self.progress.is_none()
    }

    /// When what is on its way must have arrived, if anything is.
    pub(super) fn deadline(&self, bounds: &MeterBounds) -> Option<Instant> {
        self.progress.as_ref().map(|progress| progress.since + bounds.message_time)
    }

    /// Lets what is on its way have its full time once more.
    pub(super) fn restart_clock(&mut self, now: Instant) {
        if let Some(progress) = &mut self.progress {
            progress.since = now;
        }
    }

    /// Follows bytes that nobody will read, only to see whether there is a close among them.
    pub(super) fn skim(&mut self, mut bytes: &[u8]) {
        while let Some(event) = self.scanner.next(&mut bytes) {
            self.has_close |= matches!(event, Event::End(header) if header.is_close());
        }
    }

    /// Whether the peer has sent a close.
    pub(super) fn has_close(&self) -> bool {
        self.has_close
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const TEXT: u8 = 0x1;
    const CONTINUATION: u8 = 0x0;
    const FINAL: u8 = 0x80;
    const PING: u8 = 0x89;

    fn bounds() -> MeterBounds {
        MeterBounds {
            first_message_bytes: 100,
            message_bytes: 120,
            message_time: 10 * SECOND,
            fragments: 4,
            raw_bytes: 300,
            control_frames: Rate::new(2, SECOND, 3),
        }
    }

    fn frame(first: u8, len: u8) -> Vec<u8> {
        [vec![first, 0x80 | len, 0, 0, 0, 0], vec![0; len.into()]].concat()
    }

    /// Feeds frames one by one; how many passed, and the violation, if any.
    fn feed(frames: &[Vec<u8>]) -> (usize, Option<Violation>) {
        let now = Instant::now();
        let mut meter = Meter::new(now);
        for (i, frame) in frames.iter().enumerate() {
            if let (good, Some(violation)) = meter.feed(frame, &bounds(), now) {
                assert!(good < frame.len());
                return (i, Some(violation));
            }
        }
        (frames.len(), None)
    }

    #[test]
    fn a_message_may_be_as_large_as_its_bound() {
        assert_eq!(feed(&[frame(FINAL | TEXT, 100), frame(FINAL | TEXT, 120)]), (2, None));
        assert_eq!(feed(&[frame(FINAL | TEXT, 101)]), (0, Some(Violation::TooBig)));
        let second = [frame(FINAL | TEXT, 1), frame(FINAL | TEXT, 121)];
        assert_eq!(feed(&second), (1, Some(Violation::TooBig)));
        let fragments = [frame(TEXT, 60), frame(CONTINUATION, 40), frame(FINAL, 1)];
        assert_eq!(feed(&fragments), (2, Some(Violation::TooBig)));
        let endless = vec![TEXT, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];
        assert_eq!(feed(&[frame(TEXT, 1), endless]), (1, Some(Violation::TooBig)));
    }

    #[test]
    fn what_comes_before_a_violation_is_good() {
        let now = Instant::now();
        let stream = [frame(FINAL | TEXT, 5), frame(FINAL | TEXT, 125)].concat();
        let (good, violation) = Meter::new(now).feed(&stream, &bounds(), now);
        assert_eq!((good, violation), (11, Some(Violation::TooBig)), "one message of five bytes");
    }

    #[test]
    fn a_close_is_seen_before_and_after_a_violation() {
        let now = Instant::now();
        let close = frame(0x88, 2);
        let mut meter = Meter::new(now);
        meter.feed(&close[..7], &bounds(), now);
        assert!(!meter.has_close(), "not all of it");
        meter.feed(&close[7..], &bounds(), now);
        assert!(meter.has_close());

        let mut meter = Meter::new(now);
        let stream = [frame(FINAL | TEXT, 101), close].concat();
        assert_eq!(meter.feed(&stream, &bounds(), now), (0, Some(Violation::TooBig)));
        assert!(meter.has_close());
    }

    #[test]
    fn fragments_are_counted_for_each_message() {
        let message = [frame(TEXT, 0), frame(CONTINUATION, 0), frame(CONTINUATION, 0), frame(FINAL, 0)];
        assert_eq!(feed(&vec![message; 20].concat()), (80, None));
        let flood = [vec![frame(TEXT, 0)], vec![frame(CONTINUATION, 0); 10]].concat();
        assert_eq!(feed(&flood), (4, Some(Violation::TooManyFragments)));
    }

    #[test]
    fn control_frames_have_a_rate() {
        let now = Instant::now();
        let mut meter = Meter::new(now);
        let mut ping = |at| meter.feed(&frame(PING, 3), &bounds(), at).1;
        assert_eq!(
            [0, 0, 0, 0].map(|_| ping(now)),
            [None, None, None, Some(Violation::TooManyControlFrames)]
        );
        let too_long = vec![PING, 0xfe, 0, 126, 0, 0, 0, 0];
        assert_eq!(feed(&[too_long]), (0, Some(Violation::MalformedControlFrame)));
        assert_eq!(feed(&[frame(0x9, 1)]), (0, Some(Violation::MalformedControlFrame)), "a fragment");
    }

    #[test]
    fn raw_bytes_count_while_a_message_is_on_its_way() {
        let mut bounds = bounds();
        bounds.control_frames = None;
        let now = Instant::now();
        let mut meter = Meter::new(now);
        for _ in 0..100 {
            assert_eq!(meter.feed(&frame(PING, 100), &bounds, now).1, None, "between messages");
        }
        assert_eq!(meter.feed(&frame(TEXT, 0), &bounds, now).1, None);
        let passed = (0..100).filter(|_| meter.feed(&frame(PING, 100), &bounds, now).1.is_none()).count();
        assert_eq!(passed, 2, "two times 106 and the 6 of the fragment are within 300");
    }

    #[test]
    fn a_message_has_a_deadline_from_its_first_byte() {
        let now = Instant::now();
        let mut meter = Meter::new(now);
        assert_eq!(meter.deadline(&bounds()), None);
        meter.feed(&[FINAL | TEXT], &bounds(), now);
        assert_eq!(meter.deadline(&bounds()), Some(now + 10 * SECOND));
        meter.feed(&[0x81, 0, 0, 0, 0], &bounds(), now + 5 * SECOND);
        assert_eq!(meter.deadline(&bounds()), Some(now + 10 * SECOND), "not from its last");
        meter.feed(&[0], &bounds(), now + 6 * SECOND);
        assert_eq!(meter.deadline(&bounds()), None);
        meter.feed(&frame(PING, 0)[..2], &bounds(), now);
        assert_eq!(meter.deadline(&bounds()), Some(now + 10 * SECOND), "half a ping");
        meter.feed(&frame(PING, 0)[2..], &bounds(), now);
        assert_eq!(meter.deadline(&bounds()), None);
        meter.feed(&frame(TEXT, 1), &bounds(), now);
        meter.feed(&frame(PING, 0), &bounds(), now + SECOND);
        assert_eq!(meter.deadline(&bounds()), Some(now + 10 * SECOND), "a ping between fragments");
    }
}
