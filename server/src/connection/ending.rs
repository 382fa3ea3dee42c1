//! Why a connection ends, and how its peer is told.

use std::io;

use bytes::Bytes;
use multichat::protocol::CloseCode;
use tokio_tungstenite::tungstenite::Error as WsError;

use super::meter::Violation;
use crate::frame;

/// The labels of endings that no close tells.
const CLOSED_BY_CLIENT: &str = "closed-by-client";
const LOST: &str = "lost";
const SERVER_FAILED: &str = "server-failed";
const SILENT: &str = "silent";

/// Why a connection ends.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Ending {
    /// The peer sent a close.
    #[error("closed by the client{}", code.map_or(String::new(), |code| format!(" with {code}")))]
    ByPeer { code: Option<u16> },
    /// The peer's stream ended without a close.
    #[error("connection lost")]
    Lost,
    /// The stream failed.
    #[error("connection lost: {0}")]
    Failed(io::ErrorKind),
    /// Serving the connection panicked, or there was no randomness to be had for it.
    #[error("the server failed")]
    ServerFailed,
    /// The peer does not answer pings.
    #[error("no answer to a ping")]
    Silent,
    /// The peer is told why with a close.
    #[error("{why}")]
    Close { code: CloseCode, why: &'static str },
    /// The peer went beyond a bound.
    #[error("{0}")]
    Violation(#[from] Violation),
}

impl Ending {
    /// The port closes.
    pub(crate) const GOING_AWAY: Self = Self::close(CloseCode::GoingAway, "the server shuts down");
    /// The configuration has its room no more. The key may still be good: the client comes again, as after a restart,
    /// and finds what is on its path now.
    pub(super) const ABANDONED: Self = Self::close(CloseCode::GoingAway, "its room is gone");
    /// There are too many connections that have not registered.
    pub(crate) const EVICTED: Self =
        Self::close(CloseCode::Overloaded, "made room for a newer connection before it registered");
    /// The key that opened the room does not any more.
    pub(super) const REVOKED: Self = Self::close(CloseCode::Revoked, "its key was removed or changed");
    pub(super) const OVERRUN: Self =
        Self::close(CloseCode::SlowConsumer, "read too slowly: the log has moved on");
    pub(super) const STALLED: Self =
        Self::close(CloseCode::SlowConsumer, "read too slowly: the socket takes nothing");

    pub(super) const fn close(code: CloseCode, why: &'static str) -> Self {
        Self::Close { code, why }
    }

    /// Every [`Ending::label`] of those who have registered, or of those who have not.
    pub(super) fn labels(has_registered: bool) -> impl Iterator<Item = &'static str> {
        use CloseCode::{
            BadRegister, Binary, Overloaded, RateLimited, RegisterTimeout, Replaced, Revoked, SlowConsumer,
            Unauthorized,
        };
        let happens = move |code: &&CloseCode| match code {
            BadRegister | Unauthorized | RegisterTimeout | Binary | Overloaded => !has_registered,
            Revoked | Replaced | SlowConsumer | RateLimited => has_registered,
            _ => true,
        };
        let codes = CloseCode::ALL.iter().filter(happens).map(|code| code.reason());
        let silent = has_registered.then_some(SILENT);
        codes.chain([CLOSED_BY_CLIENT, LOST, SERVER_FAILED]).chain(silent)
    }

    /// The kind of ending, for who counts them: the reason of the close, if there is one.
    pub(crate) fn label(&self) -> &'static str {
        match (self, self.close_code()) {
            (_, Some(code)) => code.reason(),
            (Self::ByPeer { .. }, None) => CLOSED_BY_CLIENT,
            (Self::Silent, None) => SILENT,
            (Self::ServerFailed, None) => SERVER_FAILED,
            (_, None) => LOST,
        }
    }

    /// What the peer is told, if it is us who close.
    pub(super) fn close_code(&self) -> Option<CloseCode> {
        match self {
            Self::Close { code, .. } => Some(*code),
            Self::Violation(violation) => Some(violation.close_code()),
            Self::ByPeer { .. } | Self::Lost | Self::Failed(_) | Self::ServerFailed | Self::Silent => None,
        }
    }

    /// The last frame; `None` where nobody is there to read one.
    pub(super) fn close_frame(&self) -> Option<Bytes> {
        match self {
            Self::ByPeer { code } => Some(frame::close_answer(*code)),
            _ => self.close_code().map(frame::close),
        }
    }
}

impl From<io::Error> for Ending {
    fn from(error: io::Error) -> Self {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<Violation>()) {
            Some(violation) => Self::Violation(*violation),
            None => Self::Failed(error.kind()),
        }
    }
}

impl From<WsError> for Ending {
    fn from(error: WsError) -> Self {
        match error {
            WsError::Io(error) => error.into(),
            WsError::Utf8(_) => Self::close(CloseCode::Utf8, "a text that is not UTF-8"),
            WsError::Capacity(_) => Violation::TooBig.into(),
            WsError::Protocol(
                tokio_tungstenite::tungstenite::error::ProtocolError::ResetWithoutClosingHandshake,
            )
            | WsError::ConnectionClosed
            | WsError::AlreadyClosed => Self::Lost,
            _ => Self::close(CloseCode::ProtocolError, "not WebSocket"),
        }
    }
}
