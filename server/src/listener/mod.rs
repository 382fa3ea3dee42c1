//! The port: accepts connections, and leads each through TLS and HTTP to its room.

mod accept;
mod bind;
mod files;
mod http;
mod lobby;
mod seats;
mod socket;

use std::{
    future::Future,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use arc_swap::ArcSwap;
use tokio::{net::TcpStream, select, sync::Semaphore, time::timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::info;

pub(crate) use self::http::Route;
use self::{
    accept::Acceptor,
    http::{Entry, HttpEnd, HttpSide, Upgraded},
    lobby::{Lobby, LobbyBounds, Place},
    seats::{Seat, Seats},
    socket::Socket,
};
use crate::{
    config::{Config, Limits},
    connection::{ByteStream, Candidate, Ending, Member, Peer},
    room::ConnectionId,
};

/// How many peers are told at once that there is no room for them; the others are just dropped.
const REFUSALS: usize = 64;

/// An open port.
pub(crate) struct Listener {
    acceptor: Acceptor,
    entrance: Arc<Entrance>,
    connections: TaskTracker,
}

/// The way from the port into the rooms.
pub(crate) struct Entrance {
    setting: ArcSwap<Setting>,
    lobby: Arc<Lobby>,
    seats: Arc<Seats>,
    refusals: Semaphore,
    next_id: AtomicU64,
    /// Set when the port closes.
    closed: CancellationToken,
}

/// What the configuration says of the way in. A connection finds the setting of the moment at which it comes.
struct Setting {
    tls: Option<TlsAcceptor>,
    http: HttpSide,
    limits: Limits,
}

impl Entrance {
    /// The way into the rooms that the routes lead to.
    pub(crate) fn new(config: &Config, tls: Option<TlsAcceptor>, routes: Vec<Route>) -> Self {
        let seats = Arc::<Seats>::default();
        Self {
            setting: ArcSwap::from_pointee(Setting::new(config, tls, routes, seats.clone())),
            lobby: Arc::default(),
            seats,
            refusals: Semaphore::new(REFUSALS),
            next_id: AtomicU64::new(1),
            closed: CancellationToken::new(),
        }
    }

    /// Lets those who come from now on find another setting.
    pub(crate) fn change(&self, config: &Config, tls: Option<TlsAcceptor>, routes: Vec<Route>) {
        self.setting.store(Arc::new(Setting::new(config, tls, routes, self.seats.clone())));
    }
}

impl Setting {
    fn new(config: &Config, tls: Option<TlsAcceptor>, routes: Vec<Route>, seats: Arc<Seats>) -> Self {
        Self { tls, http: HttpSide::new(config, routes, seats), limits: config.limits.clone() }
    }

    fn lobby_bounds(&self) -> LobbyBounds {
        LobbyBounds {
            total: self.limits.unregistered_connections,
            per_address: self.limits.unregistered_connections_per_address,
        }
    }
}

impl Listener {
    /// Opens the port.
    ///
    /// # Errors
    ///
    /// The address can't be had.
    pub(crate) async fn bind(config: &Config, entrance: Arc<Entrance>) -> io::Result<Self> {
        Ok(Self {
            acceptor: Acceptor::new(bind::bind(&config.host, &config.limits).await?),
            entrance,
            connections: TaskTracker::new(),
        })
    }

    /// The address of the port.
    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.acceptor.local_addr()
    }

    /// Accepts connections until `shutdown` resolves. Then the port closes, and so do the connections that
    /// have not registered; those that have are left to the closing of their rooms.
    pub(crate) async fn run(mut self, shutdown: impl Future<Output = ()>) -> TaskTracker {
        let accepting = async {
            loop {
                let (tcp, address) = self.acceptor.accept().await;
                self.connections.spawn(self.entrance.clone().serve(tcp, address));
            }
        };
        select! {
            () = accepting => {}
            () = shutdown => {}
        }
        self.entrance.closed.cancel();
        self.connections.close();
        self.connections
    }
}

impl Entrance {
    /// Serves one connection from its first byte to its last.
    async fn serve(self: Arc<Self>, tcp: TcpStream, address: SocketAddr) {
        // IPv4 through a dual-stack socket is IPv4, in the log too.
        let address = SocketAddr::new(address.ip().to_canonical(), address.port());
        let peer = Peer { id: ConnectionId(self.next_id.fetch_add(1, Ordering::Relaxed)), address };
        info!(connection = peer.id.0, %address, "connected");
        let setting = self.setting.load_full();
        if cfg!(not(target_os = "linux")) {
            // If they can't be set, the socket is gone already.
            let _ = socket::set_options(&(&tcp).into(), &setting.limits);
        }
        let socket = Socket::new(tcp);
        // What follows is boxed, so that an idle connection's task takes no more memory than it needs.
        match (self.lobby.enter(address.ip(), setting.lobby_bounds()), setting.tls.clone()) {
            (None, _) => Box::pin(self.refuse(setting, socket, peer)).await,
            (Some(place), None) => self.attend(setting, socket, peer, place).await,
            (Some(place), Some(tls)) => Box::pin(self.attend_tls(setting, tls, socket, peer, place)).await,
        }
    }

    async fn attend_tls(
        &self,
        setting: Arc<Setting>,
        tls: TlsAcceptor,
        socket: Socket,
        peer: Peer,
        place: Place,
    ) {
        let handshake = timeout(setting.limits.tls_handshake, tls.accept(socket));
        let outcome = select! {
            outcome = handshake => outcome,
            ending = self.interrupt(&place) => return refused(peer, ending),
        };
        match outcome {
            Ok(Ok(stream)) => self.attend(setting, stream, peer, place).await,
            Ok(Err(error)) => refused(peer, format_args!("no TLS: {error}")),
            Err(_) => refused(peer, "no TLS in time"),
        }
    }

    async fn attend<S: ByteStream>(&self, setting: Arc<Setting>, stream: S, peer: Peer, place: Place) {
        let admitted = Box::pin(self.admit(setting, stream, peer, place)).await;
        // What the connection is counted under as long as it lasts.
        let Some((member, _seat)) = admitted else { return };
        member.run().await;
    }

    /// Leads a connection through HTTP and registration.
    async fn admit<S: ByteStream>(
        &self,
        setting: Arc<Setting>,
        stream: S,
        peer: Peer,
        place: Place,
    ) -> Option<(Member<S>, Seat)> {
        let outcome = select! {
            outcome = setting.http.upgrade(stream) => outcome,
            ending = self.interrupt(&place) => {
                refused(peer, ending);
                return None;
            }
        };
        match outcome {
            Ok(Upgraded { stream, early, entry: Entry { hall, seat } }) => {
                let candidate = Candidate::new(hall, peer, stream, early)?;
                let member = candidate.register(self.interrupt(&place)).await?;
                Some((member, seat))
            }
            Err(end @ HttpEnd::Refused(_)) => {
                refused(peer, end);
                None
            }
            Err(end) => {
                info!(connection = peer.id.0, address = %peer.address, reason = %end, "disconnected");
                None
            }
        }
    }

    /// Resolves when a connection that has not registered must go.
    async fn interrupt(&self, place: &Place) -> Ending {
        select! {
            () = self.closed.cancelled() => Ending::GOING_AWAY,
            () = place.evicted() => Ending::EVICTED,
        }
    }

    /// Tells a peer that its address has too many connections that have not registered.
    async fn refuse(&self, setting: Arc<Setting>, socket: Socket, peer: Peer) {
        refused(peer, "too many unregistered connections from this address");
        let Ok(_permit) = self.refusals.try_acquire() else { return };
        let limit = setting.limits.http_request;
        let refusal = async {
            match &setting.tls {
                None => setting.http.refuse(socket).await.ok(),
                Some(tls) => setting.http.refuse(tls.accept(socket).await.ok()?).await.ok(),
            }
        };
        // A peer that is not there to be told is none of our concern.
        let _ = timeout(limit, refusal).await;
    }
}

fn refused(peer: Peer, reason: impl std::fmt::Display) {
    info!(connection = peer.id.0, address = %peer.address, %reason, "refused");
}
