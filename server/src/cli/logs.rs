//! The log, on standard error.

use std::{
    env,
    io::{self, IsTerminal as _, Write as _},
    panic,
    str::FromStr,
    sync::mpsc,
    thread,
    time::Duration,
};

use tracing::{Level, Metadata};
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{
    Layer as _,
    filter::{LevelFilter, Targets},
    fmt::MakeWriter,
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use super::Failure;

/// Lines that wait for a reader of the log; what comes on top of them is lost.
const WAITING_LINES: usize = 8192;
/// How long the end of the program waits for the last lines to be read.
const LAST_LINES: Duration = Duration::from_secs(1);

/// How lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// A line of text for people
    Human,
    /// A JSON object on each line
    Json,
}

/// Which lines are written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Filter(Targets);

/// Why a text is no [`Filter`].
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{part}\" is no level (off, error, warn, info, debug, trace) and no part with a level, such as multichat_server=debug"
)]
pub(super) struct FilterError {
    part: String,
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        // An empty variable in the environment is as good as none.
        if text.trim().is_empty() {
            return Ok(Self(Targets::new().with_default(LevelFilter::INFO)));
        }
        let mut targets = Targets::new();
        for part in text.split(',').map(str::trim) {
            let error = || FilterError { part: part.to_owned() };
            // The library takes an empty level for `error`.
            let level =
                |text: &str| text.parse::<LevelFilter>().ok().filter(|_| !text.is_empty()).ok_or_else(error);
            // A word alone could be the name of a part, but it is a misspelt level more often, which
            // would silence everything.
            targets = match part.split_once('=') {
                None => targets.with_default(level(part)?),
                Some(("", _)) => return Err(error()),
                Some((target, text)) => targets.with_target(target, level(text)?),
            };
        }
        Ok(Self(targets))
    }
}

/// Keeps the log going. When it is dropped, the last lines get a moment to be read.
///
/// Lines go to a thread that writes them, so that whoever reads the log may stop reading, or go away,
/// without stopping the router.
#[derive(Debug)]
pub(super) struct Logs {
    format: Format,
    lines: Lines,
    worker: Option<WorkerGuard>,
}

impl Logs {
    /// Starts the log of this process.
    pub(super) fn start(filter: &Filter, format: Format) -> Self {
        let (lines, worker) = NonBlockingBuilder::default()
            .lossy(true)
            .buffered_lines_limit(WAITING_LINES)
            .thread_name("log")
            .finish(io::stderr());
        let lines = Lines { to: lines, have_priority: is_journal() };
        let layer = tracing_subscriber::fmt::layer()
            .with_writer(lines.clone())
            .with_ansi(wants_color())
            // It would be said with `eprintln!`, which panics when nobody listens.
            .log_internal_errors(false);
        let layer = match format {
            Format::Human => layer.boxed(),
            Format::Json => layer.json().flatten_event(true).with_ansi(false).boxed(),
        };
        let _ = tracing_subscriber::registry().with(layer.with_filter(filter.0.clone())).try_init();
        panic::set_hook(Box::new(log_panic));
        Self { format, lines, worker: Some(worker) }
    }

    /// Says why the program ends.
    pub(super) fn fatal(&self, failure: &Failure) {
        match self.format {
            Format::Human => {
                // Lines of their own, each marked: there may be one for every bad field.
                for reason in failure.to_string().lines() {
                    let _ = self.lines.line(Level::ERROR).write_all(format!("error: {reason}\n").as_bytes());
                }
            }
            Format::Json => tracing::error!(reason = %failure, "cannot go on"),
        }
    }
}

impl Drop for Logs {
    fn drop(&mut self) {
        let Some(worker) = self.worker.take() else { return };
        // In a thread of its own: when the log is full it writes to standard output, which may be the same
        // pipe.
        let (done, is_done) = mpsc::channel();
        let waiting = thread::Builder::new().spawn(move || {
            drop(worker);
            let _ = done.send(());
        });
        if waiting.is_ok() {
            let _ = is_done.recv_timeout(LAST_LINES);
        }
    }
}

