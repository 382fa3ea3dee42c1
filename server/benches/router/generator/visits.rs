//! Clients that come and go: over and over, or all at once.

use std::{
    net::{Shutdown, SocketAddr},
    ops::Range,
    time::{Duration, Instant},
};

use multichat_bench::{Result, Tally};
use rustix::event::epoll;

use super::{Generator, PATIENCE, Wait};
use crate::{
    client::{Ask, Client, Stage},
    wire,
};

/// What a client comes for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Visit {
    pub(crate) ask: Ask,
    /// The number of the first message that it is told.
    pub(crate) first: u64,
    /// So many messages it waits for before it goes.
    pub(crate) entries: u64,
}

impl Visit {
    /// A registration in the rich dialect that is told the newest `entries` of `all` messages.
    pub(crate) fn history(entries: u32, all: u32) -> Self {
        Self { ask: Ask::history(entries), first: u64::from(all - entries), entries: entries.into() }
    }

    /// Closes once all has come.
    pub(super) fn end(&self, client: &mut Client) -> Result<()> {
        if client.received == self.entries {
            client.send(wire::CLOSE, &1000_u16.to_be_bytes())?;
        }
        Ok(())
    }
}

impl Generator {
    /// Connects, registers, gets what it came for and closes, over and over, `at_once` connections at a
    /// time. Returns how many, and what they got.
    pub(crate) fn churn(
        address: SocketAddr,
        at_once: usize,
        visit: &Visit,
        time: Duration,
    ) -> Result<(u64, Tally)> {
        let mut generator = Self::new(address, 0, Wait::Spin)?;
        generator.visit = Some(visit.clone());
        let end = Instant::now() + time;
        for place in 0..at_once {
            let client = generator.dial(place, visit.ask.clone())?;
            generator.clients.push(client);
        }
        while generator.clients.iter().any(|client| client.stage != Stage::Ended) {
            let now = Instant::now();
            if now > end + PATIENCE {
                return Err("connections that were closed do not end".into());
            }
            generator.turn(None)?;
            for place in 0..at_once {
                if generator.clients[place].stage == Stage::Ended && now < end {
                    generator.clients[place] = generator.dial(place, visit.ask.clone())?;
                }
            }
        }
        let mut tally = generator.ledger.tally;
        tally.lost += (generator.closed * visit.entries).saturating_sub(tally.delivered);
        Ok((generator.closed, tally))
    }

    /// Ends the connections of these clients without a close.
    pub(crate) fn vanish(&mut self, places: Range<usize>) -> Result<()> {
        self.stalled += places.len();
        self.registered -= places.len();
        for client in &mut self.clients[places] {
            client.stage = Stage::Ended;
            epoll::delete(&self.epoll, &client.stream)?;
            client.stream.shutdown(Shutdown::Both)?;
        }
        Ok(())
    }

    /// These clients come back, in the rich dialect to their sessions: to all the `missed` messages that were sent
    /// while they were away. Returns when the last has the last of them, with the time it took.
    pub(crate) fn come_back(&mut self, places: Range<usize>, missed: u64) -> Result<Duration> {
        let start = Instant::now();
        self.stalled -= places.len();
        self.expected += missed * places.len() as u64;
        self.register(places, |generator, place| {
            let client = &generator.clients[place];
            Ask { resume: client.session.clone(), ..client.ask.clone() }
        })?;
        self.settle()?;
        Ok(start.elapsed())
    }

    /// So many messages of the first client, to whoever is there.
    pub(crate) fn say(&mut self, size: usize, messages: u64) -> Result<()> {
        let mut template = self.template(size);
        for message in 0..messages {
            self.put(0, 0, &mut template);
            // Not all at once: a sender should not have to wait for its own acks.
            if message % 64 == 63 {
                self.flush(0)?;
                self.settle()?;
            }
        }
        self.flush(0)?;
        self.settle()
    }

    /// The packets that have told of each of these clients, and the bytes in them.
    pub(crate) fn told(&self, places: Range<usize>) -> &[[u64; 2]] {
        &self.told[places]
    }

    /// Waits until so many packets have told of these clients, or none more come.
    pub(crate) fn await_told(&mut self, places: &Range<usize>, packets: u64) -> Result<()> {
        let (mut last, mut quiet) = (0, Instant::now());
        while last < packets && quiet.elapsed() < PATIENCE / 5 {
            self.turn(Some(Duration::from_millis(10)))?;
            let told = self.told[places.clone()].iter().map(|[packets, _]| packets).sum();
            if told != last {
                (last, quiet) = (told, Instant::now());
            }
        }
        Ok(())
    }
}
