//! What can go wrong on the way to the router.

use std::time::Duration;

use crate::protocol::{CloseCode, NameError, is_terminal};

/// Why a client is not connected. The same on every platform, and with no type of a transport in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The address is not the URL of a WebSocket.
    #[error("the router's address is not good: {reason}")]
    InvalidUrl {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The client's name is one that no router takes.
    #[error(transparent)]
    InvalidName(#[from] NameError),
    /// The key is one that no router takes.
    #[error("the key is not good: {reason}")]
    InvalidKey {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The given root certificates could not be read, or the system has none.
    #[error("no root certificates: {reason}")]
    InvalidRoots {
        /// What is wrong with them.
        reason: String,
    },
    /// Natively, a client is started inside of a tokio runtime.
    #[error("there is no tokio runtime here")]
    NoRuntime,
    /// The function that is asked for the key had none.
    #[error("the key could not be had: {reason}")]
    KeyUnavailable {
        /// What the function said.
        reason: String,
    },
    /// No connection could be made: no such host, nobody who listens there, no way to it.
    #[error("the router cannot be reached: {reason}")]
    Unreachable {
        /// What the system said.
        reason: String,
    },
    /// The router's certificate is not to be trusted, or there is no TLS at that address.
    #[error("no secure connection: {reason}")]
    Tls {
        /// What was wrong with it.
        reason: String,
    },
    /// Something answered, but not with a WebSocket.
    #[error("the server answered {status} instead of opening a WebSocket")]
    Rejected {
        /// The HTTP status.
        status: u16,
        /// How long to wait, if the answer said so.
        retry_after: Option<Duration>,
    },
    /// The page came by `https`, and browsers let no such page use `ws`.
    #[error("a page that came by https cannot connect to a ws:// address")]
    MixedContent,
    /// This JavaScript runtime has no `WebSocket`.
    #[error("there is no WebSocket here")]
    NoWebSocket,
    /// The other side took too long.
    #[error("no answer in time: {0}")]
    TimedOut(Stage),
    /// The server closed the connection and said why.
    #[error("the server closed the connection: {code}{}{reason}", if reason.is_empty() { "" } else { " " })]
    Closed {
        /// The status code of the close frame.
        code: u16,
        /// Its text, written by the server.
        reason: String,
    },
    /// The connection broke, or was closed without a word.
    #[error("the connection was lost")]
    Lost,
    /// A message came that is larger than any router sends.
    #[error("a message came that is larger than a router may send")]
    MessageTooBig,
    /// The server closed the connection without a word instead of an ack, twice in a row: so original
    /// servers refuse a key.
    #[error("the server closed the connection without a word when it was told the key")]
    KeyProbablyRefused,
    /// What the server answered to the registration is no ack.
    #[error("the server did not answer as a multichat router does")]
    NoRouter,
}

/// What took too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// The key and the connection, up to the open WebSocket.
    Connect,
    /// The ack of the registration.
    Register,
    /// The ack of something that was sent.
    Ack,
    /// Any sign of life.
    Silence,
}

impl std::fmt::Display for Stage {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Connect => "the connection was not opened",
            Self::Register => "the registration was not answered",
            Self::Ack => "a message was not acknowledged",
            Self::Silence => "nothing was heard any more",
        })
    }
}

