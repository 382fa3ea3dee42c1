//! The load: a single thread with one epoll that holds every client's connection.
//!
//! It must never be what is measured. So it reads in large pieces, keeps no payload, allocates nothing for
//! a message, and by default does not sleep: on loopback a server pays for waking up a sleeping reader,
//! which no server pays whose clients are elsewhere.

use std::{
    net::SocketAddr,
    ops::Range,
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use multichat_bench::{Result, Tally};
use rustix::{
    event::epoll::{self, Event, EventData, EventFlags},
    time::Timespec,
};

use super::{
    client::{Arrival, Ask, Client, Stage},
    ledger::{Latencies, Ledger},
    wire::{self, Dialect, Stamp, Template},
};

mod load;
mod visits;

pub(crate) use load::Arrivals;
pub(crate) use visits::Visit;

/// Handshakes under way at once; fewer than a server allows one address by default.
const HANDSHAKES: usize = 32;
/// For anything that is waited for.
const PATIENCE: Duration = Duration::from_secs(15);
/// Room for one read.
const READ: usize = 256 * 1024;
/// Events handled between two looks at the clock.
const EVENTS: usize = 64;

/// What the generator does while nothing happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// Looks again at once.
    Spin,
    /// Sleeps until something happens.
    Sleep,
}

/// All clients, and the ledger of what they get.
pub(crate) struct Generator {
    address: SocketAddr,
    epoll: OwnedFd,
    events: Vec<Event>,
    buffer: Vec<u8>,
    pub(crate) clients: Vec<Client>,
    /// The first so many clients may send.
    senders: usize,
    /// Messages of each sender.
    sent: Vec<u32>,
    /// Deliveries that are to come of all that was sent.
    expected: u64,
    /// Clients that have stopped reading, or are away.
    stalled: usize,
    ledger: Ledger,
    latencies: Option<Latencies>,
    start: Instant,
    wait: Wait,
    registered: usize,
    /// Connections that closed as asked, in [`churn`](Self::churn).
    closed: u64,
    /// What a client stays for that comes and goes.
    visit: Option<Visit>,
    /// How long a forwarded message is, for clients that only count bytes.
    frame_length: usize,
    /// Messages, of those outstanding, by their place in the room: how many readers still lack them.
    lacking: Vec<usize>,
    completed: u64,
    pub(crate) pings: u64,
    /// For each client, the packets that told others of it, and the bytes in them.
    told: Vec<[u64; 2]>,
}

/// The name of a client. All are equally long.
fn name(place: usize) -> String {
    format!("client-{place:05}")
}

impl Generator {
    /// Connects and registers so many clients, of which the first `senders` may send.
    pub(crate) fn connect(address: SocketAddr, clients: usize, senders: usize, wait: Wait) -> Result<Self> {
        let mut generator = Self::new(address, senders, wait)?;
        generator.enlist(clients, |_| Ask::default())?;
        Ok(generator)
    }

    /// One without clients, of which the first `senders` may send.
    pub(crate) fn new(address: SocketAddr, senders: usize, wait: Wait) -> Result<Self> {
        Ok(Self {
            address,
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            events: Vec::with_capacity(EVENTS),
            buffer: vec![0; READ],
            clients: Vec::new(),
            senders,
            sent: vec![0; senders],
            expected: 0,
            stalled: 0,
            ledger: Ledger::new(0, senders),
            latencies: None,
            start: Instant::now(),
            wait,
            registered: 0,
            closed: 0,
            visit: None,
            frame_length: 1,
            lacking: Vec::new(),
            completed: 0,
            pings: 0,
            told: Vec::new(),
        })
    }

    /// Connects and registers so many more clients.
    pub(crate) fn enlist(&mut self, clients: usize, ask: impl Fn(usize) -> Ask) -> Result<()> {
        let places = self.clients.len()..self.clients.len() + clients;
        self.ledger.grow(places.end);
        self.told.resize(places.end, [0; 2]);
        self.register(places, |_, place| ask(place))
    }

