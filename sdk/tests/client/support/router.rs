//! A real router, on a thread of its own: what a test counts is the client's.

use std::{net::SocketAddr, path::Path, thread};

use multichat::{Builder, Client};
use multichat_server::{Server, config::Config};
use serde_json::{Value, json};
use tokio::{runtime, select, sync::oneshot};

use super::{KEY, quickly, soon};

/// A router with a port. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Router {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    /// Dropped when the router is to go without a word.
    _alive: oneshot::Sender<()>,
    gone: oneshot::Receiver<()>,
}

impl Router {
    /// With default limits.
    pub(crate) async fn start() -> Self {
        Self::with(json!({})).await
    }

    /// With other limits.
    pub(crate) async fn with_limits(limits: Value) -> Self {
        Self::with(json!({"limits": limits})).await
    }

    /// With these fields in its config file.
    pub(crate) async fn with(changes: Value) -> Self {
        let mut config = json!({"host": "127.0.0.1:0", "ws-path": "/", "secret-key": KEY});
        let Value::Object(changes) = changes else { panic!("{changes} is no object") };
        config.as_object_mut().unwrap().extend(changes);
        let (config, _) = Config::parse(config.to_string().as_bytes(), Path::new("config.json")).unwrap();
        let (stop, stopped) = oneshot::channel();
        let (alive, killed) = oneshot::channel::<()>();
        let (say_address, address) = oneshot::channel();
        let (end, gone) = oneshot::channel();
        thread::spawn(move || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let server = Server::bind(config).await.unwrap();
                say_address.send(server.local_addr().unwrap()).unwrap();
                select! {
                    () = server.run(async { drop(stopped.await) }) => {}
                    _ = killed => {}
                }
            });
            drop(runtime);
            // Nobody may wait for it.
            let _ = end.send(());
        });
        let address = soon("the router's port", address).await.unwrap();
        Self { address, stop: Some(stop), _alive: alive, gone }
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// A client of this name that comes back quickly.
    pub(crate) fn client(&self, name: &str) -> Builder {
        Client::builder(format!("ws://{}/", self.address), name).key(KEY).reconnect(quickly())
    }

    /// Stops it as an operator does.
    pub(crate) async fn stop(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        soon("the router's end", self.gone).await.unwrap();
    }
}
