//! Rows about who is told of others, and what that costs.

use std::{ops::Range, time::Duration};

use multichat_bench::{Aim, Figure, Outcome, Place, Result, Tally};

use super::{
    client::Ask,
    generator::Generator,
    lifetime::{check_files, watch_idle},
    process::Running,
    rows::{Bench, medians},
};

/// Clients that come and go.
const CROWD: usize = 1000;
/// Those who want to know, at first and later.
const FEW: usize = 10;
const MANY: usize = 100;
/// Longer than a name may be without a connection before that is told.
const GRACE: Duration = Duration::from_millis(5500);
/// Longer than news is held back.
const COALESCED: Duration = Duration::from_millis(300);

/// Clients that come, vanish and come back while others want to know of it.
pub(crate) fn presence(bench: &Bench) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let mut rounds = Vec::new();
    for _ in 0..if bench.options.quick { 1 } else { 3 } {
        let (others, figures) =
            bench.round(&bench.server(), Place::Tested, &mut outcome, |running| round(bench, running))?;
        outcome.others = outcome.others.max(others);
        rounds.push(figures);
    }
    let [alone, blink, blink_told, join, joining, packets, bytes, each, left, left_each] = medians(&rounds);
    let beside = |what, figure, alone| Figure::beside(what, "µs", figure, (alone, "with none"), Aim::None);
    outcome.figures = vec![
        beside("CPU of each that blinks, 10 subscribers", blink, alone),
        Figure::alone("told of 1,000 that blink", "packets", blink_told, Aim::AtMost(0.0)),
        beside("CPU of each new name, 100 subscribers", joining, join),
        Figure::alone("told of 1,000 new names", "packets", packets, Aim::AtMost((CROWD * MANY) as f64)),
        Figure::alone("size of each packet", "B", bytes / packets, Aim::None),
        Figure::alone("server CPU for each packet, new names", "µs", each, Aim::None),
        Figure::alone("told of 1,000 that leave", "packets", left, Aim::AtMost((CROWD * MANY) as f64)),
        Figure::alone("server CPU for each packet, leaving", "µs", left_each, Aim::None),
    ];
    Ok(outcome)
}

fn round(bench: &Bench, running: &Running) -> Result<([f64; 10], Tally)> {
    let mut generator = Generator::new(running.address, 0, bench.wait)?;
    let mut told = Tally::default();
    // The same clients blink, first with nobody who wants to know.
    let crowd = 0..CROWD;
    let before = running.cpu()?;
    generator.enlist(CROWD, |_| Ask::default())?;
    generator.rest(COALESCED)?;
    let join = (running.cpu()? - before) * 1e6 / CROWD as f64;
    let alone = blink(running, &mut generator, crowd.clone())?;
    generator.enlist(FEW, |_| Ask::presence())?;
    generator.rest(COALESCED)?;
    let known = counts(generator.told(crowd.clone()));
    let blinking = blink(running, &mut generator, crowd.clone())?;
    generator.rest(GRACE)?;
    let blink_told: u64 =
        counts(generator.told(crowd)).iter().zip(&known).map(|(now, then)| now - then).sum();
    told.doubled += blink_told;

    generator.enlist(MANY - FEW, |_| Ask::presence())?;
    generator.rest(COALESCED)?;
    let before = running.cpu()?;
    let new = generator.clients.len()..generator.clients.len() + CROWD;
    generator.enlist(CROWD, |_| Ask::default())?;
    generator.await_told(&new, (CROWD * MANY) as u64)?;
    generator.rest(COALESCED)?;
    let joining = (running.cpu()? - before) * 1e6 / CROWD as f64;
    let joined = counts(generator.told(new.clone()));
    let packets: u64 = joined.iter().sum();
    let bytes: u64 = generator.told(new.clone()).iter().map(|[_, bytes]| bytes).sum();
    told += tally(&joined);

    generator.vanish(new.clone())?;
    // Their ends cost something as well, which is no part of this.
    generator.rest(Duration::from_secs(1))?;
    let before = running.cpu()?;
    generator.rest(GRACE.saturating_sub(Duration::from_secs(1)))?;
    generator.await_told(&new, packets + (CROWD * MANY) as u64)?;
    let leaving = running.cpu()? - before;
    let gone: Vec<u64> =
        counts(generator.told(new)).iter().zip(&joined).map(|(now, then)| now - then).collect();
    let left: u64 = gone.iter().sum();
    told += tally(&gone);
    told += generator.finish()?;
    let each = (joining - join) * CROWD as f64 / packets as f64;
    let left_each = leaving * 1e6 / left as f64;
    let figures = [
        alone,
        blinking,
        blink_told as f64,
        join,
        joining,
        packets as f64,
        bytes as f64,
        each,
        left as f64,
        left_each,
    ];
    Ok((figures, told))
}

