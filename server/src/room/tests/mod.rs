//! Rooms and their fan-out, without sockets.

mod listener;
mod model;

use std::{
    sync::{
        Weak,
        atomic::{AtomicU32, AtomicUsize},
    },
    task::Wake,
};

use tokio::{
    runtime::{Builder, Runtime},
    task::yield_now,
};

use self::{
    listener::Listener,
    model::{Model, Step},
};
use super::*;

fn current_thread() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

#[test]
fn what_is_too_much_for_one_pass_comes_in_several() {
    const LARGE: usize = 300_000;
    current_thread().block_on(async {
        let room = Arc::new(Room::new(LogBounds { entries: 64, bytes: 1 << 24 }, 1));
        tokio::spawn(room.clone().fan_out(0));
        let listener = Listener::join(&room, Origin(1));
        for _ in 0..10 {
            room.publish(Origin(2), "x", &"x".repeat(LARGE));
        }
        for _ in 0..50 {
            yield_now().await;
        }
        let state = listener.state.lock();
        assert_eq!((state.cursor, state.is_woken), (10, false), "all of it from the fan-out");
        assert!(state.heard.len() > 10 * LARGE);
    });
}

#[test]
fn a_blocked_reader_learns_of_its_overrun_while_it_is_blocked() {
    current_thread().block_on(async {
        let mut model = Model::new(16, 2);
        for step in [Step::Join, Step::Join, Step::Block(1)] {
            model.take(step).await;
        }
        for said in 1..=20 {
            model.take(Step::Publish(0)).await;
            model.take(Step::Turns(10)).await;
            model.take(Step::CatchUp(1)).await;
            let has_overrun = model.members[1].listener.state.lock().has_overrun;
            assert_eq!(has_overrun, said > 16, "after {said}");
        }
    });
}

#[test]
fn who_left_is_forgotten_by_the_fan_out() {
    current_thread().block_on(async {
        let mut model = Model::new(16, 3);
        for step in [Step::Join, Step::Join, Step::Turns(5)] {
            model.take(step).await;
        }
        let left = Arc::downgrade(&model.members[0].listener);
        model.take(Step::Leave(0)).await;
        model.members.remove(0);
        model.take(Step::Turns(5)).await;
        assert_eq!(Weak::strong_count(&left), 0, "without a message having been said");
    });
}

#[test]
fn a_closed_room_takes_nothing_and_wakes_all_of_its_readers() {
    current_thread().block_on(async {
        let mut model = Model::new(16, 3);
        for step in [Step::Join, Step::Join, Step::Join, Step::Join, Step::Publish(0)] {
            model.take(step).await;
        }
        model.settle().await;
        model.room.close();
        model.room.publish(Origin(7), "x", "too late");
        assert_eq!(model.room.newest(), 1);
        model.take(Step::Turns(10)).await;
        assert!(model.members.iter().all(|member| member.listener.state.lock().is_woken));
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
    for (entries, bytes, content) in [(16, 1 << 20, "short".to_owned()), (1 << 20, 16_000, "x".repeat(800))] {
        current_thread().block_on(async {
            let room = Arc::new(Room::new(LogBounds { entries, bytes }, 2));
            let count = Arc::new(Count::default());
            let waker = Waker::from(count.clone());
            let mut published = 0;
            while !room.is_congested(&waker) {
                room.publish(Origin(1), "x", &content);
                published += 1;
            }
            assert!((8..=9).contains(&published), "{published}");
            assert_eq!(
                room.read(0, usize::MAX).unwrap().unwrap().end(),
                published,
                "all of it is still kept"
            );
            tokio::spawn(room.clone().fan_out(0));
            for _ in 0..10 {
                yield_now().await;
            }
            assert_eq!(count.0.load(Ordering::Relaxed), 1, "to look again");
            assert!(room.is_congested(&waker), "one shard has not caught up");
            tokio::spawn(room.clone().fan_out(1));
            for _ in 0..10 {
                yield_now().await;
            }
            assert_eq!(count.0.load(Ordering::Relaxed), 2);
            assert!(!room.is_congested(&waker));
        });
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
            room.publish(Origin(2), "x", "more");
        }
    }

    fn wake(&self) {}
}

#[test]
fn other_tasks_have_their_turn_however_much_is_said() {
    const ECHOES: u32 = 1000;
    current_thread().block_on(async {
        let room = Arc::new(Room::new(LogBounds { entries: 64, bytes: 1 << 20 }, 1));
        tokio::spawn(room.clone().fan_out(0));
        let echo = Arc::new(Echo { room: Arc::downgrade(&room), left: AtomicU32::new(ECHOES) });
        room.join(Origin(1), echo.clone());
        room.publish(Origin(2), "x", "the first");
        let mut turns = 0;
        while room.newest() <= ECHOES.into() {
            yield_now().await;
            turns += 1;
        }
        assert!(turns >= ECHOES / 2, "{turns} turns");
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_between_threads() {
    const SENDERS: u64 = 4;
    const EACH: usize = 2000;
    let room = Arc::new(Room::new(LogBounds { entries: 1 << 16, bytes: 1 << 26 }, 3));
    for shard in 0..3 {
        tokio::spawn(room.clone().fan_out(shard));
    }
    let listeners = (10..30).map(|number| Listener::join(&room, Origin(number))).collect::<Vec<_>>();
    let senders = (0..SENDERS).map(|sender| {
        let room = room.clone();
        tokio::spawn(async move {
            for i in 0..EACH {
                room.publish(Origin(sender), "x", &format!("{sender}.{i}"));
                if i % 16 == 0 {
                    yield_now().await;
                }
            }
        })
    });
    let senders = senders.collect::<Vec<_>>();
    // Some come in the midst of it.
    let mut late = Vec::new();
    for number in 100..120 {
        late.push(Listener::join(&room, Origin(number)));
        yield_now().await;
    }
    for sender in senders {
        sender.await.unwrap();
    }
    let all = room.read(0, usize::MAX).unwrap().unwrap().bytes().to_vec();
    for listener in listeners.iter().chain(&late) {
        loop {
            {
                let mut state = listener.state.lock();
                state.catch_up(&room, listener.origin);
                if state.cursor == room.newest() {
                    assert!(all.ends_with(&state.heard), "{:?}", listener.origin);
                    break;
                }
            }
            yield_now().await;
        }
    }
    assert!(listeners.iter().all(|listener| listener.state.lock().heard.len() == all.len()));
}
