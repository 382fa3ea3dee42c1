//! Mailboxes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Wake, Waker},
};

use multichat::protocol::ReceiptStatus;

use super::*;

fn repeated(id: &str, seq: Seq) -> Notice {
    Notice::repeated(id, Place::new(seq, 7))
}

fn refused(reason: &str) -> Notice {
    Notice::refused(Some("a"), ErrorCode::NotAllowed, reason)
}

fn receipt(target: Seq) -> ForwardingReceipt {
    ForwardingReceipt::new("mc", target, ReceiptStatus::Delivered)
}

/// A notice whose frame has so many bytes, of anything.
fn sized(bytes: usize) -> Notice {
    Notice { about: 0, frame: Bytes::from(vec![b'x'; bytes]) }
}

/// What a reader that stands at `cursor` is told, all of it.
fn told(mailbox: &Mailbox, cursor: Seq) -> String {
    let mut told = Vec::new();
    while let Some(taken) = mailbox.take(cursor, 1) {
        told.extend_from_slice(frame::payload(&taken).as_bytes());
        told.push(b'|');
    }
    String::from_utf8(told).unwrap()
}

#[test]
fn notices_come_in_their_order_and_say_what_they_have_to_say() {
    let mailbox = Mailbox::new(10_000);
    let nameless = Notice::refused(None, ErrorCode::UnknownTarget, "none");
    mailbox.answer(refused("no"));
    mailbox.answer(repeated("b", 5));
    mailbox.deliver(receipt(4));
    mailbox.answer(nameless);
    let ack = r#"{"action":"message-ack","id":"b","seq":5,"time":7}"#;
    let error = r#"{"action":"error","id":"a","code":"not-allowed","reason":"no"}"#;
    let receipt =
        r#"{"action":"forwarding-receipt","source-client-name":"mc","target":4,"status":"delivered"}"#;
    let nameless = r#"{"action":"error","code":"unknown-target","reason":"none"}"#;
    assert_eq!(told(&mailbox, 5), format!("{error}|{ack}|{receipt}|{nameless}|"));
    assert!(!mailbox.has_due(5) && mailbox.take(5, 1000).is_none());
}

#[test]
fn what_is_about_an_entry_comes_when_its_place_has_been_passed() {
    let about_five: [fn(&Mailbox); 2] =
        [|mailbox| mailbox.answer(repeated("a", 5)), |mailbox| mailbox.deliver(receipt(5))];
    for push in about_five {
        let mailbox = Mailbox::new(1000);
        mailbox.answer(refused("before"));
        push(&mailbox);
        mailbox.answer(refused("behind"));
        assert!(mailbox.has_due(0));
        assert!(told(&mailbox, 4).ends_with(r#""before"}|"#), "and nothing before its turn");
        assert!(!mailbox.has_due(4) && mailbox.take(4, 1000).is_none());
        assert!(mailbox.has_due(5));
        assert!(told(&mailbox, 5).ends_with(r#""behind"}|"#));
    }
}

#[test]
fn notices_are_joined_up_to_a_bound() {
    let mailbox = Mailbox::new(10_000);
    for _ in 0..10 {
        mailbox.answer(sized(100));
    }
    assert_eq!(mailbox.take(0, 0).unwrap().len(), 100, "one at least");
    assert_eq!(mailbox.take(0, 100).unwrap().len(), 100);
    assert_eq!(mailbox.take(0, 101).unwrap().len(), 200);
    mailbox.answer(repeated("not due", 5));
    assert_eq!(mailbox.take(0, 10_000).unwrap().len(), 600, "but none that is not due");
    assert!(mailbox.take(0, 10_000).is_none());
}

#[test]
fn a_full_mailbox_takes_answers_but_no_receipts() {
    let mailbox = Mailbox::new(2 * (OVERHEAD + 100));
    mailbox.answer(sized(100));
    mailbox.answer(sized(99));
    assert!(!mailbox.is_full());
    mailbox.deliver(receipt(0));
    assert!(mailbox.is_full());
    mailbox.deliver(receipt(0));
    assert_eq!(mailbox.state.lock().notices.len(), 3);
    mailbox.answer(sized(0));
    assert_eq!(mailbox.state.lock().notices.len(), 4);
    assert_eq!(mailbox.must_go(), None);
    let mailbox = Mailbox::new(2 * (OVERHEAD + 100));
    mailbox.answer(sized(100));
    mailbox.answer(sized(100));
    assert!(mailbox.is_full(), "exactly");
    mailbox.deliver(receipt(0));
    assert_eq!(mailbox.state.lock().notices.len(), 2);
}

#[test]
fn what_is_taken_makes_room() {
    let mailbox = Mailbox::new(300);
    for round in 0..100 {
        mailbox.answer(refused("some text"));
        mailbox.deliver(receipt(round));
        mailbox.answer(repeated("some text", round));
        assert!(mailbox.is_full());
        for _ in 0..3 {
            assert!(mailbox.has_due(round));
            assert!(mailbox.take(round, 1).is_some());
        }
        assert!(!mailbox.is_full());
    }
    assert_eq!(mailbox.state.lock().bytes, 0);
}

#[test]
fn an_empty_mailbox_keeps_little_room() {
    let mailbox = Mailbox::new(300);
    for _ in 0..1000 {
        mailbox.answer(sized(1));
    }
    assert!(mailbox.take(0, usize::MAX).is_some());
    assert!(mailbox.state.lock().notices.capacity() <= SLACK);
}

#[test]
fn who_is_replaced_is_told_so_whatever_else_is_wrong() {
    let mailbox = Mailbox::new(0);
    assert_eq!(mailbox.must_go(), None);
    mailbox.cut(Cut::Behind);
    assert_eq!(mailbox.must_go(), Some(Cut::Behind));
    for cut in [Cut::Replaced, Cut::Behind] {
        mailbox.cut(cut);
        assert_eq!(mailbox.must_go(), Some(Cut::Replaced));
    }
}

#[test]
fn news_of_others_is_noted_once() {
    let mailbox = Mailbox::new(0);
    assert!(!mailbox.take_presence());
    mailbox.note_presence();
    mailbox.note_presence();
    assert!(mailbox.take_presence());
    assert!(!mailbox.take_presence());
    assert_eq!(mailbox.take(Seq::MAX, 1), None, "and takes no room");
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
fn whatever_comes_wakes_the_connection() {
    let mailbox = Mailbox::new(1000);
    let count = Arc::new(Count::default());
    let come: [&dyn Fn(); 4] = [
        &|| mailbox.answer(refused("x")),
        &|| mailbox.deliver(receipt(0)),
        &|| mailbox.note_presence(),
        &|| mailbox.cut(Cut::Replaced),
    ];
    for (come, woken) in come.iter().zip(1..) {
        mailbox.task.register(&Waker::from(count.clone()));
        come();
        assert_eq!(count.0.load(Ordering::Relaxed), woken);
    }
}
