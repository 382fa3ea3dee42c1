//! The first packets of a connection: `register` and `register-ack`. They say themselves which dialect
//! they are in.

use std::fmt;

use serde::Serialize;

use super::PROTOCOL;
use super::check::filled;
use super::error::DecodeError;
use super::read::{Fields, Value};
use super::words::Status;

/// Says who the client is, and proves it. Its `Debug` leaves the key out.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Register {
    /// `client-name`: not empty. Decoding does not check more than that: see
    /// [`ClientName`](super::ClientName).
    pub client_name: String,
    /// `secret-key`: not empty. Comparing it with `==` takes time that depends on what it is; a server
    /// compares in constant time.
    pub secret_key: String,
    /// Asks for the rich dialect; `None` for the plain one.
    #[serde(flatten)]
    pub rich: Option<RichRegister>,
}

/// What the client of a rich dialect asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RichRegister {
    /// `protocol`: the highest that the client speaks, at least 2.
    pub protocol: u64,
    /// `history`: how many of the newest entries of the log are to follow, where it can't go on from where it left off.
    #[serde(skip_serializing_if = "is_zero")]
    pub history: u64,
    /// `resume`: the session to go on with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resume: Option<Resume>,
    /// `presence`: whether to be told of the other clients.
    #[serde(skip_serializing_if = "is_false")]
    pub presence: bool,
}

/// A session to go on with, and from where. Its `Debug` leaves the session out: whoever knows it can take
/// it over.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Resume {
    /// `session`: as the last ack named it. Not empty.
    pub session: String,
    /// `epoch`: the log that the last ack named. Not empty.
    pub epoch: String,
    /// `seq`: the last entry of that log that the client has no need of.
    pub seq: u64,
}

/// Tells the client that it is registered: it is sent everything that enters the room from now on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RegisterAck {
    /// What a rich client is told; `None` says that the dialect is the plain one.
    #[serde(flatten)]
    pub rich: Option<RichAck>,
}

/// What a rich client is told at registration. Its `Debug` leaves the session out: whoever knows it can
/// take it over.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct RichAck {
    /// `protocol`: what the connection speaks from now on, at least 2.
    pub protocol: u64,
    /// `session`: the unguessable name of the client's session. Not empty.
    pub session: String,
    /// `epoch`: the name of the room's log. Not empty.
    pub epoch: String,
    /// `seq`: the newest entry of the log; 0 if there is none. What follows up to it is replay, what comes
    /// after it is live.
    pub seq: u64,
    /// `after`: what follows are the entries after this one.
    pub after: u64,
    /// `recovered`: if the client asked to resume, whether it has missed nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovered: Option<bool>,
    /// `limits`: what the client has to keep to.
    pub limits: AckLimits,
    /// `clients`: if the client asked for presence, the other clients, perhaps not all of them: the rest
    /// follows in [`Presence`](super::Presence) packets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clients: Option<Vec<ClientRow>>,
}

/// What a rich client has to keep to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct AckLimits {
    /// `packet-bytes`: the largest packet, in bytes. This size itself is allowed.
    pub packet_bytes: u64,
    /// `messages-per-second`: the rate, if there is a limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages_per_second: Option<u64>,
    /// `messages-burst`: how many may come at once after a pause, if there is a limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages_burst: Option<u64>,
}

/// Another client that is registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct ClientRow {
    /// `client-name`: not empty.
    pub client_name: String,
    /// `status`: how its platform is.
    pub status: Status,
    /// `text`: what it said about that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// `since`: since when it has had this status, in milliseconds since the Unix epoch, UTC.
    pub since: u64,
}

impl Register {
    /// The packet of a plain client with this name and key.
    pub fn new(client_name: impl Into<String>, secret_key: impl Into<String>) -> Self {
        Self { client_name: client_name.into(), secret_key: secret_key.into(), rich: None }
    }

    pub(super) fn read(fields: &Fields<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            client_name: fields.need("client-name", Value::text)?,
            secret_key: fields.need("secret-key", Value::text)?,
            rich: match protocol(fields)? {
                Some(protocol) => Some(RichRegister::read(fields, protocol)?),
                None => None,
            },
        })
    }

    pub(super) fn check(&self) -> Result<(), DecodeError> {
        filled("client-name", &self.client_name)?;
        filled("secret-key", &self.secret_key)?;
        if let Some(RichRegister { resume: Some(resume), .. }) = &self.rich {
            filled("resume.session", &resume.session)?;
            filled("resume.epoch", &resume.epoch)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Register {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Register")
            .field("client_name", &self.client_name)
            .field("rich", &self.rich)
            .finish_non_exhaustive()
    }
}

impl RichRegister {
    /// Asks for the highest dialect that this crate speaks, and for nothing else.
    pub const fn new() -> Self {
        Self { protocol: PROTOCOL, history: 0, resume: None, presence: false }
    }

    fn read(fields: &Fields<'_>, protocol: u64) -> Result<Self, DecodeError> {
        Ok(Self {
            protocol,
            history: fields.take("history", Value::number)?.unwrap_or_default(),
            resume: fields.take("resume", Resume::read)?,
            presence: fields.take("presence", Value::boolean)?.unwrap_or_default(),
        })
    }
}

impl Default for RichRegister {
    fn default() -> Self {
        Self::new()
    }
}

impl Resume {
    /// This session, after this entry of the log of this epoch.
    pub fn new(session: impl Into<String>, epoch: impl Into<String>, seq: u64) -> Self {
        Self { session: session.into(), epoch: epoch.into(), seq }
    }

    fn read(value: Value<'_>) -> Result<Self, DecodeError> {
        value.object("resume.", &["resume.session", "resume.epoch", "resume.seq"], |fields| {
            Ok(Self {
                session: fields.need("resume.session", Value::text)?,
                epoch: fields.need("resume.epoch", Value::text)?,
                seq: fields.need("resume.seq", Value::number)?,
            })
        })
    }
}

impl fmt::Debug for Resume {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Resume")
            .field("epoch", &self.epoch)
            .field("seq", &self.seq)
            .finish_non_exhaustive()
    }
}

