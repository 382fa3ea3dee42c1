//! Writes what is said in a room to files: a JSON object on each line, as rich clients are told it.
//!
//! The writer is one more reader of the room's log, with a cursor of its own: the room never waits for the disk. While
//! the disk is full, it stays where it is and tries again; what the log lets go of meanwhile is missing in the files,
//! and that is said.

mod batch;
mod files;
#[cfg(test)]
mod tests;

use std::{
    future::pending,
    io::{self, Write},
    ops::ControlFlow,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use multichat::protocol::ClientName;
use tokio::{
    select,
    sync::watch,
    task::spawn_blocking,
    time::{Instant, sleep},
};
use tracing::{info, warn};

use self::batch::Batch;
use crate::{
    config::ChatLog,
    room::{Entry, Followed, Follower, Room},
};

/// About so many bytes of the log are written at once.
const BATCH_BYTES: usize = 256 * 1024;

/// Between two tries while nothing can be written.
const PAUSE: Duration = Duration::from_secs(1);

/// How long what is left may still take when the room is closed.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Where a room's files are, if it has any.
pub(crate) type Order = Option<ChatLog>;

/// How a file is opened, by its name.
type Open = Arc<dyn Fn(&ChatLog, &str) -> io::Result<Opened> + Send + Sync>;

/// A file that was opened, to be added to.
struct Opened {
    file: Box<dyn Write + Send>,
    /// It ends within a line.
    is_torn: bool,
}

/// The writer of a room's files. A room has one alone, so that nothing is written twice.
pub(crate) struct ChatLogWriter {
    /// The room's name, for people.
    name: String,
    room: Arc<Room>,
    /// Each order lets the file be opened anew, be it the same: somebody may have moved the file away.
    orders: watch::Receiver<Order>,
    /// What each line begins with.
    head: String,
    open: Open,
    /// The order that holds, and the reader of the log while there is something to be written.
    work: Option<(ChatLog, Follower)>,
    output: Option<Output>,
    /// What is being written.
    batch: Batch,
    failing_since: Option<Instant>,
    /// How many entries were lost since that was said.
    missed: u64,
}

/// A file that is open.
struct Output {
    path: PathBuf,
    file: Box<dyn Write + Send>,
}

impl ChatLogWriter {
    /// A writer of what is said in the room from now on.
    pub(crate) fn new(name: &str, room: Arc<Room>, orders: watch::Receiver<Order>) -> Self {
        let open = |config: &ChatLog, name: &str| {
            let (file, is_torn) = files::open(config, name)?;
            Ok(Opened { file: Box::new(file), is_torn })
        };
        Self::to(name, room, orders, Arc::new(open))
    }

    fn to(name: &str, room: Arc<Room>, orders: watch::Receiver<Order>, open: Open) -> Self {
        let epoch = serde_json::Value::from(room.epoch());
        let mut writer = Self {
            name: name.to_owned(),
            room,
            orders,
            head: format!(r#"{{"room":"{name}","epoch":{epoch},"#),
            open,
            work: None,
            output: None,
            batch: Batch::default(),
            failing_since: None,
            missed: 0,
        };
        writer.take_order();
        writer
    }

    /// Writes as ordered. Ends when the room is closed and all is written, or the disk has not taken it for too long;
    /// or when there is nothing to be written, and no more orders come.
    pub(crate) async fn run(mut self) {
        let mut has_orders = true;
        let mut give_up_at = None;
        loop {
            if self.write().await.is_break() {
                return;
            }
            let is_idle = self.batch.is_written();
            select! {
                biased;
                changed = self.orders.changed(), if has_orders => match changed {
                    Ok(()) => self.take_order(),
                    Err(_) => has_orders = false,
                },
                followed = next(&mut self.work), if is_idle => match followed {
                    Followed::Entries(entries) => self.batch = self.lines(&entries),
                    Followed::Missed(count) => self.missed += count,
                    Followed::End => break,
                },
                () = sleep(PAUSE), if self.failing_since.is_some() => {}
            }
            if self.room.is_closed() {
                let limit = *give_up_at.get_or_insert_with(|| Instant::now() + LAST_WORDS);
                if self.failing_since.is_some() && Instant::now() >= limit {
                    warn!(room = self.name, "what was said last is not in the chat log");
                    break;
                }
            }
            if self.work.is_none() && !has_orders {
                break;
            }
        }
        self.note_missed();
    }

    fn take_order(&mut self) {
        let order = self.orders.borrow_and_update().clone();
        self.output = None;
        self.work = match (order, self.work.take()) {
            (None, _) => {
                // Nobody wants it any more.
                self.batch = Batch::default();
                self.failing_since = None;
                None
            }
            (Some(config), Some((_, follower))) => Some((config, follower)),
            (Some(config), None) => Some((config, Follower::new(self.room.clone(), self.room.newest()))),
        };
    }

    fn lines(&self, entries: &[Arc<Entry>]) -> Batch {
        let mut lines = String::new();
        for entry in entries {
            let json = entry.json();
            lines += &self.head;
            push_tame(&mut lines, json.strip_prefix('{').unwrap_or(&json));
            lines.push('\n');
        }
        Batch::of(lines)
    }

    /// Writes the batch, as far as the disk takes it, and opens the file for it; also where there is nothing to be
    /// written yet, so that what is wrong with the file is said early. What has been written is not written again.
    /// Breaks off if the program ends, and nothing is written any more.
    async fn write(&mut self) -> ControlFlow<()> {
        let Some((config, _)) = &self.work else { return ControlFlow::Continue(()) };
        if self.batch.is_written() && self.output.is_some() {
            return ControlFlow::Continue(());
        }
        let (config, open, mut batch) = (config.clone(), self.open.clone(), self.batch.clone());
        let output = self.output.take();
        let done = spawn_blocking(move || {
            let result = write(&config, &open, output, &mut batch);
            (result, batch)
        });
        let result = match done.await {
            Ok((result, rest)) => {
                self.batch = rest;
                result
            }
            Err(error) if error.is_cancelled() => return ControlFlow::Break(()),
            Err(error) => Err(io::Error::other(error)),
        };
        match result {
            Ok(output) => {
                self.output = Some(output);
                self.note_success();
            }
            Err(error) => self.note_failure(&error),
        }
        ControlFlow::Continue(())
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
        self.note_missed();
    }

    fn note_missed(&mut self) {
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

/// Adds JSON in which what would end a line, move the cursor of a terminal or turn the direction of the text is escaped:
/// people look at these files as they are. It is what names may not have either, and only strings have it here.
fn push_tame(lines: &mut String, json: &str) {
    for piece in json.split_inclusive(ClientName::forbids) {
        let mut characters = piece.chars();
        match characters.next_back() {
            Some(last) if ClientName::forbids(last) => {
                let escape = format!("\\u{:04x}", u32::from(last));
                lines.extend([characters.as_str(), &escape]);
            }
            _ => *lines += piece,
        }
    }
}

/// What the log has next for who reads it, if somebody does.
async fn next(work: &mut Option<(ChatLog, Follower)>) -> Followed {
    match work {
        Some((_, follower)) => follower.next(BATCH_BYTES).await,
        None => pending().await,
    }
}

/// Writes the batch to the file of this moment, as far as it is not written yet.
fn write(config: &ChatLog, open: &Open, output: Option<Output>, batch: &mut Batch) -> io::Result<Output> {
    let name = files::name(config.rotate, SystemTime::now());
    let path = config.folder.join(&name);
    let mut output = match output.filter(|output| output.path == path) {
        Some(output) => output,
        None => begin(open(config, &name)?, path, batch)?,
    };
    batch.write(&output.path, &mut output.file)?;
    Ok(output)
}

/// Lets the batch go on in another file.
fn begin(opened: Opened, path: PathBuf, batch: &mut Batch) -> io::Result<Output> {
    let Opened { mut file, is_torn } = opened;
    if !batch.goes_on_in(&path, is_torn) && is_torn {
        // Somebody was stopped in the midst of a line, which is lost; the next one must not be.
        file.write_all(b"\n")?;
    }
    Ok(Output { path, file })
}
