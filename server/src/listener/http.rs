//! The HTTP side of the port: the WebSocket upgrade, a page for people, files under `web-root`.

use std::{cmp::Reverse, convert::Infallible, io, sync::Arc};

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::{
    Method, Request, Response, StatusCode, Version,
    body::Incoming,
    header::{
        ALLOW, CONNECTION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN, RETRY_AFTER,
        SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
    },
    server::conn::http1::{self, Parts},
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tracing::warn;

use super::{
    files::Files,
    seats::{Seat, Seats},
    visitor::Visitor,
};
use crate::{
    config::{AllowedOrigins, Config, Limits, WsPath},
    connection::Hall,
};

/// The most bytes of a request's head.
const MAX_HEAD: usize = 16 * 1024;
/// The most header fields of a request.
const MAX_HEADERS: usize = 64;
/// When one who was refused for lack of room may come again, in seconds.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("5");

/// Why requests for an upgrade are refused, as the log has it.
pub(super) const REFUSALS: [&str; 6] = [WRONG_PATH, NO_GET, WRONG_VERSION, NO_KEY, WRONG_ORIGIN, NO_SEAT];
const WRONG_PATH: &str = "wrong path";
const NO_GET: &str = "not a GET of HTTP/1.1";
const WRONG_VERSION: &str = "wrong WebSocket version";
const NO_KEY: &str = "no good Sec-WebSocket-Key";
const NO_SEAT: &str = "the connection limit is reached";
const WRONG_ORIGIN: &str = "origin not allowed";

/// Why a peer is refused whose address has too many connections.
pub(super) const CROWDED: &str = "too many unregistered connections from this address";

/// What a GET finds where there is no `web-root`.
const PAGE: &str = include_str!("page.html");

type Body = Either<Full<Bytes>, hyper_staticfile::Body>;

/// Where the WebSocket of a room is offered.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) path: WsPath,
    pub(crate) hall: Arc<Hall>,
}

/// The HTTP side, as long as the configuration stays as it is.
pub(super) struct HttpSide {
    routes: Vec<Route>,
    origins: AllowedOrigins,
    files: Option<Files>,
    http: http1::Builder,
    /// Of all WebSocket connections.
    seats: Arc<Seats>,
    connections: usize,
}

/// A stream after its HTTP stage, if it was upgraded.
pub(super) struct Upgraded<S> {
    pub(super) stream: S,
    /// What was read behind the request.
    pub(super) early: Bytes,
    pub(super) entry: Entry,
}

/// Where an upgraded connection goes.
pub(super) struct Entry {
    pub(super) hall: Arc<Hall>,
    /// Held as long as the connection lasts.
    pub(super) seat: Seat,
}

/// Why a connection was not upgraded.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpEnd {
    /// The peer asked for pages, or nothing, and left.
    #[error("no upgrade asked for")]
    Served,
    /// The request was refused.
    #[error("upgrade refused: {0}")]
    Refused(&'static str),
    /// The address that a proxy names has too many connections.
    #[error("{CROWDED}")]
    Crowded,
    /// Not HTTP, too slow, or gone.
    #[error("bad request: {0}")]
    Failed(#[from] hyper::Error),
}

/// A refusal: its status, what the log says, and what the peer is told.
struct Refusal {
    status: StatusCode,
    why: &'static str,
    advice: &'static str,
    header: Option<(HeaderName, HeaderValue)>,
}

impl Refusal {
    const fn new(status: StatusCode, why: &'static str, advice: &'static str) -> Self {
        Self { status, why, advice, header: None }
    }

    fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some((name, value));
        self
    }
}

/// HTTP, with the bounds of a request's head.
pub(crate) fn bounded_http(limits: &Limits) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.http_request)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD);
    http
}

impl HttpSide {
    pub(super) fn new(config: &Config, mut routes: Vec<Route>, seats: Arc<Seats>) -> Self {
        // The most particular first: what is listed never falls to another room.
        routes.sort_by_key(|route| Reverse(route.path.depth()));
        Self {
            routes,
            origins: config.allowed_origins.clone(),
            files: Files::new(config),
            http: bounded_http(&config.limits),
            seats,
            connections: config.limits.connections,
        }
    }

