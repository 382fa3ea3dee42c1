//! What several packets have in them.

use serde::Serialize;

use super::check;
use super::error::DecodeError;
use super::limits::{self, SENDER_NAME_BYTES};
use super::read::{Fields, Value};

/// A place in the log of a room, or when it was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct Place {
    /// `seq`: the number of the entry, counted from 1 without holes.
    pub seq: u64,
    /// `time`: milliseconds since the Unix epoch, UTC. Never goes back within a log.
    pub time: u64,
}

/// The person behind a bridge who says something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Sender {
    /// `name`: what to show. 1 to 256 bytes of UTF-8 ([`SENDER_NAME_BYTES`]). May have any character:
    /// whoever shows it in a line takes care.
    pub name: String,
    /// `id`: who it is, whatever the name. Means something only together with the client that sent it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `avatar`: the absolute `http` or `https` URL of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
}

/// A file that goes with a message, by reference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Attachment {
    /// `url`: where it is, an absolute `http` or `https` URL.
    pub url: String,
    /// `name`: the file's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `mime`: its media type, as the sender says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mime: Option<String>,
    /// `size`: in bytes, as the sender says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

impl Place {
    /// The entry with this number, entered at this time (milliseconds since the Unix epoch).
    pub const fn new(seq: u64, time: u64) -> Self {
        Self { seq, time }
    }

    pub(super) fn read(fields: &Fields<'_>) -> Result<Self, DecodeError> {
        Ok(Self { seq: fields.need("seq", Value::number)?, time: fields.need("time", Value::number)? })
    }
}

impl Sender {
    /// A person with this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), id: None, avatar: None }
    }

    pub(super) fn read(value: Value<'_>) -> Result<Self, DecodeError> {
        value.object("sender.", &["sender.name", "sender.id", "sender.avatar"], |fields| {
            Ok(Self {
                name: fields.need("sender.name", Value::text)?,
                id: fields.take("sender.id", Value::text)?,
                avatar: fields.take("sender.avatar", Value::text)?,
            })
        })
    }

    pub(super) fn check(&self) -> Result<(), DecodeError> {
        check::word("sender.name", Some(&self.name), SENDER_NAME_BYTES)?;
        check::url("sender.avatar", self.avatar.as_deref())
    }
}

impl Attachment {
    /// What is at this URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), name: None, mime: None, size: None }
    }

    /// The attachments of a message, at most `max`.
    pub(super) fn read_all(fields: &Fields<'_>, max: usize) -> Result<Vec<Self>, DecodeError> {
        let list = fields.take("attachments", |value| value.list(max))?.unwrap_or_default();
        list.into_iter().map(Self::read).collect()
    }

    fn read(value: Value<'_>) -> Result<Self, DecodeError> {
        value.object(
            "attachments.",
            &["attachments.url", "attachments.name", "attachments.mime", "attachments.size"],
            |fields| {
                Ok(Self {
                    url: fields.need("attachments.url", Value::text)?,
                    name: fields.take("attachments.name", Value::text)?,
                    mime: fields.take("attachments.mime", Value::text)?,
                    size: fields.take("attachments.size", Value::number)?,
                })
            },
        )
    }

    pub(super) fn check_all(attachments: &[Self]) -> Result<(), DecodeError> {
        if attachments.len() > limits::ATTACHMENTS {
            return Err(DecodeError::TooMany { field: "attachments", max: limits::ATTACHMENTS });
        }
        attachments.iter().try_for_each(|attachment| check::url("attachments.url", Some(&attachment.url)))
    }
}

/// The `content` of a message, which only one with attachments may leave out.
pub(super) fn content(fields: &Fields<'_>, attachments: &[Attachment]) -> Result<String, DecodeError> {
    if attachments.is_empty() {
        fields.need("content", Value::filled)
    } else {
        Ok(fields.take("content", Value::text)?.unwrap_or_default())
    }
}
