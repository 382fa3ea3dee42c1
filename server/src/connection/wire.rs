//! The byte stream as the WebSocket library sees it: what it reads is metered first, and what it writes
//! (pongs) is queued behind what is being sent.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

use super::{
    meter::{Meter, MeterBounds, Violation},
    outlet::Outlet,
    stream::ByteStream,
    traffic::Traffic,
};
use crate::room::{Pass, Seq, Viewpoint};

/// The wire of one connection.
#[derive(Debug)]
pub(super) struct Wire<S> {
    stream: S,
    /// What came with the upgrade request.
    early: Bytes,
    bounds: Arc<MeterBounds>,
    meter: Meter,
    violation: Option<Violation>,
    heard_at: Instant,
    /// How many bytes were read.
    heard_bytes: u64,
    outlet: Outlet,
}

impl<S: ByteStream> Wire<S> {
    pub(super) fn new(stream: S, early: Bytes, bounds: Arc<MeterBounds>) -> Self {
        let now = Instant::now();
        Self {
            stream,
            early,
            bounds,
            meter: Meter::new(now),
            violation: None,
            heard_at: now,
            heard_bytes: 0,
            outlet: Outlet::new(now),
        }
    }

    /// Holds the peer under these bounds from now on.
    pub(super) fn set_bounds(&mut self, bounds: Arc<MeterBounds>) {
        self.meter.change(&bounds, Instant::now());
        self.bounds = bounds;
    }

    /// The stream below.
    pub(super) fn stream(&mut self) -> &mut S {
        &mut self.stream
    }

    /// What is to be sent.
    pub(super) fn outlet(&mut self) -> &mut Outlet {
        &mut self.outlet
    }

    /// What went over the wire, but for messages that came, which it does not know.
    pub(super) fn traffic(&self) -> Traffic {
        let sent = self.outlet.sent();
        Traffic {
            sent_messages: sent.entries,
            sent_bytes: sent.bytes,
            received_messages: 0,
            received_bytes: self.heard_bytes,
        }
    }

    /// The last time that the peer gave a sign of life: bytes from it, or bytes that a full socket let go.
    pub(super) fn alive_at(&self) -> Instant {
        self.heard_at.max(self.outlet.progress_at())
    }

    /// Whether all that was read are whole messages.
    pub(super) fn is_between_messages(&self) -> bool {
        self.meter.is_idle() && self.violation.is_none()
    }

    /// Counts the time up to now as none in which the peer could have been heard.
    pub(super) fn excuse_silence(&mut self, now: Instant) {
        self.heard_at = now;
        self.meter.restart_clock(now);
    }

    /// When what the peer is in the midst of sending must have arrived.
    pub(super) fn message_deadline(&self) -> Option<Instant> {
        self.meter.deadline(&self.bounds)
    }

    /// Sends what is queued.
    pub(super) fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outlet.poll_drain(&mut self.stream, cx)
    }

    /// Sends what a pass holds beyond the cursor; see [`Outlet::poll_pass`].
    pub(super) fn poll_pass(
        &mut self,
        cx: &mut Context<'_>,
        pass: &Pass,
        reader: Viewpoint,
        cursor: &mut Seq,
    ) -> Poll<io::Result<()>> {
        self.outlet.poll_pass(&mut self.stream, cx, pass, reader, cursor)
    }

    /// Reads and drops what the peer sends until it has sent a close, or sends nothing more.
    pub(super) fn poll_await_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut buffer = [0; 2048];
        while !self.meter.has_close() {
            let mut buffer = ReadBuf::new(&mut buffer);
            ready!(self.poll_bytes(cx, &mut buffer))?;
            if buffer.filled().is_empty() {
                break;
            }
            self.meter.skim(buffer.filled());
        }
        Poll::Ready(Ok(()))
    }

    fn poll_bytes(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.early.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, buffer);
        }
        let early = self.early.split_to(self.early.len().min(buffer.remaining()));
        buffer.put_slice(&early);
        Poll::Ready(Ok(()))
    }
}

impl<S: ByteStream> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if let Some(violation) = this.violation {
            return Poll::Ready(Err(io::Error::other(violation)));
        }
        let before = buffer.filled().len();
        ready!(this.poll_bytes(cx, buffer))?;
        let now = Instant::now();
        this.heard_at = now;
        this.heard_bytes += (buffer.filled().len() - before) as u64;
        let (good, violation) = this.meter.feed(&buffer.filled()[before..], &this.bounds, now);
        this.violation = violation;
        match violation {
            // What came before the violation is still read.
            Some(violation) if good == 0 => return Poll::Ready(Err(io::Error::other(violation))),
            Some(_) => buffer.set_filled(before + good),
            None => {}
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: ByteStream> AsyncWrite for Wire<S> {
    /// Takes the pongs of the library, each whole, so that its frames and ours do not mix. It writes nothing
    /// else: see [`WebSocketConfig`](tokio_tungstenite::tungstenite::protocol::WebSocketConfig) where the
    /// connection begins.
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.outlet.push_pong(Bytes::copy_from_slice(bytes));
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The connection's task drains the queue.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
