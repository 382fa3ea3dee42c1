//! What a connection needs of the byte stream below it.

use tokio::io::{AsyncRead, AsyncWrite};

/// A byte stream: TCP, TLS over it, or a pipe in memory.
pub(crate) trait ByteStream: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    /// How many bytes the socket has taken so far. Behind TLS this tells progress where `poll_write` can't,
    /// because it fills a buffer first.
    fn taken(&self) -> u64;

    /// Makes the end of this stream a reset, which leaves nothing behind in the kernel.
    fn reset_on_drop(&self);
}
