//! Coming into a room, and leaving it.

use std::sync::{Arc, atomic::Ordering};

use multichat::protocol::{ClientName, ClientRow, Dialect, Resume, RichRegister};
use tokio::time::Instant;

use super::{
    ConnectionId, Reader, Room,
    entry::{Author, Origin},
    fanout::Change,
    log::{Log, Seq},
    mailbox::{Cut, Mailbox},
    now_ms,
    pass::Viewpoint,
};

/// A connection that wants to come into a room.
pub(crate) struct Newcomer {
    pub(crate) connection: ConnectionId,
    pub(crate) client_name: ClientName,
    /// Locked by its owner until it has its cursor, so that no pass offers it anything before.
    pub(crate) reader: Arc<dyn Reader>,
    pub(crate) mailbox: Arc<Mailbox>,
    /// Whether it may know what others say, and who they are.
    pub(crate) hears: bool,
    /// What it asks for; `None` if it speaks the plain dialect.
    pub(crate) ask: Option<RichRegister>,
    /// What its session is called, should it get a new one.
    pub(crate) session_name: String,
    /// The most that its ack may say of other clients, in bytes.
    pub(crate) max_clients_bytes: usize,
}

/// A connection's place in a room.
#[derive(Clone, Debug)]
pub(crate) struct Membership {
    pub(crate) connection: ConnectionId,
    /// What of the log is for this member. Of its own, beside the author's origin: every pass looks at it.
    pub(crate) viewpoint: Viewpoint,
    pub(crate) author: Arc<Author>,
}

/// What a member that speaks the rich dialect is told at first. Not to be logged.
pub(crate) struct Welcome {
    /// The name of its session, a secret of its client.
    pub(crate) session: String,
    pub(crate) epoch: String,
    /// The last entry of which it will be told as a replay; that of who hears all is the newest.
    pub(crate) replay_end: Seq,
    /// Whether nothing is missing since what it knew, if it knew something.
    pub(crate) recovered: Option<bool>,
    /// Who is there, if it wants to know.
    pub(crate) clients: Option<Vec<ClientRow>>,
}

impl Room {
    /// Adds a reader and gives it its cursor: it gets everything that is after that, and everything that is
    /// committed from this moment on.
    pub(crate) fn join(&self, newcomer: Newcomer, now: Instant) -> (Membership, Seq, Option<Welcome>) {
        let Newcomer {
            connection,
            client_name,
            reader,
            mailbox,
            hears,
            ask,
            session_name,
            max_clients_bytes,
        } = newcomer;
        let dialect = if ask.is_some() { Dialect::Rich } else { Dialect::Plain };
        self.readers(dialect).fetch_add(1, Ordering::Relaxed);
        let session = ask.as_ref().map(|ask| {
            let asked = ask.resume.as_ref().map(|resume| &*resume.session);
            self.sessions.lock().attach(asked, session_name, &client_name, connection, &mailbox, now)
        });
        let origin = session.as_ref().map_or(Origin(connection.0), |session| session.origin);
        if let Some(replaced) = session.as_ref().and_then(|session| session.replaced.as_ref()) {
            replaced.cut(Cut::Replaced);
        }

        // First the membership, then the cursor: a pass that has entries after the cursor finds the reader.
        self.shard(connection).change(Change::Join(connection, reader));
        let is_resumed = session.as_ref().is_some_and(|session| session.is_resumed);
        let (replay_end, start) = {
            let log = self.log.lock();
            let start =
                Start::new(&log, ask.as_ref(), hears, |resume| is_resumed && resume.epoch == self.epoch);
            let end = if hears { Some(log.newest()) } else { log.last_named(origin, start.cursor) };
            (end.unwrap_or(start.cursor), start)
        };

        let clients = {
            let mut roster = self.roster.lock();
            roster.join(&client_name, now_ms());
            let is_asked = hears && ask.as_ref().is_some_and(|ask| ask.presence);
            is_asked.then(|| roster.subscribe(connection, &client_name, mailbox, max_clients_bytes))
        };
        self.roster_changed.notify_one();

        let welcome = session.map(|session| Welcome {
            session: session.name.as_ref().into(),
            epoch: self.epoch.clone(),
            replay_end,
            recovered: ask.and_then(|ask| ask.resume).map(|_| start.is_recovered),
            clients,
        });
        let author = Arc::new(Author { origin, client_name, sender_name: None });
        let viewpoint = Viewpoint { dialect, origin, hears };
        (Membership { connection, viewpoint, author }, start.cursor, welcome)
    }

    /// Removes a member.
    pub(crate) fn leave(&self, member: &Membership, now: Instant) {
        let Membership { connection, viewpoint, author } = member;
        self.shard(*connection).change(Change::Leave(*connection));
        self.readers(viewpoint.dialect).fetch_sub(1, Ordering::Relaxed);
        if viewpoint.dialect == Dialect::Rich {
            self.sessions.lock().detach(viewpoint.origin, *connection, now);
        }
        self.roster.lock().leave(&author.client_name, *connection, now);
        self.roster_changed.notify_one();
    }
}

/// The lowest cursor from which a newcomer is told what was said before. Where the log lets go of entries, that is
/// not the tail: it would be overtaken before it has read the first, and be cut for that.
fn oldest_worth_telling(log: &Log) -> Seq {
    let (tail, newest) = (log.tail(), log.newest());
    if tail == 0 { 0 } else { tail + (newest - tail) / 8 }
}

/// Where in the log a reader begins.
struct Start {
    cursor: Seq,
    /// Whether that is where it left off.
    is_recovered: bool,
}

impl Start {
    /// For a reader that asks for what it asks for, in which `is_ours` tells whether this log is the one that it knows.
    /// Who hears nothing of others has no use for history.
    fn new(log: &Log, ask: Option<&RichRegister>, hears: bool, is_ours: impl Fn(&Resume) -> bool) -> Self {
        let kept = log.tail()..=log.newest();
        let resume = ask.and_then(|ask| ask.resume.as_ref());
        if let Some(known) = resume.filter(|resume| is_ours(resume) && kept.contains(&resume.seq)) {
            return Self { cursor: known.seq, is_recovered: true };
        }
        let history = ask.filter(|_| hears).map_or(0, |ask| ask.history);
        let cursor = log.newest().saturating_sub(history).max(oldest_worth_telling(log));
        Self { cursor, is_recovered: false }
    }
}
