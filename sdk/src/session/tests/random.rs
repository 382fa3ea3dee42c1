//! Schedules that nobody thought of, with a ledger: nothing is lost silently and nothing doubled.

use std::collections::{HashMap, VecDeque};

use super::bed::{Bed, Outcome, millis, seconds};
use super::model::{Router, acked_seq, registration};
use super::test;
use crate::protocol::{ClientEdit, ClientMessage, ClientPacket, RegisterAck};
use crate::session::{
    Confirmation, ConnectError, Event, Fate, Gap, GapCause, SendError, State, Want, WhenFull,
};

/// How many schedules are tried, and how long each of them is.
const SCHEDULES: u64 = 400;
const STEPS: u32 = 400;

/// A client, a router, and the account of what became of everything.
struct Run {
    bed: Bed,
    router: Router,
    random: fastrand::Rng,
    history: u64,
    /// What was sent with each ticket, and what became of it.
    contents: HashMap<u64, String>,
    outcomes: HashMap<u64, Outcome>,
    /// What the acks of registrations said that the client read, and has not told of.
    registrations: VecDeque<RegisterAck>,
    /// The epoch and the entry up to which the client has told of the log.
    told: Option<(usize, u64)>,
    /// Whether a registration is to be followed by a gap.
    news: Vec<Event>,
    others: u64,
    is_plain: bool,
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let history = if random.bool() { 0 } else { random.u64(1..9) };
        let bed = Bed::seeded(seed, |settings| {
            settings.history = history;
            settings.outbox.messages = random.usize(3..40);
            if random.bool() {
                settings.outbox.when_full = WhenFull::DropOldest;
            }
            if random.bool() {
                settings.silence = Some(seconds(60));
            }
        });
        Self {
            bed,
            router: Router::new(),
            random,
            history,
            contents: HashMap::new(),
            outcomes: HashMap::new(),
            registrations: VecDeque::new(),
            told: None,
            news: Vec::new(),
            others: 0,
            is_plain: false,
        }
    }

    fn chance(&mut self, one_in: u32) -> bool {
        self.random.u32(0..one_in) == 0
    }

    /// What the client wants of its line, it gets or does not get.
    fn line(&mut self) {
        self.hang_up();
        match self.bed.session.want() {
            Want::Connect(_) => match self.random.u32(0..5) {
                0 => {}
                1 => self.bed.fail(ConnectError::Unreachable { reason: "random".to_owned() }),
                _ => self.bed.session.opened("secret".to_owned(), self.bed.now),
            },
            Want::Close(_) if self.chance(3) => self.lose(Some(1000)),
            _ => {}
        }
        self.write();
        self.take_stock();
    }

    /// What the client has no use for any more is gone.
    fn hang_up(&mut self) {
        if !matches!(self.bed.session.want(), Want::Talk(_) | Want::Close(_)) {
            self.router.drop_line();
        }
    }

    fn write(&mut self) {
        if let Want::Talk(_) = self.bed.session.want() {
            let count = self.random.usize(1..20);
            for _ in 0..count {
                let Some(packet) = self.bed.session.pull(self.bed.now) else { break };
                self.router.inward.push_back(packet);
            }
            if self.random.bool() {
                self.bed.flush();
            }
        }
        let _ = self.bed.session.wants_ping(self.bed.now);
    }

    /// The connection breaks; some of what is on its way still arrives, on either side.
    fn lose(&mut self, code: Option<u16>) {
        if matches!(self.bed.session.want(), Want::Talk(_) | Want::Close(_)) {
            let (inward, outward) = (self.random.usize(0..9), self.random.usize(0..9));
            self.carry(inward, outward);
            self.router.drop_line();
            self.bed.end(code);
        }
        self.take_stock();
    }

    /// Carries so many packets to the router and to the client.
    fn carry(&mut self, inward: usize, outward: usize) {
        for _ in 0..inward {
            let fate = self.random.u32(0..60);
            self.router.read(self.bed.now, self.history, fate);
        }
        self.router.tell();
        for _ in 0..outward {
            let Some(text) = self.router.outward.pop_front() else { break };
            let is_talking = matches!(self.bed.session.want(), Want::Talk(_));
            self.registrations.extend(registration(&text).filter(|_| is_talking));
            self.bed.read(&text);
            self.take_stock();
            if let (Some(seq), Some((epoch, told)), true) = (acked_seq(&text), self.told, is_talking) {
                assert_eq!(self.left_out(epoch, told, seq), 0, "left out before the ack of {seq}");
                self.told = Some((epoch, told.max(seq)));
            }
        }
    }

    /// Something happens.
    fn step(&mut self) {
        match self.random.u32(0..24) {
            0..=5 => self.send(),
            6..=8 => self.speak(),
            9..=14 => {
                let (inward, outward) = (self.random.usize(0..6), self.random.usize(0..6));
                self.carry(inward, outward);
            }
            15..=17 => {
                let longest = if self.chance(20) { 60_000 } else { 1500 };
                let time = millis(self.random.u64(0..longest));
                self.bed.pass(time);
            }
            18 => {
                let codes = [None, None, None, Some(1001), Some(1006), Some(1009), Some(4513), Some(4529)];
                let code = codes[self.random.usize(0..codes.len())];
                // Before the ack, it would be the end.
                let is_online = matches!(self.bed.session.state(), State::Online { .. });
                let code = code.filter(|code| *code != 1009 || is_online);
                self.lose(code);
            }
            19 => match self.random.u32(0..6) {
                0 => {
                    let is_plain = self.chance(4);
                    self.lose(Some(1001));
                    self.router.restart(is_plain);
                }
                1 => self.router.forget_sessions(),
                2 => {
                    let but = self.random.u64(0..9);
                    self.router.forget_entries(but);
                }
                _ => {}
            },
            20 => {
                let choice = self.random.u64(..);
                self.router.repeat(choice);
            }
            21 => {
                let burst = if self.random.bool() { Some(self.random.u64(1..5)) } else { None };
                self.router.limit(burst);
            }
            22 => {
                let is_stalled = self.chance(3);
                self.router.stall(is_stalled);
            }
            _ if self.random.bool() => self.bed.session.hurry(self.bed.now),
            _ => self.bed.session.reconnect_now(self.bed.now),
        }
        self.bed.tick();
        self.line();
    }

    fn speak(&mut self) {
        self.others += 1;
        self.router.say(&format!("other {}", self.others));
    }

    fn send(&mut self) {
        let number = self.contents.len() + 1;
        let content = format!("mine {number}");
        let seq = self.random.u64(0..self.router.seq() + 3);
        let ticket = match self.random.u32(0..6) {
            0 => {
                // A number from the last log is void; it may be one of the next one all the same.
                self.bed.reply(seq, &content)
            }
            1 => self.bed.send(ClientPacket::Edit(ClientEdit::new(seq, content.as_str()))),
            _ => self.bed.send(ClientPacket::Message(ClientMessage::new(content.as_str()))),
        };
        self.contents.insert(ticket, content);
    }

    /// Enters into the ledger what the client has told.
    fn take_stock(&mut self) {
        for (ticket, outcome) in self.bed.settled() {
            assert!(self.contents.contains_key(&ticket));
            let before = self.outcomes.insert(ticket, outcome);
            assert_eq!(before, None, "ticket {ticket} is settled twice");
        }
        let mut events = self.bed.events();
        self.news.append(&mut events);
        let news = std::mem::take(&mut self.news);
        let mut news = news.into_iter().peekable();
        while let Some(event) = news.next() {
            match event {
                Event::State(State::Online { recovered, .. }) => {
                    let gap = match news.peek() {
                        Some(Event::Gap(gap)) => Some(*gap),
                        _ => None,
                    };
                    self.registered(recovered, gap);
                }
                Event::Message(message) => match message.place {
                    Some(place) => self.heard(place.seq, &message.content, message.own),
                    None => assert!(self.is_plain),
                },
                Event::Gap(_) | Event::State(_) => {}
                event => panic!("{event:?}"),
            }
        }
    }

    /// From where on the log is told now: what is left out, a gap says.
    fn registered(&mut self, recovered: bool, gap: Option<Gap>) {
        let registration = self.registrations.pop_front().expect("it read an ack");
        let is_first = self.told.is_none() && !self.is_plain;
        self.is_plain = registration.rich.is_none();
        let cause = gap.map(|gap| gap.cause);
        let Some(ack) = registration.rich else {
            assert_eq!(cause, (!is_first).then_some(GapCause::Plain));
            self.told = None;
            return;
        };
        let (epoch, after) = (ack.epoch[1..].parse().unwrap(), ack.after);
        let seq = match self.told {
            Some((of, seq)) if of == epoch => {
                if after > seq {
                    let missed = Some(after - seq);
                    assert_eq!(gap.map(|gap| (gap.cause, gap.missed)), Some((GapCause::Forgotten, missed)));
                    assert!(!recovered);
                } else {
                    assert_eq!(gap, None);
                }
                seq.max(after)
            }
            Some(_) => {
                assert_eq!((cause, recovered), (Some(GapCause::NewLog), false));
                after
            }
            None => {
                assert_eq!((cause, recovered), ((!is_first).then_some(GapCause::Plain), false));
                after
            }
        };
        self.told = Some((epoch, seq));
    }

    /// How much others said between two entries.
    fn left_out(&self, epoch: usize, after: u64, before: u64) -> usize {
        self.router.logs[epoch - 1].of_others(after, before.saturating_sub(1))
    }

    /// An entry came: it is the next one, but for our own.
    fn heard(&mut self, seq: u64, content: &str, own: bool) {
        let (epoch, told) = self.told.expect("it is registered");
        let log = &self.router.logs[epoch - 1];
        assert!(seq > told, "{seq} comes after {told}");
        assert_eq!(self.left_out(epoch, told, seq), 0, "something was left out between {told} and {seq}");
        assert_eq!(log.entries[usize::try_from(seq - 1).unwrap()].content, content);
        assert_eq!(own, content.starts_with("mine"));
        self.told = Some((epoch, seq));
    }

    /// From here on everything works, and the client says what it has to say.
    fn calm_down(&mut self) {
        self.router.limit(None);
        for _ in 0..2000 {
            self.hang_up();
            if let Want::Connect(_) = self.bed.session.want() {
                self.bed.session.opened("secret".to_owned(), self.bed.now);
            }
            self.write();
            self.bed.flush();
            self.carry_all();
            self.take_stock();
            if self.bed.session.outbox.is_empty() && matches!(self.bed.session.state(), State::Online { .. })
            {
                break;
            }
            if self.bed.session.wake_at(self.bed.now).is_some() {
                self.bed.sleep();
            }
        }
        self.carry_all();
    }

    fn carry_all(&mut self) {
        self.router.stall(false);
        while !self.router.inward.is_empty() {
            // Nothing goes wrong.
            self.router.read(self.bed.now, self.history, u32::MAX);
        }
        self.carry(0, usize::MAX);
    }

    /// The ledger is right.
    fn audit(&self) {
        if let Some((epoch, told)) = self.told {
            assert_eq!(epoch, self.router.logs.len());
            assert_eq!(self.router.logs[epoch - 1].of_others(told, u64::MAX), 0, "not told to the end");
        }
        assert_eq!(self.outcomes.len(), self.contents.len(), "everything is settled");
        for (ticket, outcome) in &self.outcomes {
            let content = &self.contents[ticket];
            let found: Vec<_> = self
                .router
                .logs
                .iter()
                .map(|log| log.find(content))
                .filter(|&(count, _)| count > 0)
                .collect();
            let plainly = self.router.plain.iter().filter(|said| *said == content).count();
            let count = found.iter().map(|&(count, _)| count).sum::<usize>() + plainly;
            match outcome {
                Ok(Confirmation::Logged { seq, .. }) => {
                    assert_eq!((found, plainly), (vec![(1, *seq)], 0), "{content}");
                }
                Ok(Confirmation::Written) => assert!(count == plainly && count <= 1, "{content}"),
                Err(failure) => {
                    assert_eq!(failure.text(), content);
                    let most = usize::from(failure.fate == Fate::Unknown);
                    assert!(count <= most, "{content}: {failure:?}, and there {count} times");
                    if failure.error == SendError::FateUnknown {
                        assert_eq!(failure.fate, Fate::Unknown);
                    }
                }
            }
        }
    }
}

