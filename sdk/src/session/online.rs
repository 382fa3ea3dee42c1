//! A registered client, and what it keeps from one connection to the next.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::protocol::{
    ClientPacket, Dialect, ErrorCode, Place, Refusal, Register, RegisterAck, Resume, RichAck, RichRegister,
    ServerPacket, entry_seq, limits,
};

use super::event::{Event, Gap, GapCause, Received};
use super::machine::Session;
use super::outbox::{self, Item, Outbox, Settled};
use super::pace::Throttle;
use super::send::{Confirmation, Fate, SendError};

/// How long a replay may stand still before its end is waited for no longer: its last entry may be one that this
/// client cannot see.
const REPLAY_WAIT: Duration = Duration::from_secs(10);

/// A session with a router that speaks the rich dialect. It outlives the connection.
pub(super) struct Link {
    session: String,
    epoch: Arc<str>,
    /// The entry up to which the log is known.
    cursor: u64,
    /// Up to here, what comes under our own name was said by an earlier session of ours.
    history_end: u64,
}

impl Link {
    pub(super) fn epoch(&self) -> Arc<str> {
        Arc::clone(&self.epoch)
    }
}

/// A registration that holds.
#[derive(Debug, Default)]
pub(super) struct Online {
    since: Duration,
    rich: Option<Rich>,
}

/// What a router that speaks the rich dialect said of this registration.
#[derive(Debug)]
struct Rich {
    recovered: bool,
    packet_bytes: usize,
    /// What the log held at the registration: what comes up to here is replay.
    replay_end: u64,
    /// Whether the end of the replay is waited for: nothing is sent before.
    is_replay: bool,
}

impl Rich {
    /// The log is known up to here. Once the replay is through, what has no ack was not entered.
    fn reached<R>(&mut self, cursor: u64, outbox: &mut Outbox<R>) {
        if self.is_replay && cursor >= self.replay_end {
            self.is_replay = false;
            outbox.put_back_all(false);
        }
    }
}

impl Online {
    pub(super) const fn since(&self) -> Duration {
        self.since
    }

    pub(super) const fn is_rich(&self) -> bool {
        self.rich.is_some()
    }

    pub(super) const fn dialect(&self) -> Dialect {
        if self.is_rich() { Dialect::Rich } else { Dialect::Plain }
    }

    pub(super) fn is_recovered(&self) -> bool {
        self.rich.as_ref().is_some_and(|rich| rich.recovered)
    }

    /// Whether acks are due for what was sent: they are not before the replay is through.
    pub(super) fn awaits_acks(&self) -> bool {
        self.rich.as_ref().is_some_and(|rich| !rich.is_replay)
    }

    /// Whether a packet can be sent at all.
    pub(super) fn check(&self, packet: &ClientPacket) -> Result<(), SendError> {
        match &self.rich {
            None if !matches!(packet, ClientPacket::Message(_)) => Err(SendError::NotInPlain),
            None => Ok(()),
            Some(rich) => check_size(outbox::size(packet), rich.packet_bytes),
        }
    }

    /// When there will be something to do, if the last word from the router was `heard`.
    pub(super) fn wake_at<R>(
        &self,
        heard: Duration,
        outbox: &Outbox<R>,
        throttle: &Throttle,
    ) -> Option<Duration> {
        let rich = self.rich.as_ref()?;
        if rich.is_replay {
            return Some(heard + REPLAY_WAIT);
        }
        if outbox.has_next(throttle.is_wary()) {
            Some(throttle.next())
        } else {
            outbox.has_next_receipt(throttle.is_wary()).then(|| throttle.next_receipt())
        }
    }

    /// Whether a receipt can be written now.
    pub(super) fn has_receipt<R>(&self, outbox: &Outbox<R>, throttle: &Throttle, now: Duration) -> bool {
        self.awaits_acks() && outbox.has_next_receipt(throttle.is_wary()) && now >= throttle.next_receipt()
    }

    pub(super) fn tick<R>(&mut self, heard: Duration, now: Duration, outbox: &mut Outbox<R>) {
        if let Some(rich) = &mut self.rich
            && rich.is_replay
            && now >= heard + REPLAY_WAIT
        {
            // The ids see to it that what was entered is not entered again.
            rich.is_replay = false;
            outbox.put_back_all(true);
        }
    }

