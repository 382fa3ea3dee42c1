//! A reader for tests.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::room::{Origin, Overrun, Pass, Reader, Room, Seq};

/// A reader without a socket, that works as a connection does.
pub(super) struct Listener {
    pub(super) origin: Origin,
    pub(super) state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) cursor: Seq,
    /// Nothing can be written: entries have to wait in the log.
    pub(super) is_blocked: bool,
    /// The connection's own task has to look at the room.
    pub(super) is_woken: bool,
    pub(super) has_overrun: bool,
    pub(super) heard: Vec<u8>,
}

impl Listener {
    /// A reader that has joined the room.
    pub(super) fn join(room: &Room, origin: Origin) -> Arc<Self> {
        let listener = Arc::new(Self { origin, state: Mutex::default() });
        let mut state = listener.state.lock();
        state.cursor = room.join(origin, listener.clone());
        drop(state);
        listener
    }
}

impl State {
    fn take(&mut self, pass: &Pass, origin: Origin) {
        while let Some(run) = pass.next_run(origin, self.cursor) {
            self.heard.extend_from_slice(&pass.bytes()[run.clone()]);
            self.cursor = pass.stop_at(run.end).cursor;
        }
        self.cursor = self.cursor.max(pass.end());
    }

    /// What the connection's own task does when it is woken.
    pub(super) fn catch_up(&mut self, room: &Room, origin: Origin) {
        if !std::mem::take(&mut self.is_woken) || self.has_overrun {
            return;
        }
        if self.is_blocked {
            self.has_overrun = room.has_overrun(self.cursor);
            return;
        }
        while room.has_passed(origin, self.cursor) {
            match room.read(self.cursor, 40) {
                Ok(Some(pass)) => self.take(&pass, origin),
                Ok(None) => break,
                Err(Overrun) => {
                    self.has_overrun = true;
                    break;
                }
            }
        }
    }
}

impl Reader for Listener {
    fn offer(&self, pass: &Pass) {
        let Some(mut state) = self.state.try_lock() else { return self.wake() };
        if state.has_overrun {
            return;
        }
        if state.is_blocked {
            state.is_woken |= pass.has_overrun(state.cursor);
        } else if pass.leaves_behind(state.cursor) {
            state.is_woken = true;
        } else {
            state.take(pass, self.origin);
        }
    }

    fn wake(&self) {
        self.state.lock().is_woken = true;
    }
}
