//! The WebSocket library's state over a [`Wire`].

use futures_util::FutureExt as _;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::protocol::{Role, WebSocketConfig},
};

use super::{stream::ByteStream, wire::Wire};
use crate::config::Limits;

/// A connection reads so many bytes at once. Most packets fit; larger ones take several reads, and more
/// memory while they are on their way.
pub(super) const READ_BUFFER: usize = 2048;

/// A WebSocket, as the library has it.
pub(super) type Socket<S> = WebSocketStream<Wire<S>>;

/// A WebSocket between two frames. `None` is never seen: the library has nothing to wait for here, it is
/// async only in form.
pub(super) fn open<S: ByteStream>(wire: Wire<S>, limits: &Limits) -> Option<Socket<S>> {
    // The meter comes before the library's own bounds; these are what it needs to bound its buffers.
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(1024)
        .max_message_size(Some(limits.packet_bytes))
        .max_frame_size(Some(limits.packet_bytes));
    WebSocketStream::from_raw_socket(wire, Role::Server, Some(config)).now_or_never()
}