impl ConnectError {
    /// A word for programs: it stays the same over all versions and on all platforms.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidUrl { .. } => "invalid-url",
            Self::InvalidName(_) => "invalid-name",
            Self::InvalidKey { .. } => "invalid-key",
            Self::InvalidRoots { .. } => "invalid-roots",
            Self::NoRuntime => "no-runtime",
            Self::KeyUnavailable { .. } => "key-unavailable",
            Self::Unreachable { .. } => "unreachable",
            Self::Tls { .. } => "tls",
            Self::Rejected { .. } => "rejected",
            Self::MixedContent => "mixed-content",
            Self::NoWebSocket => "no-websocket",
            Self::TimedOut(_) => "timeout",
            Self::Closed { code, .. } => CloseCode::from_code(*code).map_or("closed", CloseCode::reason),
            Self::Lost => "lost",
            Self::MessageTooBig => "message-too-big",
            Self::KeyProbablyRefused => "key-probably-refused",
            Self::NoRouter => "no-router",
        }
    }

    /// Whether the same attempt may succeed later. If not, the client gives up.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::InvalidUrl { .. }
            | Self::InvalidName(_)
            | Self::InvalidKey { .. }
            | Self::InvalidRoots { .. }
            | Self::NoRuntime
            | Self::MixedContent
            | Self::NoWebSocket => false,
            Self::Closed { code, .. } => !is_terminal(*code),
            _ => true,
        }
    }

    /// What it means and what to do about it, in plain words. Whether the client will try again by itself, its
    /// [`State`](crate::State) says.
    pub fn explain(&self) -> String {
        let mut text = self.to_string();
        text.push_str(". ");
        text.push_str(self.advice());
        text
    }

    /// What to do about it.
    pub(super) fn advice(&self) -> &'static str {
        match self {
            Self::InvalidUrl { .. } => {
                "An address looks like wss://chat.example.org/ or ws://127.0.0.1:6780/."
            }
            Self::InvalidName(_) => {
                "A name is 1 to 64 bytes long, without line breaks and other control characters."
            }
            Self::InvalidKey { .. } => "Use the key that the router's operator gave out for this client.",
            Self::InvalidRoots { .. } => {
                "Install the system's certificates (on Debian the package ca-certificates), or give the \
                 certificate that the router's is signed with, as PEM."
            }
            Self::NoRuntime => "Start the client inside of a tokio runtime, such as #[tokio::main] makes.",
            Self::KeyUnavailable { .. } => "See why the function that you gave for the key failed.",
            Self::Unreachable { .. } => {
                "Check the address and the port, that the router is running, and that no firewall is in between."
            }
            Self::Tls { .. } => {
                "Use the host name that the router's certificate was made for. If the certificate is signed \
                 by its owner, give it to the client as a root. If the router speaks without TLS, its address \
                 begins with ws://."
            }
            Self::Rejected { status, .. } => explain_status(*status),
            Self::MixedContent => {
                "Give the router a certificate and use its wss:// address, or open the page by http."
            }
            Self::NoWebSocket => {
                "Node.js has one from version 22 on. In older ones, install the package ws and give its \
                 WebSocket to the client as an option."
            }
            Self::TimedOut(_) => {
                "The router, or something on the way to it, accepts connections but does not answer. Another \
                 attempt may succeed."
            }
            Self::Closed { code, .. } => explain_close(*code),
            Self::Lost => "The network or the router went away. Another attempt may succeed.",
            Self::MessageTooBig => {
                "What answers there is no multichat router, or not in its right mind. If this comes again and \
                 again, ask the router's operator."
            }
            Self::KeyProbablyRefused => {
                "An original server refuses a wrong key so. Check the key; if it is right, it may be the network."
            }
            Self::NoRouter => "Check that the address is that of a multichat router, with its path.",
        }
    }
}

fn explain_status(status: u16) -> &'static str {
    match status {
        403 => "The router does not allow pages of this origin: its operator lists them in allowed-origins.",
        400 | 404 | 405 | 200..=299 => {
            "The path of the address is probably wrong: it has to be the router's ws-path."
        }
        301..=308 => "The address has moved; use the new one. If it is the same with https, use wss://.",
        429 | 503 => "The router has too many connections at the moment. Another attempt may succeed.",
        502 | 504 => "A proxy in front of the router cannot reach it. Another attempt may succeed.",
        401 | 407 => "A proxy on the way wants a password.",
        _ => "Check that the address is that of a multichat router, with its path.",
    }
}

fn explain_close(code: u16) -> &'static str {
    match CloseCode::from_code(code) {
        Some(CloseCode::Unauthorized) => {
            "The key or the name is wrong. Ask the router's operator which key belongs to this name."
        }
        Some(CloseCode::BadRegister) => "The router does not take this name; choose another.",
        Some(CloseCode::Revoked) => {
            "The key was changed or taken away. Ask the router's operator for a new one."
        }
        Some(CloseCode::Replaced) => "Another program goes on with this client's session.",
        Some(CloseCode::GoingAway) => {
            "The router stops or restarts, or has this room no more. Another attempt may succeed."
        }
        Some(CloseCode::TooBig) => "Something that was sent is larger than the router allows.",
        Some(CloseCode::SlowConsumer) => {
            "The client, or its line, took too long to read. On the next connection it catches up."
        }
        Some(CloseCode::RateLimited) => "Too much was sent at once. Wait a while before the next attempt.",
        Some(CloseCode::Overloaded) => {
            "The router has too many connections at the moment. Another attempt may succeed."
        }
        Some(CloseCode::Policy) => "The router saw a flood from this client.",
        _ if is_terminal(code) => {
            "The router and the client do not understand each other. Update the older one."
        }
        _ => "Another attempt may succeed.",
    }
}
