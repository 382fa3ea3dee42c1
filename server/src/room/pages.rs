//! Pages of the log that were read lately. When many clients come back at once they all read the same ones, and who
//! reads slowly comes back to the one in which it stands.

use std::{collections::VecDeque, sync::Arc};

use parking_lot::Mutex;

use super::{log::Seq, pass::Pass};

/// So many pages are kept: those who come back together read on together.
const PAGES: usize = 4;

/// Smaller pages are not worth it. (In the tests of rooms, where little is said, they are.)
const SMALLEST: usize = if cfg!(test) { 256 } else { 16 * 1024 };

/// Larger pages are not kept: one packet may be so large.
const LARGEST: usize = 512 * 1024;

/// The pages. What is in one never changes, so that it is good for ever.
#[derive(Debug, Default)]
pub(super) struct Pages(Mutex<VecDeque<Arc<Pass>>>);

impl Pages {
    /// A page that goes on after `cursor`, if one is kept.
    pub(super) fn find(&self, cursor: Seq) -> Option<Arc<Pass>> {
        let pages = self.0.lock();
        pages.iter().find(|page| !page.leaves_behind(cursor) && cursor < page.end()).cloned()
    }

    /// Keeps a page, if that is worth it, in place of the oldest.
    pub(super) fn keep(&self, page: &Arc<Pass>) {
        if !(SMALLEST..=LARGEST).contains(&page.native_bytes()) {
            return;
        }
        let mut pages = self.0.lock();
        if pages.len() == PAGES {
            pages.pop_front();
        }
        pages.push_back(page.clone());
    }
}

#[cfg(test)]
mod tests {
    use multichat::protocol::Dialect;

    use super::{
        super::{
            Mailbox, Room,
            tests::{drafts::plain, model::room},
        },
        *,
    };

    const PAGE: usize = 2 * SMALLEST;

    fn say(room: &Room, times: usize, len: usize) {
        (0..times).for_each(|_| room.publish(plain(1, &"x".repeat(len)), &Mailbox::new(0)));
    }

    #[test]
    fn a_page_is_made_once_for_all_who_read_it_and_wherever_they_stand_in_it() {
        let room = room(4096, 1 << 30, 1);
        say(&room, 1000, 100);
        let all = room.read(0, usize::MAX).unwrap().unwrap();
        room.pages.0.lock().clear();
        let (mut cursor, mut joined) = (0, Vec::new());
        while cursor < all.end() {
            let page = room.read(cursor, PAGE).unwrap().unwrap();
            if page.native_bytes() >= SMALLEST {
                for within in [cursor, cursor + 1, page.end() - 1] {
                    assert!(Arc::ptr_eq(&page, &room.read(within, PAGE).unwrap().unwrap()));
                }
            }
            joined.extend_from_slice(page.bytes(Dialect::Plain));
            cursor = page.end();
        }
        assert_eq!(joined, all.bytes(Dialect::Plain));
        assert!(room.read(cursor, PAGE).unwrap().is_none(), "no page goes on from here");
        say(&room, 1, 100);
        assert_eq!(room.read(cursor, PAGE).unwrap().unwrap().end(), cursor + 1);
    }

    #[test]
    fn few_pages_are_kept_and_neither_small_nor_large_ones() {
        let room = room(4096, 1 << 30, 1);
        say(&room, 10, LARGEST);
        say(&room, 1, 1);
        room.read(0, 1).unwrap();
        room.read(10, PAGE).unwrap();
        assert!(room.pages.0.lock().is_empty());
        say(&room, 10, SMALLEST);
        for cursor in 11..21 {
            room.read(cursor, 1).unwrap();
        }
        assert_eq!(room.pages.0.lock().len(), PAGES);
    }
}
