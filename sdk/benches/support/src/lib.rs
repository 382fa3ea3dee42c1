//! What the benchmarks of the router and of the client have in common.
//!
//! What is measured runs on one core, and the other side of it on another. Every figure that is compared is compared
//! with a yardstick that is measured in the same run, by turns, so that a slow or a noisy machine is slow and noisy for
//! both. The figures are medians of several rounds, each in a process started anew.
//!
//! A benchmark says whether the aims are met, but that is no reason to fail. It fails when something was lost, doubled
//! or out of order, or when a program did not do as it should.

#![cfg(target_os = "linux")]
#![allow(clippy::cast_precision_loss, reason = "three digits are shown")]

mod cores;
mod report;
mod rounds;

use std::{error::Error, time::Instant};

pub use cores::{Cores, Place, Watch, own_cpu, raise_file_limit};
pub use report::{Aim, Figure, Outcome, Tally};
pub use rounds::{by_turns, median};

/// What goes wrong ends the round, and is told.
pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What every benchmark can be asked for.
#[derive(Clone, Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "switches of a command line")]
pub struct Options {
    /// One short round of each: whether it works, not how well
    #[arg(long)]
    pub quick: bool,
    /// Prints the figures of each round as well
    #[arg(long)]
    pub verbose: bool,
    /// Prints the names of the rows
    #[arg(long)]
    list: bool,
    /// What `cargo bench` adds.
    #[arg(long, hide = true)]
    bench: bool,
    /// Only rows whose names contain one of these
    #[arg(value_name = "ROW")]
    rows: Vec<String>,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row<W> {
    /// What it is chosen by.
    pub name: &'static str,
    /// What it is called in the table.
    pub title: &'static str,
    /// What is done.
    pub work: W,
}

/// Measures what is wanted of the rows, and prints the table, in which what is measured has this name. Says whether
/// all went well.
///
/// A run of all tests may start a benchmark too, with no arguments, and that is not the moment: nothing is measured
/// then.
pub fn run<W>(
    subject: &'static str,
    rows: &[Row<W>],
    options: &Options,
    measure: impl Fn(&Row<W>) -> Result<Outcome>,
) -> bool {
    if std::env::args().len() <= 1 {
        println!("nothing measured: --help says what can be");
        return true;
    }
    if options.list {
        for row in rows {
            println!("{:<16} {}", row.name, row.title);
        }
        return true;
    }
    let start = Instant::now();
    let mut report = report::Report::new(subject);
    let is_wanted =
        |name: &str| options.rows.is_empty() || options.rows.iter().any(|part| name.contains(part));
    for row in rows.iter().filter(|row| is_wanted(row.name)) {
        match measure(row) {
            Ok(outcome) => report.row(row.title, &outcome),
            Err(error) => report.failure(row.title, error.as_ref()),
        }
    }
    println!("{:.0} s in all", start.elapsed().as_secs_f64());
    report.end()
}
