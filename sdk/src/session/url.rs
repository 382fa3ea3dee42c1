//! Where a router is.

use std::fmt;

use super::error::ConnectError;

const NO_SCHEME: &str = "it has to begin with ws:// or wss://";

/// The URL of a WebSocket, checked: `ws` or `wss`, with a host, in ASCII, without user, password and
/// fragment (RFC 6455, section 3).
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Url {
    text: String,
    /// Where the scheme and `://` end.
    authority: usize,
    /// Where the authority ends, and the path begins.
    path: usize,
}

impl Url {
    /// Checks a URL. `http` and `https`, which people copy out of an address bar, stand for `ws` and `wss`;
    /// what is not ASCII in the path is percent-encoded.
    pub(crate) fn parse(text: &str) -> Result<Self, ConnectError> {
        let text = text.trim();
        let (scheme, rest) = text.split_once(':').unwrap_or_default();
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "ws" | "http" => "ws://",
            "wss" | "https" => "wss://",
            _ => return invalid(NO_SCHEME),
        };
        let Some(rest) = rest.strip_prefix("//") else { return invalid(NO_SCHEME) };
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        check_authority(authority)?;
        let mut url = Self {
            text: [scheme, authority].concat(),
            authority: scheme.len(),
            path: scheme.len() + authority.len(),
        };
        url.set_path(path)?;
        Ok(url)
    }

    /// The same host with another path, perhaps with a query behind it.
    pub(crate) fn set_path(&mut self, path: &str) -> Result<(), ConnectError> {
        if path.contains('#') {
            return invalid("it has a fragment (#…), which a WebSocket has no use for");
        }
        self.text.truncate(self.path);
        if !path.starts_with('/') {
            self.text.push('/');
        }
        for byte in path.bytes() {
            if byte.is_ascii_graphic() {
                self.text.push(char::from(byte));
            } else {
                self.text.extend(['%', hex(byte >> 4), hex(byte & 15)]);
            }
        }
        Ok(())
    }

    /// All of it.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is `wss`.
    pub(crate) fn is_secure(&self) -> bool {
        self.text.starts_with("wss:")
    }

    /// The host, an IPv6 address without its brackets.
    pub(crate) fn host(&self) -> &str {
        self.host_and_port().map_or("", |(host, _)| host)
    }

    /// The port: the scheme's own where none is named.
    pub(crate) fn port(&self) -> u16 {
        let named = self.host_and_port().and_then(|(_, port)| port);
        named.unwrap_or(if self.is_secure() { 443 } else { 80 })
    }

    fn host_and_port(&self) -> Option<(&str, Option<u16>)> {
        host_and_port(self.text.get(self.authority..self.path)?)
    }
}

/// Without the query, which may hold what others should not read.
impl fmt::Debug for Url {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.text.split('?').next().unwrap_or_default())
    }
}

fn check_authority(authority: &str) -> Result<(), ConnectError> {
    if authority.contains('@') {
        return invalid("it has a user name or password in it; the key is given apart from it");
    }
    if !authority.bytes().all(|byte| byte.is_ascii_graphic()) {
        return invalid("its host is not ASCII; write it in its xn-- form");
    }
    match host_and_port(authority) {
        Some((host, _)) if !host.is_empty() => Ok(()),
        Some(_) => invalid("it has no host"),
        None => invalid("what follows the host is not a port, a number from 1 to 65535"),
    }
}

/// `host`, `host:port`, `[address]` or `[address]:port`. An empty port counts as none.
fn host_and_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    match port.strip_prefix(':') {
        Some("") => Some((host, None)),
        Some(port) => port.parse().ok().filter(|&port| port > 0).map(|port| (host, Some(port))),
        None => port.is_empty().then_some((host, None)),
    }
}

fn hex(digit: u8) -> char {
    char::from(if digit < 10 { b'0' + digit } else { b'A' + digit - 10 })
}

fn invalid<T>(reason: &'static str) -> Result<T, ConnectError> {
    Err(ConnectError::InvalidUrl { reason })
}
