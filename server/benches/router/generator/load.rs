//! What the clients are made to do: send as fast as it goes, or at given moments; stop reading.

use std::time::{Duration, Instant};

use multichat_bench::Result;
use rustix::event::epoll::{self, EventData, EventFlags};

use super::{Generator, name};
use crate::{
    client::{Arrival, Stage},
    ledger::Latencies,
    wire,
};

impl Generator {
    /// Sends as fast as the readers take it: `outstanding` messages have not reached all readers. Returns
    /// when all has come, with the time it took.
    pub(crate) fn saturate(&mut self, size: usize, outstanding: u64, time: Duration) -> Result<Duration> {
        let mut template = self.template(size);
        self.frame_length = wire::forwarded_length(name(0).len(), size);
        let total = |sent: &[u32]| sent.iter().map(|sent| u64::from(*sent)).sum::<u64>();
        self.lacking = vec![self.clients.len() - self.senders; outstanding as usize];
        self.completed = total(&self.sent);
        let (start, mut turn) = (Instant::now(), 0);
        while start.elapsed() < time {
            let under_way = total(&self.sent).saturating_sub(self.completed);
            let free = outstanding.saturating_sub(under_way);
            for _ in 0..free {
                turn = (turn + 1) % self.senders;
                self.put(turn, 0, &mut template);
            }
            if free > 0 {
                for sender in 0..self.senders {
                    self.flush(sender)?;
                }
            }
            self.turn(Some(Duration::from_millis(10)))?;
        }
        self.settle()?;
        Ok(start.elapsed())
    }

    /// Sends at moments that are chosen before, whatever the server does, and measures each latency from
    /// the moment at which the message was due. Returns when all has come, with the latencies.
    pub(crate) fn schedule(&mut self, size: usize, arrivals: Arrivals, time: Duration) -> Result<Latencies> {
        let mut template = self.template(size);
        let room = arrivals.rate * time.as_secs_f64() * self.clients.len() as f64 * 1.2;
        self.latencies = Some(Latencies::with_capacity(room as usize));
        let base = self.nanoseconds();
        for (at, sender) in arrivals.take_while(|(at, _)| *at < time) {
            let due = base + at.as_nanos() as u64;
            loop {
                let now = self.nanoseconds();
                if now >= due {
                    break;
                }
                // Does not sleep quite so long: it must not be late itself.
                self.turn(Some(Duration::from_nanos(due - now).saturating_sub(Duration::from_millis(1))))?;
            }
            self.put(sender, due, &mut template);
            self.flush(sender)?;
            // Looks at what has come between any two messages, late or not.
            self.turn(None)?;
        }
        self.settle()?;
        Ok(self.latencies.take().unwrap_or_default())
    }

    /// A client stops reading. With a small buffer, so that it is the server that is put to the test.
    pub(crate) fn stall(&mut self, place: usize) -> Result<()> {
        self.stalled += 1;
        let client = &mut self.clients[place];
        client.stalled = true;
        rustix::net::sockopt::set_socket_recv_buffer_size(&client.stream, 64 * 1024)?;
        epoll::modify(&self.epoll, &client.stream, EventData::new_u64(place as u64), EventFlags::empty())?;
        Ok(())
    }

    /// Whether a client's connection is over.
    pub(crate) fn has_ended(&self, place: usize) -> bool {
        self.clients[place].stage == Stage::Ended
    }

    /// The stalled client reads what is left: the close code that it finds, if it finds one, and whether
    /// the connection is over.
    pub(crate) fn drain_stalled(&mut self, place: usize, time: Duration) -> Result<(Option<u16>, bool)> {
        let end = Instant::now() + time;
        self.clients[place].stage = Stage::Registered;
        let mut buffer = std::mem::take(&mut self.buffer);
        while self.clients[place].stage != Stage::Ended && Instant::now() < end {
            let count = self.clients[place].read(&mut buffer);
            let mut input = &buffer[..count];
            while let Some(arrival) = self.clients[place].next_arrival(&mut input) {
                // An answer could not be sent any more.
                if !matches!(arrival, Arrival::Ping(_)) {
                    self.handle(place, arrival)?;
                }
            }
        }
        self.buffer = buffer;
        Ok((self.clients[place].close_code, self.clients[place].stage == Stage::Ended))
    }
}

/// When messages are due, and whose: independent of each other, as people are. The same seed gives the
/// same moments, so that the server and a yardstick are asked the same.
#[derive(Debug)]
pub(crate) struct Arrivals {
    rate: f64,
    senders: u64,
    at: f64,
    state: u64,
}

impl Arrivals {
    /// `rate` messages a second in all, from the first so many clients.
    pub(crate) fn new(rate: f64, senders: usize, seed: u64) -> Self {
        Self { rate, senders: senders as u64, at: 0.0, state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1 }
    }

    /// Marsaglia's xorshift64.
    fn random(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }
}

impl Iterator for Arrivals {
    type Item = (Duration, usize);

    fn next(&mut self) -> Option<Self::Item> {
        let unit = ((self.random() >> 11) + 1) as f64 / (1_u64 << 53) as f64;
        self.at -= unit.ln() / self.rate;
        Some((Duration::from_secs_f64(self.at), (self.random() % self.senders) as usize))
    }
}
