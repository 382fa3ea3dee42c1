//! What a room must tell, worked out from what was said in it.

use std::collections::HashMap;

use bytes::Bytes;
use multichat::protocol::{
    Author, Dialect, ErrorCode, ForwardingDelete, ForwardingEdit, ForwardingMessage, MessageAck, Place,
    Sender, ServerPacket, render_plain,
};

use super::drafts::with;
use crate::{
    frame,
    room::{Origin, Seq, Viewpoint},
};

/// What somebody says.
#[derive(Clone, Copy, Debug)]
pub(super) enum Said {
    Message { sender: Option<&'static str>, reply_to: Option<Seq> },
    Edit(Seq),
    Delete(Seq),
}

impl Said {
    /// What every message says.
    pub(super) const CONTENT: &str = "said";
}

/// What must come of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Entered,
    Repeated(Place),
    Refused(ErrorCode),
}

/// An entry.
struct Line {
    origin: Origin,
    client: String,
    said: Said,
    is_deleted: bool,
    place: Place,
    rich: Bytes,
    /// Empty if plain clients are told nothing.
    plain: Bytes,
    /// Empty if there is no ack.
    ack: Bytes,
}

/// Everything that was ever said in a room.
pub(super) struct Ledger {
    /// The most entries that the log holds.
    bound: usize,
    lines: Vec<Line>,
    /// Where each name was entered last.
    ids: HashMap<(Origin, String), Place>,
}

impl Ledger {
    pub(super) fn new(bound: usize) -> Self {
        Self { bound, lines: Vec::new(), ids: HashMap::new() }
    }

    pub(super) fn newest(&self) -> Seq {
        self.lines.len() as Seq
    }

    pub(super) fn tail(&self) -> Seq {
        self.lines.len().saturating_sub(self.bound) as Seq
    }

    fn held(&self, seq: Seq) -> Option<&Line> {
        let index = usize::try_from(seq).unwrap().checked_sub(1).filter(|_| seq > self.tail())?;
        self.lines.get(index)
    }

    /// A message that can be pointed to.
    fn message(&self, seq: Seq) -> Option<&Line> {
        self.held(seq).filter(|line| matches!(line.said, Said::Message { .. }) && !line.is_deleted)
    }

    /// Who said the message there, if it can be pointed to, and whether that session has an ack of it.
    pub(super) fn author_of(&self, seq: Seq) -> Option<(Origin, bool)> {
        self.message(seq).map(|line| (line.origin, !line.ack.is_empty()))
    }

    /// Where what has this name was entered last, whether it is still held or not.
    fn place_of(&self, origin: Origin, id: &str) -> Option<Place> {
        self.ids.get(&(origin, id.to_owned())).copied()
    }

    /// Whether this was entered, and so long ago that it would be once more.
    pub(super) fn has_forgotten(&self, origin: Origin, id: &str) -> bool {
        self.place_of(origin, id).is_some_and(|place| !self.remembers(place))
    }

    /// Whether the name of this entry is known: for as long as so many others have not gone after it.
    fn remembers(&self, Place { seq, .. }: Place) -> bool {
        let gone = seq..=self.tail();
        let gone = gone.filter(|seq| !self.lines[usize::try_from(*seq).unwrap() - 1].ack.is_empty());
        gone.count() <= self.bound
    }

    /// What must come of it if this is said now.
    pub(super) fn predict(&self, origin: Origin, id: Option<&str>, said: Said) -> Outcome {
        let first = id.and_then(|id| self.place_of(origin, id));
        if let Some(first) = first.filter(|first| self.remembers(*first)) {
            return Outcome::Repeated(first);
        }
        match said {
            Said::Message { reply_to: Some(seq), .. } if seq == 0 || seq > self.newest() => {
                Outcome::Refused(ErrorCode::UnknownTarget)
            }
            Said::Message { .. } => Outcome::Entered,
            Said::Edit(target) | Said::Delete(target) => match self.author_of(target) {
                None => Outcome::Refused(ErrorCode::UnknownTarget),
                Some((author, _)) if author != origin => Outcome::Refused(ErrorCode::NotAllowed),
                Some(_) => Outcome::Entered,
            },
        }
    }

    /// Notes what was entered.
    pub(super) fn enter(&mut self, origin: Origin, client: &str, id: Option<&str>, said: Said, place: Place) {
        assert_eq!(place.seq, self.newest() + 1, "places have no holes");
        assert!(self.lines.last().is_none_or(|line| line.place.time <= place.time), "time goes on");
        let packet = match said {
            Said::Message { sender, reply_to } => {
                ServerPacket::Message(with(ForwardingMessage::new(client, Said::CONTENT), |message| {
                    message.sender = sender.map(Sender::new);
                    message.reply_to = reply_to;
                    message.place = Some(place);
                }))
            }
            Said::Edit(target) => {
                ServerPacket::Edit(ForwardingEdit::new(client, target, Said::CONTENT, place))
            }
            Said::Delete(target) => ServerPacket::Delete(ForwardingDelete::new(client, target, place)),
        };
        let target = match said {
            Said::Message { reply_to, .. } => reply_to,
            Said::Edit(target) | Said::Delete(target) => Some(target),
        };
        let target = target.and_then(|target| self.message(target)).map(|line| Author {
            source_client_name: &line.client,
            sender_name: if let Said::Message { sender, .. } = line.said { sender } else { None },
        });
        let text = |packet: &ServerPacket| frame::text(&packet.encode());
        let plain = render_plain(&packet, target)
            .map(|content| text(&ServerPacket::Message(ForwardingMessage::new(client, content))));
        let ack = id.map(|id| text(&ServerPacket::MessageAck(MessageAck::new(id, place))));
        if let Said::Delete(target) = said {
            self.lines[usize::try_from(target).unwrap() - 1].is_deleted = true;
        }
        if let Some(id) = id {
            self.ids.insert((origin, id.to_owned()), place);
        }
        self.lines.push(Line {
            origin,
            client: client.to_owned(),
            said,
            is_deleted: false,
            place,
            rich: text(&packet),
            plain: plain.unwrap_or_default(),
            ack: ack.unwrap_or_default(),
        });
    }

    /// What this reader is told of the entries after `from` up to `to`.
    pub(super) fn due(&self, reader: Viewpoint, from: Seq, to: Seq) -> Vec<u8> {
        let [from, to] = [from, to].map(|seq| usize::try_from(seq).unwrap());
        let due = self.lines[from..to].iter().flat_map(|line| match reader.dialect {
            _ if line.origin == reader.origin => &line.ack,
            Dialect::Plain => &line.plain,
            Dialect::Rich => &line.rich,
        });
        due.copied().collect()
    }
}
