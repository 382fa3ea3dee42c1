//! Logs.

use multichat::protocol::{ClientMessage, Sender};
use proptest::prelude::*;

use super::*;
use crate::room::tests::drafts::{author, delete, edit, message, plain, reply, with};

/// A log in which entries number one to eight have gone, and nine to sixteen are held.
const HELD: std::ops::RangeInclusive<Seq> = 9..=16;

fn log(entries: usize, bytes: usize) -> Log {
    Log::new(LogBounds { entries, bytes })
}

fn roomy() -> Log {
    log(100, 1 << 20)
}

fn enter(log: &mut Log, draft: Draft) -> Result<Entered, Refused> {
    log.enter(draft, 7, 1)
}

fn full() -> Log {
    let mut log = log(8, 1 << 20);
    for _ in 1..=*HELD.end() {
        enter(&mut log, plain(1, "x")).unwrap();
    }
    log
}

fn read(log: &Log, cursor: Seq, bytes: usize) -> Result<Vec<Arc<Entry>>, Overrun> {
    let mut entries = Vec::new();
    log.read(cursor, bytes, &mut entries)?;
    Ok(entries)
}

fn newest(log: &Log) -> Arc<Entry> {
    read(log, log.newest() - 1, 0).unwrap().remove(0)
}

fn target_of_newest(log: &Log) -> Option<String> {
    let entry = newest(log);
    let author = entry.target.as_ref()?;
    Some(author.sender_name.as_deref().unwrap_or(&author.client_name).to_owned())
}

#[test]
fn an_empty_log_has_nothing_to_read() {
    let log = roomy();
    assert_eq!((log.newest(), log.tail(), log.cost_so_far()), (0, 0, 0));
    assert!(read(&log, 0, 1000).unwrap().is_empty());
}

#[test]
fn an_entry_larger_than_the_bound_is_kept_alone() {
    let mut log = log(4, 1000);
    enter(&mut log, plain(1, "x")).unwrap();
    enter(&mut log, plain(2, &"x".repeat(5000))).unwrap();
    assert_eq!((log.newest(), log.tail()), (2, 1));
    let entries = read(&log, 1, 100).unwrap();
    assert_eq!(entries.len(), 1, "and read, whatever the reader's bound");
    assert_eq!(entries[0].origin, Origin(2));
}

#[test]
fn what_an_entry_takes_beside_its_frame_is_counted() {
    // The counts of its `Arc` and of its buffer, and two places in the ring, which doubles.
    assert!(size_of::<Entry>() + 16 + 32 + 16 <= OVERHEAD);
}

/// Something of this size: bytes of content, of its name, of its sender's, in which dialect, in how many copies.
#[derive(Clone, Debug)]
struct Size(usize, Option<usize>, Option<usize>, bool, usize);

impl Size {
    fn draft(&self, number: usize) -> Draft {
        let content = "x".repeat(self.0);
        if !self.3 {
            return plain(1, &content);
        }
        let said = with(ClientMessage::new(content), |message| {
            // All different: the number is at the end.
            message.id = self.1.map(|len| format!("{number:0>len$}"));
            message.sender = self.2.map(|len| Sender::new("x".repeat(len)));
        });
        Draft::message(&author(1), said)
    }

    /// What its names cost at least.
    fn names(&self) -> usize {
        if !self.3 {
            return 0;
        }
        let id = self.1.map_or(0, |len| len + size_of::<(Named, Place)>());
        id + self.2.map_or(0, |len| len + size_of::<Author>())
    }
}

fn size() -> impl Strategy<Value = Size> {
    let name = || prop::option::of(4_usize..64);
    (1_usize..400, name(), name(), any::<bool>(), 1_usize..3)
        .prop_map(|(len, id, sender, is_rich, copies)| Size(len, id, sender, is_rich, copies))
}

