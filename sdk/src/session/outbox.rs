//! What is to be sent, and what has been sent and is not confirmed.

use std::collections::VecDeque;
use std::time::Duration;

use crate::protocol::{
    ClientMessage, ClientPacket, ClientReceipt, ForwardingMessage, ServerPacket, render_plain,
};

use super::send::{Confirmation, Fate, SendError, SendFailure};
use super::settings::{OutboxLimits, WhenFull};

/// The most packets, and bytes of text in them, that are on their way at once: enough for a far router, and
/// little enough that a slow line has them acknowledged in time.
const WINDOW: usize = 512;
const WINDOW_BYTES: usize = 256 * 1024;

/// The most receipts that wait. They are a courtesy, and late ones are worth the least.
const RECEIPTS: usize = 256;

/// Something that is to be sent.
#[derive(Debug)]
pub(super) struct Item<R> {
    /// Its place in the order of sending, and its `id` on the wire: unique in all sessions of the client.
    pub(super) order: u64,
    pub(super) packet: ClientPacket,
    /// Where the outcome goes.
    reply: R,
    /// How often it has been sent, and when last.
    pub(super) sends: u32,
    pub(super) sent_at: Duration,
    /// Whether it may have arrived, although it is to be sent again.
    is_unsure: bool,
}

/// What became of an item.
pub(super) type Outcome = Result<Confirmation, (SendError, Fate)>;

/// Where an outcome goes, and what it is there.
pub(crate) type Settled<R> = (R, Result<Confirmation, SendFailure>);

/// The items of a client, in their order.
#[derive(Debug)]
pub(super) struct Outbox<R> {
    limits: OutboxLimits,
    /// First those that were sent and not answered, in the order in which they were sent; then, in their own order,
    /// those that wait, because they were never sent or are to be sent again.
    items: VecDeque<Item<R>>,
    /// How many were sent and not answered.
    unanswered: usize,
    /// Receipts that were not sent yet. They have no answer, and take no room from what has one.
    receipts: VecDeque<ClientReceipt>,
    /// The bytes of the items, and those of the unanswered.
    bytes: usize,
    unanswered_bytes: usize,
    last: u64,
    /// How many items have left, for whatever reason.
    gone: u64,
    /// The size of the packet that was refused last, if none was taken since.
    refused: usize,
}

impl<R> Item<R> {
    /// Its packet in JSON, with its `id`.
    pub(super) fn encode(&mut self) -> String {
        set_id(&mut self.packet, Some(self.order.to_string()));
        let text = self.packet.encode();
        // Made anew each time, which is seldom more than once: what waits is kept small.
        set_id(&mut self.packet, None);
        text
    }

    /// Makes a message that answers another one that answers none. Whether it was one.
    pub(super) fn forget_reply(&mut self) -> bool {
        match &mut self.packet {
            ClientPacket::Message(message) => message.reply_to.take().is_some(),
            _ => false,
        }
    }
}

impl<R> Outbox<R> {
    pub(super) const fn new(limits: OutboxLimits) -> Self {
        Self {
            limits,
            items: VecDeque::new(),
            unanswered: 0,
            receipts: VecDeque::new(),
            bytes: 0,
            unanswered_bytes: 0,
            last: 0,
            gone: 0,
            refused: 0,
        }
    }

    /// Takes a packet, or refuses it. What has to give way for it is put into `settled`.
    pub(super) fn push(&mut self, packet: ClientPacket, reply: R, settled: &mut VecDeque<Settled<R>>) {
        let bytes = size(&packet);
        if !self.has_room(bytes) && !self.can_make_room(bytes) {
            self.refused = bytes;
            return refuse(packet, reply, SendError::OutboxFull, settled);
        }
        while !self.has_room(bytes)
            && let Some(oldest) = self.take_oldest_unsent()
        {
            self.settle(oldest, Err((SendError::OutboxFull, Fate::NotSent)), settled);
        }
        self.refused = 0;
        self.last += 1;
        self.bytes += bytes;
        self.items.push_back(Item {
            order: self.last,
            packet,
            reply,
            sends: 0,
            sent_at: Duration::ZERO,
            is_unsure: false,
        });
    }

    /// Takes a receipt; the oldest gives way for it if there are too many.
    pub(super) fn push_receipt(&mut self, receipt: ClientReceipt) {
        if self.receipts.len() >= RECEIPTS {
            self.receipts.pop_front();
        }
        self.receipts.push_back(receipt);
    }

    /// The next receipt.
    pub(super) fn take_receipt(&mut self) -> Option<ClientPacket> {
        self.receipts.pop_front().map(ClientPacket::Receipt)
    }

    /// Whether a receipt waits, and for nothing else; `is_single`: nor for an answer.
    pub(super) fn has_next_receipt(&self, is_single: bool) -> bool {
        let is_idle = self.items.len() == self.unanswered && (!is_single || self.unanswered == 0);
        is_idle && !self.receipts.is_empty()
    }

