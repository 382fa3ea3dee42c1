//! Where to listen.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
};

/// Where to listen: the field `host`, in the syntax that Go's `net.Listen` takes, and two forms beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// `":6780"`, `"0.0.0.0:6780"`, `"[::]:6780"`: every interface, IPv6 and IPv4 both. All three are one
    /// thing to Go, and so they are here: who moves a config file from the original server finds the
    /// same doors open.
    AnyInterface {
        /// The port; 0 for any free one.
        port: u16,
    },
    /// `"127.0.0.1:6780"`, `"[::1]:6780"`: one address, never an unspecified one.
    Address(SocketAddr),
    /// `"localhost:6780"`: a name, looked up when the server starts.
    Name {
        /// The host name, or an IPv6 address with a named zone.
        host: String,
        /// The port; 0 for any free one.
        port: u16,
    },
    /// `"unix:/run/multichat.sock"`: a Unix-domain socket.
    Unix(PathBuf),
    /// `"systemd"`: at the sockets that a service manager has opened and hands over.
    Systemd,
}

/// Why a text is no [`Host`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// `"localhost"`.
    #[error("the port is missing")]
    NoPort,
    /// `"localhost:http"`, `"localhost:70000"`.
    #[error("the port must be a number from 0 to 65535")]
    BadPort,
    /// `"::1:6780"`.
    #[error("an IPv6 address goes into brackets, such as \"[::1]:6780\"")]
    NoBrackets,
    /// `"ws://localhost:6780"`.
    #[error("no URL here, only a host and a port")]
    Url,
    /// `"my host:6780"`.
    #[error("that is no host name and no IP address")]
    BadName,
    /// `"unix:"`.
    #[error("the path of the socket is missing")]
    NoPath,
}

impl Host {
    /// What is expected of the field, for messages.
    pub(super) const EXPECTED: &str =
        "where to listen, such as \":6780\" (every interface), \"127.0.0.1:6780\" or \"unix:multichat.sock\"";

    /// Reads the field.
    ///
    /// # Errors
    ///
    /// [`HostError`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        if text == "systemd" {
            return Ok(Self::Systemd);
        }
        // With digits alone behind it, it is a host of that name and its port.
        if let Some(path) = text.strip_prefix("unix:")
            && (path.is_empty() || !path.bytes().all(|byte| byte.is_ascii_digit()))
        {
            return if path.is_empty() { Err(HostError::NoPath) } else { Ok(Self::Unix(path.into())) };
        }
        if text.contains('/') {
            return Err(HostError::Url);
        }
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, rest) = rest.split_once(']').ok_or(HostError::BadName)?;
                let port = rest.strip_prefix(':').ok_or(HostError::NoPort)?;
                return bracketed(host, parse_port(port)?);
            }
            None => text.rsplit_once(':').ok_or(HostError::NoPort)?,
        };
        if host.contains(':') {
            return Err(HostError::NoBrackets);
        }
        let port = parse_port(port)?;
        if host.is_empty() {
            return Ok(Self::AnyInterface { port });
        }
        if let Ok(ip) = host.parse() {
            return Ok(Self::from_ip(ip, port));
        }
        // Only digits and dots, yet no IPv4 address: a slip of the pen that must not go to a resolver.
        let is_name = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
            && host.bytes().any(|byte| byte.is_ascii_alphabetic());
        if !is_name {
            return Err(HostError::BadName);
        }
        Ok(Self::Name { host: host.to_owned(), port })
    }

    /// With its path, if it has one, taken from this folder.
    pub(super) fn relative_to(self, folder: &Path) -> Self {
        match self {
            Self::Unix(path) => Self::Unix(folder.join(path)),
            other => other,
        }
    }

    fn from_ip(ip: IpAddr, port: u16) -> Self {
        if ip.is_unspecified() {
            Self::AnyInterface { port }
        } else {
            Self::Address(SocketAddr::new(ip, port))
        }
    }

    /// Whether only programs on the same machine can reach it, as far as can be told without a look-up.
    pub fn is_loopback(&self) -> bool {
        match self {
            // What systemd has opened is not known here.
            Self::AnyInterface { .. } | Self::Systemd => false,
            Self::Unix(_) => true,
            Self::Address(address) => address.ip().is_loopback(),
            Self::Name { host, .. } => host.eq_ignore_ascii_case("localhost"),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AnyInterface { port } => write!(f, ":{port}"),
            Self::Address(address) => write!(f, "{address}"),
            Self::Name { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Name { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Systemd => f.write_str("systemd"),
        }
    }
}

fn parse_port(text: &str) -> Result<u16, HostError> {
    if text.is_empty() {
        return Err(HostError::NoPort);
    }
    // `u16::from_str` would take a sign.
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(HostError::BadPort);
    }
    text.parse().map_err(|_| HostError::BadPort)
}