/// Where lines go. The journal of systemd is told how important each is, as `sd-daemon(3)` says.
#[derive(Clone, Debug)]
struct Lines {
    to: NonBlocking,
    have_priority: bool,
}

/// Takes one line, in one piece.
struct Line {
    to: NonBlocking,
    priority: &'static [u8],
}

impl Lines {
    fn line(&self, level: Level) -> Line {
        let priority: &[u8] = match level {
            _ if !self.have_priority => b"",
            Level::ERROR => b"<3>",
            Level::WARN => b"<4>",
            Level::INFO => b"<6>",
            Level::DEBUG | Level::TRACE => b"<7>",
        };
        Line { to: self.to.clone(), priority }
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Line;

    fn make_writer(&self) -> Line {
        self.line(Level::INFO)
    }

    fn make_writer_for(&self, event: &Metadata<'_>) -> Line {
        self.line(*event.level())
    }
}

impl io::Write for Line {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.priority.is_empty() {
            return self.to.write(line);
        }
        self.to.write_all(&[self.priority, line].concat())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Whether standard error is what systemd has connected to its journal: `JOURNAL_STREAM` is inherited by whatever a
/// service starts, and names the device and the inode of the stream that it is true for.
#[cfg(unix)]
fn is_journal() -> bool {
    use std::{
        fs::File,
        os::{fd::AsFd as _, unix::fs::MetadataExt as _},
    };

    let Ok(stream) = env::var("JOURNAL_STREAM") else { return false };
    let metadata = io::stderr().as_fd().try_clone_to_owned().and_then(|stderr| File::from(stderr).metadata());
    metadata.is_ok_and(|metadata| stream == format!("{}:{}", metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn is_journal() -> bool {
    false
}

/// Never the message: it may hold what people said, or a key.
fn log_panic(panic: &panic::PanicHookInfo<'_>) {
    let location = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(location, "a panic, which is a bug in the server; please report its location");
}

fn wants_color() -> bool {
    let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    io::stderr().is_terminal() && !is_set("NO_COLOR") && env::var_os("TERM").is_none_or(|term| term != "dumb")
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Keeps what is logged.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_panic_is_logged_without_its_message() {
        let kept = Kept::default();
        let writer = kept.clone();
        let subscriber =
            tracing_subscriber::fmt().with_writer(move || writer.clone()).with_ansi(false).finish();
        let usual = panic::take_hook();
        panic::set_hook(Box::new(log_panic));
        let caught =
            tracing::subscriber::with_default(subscriber, || panic::catch_unwind(|| panic!("a secret")));
        panic::set_hook(usual);
        assert!(caught.is_err());
        let log = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        assert!(log.contains("ERROR") && log.contains("src/cli/logs.rs:"), "{log}");
        assert!(!log.contains("secret"), "{log}");
    }

    #[test]
    fn filters() {
        for (text, target, level, expected) in [
            ("info", "anything", Level::INFO, true),
            ("info", "anything", Level::DEBUG, false),
            ("", "anything", Level::INFO, true),
            ("OFF", "anything", Level::ERROR, false),
            ("warn, multichat_server=debug", "multichat_server::room", Level::DEBUG, true),
            ("warn, multichat_server=debug", "hyper", Level::INFO, false),
            ("multichat_server=debug", "hyper", Level::ERROR, false),
        ] {
            let filter: Filter = text.parse().unwrap();
            assert_eq!(filter.0.would_enable(target, &level), expected, "{text} {target} {level}");
        }
        for (text, part) in [
            ("deubg", "deubg"),
            ("info,,warn", ""),
            ("hyper=loud", "hyper=loud"),
            ("=info", "=info"),
            ("a=b=c", "a=b=c"),
            ("hyper=", "hyper="),
        ] {
            assert_eq!(text.parse::<Filter>(), Err(FilterError { part: part.to_owned() }), "{text}");
        }
    }
}
