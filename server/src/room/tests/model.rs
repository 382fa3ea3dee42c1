//! Rooms with many clients, under random schedules, with a ledger of what each of them must have been told.

use std::{
    sync::{Arc, atomic::Ordering},
    task::Waker,
    time::Duration,
};

use multichat::protocol::{
    ClientDelete, ClientEdit, ClientMessage, ClientReceipt, Dialect, ReceiptStatus, Resume, RichRegister,
    Sender,
};
use proptest::prelude::*;
use tokio::{runtime::Builder, task::yield_now, time::Instant};

use super::{
    drafts::with,
    ledger::{Ledger, Outcome, Said},
    listener::Joined,
    party::{Party, Seat},
};
use crate::room::{Authority, Cut, Draft, LogBounds, Refused, Room, RoomBounds, Seq, SessionBounds};

const EPOCH: &str = "epoch";
const RETENTION: Duration = Duration::from_secs(100);

pub(in crate::room) fn room(entries: usize, bytes: usize, shards: usize) -> Arc<Room> {
    let bounds = RoomBounds {
        log: LogBounds { entries, bytes },
        sessions: SessionBounds { retention: RETENTION, detached: 1000 },
    };
    Arc::new(Room::new(bounds, EPOCH.to_owned(), shards))
}

/// Where a client says that it left off.
#[derive(Clone, Copy, Debug)]
pub(super) enum Whence {
    Right,
    OtherEpoch,
    OtherSession,
    Future(Seq),
}

/// What name is given to what is said.
#[derive(Clone, Copy, Debug)]
pub(super) enum Naming {
    None,
    New,
    /// One that had been given before.
    Again(usize),
    /// A new one, but the packet never arrives.
    Lost,
}

/// What kind of thing is said, and how far back what it points to is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Aim {
    Nothing,
    Reply(Seq),
    Edit(Seq),
    Delete(Seq),
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    /// One comes; who speaks the rich dialect with so many entries of history.
    Join(Option<u64>),
    /// One's connection ends. So many of the last frames never arrive.
    Leave(usize, usize),
    /// One comes back, or comes on a second connection.
    Resume(usize, Whence, u64),
    Publish(usize, Aim, Naming),
    /// One sends again what it has no ack for, if it may.
    Resend(usize),
    /// An older connection says once more what is on its way anyway, and ends.
    Ghost(usize),
    /// One tells what became of a message.
    Report(usize, Seq),
    Block(usize),
    Unblock(usize),
    /// So many turns for the fan-out's tasks.
    Turns(usize),
    /// The connection's own task has a turn.
    CatchUp(usize),
    /// So many seconds pass.
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let pick = any::<usize>;
    let whence = prop_oneof![
        8 => Just(Whence::Right),
        1 => Just(Whence::OtherEpoch),
        1 => Just(Whence::OtherSession),
        1 => (1_u64..4).prop_map(Whence::Future),
    ];
    let aim = prop_oneof![
        6 => Just(Aim::Nothing),
        2 => (0_u64..12).prop_map(Aim::Reply),
        2 => (0_u64..12).prop_map(Aim::Edit),
        2 => (0_u64..12).prop_map(Aim::Delete),
    ];
    let naming = prop_oneof![
        2 => Just(Naming::None),
        3 => Just(Naming::New),
        1 => pick().prop_map(Naming::Again),
        1 => Just(Naming::Lost),
    ];
    prop_oneof![
        1 => prop::option::of(0_u64..12).prop_map(Step::Join),
        2 => (pick(), 0_usize..6).prop_map(|(who, lost)| Step::Leave(who, lost)),
        4 => (pick(), whence, 0_u64..12).prop_map(|(who, whence, history)| Step::Resume(who, whence, history)),
        12 => (pick(), aim, naming).prop_map(|(who, aim, naming)| Step::Publish(who, aim, naming)),
        3 => pick().prop_map(Step::Resend),
        1 => pick().prop_map(Step::Ghost),
        1 => (pick(), 0_u64..12).prop_map(|(who, back)| Step::Report(who, back)),
        1 => pick().prop_map(Step::Block),
        1 => pick().prop_map(Step::Unblock),
        4 => (1_usize..6).prop_map(Step::Turns),
        4 => pick().prop_map(Step::CatchUp),
        1 => (0_u64..60).prop_map(Step::Wait),
    ]
}

/// A room, its clients, and everything that was ever said there.
pub(super) struct Model {
    pub(super) room: Arc<Room>,
    pub(super) parties: Vec<Party>,
    /// Older connections of clients that came on another one.
    ghosts: Vec<(usize, Seat)>,
    ledger: Ledger,
    connections: u64,
    now: Instant,
}

