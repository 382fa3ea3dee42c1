//! The table: each figure beside its yardstick and its aim.

use super::{
    ledger::Tally,
    rows::{Outcome, QUIET},
    yardstick::Kind,
};

/// What is hoped for of a figure.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Aim {
    /// Nothing; it is told for interest.
    None,
    /// At most so many times the yardstick's.
    Times(f64),
    /// At most this, in the figure's own unit.
    AtMost(f64),
    /// At least this.
    AtLeast(f64),
    /// At least so many times what it is compared with.
    AtLeastTimes(f64),
}

/// One line of the table.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    pub(crate) what: String,
    pub(crate) unit: &'static str,
    pub(crate) server: f64,
    /// What it is compared with, and that one's name.
    pub(crate) compared: Option<(f64, &'static str)>,
    pub(crate) aim: Aim,
}

impl Figure {
    /// A figure of the server alone.
    pub(crate) fn alone(what: impl Into<String>, unit: &'static str, server: f64, aim: Aim) -> Self {
        Self { what: what.into(), unit, server, compared: None, aim }
    }

    /// A figure beside a yardstick's.
    pub(crate) fn beside(
        what: impl Into<String>,
        unit: &'static str,
        server: f64,
        (yardstick, kind): (f64, Kind),
        aim: Aim,
    ) -> Self {
        Self { what: what.into(), unit, server, compared: Some((yardstick, kind.name())), aim }
    }

    fn ratio(&self) -> Option<f64> {
        self.compared.map(|(other, _)| self.server / other)
    }

    /// Whether the aim is met, if there is one.
    pub(crate) fn met(&self) -> Option<bool> {
        match self.aim {
            Aim::None => None,
            Aim::Times(most) => Some(self.ratio().is_some_and(|ratio| ratio <= most)),
            Aim::AtMost(most) => Some(self.server <= most),
            Aim::AtLeast(least) => Some(self.server >= least),
            Aim::AtLeastTimes(least) => Some(self.ratio().is_some_and(|ratio| ratio >= least)),
        }
    }

    fn print(&self, row: &str) {
        let other = self.compared.map_or(String::new(), |(value, name)| format!("{} {name}", digits(value)));
        let ratio = self.ratio().map_or(String::new(), |ratio| format!("{ratio:.2}"));
        let aim = match self.aim {
            Aim::None => String::new(),
            Aim::Times(most) => format!("≤ {most} ×"),
            Aim::AtMost(most) => format!("≤ {most}"),
            Aim::AtLeast(least) => format!("≥ {least}"),
            Aim::AtLeastTimes(least) => format!("≥ {least} ×"),
        };
        let met = self.met().map_or("", |met| if met { "met" } else { "NOT MET" });
        let what = format!("{}, {}", self.what, self.unit);
        let server = digits(self.server);
        println!("{row:<28} {what:<40} {server:>8} {other:>17} {ratio:>6} {aim:>9}  {met}");
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
            "{:<28} {:<40} {:>8} {:>17} {:>6} {:>9}",
            "work", "figure", "server", "yardstick", "ratio", "aim"
        );
        println!("{}", "-".repeat(122));
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

    /// Prints the sum of it all. Says whether every delivery was right and every program well.
    pub(crate) fn end(self) -> bool {
        println!("{}", "-".repeat(122));
        println!("{} of {} aims met", self.met, self.aims);
        println!("{}", self.tally);
        for title in &self.failed {
            println!("wrong: {title}");
        }
        self.failed.is_empty()
    }
}
