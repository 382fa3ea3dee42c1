//! Rooms and their fan-out, without sockets.

pub(super) mod drafts;
mod ledger;
mod listener;
pub(super) mod model;
mod party;
mod presence;
mod takeover;
mod threads;

use std::{
    sync::{
        Weak,
        atomic::{AtomicU32, AtomicUsize},
    },
    task::Wake,
};

use multichat::protocol::RichRegister;
use tokio::{
    runtime::{Builder, Runtime},
    task::yield_now,
    time::Instant,
};

use self::{
    drafts::{author, message, plain, with},
    listener::Joined,
    model::{Aim, Model, Naming, Step, room},
};
use super::*;

fn current_thread() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

/// Somebody else says something.
fn say(room: &Room, draft: Draft) {
    room.publish(draft, &Mailbox::new(0));
}

async fn yield_often() {
    for _ in 0..50 {
        yield_now().await;
    }
}

async fn take_all(model: &mut Model, steps: impl IntoIterator<Item = Step>) {
    for step in steps {
        model.take(step).await.unwrap();
    }
}

const SAY: Step = Step::Publish(0, Aim::Nothing, Naming::None);

#[test]
fn what_is_too_much_for_one_pass_comes_in_several() {
    const LARGE: usize = 300_000;
    current_thread().block_on(async {
        let room = room(64, 1 << 24, 1);
        tokio::spawn(room.clone().fan_out(0));
        let joined = Joined::plain(&room, 1);
        joined.catch_up(&room);
        for _ in 0..10 {
            say(&room, plain(2, &"x".repeat(LARGE)));
        }
        yield_often().await;
        let state = joined.listener.state.lock();
        assert_eq!((state.cursor, joined.listener.is_woken()), (10, false), "all of it from the fan-out");
        assert!(state.heard.len() > 10 * LARGE);
    });
}

#[test]
fn a_blocked_reader_learns_of_its_overrun_while_it_is_blocked() {
    current_thread().block_on(async {
        let mut model = Model::new(16, 2);
        take_all(&mut model, [Step::Join(None), Step::Join(None), Step::CatchUp(1), Step::Block(1)]).await;
        for said in 1..=20 {
            take_all(&mut model, [SAY, Step::Turns(10), Step::CatchUp(1)]).await;
            let has_overrun = model.seat(1).joined.listener.state.lock().has_overrun;
            assert_eq!(has_overrun, said > 16, "after {said}");
        }
    });
}

#[test]
fn a_fan_out_that_was_overtaken_goes_on_at_the_tail() {
    current_thread().block_on(async {
        let room = room(16, 1 << 20, 1);
        tokio::spawn(room.clone().fan_out(0));
        let joined = Joined::plain(&room, 1);
        joined.catch_up(&room);
        for _ in 0..20 {
            say(&room, plain(2, "x"));
        }
        yield_often().await;
        joined.catch_up(&room);
        assert!(joined.listener.state.lock().has_overrun, "woken to find that out");
        assert!(!room.is_congested(Waker::noop()));
        let late = Joined::plain(&room, 3);
        late.catch_up(&room);
        say(&room, plain(2, "x"));
        yield_often().await;
        assert_eq!((late.listener.state.lock().cursor, late.listener.is_woken()), (21, false));
    });
}

#[test]
fn who_left_is_forgotten_by_the_fan_out() {
    current_thread().block_on(async {
        let mut model = Model::new(16, 3);
        take_all(&mut model, [Step::Join(None), Step::Join(Some(0)), Step::Turns(5)]).await;
        for party in 0..2 {
            let left = Arc::downgrade(&model.seat(party).joined.listener);
            let mailbox = Arc::downgrade(&model.seat(party).joined.listener.mailbox);
            // The first of those who are there.
            take_all(&mut model, [Step::Leave(0, 0), Step::Turns(5)]).await;
            assert_eq!(Weak::strong_count(&left), 0, "without a message having been said");
            assert_eq!(Weak::strong_count(&mailbox), 0);
        }
    });
}

#[test]
fn a_closed_room_takes_nothing_and_wakes_all_of_its_readers() {
    current_thread().block_on(async {
        let mut model = Model::new(16, 3);
        let rich = || Step::Join(Some(0));
        take_all(&mut model, [Step::Join(None), rich(), Step::Join(None), rich(), SAY]).await;
        model.settle().await;
        model.room.close();
        for draft in [plain(7, "too late"), message(7, Some("a"), "too late")] {
            let mailbox = Mailbox::new(0);
            model.room.publish(draft, &mailbox);
            assert_eq!(mailbox.take(Seq::MAX, 1), None, "and says nothing");
        }
        assert_eq!(model.room.newest(), 1);
        take_all(&mut model, [Step::Turns(10)]).await;
        assert!((0..4).all(|party| model.seat(party).joined.listener.is_woken()));
    });
}

