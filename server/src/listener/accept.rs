//! Accepts connections, whatever happens.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    time::{Instant, sleep},
};
use tracing::{info, warn};

/// The first pause when the machine has nothing left for another connection, doubled up to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LAST_PAUSE: Duration = Duration::from_secs(1);

/// How often that is said. While connections come and go at the limit, it happens with each of them.
const WARNING_INTERVAL: Duration = Duration::from_mins(1);

/// A listening socket.
#[derive(Debug)]
pub(crate) struct Acceptor {
    socket: TcpListener,
    /// When it was last said that no connections can be accepted.
    warned_at: Option<Instant>,
}

impl Acceptor {
    pub(crate) fn new(socket: TcpListener) -> Self {
        Self { socket, warned_at: None }
    }

    /// The address of the port.
    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// The next connection.
    ///
    /// Out of descriptors or memory, it waits in the kernel's queue until something is free again.
    pub(crate) async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        let mut pause = FIRST_PAUSE;
        let mut has_warned = false;
        loop {
            match self.socket.accept().await {
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
