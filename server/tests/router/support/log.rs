//! What the program logs.

use std::{
    io::{BufRead as _, BufReader, PipeReader},
    sync::mpsc,
    thread,
};

use serde_json::Value;
use tokio::sync::watch;

use super::within;

/// Who reads the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LogReader {
    /// Someone who reads all of it.
    #[default]
    Eager,
    /// Someone who stops reading when the router listens.
    Stalls,
    /// Someone who goes away when the router listens.
    Leaves,
}

/// The log, as far as it was read.
#[derive(Debug)]
pub(super) struct Log {
    lines: watch::Receiver<Vec<Value>>,
    /// The pipe is held open as long as this lives.
    _open: mpsc::Sender<()>,
}

impl Log {
    pub(super) fn new(pipe: PipeReader, reader: LogReader) -> Self {
        let (sender, lines) = watch::channel(Vec::new());
        let (open, closed) = mpsc::channel();
        // A thread, so that the log is read whatever the test is at.
        thread::spawn(move || {
            let mut pipe = BufReader::new(pipe);
            let mut line = String::new();
            while pipe.read_line(&mut line).is_ok_and(|len| len > 0) {
                // What is no JSON was written by someone else: the dynamic linker, a sanitizer.
                let value = serde_json::from_str(&line).unwrap_or_else(|_| Value::from(line.trim_end()));
                line.clear();
                let is_listening = value["message"] == "listening";
                sender.send_modify(|lines| lines.push(value));
                if is_listening && reader == LogReader::Leaves {
                    return;
                }
                if is_listening && reader == LogReader::Stalls {
                    let _ = closed.recv();
                    return;
                }
            }
        });
        Self { lines, _open: open }
    }

    /// Waits for a line. `is_it` must not look at the log itself: it is asked while the log is locked.
    pub(super) async fn wait_for(&self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        let mut lines = self.lines.clone();
        let found = within(format_args!("the log to say {what}; it says {:#?}", Tail(&self.lines)), async {
            lines
                .wait_for(|lines| lines.iter().any(&is_it))
                .await
                .map(|lines| lines.iter().find(|line| is_it(line)).cloned().unwrap_or_default())
        })
        .await;
        found.unwrap_or_else(|_| panic!("the log ends without {what}: {:#?}", Tail(&self.lines)))
    }

    /// Waits for its end.
    pub(super) async fn wait_for_end(&self) {
        let mut lines = self.lines.clone();
        let end = async { while lines.changed().await.is_ok() {} };
        within("the log to end", end).await;
    }

    /// How many lines there are by now.
    pub(super) fn count(&self, is_it: impl Fn(&Value) -> bool) -> usize {
        self.lines.borrow().iter().filter(|line| is_it(line)).count()
    }

    pub(super) fn tail(&self) -> impl std::fmt::Debug {
        Tail(&self.lines)
    }
}

/// The last lines, at the moment when they are shown.
struct Tail<'a>(&'a watch::Receiver<Vec<Value>>);

impl std::fmt::Debug for Tail<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let lines = self.0.borrow();
        let tail = &lines[lines.len().saturating_sub(20)..];
        f.debug_list().entries(tail.iter().map(ToString::to_string)).finish()
    }
}

/// Whether a line says that a connection ended so, or was refused.
pub(crate) fn reason(part: &str) -> impl Fn(&Value) -> bool {
    move |line| line["reason"].as_str().is_some_and(|reason| reason.contains(part))
}
