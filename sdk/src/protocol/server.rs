//! What a server sends.

use serde::Serialize;

use super::check;
use super::dialect::Dialect;
use super::error::DecodeError;
use super::parts::{self, Attachment, Place, Sender};
use super::read::{self, Fields, Value};
use super::register::RegisterAck;
use super::words::{ErrorCode, PresenceStatus, ReceiptStatus};

/// The fields of all packets.
const FIELDS: [&str; 24] = [
    "action",
    "source-client-name",
    "content",
    "seq",
    "time",
    "sender",
    "reply-to",
    "attachments",
    "event",
    "id",
    "target",
    "code",
    "reason",
    "status",
    "remote-id",
    "client-name",
    "text",
    "protocol",
    "session",
    "epoch",
    "after",
    "recovered",
    "limits",
    "clients",
];

/// What a server sends. A plain client gets only the first two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "action")]
#[non_exhaustive]
pub enum ServerPacket {
    /// The answer to a good `register`.
    #[serde(rename = "register-ack")]
    RegisterAck(RegisterAck),
    /// What another client said.
    #[serde(rename = "forwarding-message")]
    Message(ForwardingMessage),
    /// Another text for a message.
    #[serde(rename = "forwarding-edit")]
    Edit(ForwardingEdit),
    /// A message was taken back.
    #[serde(rename = "forwarding-delete")]
    Delete(ForwardingDelete),
    /// A packet of this client is in the log.
    #[serde(rename = "message-ack")]
    MessageAck(MessageAck),
    /// A packet of this client is refused.
    #[serde(rename = "error")]
    Error(Refusal),
    /// What became of a message of this client.
    #[serde(rename = "forwarding-receipt")]
    Receipt(ForwardingReceipt),
    /// How another client is.
    #[serde(rename = "presence")]
    Presence(Presence),
}

/// Something that another client said. The plain dialect has the name and the content alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct ForwardingMessage {
    /// `source-client-name`: who said it. Not empty.
    pub source_client_name: String,
    /// `content`: not empty, but if there are attachments it may be.
    pub content: String,
    /// `sender`: the person who said it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender: Option<Sender>,
    /// `reply-to`: the `seq` of the message that it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<u64>,
    /// `attachments`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// `event`: for what no person wrote, what happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// Its place in the log; there in the rich dialect only, and always.
    #[serde(flatten)]
    pub place: Option<Place>,
}

/// Another text for a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct ForwardingEdit {
    /// `source-client-name`: who edited. Not empty.
    pub source_client_name: String,
    /// `target`: the `seq` of the message.
    pub target: u64,
    /// `content`: the whole text. Not empty.
    pub content: String,
    /// The place of the edit in the log.
    #[serde(flatten)]
    pub place: Place,
}

/// A message was taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct ForwardingDelete {
    /// `source-client-name`: who deleted. Not empty.
    pub source_client_name: String,
    /// `target`: the `seq` of the message.
    pub target: u64,
    /// The place of the delete in the log.
    #[serde(flatten)]
    pub place: Place,
}

/// A packet of this client's session is in the log. It comes in the order of the log, where the others are
/// told what was entered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MessageAck {
    /// `id`: as the client chose it. Not empty.
    pub id: String,
    /// Its place in the log.
    #[serde(flatten)]
    pub place: Place,
}

/// A packet of this client is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Refusal {
    /// `id`: of the packet, if it had one that could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `code`: why.
    pub code: ErrorCode,
    /// `reason`: why, for people.
    pub reason: String,
}

/// What became of a message of this client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct ForwardingReceipt {
    /// `source-client-name`: who says so. Not empty.
    pub source_client_name: String,
    /// `target`: the `seq` of the message.
    pub target: u64,
    /// `status`: what became of it there.
    pub status: ReceiptStatus,
    /// `reason`: why, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// `remote-id`: what the other platform calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_id: Option<String>,
}

/// How another client is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Presence {
    /// `client-name`: who. Not empty.
    pub client_name: String,
    /// `status`: how it is.
    pub status: PresenceStatus,
    /// `text`: what it said about that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// `time`: since when, in milliseconds since the Unix epoch, UTC.
    pub time: u64,
}

impl ServerPacket {
    /// Decodes the payload of one text message of at most `max_bytes` bytes, as a client does. A
    /// `register-ack` says itself which dialect it is in; in the others, what is not of `dialect` is
    /// unknown.
    ///
    /// The bounds of what clients may send are not checked again: a later server may have others.
    ///
    /// # Errors
    ///
    /// A [`DecodeError`] with the first rule that the packet breaks. A client ignores
    /// [`UnknownAction`](DecodeError::UnknownAction): it is how later servers say more.
    pub fn decode(text: &str, dialect: Dialect, max_bytes: usize) -> Result<Self, DecodeError> {
        read::decode(text, max_bytes, |text| {
            Fields::find(text, &FIELDS, |fields| Self::read(fields, dialect))
        })
    }