    /// Connects and registers the clients of these places, which are new ones or have gone.
    fn register(&mut self, places: Range<usize>, ask: impl Fn(&Self, usize) -> Ask) -> Result<()> {
        let (deadline, before) = (Instant::now() + PATIENCE, self.registered);
        let mut next = places.start;
        while self.registered < before + places.len() {
            if Instant::now() > deadline {
                let done = self.registered - before;
                return Err(format!("only {done} of {} clients registered", places.len()).into());
            }
            while next < places.end.min(places.start + self.registered - before + HANDSHAKES) {
                let client = self.dial(next, ask(self, next))?;
                if next < self.clients.len() {
                    self.clients[next] = client;
                } else {
                    self.clients.push(client);
                }
                next += 1;
            }
            self.turn(Some(Duration::from_millis(100)))?;
        }
        Ok(())
    }

    fn dial(&self, place: usize, ask: Ask) -> Result<Client> {
        let client = Client::connect(self.address, name(place).len(), ask)?;
        epoll::add(&self.epoll, &client.stream, EventData::new_u64(place as u64), EventFlags::IN)?;
        Ok(client)
    }

    fn nanoseconds(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }

    /// One round of epoll. Waits at most that long, where the generator is one that sleeps.
    fn turn(&mut self, patience: Option<Duration>) -> Result<()> {
        let patience = patience.filter(|_| self.wait == Wait::Sleep).unwrap_or_default();
        let timeout =
            Timespec { tv_sec: patience.as_secs() as i64, tv_nsec: i64::from(patience.subsec_nanos()) };
        let mut events = std::mem::take(&mut self.events);
        events.clear();
        epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), Some(&timeout))?;
        for event in &events {
            let (flags, place) = (event.flags, event.data.u64() as usize);
            if flags.contains(EventFlags::OUT) {
                self.flush(place)?;
            }
            if flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
                self.read(place)?;
            }
        }
        self.events = events;
        Ok(())
    }

    /// Writes what a client has to write, and asks to be told when it can go on if that is not all.
    fn flush(&mut self, place: usize) -> Result<()> {
        let client = &mut self.clients[place];
        let blocked = !client.flush()?;
        if blocked != client.blocked {
            client.blocked = blocked;
            let flags = if blocked { EventFlags::IN | EventFlags::OUT } else { EventFlags::IN };
            epoll::modify(&self.epoll, &client.stream, EventData::new_u64(place as u64), flags)?;
        }
        Ok(())
    }

    fn read(&mut self, place: usize) -> Result<()> {
        if self.clients[place].stalled {
            // Nothing but the end is told of one that does not read.
            self.clients[place].stage = Stage::Ended;
            epoll::delete(&self.epoll, &self.clients[place].stream)?;
            return Ok(());
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        let count = self.clients[place].read(&mut buffer);
        if self.clients[place].discards {
            self.discard(place, count);
        } else {
            let mut input = &buffer[..count];
            while let Some(arrival) = self.clients[place].next_arrival(&mut input) {
                self.handle(place, arrival)?;
            }
        }
        self.buffer = buffer;
        if self.clients[place].stage == Stage::Ended {
            self.ended(place)?;
        }
        Ok(())
    }

    fn handle(&mut self, place: usize, arrival: Arrival) -> Result<()> {
        let client = &mut self.clients[place];
        match arrival {
            Arrival::Delivery(stamp) => {
                client.received += 1;
                let ordinal = client.received;
                if let Some(visit) = &self.visit {
                    self.ledger.enter_known(u64::from(stamp.number) + 1 == visit.first + ordinal);
                    return visit.end(client);
                }
                if stamp.sender as usize == place {
                    return Err(format!("client {place} was sent what it had said itself").into());
                }
                self.enter(place, stamp);
                self.reached(place, ordinal);
            }
            Arrival::Ack(stamp) => {
                if stamp.sender as usize != place {
                    return Err(format!("client {place} was sent another one's ack").into());
                }
                self.enter(place, stamp);
            }
            Arrival::Presence { client, bytes } => {
                let told = self.told.get_mut(client).ok_or("there is news of a client that is none")?;
                told[0] += 1;
                told[1] += bytes as u64;
            }
            Arrival::Upgraded => {
                client.register(&name(place))?;
            }
            Arrival::Acknowledged(session) => {
                client.stage = Stage::Registered;
                client.session = session;
                self.registered += 1;
                if let Some(visit) = &self.visit {
                    return visit.end(client);
                }
            }
            Arrival::Ping(payload) => {
                self.pings += 1;
                client.send(wire::PONG, &payload)?;
            }
            Arrival::Close(code) => client.close_code = Some(code),
            Arrival::Nonsense(text) => return Err(format!("client {place} was sent {text:?}").into()),
        }
        Ok(())
    }

    fn enter(&mut self, place: usize, stamp: Stamp) {
        self.ledger.enter(place, stamp);
        if let Some(latencies) = &mut self.latencies {
            latencies.add((self.start.elapsed().as_nanos() as u64).saturating_sub(stamp.due));
        }
    }

    /// Counts the bytes of a client that throws them away.
    fn discard(&mut self, place: usize, count: usize) {
        let client = &mut self.clients[place];
        client.discarded += count as u64;
        let whole = client.discarded / self.frame_length as u64;
        let before = client.received;
        client.received = whole;
        self.ledger.tally.delivered += whole - before;
        for ordinal in before + 1..=whole {
            self.reached(place, ordinal);
        }
    }

    /// A reader has the room's message with this number, from 1.
    fn reached(&mut self, place: usize, ordinal: u64) {
        if place < self.senders || self.lacking.is_empty() {
            return;
        }
        let slot = (ordinal % self.lacking.len() as u64) as usize;
        self.lacking[slot] = self.lacking[slot].saturating_sub(1);
        if self.lacking[slot] == 0 {
            self.lacking[slot] = self.clients.len() - self.senders;
            self.completed += 1;
        }
    }

    fn ended(&mut self, place: usize) -> Result<()> {
        let client = &self.clients[place];
        epoll::delete(&self.epoll, &client.stream)?;
        if self.visit.is_some() && client.close_code == Some(1000) {
            self.closed += 1;
            return Ok(());
        }
        Err(format!("the connection of client {place} ended, close code {:?}", client.close_code).into())
    }

    /// Puts a message into a client's hands; [`flush`](Self::flush) writes it.
    fn put(&mut self, sender: usize, due: u64, template: &mut Template) {
        let stamp = Stamp { sender: sender as u32, number: self.sent[sender], due };
        let client = &mut self.clients[sender];
        template.put(client.out(), stamp);
        self.sent[sender] += 1;
        let has_ack = client.ask.dialect == Dialect::Rich;
        self.expected += (self.clients.len() - self.stalled - usize::from(!has_ack)) as u64;
    }

    /// What the senders say. All of them speak one dialect.
    fn template(&self, size: usize) -> Template {
        Template::new(self.clients.first().map_or(Dialect::Plain, |client| client.ask.dialect), size)
    }

    /// Only answers pings.
    pub(crate) fn rest(&mut self, time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.turn(Some(Duration::from_millis(10)))?;
        }
        Ok(())
    }

    /// Waits until all that is to come has come, or until nothing more comes.
    fn settle(&mut self) -> Result<()> {
        let (mut last, mut quiet) = (self.ledger.tally.delivered, Instant::now());
        while self.ledger.tally.delivered < self.expected && quiet.elapsed() < PATIENCE / 3 {
            self.turn(Some(Duration::from_millis(10)))?;
            if self.ledger.tally.delivered != last {
                (last, quiet) = (self.ledger.tally.delivered, Instant::now());
            }
        }
        Ok(())
    }

    /// Deliveries so far.
    pub(crate) fn delivered(&self) -> u64 {
        self.ledger.tally.delivered
    }

    /// Closes the books: waits a little for what comes once too often, and counts what never came.
    pub(crate) fn finish(mut self) -> Result<Tally> {
        self.rest(Duration::from_millis(50))?;
        let total: u64 = self.sent.iter().map(|sent| u64::from(*sent)).sum();
        for (place, client) in self.clients.iter().enumerate() {
            if client.discards {
                let tally = &mut self.ledger.tally;
                tally.lost += total.saturating_sub(client.received);
                tally.doubled += client.received.saturating_sub(total);
            } else if !client.stalled {
                self.ledger.close(place, client.ask.dialect == Dialect::Rich, &self.sent);
            }
        }
        Ok(self.ledger.tally)
    }
}
