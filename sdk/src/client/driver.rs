//! The task that owns the connection: it does what the state machine wants.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::runtime::{self, BoxFuture, Sleep, Wakeups};
use crate::session::{ConnectError, Url, Want};
use crate::transport::{Incoming, Socket, Tls};

use super::key::KeySource;
use super::shared::{Core, Shared};

/// How much is read before others have their turn, in bytes: the rest of a long replay waits for that. All acks that
/// may come at once are less, and what the program is told is still at hand when it looks at it.
const TURN_BYTES: usize = 64 * 1024;

/// What a message counts for beside its text.
const MESSAGE_BYTES: usize = 32;

/// The task of one client.
pub(super) struct Driver {
    shared: Arc<Shared>,
    url: Url,
    key: KeySource,
    tls: Tls,
    line: Line,
    timer: Option<(Duration, Sleep)>,
    wakeups: Wakeups,
}

/// What there is of a connection. The number is that of the state machine.
enum Line {
    None,
    Connecting(u64, BoxFuture<Result<(String, Socket), ConnectError>>),
    Open(Box<Open>),
}

/// An open connection.
struct Open {
    number: u64,
    socket: Socket,
    /// Whether something was written since the last flush.
    is_dirty: bool,
    is_closing: bool,
}

/// Whether there may be more to do at once.
#[derive(PartialEq, Eq)]
enum Progress {
    Made,
    Stuck,
}

impl Driver {
    pub(super) fn new(shared: Arc<Shared>, url: Url, key: KeySource, tls: Tls) -> Self {
        Self { shared, url, key, tls, line: Line::None, timer: None, wakeups: Wakeups::new() }
    }

    /// Makes the line what the state machine wants it to be.
    fn change_line(&mut self, want: Want) {
        let is_wanted = match (want, &self.line) {
            (Want::Nothing | Want::End, line) => matches!(line, Line::None),
            (Want::Connect(wanted), Line::Connecting(number, _)) => wanted == *number,
            (Want::Talk(wanted) | Want::Close(wanted), Line::Open(open)) => wanted == open.number,
            _ => false,
        };
        if !is_wanted {
            self.line = match want {
                Want::Connect(number) => Line::Connecting(number, self.connect()),
                _ => Line::None,
            };
        }
    }

    fn connect(&self) -> BoxFuture<Result<(String, Socket), ConnectError>> {
        let (url, key, tls) = (self.url.clone(), self.key.clone(), self.tls.clone());
        Box::pin(async move {
            let key = key.get().await?;
            Ok((key, Socket::connect(&url, &tls).await?))
        })
    }

    /// Lets the line do its work. The lock is not held while the program is asked for the key.
    fn turn(&mut self, now: Duration, context: &mut Context<'_>) -> Progress {
        match &mut self.line {
            Line::None => Progress::Stuck,
            Line::Connecting(number, connecting) => {
                let Poll::Ready(outcome) = connecting.as_mut().poll(context) else { return Progress::Stuck };
                let number = *number;
                let mut core = self.shared.lock();
                if core.session.want() == Want::Connect(number) {
                    self.line = match outcome {
                        Ok((key, socket)) => {
                            core.session.opened(key, now);
                            Line::Open(Box::new(Open::new(number, socket)))
                        }
                        Err(error) => {
                            core.session.failed(error, now);
                            Line::None
                        }
                    };
                }
                Progress::Made
            }
            Line::Open(open) => open.turn(&mut self.shared.lock(), now, context),
        }
    }

    /// Reads what has come on an open line. Before the state machine is told the time: what came while this program
    /// was frozen or stopped is not late.
    fn read(&mut self, core: &mut Core, now: Duration, context: &mut Context<'_>) -> Progress {
        match (&mut self.line, core.session.want()) {
            (Line::Open(open), Want::Talk(wanted) | Want::Close(wanted)) if open.number == wanted => {
                open.read(core, now, context)
            }
            _ => Progress::Stuck,
        }
    }

