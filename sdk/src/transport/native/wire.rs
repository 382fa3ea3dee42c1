//! What a WebSocket is spoken over, TCP or TLS, read ahead while much comes.
//!
//! The library below reads into a buffer that every connection keeps, an idle one too, and so should be small; but to
//! read little at once is slow. So whoever fills that buffer is read into a large one next, which goes again as soon as
//! nothing more is there.

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

/// How much is read ahead, in bytes.
const AHEAD_BYTES: usize = 32 * 1024;

/// TCP or TLS.
pub(super) trait Line: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Line for T {}

/// A line that is read ahead.
pub(super) struct Wire {
    line: Box<dyn Line>,
    /// What was read ahead, and how much of that was taken.
    ahead: Vec<u8>,
    taken: usize,
    /// Whether the last read left more to read, as far as one can tell.
    is_busy: bool,
}

impl Wire {
    pub(super) fn new(line: impl Line + 'static) -> Self {
        Self { line: Box::new(line), ahead: Vec::new(), taken: 0, is_busy: false }
    }

    fn poll_ahead(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.taken = 0;
        self.ahead.clear();
        self.ahead.reserve(AHEAD_BYTES);
        let read = pin!(self.line.read_buf(&mut self.ahead)).poll(cx);
        if read.is_pending() {
            self.is_busy = false;
            self.ahead = Vec::new();
        }
        read.map_ok(|_| ())
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.taken == self.ahead.len() {
            if !self.is_busy {
                ready!(Pin::new(&mut self.line).poll_read(cx, buffer))?;
                self.is_busy = buffer.remaining() == 0;
                return Poll::Ready(Ok(()));
            }
            ready!(self.poll_ahead(cx))?;
        }
        let rest = self.ahead.get(self.taken..).unwrap_or_default();
        let part = rest.get(..buffer.remaining()).unwrap_or(rest);
        buffer.put_slice(part);
        self.taken += part.len();
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.line).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.line).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.line).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncWriteExt, DuplexStream, duplex};

    use super::*;

    fn wire() -> (Wire, DuplexStream) {
        let (line, peer) = duplex(1 << 20);
        (Wire::new(line), peer)
    }

    fn read(wire: &mut Wire, size: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; size];
        let mut buffer = ReadBuf::new(&mut bytes);
        let read = Pin::new(wire).poll_read(&mut Context::from_waker(std::task::Waker::noop()), &mut buffer);
        read.is_ready().then(|| buffer.filled().to_vec())
    }

    #[tokio::test]
    async fn all_of_it_comes_in_order() {
        let (mut wire, mut peer) = wire();
        let mut random = fastrand::Rng::with_seed(7);
        let (mut said, mut heard) = (Vec::new(), Vec::new());
        for _ in 0..200 {
            let size = random.usize(..10_000);
            let more: Vec<u8> = std::iter::repeat_with(|| random.u8(..)).take(size).collect();
            peer.write_all(&more).await.unwrap();
            said.extend(more);
            for _ in 0..random.u8(..20) {
                heard.extend(read(&mut wire, random.usize(1..1000)).unwrap_or_default());
            }
        }
        drop(peer);
        loop {
            match read(&mut wire, 1000) {
                Some(bytes) if !bytes.is_empty() => heard.extend(bytes),
                end => break assert_eq!(end, Some(Vec::new()), "the end is told"),
            }
        }
        assert!(heard == said);
    }

    #[tokio::test]
    async fn what_comes_much_is_read_ahead_and_what_is_idle_keeps_nothing() {
        let (mut wire, mut peer) = wire();
        peer.write_all(&[1; 500]).await.unwrap();
        assert_eq!(read(&mut wire, 1000), Some(vec![1; 500]));
        assert_eq!(read(&mut wire, 1000), None);
        assert_eq!(wire.ahead.capacity(), 0, "little came");
        peer.write_all(&[1; 9000]).await.unwrap();
        for left in [0, 7000, 6000, 5000, 4000, 3000, 2000, 1000, 0] {
            assert_eq!(read(&mut wire, 1000), Some(vec![1; 1000]));
            assert_eq!(wire.ahead.len() - wire.taken, left);
        }
        assert_eq!(read(&mut wire, 1000), None);
        assert_eq!(wire.ahead.capacity(), 0, "it is idle again");
    }
}