    /// Whether giving up what was not sent yet would make room for a packet of this size.
    fn can_make_room(&self, bytes: usize) -> bool {
        if self.limits.when_full != WhenFull::DropOldest {
            return false;
        }
        let (mut count, mut taken) = (0, 0);
        for (index, item) in self.items.iter().enumerate() {
            if index < self.unanswered || item.is_unsure {
                count += 1;
                taken += size(&item.packet);
            }
        }
        self.fits(count, taken, bytes)
    }

    /// Whether there is room for what was refused last, or else for any packet.
    pub(super) fn has_room_again(&self) -> bool {
        self.has_room(self.refused)
    }

    /// How many items have left, for whatever reason.
    pub(super) const fn gone(&self) -> u64 {
        self.gone
    }

    /// Whether there is room for a packet of this size.
    fn has_room(&self, bytes: usize) -> bool {
        self.fits(self.items.len(), self.bytes, bytes)
    }

    /// Whether beside so many packets of so many bytes there is room for one more.
    const fn fits(&self, count: usize, taken: usize, bytes: usize) -> bool {
        count == 0 || (count < self.limits.messages && taken.saturating_add(bytes) <= self.limits.bytes)
    }

    /// Whether it is known what became of everything that has an answer.
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The number of the newest item, and that of the oldest one that is not settled.
    pub(super) const fn last(&self) -> u64 {
        self.last
    }

    pub(super) fn first_unsettled(&self) -> Option<u64> {
        self.items.iter().take(self.unanswered + 1).map(|item| item.order).min()
    }

    /// The next item that may be sent now.
    pub(super) fn next(&mut self, is_single: bool) -> Option<&mut Item<R>> {
        if self.has_next(is_single) { self.items.get_mut(self.unanswered) } else { None }
    }

    /// Whether something waits, and not for answers; `is_single`: there may be one packet on its way, and no more.
    pub(super) fn has_next(&self, is_single: bool) -> bool {
        let window = if is_single { 1 } else { WINDOW };
        self.items.len() > self.unanswered && self.unanswered < window && self.unanswered_bytes < WINDOW_BYTES
    }

    /// The next item was sent, and is kept until it has its answer.
    pub(super) fn sent_next(&mut self, now: Duration) {
        if let Some(item) = self.items.get_mut(self.unanswered) {
            item.sends += 1;
            item.sent_at = now;
            self.unanswered_bytes += size(&item.packet);
            self.unanswered += 1;
        }
    }

    /// The next item cannot be sent.
    pub(super) fn settle_next(&mut self, outcome: Outcome, settled: &mut VecDeque<Settled<R>>) {
        if let Some(item) = self.take(self.unanswered) {
            self.settle(item, outcome, settled);
        }
    }

    /// What was sent longest ago.
    pub(super) fn oldest_unanswered(&self) -> Option<&Item<R>> {
        self.items.front().filter(|_| self.unanswered > 0)
    }

    pub(super) fn take_oldest_unanswered(&mut self) -> Option<Item<R>> {
        if self.unanswered > 0 { self.take(0) } else { None }
    }

    fn take(&mut self, index: usize) -> Option<Item<R>> {
        let item = self.items.remove(index)?;
        if index < self.unanswered {
            self.unanswered -= 1;
            self.unanswered_bytes = self.unanswered_bytes.saturating_sub(size(&item.packet));
        }
        Some(item)
    }

    fn take_oldest_unsent(&mut self) -> Option<Item<R>> {
        let mut waiting = self.unanswered..self.items.len();
        let index = waiting.find(|&index| self.items.get(index).is_some_and(|item| !item.is_unsure))?;
        self.take(index)
    }

    /// What was sent with this `id` and is answered now, though it may be about to be sent again: what the answer
    /// leaves to be sent was not entered, as if it had never been sent.
    pub(super) fn take_answered(&mut self, id: &str) -> Option<Item<R>> {
        let order = id.parse::<u64>().ok()?;
        let index = self.items.iter().position(|item| item.order == order && item.sends > 0)?;
        let mut item = self.take(index)?;
        item.sends = 0;
        item.is_unsure = false;
        Some(item)
    }

    /// Puts an item back to where it was among those that wait.
    pub(super) fn put_back(&mut self, item: Item<R>) {
        let mut index = self.unanswered;
        while self.items.get(index).is_some_and(|other| other.order < item.order) {
            index += 1;
        }
        self.items.insert(index, item);
    }

    /// All that was sent and not answered is to be sent again; `is_unsure` says whether it may have arrived.
    pub(super) fn put_back_all(&mut self, is_unsure: bool) {
        for (index, item) in self.items.iter_mut().enumerate() {
            item.is_unsure = is_unsure && (item.is_unsure || index < self.unanswered);
        }
        self.unanswered_bytes = 0;
        // The last one first, which is nearly always where it belongs: before all that wait.
        while let Some(mut index) = self.unanswered.checked_sub(1) {
            self.unanswered = index;
            while self.is_late(index) {
                self.items.swap(index, index + 1);
                index += 1;
            }
        }
    }

    /// Whether the item there is to come after the one behind it.
    fn is_late(&self, index: usize) -> bool {
        let order = |index: usize| self.items.get(index).map(|item| item.order);
        order(index + 1).is_some_and(|next| order(index) > Some(next))
    }

