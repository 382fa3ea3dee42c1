//! The end of a connection (RFC 6455, section 7): the last frames, the close handshake, and a reset where
//! the peer does not take part in it.

use std::{
    future::poll_fn,
    io,
    task::{Context, Waker},
    time::Duration,
};

use bytes::Bytes;
use tokio::{io::AsyncWriteExt, time::timeout};

use super::{ending::Ending, stream::ByteStream, wire::Wire};

/// Ends a connection within `limit`. It is given without the WebSocket library, which may have failed, or be
/// in the midst of a message.
pub(super) async fn close<S: ByteStream>(mut wire: Wire<S>, ending: &Ending, limit: Duration) {
    let is_clean = match ending.close_frame() {
        Some(frame) => matches!(timeout(limit, say_goodbye(&mut wire, frame)).await, Ok(Ok(()))),
        None => false,
    };
    if !is_clean {
        wire.stream().reset_on_drop();
    }
}

/// Ends a connection whose place is needed at once: the last frame goes out if the socket takes it, and nothing
/// is waited for.
pub(super) fn dismiss<S: ByteStream>(mut wire: Wire<S>, ending: &Ending) {
    if let Some(frame) = ending.close_frame() {
        wire.outlet().push_last(frame);
        let _ = wire.poll_drain(&mut Context::from_waker(Waker::noop()));
    }
}

async fn say_goodbye<S: ByteStream>(wire: &mut Wire<S>, frame: Bytes) -> io::Result<()> {
    wire.outlet().push_last(frame);
    poll_fn(|cx| wire.poll_drain(cx)).await?;
    poll_fn(|cx| wire.poll_await_close(cx)).await?;
    wire.shutdown().await
}
