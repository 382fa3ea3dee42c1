//! Who comes and goes, over time.

use std::{sync::Arc, time::Duration};

use multichat::protocol::{Dialect, RichRegister, ServerPacket, Status};
use tokio::{
    runtime::{Builder, Runtime},
    time::{Instant, sleep},
};

use super::{
    drafts::with,
    listener::{Joined, frames},
    model::room,
};
use crate::{frame, room::Room};

const MILLISECOND: Duration = Duration::from_millis(1);

/// A clock that goes on by itself when there is nothing else to do.
fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

fn announced() -> Arc<Room> {
    let room = room(64, 1 << 20, 1);
    tokio::spawn(room.clone().announce());
    room
}

fn follow(room: &Room, connection: u64, client: &str) -> Joined {
    let ask = with(RichRegister::new(), |ask| ask.presence = true);
    Joined::new(room, connection, client, Some(ask), Instant::now())
}

fn plain(room: &Room, connection: u64, client: &str) -> Joined {
    Joined::new(room, connection, client, None, Instant::now())
}

/// What one is told that has been woken for it, as words.
fn told(room: &Room, joined: &Joined) -> Vec<String> {
    if !joined.listener.mailbox.take_presence() {
        return Vec::new();
    }
    let mut told = Vec::new();
    while let Some(read) = room.read_presence(&joined.member, 100) {
        for frame in frames(&read) {
            match ServerPacket::decode(frame::payload(frame), Dialect::Rich, 1 << 20) {
                Ok(ServerPacket::Presence(presence)) => {
                    assert!(presence.time > 1_700_000_000_000, "milliseconds since the Unix epoch");
                    told.push(format!("{} {}", presence.client_name, presence.status));
                }
                other => panic!("{other:?}"),
            }
        }
    }
    told
}

#[test]
fn only_who_asks_has_a_list() {
    let room = room(64, 1 << 20, 1);
    plain(&room, 1, "mc");
    let ask = RichRegister::new();
    let rich = Joined::new(&room, 2, "irc", Some(ask), Instant::now());
    assert_eq!(rich.welcome.unwrap().clients, None);
    let follower = follow(&room, 3, "xmpp");
    let clients = follower.welcome.as_ref().unwrap().clients.as_ref().unwrap();
    assert_eq!(clients.iter().map(|row| &*row.client_name).collect::<Vec<_>>(), ["mc", "irc"]);
    assert_eq!(room.read_presence(&rich.member, 1000), None);
}

#[test]
fn changes_are_told_together_within_a_tenth_of_a_second() {
    runtime().block_on(async {
        let room = announced();
        let irc = follow(&room, 1, "irc");
        sleep(200 * MILLISECOND).await;
        assert!(told(&room, &irc).is_empty());
        let mc = plain(&room, 2, "mc");
        sleep(50 * MILLISECOND).await;
        room.set_status(&mc.member, Status::Offline, None);
        plain(&room, 3, "xmpp");
        room.set_status(&mc.member, Status::Degraded, None);
        sleep(49 * MILLISECOND).await;
        assert!(told(&room, &irc).is_empty());
        sleep(2 * MILLISECOND).await;
        assert_eq!(told(&room, &irc), ["xmpp online", "mc degraded"]);
        let mut times = 0;
        for round in 0..100 {
            room.set_status(&mc.member, Status::Offline, Some(&round.to_string()));
            sleep(10 * MILLISECOND).await;
            times += usize::from(!told(&room, &irc).is_empty());
        }
        assert!((9..=10).contains(&times), "{times} times in a second");
    });
}

#[test]
fn who_is_gone_for_five_seconds_is_told_to_have_left() {
    runtime().block_on(async {
        let room = announced();
        let irc = follow(&room, 1, "irc");
        let mc = plain(&room, 2, "mc");
        sleep(200 * MILLISECOND).await;
        assert_eq!(told(&room, &irc), ["mc online"]);
        room.leave(&mc.member, Instant::now());
        sleep(4 * 1000 * MILLISECOND).await;
        let mc = plain(&room, 3, "mc");
        sleep(60 * 1000 * MILLISECOND).await;
        assert!(told(&room, &irc).is_empty(), "a quick return is not seen");
        room.leave(&mc.member, Instant::now());
        sleep(4999 * MILLISECOND).await;
        assert!(told(&room, &irc).is_empty());
        sleep(102 * MILLISECOND).await;
        assert_eq!(told(&room, &irc), ["mc left"]);
        plain(&room, 4, "mc");
        sleep(102 * MILLISECOND).await;
        assert_eq!(told(&room, &irc), ["mc online"]);
    });
}

#[test]
fn a_status_is_the_names_whichever_connection_says_it() {
    runtime().block_on(async {
        let room = announced();
        let irc = follow(&room, 1, "irc");
        let [first, second] = [plain(&room, 2, "mc"), plain(&room, 3, "mc")];
        room.set_status(&first.member, Status::Degraded, None);
        room.leave(&first.member, Instant::now());
        sleep(10 * 1000 * MILLISECOND).await;
        assert_eq!(told(&room, &irc), ["mc degraded"]);
        room.set_status(&second.member, Status::Online, None);
        sleep(102 * MILLISECOND).await;
        assert_eq!(told(&room, &irc), ["mc online"]);
        assert!(irc.listener.is_woken());
    });
}
