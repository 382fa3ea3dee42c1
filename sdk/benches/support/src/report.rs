//! The table: each figure beside its yardstick and its aim.

use std::{
    error::Error,
    fmt::{self, Display, Formatter},
    ops::AddAssign,
};

use super::rounds::QUIET;

/// What went wrong, and how much went right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Messages and acks that came.
    pub delivered: u64,
    /// Those that never came.
    pub lost: u64,
    /// Those that came again, or that nobody sent.
    pub doubled: u64,
    /// Those that came after a later one.
    pub misordered: u64,
}

impl Tally {
    /// Whether every delivery was made once and in order.
    pub const fn is_clean(&self) -> bool {
        self.lost + self.doubled + self.misordered == 0
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.delivered += other.delivered;
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.misordered += other.misordered;
    }
}

impl Display for Tally {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { delivered, lost, doubled, misordered } = self;
        write!(f, "{delivered} deliveries: lost {lost}, doubled {doubled}, misordered {misordered}")
    }
}

/// What is hoped for of a figure.
#[derive(Clone, Copy, Debug)]
pub enum Aim {
    /// Nothing; it is told for interest.
    None,
    /// At most so many times what it is compared with.
    Times(f64),
    /// At least so many times what it is compared with.
    AtLeastTimes(f64),
    /// At most this, in the figure's own unit.
    AtMost(f64),
    /// At least this.
    AtLeast(f64),
}

/// One line of the table.
#[derive(Clone, Debug)]
pub struct Figure {
    what: String,
    unit: &'static str,
    value: f64,
    /// What it is compared with, and that one's name.
    compared: Option<(f64, &'static str)>,
    aim: Aim,
}

impl Figure {
    /// A figure by itself.
    pub fn alone(what: impl Into<String>, unit: &'static str, value: f64, aim: Aim) -> Self {
        Self { what: what.into(), unit, value, compared: None, aim }
    }

    /// A figure beside another, which has a name.
    pub fn beside(
        what: impl Into<String>,
        unit: &'static str,
        value: f64,
        compared: (f64, &'static str),
        aim: Aim,
    ) -> Self {
        Self { what: what.into(), unit, value, compared: Some(compared), aim }
    }

    fn ratio(&self) -> Option<f64> {
        self.compared.map(|(other, _)| self.value / other)
    }

    /// Whether the aim is met, if there is one.
    fn met(&self) -> Option<bool> {
        match self.aim {
            Aim::None => None,
            Aim::Times(most) => Some(self.ratio().is_some_and(|ratio| ratio <= most)),
            Aim::AtLeastTimes(least) => Some(self.ratio().is_some_and(|ratio| ratio >= least)),
            Aim::AtMost(most) => Some(self.value <= most),
            Aim::AtLeast(least) => Some(self.value >= least),
        }
    }

    fn print(&self, row: &str) {
        let other = self.compared.map_or(String::new(), |(value, name)| format!("{} {name}", digits(value)));
        let ratio = self.ratio().map_or(String::new(), |ratio| format!("{ratio:.2}"));
        let aim = match self.aim {
            Aim::None => String::new(),
            Aim::Times(most) => format!("≤ {most} ×"),
            Aim::AtLeastTimes(least) => format!("≥ {least} ×"),
            Aim::AtMost(most) => format!("≤ {most}"),
            Aim::AtLeast(least) => format!("≥ {least}"),
        };
        let met = self.met().map_or("", |met| if met { "met" } else { "NOT MET" });
        let what = format!("{}, {}", self.what, self.unit);
        let value = digits(self.value);
        println!("{row:<28} {what:<40} {value:>8} {other:>17} {ratio:>6} {aim:>9}  {met}");
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

/// What a row has to say.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Its lines.
    pub figures: Vec<Figure>,
    /// What came of all rounds.
    pub tally: Tally,
    /// How much of the two cores' time others had, in the worst of the rounds that count.
    pub others: f64,
}

/// What came of the whole run.
#[derive(Debug)]
pub(crate) struct Report {
    tally: Tally,
    met: usize,
    aims: usize,
    failed: Vec<String>,
}

impl Report {
    /// Prints the head of the table.
    pub(crate) fn new(subject: &str) -> Self {
        println!(
            "{:<28} {:<40} {subject:>8} {:>17} {:>6} {:>9}",
            "work", "figure", "yardstick", "ratio", "aim"
        );
        rule();
        Self { tally: Tally::default(), met: 0, aims: 0, failed: Vec::new() }
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
    pub(crate) fn failure(&mut self, title: &str, error: &dyn Error) {
        println!("{title:<28} FAILED: {error}");
        self.failed.push(title.to_owned());
    }

    /// Prints the sum of it all. Says whether every delivery was right and every program well.
    pub(crate) fn end(self) -> bool {
        rule();
        println!("{} of {} aims met", self.met, self.aims);
        println!("{}", self.tally);
        for title in &self.failed {
            println!("wrong: {title}");
        }
        self.failed.is_empty()
    }
}

fn rule() {
    println!("{}", "-".repeat(122));
}
