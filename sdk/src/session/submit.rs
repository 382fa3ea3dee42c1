//! What the program gives to be sent.

use crate::protocol::{ClientPacket, ClientReceipt, ClientStatus, Status};

use super::event::State;
use super::machine::Session;
use super::outbox::refuse;
use super::phase::Phase;
use super::send::SendError;

impl<R> Session<R> {
    /// Takes something to send; what becomes of it goes to `reply`.
    pub(crate) fn send(&mut self, packet: ClientPacket, reply: R) {
        match self.check(&packet) {
            Ok(()) => self.outbox.push(packet, reply, &mut self.settled),
            Err(error) => refuse(packet, reply, error, &mut self.settled),
        }
    }

    /// Takes a receipt: it is sent when there is nothing else to send.
    pub(crate) fn report(&mut self, receipt: ClientReceipt) -> Result<(), SendError> {
        let packet = ClientPacket::Receipt(receipt.clone());
        self.check(&packet)?;
        self.outbox.push_receipt(receipt);
        Ok(())
    }

    fn check(&self, packet: &ClientPacket) -> Result<(), SendError> {
        if self.draining.is_some() || matches!(self.phase, Phase::Closing { .. } | Phase::Closed) {
            return Err(self.ended());
        }
        packet.check()?;
        match &self.phase {
            Phase::Online(online) => online.check(packet),
            _ => Ok(()),
        }
    }

    /// Takes the word on how the platform is: it is said now, and again after each registration.
    pub(crate) fn set_status(&mut self, status: ClientStatus) -> Result<(), SendError> {
        ClientPacket::Status(status.clone()).check()?;
        if matches!(self.phase, Phase::Closing { .. } | Phase::Closed) {
            return Err(self.ended());
        }
        // A name that says nothing is online; but what it said before is to be taken back.
        let is_news = self.status.is_some() || status.status != Status::Online || status.text.is_some();
        self.status = Some(status).filter(|_| is_news);
        self.is_status_due = is_news && matches!(&self.phase, Phase::Online(online) if online.is_rich());
        Ok(())
    }

    /// Whether another packet can be taken, or none ever.
    pub(crate) fn has_room(&self) -> bool {
        self.state.is_closed() || self.outbox.has_room_again()
    }

    /// How many packets have left the outbox, for whatever reason.
    pub(crate) const fn gone(&self) -> u64 {
        self.outbox.gone()
    }

    /// The number of the last packet that was taken.
    pub(crate) const fn last_sent(&self) -> u64 {
        self.outbox.last()
    }

    /// Whether it is known what became of all packets up to this number.
    pub(crate) fn has_settled(&self, last: u64) -> bool {
        self.outbox.first_unsettled().is_none_or(|first| first > last)
    }

    /// Why nothing can be sent any more.
    pub(super) fn ended(&self) -> SendError {
        match &self.state {
            State::Closed { cause: Some(cause), .. } => SendError::Ended { cause: cause.clone() },
            _ => SendError::Closed,
        }
    }
}
