//! The whole of it: a room, its fan-out, and a port.

use std::{future::Future, io, net::SocketAddr, sync::Arc, thread};

use tokio::{task::JoinSet, time::timeout};
use tokio_rustls::TlsAcceptor;
use tracing::{info, warn};

use crate::{
    config::{Config, Host},
    connection::Router,
    listener::{Listener, LocalAddress},
    room::{LogBounds, Room, RoomBounds, SessionBounds},
    tls::{self, TlsError},
    token,
};

/// So many random symbols name a log: 65 bits, of which no two should be equal, but nobody gains by guessing.
const EPOCH_SYMBOLS: usize = 13;

/// A router with an open port.
pub struct Server {
    listener: Listener,
    router: Arc<Router>,
}

/// Why a router can't start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// The files that `wss` names can't be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The operating system has no random source.
    #[error("can't make up a name for the log: {0}")]
    Random(#[from] getrandom::Error),
    /// The port can't be had.
    #[error("can't listen on {host}: {source}{}", advice(host, source))]
    Listen {
        /// Where.
        host: Host,
        /// Why not.
        source: io::Error,
    },
}

fn advice(host: &Host, error: &io::Error) -> &'static str {
    match (error.kind(), host) {
        (io::ErrorKind::AddrInUse, _) => "; stop the program that has this port, or choose another `host`",
        (io::ErrorKind::NotFound, Host::Unix(_)) => "; make the folder of the socket first, see `host`",
        (io::ErrorKind::PermissionDenied, Host::Unix(_)) => {
            "; the user that runs the server must be able to write to the folder of the socket, see `host`"
        }
        (io::ErrorKind::PermissionDenied, _) => {
            "; ports below 1024 need a privilege, choose a higher one in `host`"
        }
        (io::ErrorKind::AddrNotAvailable, _) => "; this machine has no such address, see `host`",
        _ => "",
    }
}

impl Server {
    /// Opens the port. From now on clients can connect; they are served by [`Server::run`].
    ///
    /// # Errors
    ///
    /// [`BindError`] says what is wrong and what to do.
    pub async fn bind(config: Config) -> Result<Self, BindError> {
        let tls = config.wss.as_ref().map(tls::server_config).transpose()?.map(TlsAcceptor::from);
        let limits = &config.limits;
        let bounds = RoomBounds {
            log: LogBounds { entries: limits.log_entries, bytes: limits.log_bytes },
            sessions: SessionBounds { retention: limits.session, detached: limits.connections },
        };
        let epoch = token::random(EPOCH_SYMBOLS)?;
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let room = Arc::new(Room::new(bounds, epoch, cores));
        let router = Arc::new(Router::new(room, config.limits.clone(), config.secret_key.clone()));
        let listen_error = |source| BindError::Listen { host: config.host.clone(), source };
        let listener = Listener::bind(&config, router.clone(), tls).await.map_err(listen_error)?;
        Ok(Self { listener, router })
    }

    /// The addresses of the port: what `host` means, with the port that was chosen if that was 0. There may be
    /// several if systemd has opened them.
    pub fn addresses(&self) -> &[LocalAddress] {
        self.listener.addresses()
    }

    /// The address of the port, or of the first one, in TCP.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.addresses().iter().find_map(|address| match address {
            LocalAddress::Tcp(address) => Some(*address),
            LocalAddress::Unix(_) => None,
        })
    }

    /// Serves clients until `shutdown` resolves.
    ///
    /// Then no more connections and messages are taken, what is in the log goes out to whoever can take it,
    /// and connections are closed with 1001; all of that within the limit for it.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let Self { listener, router, .. } = self;
        let mut room = JoinSet::new();
        for shard in 0..router.room.shards() {
            room.spawn(router.room.clone().fan_out(shard));
        }
        room.spawn(router.room.clone().announce());
        let connections = listener.run(shutdown).await;
        info!(connections = connections.len(), "shutting down");
        router.room.close();
        if timeout(router.limits.shutdown, connections.wait()).await.is_err() {
            warn!(connections = connections.len(), "some connections did not close in time");
        }
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("addresses", &self.addresses()).finish_non_exhaustive()
    }
}
