//! Passes.

use multichat::protocol::Place;
use proptest::prelude::*;

use super::*;
use crate::room::{
    Draft,
    tests::drafts::{delete, edit, message, plain},
};

/// Those whose number is even speak the plain dialect, the others the rich one.
const ORIGINS: u64 = 4;

#[derive(Clone, Debug)]
enum Said {
    Message,
    Edit,
    Delete,
}

/// What is said, by whom, and whether it is given a name.
type Saying = (u64, Said, bool);

fn saying() -> impl Strategy<Value = Saying> {
    let said = prop_oneof![4 => Just(Said::Message), 1 => Just(Said::Edit), 2 => Just(Said::Delete)];
    (0..ORIGINS, said, any::<bool>())
}

fn draft((origin, said, is_named): &Saying, seq: Seq) -> Draft {
    let id = format!("id{seq}");
    let id = is_named.then_some(id.as_str());
    match said {
        _ if origin % 2 == 0 => plain(*origin, &seq.to_string()),
        Said::Message => message(*origin, id, &seq.to_string()),
        Said::Edit => edit(*origin, id, 1),
        Said::Delete => delete(*origin, id, 1),
    }
}

fn pass(start: Seq, sayings: &[Saying]) -> Pass {
    let entry = |(saying, seq)| Arc::new(Entry::new(draft(saying, seq), Place::new(seq, 7), None));
    Pass::new(start, 0, sayings.iter().zip(start + 1..).map(entry).collect()).unwrap()
}

fn viewpoint(origin: u64) -> Viewpoint {
    let dialect = if origin.is_multiple_of(2) { Dialect::Plain } else { Dialect::Rich };
    Viewpoint { dialect, origin: Origin(origin), hears: true }
}

/// What a reader is due of the entries after `from` up to `to`.
fn due(pass: &Pass, reader: Viewpoint, from: Seq, to: Seq) -> String {
    let entries = pass.entries.iter().filter(|entry| entry.place.seq > from && entry.place.seq <= to);
    let due = entries.flat_map(|entry| {
        if entry.origin == reader.origin {
            entry.ack().unwrap_or_default()
        } else {
            entry.frame(reader.dialect).clone()
        }
    });
    String::from_utf8_lossy(&due.collect::<Vec<_>>()).into_owned()
}

/// Drives a reader over the pass through a socket that takes so many bytes at each write. At each step it must
/// have been told what its cursor says.
fn drive(pass: &Pass, reader: Viewpoint, from: Seq, takes: &[usize]) -> Result<(), TestCaseError> {
    let mut takes = takes.iter().copied().chain(std::iter::repeat(usize::MAX));
    let mut cursor = from;
    let mut written = Vec::new();
    let mut begun = 0;
    while let Some(piece) = pass.next(reader, cursor) {
        let before = cursor;
        match piece {
            Piece::Run(run) => {
                prop_assert!(!run.is_empty());
                let len = run.len().min(takes.next().unwrap());
                written.extend_from_slice(&pass.bytes(reader.dialect)[run.start..run.start + len]);
                begun += pass.frames_in(reader.dialect, run.start..run.start + len);
                let stop = pass.stop_at(reader.dialect, run.start + len);
                written.extend_from_slice(&stop.rest);
                prop_assert!(!stop.rest.is_empty() || len > 0);
                cursor = stop.cursor;
            }
            Piece::Acks { frames, through } => {
                prop_assert!(!frames.is_empty());
                written.extend_from_slice(&frames);
                cursor = through;
            }
        }
        prop_assert!(cursor > before && cursor <= pass.end());
        prop_assert_eq!(String::from_utf8_lossy(&written), due(pass, reader, from, cursor));
        let told = pass.entries.iter().filter(|entry| {
            let is_between = entry.place.seq > from && entry.place.seq <= cursor;
            is_between && entry.origin != reader.origin && !entry.frame(reader.dialect).is_empty()
        });
        prop_assert_eq!(begun, told.count());
    }
    prop_assert_eq!(String::from_utf8_lossy(&written), due(pass, reader, from, pass.end()));
    Ok(())
}

#[test]
fn a_single_entry_is_not_copied() {
    for saying in [(0, Said::Message, false), (1, Said::Message, true)] {
        let pass = pass(4, &[saying]);
        for dialect in [Dialect::Plain, Dialect::Rich] {
            assert_eq!(pass.bytes(dialect).as_ptr(), pass.entries[0].frame(dialect).as_ptr());
        }
    }
}

