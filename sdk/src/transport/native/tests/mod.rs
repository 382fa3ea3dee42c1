//! Against real sockets of this machine, with tokio-tungstenite or bare bytes at their other end.

mod ending;
mod opening;
mod talking;
mod trust;

use std::future::{Future, poll_fn};

use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::accept_async;

use super::*;

/// The other end.
type Peer = WebSocketStream<TcpStream>;

/// Waits, though not for ever.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    // In a box: futures of a whole exchange are large.
    timeout(Duration::from_secs(20), Box::pin(future)).await.expect("nothing happened within 20 seconds")
}

/// A listener, and the URL that leads to it.
async fn listen(scheme: &str) -> (TcpListener, Url) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, url(&format!("{scheme}://localhost:{port}/room")))
}

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

async fn accept(listener: &TcpListener) -> TcpStream {
    soon(listener.accept()).await.unwrap().0
}

/// Both ends of an open connection.
async fn pair() -> (Socket, Peer) {
    pair_with(MAX_MESSAGE_BYTES).await
}

/// Both ends of one that takes no larger messages than that.
async fn pair_with(max_message_bytes: usize) -> (Socket, Peer) {
    let (listener, url) = listen("ws").await;
    let tls = Tls::default();
    let accepted = async { accept_async(accept(&listener).await).await.unwrap() };
    let (socket, peer) =
        soon(async { tokio::join!(Socket::connect_with(&url, &tls, max_message_bytes), accepted) }).await;
    (socket.unwrap_or_else(|error| panic!("{error}")), peer)
}

/// Why no connection could be opened.
async fn refusal_of(url: &Url, tls: &Tls) -> ConnectError {
    match soon(Socket::connect(url, tls)).await {
        Ok(_) => panic!("{url:?} was opened"),
        Err(error) => error,
    }
}

impl Socket {
    async fn read(&mut self) -> Incoming {
        soon(poll_fn(|cx| self.poll_read(cx))).await
    }

    async fn ready(&mut self) -> Result<(), Broken> {
        soon(poll_fn(|cx| self.poll_ready(cx))).await
    }

    async fn flush(&mut self) -> Result<(), Broken> {
        soon(poll_fn(|cx| self.poll_flush(cx))).await
    }

    async fn say(&mut self, text: &str) -> Result<(), Broken> {
        self.ready().await?;
        self.start_send(text.into())?;
        self.flush().await
    }

    /// The next text.
    async fn hear(&mut self) -> Text {
        match self.read().await {
            Incoming::Text(text) => text,
            Incoming::Other => panic!("something else than text"),
            Incoming::TooBig => panic!("something too big"),
            Incoming::Closed { code, reason } => panic!("closed: {code:?} {reason}"),
        }
    }

    /// How it ends, after whatever else there is to read.
    async fn end(&mut self) -> (Option<u16>, String) {
        loop {
            if let Incoming::Closed { code, reason } = self.read().await {
                return (code, reason);
            }
        }
    }
}

/// The next message that the other end hears.
async fn heard(peer: &mut Peer) -> Message {
    soon(peer.next()).await.expect("the end").unwrap()
}

/// Sends a message from the other end.
async fn tell(peer: &mut Peer, message: impl Into<Message>) {
    soon(peer.send(message.into())).await.unwrap();
}
