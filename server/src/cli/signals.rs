//! What the operating system tells the server.

use std::{
    future::Future,
    io::{self, IsTerminal as _},
    process,
    sync::Arc,
};

use tokio::sync::{Notify, oneshot};

use super::manager::{self, News};

/// What a signal asks for.
enum Request {
    Stop,
    /// To load the configuration again; or to stop, if there is none to be loaded, or if a terminal is closed.
    HangUp,
}

/// Whether a hangup finds something to reload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnHangup {
    Reload,
    Stop,
}

/// That a signal has asked for the configuration to be loaded again. Those that come while that is being done are as
/// good as one.
#[derive(Clone, Debug, Default)]
pub(super) struct Hangups(Arc<Notify>);

impl Hangups {
    /// Waits for it.
    pub(super) async fn next(&self) {
        self.0.notified().await;
    }
}

/// Listens to the signals from now on. The future ends when the server is to stop: at the first SIGINT or
/// SIGTERM, or at a SIGHUP that does not ask for a reload. The second SIGINT or SIGTERM ends the process at once.
pub(super) fn listen(
    on_hangup: OnHangup,
) -> io::Result<(impl Future<Output = ()> + Send + 'static, Hangups)> {
    let mut signals = Signals::new(on_hangup)?;
    let (stop, stopped) = oneshot::channel();
    let hangups = Hangups::default();
    let hung_up = hangups.clone();
    let is_on_terminal = io::stderr().is_terminal();
    tokio::spawn(async move {
        let mut stop = Some(stop);
        loop {
            let (name, request) = signals.next().await;
            // One that is closed is none any more. What was started on it ends with it, as people expect.
            let is_terminal_gone = || is_on_terminal && !io::stderr().is_terminal();
            let is_reload =
                matches!(request, Request::HangUp) && on_hangup == OnHangup::Reload && !is_terminal_gone();
            match (request, stop.take()) {
                (_, Some(unused)) if is_reload => {
                    stop = Some(unused);
                    hung_up.0.notify_one();
                }
                // A terminal may send it twice: by itself and by its shell.
                (Request::HangUp, None) => tracing::info!("SIGHUP is ignored: the server stops"),
                (_, Some(stop)) => {
                    tracing::info!("{name}: stopping; once more to stop at once");
                    manager::tell(News::Stopping);
                    let _ = stop.send(());
                }
                // As a shell would say of a process that SIGINT killed.
                (Request::Stop, None) => process::exit(130),
            }
        }
    });
    let stopped = async {
        let _ = stopped.await;
    };
    Ok((stopped, hangups))
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    /// `None` if it is to be ignored.
    hangup: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    fn new(on_hangup: OnHangup) -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};

        // Whoever starts it with `nohup` wants it to stay.
        let is_heard = on_hangup == OnHangup::Reload || !is_hangup_ignored();
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: is_heard.then(|| signal(SignalKind::hangup())).transpose()?,
        })
    }

    async fn next(&mut self) -> (&'static str, Request) {
        tokio::select! {
            _ = self.interrupt.recv() => ("SIGINT", Request::Stop),
            _ = self.terminate.recv() => ("SIGTERM", Request::Stop),
            () = next(self.hangup.as_mut()) => ("SIGHUP", Request::HangUp),
        }
    }
}

#[cfg(unix)]
async fn next(signal: Option<&mut tokio::signal::unix::Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

/// Whether the process was started so that it ignores SIGHUP. Linux says so; elsewhere nobody does without `unsafe`.
#[cfg(unix)]
fn is_hangup_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // The first bit of the mask is signal 1.
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

#[cfg(windows)]
struct Signals {
    ctrl_c: tokio::signal::windows::CtrlC,
    ctrl_break: tokio::signal::windows::CtrlBreak,
}

#[cfg(windows)]
impl Signals {
    fn new(_on_hangup: OnHangup) -> io::Result<Self> {
        use tokio::signal::windows::{ctrl_break, ctrl_c};

        Ok(Self { ctrl_c: ctrl_c()?, ctrl_break: ctrl_break()? })
    }

    async fn next(&mut self) -> (&'static str, Request) {
        tokio::select! {
            _ = self.ctrl_c.recv() => ("Ctrl-C", Request::Stop),
            _ = self.ctrl_break.recv() => ("Ctrl-Break", Request::Stop),
        }
    }
}
