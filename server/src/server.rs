//! The whole of it: rooms, and a port.

use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsAcceptor;
use tracing::{info, warn};

use crate::{
    config::{Config, Host},
    halls::Halls,
    listener::{Entrance, Listener},
    tls::{self, TlsError},
};

/// A router with an open port.
pub struct Server {
    listener: Listener,
    local_addr: SocketAddr,
    state: Arc<State>,
}

/// Changes a router while it runs.
#[derive(Clone)]
pub struct Handle(Arc<State>);

struct State {
    /// Where the port was opened.
    host: Host,
    entrance: Arc<Entrance>,
    halls: Mutex<Halls>,
    /// For the whole shutdown.
    shutdown: Mutex<Duration>,
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
    #[error("can't listen on {host}: {source}{}", advice(source))]
    Listen {
        /// Where.
        host: Host,
        /// Why not.
        source: io::Error,
    },
}

fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => "; stop the program that has this port, or choose another `host`",
        io::ErrorKind::PermissionDenied => {
            "; ports below 1024 need a privilege, choose a higher one in `host`"
        }
        io::ErrorKind::AddrNotAvailable => "; this machine has no such address, see `host`",
        _ => "",
    }
}

/// Why a router goes on with the configuration that it has.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReloadError {
    /// The files that `wss` names can't be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The operating system has no random source.
    #[error("can't make up a name for the log: {0}")]
    Random(#[from] getrandom::Error),
}

impl Server {
    /// Opens the port. From now on clients can connect; they are served by [`Server::run`].
    ///
    /// # Errors
    ///
    /// [`BindError`] says what is wrong and what to do.
    pub async fn bind(config: Config) -> Result<Self, BindError> {
        let tls = acceptor(&config)?;
        let mut halls = Halls::default();
        let entrance = Arc::new(Entrance::new(&config, tls, halls.apply(&config)?));
        let listen_error = |source| BindError::Listen { host: config.host.clone(), source };
        let listener = Listener::bind(&config, entrance.clone()).await.map_err(listen_error)?;
        let local_addr = listener.local_addr().map_err(listen_error)?;
        let state = State {
            host: config.host,
            entrance,
            halls: Mutex::new(halls),
            shutdown: Mutex::new(config.limits.shutdown),
        };
        Ok(Self { listener, local_addr, state: Arc::new(state) })
    }

    /// The address of the port: what `host` means, with the port that was chosen if that was 0.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// What changes this router while it runs.
    pub fn handle(&self) -> Handle {
        Handle(self.state.clone())
    }

    /// Serves clients until `shutdown` resolves.
    ///
    /// Then no more connections and messages are taken, what is in the logs goes out to whoever can take it,
    /// and connections are closed with 1001; all of that within the limit for it.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let Self { listener, state, .. } = self;
        let connections = listener.run(shutdown).await;
        info!(connections = connections.len(), "shutting down");
        let chat_logs = {
            let halls = state.halls.lock();
            halls.iter().for_each(|hall| hall.room().close());
            halls.chat_logs()
        };
        chat_logs.close();
        let deadline = Instant::now() + *state.shutdown.lock();
        if timeout_at(deadline, connections.wait()).await.is_err() {
            warn!(connections = connections.len(), "some connections did not close in time");
        }
        if timeout_at(deadline, chat_logs.wait()).await.is_err() {
            warn!(files = chat_logs.len(), "what was said last is not in some chat logs");
        }
    }
}

impl Handle {
    /// Lets another configuration hold, as a whole or not at all. Connections stay, but for those whose key or room
    /// is no more. Returns the fields that have changed and need a restart: for them, all stays as it was.
    ///
    /// # Errors
    ///
    /// [`ReloadError`] says what is wrong. Nothing has changed then.
    pub fn reload(&self, config: &Config) -> Result<Vec<&'static str>, ReloadError> {
        let Self(state) = self;
        let tls = acceptor(config)?;
        // Held to the end: of two that come at once, one comes after the other.
        let mut halls = state.halls.lock();
        let routes = halls.apply(config)?;
        state.entrance.change(config, tls, routes);
        *state.shutdown.lock() = config.limits.shutdown;
        Ok(if config.host == state.host { Vec::new() } else { vec!["host"] })
    }
}

/// What speaks TLS, if it is to be spoken.
fn acceptor(config: &Config) -> Result<Option<TlsAcceptor>, TlsError> {
    Ok(config.wss.as_ref().map(tls::server_config).transpose()?.map(TlsAcceptor::from))
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("local_addr", &self.local_addr).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handle").finish_non_exhaustive()
    }
}
