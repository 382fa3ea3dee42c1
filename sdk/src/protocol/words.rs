//! Fields that hold one of a few words.

use std::fmt;

use serde::{Serialize, Serializer};

use super::error::DecodeError;
use super::read::Value;

macro_rules! words {
    (
        $(#[$about:meta])*
        $name:ident expects $expected:literal
        $($(#[$doc:meta])* $variant:ident = $word:literal,)*
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$doc])* $variant,)*
        }

        impl $name {
            /// Every one of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Its word on the wire.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            pub(super) fn read(value: Value<'_>) -> Result<Self, DecodeError> {
                match value.borrowed()?.as_ref() {
                    $($word => Ok(Self::$variant),)*
                    _ => Err(DecodeError::UnknownWord { field: value.field, expected: $expected }),
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.pad(self.as_str())
            }
        }
    };
}

words! {
    /// How a client's platform is.
    Status expects "`online`, `degraded` or `offline`"
    /// As it should be.
    Online = "online",
    /// There, but not as it should be: slow, say, or in part only.
    Degraded = "degraded",
    /// Away. The client itself is still there.
    Offline = "offline",
}

words! {
    /// How another client is.
    PresenceStatus expects "`online`, `degraded`, `offline` or `left`"
    /// Registered, and its platform is as it should be.
    Online = "online",
    /// Registered, and its platform is there, but not as it should be.
    Degraded = "degraded",
    /// Registered, but its platform is away.
    Offline = "offline",
    /// No longer registered.
    Left = "left",
}

words! {
    /// What became of a message on a client's platform.
    ReceiptStatus expects "`delivered` or `failed`"
    /// The platform has it.
    Delivered = "delivered",
    /// The platform does not have it, and will not.
    Failed = "failed",
}

impl From<Status> for PresenceStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Online => Self::Online,
            Status::Degraded => Self::Degraded,
            Status::Offline => Self::Offline,
        }
    }
}

/// Why a server refused a packet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// Not JSON, a field that is missing, of the wrong type or out of its bounds, a second `register`, or
    /// a binary message.
    BadPacket,
    /// An action that the server does not know.
    UnknownAction,
    /// A message or an edit that says nothing.
    EmptyContent,
    /// Too many packets: wait before the next. This one was not entered in the log.
    RateLimited,
    /// An edit or a delete of what this client may not change.
    NotAllowed,
    /// A `target` or `reply-to` that the log does not hold, or that is not what it must be.
    UnknownTarget,
    /// An attachment without a good URL, or too many of them.
    BadAttachment,
    /// A word that this crate does not know: of a later server.
    Other(String),
}

impl ErrorCode {
    /// Every one that this crate knows.
    pub const ALL: &[Self] = &[
        Self::BadPacket,
        Self::UnknownAction,
        Self::EmptyContent,
        Self::RateLimited,
        Self::NotAllowed,
        Self::UnknownTarget,
        Self::BadAttachment,
    ];

    /// Its word on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::BadPacket => "bad-packet",
            Self::UnknownAction => "unknown-action",
            Self::EmptyContent => "empty-content",
            Self::RateLimited => "rate-limited",
            Self::NotAllowed => "not-allowed",
            Self::UnknownTarget => "unknown-target",
            Self::BadAttachment => "bad-attachment",
            Self::Other(word) => word,
        }
    }

    /// The code with this word; [`Other`](Self::Other) if it is none that this crate knows.
    pub fn from_word(word: &str) -> Self {
        let known = Self::ALL.iter().find(|code| code.as_str() == word);
        known.cloned().unwrap_or_else(|| Self::Other(word.to_owned()))
    }

    pub(super) fn read(value: Value<'_>) -> Result<Self, DecodeError> {
        Ok(Self::from_word(&value.borrowed()?))
    }
}

impl Serialize for ErrorCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}