/// What happened in all schedules: a run in which nothing happens says nothing.
#[derive(Default)]
struct Tally {
    logged: u32,
    written: u32,
    not_sent: u32,
    unknown: u32,
    told: u32,
}

#[test]
fn nothing_is_lost_silently_and_nothing_doubled() {
    let mut tally = Tally::default();
    for seed in 0..SCHEDULES {
        let mut run = Run::new(seed);
        let start = run.bed.now;
        for _ in 0..STEPS {
            run.step();
        }
        let is_cut_short = run.chance(4);
        if is_cut_short {
            run.bed.session.abandon();
            run.take_stock();
            run.told = None;
        } else {
            run.calm_down();
        }
        run.audit();
        let most = u64::from(STEPS) * 3 + run.bed.now.saturating_sub(start).as_secs();
        assert!(run.bed.ticks < most, "seed {seed}: woken {} times", run.bed.ticks);
        for outcome in run.outcomes.values() {
            match outcome {
                Ok(Confirmation::Logged { .. }) => tally.logged += 1,
                Ok(Confirmation::Written) => tally.written += 1,
                Err(failure) if failure.fate == Fate::NotSent => tally.not_sent += 1,
                Err(_) => tally.unknown += 1,
            }
        }
        tally.told += u32::from(run.told.is_some());
    }
    let Tally { logged, written, not_sent, unknown, told } = tally;
    let all = [logged, written, not_sent, unknown, told];
    assert!(all.iter().all(|&count| count > 100), "too little happened: {all:?}");
}
