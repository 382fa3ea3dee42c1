//! What a client sends.

use serde::Serialize;

use super::check;
use super::dialect::Dialect;
use super::error::DecodeError;
use super::limits::{self, EVENT_BYTES, ID_BYTES, TEXT_BYTES};
use super::parts::{self, Attachment, Sender};
use super::read::{self, Fields, Value};
use super::register::Register;
use super::words::{ReceiptStatus, Status};

/// The fields of all packets.
const FIELDS: [&str; 18] = [
    "action",
    "content",
    "id",
    "sender",
    "reply-to",
    "attachments",
    "event",
    "target",
    "status",
    "reason",
    "remote-id",
    "text",
    "client-name",
    "secret-key",
    "protocol",
    "history",
    "resume",
    "presence",
];

/// What a client sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "action")]
#[non_exhaustive]
pub enum ClientPacket {
    /// The first packet of a connection, and no other.
    #[serde(rename = "register")]
    Register(Register),
    /// Something to be told to everyone else in the room. The only packet of the plain dialect.
    #[serde(rename = "client-message")]
    Message(ClientMessage),
    /// Another text for a message.
    #[serde(rename = "client-edit")]
    Edit(ClientEdit),
    /// Takes a message back.
    #[serde(rename = "client-delete")]
    Delete(ClientDelete),
    /// Tells the author of a message what became of it.
    #[serde(rename = "client-receipt")]
    Receipt(ClientReceipt),
    /// Tells the others how the client's platform is.
    #[serde(rename = "client-status")]
    Status(ClientStatus),
}

/// Something to be told to everyone else in the room. The plain dialect has the content alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct ClientMessage {
    /// `content`: not empty, but if there are attachments it may be.
    pub content: String,
    /// `id`: asks for an ack; unique in the session. 1 to 64 bytes of UTF-8 ([`ID_BYTES`]).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `sender`: the person who says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender: Option<Sender>,
    /// `reply-to`: the `seq` of the message that it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<u64>,
    /// `attachments`: at most 10 ([`ATTACHMENTS`](limits::ATTACHMENTS)).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// `event`: for what no person wrote, what happened: `join`, `leave`, `death`, `advancement`, `notice`
    /// or another word. 1 to 64 bytes of UTF-8 ([`EVENT_BYTES`]).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
}

/// Another text for a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct ClientEdit {
    /// `target`: the `seq` of the message.
    pub target: u64,
    /// `content`: the whole text. Not empty.
    pub content: String,
    /// `id`: asks for an ack; unique in the session. 1 to 64 bytes of UTF-8 ([`ID_BYTES`]).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// Takes a message back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct ClientDelete {
    /// `target`: the `seq` of the message.
    pub target: u64,
    /// `id`: asks for an ack; unique in the session. 1 to 64 bytes of UTF-8 ([`ID_BYTES`]).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// Tells the author of a message what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct ClientReceipt {
    /// `target`: the `seq` of the message.
    pub target: u64,
    /// `status`: what became of it.
    pub status: ReceiptStatus,
    /// `reason`: why, for people. At most 1,024 bytes of UTF-8 ([`TEXT_BYTES`]).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// `remote-id`: what the platform calls it. At most 1,024 bytes of UTF-8 ([`TEXT_BYTES`]).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_id: Option<String>,
}

