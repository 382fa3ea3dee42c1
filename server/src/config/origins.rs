//! Which web pages may connect.

use std::{fmt, net::Ipv6Addr};

/// Which web pages may connect: the field `allowed-origins`. Pages of the same host always may.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedOrigins {
    any: bool,
    null: bool,
    origins: Vec<Origin>,
}

/// A page's origin, in one normal form: lower case, and no port where it is the scheme's own.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Origin {
    scheme: String,
    authority: Authority,
}

/// A host and, unless it is the default, a port.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Authority {
    host: String,
    port: Option<u16>,
}

/// Why a text is no origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// `"chat.example.org"`.
    #[error("an origin begins with its scheme, such as https://")]
    NoScheme,
    /// `"wss://chat.example.org"`.
    #[error("browsers send the origin of the page, which begins with https:// or http://")]
    WebSocketScheme,
    /// `"https://example.org/chat"`.
    #[error("an origin ends after the host and the port")]
    Path,
    /// `"https://*.example.org"`.
    #[error("\"*\" stands alone, for every origin; list each host otherwise")]
    Wildcard,
    /// `"https://exämple.org"`.
    #[error("browsers send such a name in its ASCII form, which begins with xn--")]
    NotAscii,
    /// `"https://example org"`.
    #[error("that is no host name and no IP address")]
    BadHost,
    /// `"https://example.org:https"`.
    #[error("the port must be a number from 0 to 65535")]
    BadPort,
}

impl AllowedOrigins {
    /// What is expected of the field, for messages.
    pub(super) const EXPECTED: &str = "an array of the origins of web pages, such as [\"https://chat.example.org\"], or [\"*\"] for every page";

    /// Adds one entry of the list: an origin, `null` or `*`.
    ///
    /// # Errors
    ///
    /// [`OriginError`] says what is wrong with it.
    pub fn add(&mut self, text: &str) -> Result<(), OriginError> {
        match text {
            "*" => self.any = true,
            "null" => self.null = true,
            text => {
                let origin = Origin::parse(text).or_else(|error| match text.strip_suffix('/') {
                    // People copy a page's address; with a bare `/` at its end it can mean one thing only.
                    Some(bare) if error == OriginError::Path => Origin::parse(bare),
                    _ => Err(error),
                })?;
                if !self.origins.contains(&origin) {
                    self.origins.push(origin);
                }
            }
        }
        Ok(())
    }

    /// Whether only pages of the same host may connect.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a page may connect, by the `Origin` and `Host` headers of its request.
    ///
    /// Yes if it is listed, or if it is a page of the host that was asked: the same name and port, where
    /// a missing port is that of the page's scheme. (The router need not know whether a proxy before it
    /// speaks TLS.) The origin `null` (a local file, a sandboxed frame) is nobody's and must be listed.
    pub fn allows(&self, origin: &str, host_header: Option<&str>) -> bool {
        if self.any {
            return true;
        }
        if origin == "null" {
            return self.null;
        }
        let Ok(origin) = Origin::parse(origin) else { return false };
        if self.origins.contains(&origin) {
            return true;
        }
        let Some(default_port) = default_port(&origin.scheme) else { return false };
        host_header.is_some_and(|host| Authority::parse(host, Some(default_port)) == Ok(origin.authority))
    }
}

/// The list as in the config file, in normal form.
impl fmt::Display for AllowedOrigins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let special = [(self.any, "*"), (self.null, "null")]
            .into_iter()
            .filter_map(|(on, name)| on.then_some(name.to_owned()));
        let all: Vec<_> = special.chain(self.origins.iter().map(ToString::to_string)).collect();
        f.write_str(&all.join(", "))
    }
}

impl Origin {
    fn parse(text: &str) -> Result<Self, OriginError> {
        let (scheme, authority) = text.split_once("://").ok_or(OriginError::NoScheme)?;
        let scheme = scheme.to_ascii_lowercase();
        if !scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            || !scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        {
            return Err(OriginError::NoScheme);
        }
        if matches!(scheme.as_str(), "ws" | "wss") {
            return Err(OriginError::WebSocketScheme);
        }
        let authority = Authority::parse(authority, default_port(&scheme))?;
        Ok(Self { scheme, authority })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority.host)?;
        self.authority.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl Authority {
    fn parse(text: &str, default_port: Option<u16>) -> Result<Self, OriginError> {
        if text.contains(['/', '?', '#']) {
            return Err(OriginError::Path);
        }
        if text.contains('*') {
            return Err(OriginError::Wildcard);
        }
        if !text.is_ascii() {
            return Err(OriginError::NotAscii);
        }
        let end = if text.starts_with('[') { text.find(']').map(|at| at + 1) } else { text.find(':') };
        let (host, port) = text.split_at(end.unwrap_or(text.len()));
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => None,
            Some(digits) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(digits.parse().map_err(|_| OriginError::BadPort)?)
            }
            _ => return Err(OriginError::BadPort),
        };
        Ok(Self { host: normal_host(host)?, port: port.filter(|_| port != default_port) })
    }
}