impl Model {
    pub(super) fn new(entries: usize, shards: usize) -> Self {
        let room = room(entries, 1 << 20, shards);
        for shard in 0..shards {
            tokio::spawn(room.clone().fan_out(shard));
        }
        let ledger = Ledger::new(entries);
        Self { room, parties: Vec::new(), ghosts: Vec::new(), ledger, connections: 0, now: Instant::now() }
    }

    /// One of those for whom this is so.
    fn pick(&self, pick: usize, is_so: impl Fn(&Party) -> bool) -> Option<usize> {
        let those = (0..self.parties.len()).filter(|index| is_so(&self.parties[*index])).collect::<Vec<_>>();
        Some(those[pick.checked_rem(those.len())?])
    }

    fn pick_present(&self, pick: usize) -> Option<usize> {
        self.pick(pick, |party| party.here.is_some())
    }

    pub(super) fn seat(&self, party: usize) -> &Seat {
        self.parties[party].here.as_ref().unwrap()
    }

    pub(super) async fn take(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Join(history) => {
                let party = Party::new(format!("c{}", self.parties.len()));
                self.parties.push(party);
                let ask = history.map(|history| with(RichRegister::new(), |ask| ask.history = history));
                self.join(self.parties.len() - 1, ask)?;
            }
            Step::Leave(pick, lost) => {
                if let Some(index) = self.pick_present(pick)
                    && let Some(seat) = self.parties[index].lose(lost, &self.ledger)?
                {
                    self.end(&seat);
                    self.parties[index].gone_at = Some(self.now);
                }
            }
            Step::Resume(pick, whence, history) => {
                let index = self.pick(pick, |party| party.session.is_some());
                if let Some(index) = index {
                    self.resume(index, whence, history)?;
                }
            }
            Step::Publish(pick, aim, naming) => self.say(pick, aim, naming).await,
            Step::Resend(pick) => self.resend(pick).await?,
            Step::Ghost(pick) => self.haunt(pick).await?,
            Step::Report(pick, back) => self.report(pick, back)?,
            Step::Block(pick) => {
                if let Some(index) = self.pick_present(pick)
                    && let Some(seat) = &mut self.parties[index].here
                {
                    seat.is_excusable = true;
                    seat.joined.listener.state.lock().is_blocked = true;
                }
            }
            Step::Unblock(pick) => {
                if let Some(index) = self.pick_present(pick) {
                    self.unblock(index);
                }
            }
            Step::Turns(turns) => {
                for _ in 0..turns {
                    yield_now().await;
                }
            }
            Step::CatchUp(pick) => {
                if let Some(index) = self.pick_present(pick) {
                    self.parties[index].catch_up(&self.room);
                }
            }
            Step::Wait(seconds) => self.now += Duration::from_secs(seconds),
        }
        Ok(())
    }

    fn unblock(&self, index: usize) {
        use crate::room::Reader as _;
        let listener = &self.seat(index).joined.listener;
        listener.state.lock().is_blocked = false;
        listener.wake();
    }

    fn end(&self, seat: &Seat) {
        self.room.leave(&seat.joined.member, self.now);
        // As a connection: nothing is taken any more.
        seat.joined.listener.state.lock().has_overrun = true;
    }

    fn join(&mut self, index: usize, ask: Option<RichRegister>) -> Result<(), TestCaseError> {
        self.connections += 1;
        let history = ask.as_ref().map_or(0, |ask| ask.history);
        let party = &mut self.parties[index];
        let seat = Seat::new(Joined::new(&self.room, self.connections, &party.client, ask, self.now));
        let newest = self.ledger.newest();
        if let Some(welcome) = &seat.joined.welcome {
            prop_assert_eq!((welcome.replay_end, &*welcome.epoch), (newest, EPOCH));
        }
        let is_recovered =
            seat.joined.welcome.as_ref().is_some_and(|welcome| welcome.recovered == Some(true));
        if !is_recovered {
            let tail = self.ledger.tail();
            // Of a log that lets go of entries, the very oldest are not begun with.
            let oldest = if tail == 0 { 0 } else { tail + (newest - tail) / 8 };
            prop_assert_eq!(seat.joined.from, newest.saturating_sub(history).max(oldest));
        }
        party.arrive(seat);
        Ok(())
    }

    fn resume(&mut self, index: usize, whence: Whence, history: u64) -> Result<(), TestCaseError> {
        let party = &mut self.parties[index];
        let replaced = party.lose(0, &self.ledger)?;
        let session = party.session.clone().unwrap();
        let is_known = replaced.is_some() || party.gone_at.is_none_or(|at| self.now < at + RETENTION);
        let cursor = party.cursor;
        let (session_asked, epoch, seq) = match whence {
            Whence::Right => (&*session, EPOCH, cursor),
            Whence::OtherEpoch => (&*session, "another", cursor),
            Whence::OtherSession => ("another", EPOCH, cursor),
            Whence::Future(beyond) => (&*session, EPOCH, self.ledger.newest() + beyond),
        };
        let must_be_known = is_known && !matches!(whence, Whence::OtherSession);
        let must_recover = is_known
            && matches!(whence, Whence::Right)
            && (self.ledger.tail()..=self.ledger.newest()).contains(&cursor);
        let ask = with(RichRegister::new(), |ask| {
            ask.history = history;
            ask.resume = Some(Resume::new(session_asked, epoch, seq));
        });
        let mailbox = replaced.as_ref().map(|seat| seat.joined.listener.mailbox.clone());
        if let Some(seat) = replaced {
            self.ghosts.push((index, seat));
        }
        self.join(index, Some(ask))?;
        let seat = self.seat(index);
        let welcome = seat.joined.welcome.as_ref().unwrap();
        prop_assert_eq!(welcome.recovered, Some(must_recover), "{:?} from {}", whence, cursor);
        prop_assert_eq!(welcome.session == session, must_be_known);
        if must_recover {
            prop_assert_eq!(seat.joined.from, cursor);
        }
        if let Some(mailbox) = mailbox {
            prop_assert_eq!(mailbox.must_go(), must_be_known.then_some(Cut::Replaced));
        }
        self.parties[index].gone_at = None;
        Ok(())
    }

    /// One that is there says something.
    async fn say(&mut self, pick: usize, aim: Aim, naming: Naming) {
        let Some(index) = self.pick_present(pick) else { return };
        let at = |back: Seq| (self.ledger.newest() + 2).saturating_sub(back);
        let is_rich = self.seat(index).viewpoint().dialect == Dialect::Rich;
        let said = match aim {
            _ if !is_rich => Said::Message { sender: None, reply_to: None },
            Aim::Nothing => {
                Said::Message { sender: pick.is_multiple_of(3).then_some("alice"), reply_to: None }
            }
            Aim::Reply(back) => Said::Message { sender: Some("bob"), reply_to: Some(at(back)) },
            Aim::Edit(back) => Said::Edit(at(back)),
            Aim::Delete(back) => Said::Delete(at(back)),
        };
        let party = &mut self.parties[index];
        let id = match naming {
            _ if !is_rich => None,
            Naming::None => None,
            Naming::Again(which) => which.checked_rem(party.ids).map(|which| format!("id{which}")),
            Naming::New | Naming::Lost => {
                party.ids += 1;
                Some(format!("id{}", party.ids - 1))
            }
        };
        if let (Some(id), Naming::New | Naming::Lost) = (&id, naming) {
            party.unacked.insert(id.clone(), said);
        }
        if is_rich && matches!(naming, Naming::Lost) {
            return;
        }
        self.publish(index, id.as_deref(), said).await;
    }

    /// One that is there sends something, and it arrives.
    async fn publish(&mut self, index: usize, id: Option<&str>, said: Said) {
        let Some(mut seat) = self.parties[index].here.take() else { return };
        let client = self.parties[index].client.clone();
        let outcome = self.publish_on(&seat, &client, id, said).await;
        let id = id.map(String::from);
        match outcome {
            Outcome::Entered => {}
            Outcome::Repeated(place) => {
                seat.answers.push(format!("ack {} {} {}", id.as_deref().unwrap(), place.seq, place.time));
            }
            Outcome::Refused(code) => {
                seat.answers.push(format!("{code} {id:?}"));
                // It knows by then that this was not entered.
                if let Some(id) = &id {
                    self.parties[index].unacked.remove(id);
                }
            }
        }
        seat.sent.extend(id);
        self.parties[index].here = Some(seat);
    }

    async fn publish_on(&mut self, seat: &Seat, client: &str, id: Option<&str>, said: Said) -> Outcome {
        while self.room.is_congested(Waker::noop()) {
            yield_now().await;
        }
        let author = &seat.joined.member.author;
        let named = id.map(String::from);
        let draft = match said {
            _ if seat.viewpoint().dialect == Dialect::Plain => Draft::plain(author, Said::CONTENT.into()),
            Said::Message { sender, reply_to } => Draft::message(
                author,
                with(ClientMessage::new(Said::CONTENT), |message| {
                    message.id = named;
                    message.sender = sender.map(Sender::new);
                    message.reply_to = reply_to;
                }),
            ),
            Said::Edit(target) => Draft::edit(
                author,
                Authority::Session,
                with(ClientEdit::new(target, Said::CONTENT), |edit| edit.id = named),
            ),
            Said::Delete(target) => Draft::delete(
                author,
                Authority::Session,
                with(ClientDelete::new(target), |delete| delete.id = named),
            ),
        };
        let outcome = self.ledger.predict(author.origin, id, said);
        self.room.publish(draft, &seat.joined.listener.mailbox);
        if outcome == Outcome::Entered {
            let mut newest = Vec::new();
            self.room.log.lock().read(self.ledger.newest(), 0, &mut newest).unwrap();
            self.ledger.enter(author.origin, client, id, said, newest[0].place);
        }
        assert_eq!(self.room.newest(), self.ledger.newest());
        outcome
    }

    /// One that came back sends again what it has no ack for.
    async fn resend(&mut self, pick: usize) -> Result<(), TestCaseError> {
        let Some(index) = self.pick_present(pick) else { return Ok(()) };
        if !self.parties[index].has_replay(&self.ledger) {
            return Ok(());
        }
        let unacked = self.parties[index].unacked.clone();
        for (id, said) in unacked {
            if self.seat(index).sent.contains(&id) || !self.parties[index].has_replay(&self.ledger) {
                continue;
            }
            let origin = self.seat(index).viewpoint().origin;
            prop_assert!(!self.ledger.has_forgotten(origin, &id), "{} would be entered twice", id);
            self.publish(index, Some(&id), said).await;
        }
        Ok(())
    }

    /// What was on its way on an older connection arrives, and the connection ends.
    async fn haunt(&mut self, pick: usize) -> Result<(), TestCaseError> {
        let Some(which) = pick.checked_rem(self.ghosts.len()) else { return Ok(()) };
        let (index, seat) = self.ghosts.swap_remove(which);
        let party = &self.parties[index];
        let is_same = party.session == seat.joined.welcome.as_ref().map(|welcome| welcome.session.clone());
        let unacked = party.unacked.first_key_value().map(|(id, said)| (id.clone(), *said));
        if let Some((id, said)) = unacked.filter(|_| is_same) {
            let client = party.client.clone();
            self.publish_on(&seat, &client, Some(&id), said).await;
        }
        seat.joined.catch_up(&self.room);
        // Its mailbox may hold something by now; its log does as every reader's.
        let state = seat.joined.listener.state.lock();
        let due = self.ledger.due(seat.viewpoint(), seat.joined.from, state.cursor);
        prop_assert_eq!(String::from_utf8_lossy(&state.heard), String::from_utf8_lossy(&due));
        drop(state);
        self.end(&seat);
        Ok(())
    }

    fn report(&mut self, pick: usize, back: Seq) -> Result<(), TestCaseError> {
        let Some(index) = self.pick_present(pick) else { return Ok(()) };
        let target = self.ledger.newest().saturating_sub(back);
        let reporter = self.seat(index).joined.member.author.clone();
        let outcome = self.room.report(&reporter, ClientReceipt::new(target, ReceiptStatus::Delivered));
        let Some((author, has_ack)) = self.ledger.author_of(target) else {
            prop_assert_eq!(outcome, Err(Refused::UnknownTarget));
            return Ok(());
        };
        prop_assert_eq!(outcome, Ok(()));
        let seats = self.parties.iter_mut().filter_map(|party| party.here.as_mut());
        let mut seats = seats.filter(|seat| seat.viewpoint().dialect == Dialect::Rich);
        if let Some(seat) = seats.find(|seat| has_ack && seat.viewpoint().origin == author) {
            seat.answers.push(format!("receipt {target}"));
        }
        Ok(())
    }

    /// Lets everybody take what there is.
    pub(super) async fn settle(&mut self) {
        for index in 0..self.parties.len() {
            if self.parties[index].here.is_some() {
                self.unblock(index);
            }
        }
        for _ in 0..20 {
            for _ in 0..20 {
                yield_now().await;
            }
            self.parties.iter().for_each(|party| party.catch_up(&self.room));
        }
    }

    /// Compares what each client was told with what it must have been told.
    fn check(&mut self) -> Result<(), TestCaseError> {
        for index in 0..self.parties.len() {
            let party = &mut self.parties[index];
            if let Some(seat) = &party.here {
                seat.check_settled(&self.ledger)?;
            }
            if let Some(seat) = party.lose(0, &self.ledger)? {
                self.end(&seat);
            }
        }
        while let Some((_, seat)) = self.ghosts.pop() {
            self.end(&seat);
        }
        let readers = [&self.room.plain_readers, &self.room.rich_readers];
        prop_assert!(readers.iter().all(|readers| readers.load(Ordering::Relaxed) == 0));
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
            for step in [Step::Join(None), Step::Join(Some(0)), Step::Join(Some(0))].into_iter().chain(steps) {
                model.take(step).await?;
            }
            model.settle().await;
            model.check()
        })?;
    }
}