/// Tells the others how the client's platform is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct ClientStatus {
    /// `status`: how it is.
    pub status: Status,
    /// `text`: more about that, for people. At most 1,024 bytes of UTF-8 ([`TEXT_BYTES`]).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl ClientPacket {
    /// Decodes the payload of one text message of at most `max_bytes` bytes, as a server does. A
    /// `register` says itself which dialect it is in; in the others, what is not of `dialect` is unknown.
    ///
    /// # Errors
    ///
    /// A [`DecodeError`] with the first rule that the packet breaks.
    pub fn decode(text: &str, dialect: Dialect, max_bytes: usize) -> Result<Self, DecodeError> {
        read::decode(text, max_bytes, |text| {
            let packet = Fields::find(text, &FIELDS, |fields| Self::read(fields, dialect))?;
            packet.check().map(|()| packet)
        })
    }

    fn read(fields: &Fields<'_>, dialect: Dialect) -> Result<Self, DecodeError> {
        let action = fields.need("action", Value::borrowed)?;
        match (check::filled("action", action.as_ref())?, dialect) {
            ("register", _) => Register::read(fields).map(Self::Register),
            ("client-message", Dialect::Plain) => {
                fields.need("content", Value::text).map(ClientMessage::new).map(Self::Message)
            }
            ("client-message", Dialect::Rich) => ClientMessage::read(fields).map(Self::Message),
            ("client-edit", Dialect::Rich) => Ok(Self::Edit(ClientEdit {
                target: fields.need("target", Value::number)?,
                content: fields.need("content", Value::text)?,
                id: fields.take("id", Value::text)?,
            })),
            ("client-delete", Dialect::Rich) => Ok(Self::Delete(ClientDelete {
                target: fields.need("target", Value::number)?,
                id: fields.take("id", Value::text)?,
            })),
            ("client-receipt", Dialect::Rich) => Ok(Self::Receipt(ClientReceipt {
                target: fields.need("target", Value::number)?,
                status: fields.need("status", ReceiptStatus::read)?,
                reason: fields.take("reason", Value::text)?,
                remote_id: fields.take("remote-id", Value::text)?,
            })),
            ("client-status", Dialect::Rich) => Ok(Self::Status(ClientStatus {
                status: fields.need("status", Status::read)?,
                text: fields.take("text", Value::text)?,
            })),
            _ => Err(DecodeError::UnknownAction),
        }
    }

    /// Checks what the types leave open: that nothing is empty, too long or too much, and that URLs are
    /// URLs. What decodes has been checked; a client can do so with what it is about to send.
    ///
    /// # Errors
    ///
    /// A [`DecodeError`] with the first rule that the packet breaks: the server would refuse it.
    pub fn check(&self) -> Result<(), DecodeError> {
        match self {
            Self::Register(packet) => packet.check(),
            Self::Message(packet) => packet.check(),
            Self::Edit(packet) => {
                check::filled("content", &packet.content)?;
                check::word("id", packet.id.as_deref(), ID_BYTES)
            }
            Self::Delete(packet) => check::word("id", packet.id.as_deref(), ID_BYTES),
            Self::Receipt(packet) => {
                check::bounded("reason", packet.reason.as_deref(), TEXT_BYTES)?;
                check::bounded("remote-id", packet.remote_id.as_deref(), TEXT_BYTES)
            }
            Self::Status(packet) => check::bounded("text", packet.text.as_deref(), TEXT_BYTES),
        }
    }

    /// The packet as JSON, one line. That it is good is up to the caller: see [`check`](Self::check).
    pub fn encode(&self) -> String {
        read::encode(self)
    }
}

/// The `id` of a client packet that did not decode, for the `error` that answers it: `None` if there is no
/// good one.
pub fn packet_id(text: &str) -> Option<String> {
    let read = |text: &str| Fields::find(text, &["id"], |fields| fields.need("id", Value::text));
    let id = read::decode(text, usize::MAX, read).ok()?;
    check::word("id", Some(&id), ID_BYTES).ok().map(|()| id)
}

impl ClientMessage {
    /// A message with this text and nothing else.
    pub fn new(content: impl Into<String>) -> Self {
        Self { content: content.into(), ..Self::default() }
    }

    fn read(fields: &Fields<'_>) -> Result<Self, DecodeError> {
        let attachments = Attachment::read_all(fields, limits::ATTACHMENTS)?;
        Ok(Self {
            content: parts::content(fields, &attachments)?,
            id: fields.take("id", Value::text)?,
            sender: fields.take("sender", Sender::read)?,
            reply_to: fields.take("reply-to", Value::number)?,
            attachments,
            event: fields.take("event", Value::text)?,
        })
    }

    fn check(&self) -> Result<(), DecodeError> {
        if self.attachments.is_empty() {
            check::filled("content", &self.content)?;
        }
        check::word("id", self.id.as_deref(), ID_BYTES)?;
        self.sender.as_ref().map_or(Ok(()), Sender::check)?;
        Attachment::check_all(&self.attachments)?;
        check::word("event", self.event.as_deref(), EVENT_BYTES)
    }
}

impl From<String> for ClientMessage {
    fn from(content: String) -> Self {
        Self::new(content)
    }
}

impl From<&str> for ClientMessage {
    fn from(content: &str) -> Self {
        Self::new(content)
    }
}

impl ClientEdit {
    /// This text for the message with this `seq`.
    pub fn new(target: u64, content: impl Into<String>) -> Self {
        Self { target, content: content.into(), id: None }
    }
}

impl ClientDelete {
    /// Takes the message with this `seq` back.
    pub const fn new(target: u64) -> Self {
        Self { target, id: None }
    }
}

impl ClientReceipt {
    /// What became of the message with this `seq`.
    pub const fn new(target: u64, status: ReceiptStatus) -> Self {
        Self { target, status, reason: None, remote_id: None }
    }
}

impl ClientStatus {
    /// The platform is like this.
    pub const fn new(status: Status) -> Self {
        Self { status, text: None }
    }
}
