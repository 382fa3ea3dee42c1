//! The native client's benchmark: what it costs beside a loop that does the same work by hand.
//!
//! ```text
//! cargo bench -p multichat --bench client -- [OPTIONS] [ROW…]
//! ```
//!
//! The client runs in a process of its own (see [`subject`]); the router's part is played by this process, with frames
//! that are ready-made (see [`peer`]). The yardstick is [`raw`]. How it is measured is told in [`multichat_bench`].

#![allow(clippy::cast_precision_loss, reason = "three digits are shown")]

#[cfg(target_os = "linux")]
mod ledger;
#[cfg(target_os = "linux")]
mod peer;
#[cfg(target_os = "linux")]
mod raw;
#[cfg(target_os = "linux")]
mod rows;
#[cfg(target_os = "linux")]
mod sdk;
#[cfg(target_os = "linux")]
mod subject;
#[cfg(target_os = "linux")]
mod wire;

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("this benchmark needs /proc: it runs on Linux only");
}

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    use std::process::ExitCode;

    match linux::run() {
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
    use clap::Parser;
    use multichat_bench::{Cores, Options, Place, Result, raise_file_limit};

    use super::{
        rows::{self, Bench},
        subject,
    };

    /// Measures the client for Rust beside the same work by hand.
    #[derive(Debug, Parser)]
    #[command(name = "just bench client")]
    struct Arguments {
        #[command(flatten)]
        options: Options,
    }

    pub(super) fn run() -> Result<bool> {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        if let [first, rest @ ..] = &arguments[..]
            && first == subject::COMMAND
        {
            subject::run(rest)?;
            return Ok(true);
        }
        let Arguments { options } = Arguments::parse();
        let cores = Cores::pick()?;
        cores.enter(Place::Other)?;
        raise_file_limit();
        let bench = Bench { cores, options };
        Ok(multichat_bench::run("client", rows::ALL, &bench.options, |row| bench.measure(row.work)))
    }
}
