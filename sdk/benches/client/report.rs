//! The table: each figure beside its yardstick and its aim.

use super::{
    ledger::Tally,
    rows::{Outcome, QUIET},
    subject::Kind,
};

/// What is hoped for of a figure.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Aim {
    /// Nothing; it is told for interest.
    None,
    /// At most so many times the yardstick's.
    Times(f64),
    /// At least so many times the yardstick's.
    AtLeastTimes(f64),
    /// At most this, in the figure's own unit.
    AtMost(f64),
}

/// One line of the table.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    pub(crate) what: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) client: f64,
    /// What it is compared with, and by what that was done.
    pub(crate) compared: Option<(f64, Kind)>,
    pub(crate) aim: Aim,
}

impl Figure {
    fn ratio(&self) -> Option<f64> {
        self.compared.map(|(other, _)| self.client / other)
    }

    /// Whether the aim is met, if there is one.
    fn met(&self) -> Option<bool> {
        match self.aim {
            Aim::None => None,
            Aim::Times(most) => Some(self.ratio().is_some_and(|ratio| ratio <= most)),
            Aim::AtLeastTimes(least) => Some(self.ratio().is_some_and(|ratio| ratio >= least)),
            Aim::AtMost(most) => Some(self.client <= most),
        }
    }

    fn print(&self, row: &str) {
        let other =
            self.compared.map_or(String::new(), |(value, kind)| format!("{} {}", digits(value), kind.name()));
        let ratio = self.ratio().map_or(String::new(), |ratio| format!("{ratio:.2}"));
        let aim = match self.aim {
            Aim::None => String::new(),
            Aim::Times(most) => format!("≤ {most} ×"),
            Aim::AtLeastTimes(least) => format!("≥ {least} ×"),
            Aim::AtMost(most) => format!("≤ {most}"),
        };
        let met = self.met().map_or("", |met| if met { "met" } else { "NOT MET" });
        let what = format!("{}, {}", self.what, self.unit);
        let client = digits(self.client);
        println!("{row:<28} {what:<36} {client:>8} {other:>12} {ratio:>6} {aim:>9}  {met}");
    }
}

/// Three digits that matter.
fn digits(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// What came of the whole run.
#[derive(Debug, Default)]
pub(crate) struct Report {
    tally: Tally,
    met: usize,
    aims: usize,
    failed: Vec<String>,
}

impl Report {
    /// Prints the head of the table.
    pub(crate) fn head() {
        println!(
            "{:<28} {:<36} {:>8} {:>12} {:>6} {:>9}",
            "work", "figure", "client", "yardstick", "ratio", "aim"
        );
        println!("{}", "-".repeat(113));
    }

    /// Prints the lines of one row.
    pub(crate) fn row(&mut self, title: &str, outcome: &Outcome) {
        for (line, figure) in outcome.figures.iter().enumerate() {
            figure.print(if line == 0 { title } else { "" });
            self.aims += usize::from(figure.met().is_some());
            self.met += usize::from(figure.met() == Some(true));
        }
        let tally = outcome.tally;
        let wrong = if tally.is_clean() { "" } else { "   <-- WRONG" };
        let others = outcome.others * 100.0;
        let noisy = if outcome.others < QUIET { "" } else { " (NOISY)" };
        println!("{:<28} {tally}{wrong}; others had {others:.1} % of the cores{noisy}", "");
        self.tally += tally;
        if !tally.is_clean() {
            self.failed.push(title.to_owned());
        }
    }

    /// Notes a row that could not be measured.
    pub(crate) fn failure(&mut self, title: &str, error: &dyn std::error::Error) {
        println!("{title:<28} FAILED: {error}");
        self.failed.push(title.to_owned());
    }

    /// Prints the sum of it all. Says whether everything came, once and in order.
    pub(crate) fn end(self) -> bool {
        println!("{}", "-".repeat(113));
        println!("{} of {} aims met", self.met, self.aims);
        println!("{}", self.tally);
        for title in &self.failed {
            println!("wrong: {title}");
        }
        self.failed.is_empty()
    }
}