proptest! {
    #[test]
    fn a_log_is_the_newest_part_of_all_that_was_entered(
        sizes in prop::collection::vec(size(), 0..100),
        entries in 1_usize..20,
        bytes in 1_usize..6000,
        cursor in 0_usize..110,
        limit in 1_usize..2000,
    ) {
        let mut log = log(entries, bytes);
        let (mut lens, mut costs) = (Vec::new(), Vec::new());
        // Those that are held, and how many names are kept of those that have gone: as many as are held.
        let (mut held, mut gone) = (VecDeque::new(), 0);
        for (size, number) in sizes.iter().zip(1..) {
            let before = log.cost_so_far();
            let entered = log.enter(size.draft(number), 7, size.4).unwrap();
            prop_assert_eq!((entered.place.seq, entered.is_new), (number as u64, true));
            let len = newest(&log).frame.len();
            let names = newest(&log).names_cost();
            prop_assert!(names >= size.names());
            prop_assert_eq!(names > 0, size.names() > 0);
            let cost = len * size.4 + names + OVERHEAD;
            prop_assert_eq!(log.cost_so_far() - before, cost as u64);
            lens.push(len);
            costs.push(cost);
            held.push_back(size.1.is_some() && size.3);
            while held.len() > log.entries.len() {
                if held.pop_front().unwrap() {
                    gone = held.len().min(gone + 1);
                }
            }
        }
        let kept = lens.len() - usize::try_from(log.tail()).unwrap();
        let cost = |kept: usize| costs.iter().rev().take(kept).sum::<usize>();
        prop_assert!(kept <= entries);
        prop_assert!(kept <= 1 || cost(kept) <= bytes);
        prop_assert!(
            kept == lens.len() || kept == entries || cost(kept + 1) > bytes,
            "no more is let go than must be"
        );
        let is_named = |size: &&Size| size.1.is_some() && size.3;
        let named = sizes.iter().rev().take(kept).filter(is_named).count();
        prop_assert_eq!((log.ids.len(), log.gone.len()), (named + gone, gone), "names are forgotten some time after");

        match read(&log, cursor as Seq, limit) {
            Err(Overrun) => prop_assert!(cursor < lens.len() - kept),
            Ok(read) => {
                prop_assert!(cursor >= lens.len() - kept);
                let read = read.iter().map(|entry| entry.place.seq).collect::<Vec<_>>();
                let all = (cursor + 1..=lens.len()).map(|seq| seq as u64).collect::<Vec<_>>();
                prop_assert!(all.starts_with(&read));
                prop_assert!(!read.is_empty() || all.is_empty());
                let size = |count: usize| lens.iter().skip(cursor).take(count).sum::<usize>();
                prop_assert!(read.len() <= 1 || size(read.len()) <= limit);
                prop_assert!(read.len() == all.len() || size(read.len() + 1) > limit);
            }
        }
    }

    #[test]
    fn places_are_counted_without_holes_and_time_never_goes_back(
        steps in prop::collection::vec((0_u64..1000, 0_usize..4), 1..40),
    ) {
        let mut log = log(8, 1 << 20);
        let (mut seq, mut time) = (0, 0);
        for (now, kind) in steps {
            let draft = match kind {
                0 => plain(1, "x"),
                1 => message(2, Some("named"), "x"),
                2 => edit(1, None, 0),
                _ => delete(1, None, log.newest() + 1),
            };
            match log.enter(draft, now, 1) {
                Ok(Entered { place, is_new: true }) => {
                    seq += 1;
                    time = now.max(time);
                    prop_assert_eq!(place, Place::new(seq, time));
                    prop_assert_eq!(newest(&log).place, place);
                }
                Ok(Entered { place, .. }) => prop_assert!(place.seq <= seq),
                Err(refused) => prop_assert_eq!(refused, Refused::UnknownTarget),
            }
            prop_assert_eq!(log.newest(), seq);
        }
    }
}

