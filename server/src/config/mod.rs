//! The configuration: read from a JSON file into types whose bad states cannot exist.

mod content_policy;
mod error;
mod host;
mod limits;
mod origins;
mod read;
mod read_limits;
mod secret_key;
mod section;
#[cfg(test)]
mod tests;
mod web_root;
mod ws_path;

use std::{net::SocketAddr, path::PathBuf};

pub use content_policy::{BadContentPolicy, ContentPolicy};
pub use error::{ConfigError, Found, Problem, Warning};
pub use host::{Host, HostError};
pub use limits::Limits;
pub use origins::{AllowedOrigins, OriginError};
pub use secret_key::{EmptyKey, SecretKey};
pub use web_root::WebRootError;
pub use ws_path::{WsPath, WsPathError};

/// Everything that an operator may choose.
#[derive(Clone, Debug)]
pub struct Config {
    /// `host`: where to listen.
    pub host: Host,
    /// `ws-path`: where the WebSocket is offered.
    pub ws_path: WsPath,
    /// `secret-key`: what clients register with.
    pub secret_key: SecretKey,
    /// `wss`: TLS, if it is to be spoken.
    pub wss: Option<Wss>,
    /// `web-root`: a folder of static files, served on the same port.
    pub web_root: Option<PathBuf>,
    /// `content-security-policy`: what the pages in that folder may do, if browsers are to be told.
    pub content_policy: Option<ContentPolicy>,
    /// `allowed-origins`: which web pages may connect beside those of the same host.
    pub allowed_origins: AllowedOrigins,
    /// `limits`: the bounds.
    pub limits: Limits,
}

/// The files for TLS, both in PEM format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wss {
    /// `wss.keyfile`: the private key.
    pub keyfile: PathBuf,
    /// `wss.certfile`: the certificate, and after it those that lead to a known authority.
    pub certfile: PathBuf,
}

impl Config {
    /// For this machine alone, without a config file: plain WebSocket on every path of 127.0.0.1:6780.
    pub fn local(secret_key: SecretKey) -> Self {
        Self {
            host: Host::Address(SocketAddr::from(([127, 0, 0, 1], 6780))),
            ws_path: WsPath::root(),
            secret_key,
            wss: None,
            web_root: None,
            content_policy: Some(ContentPolicy::default()),
            allowed_origins: AllowedOrigins::default(),
            limits: Limits::default(),
        }
    }
}
