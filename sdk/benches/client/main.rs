//! The native client's benchmark: what it costs beside a loop that does the same work by hand.
//!
//! ```text
//! cargo bench -p multichat --bench client -- [OPTIONS] [ROW…]
//! ```
//!
//! The client runs in a process of its own on one core; the router's part is played by this process, on another,
//! with frames that are ready-made (see [`peer`]). Every figure is compared with a yardstick (see [`raw`]), which is
//! measured in the same run, by turns with the client, so that a slow or a noisy machine is slow and noisy for both.
//! The figures are medians of several rounds, each in a process started anew. Rows are chosen by any part of their
//! names.
//!
//! It says whether the aims are met, but that is no reason to fail: it is a benchmark. It fails when a message was
//! lost, doubled or out of order.

#![allow(clippy::cast_precision_loss, reason = "three digits are shown")]

#[cfg(target_os = "linux")]
mod ledger;
#[cfg(target_os = "linux")]
mod peer;
#[cfg(target_os = "linux")]
mod process;
#[cfg(target_os = "linux")]
mod raw;
#[cfg(target_os = "linux")]
mod report;
#[cfg(target_os = "linux")]
mod rows;
#[cfg(target_os = "linux")]
mod sdk;
#[cfg(target_os = "linux")]
mod subject;
#[cfg(target_os = "linux")]
mod wire;

/// What goes wrong ends the round, and is told.
#[cfg(target_os = "linux")]
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("this benchmark needs /proc: it runs on Linux only");
}

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    use std::process::ExitCode;

    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match linux::run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::time::Instant;

    use super::{
        Result,
        process::{self, Cores, Place},
        report::Report,
        rows::{self, Bench},
        subject,
    };

    const USAGE: &str = "cargo bench -p multichat --bench client -- [--quick] [--verbose] [--list] [ROW…]
  --quick    one short round of each: whether it works, not how well
  --verbose  prints the figures of each round as well
  --list     print the names of the rows
  ROW        only rows whose names contain this";

    pub(super) fn run(arguments: &[String]) -> Result<bool> {
        if let [first, rest @ ..] = arguments
            && first == subject::COMMAND
        {
            subject::run(rest)?;
            return Ok(true);
        }
        let (mut quick, mut verbose, mut wanted) = (false, false, Vec::new());
        for argument in arguments {
            match argument.as_str() {
                "--quick" => quick = true,
                "--verbose" => verbose = true,
                "--list" => {
                    for row in rows::ALL {
                        println!("{:<16} {}", row.name, row.title);
                    }
                    return Ok(true);
                }
                // What `cargo bench` adds.
                "--bench" => {}
                "--help" => {
                    println!("{USAGE}");
                    return Ok(true);
                }
                option if option.starts_with('-') => return Err(USAGE.into()),
                name => wanted.push(name.to_owned()),
            }
        }
        // A run of all tests may start this too, with nothing, and that is not the moment.
        if arguments.is_empty() {
            println!("nothing measured: run it with\n{USAGE}");
            return Ok(true);
        }
        let cores = Cores::pick()?;
        cores.enter(Place::Peer)?;
        process::raise_file_limit();
        let bench = Bench { cores, quick, verbose };
        let start = Instant::now();
        let mut report = Report::default();
        Report::head();
        for row in rows::ALL {
            if wanted.is_empty() || wanted.iter().any(|part| row.name.contains(part.as_str())) {
                match bench.measure(row) {
                    Ok(outcome) => report.row(row.title, &outcome),
                    Err(error) => report.failure(row.title, error.as_ref()),
                }
            }
        }
        println!("{:.0} s in all", start.elapsed().as_secs_f64());
        Ok(report.end())
    }
}