fn normal_host(host: &str) -> Result<String, OriginError> {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let address: Ipv6Addr = address.parse().map_err(|_| OriginError::BadHost)?;
        return Ok(format!("[{address}]"));
    }
    let is_name =
        !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
    if is_name { Ok(host.to_ascii_lowercase()) } else { Err(OriginError::BadHost) }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn list(entries: &[&str]) -> AllowedOrigins {
        let mut origins = AllowedOrigins::default();
        for entry in entries {
            origins.add(entry).unwrap();
        }
        origins
    }

    #[test]
    fn the_same_host_is_allowed() {
        let nobody = AllowedOrigins::default();
        for (origin, host, expected) in [
            ("http://chat.example.org", "chat.example.org", true),
            ("https://chat.example.org", "chat.example.org", true),
            ("HTTPS://Chat.Example.org", "chat.EXAMPLE.org", true),
            ("https://chat.example.org", "chat.example.org:443", true),
            ("https://chat.example.org:443", "chat.example.org", true),
            ("http://chat.example.org:80", "chat.example.org", true),
            ("http://localhost:6780", "localhost:6780", true),
            ("http://[::1]:6780", "[0:0::1]:6780", true),
            ("http://127.0.0.1:6780", "127.0.0.1:6780", true),
            ("https://chat.example.org", "chat.example.org:80", false),
            ("http://chat.example.org", "chat.example.org:443", false),
            ("http://localhost:3000", "localhost:6780", false),
            ("http://localhost", "localhost:6780", false),
            ("http://evil.example", "chat.example.org", false),
            ("http://chat.example.org.evil.example", "chat.example.org", false),
            ("http://evil.example/chat.example.org", "chat.example.org", false),
            ("http://user@chat.example.org", "chat.example.org", false),
            ("app://chat.example.org", "chat.example.org", false),
            ("null", "null", false),
            ("", "", false),
            ("http://", "", false),
        ] {
            assert_eq!(nobody.allows(origin, Some(host)), expected, "{origin} at {host}");
        }
        assert!(!nobody.allows("http://chat.example.org", None));
    }

    #[test]
    fn the_listed_are_allowed() {
        let listed = list(&[
            "https://Chat.example.org:443/",
            "http://localhost:3000",
            "chrome-extension://abcdef",
            "http://[0::1]",
        ]);
        assert_eq!(
            listed.to_string(),
            "https://chat.example.org, http://localhost:3000, chrome-extension://abcdef, http://[::1]"
        );
        for (origin, expected) in [
            ("https://chat.example.org", true),
            ("https://CHAT.example.org:443", true),
            ("http://localhost:3000", true),
            ("chrome-extension://abcdef", true),
            ("http://[::1]:80", true),
            ("http://chat.example.org", false),
            ("https://chat.example.org:8443", false),
            ("https://other.example.org", false),
            ("http://localhost", false),
            ("null", false),
        ] {
            assert_eq!(listed.allows(origin, Some("elsewhere.example:6780")), expected, "{origin}");
            assert_eq!(listed.allows(origin, None), expected, "{origin}");
        }
    }

    #[test]
    fn null_and_everybody() {
        assert!(list(&["null"]).allows("null", None));
        assert!(!list(&["null"]).allows("http://evil.example", None));
        for origin in ["null", "http://anything.example", "app://x", "what is this"] {
            assert!(list(&["*"]).allows(origin, None), "{origin}");
        }
    }

    #[test]
    fn what_is_wrong() {
        for (text, expected) in [
            ("", OriginError::NoScheme),
            ("chat.example.org", OriginError::NoScheme),
            ("://chat.example.org", OriginError::NoScheme),
            ("wss://chat.example.org", OriginError::WebSocketScheme),
            ("https://chat.example.org/page", OriginError::Path),
            ("https://chat.example.org//", OriginError::Path),
            ("https://*.example.org", OriginError::Wildcard),
            ("https://exämple.org", OriginError::NotAscii),
            ("https://", OriginError::BadHost),
            ("https:///", OriginError::BadHost),
            ("https://user@example.org", OriginError::BadHost),
            ("https://[::1", OriginError::BadHost),
            ("https://example.org:", OriginError::BadPort),
            ("https://example.org:70000", OriginError::BadPort),
            ("https://[::1]x", OriginError::BadPort),
        ] {
            assert_eq!(AllowedOrigins::default().add(text), Err(expected), "{text}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(origin in ".*", host in ".*") {
            let mut origins = AllowedOrigins::default();
            let _ = origins.add(&origin);
            origins.allows(&origin, Some(&host));
            origins.allows(&format!("https://{origin}"), Some(&host));
        }

        #[test]
        fn who_is_listed_is_allowed(origin in "[a-z]{1,3}://[a-zA-Z.]{1,8}(:[0-9]{1,4})?") {
            let mut origins = AllowedOrigins::default();
            if origins.add(&origin).is_ok() {
                prop_assert!(origins.allows(&origin, None));
                let mut again = AllowedOrigins::default();
                again.add(&origins.to_string()).unwrap();
                prop_assert_eq!(again, origins);
            }
        }
    }
}
