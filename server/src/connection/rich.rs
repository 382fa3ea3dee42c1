//! What a client may say in the rich dialect, and what it is answered.

use std::sync::Arc;

use multichat::protocol::{ClientPacket, CloseCode, Dialect, ErrorCode, packet_id};
use tokio::time::Instant;

use super::{Router, ending::Ending, pump::Pump, stream::ByteStream};
use crate::{
    rate::Rate,
    room::{Draft, Notice},
};

impl<S: ByteStream> Pump<S> {
    /// Takes a packet, or says why not.
    pub(super) fn handle_rich(&mut self, router: &Router, text: &str) -> Result<(), Ending> {
        let packet = match ClientPacket::decode(text, Dialect::Rich, router.limits.packet_bytes) {
            Ok(ClientPacket::Register(_)) => {
                return self.refuse_bad(router, text, ErrorCode::BadPacket, "registered already");
            }
            Ok(packet) => packet,
            Err(error) => return self.refuse_bad(router, text, error.error_code(), &error.to_string()),
        };
        if let Some(rate) = router.limits.messages {
            let id = id_of(&packet);
            if let Some(answer) = id.and_then(|id| self.answer_to_repeated(router, id)) {
                self.mailbox.answer(answer);
                return Ok(());
            }
            if !self.has_token(rate) {
                return self.refuse_for_now(rate, id);
            }
        }
        let room = &router.room;
        let author = &self.member.author;
        match packet {
            ClientPacket::Message(message) => room.publish(Draft::message(author, message), &self.mailbox),
            ClientPacket::Edit(edit) => room.publish(Draft::edit(author, edit), &self.mailbox),
            ClientPacket::Delete(delete) => room.publish(Draft::delete(author, delete), &self.mailbox),
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
                return self.refuse_bad(router, text, ErrorCode::UnknownAction, reason);
            }
        }
        Ok(())
    }

    /// Says no to a binary message.
    pub(super) fn handle_binary(&mut self, router: &Router) -> Result<(), Ending> {
        self.refuse_bad(router, "", ErrorCode::BadPacket, "a binary message: packets are text")
    }

    /// The answer to a packet that has been entered already. It does not count against the rate, and is not refused
    /// for it: the client would send it again under another name.
    fn answer_to_repeated(&self, router: &Router, id: &str) -> Option<Notice> {
        let place = router.room.find(self.member.author.origin, &Arc::from(id))?;
        Some(Notice::repeated(id, place))
    }

    /// Takes a token for a packet. Once all tokens are there again, earlier refusals are forgotten.
    fn has_token(&mut self, rate: Rate) -> bool {
        let now = Instant::now();
        if self.messages.is_full(now) {
            self.refused = 0;
        }
        self.messages.take(rate, now).is_ok()
    }

    /// Says that a packet comes too early. Who goes on, and has as many again refused as one burst holds, has to go.
    fn refuse_for_now(&mut self, rate: Rate, id: Option<&str>) -> Result<(), Ending> {
        self.refused += 1;
        if self.refused > rate.burst {
            return Err(Ending::close(CloseCode::RateLimited, "went on beyond its rate"));
        }
        let reason = "more than allowed; wait, then send it again";
        self.mailbox.answer(Notice::refused(id, ErrorCode::RateLimited, reason));
        Ok(())
    }

    /// Says no to a packet that is none, which may not happen too often.
    fn refuse_bad(
        &mut self,
        router: &Router,
        text: &str,
        code: ErrorCode,
        reason: &str,
    ) -> Result<(), Ending> {
        self.note_bad_packet(router)?;
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
