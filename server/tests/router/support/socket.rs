//! Connections to the router.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use socket2::{SockFilter, SockRef};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf},
    net::{TcpSocket, TcpStream},
};
use tokio_rustls::client::TlsStream;

use super::{Server, Version, within};

/// How to get to the router.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Route {
    /// The client's address. All of 127.0.0.0/8 is this machine, on Linux.
    from: Ipv4Addr,
    /// The kernel's memory for what the client has not read, in bytes; 0 for what is usual.
    receive_buffer: u32,
    version: Version,
}

impl Route {
    pub(crate) const USUAL: Self =
        Self { from: Ipv4Addr::LOCALHOST, receive_buffer: 0, version: Version::Tls13 };

    /// From 127.0.0.`number`.
    pub(crate) fn from(number: u8) -> Self {
        Self { from: Ipv4Addr::new(127, 0, 0, number), ..Self::USUAL }
    }

    /// With little memory for what is not read, so that who stops reading is soon noticed.
    pub(crate) fn narrow() -> Self {
        Self { receive_buffer: 4096, ..Self::USUAL }
    }

    pub(crate) fn by(version: Version) -> Self {
        Self { version, ..Self::USUAL }
    }

    /// Connects by TCP alone.
    pub(crate) async fn dial_tcp(self, server: &Server) -> TcpStream {
        within("a TCP connection", self.try_dial_tcp(server.address())).await.unwrap()
    }

    async fn try_dial_tcp(self, address: SocketAddr) -> io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        if self.receive_buffer > 0 {
            socket.set_recv_buffer_size(self.receive_buffer)?;
        }
        // Where it does not matter, the kernel has more freedom in choosing a port.
        if self.from != Ipv4Addr::LOCALHOST {
            socket.bind((self.from, 0).into())?;
        }
        let stream = socket.connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// Connects as the router wants it, by TCP or TLS.
    pub(crate) async fn dial(self, server: &Server) -> Stream {
        self.dial_behind(server, b"").await
    }

    /// The same, with something said first, before TLS.
    pub(crate) async fn dial_behind(self, server: &Server, first: &[u8]) -> Stream {
        let mut tcp = self.dial_tcp(server).await;
        within("the socket to take what comes first", tcp.write_all(first)).await.unwrap();
        match server.authority() {
            None => Stream::Plain(tcp),
            Some(authority) => {
                let tls = within("a TLS handshake", authority.connect(tcp, self.version)).await;
                Stream::Tls(Box::new(tls))
            }
        }
    }
}

/// A connection, by TCP or TLS.
#[derive(Debug)]
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    pub(crate) fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(tcp) => tcp,
            Self::Tls(tls) => tls.get_ref().0,
        }
    }

    pub(crate) fn into_tcp(self) -> TcpStream {
        match self {
            Self::Plain(tcp) => tcp,
            Self::Tls(tls) => tls.into_inner().0,
        }
    }

    /// Ends it with a TCP reset.
    pub(crate) fn reset(self) {
        self.reset_when_dropped();
    }

    /// Makes this client vanish for the router, as if its cable were pulled: from now on the kernel drops
    /// whatever arrives for this socket, so that nothing is acknowledged and no end is sent. This takes no
    /// privileges, unlike a firewall or a network of its own.
    pub(crate) fn vanish(&self) {
        /// `BPF_RET | BPF_K`: the filter's answer is a constant, which is how many bytes to keep.
        const RETURN: u16 = 0x06;
        SockRef::from(self.tcp()).attach_filter(&[SockFilter::new(RETURN, 0, 0, 0)]).unwrap();
    }

    /// Makes its end a TCP reset.
    pub(crate) fn reset_when_dropped(&self) {
        SockRef::from(self.tcp()).set_linger(Some(Duration::ZERO)).unwrap();
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_read(cx, buffer),
            Self::Tls(tls) => Pin::new(tls).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_write(cx, bytes),
            Self::Tls(tls) => Pin::new(tls).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Self::Tls(tls) => Pin::new(tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Self::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }
}