/// These clients vanish and come back. Returns what each costs.
fn blink(running: &Running, generator: &mut Generator, crowd: Range<usize>) -> Result<f64> {
    let (before, count) = (running.cpu()?, crowd.len());
    generator.vanish(crowd.clone())?;
    generator.rest(COALESCED)?;
    generator.come_back(crowd, 0)?;
    generator.rest(COALESCED)?;
    Ok((running.cpu()? - before) * 1e6 / count as f64)
}

fn counts(told: &[[u64; 2]]) -> Vec<u64> {
    told.iter().map(|[packets, _]| *packets).collect()
}

/// What it means that so many packets told of each, where each subscriber is to be told once.
fn tally(packets: &[u64]) -> Tally {
    let wanted = MANY as u64;
    packets.iter().fold(Tally::default(), |mut tally, packets| {
        tally += Tally {
            delivered: *packets,
            lost: wanted.saturating_sub(*packets),
            doubled: packets.saturating_sub(wanted),
            ..Tally::default()
        };
        tally
    })
}

/// Many clients of the rich dialect that say nothing, beside as many of the plain.
pub(crate) fn idle(bench: &Bench) -> Result<Outcome> {
    check_files(bench)?;
    let mut outcome = Outcome::default();
    let asks: [fn(usize) -> Ask; 3] = [
        |_| Ask::default(),
        |_| Ask::rich(),
        // The first hundred, so that they are told of all the others as these come.
        |place| if place < MANY { Ask::presence() } else { Ask::rich() },
    ];
    let mut rows = Vec::new();
    for ask in asks {
        let (others, row) = bench.round(&bench.server(), Place::Tested, &mut outcome, |running| {
            watch_idle(bench, running, ask, bench.time(5.0))
        })?;
        outcome.others = outcome.others.max(others);
        rows.push(row.figures);
    }
    let [plain, rich, told] = rows[..] else { return Err("three runs".into()) };
    let beside = |what, unit, row: [f64; 4], figure: usize, aim| {
        Figure::beside(what, unit, row[figure], (plain[figure], "plain"), aim)
    };
    outcome.figures = vec![
        beside("server CPU to accept each", "µs", rich, 0, Aim::None),
        beside("memory of each, fresh", "KiB", rich, 1, Aim::AtMost(7.0)),
        beside("memory of each, after 20 × 1 KiB to all", "KiB", rich, 2, Aim::AtMost(7.0)),
        Figure::alone("CPU while idle", "ms/s", rich[3], Aim::AtMost(1.0)),
        beside("100 subscribers: CPU to accept each", "µs", told, 0, Aim::None),
        beside("100 subscribers: memory of each, fresh", "KiB", told, 1, Aim::AtMost(7.0)),
        beside("100 subscribers: after 20 × 1 KiB", "KiB", told, 2, Aim::AtMost(7.0)),
        Figure::alone("100 subscribers: CPU while idle", "ms/s", told[3], Aim::AtMost(1.0)),
    ];
    Ok(outcome)
}
