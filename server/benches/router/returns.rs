//! Rows about those who are told what was said before: on coming back, or at first.

use std::time::Duration;

use multichat_bench::{Aim, Figure, Outcome, Result};

use super::{
    client::Ask,
    generator::{Generator, Visit},
    lifetime::CHURNING,
    rows::Bench,
    yardstick::Kind,
};

/// The size of a message.
const SIZE: usize = 64;

/// All drop, something is said, and all come back at once.
///
/// What is counted is everything from the first connect to the last entry: the handshakes and registrations
/// of all clients as well. What these alone come to is measured first, by coming back to nothing new.
pub(crate) fn resume(bench: &Bench) -> Result<Outcome> {
    const CLIENTS: usize = 1000;
    const MISSED: u64 = 1000;
    const GONE: Duration = Duration::from_millis(300);
    let mut outcome = Outcome::default();
    let missed = if bench.options.quick { MISSED / 5 } else { MISSED };
    let [server, yardstick] = bench.beside(Kind::Replay, &mut outcome, |running, _| {
        let mut generator = Generator::new(running.address, 1, bench.wait)?;
        generator.enlist(1 + CLIENTS, |_| Ask::rich())?;
        let all = 1..1 + CLIENTS;
        let mut come_back = |messages| -> Result<(f64, f64)> {
            generator.vanish(all.clone())?;
            generator.rest(GONE)?;
            generator.say(SIZE, messages)?;
            let before = running.cpu()?;
            let time = generator.come_back(all.clone(), messages)?;
            Ok((running.cpu()? - before, time.as_secs_f64()))
        };
        let (bare, _) = come_back(0)?;
        let (cpu, time) = come_back(missed)?;
        let entries = CLIENTS as f64 * missed as f64;
        let figures =
            [cpu * 1e6 / entries, (cpu - bare) * 1e6 / entries, time * 1e3, bare * 1e6 / CLIENTS as f64];
        Ok((figures, generator.finish()?))
    })?;
    let beside = |what, unit, figure: usize, aim| {
        Figure::beside(what, unit, server[figure], (yardstick[figure], Kind::Replay.name()), aim)
    };
    outcome.figures = vec![
        // As for connecting alone (see `churn`): that is most of it.
        beside("CPU for each entry, handshakes included", "µs", 0, Aim::Times(1.5)),
        beside("CPU for each entry, without handshakes", "µs", 1, Aim::None),
        beside("until the last has everything", "ms", 2, Aim::None),
        beside("CPU to come back to nothing new", "µs", 3, Aim::None),
    ];
    Ok(outcome)
}

/// Clients that come, are told the newest that was said, and go.
pub(crate) fn history(bench: &Bench) -> Result<Outcome> {
    const SAID: u32 = 500;
    let mut outcome = Outcome::default();
    let visits =
        [Visit::default(), Visit::history(0, SAID), Visit::history(50, SAID), Visit::history(SAID, SAID)];
    let [server, yardstick] = bench.beside(Kind::Replay, &mut outcome, |running, _| {
        let mut generator = Generator::new(running.address, 1, bench.wait)?;
        generator.enlist(1, |_| Ask::rich())?;
        generator.say(SIZE, SAID.into())?;
        let mut tally = generator.finish()?;
        let mut figures = [0.0; 4];
        for (visit, figure) in visits.iter().zip(&mut figures) {
            Generator::churn(running.address, CHURNING, visit, bench.time(0.2))?;
            let before = running.cpu()?;
            let (count, got) = Generator::churn(running.address, CHURNING, visit, bench.time(0.7))?;
            *figure = (running.cpu()? - before) * 1e6 / count as f64;
            tally += got;
        }
        Ok((figures, tally))
    })?;
    let beside = |what, figure: usize| {
        Figure::beside(what, "µs", server[figure], (yardstick[figure], Kind::Replay.name()), Aim::None)
    };
    outcome.figures = vec![
        beside("CPU to come and go, plain", 0),
        beside("CPU to come and go, rich", 1),
        beside("CPU to come and go, 50 entries", 2),
        beside("CPU to come and go, 500 entries", 3),
    ];
    Ok(outcome)
}
