//! What the tests share: the program, and clients to turn on it.

mod client;
mod folder;
mod frame;
mod http;
mod log;
mod operator;
mod pair;
mod process;
mod program;
mod random;
mod rich;
mod server;
mod socket;
mod stopwatch;
mod tls;

use std::{fmt::Display, future::Future, panic::Location, time::Duration};

use tokio::time::{sleep, timeout};

pub(crate) use self::{
    client::{Client, End, Text, message, raw, register},
    folder::Folder,
    frame::{Frame, frame},
    http::{Browser, Response, get, upgrade},
    log::{LogReader, reason},
    operator::{Metrics, Operator},
    pair::Pair,
    program::{Program, Setup as ProgramSetup},
    random::Random,
    rich::Rich,
    server::{Server, Setup, Signal, is_reloaded},
    socket::{Route, Stream},
    stopwatch::{Lap, Stopwatch},
    tls::{Authority, Credentials, Version},
};

/// How long any one thing may take. Far more than it does on the slowest machine: only a failure waits so
/// long.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) const MIB: usize = 1024 * 1024;

pub(crate) const KEY: &str = "k3y-of-the-tests";

/// Waits for what can only be looked at.
#[track_caller]
pub(crate) fn eventually(what: &str, is_so: impl Fn() -> bool) -> impl Future<Output = ()> {
    within(what, async move {
        while !is_so() {
            sleep(Duration::from_millis(5)).await;
        }
    })
}

/// Waits for what must happen.
#[track_caller]
pub(crate) fn within<F: Future>(what: impl Display, future: F) -> impl Future<Output = F::Output> {
    let caller = Location::caller();
    async move {
        let Ok(output) = timeout(PATIENCE, future).await else {
            panic!("{caller}: waited in vain for {what}")
        };
        output
    }
}
