//! The `WebSocket` of JavaScript, by gloo-net.

#[cfg(test)]
mod tests;

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::Stream;
use futures_util::sink::Sink;
use gloo_net::websocket::futures::WebSocket;
use gloo_net::websocket::{Message, State, WebSocketError};
use js_sys::Reflect;
use wasm_bindgen::JsValue;

use super::{Broken, Incoming};
use crate::runtime::{self, Sleep};
use crate::session::{ConnectError, Url};

/// JavaScript has no pings; the browser answers those of the router.
pub(crate) const CAN_PING: bool = false;

/// A text message.
pub(crate) type Text = String;

/// How certificates are checked: the browser does that.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tls {}

/// How much may wait in the browser, in bytes, before a sender is told to wait.
const BUFFERED_BYTES: u32 = 1024 * 1024;

/// How long a sender waits before it looks again: no event tells that the browser has sent something.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// An open connection. Dropping it closes it.
pub(crate) struct Socket {
    // `None` in `drop` only.
    inner: Option<WebSocket>,
    /// The same one. gloo-net's own `close` consumes it, and with it what the other side answers.
    raw: web_sys::WebSocket,
    crowded: Option<Sleep>,
}

impl Socket {
    /// Opens a connection. There is no deadline; dropping the future ends the attempt.
    pub(crate) async fn connect(url: &Url, _tls: &Tls) -> Result<Self, ConnectError> {
        // Browsers trust what stays on this machine without TLS.
        if !url.is_secure() && page_is_secure() && !is_loopback(url.host()) {
            return Err(ConnectError::MixedContent);
        }
        let raw = web_sys::WebSocket::new(url.as_str()).map_err(|thrown| refused_at_once(url, &thrown))?;
        let inner = WebSocket::try_from(raw.clone()).map_err(|_| ConnectError::NoWebSocket)?;
        let mut socket = Self { inner: Some(inner), raw, crowded: None };
        poll_fn(|cx| socket.poll_open(url, cx)).await?;
        Ok(socket)
    }

    fn poll_open(&mut self, url: &Url, cx: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        if let Some(inner) = &mut self.inner {
            match inner.state() {
                State::Open => return Poll::Ready(Ok(())),
                State::Connecting => {
                    // The one hears of `open` and `error`, the other of `close`. No message comes before `open`.
                    let _ = Pin::new(&mut *inner).poll_ready(cx);
                    // WebKit stays in this state after the `error`, and tells no `close`, if it may not even try: the
                    // port is one that browsers refuse, or the page's policy does not have the address.
                    let _ = ready!(Pin::new(inner).poll_next(cx));
                }
                State::Closing | State::Closed => {}
            }
        }
        Poll::Ready(Err(unreachable(url, &self.raw)))
    }

    /// What comes next.
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Incoming> {
        let Some(inner) = &mut self.inner else { return Poll::Ready(Incoming::BROKEN) };
        loop {
            return Poll::Ready(match ready!(Pin::new(&mut *inner).poll_next(cx)) {
                // Of whatever size: it is all there already.
                Some(Ok(Message::Text(text))) => Incoming::Text(text),
                Some(Ok(Message::Bytes(_))) => Incoming::Other,
                // Every close comes as an error. 1005 and 1006 stand for a frame without a code and for no frame.
                Some(Err(WebSocketError::ConnectionClose(event))) => {
                    let code = Some(event.code).filter(|code| !matches!(code, 1005 | 1006));
                    Incoming::Closed { code, reason: event.reason }
                }
                // Says nothing, and is followed by a close.
                Some(Err(_)) => continue,
                None => Incoming::BROKEN,
            });
        }
    }

    /// Ready if there is room for one more packet.
    pub(crate) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        while self.is_open() {
            if self.raw.buffered_amount() < BUFFERED_BYTES {
                self.crowded = None;
                return Poll::Ready(Ok(()));
            }
            let sleep = self.crowded.get_or_insert_with(|| Sleep::new(LOOK_AGAIN));
            ready!(Pin::new(sleep).poll(cx));
            self.crowded = None;
        }
        Poll::Ready(Err(Broken))
    }

    /// Sends one text message, if [`poll_ready`](Self::poll_ready) said so.
    #[expect(clippy::needless_pass_by_value, reason = "the native twin keeps it")]
    pub(crate) fn start_send(&mut self, packet: String) -> Result<(), Broken> {
        // JavaScript silently drops what is sent to a socket that is not open.
        if !self.is_open() {
            return Err(Broken);
        }
        self.raw.send_with_str(&packet).map_err(|_| Broken)
    }

    /// Ready at once: what is sent is the browser's.
    #[expect(clippy::unused_self, reason = "the native twin has buffers")]
    pub(crate) fn poll_flush(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        Poll::Ready(Ok(()))
    }

    /// Does nothing: JavaScript has no pings.
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the native twin has pings")]
    pub(crate) fn ping(&mut self) -> Result<(), Broken> {
        Ok(())
    }

    /// Begins the closing handshake. [`poll_read`](Self::poll_read) says when it is done.
    pub(crate) fn start_close(&mut self) {
        let _ = self.raw.close_with_code(1000);
    }

    fn is_open(&self) -> bool {
        self.raw.ready_state() == web_sys::WebSocket::OPEN
    }
}

impl Drop for Socket {
    /// Closes, and leaves gloo-net's socket alone until JavaScript is done with it: where there is no `CloseEvent`
    /// (Node.js 22) it cannot take its own listener off, and the event that comes later would call into nothing;
    /// and the package `ws` ends the process if nobody hears its error when it is closed while connecting.
    fn drop(&mut self) {
        let _ = self.raw.close();
        if let Some(mut inner) = self.inner.take() {
            let _ = runtime::spawn(async move {
                while poll_fn(|cx| Pin::new(&mut inner).poll_next(cx)).await.is_some() {}
            });
        }
    }
}

/// A browser does not tell a page why. Node.js tells a program, for which sdk/npm/src/socket.ts keeps it.
/// `from` is the socket, or what its constructor has thrown.
fn unreachable(url: &Url, from: &JsValue) -> ConnectError {
    let told = get(from, "failure").as_string().unwrap_or_else(|| {
        String::from(
            "the connection could not be opened, and JavaScript is not told why: nobody listens there, ws:// and \
             wss:// are mixed up, the path is wrong, the certificate is not trusted, or this page may not connect to it",
        )
    });
    ConnectError::Unreachable { reason: format!("{}, port {}: {told}", url.host(), url.port()) }
}

/// The constructor has thrown: there is none, or the browser does not take such a URL, or not on such a page. What
/// the page's policy does not have, Firefox and Safari refuse at once, each by another name, and Chromium as if nobody
/// was there.
fn refused_at_once(url: &Url, thrown: &JsValue) -> ConnectError {
    let name = get(thrown, "name");
    if name == "ReferenceError" || name == "TypeError" {
        ConnectError::NoWebSocket
    } else if !url.is_secure() && page_is_secure() {
        ConnectError::MixedContent
    } else if name == "SyntaxError" {
        ConnectError::InvalidUrl { reason: "the browser does not take it" }
    } else {
        unreachable(url, thrown)
    }
}

fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap_or_default()
}

/// Whether this page, or the worker's script, came by `https`. Node.js has no page.
fn page_is_secure() -> bool {
    get(&get(&js_sys::global(), "location"), "protocol") == "https:"
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.ends_with(".localhost") || host.starts_with("127.") || host == "::1"
}
