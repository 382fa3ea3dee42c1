//! The router's benchmark: what a delivery costs, beside the least that it could cost.
//!
//! ```text
//! cargo bench -p multichat-server --bench router -- [OPTIONS] [ROW…]
//! ```
//!
//! The clients are all held by one thread (see [`generator`]). The yardsticks are in [`yardstick`]. How it is measured
//! is told in [`multichat_bench`].

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
    use std::path::PathBuf;

    use clap::Parser;
    use multichat_bench::{Cores, Options, Place, Result, raise_file_limit};

    use super::{
        generator::Wait,
        rows::{self, Bench},
        yardstick::{self, Kind},
    };

    /// Measures the router beside the least that the same work can cost.
    #[derive(Debug, Parser)]
    #[command(name = "just bench router")]
    struct Arguments {
        /// Another server to measure, started as `PATH serve --config FILE`
        #[arg(long, value_name = "PATH", default_value = env!("CARGO_BIN_EXE_multichat-server"), hide_default_value = true)]
        server: PathBuf,
        /// Lets the clients sleep while nothing comes (the server then pays for waking them)
        #[arg(long)]
        sleep: bool,
        #[command(flatten)]
        options: Options,
    }

    pub(super) fn run() -> Result<bool> {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        if let [first, kind, port] = &arguments[..]
            && first == "yardstick"
        {
            yardstick::run(Kind::named(kind).ok_or("no such yardstick")?, port.parse()?)?;
            return Ok(true);
        }
        let Arguments { server, sleep, options } = Arguments::parse();
        let cores = Cores::pick()?;
        cores.enter(Place::Other)?;
        let files = raise_file_limit();
        let wait = if sleep { Wait::Sleep } else { Wait::Spin };
        let bench = Bench { server, cores, options, wait, files };
        Ok(multichat_bench::run("server", rows::ALL, &bench.options, |row| (row.work)(&bench)))
    }
}
