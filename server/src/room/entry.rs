//! What the log holds, and what it is before it is entered.

#[cfg(test)]
mod tests;

use std::{
    borrow::Cow,
    sync::{Arc, OnceLock, atomic::AtomicBool},
};

use bytes::Bytes;
use multichat::protocol::{
    self, ClientDelete, ClientEdit, ClientMessage, ClientName, Dialect, ForwardingDelete, ForwardingEdit,
    ForwardingMessage, MessageAck, Place, ServerPacket, render_plain,
};

use super::log::Seq;
use crate::frame::{self, OpenText};

/// Who is not told of an entry, because it is its own: a session, or where there is none a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Origin(pub(crate) u64);

/// Who said something.
#[derive(Debug)]
pub(crate) struct Author {
    pub(crate) origin: Origin,
    pub(crate) client_name: ClientName,
    /// The person behind the client.
    pub(crate) sender_name: Option<Box<str>>,
}

/// Whose messages somebody may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Authority {
    /// Those of its own session.
    Session,
    /// All that were sent under its client name, which nobody else can have.
    Name,
    /// Everybody's.
    Room,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Message { reply_to: Option<Seq> },
    Edit { target: Seq },
    Delete { target: Seq },
}

/// Something to be entered.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(super) author: Arc<Author>,
    /// The name that its author gave it.
    pub(super) id: Option<Arc<str>>,
    pub(super) kind: Kind,
    pub(super) authority: Authority,
    /// The dialect that it came in.
    pub(super) native: Dialect,
    /// Its packet up to the place that it will have.
    pub(super) text: OpenText,
}

/// An entry of a log, ready to be sent.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Whose it is; the author's, kept here because every reader of every entry compares it.
    pub(crate) origin: Origin,
    pub(super) author: Arc<Author>,
    pub(super) id: Option<Arc<str>>,
    pub(super) kind: Kind,
    pub(super) place: Place,
    /// Who said what this points to, if that is a message that can still be told.
    pub(super) target: Option<Arc<Author>>,
    /// Whether this is a message that has been deleted.
    pub(super) is_deleted: AtomicBool,
    pub(super) native: Dialect,
    /// The whole WebSocket frame in the native dialect; made once, shared by all receivers.
    pub(super) frame: Bytes,
    /// The frame in the other dialect, made when it is needed first. Empty if that has no words for it.
    pub(super) translation: OnceLock<Bytes>,
    /// The cost of all entries that ever were in the log, up to this one.
    pub(super) cost_so_far: u64,
}

/// What an entry's `id` costs beside its bytes: its place among the names of the log.
pub(super) const ID_OVERHEAD: usize = 144;

/// What a sender costs beside its name: an author of its own.
const SENDER_OVERHEAD: usize = 96;

/// The place of what has none yet.
const NOWHERE: Place = Place::new(0, 0);

/// As much as a place takes in a packet.
const PLACE_BYTES: usize = r#","seq":18446744073709551615,"time":18446744073709551615}"#.len();

impl Draft {
    /// A message of a client that speaks the plain dialect.
    pub(crate) fn plain(author: &Arc<Author>, content: String) -> Self {
        let packet = ServerPacket::Message(ForwardingMessage::new(author.client_name.as_str(), content));
        let json = packet.encode();
        Self {
            author: author.clone(),
            id: None,
            kind: Kind::Message { reply_to: None },
            authority: Authority::Session,
            native: Dialect::Plain,
            text: OpenText::new(&json, 0),
        }
    }

    /// A message of a client that speaks the rich dialect.
    pub(crate) fn message(author: &Arc<Author>, message: ClientMessage) -> Self {
        let mut packet = ForwardingMessage::new(author.client_name.as_str(), message.content);
        let author = match &message.sender {
            None => author.clone(),
            Some(sender) => Arc::new(Author {
                origin: author.origin,
                client_name: author.client_name.clone(),
                sender_name: Some(sender.name.as_str().into()),
            }),
        };
        packet.sender = message.sender;
        packet.reply_to = message.reply_to;
        packet.attachments = message.attachments;
        packet.event = message.event;
        packet.place = Some(NOWHERE);
        let kind = Kind::Message { reply_to: message.reply_to };
        Self::rich(author, message.id, kind, Authority::Session, &ServerPacket::Message(packet))
    }

    /// A new text for a message.
    pub(crate) fn edit(author: &Arc<Author>, authority: Authority, edit: ClientEdit) -> Self {
        let packet = ForwardingEdit::new(author.client_name.as_str(), edit.target, edit.content, NOWHERE);
        let kind = Kind::Edit { target: edit.target };
        Self::rich(author.clone(), edit.id, kind, authority, &ServerPacket::Edit(packet))
    }