    /// The room whose WebSocket is offered on this path.
    fn hall(&self, path: &str) -> Option<&Arc<Hall>> {
        self.routes.iter().find(|route| route.path.accepts(path)).map(|route| &route.hall)
    }

    /// Serves requests until one of them is an upgrade. Each finds what is `current` when it comes: a proxy may keep a
    /// connection open for any number of them.
    pub(super) async fn upgrade<S>(
        &self,
        stream: S,
        visitor: &Visitor,
        current: impl Fn() -> Arc<Self>,
    ) -> Result<Upgraded<S>, HttpEnd>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let outcome = Mutex::new(Err(HttpEnd::Served));
        let service = service_fn(|request| {
            let (http, outcome) = (current(), &outcome);
            Box::pin(async move { http.answer(request, visitor, outcome).await })
        });
        let connection = self.http.serve_connection(TokioIo::new(stream), service);
        let (mut stream, early) = {
            let Parts { io, read_buf, .. } = connection.without_shutdown().await?;
            // A copy, so that what is left of the request, be it nothing, does not keep the whole buffer.
            (io.into_inner(), Bytes::copy_from_slice(&read_buf))
        };
        match outcome.into_inner() {
            Ok(entry) => Ok(Upgraded { stream, early, entry }),
            Err(end) => {
                // Behind TLS this says that nothing was cut off. A peer that is gone need not hear it.
                let _ = stream.shutdown().await;
                Err(end)
            }
        }
    }

    /// Tells a peer that there is no room for it.
    pub(super) async fn refuse<S>(&self, stream: S) -> Result<(), hyper::Error>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let service = service_fn(|_| async { Ok::<_, Infallible>(respond(crowded())) });
        self.http.clone().keep_alive(false).serve_connection(TokioIo::new(stream), service).await
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
        visitor: &Visitor,
        outcome: &Mutex<Result<Entry, HttpEnd>>,
    ) -> Result<Response<Body>, Infallible> {
        if visitor.asks(request.headers()).is_err() {
            *outcome.lock() = Err(HttpEnd::Crowded);
            return Ok(last(respond(crowded())));
        }
        if !asks_for_upgrade(request.headers()) {
            return Ok(self.page(request).await);
        }
        match self.accept(&request) {
            Ok((entry, response)) => {
                *outcome.lock() = Ok(entry);
                Ok(response)
            }
            Err(refusal) => {
                *outcome.lock() = Err(HttpEnd::Refused(refusal.why));
                // What may follow the request is WebSocket, and no other request.
                Ok(last(respond(refusal)))
            }
        }
    }

    /// The server's part of the opening handshake (RFC 6455, section 4.2).
    fn accept(&self, request: &Request<Incoming>) -> Result<(Entry, Response<Body>), Refusal> {
        let headers = request.headers();
        let Some(hall) = self.hall(request.uri().path()) else {
            return Err(Refusal::new(
                StatusCode::NOT_FOUND,
                WRONG_PATH,
                "No WebSocket is served on this path. The path is `ws-path` in the router's config.json.",
            ));
        };
        if request.method() != Method::GET || request.version() != Version::HTTP_11 {
            return Err(Refusal::new(
                StatusCode::BAD_REQUEST,
                NO_GET,
                "A WebSocket upgrade is a GET request of HTTP/1.1.",
            ));
        }
        if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
            return Err(Refusal::new(
                StatusCode::UPGRADE_REQUIRED,
                WRONG_VERSION,
                "The router speaks version 13 of the WebSocket protocol: Sec-WebSocket-Version: 13.",
            )
            .with(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13")));
        }
        let Some(key) = headers.get(SEC_WEBSOCKET_KEY).filter(|key| is_websocket_key(key.as_bytes())) else {
            return Err(Refusal::new(
                StatusCode::BAD_REQUEST,
                NO_KEY,
                "A WebSocket upgrade has a Sec-WebSocket-Key of 16 bytes in base64.",
            ));
        };
        self.check_origin(headers)?;
        let Some(seat) = self.seats.take(self.connections) else {
            return Err(Refusal::new(
                StatusCode::SERVICE_UNAVAILABLE,
                NO_SEAT,
                "The router has as many connections as it may. Try again later.",
            )
            .with(RETRY_AFTER, RETRY_AFTER_SECONDS));
        };
        let mut response = Response::new(Either::Left(Full::default()));
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        // Base64 is always a good header value.
        if let Ok(accept) = derive_accept_key(key.as_bytes()).parse() {
            headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
        }
        Ok((Entry { hall: hall.clone(), seat }, response))
    }

    /// Browsers say which page a connection comes from; anything else may leave that out.
    fn check_origin(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        let is_allowed = headers
            .get(ORIGIN)
            .is_none_or(|origin| origin.to_str().is_ok_and(|origin| self.origins.allows(origin, host)));
        if is_allowed {
            return Ok(());
        }
        Err(Refusal::new(
            StatusCode::FORBIDDEN,
            WRONG_ORIGIN,
            "Pages of this origin may not connect. To allow them, add the origin, such as \
             \"https://chat.example.org\", to `allowed-origins` in the router's config.json.",
        ))
    }

    /// What there is for those who do not ask for an upgrade.
    async fn page(&self, request: Request<Incoming>) -> Response<Body> {
        if request.method() != Method::GET && request.method() != Method::HEAD {
            let refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "", "Only GET is served here.");
            return respond(refusal.with(ALLOW, HeaderValue::from_static("GET, HEAD")));
        }
        let path = request.uri().path();
        if let Some(files) = &self.files {
            let mut response = match files.serve(request).await {
                Ok(response) => response.map(Either::Right),
                Err(error) => respond(no_file(&error)),
            };
            files.protect(response.headers_mut());
            return response;
        }
        if path == "/" {
            let mut response = Response::new(Either::Left(Full::from(PAGE)));
            let html = HeaderValue::from_static("text/html; charset=utf-8");
            response.headers_mut().insert(CONTENT_TYPE, html);
            return response;
        }
        respond(if self.hall(path).is_some() {
            Refusal::new(
                StatusCode::UPGRADE_REQUIRED,
                "",
                "This is where multichat clients connect. It speaks WebSocket, not plain HTTP.",
            )
            .with(UPGRADE, HeaderValue::from_static("websocket"))
        } else {
            Refusal::new(StatusCode::NOT_FOUND, "", "There is nothing here.")
        })
    }
}

