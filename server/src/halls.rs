//! The rooms that there are.

use std::{collections::HashSet, sync::Arc, thread};

use tokio::{select, sync::watch, task::JoinSet};
use tokio_util::task::TaskTracker;
use tracing::info;

use crate::{
    chat_log::{ChatLogWriter, Order},
    config::{self, Config},
    connection::{Failures, Hall},
    listener::Route,
    room::Room,
    token,
};

/// So many random symbols name a log: 65 bits, of which no two should be equal, but nobody gains by guessing.
const EPOCH_SYMBOLS: usize = 13;

/// The rooms that there are.
#[derive(Debug, Default)]
pub(crate) struct Halls {
    open: Vec<Open>,
    failures: Arc<Failures>,
    chat_logs: TaskTracker,
    are_closed: bool,
}

/// A room that is open.
#[derive(Debug)]
struct Open {
    hall: Arc<Hall>,
    /// Tells the writer of its chat log what to do. `None` once nothing more is to be told.
    chat_log: Option<watch::Sender<Order>>,
}

impl Halls {
    /// Opens the rooms that the configuration has and that are not open, and lets others know what holds in them now. A
    /// room is known by its name: with another path it is still the same. Returns the ways to them.
    ///
    /// # Errors
    ///
    /// The operating system has no random source. Nothing has changed then.
    pub(crate) fn apply(&mut self, config: &Config) -> Result<Vec<Route>, getrandom::Error> {
        let find = |room: &config::Room| self.iter().position(|hall| *hall.name() == room.name);
        let rooms: Vec<_> = config.all_rooms().map(|room| (room, find(room))).collect();
        let new = rooms.iter().filter(|(_, place)| place.is_none());
        let mut epochs = new.map(|_| token::random(EPOCH_SYMBOLS)).collect::<Result<Vec<_>, _>>()?;
        let mut routes = Vec::new();
        for (room, place) in rooms {
            let open = match place {
                Some(place) => {
                    self.open[place].change(room);
                    &self.open[place]
                }
                None => self.open(room, epochs.pop().unwrap_or_default()),
            };
            routes.push(Route { path: room.ws_path.clone(), hall: open.hall.clone() });
        }
        Ok(routes)
    }

    /// Abandons the rooms that the configuration does not have. No way must lead there any more: who has to leave one
    /// comes again at once.
    pub(crate) fn abandon_unlisted(&mut self, config: &Config) {
        let listed: HashSet<_> = config.all_rooms().map(|room| &room.name).collect();
        self.open.retain(|Open { hall, .. }| {
            let is_listed = listed.contains(hall.name());
            if !is_listed {
                info!(room = %hall.name(), "abandoned");
                hall.abandon();
            }
            is_listed
        });
    }

    /// The rooms.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Hall>> {
        self.open.iter().map(|open| &open.hall)
    }

    /// Closes all rooms, for ever. Returns those who still write what was said in them.
    pub(crate) fn close(&mut self) -> TaskTracker {
        self.are_closed = true;
        for open in &mut self.open {
            open.hall.room().close();
            open.chat_log = None;
        }
        self.chat_logs.close();
        self.chat_logs.clone()
    }

    /// Whether they have been closed.
    pub(crate) fn are_closed(&self) -> bool {
        self.are_closed
    }

    fn open(&mut self, config: &config::Room, epoch: String) -> &Open {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let hall = Arc::new(Hall::new(config, epoch, cores, self.failures.clone()));
        tokio::spawn(serve(hall.room()));
        let (chat_log, orders) = watch::channel(config.chat_log.clone());
        let writer = ChatLogWriter::new(config.name.as_str(), hall.room(), orders);
        self.chat_logs.spawn(writer.run());
        self.open.push_mut(Open { hall, chat_log: Some(chat_log) })
    }
}

impl Open {
    /// Lets another configuration hold. The files of the chat log are opened anew, which is what somebody waits for who
    /// has moved them away.
    fn change(&self, config: &config::Room) {
        self.hall.change(config);
        if let Some(chat_log) = &self.chat_log {
            chat_log.send_replace(config.chat_log.clone());
        }
    }
}

/// Does what a room has to do for its readers, until it is closed and has none.
async fn serve(room: Arc<Room>) {
    let mut shards = JoinSet::new();
    for shard in 0..room.shards() {
        shards.spawn(room.clone().fan_out(shard));
    }
    select! {
        () = room.announce() => {}
        _ = shards.join_all() => {}
    }
}