impl RegisterAck {
    /// The ack of a plain client.
    pub const fn new() -> Self {
        Self { rich: None }
    }

    /// The ack of a rich client.
    pub const fn rich(ack: RichAck) -> Self {
        Self { rich: Some(ack) }
    }

    pub(super) fn read(fields: &Fields<'_>) -> Result<Self, DecodeError> {
        let Some(protocol) = protocol(fields)? else { return Ok(Self::new()) };
        Ok(Self::rich(RichAck {
            protocol,
            session: fields.need("session", Value::filled)?,
            epoch: fields.need("epoch", Value::filled)?,
            seq: fields.need("seq", Value::number)?,
            after: fields.need("after", Value::number)?,
            recovered: fields.take("recovered", Value::boolean)?,
            limits: fields.need("limits", AckLimits::read)?,
            clients: fields.take("clients", ClientRow::read_all)?,
        }))
    }
}

impl RichAck {
    /// The ack of this session, in this log with this newest entry: what follows are the entries after
    /// `after`.
    pub fn new(
        session: impl Into<String>,
        epoch: impl Into<String>,
        seq: u64,
        after: u64,
        limits: AckLimits,
    ) -> Self {
        Self {
            protocol: PROTOCOL,
            session: session.into(),
            epoch: epoch.into(),
            seq,
            after,
            recovered: None,
            limits,
            clients: None,
        }
    }
}

impl fmt::Debug for RichAck {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { protocol, session: _, epoch, seq, after, recovered, limits, clients } = self;
        formatter
            .debug_struct("RichAck")
            .field("protocol", protocol)
            .field("epoch", epoch)
            .field("seq", seq)
            .field("after", after)
            .field("recovered", recovered)
            .field("limits", limits)
            .field("clients", clients)
            .finish_non_exhaustive()
    }
}

impl AckLimits {
    /// Packets of at most this size, in bytes, at any rate.
    pub const fn new(packet_bytes: u64) -> Self {
        Self { packet_bytes, messages_per_second: None, messages_burst: None }
    }

    fn read(value: Value<'_>) -> Result<Self, DecodeError> {
        value.object(
            "limits.",
            &["limits.packet-bytes", "limits.messages-per-second", "limits.messages-burst"],
            |fields| {
                Ok(Self {
                    packet_bytes: fields.need("limits.packet-bytes", Value::number)?,
                    messages_per_second: fields.take("limits.messages-per-second", Value::number)?,
                    messages_burst: fields.take("limits.messages-burst", Value::number)?,
                })
            },
        )
    }
}

impl ClientRow {
    /// A client of this name that has had this status since then (milliseconds since the Unix epoch).
    pub fn new(client_name: impl Into<String>, status: Status, since: u64) -> Self {
        Self { client_name: client_name.into(), status, text: None, since }
    }

    /// All good rows: a status that this crate does not know, say, is not worth the whole ack.
    fn read_all(value: Value<'_>) -> Result<Vec<Self>, DecodeError> {
        let mut rows = Vec::new();
        for row in value.list(usize::MAX)? {
            match Self::read(row) {
                Ok(row) => rows.push(row),
                Err(DecodeError::NotJson) => return Err(DecodeError::NotJson),
                Err(_) => {}
            }
        }
        Ok(rows)
    }

    fn read(value: Value<'_>) -> Result<Self, DecodeError> {
        value.object(
            "clients.",
            &["clients.client-name", "clients.status", "clients.text", "clients.since"],
            |fields| {
                Ok(Self {
                    client_name: fields.need("clients.client-name", Value::filled)?,
                    status: fields.need("clients.status", Status::read)?,
                    text: fields.take("clients.text", Value::text)?,
                    since: fields.need("clients.since", Value::number)?,
                })
            },
        )
    }
}

/// The number of a rich dialect; `None` for the plain one.
fn protocol(fields: &Fields<'_>) -> Result<Option<u64>, DecodeError> {
    match fields.take("protocol", Value::number)? {
        None | Some(1) => Ok(None),
        Some(0) => Err(DecodeError::WrongType { field: "protocol", expected: "a whole number from 1 on" }),
        rich => Ok(rich),
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}