#[test]
fn what_has_a_name_is_entered_once_whatever_comes_under_it_again() {
    let mut log = roomy();
    enter(&mut log, plain(2, "another's")).unwrap();
    let first = log.enter(message(1, Some("a"), "x"), 100, 1).unwrap();
    assert_eq!(first, Entered { place: Place::new(2, 100), is_new: true });
    let cost = log.cost_so_far();
    let again = [
        message(1, Some("a"), "x"),
        message(1, Some("a"), "another text"),
        edit(1, Some("a"), 2),
        edit(1, Some("a"), 77),
        delete(1, Some("a"), 2),
        delete(1, Some("a"), 0),
        delete(1, Some("a"), 1),
        Draft { id: Some("a".into()), ..reply(1, 99) },
    ];
    for draft in again {
        let description = format!("{draft:?}");
        assert_eq!(
            log.enter(draft, 200, 1),
            Ok(Entered { place: first.place, is_new: false }),
            "{description}"
        );
    }
    assert_eq!((log.newest(), log.cost_so_far()), (2, cost));
    assert!(log.message(2).is_ok(), "the delete of the same name deleted nothing");
    assert_eq!(log.find(Origin(1), &"a".into()), Some(first.place));
}

#[test]
fn edits_and_deletes_have_names_too() {
    let mut log = roomy();
    enter(&mut log, message(1, None, "x")).unwrap();
    for (draft, again, seq) in [
        (edit(1, Some("e"), 1), edit(1, Some("e"), 1), 2),
        (delete(1, Some("d"), 1), delete(1, Some("d"), 1), 3),
    ] {
        let first = enter(&mut log, draft).unwrap();
        assert_eq!((first.place.seq, first.is_new), (seq, true));
        let second = enter(&mut log, again);
        assert_eq!(second, Ok(Entered { is_new: false, ..first }), "though its target is deleted by now");
    }
}

#[test]
fn a_name_is_its_authors_alone() {
    let mut log = roomy();
    for (seq, origin) in [(1, 1), (2, 2)] {
        let entered = enter(&mut log, message(origin, Some("a"), "x")).unwrap();
        assert_eq!((entered.place.seq, entered.is_new), (seq, true));
        assert_eq!(log.find(Origin(origin), &"a".into()), Some(entered.place));
    }
    assert_eq!(log.find(Origin(3), &"a".into()), None);
    assert_eq!(log.find(Origin(1), &"b".into()), None);
}

#[test]
fn a_name_is_forgotten_when_as_many_others_have_gone() {
    let mut log = log(8, 1 << 20);
    let first = enter(&mut log, message(1, Some("a"), "x")).unwrap();
    for _ in 0..100 {
        enter(&mut log, plain(2, "nameless")).unwrap();
    }
    for other in 0..8 + 7 {
        assert!(enter(&mut log, message(2, Some(&other.to_string()), "x")).unwrap().is_new);
        let again = enter(&mut log, delete(1, Some("a"), 77));
        assert_eq!(again, Ok(Entered { is_new: false, ..first }), "though the entry has gone");
    }
    assert!(enter(&mut log, message(2, Some("one more"), "x")).unwrap().is_new);
    assert_eq!((log.find(Origin(1), &"a".into()), log.ids.len()), (None, 16));
    let entered = enter(&mut log, message(1, Some("a"), "x")).unwrap();
    assert_eq!((entered.place.seq, entered.is_new), (118, true));
    assert_eq!(log.find(Origin(1), &"a".into()), Some(entered.place));
}

#[test]
fn what_is_refused_leaves_no_name() {
    let mut log = roomy();
    assert_eq!(enter(&mut log, edit(1, Some("a"), 1)), Err(Refused::UnknownTarget));
    assert!(log.ids.is_empty());
    assert!(enter(&mut log, message(1, Some("a"), "x")).unwrap().is_new);
}

