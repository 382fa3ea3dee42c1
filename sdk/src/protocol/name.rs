//! What a client may be called.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// The name of a client, fit to be shown beside what it says: not empty, not overlong, and without
/// characters that would break a line or turn the direction of the text around them.
///
/// Refused are the control characters (C0, DEL, C1), the separators U+2028 and U+2029, and the
/// bidirectional controls and marks (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069).
/// Everything else is allowed, U+200D (which joins emoji) too. Names are compared byte by byte.
///
/// Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientName(Arc<str>);

/// Why a text is not a [`ClientName`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// No name at all.
    #[error("a client name must not be empty")]
    Empty,
    /// More bytes of UTF-8 than allowed.
    #[error("a client name of {size} bytes is too long: at most {max} are allowed")]
    TooLong {
        /// The name's length, in bytes.
        size: usize,
        /// The longest allowed, in bytes.
        max: usize,
    },
    /// A character that names may not have.
    #[error("a client name must not contain U+{:04X}", u32::from(*.0))]
    Forbidden(
        /// The first of them.
        char,
    ),
}

impl ClientName {
    /// Checks a name of at most `max_bytes` bytes (by default
    /// [`CLIENT_NAME_BYTES`](super::limits::CLIENT_NAME_BYTES)).
    ///
    /// # Errors
    ///
    /// A [`NameError`] with the first rule that the name breaks.
    pub fn parse(name: &str, max_bytes: usize) -> Result<Self, NameError> {
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        if name.len() > max_bytes {
            return Err(NameError::TooLong { size: name.len(), max: max_bytes });
        }
        match name.chars().find(|&character| Self::forbids(character)) {
            Some(character) => Err(NameError::Forbidden(character)),
            None => Ok(Self(name.into())),
        }
    }

    /// Whether a name may not have this character. All of them are below U+10000.
    pub fn forbids(character: char) -> bool {
        character.is_control()
            || matches!(
                character,
                '\u{61C}'
                    | '\u{200E}'
                    | '\u{200F}'
                    | '\u{2028}'..='\u{202E}'
                    | '\u{2066}'..='\u{2069}'
            )
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for ClientName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for ClientName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

// Lawful: `Arc<str>` compares and hashes as the `str` in it.
impl Borrow<str> for ClientName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClientName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}
