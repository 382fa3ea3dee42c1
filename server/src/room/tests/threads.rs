//! Rooms on several cores.

use std::{
    future::Future as _,
    pin::pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Waker},
    thread,
    time::Duration,
};

use multichat::protocol::{ClientMessage, Resume, RichRegister};
use tokio::{task::yield_now, time::Instant};

use super::{
    Count,
    drafts::{plain, with},
    listener::Joined,
    model::room,
    say,
};
use crate::room::{Draft, Piece, Room, Seq, Viewpoint};

/// What a reader is due of the whole log after `from`.
fn due(room: &Room, reader: Viewpoint, from: Seq) -> Vec<u8> {
    let Some(pass) = room.read(0, usize::MAX).unwrap() else { return Vec::new() };
    let mut due = Vec::new();
    let mut cursor = from;
    while let Some(piece) = pass.next(reader, cursor) {
        match piece {
            Piece::Run(run) => {
                due.extend_from_slice(&pass.bytes(reader.dialect)[run.clone()]);
                cursor = pass.stop_at(reader.dialect, run.end).cursor;
            }
            Piece::Acks { frames, through } => {
                due.extend_from_slice(&frames);
                cursor = through;
            }
        }
    }
    due
}

/// Lets a reader take everything. The room must be quiet.
async fn finish(room: &Room, joined: &Joined) -> Vec<u8> {
    loop {
        joined.catch_up(room);
        {
            let mut state = joined.listener.state.lock();
            assert!(!state.has_overrun);
            if state.cursor == room.newest() {
                return std::mem::take(&mut state.heard);
            }
        }
        yield_now().await;
    }
}

/// A client that says something, goes and comes back, over and over. Returns its last connection, where the first
/// began, and what it was told on all others.
async fn come_and_go(room: Arc<Room>, number: u64) -> (Joined, Seq, Vec<u8>) {
    const TIMES: u64 = 40;
    let client = format!("rich{number}");
    let mut known: Option<(String, Seq)> = None;
    let mut began = None;
    let mut story = Vec::new();
    for time in 0.. {
        let ask = with(RichRegister::new(), |ask| {
            ask.resume = known.as_ref().map(|(session, seq)| Resume::new(&**session, "epoch", *seq));
        });
        let joined = Joined::new(&room, number * 1000 + time, &client, Some(ask), Instant::now());
        let welcome = joined.welcome.as_ref().unwrap();
        assert_eq!(welcome.recovered, known.as_ref().map(|_| true));
        assert_eq!(joined.from, known.as_ref().map_or(joined.from, |(_, seq)| *seq));
        let began = *began.get_or_insert(joined.from);
        for i in 0..10 {
            let said = with(ClientMessage::new("rich"), |message| {
                message.id = (i % 3 > 0).then(|| format!("{time}.{i}"));
            });
            room.publish(Draft::message(&joined.member.author, said), &joined.listener.mailbox);
            if i % 4 == 0 {
                yield_now().await;
            }
            if i % 5 == time % 5 {
                joined.catch_up(&room);
            }
        }
        if time == TIMES {
            return (joined, began, story);
        }
        let mut state = joined.listener.state.lock();
        state.has_overrun = true;
        story.append(&mut state.heard);
        known = Some((welcome.session.clone(), state.cursor));
        drop(state);
        room.leave(&joined.member, Instant::now());
    }
    unreachable!()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_between_threads() {
    const SENDERS: u64 = 4;
    const EACH: usize = 2000;
    let room = room(1 << 16, 1 << 26, 3);
    for shard in 0..3 {
        tokio::spawn(room.clone().fan_out(shard));
    }
    let listeners = (10..30).map(|number| Joined::plain(&room, number)).collect::<Vec<_>>();
    let senders = (0..SENDERS).map(|sender| {
        let room = room.clone();
        tokio::spawn(async move {
            for i in 0..EACH {
                say(&room, plain(sender, &i.to_string()));
                if i % 16 == 0 {
                    yield_now().await;
                }
            }
        })
    });
    let senders = senders.collect::<Vec<_>>();
    let wanderers = (1..=4).map(|number| tokio::spawn(come_and_go(room.clone(), number))).collect::<Vec<_>>();
    // Some come in the midst of it.
    let mut late = Vec::new();
    for number in 100..120 {
        late.push(Joined::plain(&room, number));
        yield_now().await;
    }
    for sender in senders {
        sender.await.unwrap();
    }
    let mut wandered = Vec::new();
    for wanderer in wanderers {
        wandered.push(wanderer.await.unwrap());
    }
    for (joined, began, mut story) in wandered {
        story.extend(finish(&room, &joined).await);
        assert!(story == due(&room, joined.member.viewpoint, began), "{:?}", joined.member);
    }
    for joined in listeners.iter().chain(&late) {
        let heard = finish(&room, joined).await;
        assert!(heard == due(&room, joined.member.viewpoint, joined.from), "{:?}", joined.member);
    }
    assert!(listeners.iter().all(|joined| joined.from == 0));
}

#[test]
fn a_newcomer_is_among_the_readers_before_it_has_its_cursor() {
    let room = room(64, 1 << 20, 1);
    let count = Arc::new(Count::default());
    let waker = Waker::from(count.clone());
    let mut fan_out = pin!(room.clone().fan_out(0));
    assert!(fan_out.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    assert_eq!(count.0.load(Ordering::Relaxed), 0);
    // Nobody has a cursor without having looked at the log.
    let log = room.log.lock();
    thread::scope(|scope| {
        let newcomer = scope.spawn(|| Joined::plain(&room, 1));
        let deadline = Instant::now() + Duration::from_secs(5);
        while count.0.load(Ordering::Relaxed) == 0 && Instant::now() < deadline {
            thread::yield_now();
        }
        let is_told = count.0.load(Ordering::Relaxed) > 0;
        drop(log);
        assert!(is_told, "the fan-out has to know of it first");
        assert_eq!(newcomer.join().unwrap().from, 0);
    });
}
