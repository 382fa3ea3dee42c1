//! The ledger: a figure is worth nothing if the messages behind it did not all come, once each and in order.

use std::{
    fmt::{self, Display, Formatter},
    ops::AddAssign,
};

/// What went wrong, and how much went right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) came: u64,
    pub(crate) lost: u64,
    pub(crate) doubled: u64,
    pub(crate) misordered: u64,
}

impl Tally {
    /// Whether everything came once and in order.
    pub(crate) fn is_clean(&self) -> bool {
        self.lost + self.doubled + self.misordered == 0
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.came += other.came;
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.misordered += other.misordered;
    }
}

impl Display for Tally {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { came, lost, doubled, misordered } = self;
        write!(f, "{came} messages and acks: lost {lost}, doubled {doubled}, misordered {misordered}")
    }
}

/// Numbers from 0 on, each of which is to come once, in order.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    next: u64,
    /// Numbers that were passed over: lost, unless they come late.
    missing: Vec<u64>,
    tally: Tally,
}

impl Ledger {
    pub(crate) fn enter(&mut self, number: u64) {
        self.tally.came += 1;
        if number == self.next {
            self.next += 1;
        } else if number > self.next {
            self.missing.extend(self.next..number);
            self.next = number + 1;
        } else if let Some(place) = self.missing.iter().position(|missing| *missing == number) {
            self.missing.swap_remove(place);
            self.tally.misordered += 1;
        } else {
            self.tally.doubled += 1;
        }
    }

    /// At the end, when so many should have come; what came beyond them was sent by nobody.
    pub(crate) fn close(self, count: u64) -> Tally {
        let lost = self.missing.len() as u64 + count.saturating_sub(self.next);
        let invented = self.next.saturating_sub(count);
        Tally { lost, doubled: self.tally.doubled + invented, ..self.tally }
    }
}
