//! Rows about what a delivery costs.

use multichat_bench::{Aim, Figure, Outcome, Place, Result, own_cpu};

use super::{
    client::Ask,
    generator::{Arrivals, Generator, Wait},
    rows::Bench,
    yardstick::Kind,
};

/// All speak the plain dialect.
fn plain(_: usize) -> Ask {
    Ask::default()
}

/// All speak the rich dialect; each message has an id, and each ack is a delivery.
pub(crate) fn rich(_: usize) -> Ask {
    Ask::rich()
}

/// The sender speaks the plain dialect, and so does every other reader.
pub(crate) fn mixed(place: usize) -> Ask {
    if place.is_multiple_of(2) { Ask::default() } else { Ask::rich() }
}

/// Work at a rate that is given.
pub(crate) struct Paced {
    ask: fn(usize) -> Ask,
    clients: usize,
    senders: usize,
    rate: f64,
    kind: Kind,
    cpu: Aim,
    p99: Aim,
}

/// The size of a chat message.
const CHAT: usize = 64;
pub(crate) const CHAT_400: Paced = Paced {
    ask: plain,
    clients: 100,
    senders: 100,
    rate: 400.0,
    kind: Kind::Coalesce,
    cpu: Aim::Times(1.2),
    p99: Aim::Times(1.25),
};
pub(crate) const CHAT_1500: Paced = Paced { rate: 1500.0, p99: Aim::AtMost(2.0), ..CHAT_400 };
pub(crate) const RICH_CHAT_400: Paced = Paced { ask: rich, ..CHAT_400 };
pub(crate) const SLOW_1000: Paced = Paced {
    ask: plain,
    clients: 1001,
    senders: 1,
    rate: 40.0,
    kind: Kind::Write,
    cpu: Aim::Times(1.15),
    p99: Aim::None,
};

/// The messages that are under way at once when the work is to saturate.
const OUTSTANDING: u64 = 16;

/// One sender, readers that take all that they get, and always a few messages under way.
pub(crate) fn saturated(bench: &Bench, readers: usize, size: usize) -> Result<Outcome> {
    saturated_by(bench, plain, readers, size)
}

/// The same in other words.
pub(crate) fn saturated_by(
    bench: &Bench,
    ask: fn(usize) -> Ask,
    readers: usize,
    size: usize,
) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let [server, yardstick] = bench.beside(Kind::Coalesce, &mut outcome, |running, _| {
        let mut generator = Generator::new(running.address, 1, bench.wait)?;
        generator.enlist(readers + 1, ask)?;
        generator.saturate(size, OUTSTANDING, bench.time(0.3))?;
        let (before, delivered) = (running.cpu()?, generator.delivered());
        let time = generator.saturate(size, OUTSTANDING, bench.time(0.8))?;
        let cpu = running.cpu()? - before;
        let delivered = (generator.delivered() - delivered) as f64;
        let figures = [cpu * 1e6 / delivered, delivered / time.as_secs_f64() / 1e3];
        Ok((figures, generator.finish()?))
    })?;
    let beside = |what, unit, figure: usize, aim| {
        Figure::beside(what, unit, server[figure], (yardstick[figure], Kind::Coalesce.name()), aim)
    };
    outcome.figures = vec![
        beside("server CPU for each delivery", "µs", 0, Aim::Times(1.2)),
        beside("deliveries", "thousands/s", 1, Aim::None),
    ];
    Ok(outcome)
}

/// Messages at moments that do not depend on the server.
pub(crate) fn paced(bench: &Bench, work: &Paced) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let [server, yardstick] = bench.beside(work.kind, &mut outcome, |running, round| {
        let mut generator = Generator::new(running.address, work.senders, bench.wait)?;
        generator.enlist(work.clients, work.ask)?;
        let arrivals = |seed| Arrivals::new(work.rate, work.senders, seed);
        generator.schedule(CHAT, arrivals(100), bench.time(0.4))?;
        let (before, delivered) = (running.cpu()?, generator.delivered());
        let mut latencies = generator.schedule(CHAT, arrivals(round + 1), bench.time(2.2))?;
        let cpu = running.cpu()? - before;
        let delivered = (generator.delivered() - delivered) as f64;
        let figures = [cpu * 1e6 / delivered, latencies.quantile(0.5), latencies.quantile(0.99)];
        Ok((figures, generator.finish()?))
    })?;
    let beside = |what, unit, figure: usize, aim| {
        Figure::beside(what, unit, server[figure], (yardstick[figure], work.kind.name()), aim)
    };
    outcome.figures = vec![
        beside("server CPU for each delivery", "µs", 0, work.cpu),
        beside("latency p50", "ms", 1, Aim::None),
        beside("latency p99", "ms", 2, work.p99),
    ];
    Ok(outcome)
}

/// What a second core brings.
///
/// The clients need a core too, and on a machine with two there is none to spare. So the clients cost as
/// little as they can - of large messages most of them have the kernel throw away the bytes, uncopied, and
/// just count them - and what they do cost is taken off: with both cores the server's throughput is that
/// for each second of a core that the clients left to it, used or not, times two. With one core it is the
/// throughput for each second that the server was busy, which is the best that it could do. A server on
/// one thread comes to little more than 1, one that is never idle and wastes nothing to 2.
pub(crate) fn cores(bench: &Bench) -> Result<Outcome> {
    const READERS: usize = 1000;
    const SENDERS: usize = 4;
    const SIZE: usize = 16 << 10;
    let mut outcome = Outcome::default();
    let turns = [(bench.server(), Place::Tested), (bench.server(), Place::Both)];
    let [one, both] = bench.by_turns(&turns, &mut outcome, |running, place, _| {
        let mut generator = Generator::connect(running.address, READERS + SENDERS, SENDERS, Wait::Sleep)?;
        // A few read it all, for the ledger.
        for (number, client) in generator.clients.iter_mut().enumerate().skip(SENDERS) {
            client.discards = number % 50 != 0;
        }
        generator.saturate(SIZE, OUTSTANDING, bench.time(0.3))?;
        let (before, own, delivered) = (running.cpu()?, own_cpu(), generator.delivered());
        let time = generator.saturate(SIZE, OUTSTANDING, bench.time(1.0))?.as_secs_f64();
        let (busy, own) = (running.cpu()? - before, own_cpu() - own);
        let delivered = (generator.delivered() - delivered) as f64 / 1e3;
        let (throughput, share) = match place {
            Place::Both => (2.0 * delivered / (2.0 * time - own), busy / (2.0 * time - own)),
            _ => (delivered / busy, busy / time),
        };
        Ok(([throughput, busy * 1e3 / delivered, share], generator.finish()?))
    })?;
    let beside = |what, unit, figure: usize, aim| {
        Figure::beside(what, unit, both[figure], (one[figure], "on one"), aim)
    };
    outcome.figures = vec![
        beside("deliveries, clients' CPU taken off", "thousands/s", 0, Aim::AtLeastTimes(1.6)),
        beside("server CPU for each delivery", "µs", 1, Aim::None),
        beside("share of its cores it used", "of 1", 2, Aim::None),
    ];
    Ok(outcome)
}
