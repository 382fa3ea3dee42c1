//! A reader for tests.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Wake, Waker},
};

use multichat::protocol::{RichRegister, ServerPacket};
use parking_lot::Mutex;
use tokio::time::Instant;

use super::drafts::name;
use crate::{
    frame,
    room::{
        ConnectionId, Mailbox, Membership, Newcomer, Overrun, Pass, Piece, Reader, Room, Seq, Viewpoint,
        Welcome,
    },
};

/// What waits for a listener may take so many bytes.
const MAILBOX_BYTES: usize = 1 << 20;

/// A reader without a socket, that works as a connection does.
pub(super) struct Listener {
    pub(super) mailbox: Arc<Mailbox>,
    bell: Arc<Bell>,
    pub(super) state: Mutex<State>,
}

/// Says that the connection's own task has to look at the room.
#[derive(Default)]
struct Bell(AtomicBool);

#[derive(Default)]
pub(super) struct State {
    viewpoint: Option<Viewpoint>,
    pub(super) cursor: Seq,
    /// Nothing can be written: entries have to wait in the log.
    pub(super) is_blocked: bool,
    pub(super) has_overrun: bool,
    pub(super) heard: Vec<u8>,
    /// What came from the mailbox, and where the reader stood then.
    pub(super) noticed: Vec<(Seq, ServerPacket)>,
}

/// A connection in a room.
pub(super) struct Joined {
    pub(super) listener: Arc<Listener>,
    pub(super) member: Membership,
    /// Where it began.
    pub(super) from: Seq,
    pub(super) welcome: Option<Welcome>,
}

impl Joined {
    /// A connection of this number comes.
    pub(super) fn new(
        room: &Room,
        connection: u64,
        client: &str,
        ask: Option<RichRegister>,
        now: Instant,
    ) -> Self {
        let mailbox = Arc::new(Mailbox::new(MAILBOX_BYTES));
        let bell = Arc::new(Bell::default());
        mailbox.task.register(&Waker::from(bell.clone()));
        let listener = Arc::new(Listener { mailbox: mailbox.clone(), bell, state: Mutex::default() });
        let mut state = listener.state.lock();
        let newcomer = Newcomer {
            connection: ConnectionId(connection),
            client_name: name(client),
            reader: listener.clone(),
            mailbox,
            hears: true,
            ask,
            session_name: format!("session {connection}"),
            max_clients_bytes: 1 << 20,
        };
        let (member, from, welcome) = room.join(newcomer, now);
        state.cursor = from;
        state.viewpoint = Some(member.viewpoint);
        drop(state);
        // The task begins with a look at the room.
        listener.wake();
        Self { listener, member, from, welcome }
    }

    /// One that speaks the plain dialect.
    pub(super) fn plain(room: &Room, connection: u64) -> Self {
        Self::new(room, connection, "plain", None, Instant::now())
    }

    /// What the connection's own task does when it is woken.
    pub(super) fn catch_up(&self, room: &Room) {
        let Listener { mailbox, bell, state } = &*self.listener;
        mailbox.task.register(&Waker::from(bell.clone()));
        if !bell.0.swap(false, Ordering::SeqCst) {
            return;
        }
        let mut state = state.lock();
        if state.has_overrun {
            return;
        }
        if state.is_blocked {
            state.has_overrun = room.has_overrun(state.cursor);
            return;
        }
        while room.has_passed(self.member.connection, state.cursor) {
            match room.read(state.cursor, 300) {
                Ok(Some(pass)) => state.take(&pass),
                Ok(None) => break,
                Err(Overrun) => {
                    state.has_overrun = true;
                    return;
                }
            }
        }
        while let Some(frames) = mailbox.take(state.cursor, 1) {
            let packet =
                ServerPacket::decode(frame::payload(&frames), self.member.viewpoint.dialect, 1 << 20)
                    .unwrap();
            let cursor = state.cursor;
            state.noticed.push((cursor, packet));
        }
    }
}

impl Listener {
    pub(super) fn is_woken(&self) -> bool {
        self.bell.0.load(Ordering::SeqCst)
    }
}

impl State {
    fn take(&mut self, pass: &Pass) {
        let reader = self.viewpoint.unwrap();
        while let Some(piece) = pass.next(reader, self.cursor) {
            match piece {
                Piece::Run(run) => {
                    self.heard.extend_from_slice(&pass.bytes(reader.dialect)[run.clone()]);
                    self.cursor = pass.stop_at(reader.dialect, run.end).cursor;
                }
                Piece::Acks { frames, through } => {
                    self.heard.extend_from_slice(&frames);
                    self.cursor = through;
                }
            }
        }
        self.cursor = self.cursor.max(pass.end());
    }
}

impl Reader for Listener {
    fn offer(&self, pass: &Pass) {
        let Some(mut state) = self.state.try_lock() else { return self.wake() };
        if state.has_overrun {
            return;
        }
        let needs_task = if state.is_blocked {
            pass.has_overrun(state.cursor)
        } else if pass.leaves_behind(state.cursor) {
            true
        } else {
            state.take(pass);
            self.mailbox.has_due(state.cursor)
        };
        if needs_task {
            self.wake();
        }
    }

    fn wake(&self) {
        self.bell.0.store(true, Ordering::SeqCst);
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// The frames of a stream.
pub(super) fn frames(mut stream: &[u8]) -> Vec<&[u8]> {
    let mut frames = Vec::new();
    while !stream.is_empty() {
        let len = match stream[1] {
            126 => 4 + usize::from(u16::from_be_bytes([stream[2], stream[3]])),
            len @ ..126 => 2 + usize::from(len),
            _ => panic!("longer than any test says"),
        };
        let (frame, rest) = stream.split_at(len);
        frames.push(frame);
        stream = rest;
    }
    frames
}
