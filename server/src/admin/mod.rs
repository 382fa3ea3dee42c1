//! The operators' port: whether the router is well, what it does, who is there, and what can be done about it.

mod clients;
mod guard;
mod http;
mod metrics;
mod page;
mod process;
#[cfg(test)]
mod tests;

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwap;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::{
    pin, select,
    sync::Semaphore,
    task::JoinSet,
    time::{sleep, timeout},
};
use tracing::debug;

use crate::{
    address::PeerAddress,
    config::{self, Config, Host, Limits, SecretKey},
    connection::{ByteStream, Failures},
    halls::Halls,
    listener::{Acceptor, Entrance, Lobby, LobbyBounds, LocalAddress, bind_own, bounded_http},
    reloads::Reloads,
};

/// So many connections there are at once. For one more, the oldest has to go.
const MAX_CONNECTIONS: usize = 64;

/// After so long a connection is closed when its request is answered: one that is read slowly does not stay for ever.
const LIFETIME: Duration = Duration::from_mins(10);

/// So long the last answer may take then.
const LAST_ANSWER: Duration = Duration::from_secs(10);

/// So many look at all connections at once; others wait.
const LOOKS: usize = 2;

/// The operators' port, open.
pub(crate) struct Admin {
    acceptor: Acceptor,
    office: Arc<Office>,
}

/// What operators look at.
pub(crate) struct Office {
    halls: Arc<Mutex<Halls>>,
    entrance: Arc<Entrance>,
    reloads: Arc<Mutex<Reloads>>,
    setting: ArcSwap<Setting>,
    started: SystemTime,
    is_closing: AtomicBool,
    lobby: Arc<Lobby>,
    /// Wrong keys.
    failures: Failures,
    looks: Semaphore,
}

/// What the configuration says of the operators' port.
struct Setting {
    host: Host,
    key: Option<SecretKey>,
    limits: Limits,
    /// The port is not to be there any more: nobody is let in.
    is_withdrawn: bool,
}

impl Setting {
    fn new(config: &Config, admin: &config::Admin) -> Self {
        Self { key: admin.key.clone(), ..Self::of(config, admin.host.clone()) }
    }

    /// Without a key.
    fn of(config: &Config, host: Host) -> Self {
        Self { host, key: None, limits: config.limits.clone(), is_withdrawn: false }
    }
}

impl Admin {
    /// Opens the port.
    ///
    /// # Errors
    ///
    /// The address can't be had, or others than this machine could reach it and there is no key.
    pub(crate) async fn bind(
        config: &Config,
        admin: &config::Admin,
        halls: Arc<Mutex<Halls>>,
        entrance: Arc<Entrance>,
        reloads: Arc<Mutex<Reloads>>,
    ) -> io::Result<Self> {
        let acceptor = Acceptor::new(vec![bind_own(&admin.host, &config.limits).await?])?;
        // A name may stand for any address.
        let is_open = |address: &&LocalAddress| match address {
            LocalAddress::Tcp(address) => !address.ip().to_canonical().is_loopback(),
            LocalAddress::Unix(_) => false,
        };
        if admin.key.is_none()
            && let Some(address) = acceptor.addresses().iter().find(is_open)
        {
            return Err(io::Error::other(format!("{address} can be reached by others; set `admin.key`")));
        }
        let office = Office {
            halls,
            entrance,
            reloads,
            setting: ArcSwap::from_pointee(Setting::new(config, admin)),
            started: SystemTime::now(),
            is_closing: AtomicBool::new(false),
            lobby: Arc::default(),
            failures: Failures::default(),
            looks: Semaphore::new(LOOKS),
        };
        Ok(Self { acceptor, office: Arc::new(office) })
    }

    pub(crate) fn address(&self) -> Option<&LocalAddress> {
        self.acceptor.addresses().first()
    }

    pub(crate) fn office(&self) -> &Arc<Office> {
        &self.office
    }

    /// Serves operators, for ever.
    pub(crate) async fn run(mut self) {
        // Those that are left end with this.
        let mut connections = JoinSet::new();
        loop {
            let (socket, address) = self.acceptor.accept().await;
            connections.spawn(self.office.clone().serve(socket, address));
            while connections.try_join_next().is_some() {}
        }
    }
}

impl Office {
    /// Lets the key of another configuration hold. Returns whether that asks for another port, or for none, which
    /// needs a restart.
    pub(crate) fn change(&self, config: &Config) -> bool {
        let now = self.setting.load();
        let (next, needs_restart) = match &config.admin {
            Some(admin) if admin.host == now.host => (Setting::new(config, admin), false),
            // A new key is one that the old one must not outlive. But no key is not for this address: where that is
            // allowed, there may be no need of one.
            Some(admin) => {
                let key = admin.key.clone().or_else(|| now.key.clone());
                (Setting { key, ..Setting::of(config, now.host.clone()) }, true)
            }
            None => (Setting { is_withdrawn: true, ..Setting::of(config, now.host.clone()) }, true),
        };
        self.setting.store(Arc::new(next));
        needs_restart
    }

    /// Notes that the router shuts down.
    pub(crate) fn close(&self) {
        self.is_closing.store(true, Ordering::Relaxed);
    }

    fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::Relaxed)
    }

    /// Serves one connection of an operator, or of who would be one.
    async fn serve(self: Arc<Self>, socket: impl ByteStream, address: PeerAddress) {
        let bounds = LobbyBounds { total: MAX_CONNECTIONS, per_address: MAX_CONNECTIONS + 1 };
        let Ok(place) = self.lobby.enter(address.block(), bounds) else { return };
        let http = bounded_http(&self.setting.load().limits);
        let service = service_fn(|request| Box::pin(self.answer(request, address)));
        let connection = http.serve_connection(TokioIo::new(socket), service);
        pin!(connection);
        let outcome = select! {
            outcome = connection.as_mut() => outcome,
            () = place.evicted() => return,
            () = sleep(LIFETIME) => {
                connection.as_mut().graceful_shutdown();
                timeout(LAST_ANSWER, connection).await.unwrap_or(Ok(()))
            }
        };
        if let Err(error) = outcome {
            debug!(%address, %error, "an operator's connection failed");
        }
    }
}