/// Wakes nobody, but counts.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_publisher_waits_for_a_fan_out_that_lags_by_half_a_log_and_is_woken() {
    for (entries, bytes, content) in [(16, 1 << 20, "short".to_owned()), (1 << 20, 20_000, "x".repeat(800))] {
        current_thread().block_on(async {
            let room = room(entries, bytes, 2);
            let count = Arc::new(Count::default());
            let waker = Waker::from(count.clone());
            let mut published = 0;
            while !room.is_congested(&waker) {
                say(&room, plain(1, &content));
                published += 1;
            }
            assert!((8..=9).contains(&published), "{published}");
            assert_eq!(
                room.read(0, usize::MAX).unwrap().unwrap().end(),
                published,
                "all of it is still kept"
            );
            tokio::spawn(room.clone().fan_out(0));
            yield_often().await;
            assert_eq!(count.0.load(Ordering::Relaxed), 1, "to look again");
            assert!(room.is_congested(&waker), "one shard has not caught up");
            tokio::spawn(room.clone().fan_out(1));
            yield_often().await;
            assert_eq!(count.0.load(Ordering::Relaxed), 2);
            assert!(!room.is_congested(&waker));
        });
    }
}

#[test]
fn an_entry_costs_a_copy_for_each_dialect_that_is_spoken() {
    let room = room(64, 1 << 20, 1);
    let rich = |connection| Joined::new(&room, connection, "rich", Some(RichRegister::new()), Instant::now());
    let cost = || {
        let before = room.log.lock().cost_so_far();
        say(&room, plain(9, &"x".repeat(1000)));
        (room.log.lock().cost_so_far() - before) / 1000
    };
    assert_eq!(cost(), 1, "nobody listens");
    let [first, second] = [rich(1), rich(2)];
    assert_eq!(cost(), 1);
    let third = Joined::plain(&room, 3);
    assert_eq!(cost(), 2);
    room.leave(&first.member, Instant::now());
    assert_eq!(cost(), 2);
    room.leave(&second.member, Instant::now());
    assert_eq!(cost(), 1);
    room.leave(&third.member, Instant::now());
    assert_eq!(cost(), 1);
}

#[test]
fn a_history_begins_where_it_will_not_be_overtaken_at_once() {
    let room = room(64, 1 << 20, 1);
    let from = |connection, history| {
        let ask = with(RichRegister::new(), |ask| ask.history = history);
        Joined::new(&room, connection, "c", Some(ask), Instant::now()).from
    };
    for said in 1..=200 {
        say(&room, plain(9, "x"));
        assert_eq!(from(1000 + said, 0), said);
        assert_eq!(from(2000 + said, 5), said.saturating_sub(5));
        let expected = if said <= 64 { 0 } else { said - 64 + 8 };
        assert_eq!(from(3000 + said, u64::MAX), expected, "all that is kept");
    }
}

/// A reader that says something whenever it hears something, as a busy core beside the fan-out's does.
struct Echo {
    room: Weak<Room>,
    left: AtomicU32,
}

impl Reader for Echo {
    fn offer(&self, _: &Pass) {
        if self.left.fetch_sub(1, Ordering::Relaxed) > 0
            && let Some(room) = self.room.upgrade()
        {
            say(&room, plain(2, "more"));
        }
    }

    fn wake(&self) {}
}

/// Somebody who speaks the plain dialect.
fn newcomer(connection: u64, reader: Arc<dyn Reader>) -> Newcomer {
    Newcomer {
        connection: ConnectionId(connection),
        client_name: author(connection).client_name.clone(),
        reader,
        mailbox: Arc::new(Mailbox::new(0)),
        hears: true,
        ask: None,
        session_name: String::new(),
        max_clients_bytes: 0,
    }
}

#[tokio::test]
async fn the_fan_out_of_a_closed_room_ends_when_all_have_left() {
    let room = room(16, 1 << 20, 1);
    let mut fan_out = tokio::spawn(room.clone().fan_out(0));
    let joined = Joined::new(&room, 1, "irc", None, Instant::now());
    room.close();
    yield_often().await;
    assert!(!fan_out.is_finished(), "there is one left");
    room.leave(&joined.member, Instant::now());
    (&mut fan_out).await.unwrap();
}

#[test]
fn other_tasks_have_their_turn_however_much_is_said() {
    const ECHOES: u32 = 1000;
    current_thread().block_on(async {
        let room = room(64, 1 << 20, 1);
        tokio::spawn(room.clone().fan_out(0));
        let echo = Arc::new(Echo { room: Arc::downgrade(&room), left: AtomicU32::new(ECHOES) });
        room.join(newcomer(1, echo), Instant::now());
        say(&room, plain(2, "the first"));
        let mut turns = 0;
        while room.newest() <= ECHOES.into() {
            yield_now().await;
            turns += 1;
        }
        assert!(turns >= ECHOES / 2, "{turns} turns");
    });
}

/// All readers of a room: counts what they are offered.
#[derive(Default)]
struct Crowd(AtomicUsize);

impl Reader for Crowd {
    fn offer(&self, _: &Pass) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn wake(&self) {}
}

#[test]
fn other_tasks_have_their_turn_however_many_listen() {
    const READERS: usize = 1000;
    current_thread().block_on(async {
        let room = room(64, 1 << 20, 1);
        tokio::spawn(room.clone().fan_out(0));
        let crowd = Arc::new(Crowd::default());
        for connection in 0..READERS as u64 {
            room.join(newcomer(connection, crowd.clone()), Instant::now());
        }
        say(&room, plain(2, "x"));
        let (mut offered, mut most) = (0, 0);
        while offered < READERS {
            yield_now().await;
            let before = offered;
            offered = crowd.0.load(Ordering::Relaxed);
            most = most.max(offered - before);
        }
        assert!(most <= 200, "{most} between two turns");
    });
}