    /// Has the task woken when the state machine wants to know the time.
    fn poll_timer(&mut self, core: &Core, now: Duration, context: &mut Context<'_>) -> Progress {
        let Some(at) = core.session.wake_at(now) else {
            self.timer = None;
            return Progress::Stuck;
        };
        // One that goes off too early does no harm, and a busy client would make a new one for every message.
        if self.timer.as_ref().is_none_or(|(set, _)| *set > at || *set <= now) {
            self.timer = Some((at, Sleep::new(at.saturating_sub(now))));
        }
        let is_due = self.timer.as_mut().is_some_and(|(_, sleep)| Pin::new(sleep).poll(context).is_ready());
        if is_due {
            self.timer = None;
            return Progress::Made;
        }
        Progress::Stuck
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let now = runtime::now();
        let is_hurried = self.wakeups.poll(context).is_ready();
        let shared = Arc::clone(&self.shared);
        let (has_read, want) = {
            let mut core = shared.lock();
            core.driver = Some(context.waker().clone());
            if is_hurried {
                core.session.hurry(now);
            }
            let has_read = self.read(&mut core, now, context);
            core.session.tick(now);
            (has_read, core.session.want())
        };
        self.change_line(want);
        let progress = self.turn(now, context);

        let mut core = shared.lock();
        core.session.tick(now);
        let is_changed = core.session.want() != want;
        let is_at_work = has_read == Progress::Made || progress == Progress::Made || is_changed;
        let is_at_work = is_at_work || self.poll_timer(&core, now, context) == Progress::Made;
        let wake = core.deliver();
        drop(core);
        wake.now();
        if want == Want::End {
            return Poll::Ready(());
        }
        if is_at_work {
            runtime::yield_to_others(context);
        }
        Poll::Pending
    }
}

/// The task may be dropped in its middle, with the runtime.
impl Drop for Driver {
    fn drop(&mut self) {
        let shared = Arc::clone(&self.shared);
        shared.tell(|core| core.session.abandon());
    }
}

impl Open {
    const fn new(number: u64, socket: Socket) -> Self {
        Self { number, socket, is_dirty: false, is_closing: false }
    }

    /// Writes, or begins to close.
    fn turn(&mut self, core: &mut Core, now: Duration, context: &mut Context<'_>) -> Progress {
        match core.session.want() {
            Want::Talk(_) => self.write(core, now, context),
            Want::Close(_) if !self.is_closing => {
                self.is_closing = true;
                self.socket.start_close();
                return Progress::Made;
            }
            _ => {}
        }
        Progress::Stuck
    }

    /// Reads what there is. What broke while writing shows here as well.
    fn read(&mut self, core: &mut Core, now: Duration, context: &mut Context<'_>) -> Progress {
        let mut bytes = 0;
        while bytes < TURN_BYTES {
            bytes += MESSAGE_BYTES;
            match self.socket.poll_read(context) {
                Poll::Pending => return Progress::Stuck,
                Poll::Ready(Incoming::Text(text)) => {
                    bytes += text.len();
                    core.session.received(&text, now);
                }
                Poll::Ready(Incoming::Other) => core.session.heard(now),
                Poll::Ready(Incoming::TooBig) => {
                    core.session.flooded(now);
                    return Progress::Made;
                }
                Poll::Ready(Incoming::Closed { code, reason }) => {
                    core.session.disconnected(code, &reason, now);
                    return Progress::Made;
                }
            }
        }
        Progress::Made
    }

    /// Writes what there is, as far as it is taken.
    fn write(&mut self, core: &mut Core, now: Duration, context: &mut Context<'_>) {
        if core.session.wants_ping(now) {
            self.is_dirty |= self.socket.ping().is_ok();
        }
        loop {
            while let Poll::Ready(Ok(())) = self.socket.poll_ready(context) {
                let Some(packet) = core.session.pull(now) else { break };
                if self.socket.start_send(packet).is_err() {
                    return;
                }
                self.is_dirty = true;
            }
            if !self.is_dirty || !matches!(self.socket.poll_flush(context), Poll::Ready(Ok(()))) {
                return;
            }
            self.is_dirty = false;
            // In the plain dialect this makes room for more.
            core.session.flushed();
        }
    }
}
