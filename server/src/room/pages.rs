//! Pages of the log that were read lately. When many clients come back at once they all read the same ones.

use std::{collections::VecDeque, sync::Arc};

use parking_lot::Mutex;

use super::{log::Seq, pass::Pass};

/// So many pages are kept: those who come back together read on together.
const PAGES: usize = 4;

/// Larger pages are not kept.
const LARGEST: usize = 256 * 1024;

/// The pages. What is in one never changes, so that it is good for ever.
#[derive(Debug, Default)]
pub(super) struct Pages(Mutex<VecDeque<Page>>);

#[derive(Debug)]
struct Page {
    start: Seq,
    /// How many bytes were asked for.
    bytes: usize,
    pass: Arc<Pass>,
}

impl Pages {
    /// The page after `start`, of so many bytes, if it is kept.
    pub(super) fn find(&self, start: Seq, bytes: usize) -> Option<Arc<Pass>> {
        let pages = self.0.lock();
        let page = pages.iter().find(|page| (page.start, page.bytes) == (start, bytes))?;
        Some(page.pass.clone())
    }

    /// Keeps a page that is full: as many bytes of the log, in the order of the log, as were asked for.
    pub(super) fn keep(&self, start: Seq, bytes: usize, pass: &Arc<Pass>) {
        if pass.native_bytes() > LARGEST {
            return;
        }
        let mut pages = self.0.lock();
        if pages.len() == PAGES {
            pages.pop_front();
        }
        pages.push_back(Page { start, bytes, pass: pass.clone() });
    }
}

#[cfg(test)]
mod tests {
    use multichat::protocol::Dialect;

    use super::{
        super::{
            Mailbox,
            tests::{drafts::plain, model::room},
        },
        *,
    };

    #[test]
    fn a_page_is_made_once_for_all_who_come_back_and_the_last_one_is_not_kept() {
        let room = room(4096, 1 << 30, 1);
        let say = |content: &str| room.publish(plain(1, content), &Mailbox::new(0));
        (0..100).for_each(|_| say("something"));
        let all = room.read(0, usize::MAX).unwrap().unwrap();
        let (mut cursor, mut joined) = (0, Vec::new());
        while let Some(page) = room.read(cursor, 1000).unwrap() {
            let again = room.read(cursor, 1000).unwrap().unwrap();
            assert_eq!(Arc::ptr_eq(&page, &again), page.end() < room.newest(), "{cursor}");
            assert!(!Arc::ptr_eq(&page, &room.read(cursor, 999).unwrap().unwrap()));
            joined.extend_from_slice(page.bytes(Dialect::Plain));
            cursor = page.end();
        }
        assert_eq!(joined, all.bytes(Dialect::Plain));
        say("more");
        assert_eq!(room.read(0, usize::MAX).unwrap().unwrap().end(), 101);
    }

    #[test]
    fn few_pages_are_kept_and_no_large_ones() {
        let room = room(4096, 1 << 30, 1);
        (0..10).for_each(|_| room.publish(plain(1, &"x".repeat(LARGEST)), &Mailbox::new(0)));
        room.read(0, 1).unwrap();
        assert!(room.pages.0.lock().is_empty());
        (0..100).for_each(|_| room.publish(plain(1, "small"), &Mailbox::new(0)));
        for cursor in 10..100 {
            room.read(cursor, 1).unwrap();
        }
        assert_eq!(room.pages.0.lock().len(), PAGES);
    }
}
