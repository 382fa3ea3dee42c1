//! What becomes of what a client sends.

use crate::protocol::{ClientPacket, DecodeError, ErrorCode};

use super::error::ConnectError;

/// Where something that was sent has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Confirmation {
    /// In the room's log, at this place. Everyone is told in this order.
    Logged {
        /// Its number, by which replies, edits and deletes refer to it.
        seq: u64,
        /// When it was entered, in milliseconds since the Unix epoch, UTC.
        time: u64,
    },
    /// On the wire to a server that speaks the plain dialect and so confirms nothing: natively with the
    /// operating system, in a page with the browser.
    Written,
}

impl Confirmation {
    /// The place in the log; `None` in the plain dialect.
    pub const fn seq(self) -> Option<u64> {
        match self {
            Self::Logged { seq, .. } => Some(seq),
            Self::Written => None,
        }
    }
}

/// Whether something that failed may have arrived nevertheless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fate {
    /// It has not: it can be sent again.
    NotSent,
    /// It may have: who sends it again may send it twice.
    Unknown,
}

/// Something that was sent and is not confirmed. It is handed back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
#[non_exhaustive]
pub struct SendFailure {
    /// Why.
    pub error: SendError,
    /// Whether it may have arrived nevertheless.
    pub fate: Fate,
    /// What was to be sent, without the `id` that the client gave it.
    pub packet: Box<ClientPacket>,
}

/// Why something that was sent is not confirmed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// No server would take it.
    #[error("it is not good: {0}")]
    Invalid(#[from] DecodeError),
    /// It is larger than the router allows.
    #[error("its {size} bytes are too many: the router takes {max}")]
    TooBig {
        /// The size of the packet, in bytes.
        size: usize,
        /// The largest allowed, in bytes.
        max: usize,
    },
    /// Too much waits to be sent.
    #[error("too much is waiting to be sent")]
    OutboxFull,
    /// The router refused it.
    #[error("the router refused it: {reason}")]
    Refused {
        /// Why, for programs.
        code: ErrorCode,
        /// Why, for people. Written by the router.
        reason: String,
    },
    /// The connection broke before it was confirmed, and the session could not be resumed.
    #[error("the connection broke, and whether it arrived cannot be known")]
    FateUnknown,
    /// It refers to an entry of a log that is gone.
    #[error("what it refers to is gone: the room's log has begun anew")]
    LogChanged,
    /// The server speaks the plain dialect, which has no such thing.
    #[error("the server speaks the plain dialect, which knows messages alone")]
    NotInPlain,
    /// The client has been closed.
    #[error("the client is closed")]
    Closed,
    /// The client has ended because of this. Its code is that of [`Closed`](Self::Closed).
    #[error("the client has ended: {cause}")]
    Ended {
        /// Why.
        cause: ConnectError,
    },
}

impl SendError {
    /// A word for programs: it stays the same over all versions and on all platforms. For what the router
    /// refused it is the router's own.
    pub fn code(&self) -> &str {
        match self {
            Self::Invalid(error) => match error.error_code() {
                ErrorCode::EmptyContent => "empty-content",
                ErrorCode::BadAttachment => "bad-attachment",
                _ => "bad-packet",
            },
            Self::TooBig { .. } => "too-big",
            Self::OutboxFull => "outbox-full",
            Self::Refused { code, .. } => code.as_str(),
            Self::FateUnknown => "fate-unknown",
            Self::LogChanged => "log-changed",
            Self::NotInPlain => "not-in-plain",
            Self::Closed | Self::Ended { .. } => "closed",
        }
    }

    /// Whether the same may be sent later and succeed, and was surely not sent before.
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::OutboxFull)
    }

    /// What it means and what to do about it, in plain words.
    pub fn explain(&self) -> String {
        let advice = match self {
            Self::Invalid(_) => "Change it before you send it again.",
            Self::TooBig { .. } => "Send it in parts.",
            Self::OutboxFull => "Send it again when there is room: `ready` waits for that.",
            Self::Refused { code, .. } => explain_refusal(code),
            Self::FateUnknown => "Ask whoever wrote it before you send it again: it may be there already.",
            Self::LogChanged => "Send it as a new message if it still matters.",
            Self::NotInPlain => "Send a message instead.",
            Self::Closed => "Make another client to go on.",
            Self::Ended { cause } => cause.advice(),
        };
        let mut text = self.to_string();
        text.push_str(". ");
        text.push_str(advice);
        text
    }
}

fn explain_refusal(code: &ErrorCode) -> &'static str {
    match code {
        ErrorCode::UnknownTarget => "The message is too old, deleted, or was none.",
        ErrorCode::NotAllowed => {
            "Some keys may only read, an operator can mute a client, and a message can be changed by who sent it, not \
             by others."
        }
        ErrorCode::RateLimited => "Send less at once.",
        _ => "Do not send it again as it is.",
    }
}

impl SendFailure {
    /// As [`SendError::code`].
    pub fn code(&self) -> &str {
        self.error.code()
    }

    /// As [`SendError::explain`].
    pub fn explain(&self) -> String {
        self.error.explain()
    }

    /// The text that was to be sent; empty for what has none.
    pub fn text(&self) -> &str {
        match &*self.packet {
            ClientPacket::Message(message) => &message.content,
            ClientPacket::Edit(edit) => &edit.content,
            _ => "",
        }
    }
}
