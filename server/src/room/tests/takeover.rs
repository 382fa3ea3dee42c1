//! Sessions that are resumed while an older connection is still there.

use std::thread;

use multichat::protocol::{
    ClientDelete, ClientMessage, ClientReceipt, Dialect, ForwardingReceipt, MessageAck, ReceiptStatus,
    Resume, RichRegister, ServerPacket,
};
use tokio::time::Instant;

use super::{
    drafts::{author, message, plain, with},
    listener::{Joined, frames},
    model::room,
    say,
};
use crate::{
    frame,
    room::{Authority, Cut, Draft, Mailbox, Place, Refused, Room},
};

fn rich(room: &Room, connection: u64) -> Joined {
    Joined::new(room, connection, "irc", Some(RichRegister::new()), Instant::now())
}

/// The same session on another connection.
fn resume(room: &Room, connection: u64, client: &str, of: &Joined, seq: u64) -> Joined {
    let session = &*of.welcome.as_ref().unwrap().session;
    let ask = with(RichRegister::new(), |ask| ask.resume = Some(Resume::new(session, "epoch", seq)));
    Joined::new(room, connection, client, Some(ask), Instant::now())
}

fn recovered(joined: &Joined) -> Option<bool> {
    joined.welcome.as_ref().unwrap().recovered
}

fn mailbox(joined: &Joined) -> &Mailbox {
    &joined.listener.mailbox
}

/// The packets that wait in a mailbox.
fn waiting(joined: &Joined) -> Vec<ServerPacket> {
    let taken = mailbox(joined).take(u64::MAX, usize::MAX).unwrap_or_default();
    let packet = |frame: &[u8]| ServerPacket::decode(frame::payload(frame), Dialect::Rich, 1 << 20).unwrap();
    frames(&taken).into_iter().map(packet).collect()
}

#[test]
fn who_does_not_resume_is_not_told_whether_anything_is_missing() {
    let room = room(64, 1 << 20, 1);
    assert_eq!(recovered(&rich(&room, 1)), None);
    assert!(Joined::plain(&room, 2).welcome.is_none());
}

#[test]
fn the_older_connection_has_to_go() {
    let room = room(64, 1 << 20, 1);
    let first = rich(&room, 1);
    first.catch_up(&room);
    assert!(!first.listener.is_woken());
    let stranger = resume(&room, 2, "mc", &first, 0);
    assert_eq!((recovered(&stranger), mailbox(&first).must_go()), (Some(false), None), "not for a stranger");
    let second = resume(&room, 3, "irc", &first, 0);
    assert_eq!(mailbox(&first).must_go(), Some(Cut::Replaced));
    assert!(first.listener.is_woken());
    assert_eq!((recovered(&second), mailbox(&second).must_go()), (Some(true), None));
    room.leave(&first.member, Instant::now());
    let third = resume(&room, 4, "irc", &first, 0);
    assert_eq!(mailbox(&second).must_go(), Some(Cut::Replaced), "which the end of the first did not change");
    assert_eq!(recovered(&third), Some(true));
}

#[test]
fn a_session_is_resumed_from_where_the_log_still_holds_everything() {
    let room = room(8, 1 << 20, 1);
    let first = rich(&room, 1);
    for _ in 0..20 {
        say(&room, plain(9, "x"));
    }
    for (connection, (seq, is_recovered)) in (2..).zip([
        (0, false),
        (11, false),
        (12, true),
        (13, true),
        (20, true),
        (21, false),
        (u64::MAX, false),
    ]) {
        let again = resume(&room, connection, "irc", &first, seq);
        assert_eq!(recovered(&again), Some(is_recovered), "{seq}");
        assert_eq!(again.from, if is_recovered { seq } else { 20 });
        assert_eq!(again.welcome.as_ref().unwrap().replay_end, 20);
        assert_eq!(again.member.author.origin, first.member.author.origin, "the session is kept");
    }
}