fn bracketed(host: &str, port: u16) -> Result<Host, HostError> {
    let (address, zone) = match host.split_once('%') {
        Some((address, zone)) => (address, Some(zone)),
        None => (host, None),
    };
    let ip: Ipv6Addr = address.parse().map_err(|_| HostError::BadName)?;
    match zone {
        None => Ok(Host::from_ip(ip.into(), port)),
        Some("") => Err(HostError::BadName),
        // A zone is the name of an interface; the resolver knows its number.
        Some(_) => Ok(Host::Name { host: host.to_owned(), port }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(host: &str, port: u16) -> Host {
        Host::Name { host: host.to_owned(), port }
    }

    #[test]
    fn what_go_listens_at() {
        for (text, expected) in [
            (":6780", Host::AnyInterface { port: 6780 }),
            ("0.0.0.0:1234", Host::AnyInterface { port: 1234 }),
            ("[::]:1234", Host::AnyInterface { port: 1234 }),
            (":0", Host::AnyInterface { port: 0 }),
            ("127.0.0.1:0", Host::Address(SocketAddr::from(([127, 0, 0, 1], 0)))),
            ("[::1]:65535", Host::Address(SocketAddr::from((Ipv6Addr::LOCALHOST, 65535)))),
            ("localhost:6780", name("localhost", 6780)),
            ("chat_1.example.org:80", name("chat_1.example.org", 80)),
            ("[fe80::1%eth0]:80", name("fe80::1%eth0", 80)),
            ("unix:6780", name("unix", 6780)),
            ("systemd:6780", name("systemd", 6780)),
        ] {
            assert_eq!(Host::parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_go_does_not_listen_at() {
        assert_eq!(Host::parse("systemd"), Ok(Host::Systemd));
        for (text, path) in [
            ("unix:/run/multichat.sock", "/run/multichat.sock"),
            ("unix:run/a b:1.sock", "/etc/run/a b:1.sock"),
            ("unix:6780.sock", "/etc/6780.sock"),
        ] {
            let host = Host::parse(text).unwrap().relative_to(Path::new("/etc"));
            assert_eq!(host, Host::Unix(path.into()), "{text}");
        }
    }

    #[test]
    fn what_is_wrong() {
        for (text, expected) in [
            ("", HostError::NoPort),
            ("localhost", HostError::NoPort),
            ("127.0.0.1", HostError::NoPort),
            ("localhost:", HostError::NoPort),
            ("[::1]", HostError::NoPort),
            ("localhost:http", HostError::BadPort),
            (":65536", HostError::BadPort),
            (":+80", HostError::BadPort),
            (": 80", HostError::BadPort),
            ("::1:6780", HostError::NoBrackets),
            ("ws://localhost:6780", HostError::Url),
            ("localhost:6780/chat", HostError::Url),
            ("my host:6780", HostError::BadName),
            ("*:6780", HostError::BadName),
            ("1.2.3.4.5:6780", HostError::BadName),
            ("999.1.1.1:6780", HostError::BadName),
            ("[localhost]:6780", HostError::BadName),
            ("[::1:6780", HostError::BadName),
            ("[fe80::1%]:80", HostError::BadName),
            ("unix:", HostError::NoPath),
            ("unix", HostError::NoPort),
            ("Systemd", HostError::NoPort),
        ] {
            assert_eq!(Host::parse(text), Err(expected), "{text}");
        }
    }

    #[test]
    fn loopback() {
        for (text, expected) in [
            (":1", false),
            ("127.0.0.9:1", true),
            ("[::1]:1", true),
            ("LocalHost:1", true),
            ("10.0.0.1:1", false),
            ("unix:a.sock", true),
            ("systemd", false),
        ] {
            assert_eq!(Host::parse(text).unwrap().is_loopback(), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in ".*") {
            let _ = Host::parse(&text);
        }

        #[test]
        fn reads_what_it_prints(text in r"unix:[0-9a-z/:]{0,9}|(\[[0-9a-f:%]{0,9}\]|[0-9a-z.]{0,9}):[0-9]{1,5}") {
            if let Ok(host) = Host::parse(&text) {
                prop_assert_eq!(Host::parse(&host.to_string()), Ok(host));
            }
        }
    }
}