#[test]
fn only_a_message_that_is_held_is_changed() {
    for target in [0, 1, HELD.start() - 1, HELD.end() + 1, Seq::MAX] {
        let mut log = full();
        assert_eq!(enter(&mut log, edit(1, None, target)), Err(Refused::UnknownTarget), "{target}");
        assert_eq!(enter(&mut log, delete(1, None, target)), Err(Refused::UnknownTarget), "{target}");
        assert_eq!(log.message(target).err(), Some(Refused::UnknownTarget), "{target}");
        assert_eq!(log.newest(), *HELD.end());
    }
    for target in HELD {
        assert!(enter(&mut full(), edit(1, None, target)).is_ok(), "{target}");
        assert!(enter(&mut full(), delete(1, None, target)).is_ok(), "{target}");
    }
}

#[test]
fn edits_deletes_and_deleted_messages_are_not_changed() {
    let mut log = roomy();
    for draft in [
        message(1, None, "deleted"),
        message(1, None, "edited"),
        edit(1, None, 1),
        edit(1, None, 2),
        delete(1, None, 1),
    ] {
        enter(&mut log, draft).unwrap();
    }
    for target in [1, 3, 4, 5] {
        for origin in [1, 2] {
            assert_eq!(enter(&mut log, edit(origin, None, target)), Err(Refused::UnknownTarget), "{target}");
            assert_eq!(
                enter(&mut log, delete(origin, None, target)),
                Err(Refused::UnknownTarget),
                "{target}"
            );
        }
        assert!(log.message(target).is_err(), "{target}");
    }
    assert_eq!(log.message(2).unwrap().origin, Origin(1));
    assert!(enter(&mut log, edit(1, None, 2)).is_ok(), "as often as one likes");
}

#[test]
fn nobody_changes_what_another_said() {
    let mut log = roomy();
    enter(&mut log, message(1, None, "x")).unwrap();
    assert_eq!(enter(&mut log, edit(2, None, 1)), Err(Refused::NotAllowed));
    assert_eq!(enter(&mut log, delete(2, None, 1)), Err(Refused::NotAllowed));
    assert!(log.message(1).is_ok(), "it is not deleted");
    assert_eq!(log.newest(), 1);
}

#[test]
fn a_reply_may_point_to_whatever_there_ever_was() {
    for target in [0, HELD.end() + 1, Seq::MAX] {
        assert_eq!(enter(&mut full(), reply(2, target)), Err(Refused::UnknownReply), "{target}");
    }
    for target in 1..=*HELD.end() {
        let mut log = full();
        assert!(enter(&mut log, reply(2, target)).is_ok(), "{target}");
        let told = HELD.contains(&target).then(|| "c1".to_owned());
        assert_eq!(target_of_newest(&log), told, "{target}");
    }
}

#[test]
fn it_is_known_who_said_what_an_entry_points_to_if_that_can_still_be_told() {
    let mut log = roomy();
    let by_alice = with(ClientMessage::new("x"), |message| message.sender = Some(Sender::new("alice")));
    enter(&mut log, Draft::message(&author(1), by_alice)).unwrap();
    assert_eq!(target_of_newest(&log), None);
    enter(&mut log, edit(1, None, 1)).unwrap();
    assert_eq!(target_of_newest(&log).unwrap(), "alice");
    for (target, told) in [(1, Some("alice")), (2, None)] {
        enter(&mut log, reply(2, target)).unwrap();
        assert_eq!(target_of_newest(&log).as_deref(), told, "{target}");
    }
    enter(&mut log, reply(3, 3)).unwrap();
    assert_eq!(target_of_newest(&log).unwrap(), "c2", "who said it, not who is quoted");
    enter(&mut log, delete(1, None, 1)).unwrap();
    enter(&mut log, reply(2, 1)).unwrap();
    assert_eq!(target_of_newest(&log), None, "deleted");
    enter(&mut log, reply(2, 6)).unwrap();
    assert_eq!(target_of_newest(&log), None, "a delete");
}

#[test]
fn refusals_have_the_codes_of_the_protocol() {
    for (refused, code) in [
        (Refused::UnknownTarget, "unknown-target"),
        (Refused::UnknownReply, "unknown-target"),
        (Refused::NotAllowed, "not-allowed"),
    ] {
        assert_eq!(refused.code().as_str(), code);
    }
}
