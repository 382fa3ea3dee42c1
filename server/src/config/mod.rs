//! The configuration: read from a JSON file into types whose bad states cannot exist.

mod advice;
mod content_policy;
mod error;
mod files;
mod host;
mod keys;
mod limits;
mod origins;
mod pattern;
mod proxies;
mod read;
mod read_admin;
mod read_keys;
mod read_limits;
mod room;
mod secret_key;
mod section;
#[cfg(test)]
mod tests;
mod web_root;
mod ws_path;

use std::{net::SocketAddr, path::PathBuf};

pub use content_policy::{BadContentPolicy, ContentPolicy};
pub use error::{ConfigError, Found, Problem, Warning};
pub use files::Files;
pub use host::{Host, HostError};
pub use keys::{Client, Grant, Keys, Rights};
pub use limits::Limits;
pub use origins::{AllowedOrigins, OriginError};
pub use proxies::{ProxyError, TrustedProxies};
pub use room::{ChatLog, Room, RoomName, RoomNameError, Rotate};
pub use secret_key::{EmptyKey, KeyDigest, SecretKey};
pub use web_root::WebRootError;
pub use ws_path::{WsPath, WsPathError};

/// Everything that an operator may choose.
#[derive(Clone, Debug)]
pub struct Config {
    /// `host`: where to listen.
    pub host: Host,
    /// `wss`: TLS, if it is to be spoken.
    pub wss: Option<Wss>,
    /// `web-root`: a folder of static files, served on the same port.
    pub web_root: Option<PathBuf>,
    /// `content-security-policy`: what the pages in that folder may do, if browsers are to be told.
    pub content_policy: Option<ContentPolicy>,
    /// `allowed-origins`: which web pages may connect beside those of the same host.
    pub allowed_origins: AllowedOrigins,
    /// `trusted-proxies`: who is believed when it says where a connection really comes from.
    pub trusted_proxies: TrustedProxies,
    /// `proxy-protocol`: whether the trusted proxies say it at the beginning of each connection, in a PROXY header.
    pub proxy_protocol: bool,
    /// `limits`: the bounds of the port, and those of rooms that say nothing else.
    pub limits: Limits,
    /// What the top level says of a room: `ws-path`, `secret-key`, `clients`.
    pub default_room: Room,
    /// `rooms`: the others, by name.
    pub rooms: Vec<Room>,
    /// `admin`: where operators watch the router, if they may.
    pub admin: Option<Admin>,
    /// The files that keys were read from.
    pub key_files: Vec<PathBuf>,
}

/// The files for TLS, both in PEM format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wss {
    /// `wss.keyfile`: the private key.
    pub keyfile: PathBuf,
    /// `wss.certfile`: the certificate, and after it those that lead to a known authority.
    pub certfile: PathBuf,
}

/// The operators' own port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// `admin.host`: where to listen. An address of this machine alone, if there is no key.
    pub host: Host,
    /// `admin.key`: what operators show.
    pub key: Option<SecretKey>,
}

impl Config {
    /// For this machine alone, without a config file: plain WebSocket on every path of 127.0.0.1:6780.
    pub fn local(secret_key: SecretKey) -> Self {
        let limits = Limits::default();
        Self {
            host: Host::Address(SocketAddr::from(([127, 0, 0, 1], 6780))),
            wss: None,
            web_root: None,
            content_policy: Some(ContentPolicy::default()),
            allowed_origins: AllowedOrigins::default(),
            trusted_proxies: TrustedProxies::default(),
            proxy_protocol: false,
            default_room: Room {
                name: RoomName::default(),
                ws_path: WsPath::root(),
                keys: Keys::shared(secret_key),
                limits: limits.clone(),
                chat_log: None,
            },
            rooms: Vec::new(),
            admin: None,
            key_files: Vec::new(),
            limits,
        }
    }

    /// All rooms, the default one first.
    pub fn all_rooms(&self) -> impl Iterator<Item = &Room> {
        [&self.default_room].into_iter().chain(&self.rooms)
    }
}
