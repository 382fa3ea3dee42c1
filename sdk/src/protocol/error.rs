//! Why a text is not a packet.

use super::words::ErrorCode;

/// Why a text is not a packet, or why a server would refuse one.
///
/// Neither its `Debug` nor its `Display` holds anything that the peer wrote. The fields of an object
/// inside of the packet are named with it: `sender.name`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The text is larger than allowed. It was not looked at.
    #[error("a packet of {size} bytes is too big: at most {max} are allowed")]
    TooBig {
        /// The text's size, in bytes.
        size: usize,
        /// The largest allowed, in bytes.
        max: usize,
    },
    /// Not one JSON object (RFC 8259) from the first byte to the last.
    #[error("the packet is not one JSON object")]
    NotJson,
    /// A field that the packet must have is missing.
    #[error("the packet has no `{field}`")]
    Missing {
        /// The key.
        field: &'static str,
    },
    /// A field of the packet is there more than once.
    #[error("the packet has more than one `{field}`")]
    Duplicate {
        /// The key.
        field: &'static str,
    },
    /// A field is `null` where it is required, of another type, or a number out of range.
    #[error("`{field}` is not {expected}")]
    WrongType {
        /// The key.
        field: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// A field is a string, as it must be, but not one of the words that it may be.
    #[error("`{field}` is not {expected}")]
    UnknownWord {
        /// The key.
        field: &'static str,
        /// The words.
        expected: &'static str,
    },
    /// A field is a string, as it must be, but an empty one.
    #[error("`{field}` is empty")]
    Empty {
        /// The key.
        field: &'static str,
    },
    /// A string is longer than allowed.
    #[error("`{field}` is too long: at most {max} bytes are allowed")]
    TooLong {
        /// The key.
        field: &'static str,
        /// The longest allowed, in bytes of UTF-8.
        max: usize,
    },
    /// A list has more elements than allowed.
    #[error("`{field}` has too many elements: at most {max} are allowed")]
    TooMany {
        /// The key.
        field: &'static str,
        /// The most allowed.
        max: usize,
    },
    /// A string is not an absolute `http` or `https` URL.
    #[error("`{field}` is not an absolute http or https URL")]
    BadUrl {
        /// The key.
        field: &'static str,
    },
    /// A packet that does something else than the packets of this direction and dialect: a client
    /// ignores it.
    #[error("the packet has an unknown action")]
    UnknownAction,
}

impl DecodeError {
    /// What a rich client that sent the packet is told.
    pub fn error_code(&self) -> ErrorCode {
        match self {
            Self::UnknownAction => ErrorCode::UnknownAction,
            Self::Empty { field: "content" } => ErrorCode::EmptyContent,
            Self::BadUrl { field: "attachments.url" } | Self::TooMany { field: "attachments", .. } => {
                ErrorCode::BadAttachment
            }
            _ => ErrorCode::BadPacket,
        }
    }
}
