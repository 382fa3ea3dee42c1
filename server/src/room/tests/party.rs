//! A client in the model of a room: what it knows, over all of its connections.

use std::collections::{BTreeMap, BTreeSet};

use multichat::protocol::{Dialect, ServerPacket};
use proptest::prelude::*;
use tokio::time::Instant;

use super::{
    ledger::{Ledger, Said},
    listener::{Joined, frames},
};
use crate::{
    frame,
    room::{Room, Seq, Viewpoint},
};

/// A client.
pub(super) struct Party {
    pub(super) client: String,
    pub(super) session: Option<String>,
    pub(super) here: Option<Seat>,
    /// When its last connection ended.
    pub(super) gone_at: Option<Instant>,
    /// What it would resume with.
    pub(super) cursor: Seq,
    /// What it was told since there was a gap, over all connections since then.
    story: Vec<u8>,
    story_from: Seq,
    /// What it sent and has no ack for.
    pub(super) unacked: BTreeMap<String, Said>,
    pub(super) ids: usize,
}

/// A place in the room.
pub(super) struct Seat {
    pub(super) joined: Joined,
    /// Whether it may have been overtaken by the log.
    pub(super) is_excusable: bool,
    /// What was sent on this connection.
    pub(super) sent: BTreeSet<String>,
    /// What must come beside the log, as words.
    pub(super) answers: Vec<String>,
    /// So many frames have arrived for certain.
    arrived: usize,
}

impl Seat {
    pub(super) fn new(joined: Joined) -> Self {
        let newest = joined.welcome.as_ref().map_or(joined.from, |welcome| welcome.replay_end);
        Self {
            is_excusable: joined.from < newest,
            joined,
            sent: BTreeSet::new(),
            answers: Vec::new(),
            arrived: 0,
        }
    }

    pub(super) fn viewpoint(&self) -> Viewpoint {
        self.joined.member.viewpoint
    }

    /// What came from the log must be what was due up to the cursor, and from the mailbox what was to be answered.
    pub(super) fn check(&self, ledger: &Ledger) -> Result<(), TestCaseError> {
        let state = self.joined.listener.state.lock();
        let due = ledger.due(self.viewpoint(), self.joined.from, state.cursor);
        prop_assert_eq!(String::from_utf8_lossy(&state.heard), String::from_utf8_lossy(&due));
        let noticed = state.noticed.iter().map(|(cursor, packet)| words(packet, *cursor)).collect::<Vec<_>>();
        prop_assert!(self.answers.starts_with(&noticed), "{:?} of {:?}", noticed, self.answers);
        Ok(())
    }

    /// The same once everything has come that can.
    pub(super) fn check_settled(&self, ledger: &Ledger) -> Result<(), TestCaseError> {
        self.check(ledger)?;
        let state = self.joined.listener.state.lock();
        if state.has_overrun {
            prop_assert!(self.is_excusable, "never was blocked");
            return Ok(());
        }
        prop_assert_eq!(state.cursor, ledger.newest(), "has not got everything");
        prop_assert_eq!(state.noticed.len(), self.answers.len(), "has not got all of {:?}", self.answers);
        Ok(())
    }
}

/// An answer as words. An ack must come when its place has been passed.
pub(super) fn words(packet: &ServerPacket, cursor: Seq) -> String {
    match packet {
        ServerPacket::MessageAck(ack) if ack.place.seq > cursor => format!("ack of {} too early", ack.id),
        ServerPacket::MessageAck(ack) => format!("ack {} {} {}", ack.id, ack.place.seq, ack.place.time),
        ServerPacket::Error(refusal) => format!("{} {:?}", refusal.code, refusal.id),
        ServerPacket::Receipt(receipt) if receipt.target > cursor => "a receipt too early".to_owned(),
        ServerPacket::Receipt(receipt) => format!("receipt {}", receipt.target),
        other => format!("{other:?}"),
    }
}

impl Party {
    pub(super) fn new(client: String) -> Self {
        Self {
            client,
            session: None,
            here: None,
            gone_at: None,
            cursor: 0,
            story: Vec::new(),
            story_from: 0,
            unacked: BTreeMap::new(),
            ids: 0,
        }
    }

    /// It has a connection. What it was told before goes on, or there is a gap.
    pub(super) fn arrive(&mut self, seat: Seat) {
        let from = seat.joined.from;
        let welcome = seat.joined.welcome.as_ref();
        self.session = welcome.map(|welcome| welcome.session.clone());
        if welcome.is_none_or(|welcome| welcome.recovered != Some(true)) {
            self.story.clear();
            self.story_from = from;
            self.unacked.clear();
        }
        self.cursor = from;
        self.here = Some(seat);
    }

    /// Its connection ends, and the last of what it was told never arrives.
    pub(super) fn lose(&mut self, lost: usize, ledger: &Ledger) -> Result<Option<Seat>, TestCaseError> {
        let Some(seat) = self.here.take() else { return Ok(None) };
        seat.check(ledger)?;
        let heard = seat.joined.listener.state.lock().heard.clone();
        let frames = frames(&heard);
        let kept = &frames[..frames.len().saturating_sub(lost).max(seat.arrived)];
        self.learn(kept);
        self.story.extend(kept.concat());
        if seat.joined.member.viewpoint.dialect == Dialect::Rich {
            let due = ledger.due(seat.viewpoint(), self.story_from, self.cursor);
            prop_assert_eq!(
                String::from_utf8_lossy(&self.story),
                String::from_utf8_lossy(&due),
                "{} over all of its connections",
                self.client
            );
        }
        Ok(Some(seat))
    }

    /// What a client gathers from what it is told.
    fn learn(&mut self, frames: &[&[u8]]) {
        for frame in frames {
            let place = match ServerPacket::decode(frame::payload(frame), Dialect::Rich, 1 << 20) {
                Ok(ServerPacket::Message(message)) => message.place,
                Ok(ServerPacket::Edit(edit)) => Some(edit.place),
                Ok(ServerPacket::Delete(delete)) => Some(delete.place),
                Ok(ServerPacket::MessageAck(ack)) => {
                    self.unacked.remove(&ack.id);
                    Some(ack.place)
                }
                _ => None,
            };
            self.cursor = place.map_or(self.cursor, |place| self.cursor.max(place.seq));
        }
    }

    /// Whether it has been told all that was said until it came, and knows what became of what it sent. If so, that
    /// is learnt.
    pub(super) fn has_replay(&mut self, ledger: &Ledger) -> bool {
        let Some(seat) = &mut self.here else { return false };
        let Some(welcome) = &seat.joined.welcome else { return false };
        let state = seat.joined.listener.state.lock();
        if welcome.recovered != Some(true)
            || state.has_overrun
            || state.cursor < welcome.replay_end.max(ledger.tail())
        {
            return false;
        }
        let heard = state.heard.clone();
        drop(state);
        let frames = frames(&heard);
        seat.arrived = frames.len();
        self.learn(&frames);
        true
    }

    /// The connection's own task has a turn.
    pub(super) fn catch_up(&self, room: &Room) {
        if let Some(seat) = &self.here {
            seat.joined.catch_up(room);
        }
    }
}
