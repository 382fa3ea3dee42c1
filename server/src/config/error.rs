//! What can be wrong with a config file.

use std::{fmt, io, path::PathBuf};

use super::RoomName;

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is not there, or may not be read.
    #[error("{}: cannot be read: {source}", file.display())]
    Unreadable {
        /// The config file.
        file: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The file is not JSON.
    #[error("{}:{line}:{column}: not JSON: {reason}", file.display())]
    Syntax {
        /// The config file.
        file: PathBuf,
        /// Counted from 1.
        line: usize,
        /// Counted from 1; 0 stands before the first character of a line.
        column: usize,
        /// What the parser says.
        reason: String,
    },
    /// Fields are missing or have values that cannot be used; all of them are listed, a line each.
    #[error("{}", lines(file, problems))]
    Fields {
        /// The config file.
        file: PathBuf,
        /// At least one.
        problems: Vec<Problem>,
    },
}

fn lines(file: &std::path::Path, problems: &[Problem]) -> String {
    let lines: Vec<_> = problems.iter().map(|problem| format!("{}: {problem}", file.display())).collect();
    lines.join("\n")
}

/// A field that is missing or has a value that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The full name, such as `limits.packet-bytes`; empty for the file as a whole.
    pub field: String,
    /// What belongs there, with an example.
    pub expected: String,
    /// What is there instead.
    pub found: Found,
}

/// What is there instead of a usable value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Missing,
    /// A value, as far as it may be shown, and why it cannot be used if that is not plain.
    Value(String, Option<String>),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.field.is_empty() {
            write!(f, "the file must be {}; ", self.expected)?;
        } else {
            write!(f, "\"{}\" must be {}; ", self.field, self.expected)?;
        }
        match &self.found {
            Found::Missing => f.write_str("it is missing"),
            Found::Value(value, None) => write!(f, "found {value}"),
            Found::Value(value, Some(reason)) => write!(f, "found {value}: {reason}"),
        }
    }
}

/// Something in a usable config file that its author should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// A field that nobody reads.
    UnknownField {
        /// The full name.
        field: String,
        /// The field that was perhaps meant.
        nearest: Option<String>,
    },
    /// A field that is read but changes nothing.
    WithoutEffect {
        /// The full name.
        field: String,
        /// Which other field would have to be set.
        missing: String,
    },
    /// A secret key is the one of an example config file, which everybody knows.
    KnownSecretKey {
        /// Of this room.
        room: RoomName,
    },
    /// Everybody may say where a connection comes from.
    TrustsEverybody,
    /// A pattern of `clients` that no client ever comes to.
    ShadowedPattern {
        /// The full name.
        field: String,
        /// The full name of the one that has all its clients.
        by: String,
    },
    /// A shared key that opens to nobody.
    UselessSharedKey {
        /// The full name.
        field: String,
        /// The full name of the pattern that has all other clients.
        by: String,
    },
    /// A pattern whose clients may change what others said.
    ModeratingPattern {
        /// The full name.
        field: String,
    },
    /// Two keys that open different things are the same.
    SameKey {
        /// The full names.
        fields: [String; 2],
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownField { field, nearest: Some(nearest) } => {
                write!(f, "unknown field \"{field}\"; did you mean \"{nearest}\"?")
            }
            Self::UnknownField { field, nearest: None } => write!(f, "unknown field \"{field}\""),
            Self::WithoutEffect { field, missing } => {
                write!(f, "\"{field}\" has no effect while \"{missing}\" is 0")
            }
            Self::TrustsEverybody => f.write_str(
                "\"trusted-proxies\" has everybody in it: whoever reaches the port directly can claim any address, \
                 and is not bounded by its own",
            ),
            Self::KnownSecretKey { room } => {
                let of_room =
                    if *room == RoomName::default() { String::new() } else { format!(" of room {room}") };
                write!(
                    f,
                    "\"secret-key\"{of_room} is the one of the example file, which everybody knows; \
                     choose your own, or let `multichat-server key` make one",
                )
            }
            Self::ShadowedPattern { field, by } => {
                write!(f, "\"{field}\" is never used: \"{by}\" stands for all of its names")
            }
            Self::UselessSharedKey { field, by } => {
                write!(
                    f,
                    "\"{field}\" opens to nobody: \"{by}\" stands for all names that have no key of their own"
                )
            }
            Self::ModeratingPattern { field } => write!(
                f,
                "\"{field}\" may moderate: whoever has its key can edit and delete what anybody said, under one \
                 name after the other"
            ),
            Self::SameKey { fields: [one, other] } => {
                write!(f, "\"{one}\" and \"{other}\" have the same key: who has it may do what either may")
            }
        }
    }
}
