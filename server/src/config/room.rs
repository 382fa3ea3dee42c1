//! What is said of one room.

use std::{fmt, path::PathBuf, sync::Arc};

use super::{Keys, Limits, WsPath};

/// A room: the top level of the config file, or an entry of `rooms`.
#[derive(Clone, Debug)]
pub struct Room {
    /// What it is called, in the log and for operators. Clients know it by its path.
    pub name: RoomName,
    /// `ws-path`: where the WebSocket is offered.
    pub ws_path: WsPath,
    /// `secret-key`, `clients`: who may come in.
    pub keys: Keys,
    /// `limits`: the bounds of the room and its connections.
    pub limits: Limits,
    /// `chat-log`: where what is said is written to, if it is.
    pub chat_log: Option<ChatLog>,
}

/// The files that a room's entries are written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatLog {
    /// `chat-log.folder`: where they are. Nothing else should be there.
    pub folder: PathBuf,
    /// `chat-log.rotate`: how often another one begins.
    pub rotate: Rotate,
    /// `chat-log.keep`: how many there are; the oldest ones are removed. `None` keeps all.
    pub keep: Option<usize>,
}

/// How often another file begins, by UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotate {
    /// With every hour.
    Hourly,
    /// With every day.
    Daily,
    /// With every week.
    Weekly,
    /// Never: somebody else sees to it.
    Never,
}

impl Rotate {
    /// What it is called in the config file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hourly => "hourly",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Never => "never",
        }
    }

    /// All of them.
    pub(super) const ALL: [Self; 4] = [Self::Hourly, Self::Daily, Self::Weekly, Self::Never];
}

/// The name of a room: 1 to 64 lower-case letters, digits, `-` and `_`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomName(Arc<str>);

/// Why a text is no [`RoomName`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoomNameError {
    /// Empty, too long, or with other characters.
    #[error("a name has 1 to 64 lower-case letters, digits, - and _")]
    Malformed,
    /// The name of the room that the top level describes.
    #[error("the room of the top level is called that")]
    Default,
}

impl RoomName {
    const DEFAULT: &str = "default";

    /// Reads the name of an entry of `rooms`.
    ///
    /// # Errors
    ///
    /// [`RoomNameError`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, RoomNameError> {
        let is_good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
        if text == Self::DEFAULT {
            Err(RoomNameError::Default)
        } else if (1..=64).contains(&text.len()) && text.chars().all(is_good) {
            Ok(Self(text.into()))
        } else {
            Err(RoomNameError::Malformed)
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for RoomName {
    /// The room that the top level of a config file describes.
    fn default() -> Self {
        Self(Self::DEFAULT.into())
    }
}

impl fmt::Display for RoomName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        for good in ["a", "staff", "room-1", "a_b", &"x".repeat(64)] {
            assert_eq!(RoomName::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "Staff", "a b", "a.b", "ä", "a/b", &"x".repeat(65)] {
            assert_eq!(RoomName::parse(bad), Err(RoomNameError::Malformed), "{bad}");
        }
        assert_eq!(RoomName::parse("default"), Err(RoomNameError::Default));
        assert_eq!(RoomName::default().to_string(), "default");
    }
}
