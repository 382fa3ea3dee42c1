//! A WebSocket by tokio-tungstenite, over TCP or over TLS.

mod dial;
#[cfg(test)]
mod tests;
mod tls;
mod wire;

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::{Sink, Stream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::http::HeaderMap;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::{Broken, Incoming};
use crate::session::{ConnectError, Url};
pub(crate) use tls::Tls;
use wire::Wire;

/// A ping asks whether the router is still there.
pub(crate) const CAN_PING: bool = true;

/// A text message.
pub(crate) type Text = Utf8Bytes;

/// How much is read at once while little comes, in bytes. Every connection keeps a buffer of this size, an idle one
/// too.
const READ_BYTES: usize = 4 * 1024;

/// How much is put together before it is written, in bytes. An idle connection keeps no such buffer; one that was
/// busy keeps it.
const WRITE_BYTES: usize = 64 * 1024;

/// The largest packet that a router can be told to take, in bytes.
const LARGEST_PACKET_BYTES: usize = 256 * 1024 * 1024;

/// The largest message that is taken, in bytes. A message that a client sent in one packet comes back with fields that
/// the router adds. How large a packet may be at this router, its ack says; but its operator may change that while
/// messages of the old size are in the log, so the bound is what any router could need.
const MAX_MESSAGE_BYTES: usize = 2 * LARGEST_PACKET_BYTES;

/// How much may wait to be written, in bytes: what is put together, one packet of whatever size the router allows, and
/// answers to pings. The bound is for a router that sends pings without end and reads nothing.
const WAITING_BYTES: usize = LARGEST_PACKET_BYTES + 1024 * 1024;

/// An open connection. Dropping it closes it, without a closing handshake.
pub(crate) struct Socket {
    inner: WebSocketStream<Wire>,
    /// A close frame of ours is on its way.
    closing: bool,
}

impl Socket {
    /// Opens a connection: name lookup, TCP, TLS, upgrade. There is no deadline; dropping the future ends the attempt.
    pub(crate) async fn connect(url: &Url, tls: &Tls) -> Result<Self, ConnectError> {
        Self::connect_with(url, tls, MAX_MESSAGE_BYTES).await
    }

    async fn connect_with(url: &Url, tls: &Tls, max_message_bytes: usize) -> Result<Self, ConnectError> {
        let request = url.as_str().into_client_request().map_err(|_| ConnectError::InvalidUrl {
            reason: "there are characters in it that no request may have; write them as %…",
        })?;
        let stream = dial::connect(url.host(), url.port()).await?;
        let wire = if url.is_secure() {
            Wire::new(tls.connect(url.host(), stream).await?)
        } else {
            Wire::new(stream)
        };
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BYTES)
            .write_buffer_size(WRITE_BYTES)
            .max_write_buffer_size(WAITING_BYTES)
            .max_message_size(Some(max_message_bytes))
            .max_frame_size(Some(max_message_bytes));
        match client_async_with_config(request, wire, Some(config)).await {
            Ok((inner, _)) => Ok(Self { inner, closing: false }),
            Err(error) => Err(refusal(error)),
        }
    }

    /// What comes next. Answers to pings, and a close frame of ours, are sent by the way.
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Incoming> {
        if self.closing {
            // Its own end is told by what is read.
            let _ = Pin::new(&mut self.inner).poll_flush(cx);
        }
        Poll::Ready(match ready!(Pin::new(&mut self.inner).poll_next(cx)) {
            Some(Ok(Message::Text(text))) => Incoming::Text(text),
            Some(Ok(Message::Close(frame))) => {
                // The answer. If it cannot be written now, it never is: nobody waits for it.
                let _ = Pin::new(&mut self.inner).poll_flush(cx);
                closed(frame)
            }
            Some(Ok(_)) => Incoming::Other,
            Some(Err(error)) => {
                self.fail(cx, &error);
                if matches!(error, Error::Capacity(_)) { Incoming::TooBig } else { Incoming::BROKEN }
            }
            None => Incoming::BROKEN,
        })
    }

    /// Ready if there is room for one more packet.
    pub(crate) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        Pin::new(&mut self.inner).poll_ready(cx).map_err(|_| Broken)
    }

    /// Takes one text message, if [`poll_ready`](Self::poll_ready) said so.
    pub(crate) fn start_send(&mut self, packet: String) -> Result<(), Broken> {
        self.send(Message::Text(packet.into()))
    }

    /// Ready once all that was taken is the operating system's.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        Pin::new(&mut self.inner).poll_flush(cx).map_err(|_| Broken)
    }

    /// Takes a ping. Any time is good for it; [`poll_flush`](Self::poll_flush) sends it.
    pub(crate) fn ping(&mut self) -> Result<(), Broken> {
        self.send(Message::Ping(Bytes::new()))
    }

    /// Begins the closing handshake. [`poll_read`](Self::poll_read) says when it is done.
    pub(crate) fn start_close(&mut self) {
        self.closing = true;
        let _ = self.send(close_frame(CloseCode::Normal));
    }

    fn send(&mut self, message: Message) -> Result<(), Broken> {
        Pin::new(&mut self.inner).start_send(message).map_err(|_| Broken)
    }

    /// Says what was wrong to whoever sent something that is none of the protocol (RFC 6455, section 7.1.7).
    fn fail(&mut self, cx: &mut Context<'_>, error: &Error) {
        let code = match error {
            Error::Capacity(_) => CloseCode::Size,
            Error::Utf8(_) => CloseCode::Invalid,
            Error::Protocol(_) => CloseCode::Protocol,
            _ => return,
        };
        if self.send(close_frame(code)).is_ok() {
            let _ = Pin::new(&mut self.inner).poll_flush(cx);
        }
    }
}

fn close_frame(code: CloseCode) -> Message {
    Message::Close(Some(CloseFrame { code, reason: Utf8Bytes::default() }))
}

/// What the other side's close frame said.
fn closed(frame: Option<CloseFrame>) -> Incoming {
    match frame {
        // What tungstenite makes of a code that nobody may send, such as 1006.
        Some(CloseFrame { code: CloseCode::Protocol, reason }) if reason == "Protocol violation" => {
            Incoming::BROKEN
        }
        Some(CloseFrame { code, reason }) => {
            Incoming::Closed { code: Some(code.into()), reason: reason.as_str().into() }
        }
        None => Incoming::BROKEN,
    }
}

/// Why there is no WebSocket although there is a connection.
fn refusal(error: Error) -> ConnectError {
    let reason = match error {
        Error::Http(response) => {
            return ConnectError::Rejected {
                status: response.status().as_u16(),
                retry_after: retry_after(response.headers()),
            };
        }
        Error::Io(error) => format!("the connection broke before it was open ({error})"),
        Error::Protocol(ProtocolError::HandshakeIncomplete) => {
            String::from("it closed the connection instead of opening a WebSocket")
        }
        _ => String::from("what answers there is no WebSocket server"),
    };
    ConnectError::Unreachable { reason }
}

/// The header `Retry-After`, in seconds. Its other form, a date, counts as none.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get("retry-after")?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}
