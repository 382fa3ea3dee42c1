//! The ledger: a figure is worth nothing if the messages behind it did not all come, once each and in order.

use multichat_bench::Tally;

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
        self.tally.delivered += 1;
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
