//! A client that sends and reads bytes: well-formed frames or not, when and as far as it likes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream},
    task::{JoinError, JoinHandle},
    time::timeout,
};

use super::harness::{Attached, Faults, message};

pub(super) const FINAL: u8 = 0x80;
pub(super) const CONTINUATION: u8 = 0x0;
pub(super) const TEXT: u8 = 0x1;
pub(super) const BINARY: u8 = 0x2;
pub(super) const CLOSE: u8 = FINAL | 0x8;
pub(super) const PING: u8 = FINAL | 0x9;
pub(super) const PONG: u8 = FINAL | 0xa;

/// How long, in virtual time, something may take that has to come.
const PATIENCE: Duration = Duration::from_secs(1000);

const MASK: [u8; 4] = [0x5a, 0x00, 0xff, 0x21];

/// A frame as clients send them, masked.
pub(super) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
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

/// A message in so many fragments, as equal as they can be.
pub(super) fn fragmented(opcode: u8, payload: &[u8], fragments: usize) -> Vec<u8> {
    let cut = |i: usize| payload.len() * i / fragments;
    let first =
        |i: usize| (if i == 0 { opcode } else { CONTINUATION }) | if i + 1 == fragments { FINAL } else { 0 };
    (0..fragments).flat_map(|i| frame(first(i), &payload[cut(i)..cut(i + 1)])).collect()
}

/// A text message in one frame.
pub(super) fn text(payload: &str) -> Vec<u8> {
    frame(FINAL | TEXT, payload.as_bytes())
}

/// A `client-message` in one frame.
pub(super) fn chat(content: &str) -> Vec<u8> {
    text(&message(content))
}

/// A close frame.
pub(super) fn close(code: u16, reason: &str) -> Vec<u8> {
    frame(CLOSE, &[&code.to_be_bytes(), reason.as_bytes()].concat())
}

/// The client.
pub(super) struct Raw {
    pub(super) stream: DuplexStream,
    pub(super) task: JoinHandle<()>,
    pub(super) faults: Arc<Faults>,
    was_reset: Arc<AtomicBool>,
    writes: Arc<AtomicUsize>,
    /// Bytes that were read and not looked at.
    buffer: Vec<u8>,
}

/// How a connection ended for its client.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct End {
    /// The texts before the end.
    pub(super) texts: Vec<String>,
    /// The code in the server's close frame, if there was one.
    pub(super) code: Option<u16>,
    pub(super) was_reset: bool,
}

impl Raw {
    pub(super) fn new(attached: Attached) -> Self {
        let Attached { stream, task, was_reset, faults, writes } = attached;
        Self { stream, task, faults, was_reset, writes, buffer: Vec::new() }
    }

    pub(super) fn was_reset(&self) -> bool {
        self.was_reset.load(Ordering::Relaxed)
    }

    /// How many writes the server has made.
    pub(super) fn writes(&self) -> usize {
        self.writes.load(Ordering::Relaxed)
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// Sends a text.
    pub(super) async fn say(&mut self, payload: &str) {
        self.send(&text(payload)).await;
    }

    /// Sends a `client-message`.
    pub(super) async fn chat(&mut self, content: &str) {
        self.send(&chat(content)).await;
    }

    /// Takes so many bytes out of the pipe, to be looked at later.
    pub(super) async fn take_bytes(&mut self, len: usize) {
        let before = self.buffer.len();
        self.buffer.resize(before + len, 0);
        self.stream.read_exact(&mut self.buffer[before..]).await.unwrap();
    }

    /// The next frame: its first byte and its payload. `None` at the end of the stream.
    pub(super) async fn next(&mut self) -> Option<(u8, Vec<u8>)> {
        if !self.has_frame().await {
            return None;
        }
        let (first, header, len) = self.header()?;
        let rest = self.buffer.split_off(header + len);
        let payload = std::mem::replace(&mut self.buffer, rest).split_off(header);
        Some((first, payload))
    }

    /// Waits for the next frame. `false` at the end of the stream.
    pub(super) async fn has_frame(&mut self) -> bool {
        loop {
            if self.header().is_some_and(|(_, header, len)| self.buffer.len() >= header + len) {
                return true;
            }
            if self.stream.read_buf(&mut self.buffer).await.unwrap() == 0 {
                assert!(self.buffer.is_empty(), "the stream ends within a frame");
                return false;
            }
        }
    }

    /// The first byte of the frame that begins the buffer, and the lengths of its header and payload.
    fn header(&self) -> Option<(u8, usize, usize)> {
        let (&first, &len) = (self.buffer.first()?, self.buffer.get(1)?);
        let extended = match len {
            126 => 2,
            127 => 8,
            _ => return Some((first, 2, len.into())),
        };
        let bytes = self.buffer.get(2..2 + extended)?;
        Some((first, 2 + extended, bytes.iter().fold(0, |len, byte| len << 8 | usize::from(*byte))))
    }

    /// The next text, pings and pongs passed over.
    pub(super) async fn hear(&mut self) -> String {
        loop {
            match self.next().await {
                Some((0x81, payload)) => return String::from_utf8(payload).unwrap(),
                Some((PING | PONG, _)) => {}
                other => panic!("expected a text, found {other:?}"),
            }
        }
    }

    /// Reads on to the end, without an answer to anything.
    pub(super) async fn end(mut self) -> End {
        let (texts, code) = self.last_words().await;
        self.finish(texts, code).await
    }

    /// Reads on to the server's close, and answers it.
    pub(super) async fn end_politely(mut self) -> End {
        let (texts, code) = self.last_words().await;
        self.part(texts, code).await
    }

    /// Answers the server's close, and looks that it is the end.
    pub(super) async fn part(mut self, texts: Vec<String>, code: Option<u16>) -> End {
        if let Some(code) = code {
            // It may be gone already: if it has seen a close of ours before.
            let _ = self.stream.write_all(&close(code, "")).await;
        }
        self.finish(texts, code).await
    }

    /// The texts up to the close or the end of the stream, and the code of the close.
    pub(super) async fn last_words(&mut self) -> (Vec<String>, Option<u16>) {
        timeout(PATIENCE, self.read_on()).await.expect("an end")
    }

    async fn read_on(&mut self) -> (Vec<String>, Option<u16>) {
        let mut texts = Vec::new();
        loop {
            match self.next().await {
                Some((0x81, payload)) => texts.push(String::from_utf8(payload).unwrap()),
                Some((PING | PONG, _)) => {}
                Some((CLOSE, payload)) => {
                    return (texts, payload.first_chunk().map(|code| u16::from_be_bytes(*code)));
                }
                None => return (texts, None),
                other => panic!("expected no more than texts and a close, found {other:?}"),
            }
        }
    }

    async fn finish(mut self, texts: Vec<String>, code: Option<u16>) -> End {
        assert_eq!(self.next().await, None, "nothing comes behind a close");
        self.ended().await;
        End { texts, code, was_reset: self.was_reset() }
    }

    /// Waits for the connection's task.
    pub(super) async fn ended(&mut self) {
        timeout(PATIENCE, &mut self.task).await.expect("an end").unwrap();
    }

    /// Whether the server has let go of the stream. Reads what there is.
    pub(super) async fn stream_has_ended(&mut self) -> bool {
        timeout(Duration::from_millis(1), async { while self.next().await.is_some() {} }).await.is_ok()
    }

    /// Goes away without a word; waits for the connection's task.
    pub(super) async fn vanish(self) -> Result<(), JoinError> {
        drop(self.stream);
        self.task.await
    }
}