    /// The next packet of the outbox that may be written now. Receipts wait for all else.
    pub(super) fn pull<R>(
        &self,
        outbox: &mut Outbox<R>,
        throttle: &mut Throttle,
        settled: &mut VecDeque<Settled<R>>,
        now: Duration,
    ) -> Option<String> {
        if self.rich.as_ref().is_some_and(|rich| rich.is_replay || now < throttle.next()) {
            return None;
        }
        while let Some(item) = outbox.next(self.is_rich() && throttle.is_wary()) {
            match self.encode(item) {
                Ok(text) => {
                    throttle.spend(now);
                    outbox.sent_next(now);
                    return Some(text);
                }
                // It was not sent on this connection; and on one before, it would have its ack by now.
                Err(error) => outbox.settle_next(Err((error, Fate::NotSent)), settled),
            }
        }
        while self.has_receipt(outbox, throttle, now) {
            let text = outbox.take_receipt()?.encode();
            // A courtesy: nobody is told.
            if self.rich.as_ref().is_some_and(|rich| text.len() <= rich.packet_bytes) {
                throttle.spend_unanswered(now);
                return Some(text);
            }
        }
        None
    }

    fn encode<R>(&self, item: &mut Item<R>) -> Result<String, SendError> {
        let (text, max) = if let Some(rich) = &self.rich {
            (item.encode(), rich.packet_bytes)
        } else {
            let packet = outbox::in_plain(&item.packet).ok_or(SendError::NotInPlain)?;
            (packet.encode(), limits::PACKET_BYTES)
        };
        check_size(text.len(), max).map(|()| text)
    }

    /// Everything that was pulled has been written: in the plain dialect there is nothing else to wait for.
    pub(super) fn flushed<R>(&self, outbox: &mut Outbox<R>, settled: &mut VecDeque<Settled<R>>) {
        if !self.is_rich() {
            outbox.settle_unanswered(&Ok(Confirmation::Written), settled);
        }
    }
}

fn check_size(size: usize, max: usize) -> Result<(), SendError> {
    if size > max { Err(SendError::TooBig { size, max }) } else { Ok(()) }
}

/// The ack of a registration, if the text is one.
pub(super) fn read_ack(text: &str) -> Option<RegisterAck> {
    match ServerPacket::decode(text, Dialect::Rich, usize::MAX) {
        Ok(ServerPacket::RegisterAck(ack)) => Some(ack),
        _ => None,
    }
}

impl<R> Session<R> {
    /// The packet that registers, or that resumes what there is to resume.
    pub(super) fn registration(&self, key: String) -> String {
        let mut rich = RichRegister::new();
        rich.history = self.settings.history;
        rich.presence = self.settings.presence;
        rich.resume = self.link.as_ref().map(|link| Resume::new(&link.session, &*link.epoch, link.cursor));
        let mut register = Register::new(self.settings.name.as_str(), key);
        register.rich = Some(rich);
        ClientPacket::Register(register).encode()
    }

    /// Goes on where the last connection broke off, as far as the ack lets it, and tells what is to be known of
    /// that.
    pub(super) fn go_on(&mut self, ack: RegisterAck, now: Duration) -> (Online, [Option<Event>; 2]) {
        match ack.rich {
            Some(ack) => self.go_on_rich(ack, now),
            None => self.go_on_plain(now),
        }
    }

    fn go_on_plain(&mut self, now: Duration) -> (Online, [Option<Event>; 2]) {
        self.outbox.settle_unknown(&mut self.settled);
        self.outbox.forget_numbers(&SendError::NotInPlain, &mut self.settled);
        self.link = None;
        self.throttle = Throttle::default();
        (Online { since: now, rich: None }, [self.gap(GapCause::Plain, None), None])
    }

    fn go_on_rich(&mut self, ack: RichAck, now: Duration) -> (Online, [Option<Event>; 2]) {
        let known = self.link.take().map(|link| {
            let is_same_log = *link.epoch == *ack.epoch && link.cursor <= ack.seq;
            (link, is_same_log)
        });
        let same_log = known.as_ref().filter(|(_, is_same)| *is_same).map(|(link, _)| link);
        let recovered = same_log.is_some() && ack.recovered == Some(true);
        let gap = match (&known, same_log) {
            _ if recovered => None,
            (_, Some(link)) => {
                let missed = ack.after.saturating_sub(link.cursor);
                if missed > 0 { self.gap(GapCause::Forgotten, Some(missed)) } else { None }
            }
            (Some(_), None) => self.gap(GapCause::NewLog, None),
            (None, None) => self.gap(GapCause::Plain, None),
        };
        if !recovered {
            self.outbox.settle_unknown(&mut self.settled);
        }
        if self.was_registered && same_log.is_none() {
            self.outbox.forget_numbers(&SendError::LogChanged, &mut self.settled);
        }
        let cursor = same_log.map_or(ack.after, |link| link.cursor.max(ack.after));
        let history_end = same_log.filter(|_| recovered).map_or(ack.seq, |link| link.history_end);
        let mut rich = Rich {
            recovered,
            packet_bytes: usize::try_from(ack.limits.packet_bytes).unwrap_or(usize::MAX),
            replay_end: ack.seq,
            is_replay: true,
        };
        self.throttle.keep_to(&ack.limits, now);
        rich.reached(cursor, &mut self.outbox);
        self.link = Some(Link { session: ack.session, epoch: ack.epoch.into(), cursor, history_end });
        let roster = ack.clients.map(Event::Roster);
        (Online { since: now, rich: Some(rich) }, [gap, roster])
    }

