//! The packets.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

use super::read::{self, DecodeError};

const REGISTER: &str = "register";
const REGISTER_ACK: &str = "register-ack";
const CLIENT_MESSAGE: &str = "client-message";
const FORWARDING_MESSAGE: &str = "forwarding-message";

/// What a client sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "action")]
#[non_exhaustive]
pub enum ClientPacket<'a> {
    /// The first packet of a connection.
    #[serde(rename = "register")]
    Register(Register<'a>),
    /// All packets after it.
    #[serde(rename = "client-message")]
    Message(ClientMessage<'a>),
}

/// What a server sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "action")]
#[non_exhaustive]
pub enum ServerPacket<'a> {
    /// The answer to a good `register`.
    #[serde(rename = "register-ack")]
    RegisterAck(RegisterAck),
    /// What another client said.
    #[serde(rename = "forwarding-message")]
    Message(ForwardingMessage<'a>),
}

/// Says who the client is, and proves it. Its `Debug` leaves the key out.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Register<'a> {
    /// `client-name`: not empty. Decoding does not check more than that: see
    /// [`ClientName`](super::ClientName).
    pub client_name: Cow<'a, str>,
    /// `secret-key`: not empty. Comparing it with `==` takes time that depends on what it is; a server
    /// compares in constant time.
    pub secret_key: Cow<'a, str>,
}

/// Tells the client that it is registered: it is sent everything that enters the room from now on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RegisterAck {}

/// Something to be told to everyone else in the room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct ClientMessage<'a> {
    /// `content`: not empty.
    pub content: Cow<'a, str>,
}

/// Something that another client said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct ForwardingMessage<'a> {
    /// `source-client-name`: who said it. Not empty.
    pub source_client_name: Cow<'a, str>,
    /// `content`: not empty.
    pub content: Cow<'a, str>,
}

impl<'a> ClientPacket<'a> {
    /// Decodes the payload of one text message of at most `max_bytes` bytes, as a server does. Texts
    /// without escapes are borrowed.
    ///
    /// # Errors
    ///
    /// A [`DecodeError`] with the first rule that the packet breaks.
    pub fn decode(text: &'a str, max_bytes: usize) -> Result<Self, DecodeError> {
        read::decode(text, max_bytes, Self::read, |text| {
            ClientPacket::read(text).map(ClientPacket::into_owned)
        })
    }

    fn read(text: &'a str) -> Result<Self, DecodeError> {
        match read::action(text)?.as_ref() {
            REGISTER => {
                let [client_name, secret_key] = read::texts(text, ["client-name", "secret-key"])?;
                Ok(Self::Register(Register { client_name, secret_key }))
            }
            CLIENT_MESSAGE => {
                let [content] = read::texts(text, ["content"])?;
                Ok(Self::Message(ClientMessage { content }))
            }
            _ => Err(DecodeError::UnknownAction),
        }
    }

    /// The packet as JSON, one line. That its texts are not empty is up to the caller: a server drops a
    /// packet with an empty one.
    pub fn encode(&self) -> String {
        encode(self)
    }

    /// The same packet, no longer borrowing from the text that it was decoded from.
    pub fn into_owned(self) -> ClientPacket<'static> {
        match self {
            Self::Register(packet) => ClientPacket::Register(packet.into_owned()),
            Self::Message(packet) => ClientPacket::Message(packet.into_owned()),
        }
    }
}

impl<'a> ServerPacket<'a> {
    /// Decodes the payload of one text message of at most `max_bytes` bytes, as a client does. Texts
    /// without escapes are borrowed.
    ///
    /// # Errors
    ///
    /// A [`DecodeError`] with the first rule that the packet breaks. A client ignores
    /// [`UnknownAction`](DecodeError::UnknownAction): it is how later servers say more.
    pub fn decode(text: &'a str, max_bytes: usize) -> Result<Self, DecodeError> {
        read::decode(text, max_bytes, Self::read, |text| {
            ServerPacket::read(text).map(ServerPacket::into_owned)
        })
    }

    fn read(text: &'a str) -> Result<Self, DecodeError> {
        match read::action(text)?.as_ref() {
            REGISTER_ACK => Ok(Self::RegisterAck(RegisterAck {})),
            FORWARDING_MESSAGE => {
                let [source_client_name, content] = read::texts(text, ["source-client-name", "content"])?;
                Ok(Self::Message(ForwardingMessage { source_client_name, content }))
            }
            _ => Err(DecodeError::UnknownAction),
        }
    }

    /// The packet as JSON, one line. That its texts are not empty is up to the caller: a client drops a
    /// packet with an empty one.
    pub fn encode(&self) -> String {
        encode(self)
    }

    /// The same packet, no longer borrowing from the text that it was decoded from.
    pub fn into_owned(self) -> ServerPacket<'static> {
        match self {
            Self::RegisterAck(packet) => ServerPacket::RegisterAck(packet),
            Self::Message(packet) => ServerPacket::Message(packet.into_owned()),
        }
    }
}

impl<'a> Register<'a> {
    /// The packet of a client with this name and key.
    pub fn new(client_name: impl Into<Cow<'a, str>>, secret_key: impl Into<Cow<'a, str>>) -> Self {
        Self { client_name: client_name.into(), secret_key: secret_key.into() }
    }

    /// The same packet, borrowing nothing.
    pub fn into_owned(self) -> Register<'static> {
        Register { client_name: owned(self.client_name), secret_key: owned(self.secret_key) }
    }
}

impl fmt::Debug for Register<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Register").field("client_name", &self.client_name).finish_non_exhaustive()
    }
}

impl RegisterAck {
    /// An ack that says no more than that.
    pub const fn new() -> Self {
        Self {}
    }
}

impl<'a> ClientMessage<'a> {
    /// A message with this text.
    pub fn new(content: impl Into<Cow<'a, str>>) -> Self {
        Self { content: content.into() }
    }

    /// The same packet, borrowing nothing.
    pub fn into_owned(self) -> ClientMessage<'static> {
        ClientMessage { content: owned(self.content) }
    }
}

impl<'a> ForwardingMessage<'a> {
    /// A message with this text, from the client of this name.
    pub fn new(source_client_name: impl Into<Cow<'a, str>>, content: impl Into<Cow<'a, str>>) -> Self {
        Self { source_client_name: source_client_name.into(), content: content.into() }
    }

    /// The same packet, borrowing nothing.
    pub fn into_owned(self) -> ForwardingMessage<'static> {
        ForwardingMessage { source_client_name: owned(self.source_client_name), content: owned(self.content) }
    }
}

fn owned(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}

fn encode(packet: &impl Serialize) -> String {
    // Objects of texts have a form in JSON, whatever the texts are; and memory is all that it takes.
    serde_json::to_string(packet).unwrap_or_default()
}
