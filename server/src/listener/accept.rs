//! Accepts connections, whatever happens.

#[cfg(unix)]
use std::path::Path;
use std::{
    fmt,
    future::poll_fn,
    io,
    net::SocketAddr,
    path::PathBuf,
    task::{Context, Poll},
    time::Duration,
};

#[cfg(unix)]
use tokio::net::UnixListener;
use tokio::{
    net::TcpListener,
    time::{Instant, sleep},
};
use tracing::{info, warn};

use super::socket::Socket;
#[cfg(unix)]
use super::socket_file::SocketFile;
use crate::address::PeerAddress;

/// The first pause when the machine has nothing left for another connection, doubled up to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LAST_PAUSE: Duration = Duration::from_secs(1);

/// How often that is said. While connections come and go at the limit, it happens with each of them.
const WARNING_INTERVAL: Duration = Duration::from_mins(1);

/// The address of a port.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LocalAddress {
    /// TCP.
    Tcp(SocketAddr),
    /// A Unix-domain socket; `None` if it has no path.
    Unix(Option<PathBuf>),
}

impl fmt::Display for LocalAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(Some(path)) => write!(f, "unix:{}", path.display()),
            Self::Unix(None) => f.write_str("unix"),
        }
    }
}

/// A listening socket.
#[derive(Debug)]
pub(crate) enum Listening {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix {
        listener: UnixListener,
        /// Removed when the port closes, unless it is another's.
        _file: Option<SocketFile>,
    },
}

impl Listening {
    fn address(&self) -> io::Result<LocalAddress> {
        Ok(match self {
            Self::Tcp(listener) => LocalAddress::Tcp(listener.local_addr()?),
            #[cfg(unix)]
            Self::Unix { listener, .. } => {
                LocalAddress::Unix(listener.local_addr()?.as_pathname().map(Path::to_owned))
            }
        })
    }

    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(Socket, PeerAddress)>> {
        match self {
            Self::Tcp(listener) => {
                listener.poll_accept(cx).map_ok(|(tcp, address)| (Socket::from(tcp), address.into()))
            }
            #[cfg(unix)]
            Self::Unix { listener, .. } => {
                listener.poll_accept(cx).map_ok(|(unix, _)| (Socket::from(unix), PeerAddress::Unix))
            }
        }
    }
}

/// The port: one listening socket, or several.
#[derive(Debug)]
pub(crate) struct Acceptor {
    sockets: Vec<Listening>,
    addresses: Vec<LocalAddress>,
    /// Which socket is asked first next time, so that none keeps the others waiting.
    next: usize,
    /// When it was last said that no connections can be accepted.
    warned_at: Option<Instant>,
}

impl Acceptor {
    pub(crate) fn new(sockets: Vec<Listening>) -> io::Result<Self> {
        let addresses = sockets.iter().map(Listening::address).collect::<io::Result<_>>()?;
        Ok(Self { sockets, addresses, next: 0, warned_at: None })
    }

    /// The addresses of the port.
    pub(crate) fn addresses(&self) -> &[LocalAddress] {
        &self.addresses
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<(Socket, PeerAddress)>> {
        let count = self.sockets.len();
        for at in (self.next..self.next + count).map(|at| at % count) {
            if let Poll::Ready(outcome) = self.sockets[at].poll_accept(cx) {
                self.next = (at + 1) % count;
                return Poll::Ready(outcome);
            }
        }
        Poll::Pending
    }

    /// The next connection.
    ///
    /// Out of descriptors or memory, it waits in the kernel's queue until something is free again.
    pub(crate) async fn accept(&mut self) -> (Socket, PeerAddress) {
        let mut pause = FIRST_PAUSE;
        let mut has_warned = false;
        loop {
            match poll_fn(|cx| self.poll_accept(cx)).await {
                Ok(accepted) => {
                    if has_warned {
                        info!("accepting connections again");
                    }
                    return accepted;
                }
                // The connection ended before it was accepted.
                Err(error) if is_about_the_peer(&error) => {}
                Err(error) => {
                    if self.warned_at.is_none_or(|at| at.elapsed() >= WARNING_INTERVAL) {
                        warn!(%error, "can't accept connections; trying again until it works");
                        self.warned_at = Some(Instant::now());
                        has_warned = true;
                    }
                    sleep(pause).await;
                    pause = (pause * 2).min(LAST_PAUSE);
                }
            }
        }
    }
}

fn is_about_the_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
