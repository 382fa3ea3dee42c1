//! The end of a connection (RFC 6455, section 7): the last frames, the close handshake, and a reset where
//! the peer does not take part in it.

use std::{future::poll_fn, io, time::Duration};

use bytes::Bytes;
use tokio::{io::AsyncWriteExt, time::timeout};
use tokio_tungstenite::WebSocketStream;

use super::{ending::Ending, stream::ByteStream, wire::Wire};

/// Ends a connection within `limit`.
pub(super) async fn close<S: ByteStream>(
    mut socket: WebSocketStream<Wire<S>>,
    ending: &Ending,
    limit: Duration,
) {
    // The library is not asked any more: it may have failed, or be in the midst of a message.
    let wire = socket.get_mut();
    let is_clean = match ending.close_frame() {
        Some(frame) => matches!(timeout(limit, say_goodbye(wire, frame)).await, Ok(Ok(()))),
        None => false,
    };
    if !is_clean {
        wire.stream().reset_on_drop();
    }
}

async fn say_goodbye<S: ByteStream>(wire: &mut Wire<S>, frame: Bytes) -> io::Result<()> {
    wire.outlet().push_last(frame);
    poll_fn(|cx| wire.poll_drain(cx)).await?;
    poll_fn(|cx| wire.poll_await_close(cx)).await?;
    wire.shutdown().await
}
