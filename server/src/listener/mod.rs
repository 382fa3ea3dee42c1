//! The port: accepts connections, and leads each through TLS and HTTP to its room.

mod accept;
mod bind;
mod files;
mod http;
mod lobby;
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

use tokio::{
    net::TcpStream,
    select,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::info;

use self::{
    accept::Acceptor,
    http::{HttpEnd, HttpSide, Upgraded},
    lobby::{Lobby, Place},
    socket::Socket,
};
use crate::{
    config::Config,
    connection::{ByteStream, Candidate, Ending, Member, Peer, Router},
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

/// The way from the port into the room.
struct Entrance {
    router: Arc<Router>,
    tls: Option<TlsAcceptor>,
    http: HttpSide,
    lobby: Arc<Lobby>,
    refusals: Semaphore,
    next_id: AtomicU64,
    /// Set when the port closes.
    closed: CancellationToken,
}

impl Listener {
    /// Opens the port.
    ///
    /// # Errors
    ///
    /// The address can't be had.
    pub(crate) async fn bind(
        config: &Config,
        router: Arc<Router>,
        tls: Option<TlsAcceptor>,
    ) -> io::Result<Self> {
        let limits = &config.limits;
        let entrance = Entrance {
            router,
            tls,
            http: HttpSide::new(config),
            lobby: Arc::new(Lobby::new(
                limits.unregistered_connections,
                limits.unregistered_connections_per_address,
            )),
            refusals: Semaphore::new(REFUSALS),
            next_id: AtomicU64::new(1),
            closed: CancellationToken::new(),
        };
        Ok(Self {
            acceptor: Acceptor::new(bind::bind(&config.host, limits).await?),
            entrance: Arc::new(entrance),
            connections: TaskTracker::new(),
        })
    }

    /// The address of the port.
    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.acceptor.local_addr()
    }

    /// Accepts connections until `shutdown` resolves. Then the port closes, and so do the connections that
    /// have not registered; those that have are left to the closing of their room.
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
        if cfg!(not(target_os = "linux")) {
            // If they can't be set, the socket is gone already.
            let _ = socket::set_options(&(&tcp).into(), &self.router.limits);
        }
        let socket = Socket::new(tcp);
        // What follows is boxed, so that an idle connection's task takes no more memory than it needs.
        match (self.lobby.enter(address.ip()), &self.tls) {
            (None, _) => Box::pin(self.refuse(socket, peer)).await,
            (Some(place), None) => self.attend(socket, peer, place).await,
            (Some(place), Some(tls)) => Box::pin(self.attend_tls(tls, socket, peer, place)).await,
        }
    }

    async fn attend_tls(&self, tls: &TlsAcceptor, socket: Socket, peer: Peer, place: Place) {
        let handshake = timeout(self.router.limits.tls_handshake, tls.accept(socket));
        let outcome = select! {
            outcome = handshake => outcome,
            ending = self.interrupt(&place) => return refused(peer, ending),
        };
        match outcome {
            Ok(Ok(stream)) => self.attend(stream, peer, place).await,
            Ok(Err(error)) => refused(peer, format_args!("no TLS: {error}")),
            Err(_) => refused(peer, "no TLS in time"),
        }
    }

    async fn attend<S: ByteStream>(&self, stream: S, peer: Peer, place: Place) {
        // What the connection is counted under as long as it lasts.
        let Some((member, _place)) = Box::pin(self.admit(stream, peer, place)).await else { return };
        member.run().await;
    }

    /// Leads a connection through HTTP and registration.
    async fn admit<S: ByteStream>(
        &self,
        stream: S,
        peer: Peer,
        place: Place,
    ) -> Option<(Member<S>, OwnedSemaphorePermit)> {
        let outcome = select! {
            outcome = self.http.upgrade(stream) => outcome,
            ending = self.interrupt(&place) => {
                refused(peer, ending);
                return None;
            }
        };
        match outcome {
            Ok(Upgraded { stream, early, place: permit }) => {
                let candidate = Candidate::new(self.router.clone(), peer, stream, early)?;
                let member = candidate.register(self.interrupt(&place)).await?;
                Some((member, permit))
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
    async fn refuse(&self, socket: Socket, peer: Peer) {
        refused(peer, "too many unregistered connections from this address");
        let Ok(_permit) = self.refusals.try_acquire() else { return };
        let limit = self.router.limits.http_request;
        let refusal = async {
            match &self.tls {
                None => self.http.refuse(socket).await.ok(),
                Some(tls) => self.http.refuse(tls.accept(socket).await.ok()?).await.ok(),
            }
        };
        // A peer that is not there to be told is none of our concern.
        let _ = timeout(limit, refusal).await;
    }
}

fn refused(peer: Peer, reason: impl std::fmt::Display) {
    info!(connection = peer.id.0, address = %peer.address, %reason, "refused");
}
