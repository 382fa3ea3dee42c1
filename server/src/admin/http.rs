//! What is asked of the operators' port, and what it answers.

use std::{convert::Infallible, sync::Arc};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{
        ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue,
        REFERRER_POLICY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
    },
};
use multichat::protocol::ClientName;
use serde_json::{Value, json};
use tokio::{task::spawn_blocking, time::timeout};
use tracing::info;

use super::{
    Office, clients,
    guard::{self, Denial},
    metrics, page,
};
use crate::{address::PeerAddress, connection::Hall, room::ConnectionId};

/// The most bytes of a request's body: the longest name, and all of it escaped.
const MAX_BODY: usize = 32 * 1024;

const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

/// Who may fetch what is here from another site: nobody.
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

type Answer = Response<Full<Bytes>>;

/// Why something that was asked for is not done: the status, and what the operator is told.
struct Refusal {
    status: StatusCode,
    why: String,
    header: Option<(HeaderName, HeaderValue)>,
}

impl Refusal {
    fn new(status: StatusCode, why: impl Into<String>) -> Self {
        Self { status, why: why.into(), header: None }
    }

    fn nothing_here() -> Self {
        Self::new(StatusCode::NOT_FOUND, "there is nothing here")
    }

    fn method(allowed: &'static str) -> Self {
        let why = format!("only {allowed} is served here");
        Self {
            header: Some((ALLOW, HeaderValue::from_static(allowed))),
            ..Self::new(StatusCode::METHOD_NOT_ALLOWED, why)
        }
    }
}

impl From<Denial> for Refusal {
    fn from(denial: Denial) -> Self {
        let (status, why, challenge) = match denial {
            Denial::NoKey => (
                StatusCode::UNAUTHORIZED,
                "the operators' key is needed: Authorization: Bearer …",
                Some(r#"Bearer realm="multichat""#),
            ),
            Denial::WrongKey => (
                StatusCode::UNAUTHORIZED,
                "this is not the operators' key",
                Some(r#"Bearer realm="multichat", error="invalid_token""#),
            ),
            Denial::WrongHost => (
                StatusCode::FORBIDDEN,
                "without a key this is for this machine alone, as localhost or by its address; \
                 behind a proxy, set \"admin.key\"",
                None,
            ),
            Denial::Withdrawn => (
                StatusCode::SERVICE_UNAVAILABLE,
                "the configuration has no operators' port any more; it closes when the router is started anew",
                None,
            ),
            Denial::Proxied => (
                StatusCode::FORBIDDEN,
                "without a key this is for this machine alone, and a proxy passed this on; set \"admin.key\"",
                None,
            ),
            Denial::WrongOrigin => (StatusCode::FORBIDDEN, "not for pages of other sites", None),
        };
        let header = challenge.map(|challenge| (WWW_AUTHENTICATE, HeaderValue::from_static(challenge)));
        Self { header, ..Self::new(status, why) }
    }
}

impl Office {
    /// Answers a request, whatever it is.
    pub(super) async fn answer(
        &self,
        request: Request<Incoming>,
        address: PeerAddress,
    ) -> Result<Answer, Infallible> {
        Ok(self.try_answer(request, address).await.unwrap_or_else(|refusal| {
            let mut answer = json_answer(&json!({"error": refusal.why}));
            *answer.status_mut() = refusal.status;
            answer.headers_mut().extend(refusal.header);
            answer
        }))
    }

    async fn try_answer(&self, request: Request<Incoming>, address: PeerAddress) -> Result<Answer, Refusal> {
        let path = request.uri().path().to_owned();
        let is_read = request.method() == Method::GET || request.method() == Method::HEAD;
        if path == "/healthz" {
            return if is_read { Ok(answer(TEXT, "ok\n")) } else { Err(Refusal::method("GET")) };
        }
        self.admit(&request, &path, address).await?;
        let parts: Vec<_> = path.split('/').skip(1).collect();
        if let ["clients", connection, "kick"] = parts[..] {
            return match *request.method() {
                Method::POST => self.kick(connection, address),
                _ => Err(Refusal::method("POST")),
            };
        }
        if let ["rooms", room, verb @ ("mute" | "unmute")] = parts[..] {
            return match *request.method() {
                Method::POST => self.set_muted(room, verb == "mute", request, address).await,
                _ => Err(Refusal::method("POST")),
            };
        }
        let file = page::file(&path);
        if !is_read && (file.is_some() || matches!(&*path, "/readyz" | "/metrics" | "/clients")) {
            return Err(Refusal::method("GET"));
        }
        match (&*path, file) {
            (_, Some(file)) => Ok(answer(file.media_type, file.content)),
            ("/readyz", _) if self.is_closing() => {
                let mut closing = answer(TEXT, "shutting down\n");
                *closing.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
                Ok(closing)
            }
            ("/readyz", _) => Ok(answer(TEXT, "ready\n")),
            ("/metrics", _) => self.metrics().await,
            ("/clients", _) => self.clients().await,
            _ => Err(Refusal::nothing_here()),
        }
    }

    /// Looks whether somebody may ask.
    pub(super) async fn admit(
        &self,
        request: &Request<impl Sync>,
        path: &str,
        address: PeerAddress,
    ) -> Result<(), Denial> {
        let setting = self.setting.load_full();
        if setting.is_withdrawn {
            return Err(Denial::Withdrawn);
        }
        guard::check_origin(request.method(), request.headers())?;
        let Some(key) = &setting.key else { return guard::check_host(request.headers(), &setting.host) };
        // The page is the same for all, and asks for the key.
        if page::file(path).is_some() {
            return Ok(());
        }
        let outcome = guard::check_key(request.headers(), key);
        if outcome == Err(Denial::WrongKey) {
            info!(%address, "wrong operators' key");
            self.failures.hold_up(address.block(), setting.limits.failed_registrations).await;
        }
        outcome
    }

    async fn metrics(&self) -> Result<Answer, Refusal> {
        let halls = self.halls();
        let (entrance, reloads) = (self.entrance.figures(), *self.reloads.lock());
        let started = self.started;
        let text = self.look(move || metrics::scrape(&halls, entrance, reloads, started)).await?;
        Ok(answer(metrics::CONTENT_TYPE, text))
    }

    async fn clients(&self) -> Result<Answer, Refusal> {
        let halls = self.halls();
        let is_closing = self.is_closing();
        Ok(answer(JSON, self.look(move || clients::overview(&halls, is_closing).to_string()).await?))
    }

    /// Looks at all connections, which takes a while if there are many: beside the router's own work.
    async fn look<T: Send + 'static>(&self, look: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
        let failed = || Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "the server failed");
        let _permit = self.looks.acquire().await.map_err(|_| failed())?;
        spawn_blocking(look).await.map_err(|_| failed())
    }

