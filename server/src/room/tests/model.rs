//! Rooms with many readers, under random schedules, with a ledger of what each reader must have got.

use std::{sync::Arc, task::Waker};

use multichat::protocol::{ForwardingMessage, ServerPacket};
use proptest::prelude::*;
use tokio::{runtime::Builder, task::yield_now};

use super::listener::Listener;
use crate::{
    frame,
    room::{LogBounds, Origin, Room, Seq},
};

/// What is known of one reader's membership.
pub(super) struct Membership {
    pub(super) listener: Arc<Listener>,
    joined_at: Seq,
    /// Up to where it must have got everything.
    left_at: Option<Seq>,
    /// Whether it ever was blocked.
    is_excusable: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    Join,
    Leave(usize),
    Publish(usize),
    Block(usize),
    Unblock(usize),
    /// So many turns for the fan-out's tasks.
    Turns(usize),
    /// The connection's own task has a turn.
    CatchUp(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => Just(Step::Join),
        1 => any::<usize>().prop_map(Step::Leave),
        6 => any::<usize>().prop_map(Step::Publish),
        1 => any::<usize>().prop_map(Step::Block),
        1 => any::<usize>().prop_map(Step::Unblock),
        3 => (1_usize..6).prop_map(Step::Turns),
        2 => any::<usize>().prop_map(Step::CatchUp),
    ]
}

/// A room, those in it, and everything that was ever said there.
pub(super) struct Model {
    pub(super) room: Arc<Room>,
    pub(super) members: Vec<Membership>,
    said: Vec<(Origin, Vec<u8>)>,
}

impl Model {
    pub(super) fn new(entries: usize, shards: usize) -> Self {
        let room = Arc::new(Room::new(LogBounds { entries, bytes: 1 << 20 }, shards));
        for shard in 0..shards {
            tokio::spawn(room.clone().fan_out(shard));
        }
        Self { room, members: Vec::new(), said: Vec::new() }
    }

    fn pick(&mut self, index: usize) -> Option<&mut Membership> {
        let present = self.members.iter_mut().filter(|member| member.left_at.is_none());
        let mut present = present.collect::<Vec<_>>();
        let index = index.checked_rem(present.len())?;
        Some(present.swap_remove(index))
    }

    pub(super) async fn take(&mut self, step: Step) {
        let room = self.room.clone();
        match step {
            Step::Join => {
                let origin = Origin(self.members.len() as u64);
                let listener = Listener::join(&room, origin);
                let joined_at = listener.state.lock().cursor;
                assert_eq!(joined_at, self.said.len() as Seq);
                self.members.push(Membership { listener, joined_at, left_at: None, is_excusable: false });
            }
            Step::Leave(index) => {
                if let Some(member) = self.pick(index) {
                    room.leave(member.listener.origin);
                    let mut state = member.listener.state.lock();
                    // As a connection: nothing is taken any more.
                    member.left_at = Some(state.cursor);
                    state.has_overrun = true;
                }
            }
            Step::Publish(index) => {
                let Some(origin) = self.pick(index).map(|member| member.listener.origin) else { return };
                while room.is_congested(Waker::noop()) {
                    yield_now().await;
                }
                let text = format!("{}", self.said.len());
                room.publish(origin, "x", &text);
                let packet = ServerPacket::Message(ForwardingMessage::new("x", text)).encode();
                self.said.push((origin, frame::text(&packet).to_vec()));
            }
            Step::Block(index) => {
                if let Some(member) = self.pick(index) {
                    member.is_excusable = true;
                    member.listener.state.lock().is_blocked = true;
                }
            }
            Step::Unblock(index) => {
                if let Some(member) = self.pick(index) {
                    let mut state = member.listener.state.lock();
                    state.is_blocked = false;
                    state.is_woken = true;
                }
            }
            Step::Turns(turns) => {
                for _ in 0..turns {
                    yield_now().await;
                }
            }
            Step::CatchUp(index) => {
                if let Some(member) = self.pick(index) {
                    member.listener.state.lock().catch_up(&room, member.listener.origin);
                }
            }
        }
    }

    /// Lets everybody take what there is.
    pub(super) async fn settle(&mut self) {
        for round in 0..20 {
            for _ in 0..20 {
                yield_now().await;
            }
            for member in self.members.iter().filter(|member| member.left_at.is_none()) {
                let mut state = member.listener.state.lock();
                if std::mem::take(&mut state.is_blocked) {
                    assert_eq!(round, 0);
                    state.is_woken = true;
                }
                state.catch_up(&self.room, member.listener.origin);
            }
        }
    }

    /// Compares what each reader got with what it must have got.
    fn check(&self) -> Result<(), TestCaseError> {
        for member in &self.members {
            let state = member.listener.state.lock();
            let origin = member.listener.origin;
            let [from, to] = [member.joined_at, member.left_at.unwrap_or(state.cursor)]
                .map(|place| usize::try_from(place).unwrap());
            let due = self.said[from..to].iter().filter(|(of, _)| *of != origin);
            let due = due.flat_map(|(_, frame)| frame.clone()).collect::<Vec<_>>();
            prop_assert_eq!(
                String::from_utf8_lossy(&state.heard),
                String::from_utf8_lossy(&due),
                "{:?} from {} to {}",
                origin,
                from,
                to
            );
            if member.left_at.is_none() && !state.has_overrun {
                prop_assert_eq!(state.cursor, self.said.len() as Seq, "{:?} has not got everything", origin);
            }
            if member.left_at.is_none() && state.has_overrun {
                prop_assert!(member.is_excusable, "{:?} never was blocked", origin);
            }
        }
        Ok(())
    }
}

proptest! {
    #[test]
    fn every_reader_gets_everything_in_order_exactly_once_or_is_told_that_it_can_not(
        steps in prop::collection::vec(step(), 0..200),
        entries in 4_usize..40,
        shards in 1_usize..4,
    ) {
        let runtime = Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut model = Model::new(entries, shards);
            for step in [Step::Join, Step::Join, Step::Join].into_iter().chain(steps) {
                model.take(step).await;
            }
            model.settle().await;
            model.check()
        })?;
    }
}
