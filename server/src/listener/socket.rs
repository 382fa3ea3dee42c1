//! Sockets: their options, and the [`ByteStream`] that connections are served on.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use socket2::{SockRef, TcpKeepalive};
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::server::TlsStream;

use crate::{config::Limits, connection::ByteStream};

/// How many bytes the kernel takes for a peer before it can send them.
#[cfg(target_os = "linux")]
const MAX_UNSENT: u32 = 128 * 1024;

/// Sets what every TCP connection needs. On Linux a listener hands these down to the sockets it accepts, which
/// saves the calls for each of them.
pub(super) fn set_options(socket: &SockRef<'_>, limits: &Limits) -> io::Result<()> {
    // Frames are small, and written whole.
    socket.set_tcp_nodelay(true)?;
    // The kernel's own look at a peer that has vanished, for the stages that send no pings.
    let keepalive = TcpKeepalive::new().with_time(whole_seconds(limits.ping));
    socket.set_tcp_keepalive(&keepalive.with_interval(whole_seconds(limits.pong)))?;
    #[cfg(target_os = "linux")]
    {
        socket.set_tcp_user_timeout(Some(limits.ping + limits.pong))?;
        // Without this the kernel takes megabytes for a peer that reads slowly, and then nothing until a third
        // of them is read: minutes, in which that peer looks like one that reads nothing.
        socket.set_tcp_notsent_lowat(MAX_UNSENT)?;
    }
    Ok(())
}

/// Whether the sockets that a listener accepts have the options that they need now, if it was opened with such limits.
pub(super) fn are_handed_down(listener: &Limits, now: &Limits) -> bool {
    cfg!(target_os = "linux") && (listener.ping, listener.pong) == (now.ping, now.pong)
}

/// The kernel counts these in seconds, and takes no 0.
fn whole_seconds(duration: Duration) -> Duration {
    Duration::from_secs(duration.as_secs().max(1))
}

/// A connection that counts what it takes.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: Stream,
    taken: u64,
}

#[derive(Debug)]
enum Stream {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

/// Any kind of connection.
trait Duplex: AsyncRead + AsyncWrite + Unpin {}

impl<T: AsyncRead + AsyncWrite + Unpin> Duplex for T {}

impl From<TcpStream> for Socket {
    fn from(tcp: TcpStream) -> Self {
        Self { stream: Stream::Tcp(tcp), taken: 0 }
    }
}

#[cfg(unix)]
impl From<UnixStream> for Socket {
    fn from(unix: UnixStream) -> Self {
        Self { stream: Stream::Unix(unix), taken: 0 }
    }
}

impl Socket {
    /// Sets its options, where it does not have them from its listener.
    pub(super) fn set_options(&self, limits: &Limits) {
        match &self.stream {
            // If they can't be set, the socket is gone already.
            Stream::Tcp(tcp) => drop(set_options(&tcp.into(), limits)),
            #[cfg(unix)]
            Stream::Unix(_) => {}
        }
    }

    fn stream(self: Pin<&mut Self>) -> Pin<&mut dyn Duplex> {
        match &mut self.get_mut().stream {
            Stream::Tcp(tcp) => Pin::new(tcp),
            #[cfg(unix)]
            Stream::Unix(unix) => Pin::new(unix),
        }
    }

    fn count(&mut self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        let len = ready!(written)?;
        self.taken += len as u64;
        Poll::Ready(Ok(len))
    }
}

impl ByteStream for Socket {
    fn taken(&self) -> u64 {
        self.taken
    }

    fn reset_on_drop(&self) {
        match &self.stream {
            // If it can't be set, the socket is gone already.
            Stream::Tcp(tcp) => drop(SockRef::from(tcp).set_linger(Some(Duration::ZERO))),
            // Nothing is ever left behind.
            #[cfg(unix)]
            Stream::Unix(_) => {}
        }
    }
}

impl ByteStream for TlsStream<Socket> {
    fn taken(&self) -> u64 {
        self.get_ref().0.taken()
    }

    fn reset_on_drop(&self) {
        self.get_ref().0.reset_on_drop();
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream().poll_read(cx, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = self.as_mut().stream().poll_write(cx, bytes);
        self.count(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = self.as_mut().stream().poll_write_vectored(cx, slices);
        self.count(written)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.stream {
            Stream::Tcp(tcp) => tcp.is_write_vectored(),
            #[cfg(unix)]
            Stream::Unix(unix) => unix.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(cx)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn what_is_accepted_has_the_options_of_its_listener() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        set_options(&SockRef::from(&listener), &Limits::default()).unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (accepted, _) = listener.accept().await.unwrap();
        let accepted = SockRef::from(&accepted);
        assert!(accepted.tcp_nodelay().unwrap());
        assert!(accepted.keepalive().unwrap());
        assert_eq!(accepted.tcp_keepalive_time().unwrap(), Duration::from_secs(25));
        assert_eq!(accepted.tcp_user_timeout().unwrap(), Some(Duration::from_secs(35)));
        assert_eq!(accepted.tcp_notsent_lowat().unwrap(), MAX_UNSENT);
        let limits = Limits { ping: Duration::from_mins(1), ..Limits::default() };
        assert!(are_handed_down(&Limits::default(), &Limits::default()));
        assert!(!are_handed_down(&Limits::default(), &limits));
        set_options(&accepted, &limits).unwrap();
        assert_eq!(accepted.tcp_user_timeout().unwrap(), Some(Duration::from_secs(70)));
    }
}