#[test]
fn receipts_go_to_the_sessions_present_connection_alone() {
    let room = room(64, 1 << 20, 1);
    let first = rich(&room, 1);
    room.publish(Draft::message(&first.member.author, with_id("a")), mailbox(&first));
    let report = |target| {
        let receipt = with(ClientReceipt::new(target, ReceiptStatus::Failed), |receipt| {
            receipt.reason = Some("muted".into());
            receipt.remote_id = Some("m1".into());
        });
        room.report(&author(7), receipt)
    };
    let told = with(ForwardingReceipt::new("c7", 1, ReceiptStatus::Failed), |receipt| {
        receipt.reason = Some("muted".into());
        receipt.remote_id = Some("m1".into());
    });
    assert_eq!(report(1), Ok(()));
    assert_eq!(waiting(&first), [ServerPacket::Receipt(told.clone())]);
    let second = resume(&room, 2, "irc", &first, 0);
    assert_eq!(report(1), Ok(()));
    assert!(waiting(&first).is_empty());
    assert_eq!(waiting(&second), [ServerPacket::Receipt(told.clone())]);
    room.leave(&second.member, Instant::now());
    assert_eq!(report(1), Ok(()), "and is dropped where there is none");
    assert!(waiting(&first).is_empty() && waiting(&second).is_empty());
    let third = resume(&room, 3, "irc", &first, 0);
    assert!(waiting(&third).is_empty(), "not kept until then");
    for target in [0, 2, u64::MAX] {
        assert_eq!(report(target), Err(Refused::UnknownTarget), "{target}");
    }
    say(&room, plain(9, "x"));
    assert_eq!(report(2), Ok(()), "of a plain client, which is not told");
    let nameless = ClientMessage::new("x");
    room.publish(Draft::message(&third.member.author, nameless), mailbox(&third));
    assert_eq!(report(3), Ok(()));
    assert!(waiting(&third).is_empty(), "who has no ack does not know which message is meant");
}

fn with_id(id: &str) -> ClientMessage {
    with(ClientMessage::new("x"), |message| message.id = Some(id.into()))
}

#[test]
fn a_repeated_name_is_answered_on_the_connection_that_repeats_it() {
    let room = room(64, 1 << 20, 1);
    let first = rich(&room, 1);
    let second = resume(&room, 2, "irc", &first, 0);
    let author = &first.member.author;
    for joined in [&first, &second, &first] {
        room.publish(Draft::message(author, with_id("a")), mailbox(joined));
    }
    assert_eq!(room.newest(), 1);
    let [on_first, on_second] = [&first, &second].map(waiting);
    let Some(Place { seq: 1, time, .. }) = room.find(author.origin, &"a".into()) else {
        panic!("not entered")
    };
    let ack = ServerPacket::MessageAck(MessageAck::new("a", Place::new(1, time)));
    assert_eq!(
        (on_first, on_second),
        (vec![ack.clone()], vec![ack]),
        "but the first of all is answered by the log"
    );
}

#[test]
fn what_is_refused_is_said_with_its_name() {
    let room = room(64, 1 << 20, 1);
    say(&room, message(9, None, "x"));
    let first = rich(&room, 1);
    let mut words = Vec::new();
    for (target, id) in [(1, Some("a")), (2, None)] {
        let delete = with(ClientDelete::new(target), |delete| delete.id = id.map(String::from));
        room.publish(Draft::delete(&first.member.author, Authority::Session, delete), mailbox(&first));
        words.extend(waiting(&first).iter().map(|packet| super::party::words(packet, 0)));
    }
    assert_eq!(words, [r#"not-allowed Some("a")"#, "unknown-target None"]);
    assert_eq!(room.newest(), 1);
}

#[test]
fn what_comes_on_two_connections_at_once_is_entered_once() {
    const IDS: usize = 2000;
    let room = room(1 << 16, 1 << 26, 1);
    let first = rich(&room, 1);
    let second = resume(&room, 2, "irc", &first, 0);
    let third = resume(&room, 3, "irc", &first, 0);
    thread::scope(|scope| {
        for joined in [&first, &second, &third] {
            let room = &room;
            scope.spawn(move || {
                for number in 0..IDS {
                    let said = with_id(&number.to_string());
                    room.publish(Draft::message(&joined.member.author, said), mailbox(joined));
                }
            });
        }
    });
    assert_eq!(room.newest(), IDS as u64);
    let repeated = [&first, &second, &third].map(|joined| waiting(joined).len());
    assert_eq!(repeated.iter().sum::<usize>(), 2 * IDS, "all others are answered with the first's place");
}
