//! The port: accepts connections, and leads each through TLS and HTTP to its room.

mod accept;
mod bind;
mod files;
mod forwarded_for;
#[cfg(unix)]
mod handed_over;
mod http;
mod lobby;
mod proxy_header;
mod seats;
mod socket;
#[cfg(unix)]
mod socket_file;
#[cfg(test)]
mod tests;
mod visitor;

use std::{
    future::Future,
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use arc_swap::ArcSwap;
use tokio::{select, sync::Semaphore, time::timeout};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::info;

pub use self::accept::LocalAddress;
pub(crate) use self::{
    accept::Acceptor,
    bind::bind_own,
    http::{Route, bounded_http},
    lobby::{Lobby, LobbyBounds},
};
use self::{
    http::{CROWDED, Entry, HttpEnd, HttpSide, Upgraded},
    seats::{Seat, Seats},
    socket::Socket,
    visitor::Visitor,
};
use crate::{
    address::PeerAddress,
    config::{Config, Limits, TrustedProxies},
    connection::{ByteStream, Candidate, Ending, Member, Peer},
    room::ConnectionId,
    tally::Tally,
};

/// Why connections are refused.
const NO_HEADER: &str = "no PROXY header";
const HEADER_TOO_SLOW: &str = "no PROXY header in time";
const NO_TLS: &str = "no TLS";
const TLS_TOO_SLOW: &str = "no TLS in time";

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
    /// Those that the port was opened with.
    port_limits: Limits,
    lobby: Arc<Lobby>,
    seats: Arc<Seats>,
    refusals: Semaphore,
    next_id: AtomicU64,
    /// How many were refused before they spoke to a room, by reason.
    refused: Tally,
    /// Set when the port closes.
    closed: CancellationToken,
}

/// The way in, in numbers.
#[derive(Clone, Debug)]
pub(crate) struct EntranceFigures {
    /// Connections that the port has accepted.
    pub(crate) accepted: u64,
    /// Connections of any stage that have not registered.
    pub(crate) unregistered: usize,
    /// WebSocket connections, and how many there may be.
    pub(crate) seats: usize,
    pub(crate) most_seats: usize,
    /// How many were refused before they spoke to a room, by reason.
    pub(crate) refused: Vec<(&'static str, u64)>,
}

/// What the configuration says of the way in. A connection finds the setting of the moment at which it comes.
struct Setting {
    tls: Option<TlsAcceptor>,
    http: Arc<HttpSide>,
    proxies: TrustedProxies,
    /// Whether the trusted proxies send a PROXY header.
    proxy_protocol: bool,
    limits: Limits,
}

impl Entrance {
    /// The way into the rooms that the routes lead to.
    pub(crate) fn new(config: &Config, tls: Option<TlsAcceptor>, routes: Vec<Route>) -> Self {
        let seats = Arc::<Seats>::default();
        Self {
            setting: ArcSwap::from_pointee(Setting::new(config, tls, routes, seats.clone())),
            port_limits: config.limits.clone(),
            lobby: Arc::default(),
            seats,
            refusals: Semaphore::new(REFUSALS),
            next_id: AtomicU64::new(1),
            refused: Tally::of(refusals()),
            closed: CancellationToken::new(),
        }
    }

    /// The way in, in numbers.
    pub(crate) fn figures(&self) -> EntranceFigures {
        EntranceFigures {
            accepted: self.next_id.load(Ordering::Relaxed) - 1,
            unregistered: self.lobby.count(),
            seats: self.seats.taken(),
            most_seats: self.setting.load().limits.connections,
            refused: self.refused.counts(),
        }
    }

