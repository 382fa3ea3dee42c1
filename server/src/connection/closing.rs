//! The end of a connection (RFC 6455, section 7): the last frames, the close handshake, and a reset where
//! the peer does not take part in it.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_util::Sink;
use tokio::{io::AsyncWriteExt, time::timeout};
use tokio_tungstenite::WebSocketStream;

use super::{ending::Ending, stream::ByteStream, wire::Wire};
use crate::frame;

/// Ends a connection within `limit`.
pub(super) async fn close<S: ByteStream>(
    mut socket: WebSocketStream<Wire<S>>,
    ending: &Ending,
    limit: Duration,
) {
    let is_clean = match ending {
        Ending::Lost | Ending::Failed(_) | Ending::Silent => false,
        _ => matches!(timeout(limit, say_goodbye(&mut socket, ending)).await, Ok(Ok(()))),
    };
    if !is_clean {
        socket.get_mut().stream().reset_on_drop();
    }
}

async fn say_goodbye<S: ByteStream>(
    socket: &mut WebSocketStream<Wire<S>>,
    ending: &Ending,
) -> io::Result<()> {
    if let Some(code) = ending.close_code() {
        let outlet = socket.get_mut().outlet();
        outlet.clear_unbegun();
        outlet.push(frame::close(code));
        poll_fn(|cx| socket.get_mut().poll_drain(cx)).await?;
        poll_fn(|cx| socket.get_mut().poll_await_close(cx)).await?;
    } else {
        poll_fn(|cx| poll_answer(socket, cx)).await?;
    }
    socket.get_mut().shutdown().await
}

/// Sends what the WebSocket library has to say: its answer to the peer's close.
fn poll_answer<S: ByteStream>(
    socket: &mut WebSocketStream<Wire<S>>,
    cx: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    loop {
        let handed_over = Pin::new(&mut *socket).poll_flush(cx).is_ready();
        ready!(socket.get_mut().poll_drain(cx))?;
        if handed_over {
            return Poll::Ready(Ok(()));
        }
    }
}
