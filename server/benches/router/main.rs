//! The router's benchmark: what a delivery costs, beside the least that it could cost.
//!
//! ```text
//! cargo bench -p multichat-server --bench router -- [OPTIONS] [ROW…]
//! ```
//!
//! The server runs on one core and the clients, all held by one thread, on another. Every figure that is
//! compared is compared with a yardstick (see [`yardstick`]) that is measured in the same run, by turns
//! with the server, so that a slow or a noisy machine is slow and noisy for both. The figures are medians
//! of several rounds, each against a program started anew. Rows are chosen by any part of their names.
//!
//! It says whether the aims are met, but that is no reason to fail: it is a benchmark. It fails when a
//! delivery was lost, doubled or out of order, or when a program did not do as it should.

#![allow(clippy::cast_possible_truncation, reason = "benchmark figures are far below any of the limits")]
#![allow(clippy::cast_precision_loss, reason = "three digits are shown")]
#![allow(clippy::cast_sign_loss, reason = "counts and durations are not negative")]
#![allow(clippy::cast_possible_wrap, reason = "timeouts are short")]

#[cfg(target_os = "linux")]
mod client;
#[cfg(target_os = "linux")]
mod fanout;
#[cfg(target_os = "linux")]
mod generator;
#[cfg(target_os = "linux")]
mod ledger;
#[cfg(target_os = "linux")]
mod lifetime;
#[cfg(target_os = "linux")]
mod presence;
#[cfg(target_os = "linux")]
mod process;
#[cfg(target_os = "linux")]
mod report;
#[cfg(target_os = "linux")]
mod returns;
#[cfg(target_os = "linux")]
mod rows;
#[cfg(target_os = "linux")]
mod wire;
#[cfg(target_os = "linux")]
mod yardstick;

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("this benchmark needs epoll and /proc: it runs on Linux only");
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
    use std::{path::PathBuf, time::Instant};

    use super::{
        generator::{Result, Wait},
        process::{self, Cores, Place},
        report::Report,
        rows::{self, Bench},
        yardstick::{self, Kind},
    };

    const USAGE: &str = "cargo bench -p multichat-server --bench router -- \
        [--quick] [--verbose] [--server PATH] [--sleep] [--list] [ROW…]
  --quick        one short round of each: whether it works, not how well
  --verbose      prints the figures of each round as well
  --server PATH  another server to measure, started as `PATH serve --config FILE`
  --sleep        let the clients sleep while nothing comes (the server then pays for waking them)
  --list         print the names of the rows
  ROW            only rows whose names contain this";

    pub(super) fn run(arguments: &[String]) -> Result<bool> {
        if let [first, kind, port] = arguments
            && first == "yardstick"
        {
            yardstick::run(Kind::named(kind).ok_or(USAGE)?, port.parse()?)?;
            return Ok(true);
        }
        let mut server = PathBuf::from(env!("CARGO_BIN_EXE_multichat-server"));
        let (mut quick, mut verbose, mut wait, mut wanted) = (false, false, Wait::Spin, Vec::new());
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            match argument.as_str() {
                "--quick" => quick = true,
                "--verbose" => verbose = true,
                "--sleep" => wait = Wait::Sleep,
                "--server" => server = rest.next().ok_or(USAGE)?.into(),
                "--list" => {
                    for row in rows::ALL {
                        println!("{:<16} {}", row.name, row.title);
                    }
                    return Ok(true);
                }
                // What `cargo bench` adds.
                "--bench" => {}
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
        cores.enter(Place::Generator)?;
        let files = process::raise_file_limit();
        let bench = Bench { server, cores, quick, verbose, wait, files };
        let start = Instant::now();
        let mut report = Report::default();
        Report::head();
        for row in rows::ALL {
            if wanted.is_empty() || wanted.iter().any(|part| row.name.contains(part.as_str())) {
                match (row.measure)(&bench) {
                    Ok(outcome) => report.row(row.title, &outcome),
                    Err(error) => report.failure(row.title, error.as_ref()),
                }
            }
        }
        println!("{:.0} s in all", start.elapsed().as_secs_f64());
        Ok(report.end())
    }
}