    /// Lets those who come from now on find another setting.
    pub(crate) fn change(&self, config: &Config, tls: Option<TlsAcceptor>, routes: Vec<Route>) {
        self.setting.store(Arc::new(Setting::new(config, tls, routes, self.seats.clone())));
    }
}

impl Setting {
    fn new(config: &Config, tls: Option<TlsAcceptor>, routes: Vec<Route>, seats: Arc<Seats>) -> Self {
        Self {
            tls,
            http: Arc::new(HttpSide::new(config, routes, seats)),
            proxies: config.trusted_proxies.clone(),
            proxy_protocol: config.proxy_protocol,
            limits: config.limits.clone(),
        }
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
            acceptor: Acceptor::new(bind::bind(&config.host, &config.limits).await?)?,
            entrance,
            connections: TaskTracker::new(),
        })
    }

    /// The addresses of the port.
    pub(crate) fn addresses(&self) -> &[LocalAddress] {
        self.acceptor.addresses()
    }

    /// Accepts connections until `shutdown` resolves. Then the port closes, and so do the connections that
    /// have not registered; those that have are left to the closing of their rooms.
    pub(crate) async fn run(mut self, shutdown: impl Future<Output = ()>) -> TaskTracker {
        let accepting = async {
            loop {
                let (socket, address) = self.acceptor.accept().await;
                self.connections.spawn(self.entrance.clone().serve(socket, address));
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
    async fn serve(self: Arc<Self>, socket: Socket, address: PeerAddress) {
        let id = ConnectionId(self.next_id.fetch_add(1, Ordering::Relaxed));
        info!(connection = id.0, %address, "connected");
        let setting = self.setting.load_full();
        if !socket::are_handed_down(&self.port_limits, &setting.limits) {
            socket.set_options(&setting.limits);
        }
        // What follows is boxed, so that an idle connection's task takes no more memory than it needs.
        let Ok(visitor) = Visitor::enter(&self.lobby, setting, id, address) else {
            let setting = self.setting.load_full();
            return Box::pin(self.refuse(setting, socket, Peer { id, address })).await;
        };
        let (socket, visitor) = if visitor.setting().proxy_protocol && visitor.is_relayed() {
            let Some(introduced) = Box::pin(self.introduce(socket, visitor)).await else { return };
            introduced
        } else {
            (socket, visitor)
        };
        self.lead(socket, visitor).await;
    }

    /// Hears from a proxy whom it connects for.
    async fn introduce(
        &self,
        mut socket: Socket,
        mut visitor: Box<Visitor>,
    ) -> Option<(Socket, Box<Visitor>)> {
        let setting = visitor.setting().clone();
        let limits = &setting.limits;
        let limit = if setting.tls.is_some() { limits.tls_handshake } else { limits.http_request };
        let outcome = select! {
            outcome = timeout(limit, proxy_header::read(&mut socket)) => outcome,
            ending = self.interrupt(&visitor) => {
                self.refused(visitor.peer(), ending.label(), ending);
                return None;
            }
        };
        match outcome {
            Ok(Ok(client)) => {
                if visitor.introduced(client).is_ok() {
                    return Some((socket, visitor));
                }
                let peer = visitor.peer();
                // Its place is given back first: what follows is bounded by itself.
                drop(visitor);
                self.refuse(setting, socket, peer).await;
            }
            Ok(Err(error)) => self.refused(visitor.peer(), NO_HEADER, error),
            Err(_) => self.refused(visitor.peer(), HEADER_TOO_SLOW, HEADER_TOO_SLOW),
        }
        None
    }

    async fn lead(&self, socket: Socket, visitor: Box<Visitor>) {
        let Some(tls) = visitor.setting().tls.clone() else { return self.attend(socket, visitor).await };
        let Some(stream) = Box::pin(self.secure(tls, socket, &visitor)).await else { return };
        self.attend(stream, visitor).await;
    }

    /// Leads a connection through TLS.
    async fn secure(&self, tls: TlsAcceptor, socket: Socket, visitor: &Visitor) -> Option<TlsStream<Socket>> {
        let handshake = timeout(visitor.setting().limits.tls_handshake, tls.accept(socket));
        let outcome = select! {
            outcome = handshake => outcome,
            ending = self.interrupt(visitor) => {
                self.refused(visitor.peer(), ending.label(), ending);
                return None;
            }
        };
        match outcome {
            Ok(Ok(stream)) => return Some(stream),
            Ok(Err(error)) => self.refused(visitor.peer(), NO_TLS, format_args!("no TLS: {error}")),
            Err(_) => self.refused(visitor.peer(), TLS_TOO_SLOW, TLS_TOO_SLOW),
        }
        None
    }

    /// Serves a connection that is ready for HTTP.
    fn attend<S: ByteStream>(&self, stream: S, visitor: Box<Visitor>) -> impl Future<Output = ()> {
        // Here, and not in the future, which would keep a place for the stream to its end.
        let admitted = Box::pin(self.admit(stream, visitor));
        async {
            // What the connection is counted under as long as it lasts.
            let Some((member, _seat)) = admitted.await else { return };
            member.run().await;
        }
    }

    /// Leads a connection through HTTP and registration.
    async fn admit<S: ByteStream>(&self, stream: S, visitor: Box<Visitor>) -> Option<(Member<S>, Seat)> {
        let outcome = select! {
            outcome = visitor.setting().http.upgrade(stream, &visitor, || self.setting.load().http.clone()) => outcome,
            ending = self.interrupt(&visitor) => {
                self.refused(visitor.peer(), ending.label(), ending);
                return None;
            }
        };
        let peer = visitor.peer();
        match outcome {
            Ok(Upgraded { stream, early, entry: Entry { hall, seat } }) => {
                let candidate = Candidate::new(hall, peer, stream, early)?;
                let member = candidate.register(self.interrupt(&visitor)).await?;
                Some((member, seat))
            }
            Err(end @ HttpEnd::Refused(why)) => {
                self.refused(peer, why, end);
                None
            }
            Err(end @ HttpEnd::Crowded) => {
                self.refused(peer, CROWDED, end);
                None
            }
            Err(end) => {
                info!(connection = peer.id.0, address = %peer.address, reason = %end, "disconnected");
                None
            }
        }
    }

    /// Resolves when a connection that has not registered must go.
    async fn interrupt(&self, visitor: &Visitor) -> Ending {
        select! {
            () = self.closed.cancelled() => Ending::GOING_AWAY,
            () = visitor.place().evicted() => Ending::EVICTED,
        }
    }

    /// Tells a peer that its address has too many connections that have not registered.
    async fn refuse(&self, setting: Arc<Setting>, socket: Socket, peer: Peer) {
        self.refused(peer, CROWDED, CROWDED);
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

    fn refused(&self, peer: Peer, label: &'static str, reason: impl std::fmt::Display) {
        info!(connection = peer.id.0, address = %peer.address, %reason, "refused");
        self.refused.count(label);
    }
}

/// Why connections are refused before they speak to a room, as the log has it but for details.
fn refusals() -> impl Iterator<Item = &'static str> {
    let endings = [Ending::GOING_AWAY.label(), Ending::EVICTED.label()];
    let own = [CROWDED, NO_HEADER, HEADER_TOO_SLOW, NO_TLS, TLS_TOO_SLOW];
    own.into_iter().chain(endings).chain(http::REFUSALS)
}
