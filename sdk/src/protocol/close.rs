//! Why a connection was closed, and whether to come back.

/// A reason for which a router closes a connection: the status code and the reason text of its close
/// frame (RFC 6455, section 5.5.1).
///
/// A client must be ready for codes that are not listed here: [`is_terminal`] has an answer for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u16)]
pub enum CloseCode {
    /// The server shuts down or restarts, or the room is gone.
    GoingAway = 1001,
    /// The peer does not keep to RFC 6455.
    ProtocolError = 1002,
    /// A binary message before registration: packets are text.
    Binary = 1003,
    /// A text message that is not UTF-8.
    Utf8 = 1007,
    /// A flood: of control frames, of fragments, or of bad packets.
    Policy = 1008,
    /// A packet of more bytes than are allowed.
    TooBig = 1009,
    /// The first packet was not a good `register`.
    BadRegister = 4400,
    /// Unknown name or wrong key; which of the two is not told.
    Unauthorized = 4401,
    /// The key was removed or changed while its client was connected.
    Revoked = 4403,
    /// Another connection took this one's place.
    Replaced = 4409,
    /// A connection limit was reached.
    Overloaded = 4503,
    /// No `register` came in time.
    RegisterTimeout = 4508,
    /// The reader fell too far behind.
    SlowConsumer = 4513,
    /// Too many packets or attempts: wait before the next.
    RateLimited = 4529,
}

impl CloseCode {
    /// Every code of the table, in the order of the numbers.
    pub const ALL: &[Self] = &[
        Self::GoingAway,
        Self::ProtocolError,
        Self::Binary,
        Self::Utf8,
        Self::Policy,
        Self::TooBig,
        Self::BadRegister,
        Self::Unauthorized,
        Self::Revoked,
        Self::Replaced,
        Self::Overloaded,
        Self::RegisterTimeout,
        Self::SlowConsumer,
        Self::RateLimited,
    ];

    /// The status code: one of RFC 6455, section 7.4.1, or one of the range 4000 to 4999 that section
    /// 7.4.2 leaves to applications.
    pub const fn code(self) -> u16 {
        self as u16
    }

    /// The reason text, ASCII and short enough for every close frame (at most 123 bytes).
    pub const fn reason(self) -> &'static str {
        match self {
            Self::GoingAway => "going-away",
            Self::ProtocolError => "protocol-error",
            Self::Binary => "binary",
            Self::Utf8 => "utf-8",
            Self::Policy => "policy",
            Self::TooBig => "too-big",
            Self::BadRegister => "bad-register",
            Self::Unauthorized => "unauthorized",
            Self::Revoked => "revoked",
            Self::Replaced => "replaced",
            Self::Overloaded => "overloaded",
            Self::RegisterTimeout => "register-timeout",
            Self::SlowConsumer => "slow-consumer",
            Self::RateLimited => "rate-limited",
        }
    }

    /// The row of the table with this status code, if there is one.
    pub fn from_code(code: u16) -> Option<Self> {
        Self::ALL.iter().copied().find(|row| row.code() == code)
    }
}

/// Whether a client that was closed with this status code stays away: 44xx, 1002, 1003 and 1007 are
/// terminal, as the same client would only be closed again; after everything else it reconnects.
///
/// Holds for every code, known or not, the ones that stand for a missing close frame (1005 and 1006)
/// included.
pub const fn is_terminal(code: u16) -> bool {
    matches!(code, 1002 | 1003 | 1007 | 4400..=4499)
}