    fn halls(&self) -> Vec<Arc<Hall>> {
        self.halls.lock().iter().cloned().collect()
    }

    fn kick(&self, connection: &str, address: PeerAddress) -> Result<Answer, Refusal> {
        let id: u64 = connection.parse().map_err(|_| Refusal::nothing_here())?;
        if !self.halls().iter().any(|hall| hall.kick(ConnectionId(id))) {
            return Err(Refusal::new(StatusCode::NOT_FOUND, "there is no such connection"));
        }
        info!(%address, connection = id, "kicked by an operator");
        Ok(json_answer(&json!({"connection": id, "kicked": true})))
    }

    async fn set_muted(
        &self,
        room: &str,
        is_muted: bool,
        request: Request<Incoming>,
        address: PeerAddress,
    ) -> Result<Answer, Refusal> {
        let hall = self.halls().into_iter().find(|hall| hall.name().as_str() == room);
        let hall = hall.ok_or_else(|| Refusal::new(StatusCode::NOT_FOUND, "there is no such room"))?;
        let body = self.read_json(request).await?;
        let bad = |why| Refusal::new(StatusCode::BAD_REQUEST, why);
        let name =
            body["name"].as_str().ok_or_else(|| bad("a body such as {\"name\": \"irc\"} is needed"))?;
        let name = ClientName::parse(name, hall.terms().limits.client_name_bytes)
            .map_err(|_| bad("no client can have this name"))?;
        hall.set_muted(&name, is_muted);
        let client = name.as_str();
        info!(%address, %room, client, is_muted, "muted or unmuted by an operator");
        Ok(json_answer(&json!({"room": room, "name": client, "muted": is_muted})))
    }

    async fn read_json(&self, request: Request<Incoming>) -> Result<Value, Refusal> {
        let media_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let is_json = media_type
            .and_then(|value| value.split(';').next())
            .is_some_and(|value| value.trim().eq_ignore_ascii_case(JSON));
        if !is_json {
            let why = "a body of Content-Type: application/json is needed";
            return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, why));
        }
        let limit = self.setting.load().limits.http_request;
        let body = Limited::new(request.into_body(), MAX_BODY);
        let body = timeout(limit, body.collect())
            .await
            .map_err(|_| Refusal::new(StatusCode::REQUEST_TIMEOUT, "the body did not come in time"))?
            .map_err(|_| {
                Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large, or broke off")
            })?;
        serde_json::from_slice(&body.to_bytes())
            .map_err(|error| Refusal::new(StatusCode::BAD_REQUEST, format!("not JSON: {error}")))
    }
}

fn json_answer(value: &Value) -> Answer {
    answer(JSON, format!("{value}\n"))
}

fn answer(media_type: &'static str, content: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(content.into()));
    let headers = answer.headers_mut();
    for (name, value) in [
        (CONTENT_TYPE, media_type),
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, page::POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (RESOURCE_POLICY, "same-origin"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    answer
}
