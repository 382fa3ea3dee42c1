//! What is between a client and its router: it breaks.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use multichat::{Builder, Client};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    select,
    sync::watch,
    task::JoinSet,
};

use super::{KEY, quickly};

/// How connections fare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weather {
    /// They last.
    Calm,
    /// Each breaks after at most so many bytes.
    Stormy { bytes: u64 },
}

/// A port that leads to a router, badly. Dropping it ends its connections.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    random: Mutex<fastrand::Rng>,
    upstream: Mutex<SocketAddr>,
    weather: Mutex<Weather>,
    /// Counts up when all connections are to end.
    cuts: watch::Sender<u64>,
    drops: Mutex<usize>,
}

/// How a connection ends.
#[derive(Clone, Copy, Debug)]
enum Cut {
    /// Both sides see a reset; what is on its way is lost.
    Reset,
    /// Both sides see the end; what is on its way arrives.
    End,
    /// The router sees it, the client only later.
    RouterFirst,
}

impl Proxy {
    pub(crate) async fn start(upstream: SocketAddr, weather: Weather, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            random: Mutex::new(fastrand::Rng::with_seed(seed)),
            upstream: Mutex::new(upstream),
            weather: Mutex::new(weather),
            cuts: watch::Sender::new(0),
            drops: Mutex::new(0),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, Arc::clone(&shared)));
        Self { address, shared, _tasks: tasks }
    }

    /// A client that takes this way.
    pub(crate) fn client(&self, name: &str) -> Builder {
        Client::builder(format!("ws://{}/", self.address), name).key(KEY).reconnect(quickly())
    }

    /// From now on, connections fare so; those that are there keep their fate.
    pub(crate) fn change(&self, weather: Weather) {
        *self.shared.weather.lock().unwrap() = weather;
    }

    /// Ends all connections.
    pub(crate) fn cut(&self) {
        self.shared.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Leads to another router, and ends the connections to the last one.
    pub(crate) fn lead_to(&self, upstream: SocketAddr) {
        *self.shared.upstream.lock().unwrap() = upstream;
        self.cut();
    }

    /// How many connections were broken.
    pub(crate) fn drops(&self) -> usize {
        *self.shared.drops.lock().unwrap()
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        let (client, _) = listener.accept().await.unwrap();
        let upstream = *shared.upstream.lock().unwrap();
        connections.spawn(pass(client, upstream, Arc::clone(&shared)));
        while connections.try_join_next().is_some() {}
    }
}

/// Passes bytes on, both ways, until the connection's time has come.
async fn pass(mut client: TcpStream, upstream: SocketAddr, shared: Arc<Shared>) {
    let mut cuts = shared.cuts.subscribe();
    // No router is there while it restarts.
    let Ok(mut router) = TcpStream::connect(upstream).await else { return };
    client.set_nodelay(true).unwrap();
    router.set_nodelay(true).unwrap();
    let mut left = shared.budget();
    let (mut up, mut down) = ([0; 2048], [0; 2048]);
    loop {
        let (bytes, to) = select! {
            read = client.read(&mut up) => (&up[..read.unwrap_or(0)], &mut router),
            read = router.read(&mut down) => (&down[..read.unwrap_or(0)], &mut client),
            _ = cuts.changed() => break,
        };
        let passed = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        if bytes.is_empty() || to.write_all(&bytes[..passed]).await.is_err() {
            return;
        }
        left -= u64::try_from(passed).unwrap();
        if left == 0 {
            break;
        }
    }
    *shared.drops.lock().unwrap() += 1;
    match shared.cut() {
        Cut::Reset => {
            client.set_zero_linger().unwrap();
            router.set_zero_linger().unwrap();
        }
        Cut::End => {
            // Either may be gone by itself.
            let _ = client.shutdown().await;
            let _ = router.shutdown().await;
        }
        Cut::RouterFirst => {
            drop(router);
            // What the client still says is lost without its noticing.
            let _ = client.read(&mut up).await;
        }
    }
}

impl Shared {
    fn budget(&self) -> u64 {
        match *self.weather.lock().unwrap() {
            Weather::Calm => u64::MAX,
            // Some break while they register, many soon after it.
            Weather::Stormy { bytes } => {
                let mut random = self.random.lock().unwrap();
                let bound = random.u64(1..=bytes);
                random.u64(1..=bound)
            }
        }
    }

    fn cut(&self) -> Cut {
        *self.random.lock().unwrap().choice([Cut::Reset, Cut::End, Cut::RouterFirst].iter()).unwrap()
    }
}
