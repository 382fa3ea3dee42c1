//! The whole of it: rooms, and a port.

use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_util::task::AbortOnDropHandle;
use tracing::{info, warn};

use crate::{
    admin::{Admin, Office},
    config::{Config, Host},
    halls::Halls,
    listener::{Entrance, Listener, LocalAddress},
    reloads::Reloads,
    tls::{self, TlsError},
};

/// A router with an open port.
pub struct Server {
    listener: Listener,
    admin: Option<Admin>,
    state: Arc<State>,
}

/// Changes a router while it runs.
#[derive(Clone)]
pub struct Handle(Arc<State>);

struct State {
    /// Where the port was opened.
    host: Host,
    entrance: Arc<Entrance>,
    halls: Arc<Mutex<Halls>>,
    /// What operators look at, if they have a port.
    office: Option<Arc<Office>>,
    /// For the whole shutdown.
    shutdown: Mutex<Duration>,
    reloads: Arc<Mutex<Reloads>>,
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
    #[error("can't listen on {host}: {source}{}", advice("host", host, source))]
    Listen {
        /// Where.
        host: Host,
        /// Why not.
        source: io::Error,
    },
    /// The operators' port can't be had.
    #[error("can't listen on {host} for operators: {source}{}", advice("admin.host", host, source))]
    Admin {
        /// Where.
        host: Host,
        /// Why not.
        source: io::Error,
    },
}

/// What to do about a port that can't be had, which the field of this name asks for.
fn advice(field: &str, host: &Host, error: &io::Error) -> String {
    let advice = match (error.kind(), host) {
        (io::ErrorKind::AddrInUse, _) => "stop the program that has this port, or choose another",
        (io::ErrorKind::NotFound, Host::Unix(_)) => "make the folder of the socket first, see",
        (io::ErrorKind::PermissionDenied, Host::Unix(_)) => {
            "the user that runs the server must be able to write to the folder of the socket, see"
        }
        (io::ErrorKind::PermissionDenied, _) => "ports below 1024 need a privilege, choose a higher one in",
        (io::ErrorKind::AddrNotAvailable, _) => "this machine has no such address, see",
        _ => return String::new(),
    };
    format!("; {advice} `{field}`")
}

/// Why a router goes on with the configuration that it has.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReloadError {
    /// It has come too late.
    #[error("the router shuts down")]
    ShuttingDown,
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
        let halls = Arc::new(Mutex::new(halls));
        let reloads = Arc::new(Mutex::new(Reloads::none()));
        let listen_error = |source| BindError::Listen { host: config.host.clone(), source };
        let listener = Listener::bind(&config, entrance.clone()).await.map_err(listen_error)?;
        let admin = match &config.admin {
            None => None,
            Some(admin) => {
                let error = |source| BindError::Admin { host: admin.host.clone(), source };
                let (halls, entrance) = (halls.clone(), entrance.clone());
                Some(Admin::bind(&config, admin, halls, entrance, reloads.clone()).await.map_err(error)?)
            }
        };
        let state = State {
            host: config.host,
            entrance,
            halls,
            office: admin.as_ref().map(|admin| admin.office().clone()),
            shutdown: Mutex::new(config.limits.shutdown),
            reloads,
        };
        Ok(Self { listener, admin, state: Arc::new(state) })
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

    /// The address of the operators' port, if there is one.
    pub fn admin_address(&self) -> Option<&LocalAddress> {
        self.admin.as_ref().and_then(Admin::address)
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
        let Self { listener, admin, state } = self;
        // To the very end, so that the end can be watched too.
        let _watched = admin.map(|admin| AbortOnDropHandle::new(tokio::spawn(admin.run())));
        let connections = listener.run(shutdown).await;
        if let Some(office) = &state.office {
            office.close();
        }
        info!(connections = connections.len(), "shutting down");
        let chat_logs = state.halls.lock().close();
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
        self.try_reload(config).inspect_err(|error| {
            // It is not the configuration's fault.
            if !matches!(error, ReloadError::ShuttingDown) {
                self.count_failed_reload();
            }
        })
    }

    /// Counts a reload that failed before there was a configuration.
    pub fn count_failed_reload(&self) {
        self.0.reloads.lock().fail();
    }

    /// How reloading went so far.
    pub fn reloads(&self) -> Reloads {
        *self.0.reloads.lock()
    }

    fn try_reload(&self, config: &Config) -> Result<Vec<&'static str>, ReloadError> {
        let Self(state) = self;
        let tls = acceptor(config)?;
        // Held to the end: of two that come at once, one comes after the other.
        let mut halls = state.halls.lock();
        if halls.are_closed() {
            return Err(ReloadError::ShuttingDown);
        }
        let routes = halls.apply(config)?;
        state.entrance.change(config, tls, routes);
        halls.abandon_unlisted(config);
        *state.shutdown.lock() = config.limits.shutdown;
        state.reloads.lock().succeed();
        let mut unchanged = Vec::new();
        if config.host != state.host {
            unchanged.push("host");
        }
        let needs_other_port = match &state.office {
            Some(office) => office.change(config),
            None => config.admin.is_some(),
        };
        if needs_other_port {
            unchanged.push("admin.host");
        }
        Ok(unchanged)
    }
}

/// What speaks TLS, if it is to be spoken.
fn acceptor(config: &Config) -> Result<Option<TlsAcceptor>, TlsError> {
    Ok(config.wss.as_ref().map(tls::server_config).transpose()?.map(TlsAcceptor::from))
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("addresses", &self.addresses()).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handle").finish_non_exhaustive()
    }
}