    fn read(fields: &Fields<'_>, dialect: Dialect) -> Result<Self, DecodeError> {
        let action = fields.need("action", Value::borrowed)?;
        match (check::filled("action", action.as_ref())?, dialect) {
            ("register-ack", _) => RegisterAck::read(fields).map(Self::RegisterAck),
            ("forwarding-message", Dialect::Plain) => Ok(Self::Message(ForwardingMessage::new(
                fields.need("source-client-name", Value::filled)?,
                fields.need("content", Value::filled)?,
            ))),
            ("forwarding-message", Dialect::Rich) => ForwardingMessage::read(fields).map(Self::Message),
            ("forwarding-edit", Dialect::Rich) => Ok(Self::Edit(ForwardingEdit {
                source_client_name: fields.need("source-client-name", Value::filled)?,
                target: fields.need("target", Value::number)?,
                content: fields.need("content", Value::filled)?,
                place: Place::read(fields)?,
            })),
            ("forwarding-delete", Dialect::Rich) => Ok(Self::Delete(ForwardingDelete {
                source_client_name: fields.need("source-client-name", Value::filled)?,
                target: fields.need("target", Value::number)?,
                place: Place::read(fields)?,
            })),
            ("message-ack", Dialect::Rich) => Ok(Self::MessageAck(MessageAck {
                id: fields.need("id", Value::filled)?,
                place: Place::read(fields)?,
            })),
            ("error", Dialect::Rich) => Ok(Self::Error(Refusal {
                id: fields.take("id", Value::text)?,
                code: fields.need("code", ErrorCode::read)?,
                reason: fields.take("reason", Value::text)?.unwrap_or_default(),
            })),
            ("forwarding-receipt", Dialect::Rich) => Ok(Self::Receipt(ForwardingReceipt {
                source_client_name: fields.need("source-client-name", Value::filled)?,
                target: fields.need("target", Value::number)?,
                status: fields.need("status", ReceiptStatus::read)?,
                reason: fields.take("reason", Value::text)?,
                remote_id: fields.take("remote-id", Value::text)?,
            })),
            ("presence", Dialect::Rich) => Ok(Self::Presence(Presence {
                client_name: fields.need("client-name", Value::filled)?,
                status: fields.need("status", PresenceStatus::read)?,
                text: fields.take("text", Value::text)?,
                time: fields.need("time", Value::number)?,
            })),
            _ => Err(DecodeError::UnknownAction),
        }
    }

    /// The packet as JSON, one line. That what must not be empty is not is up to the caller: a client drops
    /// such a packet.
    pub fn encode(&self) -> String {
        read::encode(self)
    }
}

/// The `seq` of an entry of the log whose packet did not decode, as it may be of a kind that this crate does not
/// know: `None` if the packet is of no entry. The cursor passes it all the same.
pub fn entry_seq(text: &str) -> Option<u64> {
    let read = |text: &str| {
        Fields::find(text, &["action", "seq"], |fields| {
            let action = fields.need("action", Value::borrowed)?;
            let is_entry = action.as_ref().starts_with("forwarding-");
            fields.need("seq", Value::number).map(|seq| is_entry.then_some(seq))
        })
    };
    read::decode(text, usize::MAX, read).ok().flatten()
}

impl ForwardingMessage {
    /// A message with this text, from the client of this name, and nothing else: a plain one.
    pub fn new(source_client_name: impl Into<String>, content: impl Into<String>) -> Self {
        Self { source_client_name: source_client_name.into(), content: content.into(), ..Self::default() }
    }

    fn read(fields: &Fields<'_>) -> Result<Self, DecodeError> {
        let attachments = Attachment::read_all(fields, usize::MAX)?;
        Ok(Self {
            source_client_name: fields.need("source-client-name", Value::filled)?,
            content: parts::content(fields, &attachments)?,
            sender: fields.take("sender", Sender::read)?,
            reply_to: fields.take("reply-to", Value::number)?,
            attachments,
            event: fields.take("event", Value::text)?,
            place: Some(Place::read(fields)?),
        })
    }
}

impl ForwardingEdit {
    /// This text for the message with the `seq` of `target`, by the client of this name.
    pub fn new(
        source_client_name: impl Into<String>,
        target: u64,
        content: impl Into<String>,
        place: Place,
    ) -> Self {
        Self { source_client_name: source_client_name.into(), target, content: content.into(), place }
    }
}

impl ForwardingDelete {
    /// The message with the `seq` of `target` was taken back by the client of this name.
    pub fn new(source_client_name: impl Into<String>, target: u64, place: Place) -> Self {
        Self { source_client_name: source_client_name.into(), target, place }
    }
}

impl MessageAck {
    /// The packet with this `id` is at this place.
    pub fn new(id: impl Into<String>, place: Place) -> Self {
        Self { id: id.into(), place }
    }
}

impl Refusal {
    /// A packet without an `id` is refused for this.
    pub fn new(code: ErrorCode, reason: impl Into<String>) -> Self {
        Self { id: None, code, reason: reason.into() }
    }
}

impl ForwardingReceipt {
    /// What became of the message with the `seq` of `target` at the client of this name.
    pub fn new(source_client_name: impl Into<String>, target: u64, status: ReceiptStatus) -> Self {
        Self { source_client_name: source_client_name.into(), target, status, reason: None, remote_id: None }
    }
}

impl Presence {
    /// The client of this name is like this since then (milliseconds since the Unix epoch).
    pub fn new(client_name: impl Into<String>, status: impl Into<PresenceStatus>, time: u64) -> Self {
        Self { client_name: client_name.into(), status: status.into(), text: None, time }
    }
}
