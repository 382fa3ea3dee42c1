//! The command line: what it offers, and what becomes of it.

mod check;
mod descriptors;
mod init;
mod key;
mod logs;
mod manager;
mod reload;
mod serve;
mod signals;
mod source;
mod stdout;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

use logs::{Filter, Format, Logs};
use reload::Watch;
use source::Overrides;

/// The multichat router: forwards chat messages between platforms over WebSocket.
#[derive(Debug, Parser)]
#[command(
    name = "multichat-server",
    version,
    max_term_width = 100,
    after_help = "Exit codes: 0 all is well, 1 it could not be done (the address is in use, for example), \
                  2 the configuration or the command line is wrong."
)]
pub(crate) struct Args {
    /// The config file [default: config.json in the working folder, if it is there]
    #[arg(long, global = true, value_name = "PATH", env = "MULTICHAT_CONFIG")]
    config: Option<PathBuf>,
    #[command(flatten)]
    overrides: Overrides,
    /// What to log: off, error, warn, info, debug or trace, also by part, such as
    /// `info,multichat_server=debug`
    #[arg(long, global = true, value_name = "FILTER", env = "MULTICHAT_LOG", default_value = "info")]
    log: Filter,
    /// How to log, to standard error
    #[arg(long, global = true, value_name = "FORMAT", value_enum, env = "MULTICHAT_LOG_FORMAT", default_value_t = Format::Human)]
    log_format: Format,
    /// Whether to look for changes of the config file, the key files and the certificate
    #[arg(long, global = true, value_name = "WHEN", value_enum, env = "MULTICHAT_WATCH", default_value_t = Watch::On)]
    watch: Watch,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Clone, Copy, Debug, Subcommand)]
enum Command {
    /// Serve until SIGINT or SIGTERM; this is what happens without a command
    ///
    /// Without a config file it serves programs on this machine alone, at 127.0.0.1:6780 (or at --host), with a random
    /// key that it prints. The first SIGINT or SIGTERM lets messages on their way arrive and then ends the
    /// server; the second one ends it at once. SIGHUP loads the config file again, and so does a change of
    /// it; nobody is disconnected, but those whose key or room is gone. Without a config file, or when its
    /// terminal is closed, SIGHUP ends the server as SIGTERM does.
    Serve,
    /// Say what the config file means, or what is wrong with it
    ///
    /// Unknown fields are errors here. The key and the certificate are loaded and compared. Nothing is
    /// served.
    Check,
    /// Make a config file with a fresh random key
    ///
    /// It has the --host and the --web-root that are given. An existing file is never touched.
    Init,
    /// Make a random key, and its hash for the config file
    ///
    /// Prints the key, which the client needs, and what to write for its "secret-key" in the config file, so
    /// that nobody learns the key from the file. Each on a line of its own, if standard output is no
    /// terminal. Nothing is kept.
    Key,
}

/// Why a command did not succeed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// The configuration is wrong.
    #[error("{0}")]
    Configuration(String),
    /// Something else is.
    #[error("{0}")]
    Runtime(String),
}

impl Failure {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Runtime(_) => ExitCode::from(1),
            // The same as for a wrong command line.
            Self::Configuration(_) => ExitCode::from(2),
        }
    }
}

/// Does what was asked for.
pub(crate) fn run(args: Args) -> ExitCode {
    let Args { config, overrides, log, log_format, watch, command } = args;
    let logs = Logs::start(&log, log_format);
    let config = config.as_deref();
    let result = match command.unwrap_or(Command::Serve) {
        Command::Serve => serve::serve(config, overrides, watch),
        Command::Check => check::check(config, &overrides),
        Command::Init => init::init(config, &overrides),
        Command::Key => key::key(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            logs.fatal(&failure);
            failure.exit_code()
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
    }
}
