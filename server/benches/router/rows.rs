//! The rows of the table, and what they have in common: rounds by turns, and their medians.

use std::{
    fmt::Debug,
    path::PathBuf,
    time::{Duration, Instant},
};

use super::{
    fanout::{
        CHAT_400, CHAT_1500, RICH_CHAT_400, SLOW_1000, cores, mixed, paced, rich, saturated, saturated_by,
    },
    generator::{Result, Wait},
    ledger::Tally,
    lifetime::{churn, idle, stall},
    presence::{self, presence},
    process::{Cores, Place, Program, Running, own_cpu},
    report::Figure,
    returns::{history, resume},
    yardstick::Kind,
};

/// How the whole run is to be done.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) server: PathBuf,
    pub(crate) cores: Cores,
    pub(crate) quick: bool,
    /// Whether to print each round as well.
    pub(crate) verbose: bool,
    pub(crate) wait: Wait,
    /// Files that may be open.
    pub(crate) files: Option<u64>,
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
    pub(crate) measure: fn(&Bench) -> Result<Outcome>,
}

/// All of them, in the order of the table.
pub(crate) const ALL: &[Row] = &[
    Row { name: "fan-100-64", title: "1 → 100, 64 B, saturated", measure: |b| saturated(b, 100, 64) },
    Row { name: "fan-100-1k", title: "1 → 100, 1 KiB, saturated", measure: |b| saturated(b, 100, 1 << 10) },
    Row {
        name: "fan-100-16k",
        title: "1 → 100, 16 KiB, saturated",
        measure: |b| saturated(b, 100, 16 << 10),
    },
    Row { name: "fan-1000-64", title: "1 → 1,000, 64 B, saturated", measure: |b| saturated(b, 1000, 64) },
    Row {
        name: "fan-1000-1k",
        title: "1 → 1,000, 1 KiB, saturated",
        measure: |b| saturated(b, 1000, 1 << 10),
    },
    Row {
        name: "fan-1000-16k",
        title: "1 → 1,000, 16 KiB, saturated",
        measure: |b| saturated(b, 1000, 16 << 10),
    },
    Row { name: "chat-400", title: "100 chat, 400 msg/s", measure: |b| paced(b, &CHAT_400) },
    Row { name: "chat-1500", title: "100 chat, 1,500 msg/s", measure: |b| paced(b, &CHAT_1500) },
    Row { name: "slow-1000", title: "1 → 1,000 at 40 msg/s", measure: |b| paced(b, &SLOW_1000) },
    Row { name: "idle-5000", title: "5,000 registered", measure: idle },
    Row { name: "churn", title: "connect, register, close", measure: churn },
    Row { name: "stall", title: "1 of 100 stops reading", measure: stall },
    Row { name: "cores", title: "both cores", measure: cores },
    Row {
        name: "rich-fan-100",
        title: "rich 1 → 100, 64 B, sat.",
        measure: |b| saturated_by(b, rich, 100, 64),
    },
    Row {
        name: "rich-fan-1000",
        title: "rich 1 → 1,000, 64 B, sat.",
        measure: |b| saturated_by(b, rich, 1000, 64),
    },
    Row {
        name: "mixed-fan-100",
        title: "1 → 50 plain, 50 rich, 64 B",
        measure: |b| saturated_by(b, mixed, 100, 64),
    },
    Row { name: "rich-chat-400", title: "rich 100 chat, 400 msg/s", measure: |b| paced(b, &RICH_CHAT_400) },
    Row { name: "rich-idle-5000", title: "5,000 rich registered", measure: presence::idle },
    Row { name: "resume", title: "1,000 come back", measure: resume },
    Row { name: "history", title: "rich connect, history, close", measure: history },
    Row { name: "presence", title: "1,000 told of to 10 and 100", measure: presence },
];

/// The share of the two cores that others may have before a round is disturbed: something is always
/// going on.
pub(crate) const QUIET: f64 = 0.03;

impl Bench {
    /// A time, or a fraction of it when it has to be quick.
    pub(crate) fn time(&self, seconds: f64) -> Duration {
        Duration::from_secs_f64(if self.quick { seconds / 5.0 } else { seconds })
    }

    pub(crate) fn server(&self) -> Program {
        Program::Server(self.server.clone())
    }

    /// Measures the server and a yardstick by turns. The medians of both.
    pub(crate) fn beside<const N: usize>(
        &self,
        kind: Kind,
        outcome: &mut Outcome,
        measure: impl Fn(&Running, u64) -> Result<([f64; N], Tally)>,
    ) -> Result<[[f64; N]; 2]> {
        let turns = [(self.server(), Place::Tested), (Program::Yardstick(kind), Place::Tested)];
        self.by_turns(&turns, outcome, |running, _, round| measure(running, round))
    }

    /// Measures two by turns, several rounds of each, and gives the medians of both.
    ///
    /// Rounds in which others were in the way are made up for, as often as there should have been rounds in
    /// all, and count only if there is nothing better.
    pub(crate) fn by_turns<const N: usize>(
        &self,
        turns: &[(Program, Place); 2],
        outcome: &mut Outcome,
        measure: impl Fn(&Running, Place, u64) -> Result<([f64; N], Tally)>,
    ) -> Result<[[f64; N]; 2]> {
        let wanted = if self.quick { 1 } else { 5 };
        let most = if self.quick { 1 } else { 2 * wanted };
        let mut rounds = [Vec::new(), Vec::new()];
        for round in 0..most {
            for ((program, place), rounds) in turns.iter().zip(&mut rounds) {
                if rounds.iter().filter(|(others, _)| *others < QUIET).count() < wanted {
                    let measure = |running: &Running| measure(running, *place, round as u64);
                    rounds.push(self.round(program, *place, outcome, measure)?);
                }
            }
        }
        Ok(rounds.map(|mut rounds| {
            if rounds.iter().any(|(others, _)| *others < QUIET) {
                rounds.retain(|(others, _)| *others < QUIET);
            }
            outcome.others = rounds.iter().map(|(others, _)| *others).fold(outcome.others, f64::max);
            medians(&rounds)
        }))
    }

    /// One round against a program that is started for it: the share of the cores that others had
    /// meanwhile, and what was measured.
    pub(crate) fn round<T: Debug>(
        &self,
        program: &Program,
        place: Place,
        outcome: &mut Outcome,
        measure: impl Fn(&Running) -> Result<(T, Tally)>,
    ) -> Result<(f64, T)> {
        let (start, busy, own) = (Instant::now(), self.cores.busy()?, own_cpu());
        let running = program.start(&self.cores, place)?;
        let (figures, tally) = measure(&running).map_err(|error| format!("{error}\n{}", running.output()))?;
        outcome.tally += tally;
        let known = running.cpu()? + own_cpu() - own;
        let others = (self.cores.busy()? - busy - known).max(0.0) / start.elapsed().as_secs_f64() / 2.0;
        running.stop()?;
        if self.verbose {
            eprintln!("{program:?}, {:.1} % others: {figures:.3?}", others * 100.0);
        }
        Ok((others, figures))
    }
}

/// The median of each figure.
fn medians<const N: usize>(rounds: &[(f64, [f64; N])]) -> [f64; N] {
    std::array::from_fn(|figure| {
        let mut values: Vec<f64> = rounds.iter().map(|(_, figures)| figures[figure]).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    })
}
