//! What one connection has to send that is not in the log: acks, pings, pongs, a close, and the rest of a
//! frame that the socket took only a part of.

#[cfg(test)]
mod tests;

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use tokio::time::Instant;

use super::stream::ByteStream;
use crate::room::{Pass, Piece, Seq, Viewpoint};

/// Beyond so many bytes that wait for a peer that does not read, only the newest pong is kept, as RFC 6455,
/// section 5.5.3, allows.
const MAX_PONG_BACKLOG: usize = 1024;

/// The sending side of a connection. All frames pass through here, so that none begins in the midst of
/// another.
#[derive(Debug)]
pub(super) struct Outlet {
    queue: VecDeque<Bytes>,
    /// The pong that goes out after the queue, where that is long.
    newest_pong: Option<Bytes>,
    /// The socket did not take all that was to be sent.
    blocked: Option<Blocked>,
    /// The last time a blocked socket took something.
    progress_at: Instant,
    sent: Sent,
}

/// What the socket has taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sent {
    /// Entries of the log in the words of others, which were sent or begun.
    pub(super) entries: u64,
    /// Of everything.
    pub(super) bytes: u64,
}

#[derive(Debug)]
struct Blocked {
    since: Instant,
    taken: u64,
}

impl Outlet {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            queue: VecDeque::new(),
            newest_pong: None,
            blocked: None,
            progress_at: now,
            sent: Sent::default(),
        }
    }

    /// Queues a frame. Who calls this bounds how many.
    pub(super) fn push(&mut self, frame: Bytes) {
        self.queue.push_back(frame);
    }

    /// Queues a pong.
    pub(super) fn push_pong(&mut self, frame: Bytes) {
        let backlog = self.queue.iter().map(Bytes::len).sum::<usize>();
        if self.newest_pong.is_some() || backlog >= MAX_PONG_BACKLOG {
            self.newest_pong = Some(frame);
        } else {
            self.queue.push_back(frame);
        }
    }

    /// Queues the last frame, before all those that have not begun: nobody waits for them any more.
    pub(super) fn push_last(&mut self, frame: Bytes) {
        // The front may be in the midst of being sent; it is kept in any case.
        self.queue.truncate(1);
        self.newest_pong = None;
        self.queue.push_back(frame);
    }

    /// Whether the socket would not take more when last tried.
    pub(super) fn is_blocked(&self) -> bool {
        self.blocked.is_some()
    }

    /// Whether nothing is queued.
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// The last time a blocked socket took something, or at first the beginning.
    pub(super) fn progress_at(&self) -> Instant {
        self.progress_at
    }

    /// What the socket has taken so far.
    pub(super) fn sent(&self) -> Sent {
        self.sent
    }

    /// Since when the socket has not taken one byte of what is to be sent.
    pub(super) fn stalled_since(&self) -> Option<Instant> {
        self.blocked.as_ref().map(|blocked| blocked.since)
    }

    /// Sends what is queued.
    pub(super) fn poll_drain<S: ByteStream>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        let result = self.poll_queue(stream, cx);
        self.note(stream, result.is_pending());
        result
    }

    fn poll_queue<S: ByteStream>(&mut self, stream: &mut S, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            while let Some(frame) = self.queue.front_mut() {
                let len = ready!(poll_write(stream, cx, frame))?;
                self.sent.bytes += len as u64;
                frame.advance(len);
                if frame.is_empty() {
                    self.queue.pop_front();
                }
            }
            let Some(pong) = self.newest_pong.take() else { break };
            self.queue.push_back(pong);
        }
        Pin::new(stream).poll_flush(cx)
    }

    /// Sends what `pass` holds beyond `cursor`, which moves on by what was sent or begun. Nothing may be
    /// queued.
    pub(super) fn poll_pass<S: ByteStream>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
        pass: &Pass,
        reader: Viewpoint,
        cursor: &mut Seq,
    ) -> Poll<io::Result<()>> {
        while let Some(piece) = pass.next(reader, *cursor) {
            match piece {
                Piece::Run(run) => {
                    let begin = run.start;
                    let Poll::Ready(len) = poll_write(stream, cx, &pass.bytes(reader.dialect)[run])? else {
                        self.note(stream, true);
                        return Poll::Pending;
                    };
                    self.sent.bytes += len as u64;
                    self.sent.entries += pass.frames_in(reader.dialect, begin..begin + len) as u64;
                    let stop = pass.stop_at(reader.dialect, begin + len);
                    *cursor = stop.cursor;
                    if stop.rest.is_empty() {
                        continue;
                    }
                    self.queue.push_back(stop.rest);
                }
                Piece::Acks { frames, through } => {
                    *cursor = through;
                    self.queue.push_back(frames);
                }
            }
            ready!(self.poll_drain(stream, cx))?;
        }
        *cursor = pass.end().max(*cursor);
        self.poll_drain(stream, cx)
    }

    /// Notes how an attempt to send ended. Only a byte that is taken ends a stall: an attempt that had
    /// nothing to send says nothing about the socket.
    fn note<S: ByteStream>(&mut self, stream: &S, is_pending: bool) {
        if self.blocked.is_none() && !is_pending {
            return;
        }
        let taken = stream.taken();
        let has_progress = self.blocked.as_ref().is_some_and(|blocked| blocked.taken != taken);
        if self.blocked.is_some() && !has_progress {
            return;
        }
        let now = Instant::now();
        if has_progress {
            self.progress_at = now;
        }
        self.blocked = is_pending.then_some(Blocked { since: now, taken });
    }
}

fn poll_write<S: ByteStream>(stream: &mut S, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
    match ready!(Pin::new(stream).poll_write(cx, bytes))? {
        0 => Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
        len => Poll::Ready(Ok(len)),
    }
}