    /// What is missing, unless this is the first registration.
    fn gap(&self, cause: GapCause, missed: Option<u64>) -> Option<Event> {
        self.was_registered.then_some(Event::Gap(Gap { cause, missed }))
    }

    /// A text message came to a registered client.
    pub(super) fn online_received(&mut self, online: &mut Online, text: &str, now: Duration) {
        let packet = ServerPacket::decode(text, online.dialect(), usize::MAX);
        let Some(rich) = &mut online.rich else {
            if let Ok(ServerPacket::Message(entry)) = packet {
                self.events.push_back(Event::Message(Received { entry, replay: false, own: false }));
            }
            return;
        };
        match packet {
            Ok(ServerPacket::Message(entry)) => {
                if let Some(place) = entry.place {
                    let source = self.is_own(&entry.source_client_name);
                    self.entered(rich, place, source, entry, Event::Message);
                }
            }
            Ok(ServerPacket::Edit(entry)) => {
                let source = self.is_own(&entry.source_client_name);
                self.entered(rich, entry.place, source, entry, Event::Edit);
            }
            Ok(ServerPacket::Delete(entry)) => {
                let source = self.is_own(&entry.source_client_name);
                self.entered(rich, entry.place, source, entry, Event::Delete);
            }
            Ok(ServerPacket::MessageAck(ack)) => {
                self.confirmed(&ack.id, ack.place);
                self.advance(rich, ack.place.seq);
            }
            Ok(ServerPacket::Error(refusal)) => self.refused(refusal, now),
            Ok(ServerPacket::Receipt(receipt)) => self.events.push_back(Event::Receipt(receipt)),
            Ok(ServerPacket::Presence(presence)) => self.events.push_back(Event::Presence(presence)),
            // Of a kind that nobody has defined yet, perhaps: it has its place all the same.
            Ok(_) | Err(_) => {
                if let Some(seq) = entry_seq(text) {
                    self.advance(rich, seq);
                }
            }
        }
    }

    /// A text message came while our close is on its way: it may still be an ack.
    pub(super) fn closing_received(&mut self, text: &str) {
        if let Ok(ServerPacket::MessageAck(ack)) = ServerPacket::decode(text, Dialect::Rich, usize::MAX) {
            self.confirmed(&ack.id, ack.place);
        }
    }

    fn is_own(&self, source_client_name: &str) -> bool {
        source_client_name == self.settings.name.as_str()
    }

    /// An entry of the log came. One that the log was known up to before a gap comes again, and is left out.
    fn entered<T>(
        &mut self,
        rich: &mut Rich,
        place: Place,
        is_own_name: bool,
        entry: T,
        event: fn(Received<T>) -> Event,
    ) {
        let Some(link) = &self.link else { return };
        if place.seq > link.cursor {
            let own = is_own_name && place.seq <= link.history_end;
            let replay = place.seq <= rich.replay_end;
            self.events.push_back(event(Received { entry, replay, own }));
            self.advance(rich, place.seq);
        }
    }

    fn advance(&mut self, rich: &mut Rich, seq: u64) {
        if let Some(link) = &mut self.link {
            link.cursor = link.cursor.max(seq);
            rich.reached(link.cursor, &mut self.outbox);
        }
    }

    fn confirmed(&mut self, id: &str, place: Place) {
        if let Some(item) = self.outbox.take_answered(id) {
            self.throttle.accepted();
            let logged = Confirmation::Logged { seq: place.seq, time: place.time };
            self.outbox.settle(item, Ok(logged), &mut self.settled);
        }
    }

    fn refused(&mut self, refusal: Refusal, now: Duration) {
        let is_rate = refusal.code == ErrorCode::RateLimited;
        if is_rate {
            self.throttle.refused(now);
        }
        let item = refusal.id.as_deref().and_then(|id| self.outbox.take_answered(id));
        let Some(mut item) = item else {
            // It may have been the status, whose last word counts: saying it once more does no harm.
            self.is_status_due |= is_rate && refusal.id.is_none() && self.status.is_some();
            self.events.push_back(Event::Refused(refusal));
            return;
        };
        let is_void_reply = refusal.code == ErrorCode::UnknownTarget && item.forget_reply();
        if is_rate || is_void_reply {
            self.outbox.put_back(item);
        } else {
            let error = SendError::Refused { code: refusal.code, reason: refusal.reason };
            self.outbox.settle(item, Err((error, Fate::NotSent)), &mut self.settled);
        }
    }
}