/// What is said where a path leads to no file, for another reason than that it is not there.
fn no_file(error: &io::Error) -> Refusal {
    use io::ErrorKind::{InvalidFilename, InvalidInput, NotADirectory};
    if matches!(error.kind(), InvalidFilename | InvalidInput | NotADirectory) {
        // A name with a NUL, one that is too long, one below a file.
        return Refusal::new(StatusCode::NOT_FOUND, "", "There is nothing here.");
    }
    warn!(%error, "a file under `web-root` can't be read");
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "", "The file can't be read; the router's log says why.")
}

/// What is said to one whose address has too many connections.
fn crowded() -> Refusal {
    Refusal::new(
        StatusCode::TOO_MANY_REQUESTS,
        "",
        "Too many connections from your address have not registered yet. Try again later.",
    )
    .with(RETRY_AFTER, RETRY_AFTER_SECONDS)
}

/// Makes it the connection's last response.
fn last(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

fn respond(refusal: Refusal) -> Response<Body> {
    let mut response = Response::new(Either::Left(Full::from(format!("{}\n", refusal.advice))));
    *response.status_mut() = refusal.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.extend(refusal.header);
    response
}

/// Whether the request is meant to become a WebSocket (RFC 6455, section 4.2.1, items 3 and 4).
fn asks_for_upgrade(headers: &HeaderMap) -> bool {
    has_token(headers, &CONNECTION, "upgrade") && has_token(headers, &UPGRADE, "websocket")
}

fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|part| part.trim().eq_ignore_ascii_case(token))
}

/// Whether this is the base64 form of 16 bytes: 22 symbols and two signs of padding.
fn is_websocket_key(key: &[u8]) -> bool {
    let is_symbol = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    matches!(key, [symbols @ .., b'=', b'='] if symbols.len() == 22 && symbols.iter().all(is_symbol))
}
