//! Rows about what a connection costs, idle, new or stuck.

use std::time::{Duration, Instant};

use multichat_bench::{Aim, Figure, Outcome, Place, Result, Tally};

use super::{
    client::Ask,
    generator::{Arrivals, Generator, Visit},
    ledger::Latencies,
    process::{Program, Running},
    rows::Bench,
    yardstick::Kind,
};

/// Clients that connect at once when they come and go.
pub(crate) const CHURNING: usize = 16;

/// Clients that are there and say nothing, and those among them that say something once.
const IDLERS: usize = 5000;
const SENDERS: usize = 10;

/// What [`IDLERS`] clients cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Idling {
    /// µs to let one in; KiB of one, fresh and after some traffic; ms of CPU each second in which nothing happens.
    pub(crate) figures: [f64; 4],
    /// Pings that came while nothing else did.
    pings: u64,
}

/// Whether so many connections can be had.
pub(crate) fn check_files(bench: &Bench) -> Result<()> {
    if bench.files.is_some_and(|files| files < IDLERS as u64 + 100) {
        return Err(format!("{IDLERS} connections need as many open files (see ulimit -n)").into());
    }
    Ok(())
}

/// Lets clients in that ask for what `ask` says of each, has something said to all of them, and watches them do nothing
/// for some `time`.
pub(crate) fn watch_idle(
    bench: &Bench,
    running: &Running,
    ask: fn(usize) -> Ask,
    time: Duration,
) -> Result<(Idling, Tally)> {
    let (empty, before) = (running.memory()?, running.cpu()?);
    let mut generator = Generator::new(running.address, SENDERS, bench.wait)?;
    generator.enlist(IDLERS, ask)?;
    let accepting = (running.cpu()? - before) * 1e6 / IDLERS as f64;
    let each = |memory: u64| memory.saturating_sub(empty.now) as f64 / 1024.0 / IDLERS as f64;
    generator.rest(bench.time(1.0))?;
    let fresh = each(running.memory()?.now);
    // 20 messages in a second.
    generator.schedule(1024, Arrivals::new(20.0, SENDERS, 1), Duration::from_secs(1))?;
    generator.rest(bench.time(1.0))?;
    let used = each(running.memory()?.now);
    let (before, pings) = (running.cpu()?, generator.pings);
    generator.rest(time)?;
    let idling = (running.cpu()? - before) * 1e3 / time.as_secs_f64();
    let pings = generator.pings - pings;
    Ok((Idling { figures: [accepting, fresh, used, idling], pings }, generator.finish()?))
}

/// Many clients that say nothing: what they take, what it cost to let them in, and whether they cost
/// anything while nothing happens.
pub(crate) fn idle(bench: &Bench) -> Result<Outcome> {
    check_files(bench)?;
    let mut outcome = Outcome::default();
    let mut rows = Vec::new();
    for program in [Program::Yardstick(Kind::Write), bench.server()] {
        let time = if matches!(program, Program::Server(_)) { bench.time(10.0) } else { Duration::ZERO };
        let (others, row) = bench.round(&program, Place::Tested, &mut outcome, |running| {
            watch_idle(bench, running, |_| Ask::default(), time)
        })?;
        outcome.others = outcome.others.max(others);
        rows.push(row);
    }
    let [Idling { figures: yardstick, .. }, Idling { figures: server, pings }] = rows[..] else {
        return Err("two programs".into());
    };
    let beside = |what, unit, figure: usize, aim| {
        Figure::beside(what, unit, server[figure], (yardstick[figure], Kind::Write.name()), Aim::AtMost(aim))
    };
    let idling = format!("CPU while idle ({pings} pings)");
    outcome.figures = vec![
        beside("server CPU to accept each", "µs", 0, 60.0),
        beside("memory of each, fresh", "KiB", 1, 6.0),
        beside("memory of each, after 20 × 1 KiB to all", "KiB", 2, 6.0),
        // "None": less than a thousandth of a core.
        Figure::alone(idling, "ms/s", server[3], Aim::AtMost(1.0)),
    ];
    Ok(outcome)
}

/// Clients that come and go.
pub(crate) fn churn(bench: &Bench) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let [server, yardstick] = bench.beside(Kind::Write, &mut outcome, |running, _| {
        let visit = Visit::default();
        Generator::churn(running.address, CHURNING, &visit, bench.time(0.3))?;
        let before = running.cpu()?;
        let (count, tally) = Generator::churn(running.address, CHURNING, &visit, bench.time(1.0))?;
        Ok(([(running.cpu()? - before) * 1e6 / count as f64], tally))
    })?;
    let what = "server CPU for each";
    outcome.figures =
        vec![Figure::beside(what, "µs", server[0], (yardstick[0], Kind::Write.name()), Aim::Times(1.5))];
    Ok(outcome)
}

/// One reader stops, and the others must not notice.
pub(crate) fn stall(bench: &Bench) -> Result<Outcome> {
    const READERS: usize = 100;
    const RATE: f64 = 400.0;
    const SIZE: usize = 4096;
    const LOG_MIB: f64 = 16.0;
    /// The last one.
    const STALLED: usize = READERS;
    let mut outcome = Outcome::default();
    let measure = |running: &Running| {
        let mut generator = Generator::connect(running.address, READERS + 1, 1, bench.wait)?;
        let empty = running.memory()?;
        generator.schedule(SIZE, Arrivals::new(RATE, 1, 0), bench.time(1.0))?;
        // Before and after, the same moments over and over: no luck in them.
        let pieces = if bench.options.quick { 1 } else { 3 };
        let piece = |generator: &mut Generator, count: u64| {
            generator.schedule(SIZE, Arrivals::new(RATE, 1, 1 + count % pieces), Duration::from_secs(2))
        };
        let (mut before, mut during) = (Latencies::default(), Latencies::default());
        for count in 0..pieces {
            before.append(piece(&mut generator, count)?);
        }
        generator.stall(STALLED)?;
        let start = Instant::now();
        // Behind the log after 10 s and what the socket's buffers hold; reset some seconds later.
        for count in 0.. {
            during.append(piece(&mut generator, count)?);
            if generator.has_ended(STALLED) || start.elapsed() > Duration::from_secs(24) {
                break;
            }
        }
        let time = start.elapsed().as_secs_f64();
        let grown = running.memory()?.peak.saturating_sub(empty.now) as f64 / f64::from(1 << 20);
        let (code, ended) = generator.drain_stalled(STALLED, Duration::from_secs(2))?;
        let found = match code {
            Some(code) => format!("close {code}"),
            None if ended => "a reset".to_owned(),
            None => "no end".to_owned(),
        };
        let cut = ended && code.is_none_or(|code| code == 4513);
        let p99 = [before.quantile(0.99), during.quantile(0.99)];
        Ok(((p99, cut, found, time, grown), generator.finish()?))
    };
    let (others, (p99, cut, found, time, grown)) =
        bench.round(&bench.server(), Place::Tested, &mut outcome, measure)?;
    outcome.others = others;
    let [before, during] = p99;
    outcome.figures = vec![
        Figure::beside("latency p99 of the 99 others", "ms", during, (before, "before"), Aim::Times(1.2)),
        Figure::alone(
            format!("cut: finds {found} after {time:.0} s"),
            "1: yes",
            f64::from(u8::from(cut)),
            Aim::AtLeast(1.0),
        ),
        Figure::alone("memory grown by, at its peak", "MiB", grown, Aim::AtMost(LOG_MIB + 4.0)),
    ];
    Ok(outcome)
}
