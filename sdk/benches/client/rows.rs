//! The rows of the table, and what they have in common: rounds by turns, and their medians.

use std::time::Instant;

use super::{
    Result,
    ledger::Tally,
    peer::Peer,
    process::{Cores, Place, own_cpu},
    report::{Aim, Figure},
    subject::{Findings, Kind, Task, Work},
    wire::Dialect,
};

/// How the whole run is to be done.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) cores: Cores,
    pub(crate) quick: bool,
    /// Whether to print each round as well.
    pub(crate) verbose: bool,
}

/// What a row has to say.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) figures: Vec<Figure>,
    pub(crate) tally: Tally,
    /// How much of the two cores' time others had, in the worst of the rounds that count.
    pub(crate) others: f64,
}

/// A row.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    task: Task,
}

impl Row {
    const fn new(name: &'static str, title: &'static str, work: Work, count: u64, size: usize) -> Self {
        Self { name, title, task: Task { work, count, size, dialect: Dialect::Rich } }
    }

    const fn plain(self) -> Self {
        Self { task: Task { dialect: Dialect::Plain, ..self.task }, ..self }
    }
}

/// All of them, in the order of the table.
pub(crate) const ALL: &[Row] = &[
    Row::new("receive-64", "receive, 64 B", Work::Receive, 1_000_000, 64),
    Row::new("receive-1k", "receive, 1 KiB", Work::Receive, 400_000, 1 << 10),
    Row::new("send-64", "send, acked, 64 B", Work::Send, 400_000, 64),
    Row::new("send-1k", "send, acked, 1 KiB", Work::Send, 200_000, 1 << 10),
    Row::new("turns-64", "send, await ack, 64 B", Work::Turns, 40_000, 64),
    Row::new("idle-plain", "1,000 plain registered", Work::Idle, 1000, 0).plain(),
    Row::new("idle-rich", "1,000 rich registered", Work::Idle, 1000, 0),
    Row::new("idle-rich-spoken", "1,000 rich, have spoken", Work::Idle, 1000, 64),
];

/// The share of the two cores that others may have before a round is disturbed: something is always going on.
pub(crate) const QUIET: f64 = 0.03;

/// How much more than by hand it may cost.
const MORE: f64 = 1.15;

/// What one round found: the client's side, and how busy the other side was.
type Round = (Findings, f64);

impl Bench {
    /// Measures a row.
    pub(crate) fn measure(&self, row: &Row) -> Result<Outcome> {
        if row.task.work == Work::Idle {
            return self.measure_memory(row);
        }
        let mut task = row.task;
        if self.quick {
            task.count /= 10;
        }
        let mut outcome = Outcome::default();
        let [client, raw, lean] =
            self.by_turns([Kind::Client, Kind::Raw, Kind::Lean], &task, &mut outcome)?;
        let cpu = |rounds: &[Round]| median(rounds, |(found, _)| found.cpu * 1e6);
        let rate = |rounds: &[Round]| median(rounds, |(found, _)| 1e-3 / found.time);
        // It waits for each other in turns, there.
        let busy = [&client, &raw, &lean].into_iter().map(|rounds| median(rounds, |(_, busy)| *busy));
        let cpu_figure = |client: f64, compared, aim| Figure {
            what: "CPU for each message",
            unit: "µs",
            client,
            compared: Some(compared),
            aim,
        };
        outcome.figures = vec![
            cpu_figure(cpu(&client), (cpu(&raw), Kind::Raw), Aim::Times(MORE)),
            cpu_figure(cpu(&client), (cpu(&lean), Kind::Lean), Aim::None),
            Figure {
                what: "messages",
                unit: "thousands/s",
                client: rate(&client),
                compared: Some((rate(&raw), Kind::Raw)),
                aim: Aim::AtLeastTimes(0.87),
            },
            Figure {
                what: "the other side was busy",
                unit: "of 1",
                client: busy.fold(0.0, f64::max),
                compared: None,
                aim: if task.work == Work::Turns { Aim::None } else { Aim::AtMost(0.9) },
            },
        ];
        Ok(outcome)
    }

    fn measure_memory(&self, row: &Row) -> Result<Outcome> {
        let mut outcome = Outcome::default();
        let [client, lean] = self.by_turns([Kind::Client, Kind::Lean], &row.task, &mut outcome)?;
        let memory = |rounds: &[Round]| median(rounds, |(found, _)| found.memory / 1024.0);
        outcome.figures = vec![Figure {
            what: "memory for each",
            unit: "KiB",
            client: memory(&client),
            compared: Some((memory(&lean), Kind::Lean)),
            aim: Aim::Times(MORE),
        }];
        Ok(outcome)
    }

    /// Does the same work in several ways by turns, several rounds of each.
    ///
    /// Rounds in which others were in the way are made up for, as often as there should have been rounds in all, and
    /// count only if there is nothing better.
    fn by_turns<const N: usize>(
        &self,
        kinds: [Kind; N],
        task: &Task,
        outcome: &mut Outcome,
    ) -> Result<[Vec<Round>; N]> {
        let wanted = if self.quick { 1 } else { 5 };
        let most = if self.quick { 1 } else { 2 * wanted };
        let mut all: [Vec<(f64, Round)>; N] = std::array::from_fn(|_| Vec::new());
        for _ in 0..most {
            for (kind, rounds) in kinds.into_iter().zip(&mut all) {
                if rounds.iter().filter(|(others, _)| *others < QUIET).count() < wanted {
                    rounds.push(self.round(kind, task, outcome)?);
                }
            }
        }
        Ok(all.map(|mut rounds| {
            if rounds.iter().any(|(others, _)| *others < QUIET) {
                rounds.retain(|(others, _)| *others < QUIET);
            }
            outcome.others = rounds.iter().map(|(others, _)| *others).fold(outcome.others, f64::max);
            rounds.into_iter().map(|(_, round)| round).collect()
        }))
    }

    /// One round, in a process that is started for it: the share of the cores that others had meanwhile, and what was
    /// found.
    fn round(&self, kind: Kind, task: &Task, outcome: &mut Outcome) -> Result<(f64, Round)> {
        let peer = Peer::new()?;
        let (start, busy, own) = (Instant::now(), self.cores.busy()?, own_cpu());
        self.cores.enter(Place::Tested)?;
        let child = task.start(kind, peer.port()?);
        self.cores.enter(Place::Peer)?;
        let mut child = child?;
        let served = peer.serve(task, &mut child);
        if served.is_err() {
            let _ = child.kill();
        }
        let output = child.wait_with_output()?;
        let served = served?;
        let text = String::from_utf8_lossy(&output.stdout);
        let found =
            Findings::read(&text).ok_or_else(|| format!("{} failed, {}", kind.name(), output.status))?;
        let known = own_cpu() - own + found.whole_cpu;
        let others = (self.cores.busy()? - busy - known).max(0.0) / start.elapsed().as_secs_f64() / 2.0;
        outcome.tally += found.tally;
        outcome.tally += served.tally;
        if self.verbose {
            eprintln!("{}, {:.1} % others: {found:?}, {:.2} busy", kind.name(), others * 100.0, served.busy);
        }
        Ok((others, (found, served.busy)))
    }
}

/// The median of a figure.
fn median(rounds: &[Round], figure: impl Fn(&Round) -> f64) -> f64 {
    let mut values: Vec<f64> = rounds.iter().map(figure).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