    /// The numbers of entries mean nothing any more: what changes an entry is void, while a message that
    /// answers one is still a message.
    pub(super) fn forget_numbers(&mut self, error: &SendError, settled: &mut VecDeque<Settled<R>>) {
        self.receipts.clear();
        let mut index = self.unanswered;
        while let Some(item) = self.items.get_mut(index) {
            if matches!(item.packet, ClientPacket::Message(_)) {
                item.forget_reply();
                index += 1;
            } else if let Some(item) = self.take(index) {
                self.settle(item, Err((error.clone(), Fate::NotSent)), settled);
            }
        }
    }

    /// All that was sent and not answered is settled so.
    pub(super) fn settle_unanswered(&mut self, outcome: &Outcome, settled: &mut VecDeque<Settled<R>>) {
        while let Some(item) = self.take_oldest_unanswered() {
            self.settle(item, outcome.clone(), settled);
        }
    }

    /// Of what was sent, the largest packet was too much for the router.
    pub(super) fn give_up_largest(&mut self, settled: &mut VecDeque<Settled<R>>) {
        let sizes = self.items.iter().take(self.unanswered).map(|item| size(&item.packet)).enumerate();
        let largest = sizes.max_by_key(|&(_, size)| size).and_then(|(index, _)| self.take(index));
        if let Some(item) = largest {
            self.settle(item, Err((SendError::FateUnknown, Fate::Unknown)), settled);
        }
    }

    /// What may have arrived will never have an answer.
    pub(super) fn settle_unknown(&mut self, settled: &mut VecDeque<Settled<R>>) {
        let unknown = Err((SendError::FateUnknown, Fate::Unknown));
        self.settle_unanswered(&unknown, settled);
        let mut index = 0;
        while let Some(item) = self.items.get(index) {
            if !item.is_unsure {
                index += 1;
            } else if let Some(item) = self.take(index) {
                self.settle(item, unknown.clone(), settled);
            }
        }
    }

    /// The client has ended, as the error says: what was not sent never will be.
    pub(super) fn settle_all(&mut self, error: &SendError, settled: &mut VecDeque<Settled<R>>) {
        self.receipts.clear();
        self.settle_unknown(settled);
        while let Some(item) = self.items.pop_front() {
            self.settle(item, Err((error.clone(), Fate::NotSent)), settled);
        }
    }

    /// Tells where it is waited for what became of an item.
    pub(super) fn settle(&mut self, item: Item<R>, outcome: Outcome, settled: &mut VecDeque<Settled<R>>) {
        self.gone += 1;
        self.bytes = self.bytes.saturating_sub(size(&item.packet));
        let outcome = outcome.map_err(|(error, fate)| {
            failure(item.packet, error, if item.is_unsure { Fate::Unknown } else { fate })
        });
        settled.push_back((item.reply, outcome));
    }
}

/// Settles what never got into an outbox.
pub(super) fn refuse<R>(
    packet: ClientPacket,
    reply: R,
    error: SendError,
    settled: &mut VecDeque<Settled<R>>,
) {
    settled.push_back((reply, Err(failure(packet, error, Fate::NotSent))));
}

fn failure(mut packet: ClientPacket, error: SendError, fate: Fate) -> SendFailure {
    set_id(&mut packet, None);
    SendFailure { error, fate, packet: Box::new(packet) }
}

/// Gives a packet another `id`, if it is of a kind that has one.
fn set_id(packet: &mut ClientPacket, id: Option<String>) {
    match packet {
        ClientPacket::Message(message) => message.id = id,
        ClientPacket::Edit(edit) => edit.id = id,
        ClientPacket::Delete(delete) => delete.id = id,
        _ => {}
    }
}

/// The bytes of a packet's texts, which are at most those of the packet.
pub(super) fn size(packet: &ClientPacket) -> usize {
    let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    match packet {
        ClientPacket::Message(message) => {
            let sender = message.sender.as_ref();
            let sender = sender.map_or(0, |who| who.name.len() + length(&who.id) + length(&who.avatar));
            let attachments = message.attachments.iter();
            let attachments = attachments
                .map(|file| file.url.len() + length(&file.name) + length(&file.mime))
                .sum::<usize>();
            message.content.len() + sender + attachments + length(&message.event)
        }
        ClientPacket::Edit(edit) => edit.content.len(),
        ClientPacket::Receipt(receipt) => length(&receipt.reason) + length(&receipt.remote_id),
        _ => 0,
    }
}

/// What a server that speaks plain is sent for a packet, as a router that speaks rich would render it.
pub(super) fn in_plain(packet: &ClientPacket) -> Option<ClientPacket> {
    let ClientPacket::Message(message) = packet else { return None };
    let mut forwarded =
        ForwardingMessage { content: message.content.clone(), ..ForwardingMessage::default() };
    forwarded.sender.clone_from(&message.sender);
    forwarded.attachments.clone_from(&message.attachments);
    forwarded.event.clone_from(&message.event);
    let content = render_plain(&ServerPacket::Message(forwarded), None)?;
    Some(ClientPacket::Message(ClientMessage::new(content)))
}
