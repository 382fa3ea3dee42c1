//! Writes what is said in a room to files: a JSON object on each line, as rich clients are told it.
//!
//! The writer is one more reader of the room's log, with a cursor of its own: the room never waits for the disk. While
//! the disk is full, it stays where it is and tries again; what the log lets go of meanwhile is missing in the files,
//! and that is said.

#[cfg(test)]
mod tests;

use std::{
    fs,
    io::{self, Write},
    sync::Arc,
    time::Duration,
};

use bytes::{Buf as _, Bytes};
use tokio::{
    select,
    sync::oneshot,
    task::spawn_blocking,
    time::{Instant, sleep},
};
use tracing::{info, warn};
use tracing_appender::rolling::{RollingFileAppender, Rotation};

use crate::{
    config::{ChatLog, Rotate},
    room::{Entry, Followed, Follower, Room, Seq},
};

/// About so many bytes of the log are written at once.
const BATCH_BYTES: usize = 256 * 1024;

/// Between two tries while nothing can be written.
const PAUSE: Duration = Duration::from_secs(1);

/// How long what is left may still take when the writing is to end.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// What is written to: made anew after it has failed.
type Output = Box<dyn Write + Send>;

/// How an output is made.
type Open = Arc<dyn Fn() -> io::Result<Output> + Send + Sync>;

/// The writer of a room's files.
pub(crate) struct ChatLogWriter {
    /// The room's name, for people.
    name: String,
    room: Arc<Room>,
    follower: Follower,
    /// What each line begins with.
    head: String,
    open: Open,
    output: Option<Output>,
    /// What is being written.
    batch: Bytes,
    /// Since when nothing can be written.
    failing_since: Option<Instant>,
    missed: u64,
    /// It is to write no more than what has been said by now.
    is_ending: bool,
}

impl ChatLogWriter {
    /// A writer of what is said in the room after the entry at `start`.
    pub(crate) fn new(name: &str, room: Arc<Room>, number: u32, start: Seq, config: &ChatLog) -> Self {
        let config = config.clone();
        Self::to(name, room, number, start, Arc::new(move || open(&config)))
    }

    fn to(name: &str, room: Arc<Room>, number: u32, start: Seq, open: Open) -> Self {
        let follower = Follower::new(room.clone(), number, start);
        let epoch = serde_json::Value::from(room.epoch());
        let head = format!(r#"{{"room":"{name}","epoch":{epoch},"#);
        Self {
            name: name.to_owned(),
            room,
            follower,
            head,
            open,
            output: None,
            batch: Bytes::new(),
            failing_since: None,
            missed: 0,
            is_ending: false,
        }
    }

    /// Writes until the room is closed, or up to the entry that `stop` names; when it is dropped, up to what has been
    /// said by then. What the disk does not take in the end is left out.
    pub(crate) async fn run(mut self, mut stop: oneshot::Receiver<Seq>) {
        let mut give_up_at = None;
        loop {
            while self.batch.has_remaining() {
                match self.write().await {
                    Ok(()) => self.note_success(),
                    Err(_) if give_up_at.is_some_and(|at| Instant::now() >= at) => {
                        warn!(room = self.name, "what was said last is not in the chat log");
                        return;
                    }
                    Err(error) => {
                        self.note_failure(&error);
                        sleep(PAUSE).await;
                    }
                }
                if self.is_ending || self.room.is_closed() {
                    give_up_at.get_or_insert_with(|| Instant::now() + LAST_WORDS);
                }
            }
            let followed = select! {
                followed = self.follower.next(BATCH_BYTES) => followed,
                end = &mut stop, if !self.is_ending => {
                    self.is_ending = true;
                    self.follower.stop_at(end.unwrap_or_else(|_| self.room.newest()));
                    continue;
                }
            };
            match followed {
                Followed::Entries(entries) => self.batch = self.lines(&entries),
                Followed::Missed(count) => self.missed += count,
                Followed::End => return,
            }
        }
    }

    fn lines(&self, entries: &[Arc<Entry>]) -> Bytes {
        let mut lines = String::new();
        for entry in entries {
            let json = entry.json();
            lines += &self.head;
            lines += json.strip_prefix('{').unwrap_or(&json);
            lines.push('\n');
        }
        lines.into()
    }

    /// Writes a part of the batch, however small. What has been written is not written again.
    async fn write(&mut self) -> io::Result<()> {
        let (output, open, batch) = (self.output.take(), self.open.clone(), self.batch.clone());
        let written = spawn_blocking(move || {
            let mut output = output.map_or_else(|| open(), Ok)?;
            let written = output.write(&batch)?;
            if written == 0 { Err(io::Error::from(io::ErrorKind::WriteZero)) } else { Ok((output, written)) }
        });
        // A library that panics fails like one that says so.
        let (output, written) = written.await.map_err(io::Error::other)??;
        self.output = Some(output);
        self.batch.advance(written);
        Ok(())
    }

    fn note_failure(&mut self, error: &io::Error) {
        if self.failing_since.is_none() {
            warn!(room = self.name, %error, "the chat log can't be written; trying again until it can");
            self.failing_since = Some(Instant::now());
        }
    }

    fn note_success(&mut self) {
        if let Some(since) = self.failing_since.take() {
            let seconds = since.elapsed().as_secs();
            info!(room = self.name, seconds, "the chat log can be written again");
        }
        if self.missed > 0 {
            warn!(
                room = self.name,
                entries = self.missed,
                "some of what was said is missing in the chat log"
            );
            self.missed = 0;
        }
    }
}

/// Opens the file of the moment, in a folder that is made if it is not there.
fn open(config: &ChatLog) -> io::Result<Output> {
    fs::create_dir_all(&config.folder)?;
    let mut builder = RollingFileAppender::builder().filename_suffix("jsonl");
    builder = match config.rotate {
        Rotate::Hourly => builder.rotation(Rotation::HOURLY),
        Rotate::Daily => builder.rotation(Rotation::DAILY),
        Rotate::Weekly => builder.rotation(Rotation::WEEKLY),
        Rotate::Never => builder.rotation(Rotation::NEVER).filename_prefix("chat"),
    };
    if let Some(keep) = config.keep {
        builder = builder.max_log_files(keep);
    }
    Ok(Box::new(builder.build(&config.folder).map_err(io::Error::other)?))
}
