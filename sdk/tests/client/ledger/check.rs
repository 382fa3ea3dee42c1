//! The books side by side.

use std::collections::{BTreeMap, HashMap, HashSet};

use multichat::GapCause;

use super::bridge::{Book, Outcome};

/// All that holds of any room, whatever happened in it.
pub(crate) fn check(books: &[Book]) {
    let logs = logs(books);
    for book in books {
        check_alone(book);
        without_holes(book, &logs);
        gaps_count(book);
    }
    what_was_not_sent_is_nowhere(books);
    what_was_confirmed_is_there(books, &logs);
}

/// What holds of a book for itself, also of one that misses some of the events.
pub(crate) fn check_alone(book: &Book) {
    once_at_most(book);
    in_order(book);
}

type Log = BTreeMap<u64, String>;

/// The logs, put together from what all were told: one entry has one content.
fn logs(books: &[Book]) -> HashMap<&str, Log> {
    let mut logs = HashMap::<_, Log>::new();
    for entry in books.iter().flat_map(|book| &book.heard) {
        let log = logs.entry(&*entry.epoch).or_default();
        let known = log.entry(entry.seq).or_insert_with(|| entry.content.clone());
        assert_eq!(*known, entry.content, "all are told the same at {}", entry.seq);
    }
    // And no message is there twice, in whatever log.
    let mut contents = HashSet::new();
    for (seq, content) in logs.values().flatten() {
        assert!(contents.insert(content), "at {seq} there is {} again", short(content));
    }
    logs
}

fn short(content: &str) -> &str {
    content.get(..20).unwrap_or(content)
}

fn once_at_most(book: &Book) {
    let mut contents = HashSet::new();
    for entry in &book.heard {
        assert!(contents.insert(&entry.content), "{} was told {} twice", book.name, short(&entry.content));
        let is_mine = entry.content.starts_with(&book.name);
        assert_eq!(entry.own, is_mine, "{} takes {} for its own", book.name, short(&entry.content));
    }
}

fn in_order(book: &Book) {
    for two in book.heard.windows(2) {
        let is_later = two[0].epoch != two[1].epoch || two[0].seq < two[1].seq;
        assert!(is_later, "{} was told {} before {}", book.name, two[0].seq, two[1].seq);
    }
}

/// What it said is in the log as it said it. (Not so where the router refuses what is too much, and takes what came
/// behind it.)
pub(crate) fn in_its_order(book: &Book) {
    let seqs: Vec<_> = book.logged().map(|(_, seq)| seq).collect();
    assert!(seqs.is_sorted(), "{} got its messages in at {seqs:?}", book.name);
}

/// Between two entries without a gap in between, it was told everything but what it said itself.
fn without_holes(book: &Book, logs: &HashMap<&str, Log>) {
    for (index, two) in book.heard.windows(2).enumerate() {
        let (last, next) = (&two[0], &two[1]);
        let has_gap = book.gaps.iter().any(|(behind, ..)| *behind == index + 1);
        if has_gap {
            continue;
        }
        assert_eq!(last.epoch, next.epoch, "{} was told of no gap, but of another log", book.name);
        for (seq, content) in logs[&*last.epoch].range(last.seq + 1..next.seq) {
            assert!(content.starts_with(&book.name), "{} was not told {seq}, {}", book.name, short(content));
        }
    }
}

/// What is said to be missing is what is missing.
fn gaps_count(book: &Book) {
    for &(behind, cause, missed) in &book.gaps {
        assert_eq!(missed.is_some(), cause == GapCause::Forgotten);
        let around = (behind.checked_sub(1).and_then(|last| book.heard.get(last)), book.heard.get(behind));
        let (Some(last), Some(next), Some(missed)) = (around.0, around.1, missed) else { continue };
        if last.epoch == next.epoch {
            let between = next.seq - last.seq - 1;
            assert!(missed <= between, "{} misses {missed} of {between}", book.name);
        }
    }
}

fn what_was_not_sent_is_nowhere(books: &[Book]) {
    let heard: HashSet<_> = books.iter().flat_map(|book| &book.heard).map(|entry| &entry.content).collect();
    for (content, outcome) in books.iter().flat_map(|book| &book.outcomes) {
        if let Outcome::NotSent(code) = outcome {
            assert!(!heard.contains(content), "{} was not sent ({code}), and heard", short(content));
        }
    }
}

/// What was confirmed is at its place in one of the logs, unless all others missed it; and nothing else is there.
fn what_was_confirmed_is_there(books: &[Book], logs: &HashMap<&str, Log>) {
    let has_gaps = books.iter().any(|book| !book.gaps.is_empty());
    for (content, seq) in books.iter().flat_map(Book::logged) {
        let places: Vec<_> = logs.values().filter_map(|log| log.get(&seq)).collect();
        let is_there = places.iter().any(|there| *there == content);
        assert!(is_there || has_gaps, "{} was confirmed at {seq}, where {places:?} is", short(content));
        if !is_there {
            let elsewhere = logs.values().flatten().find(|(_, there)| *there == content);
            assert!(
                elsewhere.is_none(),
                "{} was confirmed at {seq}, and is at {elsewhere:?}",
                short(content)
            );
        }
    }
}