    /// The end of a message.
    pub(crate) fn delete(author: &Arc<Author>, authority: Authority, delete: ClientDelete) -> Self {
        let packet = ForwardingDelete::new(author.client_name.as_str(), delete.target, NOWHERE);
        let kind = Kind::Delete { target: delete.target };
        Self::rich(author.clone(), delete.id, kind, authority, &ServerPacket::Delete(packet))
    }

    fn rich(
        author: Arc<Author>,
        id: Option<String>,
        kind: Kind,
        authority: Authority,
        packet: &ServerPacket,
    ) -> Self {
        let json = packet.encode();
        let open = json.strip_suffix(&end(NOWHERE)).unwrap_or(&json);
        debug_assert!(open.len() < json.len(), "the place is the last that a packet tells");
        Self {
            author,
            id: id.map(Arc::from),
            kind,
            authority,
            native: Dialect::Rich,
            text: OpenText::new(open, PLACE_BYTES),
        }
    }

    /// Whether its author may change this message.
    pub(super) fn may_change(&self, message: &Entry) -> bool {
        let is_own = message.origin == self.author.origin;
        is_own
            || match self.authority {
                Authority::Session => false,
                Authority::Name => message.author.client_name == self.author.client_name,
                Authority::Room => true,
            }
    }
}

/// A packet that has no place yet, open for it.
fn without_end(json: &str) -> &str {
    json.strip_suffix('}').unwrap_or(json)
}

/// The end of a packet that has a place, which is the last of what it tells.
fn end(Place { seq, time, .. }: Place) -> String {
    format!(r#","seq":{seq},"time":{time}}}"#)
}

impl Entry {
    /// The entry that a draft becomes at its place.
    pub(super) fn new(draft: Draft, place: Place, target: Option<Arc<Author>>) -> Self {
        let frame = match draft.native {
            Dialect::Plain => draft.text.close(""),
            Dialect::Rich => draft.text.close(&end(place)),
        };
        Self {
            origin: draft.author.origin,
            author: draft.author,
            id: draft.id,
            kind: draft.kind,
            place,
            target,
            is_deleted: AtomicBool::new(false),
            native: draft.native,
            frame,
            translation: OnceLock::new(),
            cost_so_far: 0,
        }
    }

    /// The whole WebSocket frame for those who speak `dialect`; empty if they are told nothing.
    pub(crate) fn frame(&self, dialect: Dialect) -> &Bytes {
        if dialect == self.native { &self.frame } else { self.translation.get_or_init(|| self.translate()) }
    }

    /// What its names cost, in bytes: the one that its author gave it, and its sender's.
    pub(super) fn names_cost(&self) -> usize {
        // Twice, as the log keeps the name as long again.
        let id = self.id.as_ref().map_or(0, |id| 2 * (id.len() + ID_OVERHEAD));
        let sender = self.author.sender_name.as_ref().map_or(0, |name| name.len() + SENDER_OVERHEAD);
        id + sender
    }

    /// The frame that its author's session gets in its stead, if the author gave it a name.
    pub(super) fn ack(&self) -> Option<Bytes> {
        let packet = MessageAck::new(&**self.id.as_ref()?, self.place);
        Some(frame::text(&ServerPacket::MessageAck(packet).encode()))
    }

    /// Its packet in the rich dialect.
    pub(crate) fn json(&self) -> Cow<'_, str> {
        let json = frame::payload(&self.frame);
        match self.native {
            Dialect::Plain => Cow::Owned(format!("{}{}", without_end(json), end(self.place))),
            Dialect::Rich => Cow::Borrowed(json),
        }
    }

    fn translate(&self) -> Bytes {
        let json = frame::payload(&self.frame);
        match self.native {
            Dialect::Plain => OpenText::new(without_end(json), PLACE_BYTES).close(&end(self.place)),
            Dialect::Rich => self.render(json).map_or(Bytes::new(), |packet| frame::text(&packet.encode())),
        }
    }

    /// What those who speak the plain dialect are told.
    fn render(&self, json: &str) -> Option<ServerPacket> {
        let packet = ServerPacket::decode(json, Dialect::Rich, usize::MAX).ok()?;
        let target = self.target.as_deref().map(|author| protocol::Author {
            source_client_name: &author.client_name,
            sender_name: author.sender_name.as_deref(),
        });
        let content = render_plain(&packet, target)?;
        Some(ServerPacket::Message(ForwardingMessage::new(self.author.client_name.as_str(), content)))
    }
}