#[test]
fn the_joined_frames_are_made_once() {
    let pass = pass(0, &[(0, Said::Message, false), (1, Said::Message, true)]);
    for dialect in [Dialect::Plain, Dialect::Rich] {
        assert_eq!(pass.bytes(dialect).as_ptr(), pass.bytes(dialect).as_ptr());
    }
}

#[test]
fn what_is_left_of_a_frame_does_not_keep_the_joined_buffer() {
    let pass = pass(6, &[(1, Said::Message, false), (1, Said::Message, false), (1, Said::Message, false)]);
    for dialect in [Dialect::Plain, Dialect::Rich] {
        let [first, second, _] = &pass.entries[..] else { panic!("three entries") };
        let [first, second] = [first.frame(dialect), second.frame(dialect)];
        let stop = pass.stop_at(dialect, first.len() + 1);
        assert_eq!(stop, Stop { cursor: 8, rest: second.slice(1..) });
        assert_eq!(stop.rest.as_ptr(), second[1..].as_ptr());
        let stop = pass.stop_at(dialect, first.len());
        assert_eq!(stop, Stop { cursor: 7, rest: Bytes::new() });
    }
}

#[test]
fn what_comes_between_two_own_entries_is_one_piece() {
    let other = (3, Said::Message, true);
    let own = (1, Said::Message, false);
    let pass = pass(0, &[other.clone(), other.clone(), own, other.clone(), (0, Said::Message, false), other]);
    let bytes = pass.bytes(Dialect::Rich).len();
    let own = pass.entries[..3].iter().map(|entry| entry.frame(Dialect::Rich).len()).collect::<Vec<_>>();
    let begin = own[0] + own[1];
    assert_eq!(pass.next(viewpoint(1), 0), Some(Piece::Run(0..begin)));
    assert_eq!(pass.next(viewpoint(1), 2), Some(Piece::Run(begin + own[2]..bytes)));
    assert_eq!(pass.next(viewpoint(1), 6), None);
    assert_eq!(pass.next(viewpoint(1), 100), None, "for who is ahead of the pass already");
}

#[test]
fn a_plain_reader_is_told_nothing_of_deletes() {
    let pass = pass(0, &[(1, Said::Delete, true), (1, Said::Delete, false)]);
    assert_eq!(pass.next(viewpoint(0), 0), None);
    assert!(pass.bytes(Dialect::Plain).is_empty());
    assert!(matches!(pass.next(viewpoint(3), 0), Some(Piece::Run(_))));
}

#[test]
fn acks_come_in_pieces_of_bounded_size() {
    let sayings = (0..300).map(|i| (1, Said::Message, i % 3 > 0)).collect::<Vec<_>>();
    let pass = pass(10, &sayings);
    let (mut cursor, mut pieces) = (10, 0);
    while let Some(Piece::Acks { frames, through }) = pass.next(viewpoint(1), cursor) {
        assert!(frames.len() < ACKS_BYTES + 128, "{} bytes", frames.len());
        assert!(frames.len() >= ACKS_BYTES || pass.next(viewpoint(1), through).is_none());
        cursor = through;
        pieces += 1;
    }
    assert!(pieces > 1);
    drive(&pass, viewpoint(1), 10, &[]).unwrap();
}

#[test]
fn a_pass_tells_who_is_behind_it_and_who_has_lost_something() {
    let entry = Arc::new(Entry::new(plain(0, "x"), Place::new(8, 7), None));
    assert!(Pass::new(7, 5, Vec::new()).is_none());
    let pass = Pass::new(7, 5, vec![entry]).unwrap();
    assert_eq!([6, 7, 8].map(|cursor| pass.leaves_behind(cursor)), [true, false, false]);
    assert_eq!([4, 5, 6].map(|cursor| pass.has_overrun(cursor)), [true, false, false]);
    assert_eq!(pass.end(), 8);
}

proptest! {
    #[test]
    fn every_reader_gets_what_is_beyond_its_cursor_and_acks_of_its_own(
        start in 0_u64..1000,
        sayings in prop::collection::vec(saying(), 1..30),
        skip in 0_u64..32,
        takes in prop::collection::vec(1_usize..300, 0..20),
    ) {
        let pass = pass(start, &sayings);
        prop_assert_eq!(pass.end(), start + sayings.len() as u64);
        // One who said nothing of it too, in each dialect.
        for origin in 0..ORIGINS + 2 {
            drive(&pass, viewpoint(origin), (start + skip).min(pass.end()), &takes)?;
        }
    }
}
