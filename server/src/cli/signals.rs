//! What the operating system tells the server.

use std::{future::Future, io, process, sync::Arc};

use tokio::sync::{Notify, oneshot};

use super::manager::{self, News};

/// What a signal asks for.
enum Request {
    Stop,
    Reload,
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
/// SIGTERM. The second one ends the process at once.
pub(super) fn listen() -> io::Result<(impl Future<Output = ()> + Send + 'static, Hangups)> {
    let mut signals = Signals::new()?;
    let (stop, stopped) = oneshot::channel();
    let hangups = Hangups::default();
    let hung_up = hangups.clone();
    tokio::spawn(async move {
        let mut stop = Some(stop);
        loop {
            let (name, request) = signals.next().await;
            match (request, stop.take()) {
                (Request::Reload, Some(unused)) => {
                    stop = Some(unused);
                    hung_up.0.notify_one();
                }
                (Request::Reload, None) => tracing::info!("{name} is ignored: the server stops"),
                (Request::Stop, Some(stop)) => {
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
    hangup: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};

        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> (&'static str, Request) {
        tokio::select! {
            _ = self.interrupt.recv() => ("SIGINT", Request::Stop),
            _ = self.terminate.recv() => ("SIGTERM", Request::Stop),
            _ = self.hangup.recv() => ("SIGHUP", Request::Reload),
        }
    }
}

#[cfg(windows)]
struct Signals {
    ctrl_c: tokio::signal::windows::CtrlC,
    ctrl_break: tokio::signal::windows::CtrlBreak,
}

#[cfg(windows)]
impl Signals {
    fn new() -> io::Result<Self> {
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
