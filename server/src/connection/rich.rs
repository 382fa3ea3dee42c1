//! What a client may say in the rich dialect, and what it is answered.

use std::sync::Arc;

use multichat::protocol::{ClientPacket, Dialect, ErrorCode, packet_id};

use super::{ending::Ending, hall::Terms, pump::Pump, stream::ByteStream};
use crate::room::{Draft, Notice};

impl<S: ByteStream> Pump<S> {
    /// Takes a packet, or says why not.
    pub(super) fn handle_rich(&mut self, terms: &Terms, text: &str) -> Result<(), Ending> {
        let packet = match ClientPacket::decode(text, Dialect::Rich, terms.limits.packet_bytes) {
            Ok(ClientPacket::Register(_)) => {
                return self.refuse_bad(terms, text, ErrorCode::BadPacket, "registered already");
            }
            Ok(packet) => packet,
            Err(error) => return self.refuse_bad(terms, text, error.error_code(), &error.to_string()),
        };
        let id = id_of(&packet);
        let (is_rated, may_write) = (self.standing.is_rated(), self.standing.rights().write);
        if (is_rated || !may_write)
            && let Some(answer) = id.and_then(|id| self.answer_to_repeated(terms, id))
        {
            self.mailbox.answer(answer);
            return Ok(());
        }
        if is_rated && !self.standing.take(text.len())? {
            let reason = "more than allowed; wait, then send it again";
            self.mailbox.answer(Notice::refused(id, ErrorCode::RateLimited, reason));
            return Ok(());
        }
        if !may_write {
            let is_muted = terms.is_muted(&self.member.author.client_name);
            let reason = if is_muted { "muted by an operator" } else { "the key gives no right to write" };
            self.mailbox.answer(Notice::refused(id, ErrorCode::NotAllowed, reason));
            return Ok(());
        }
        let room = &terms.room;
        let author = &self.member.author;
        match packet {
            ClientPacket::Message(message) => room.publish(Draft::message(author, message), &self.mailbox),
            ClientPacket::Edit(edit) => {
                room.publish(Draft::edit(author, self.standing.authority(), edit), &self.mailbox);
            }
            ClientPacket::Delete(delete) => {
                room.publish(Draft::delete(author, self.standing.authority(), delete), &self.mailbox);
            }
            ClientPacket::Receipt(receipt) => {
                if let Err(refused) = room.report(author, receipt) {
                    self.mailbox.answer(refused.notice(None));
                }
            }
            ClientPacket::Status(status) => {
                room.set_status(&self.member, status.status, status.text.as_deref());
            }
            _ => {
                let reason = "this router does not know the action";
                return self.refuse_bad(terms, text, ErrorCode::UnknownAction, reason);
            }
        }
        Ok(())
    }

    /// Says no to a binary message.
    pub(super) fn handle_binary(&mut self, terms: &Terms) -> Result<(), Ending> {
        self.refuse_bad(terms, "", ErrorCode::BadPacket, "a binary message: packets are text")
    }

    /// The answer to a packet that has been entered already. It does not count against the rate, and is refused neither
    /// for that nor because the client may not write any more: it would be told an untruth, or send it again under
    /// another name.
    fn answer_to_repeated(&self, terms: &Terms, id: &str) -> Option<Notice> {
        let place = terms.room.find(self.member.author.origin, &Arc::from(id))?;
        Some(Notice::repeated(id, place))
    }

    /// Says no to a packet that is none, which may not happen too often.
    fn refuse_bad(&mut self, terms: &Terms, text: &str, code: ErrorCode, reason: &str) -> Result<(), Ending> {
        self.note_bad_packet(terms)?;
        self.mailbox.answer(Notice::refused(packet_id(text).as_deref(), code, reason));
        Ok(())
    }
}

/// What the client calls the packet.
fn id_of(packet: &ClientPacket) -> Option<&str> {
    match packet {
        ClientPacket::Message(message) => message.id.as_deref(),
        ClientPacket::Edit(edit) => edit.id.as_deref(),
        ClientPacket::Delete(delete) => delete.id.as_deref(),
        _ => None,
    }
}
