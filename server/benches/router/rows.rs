//! The rows of the table, and what they have in common.

use std::{fmt::Debug, path::PathBuf, time::Duration};

use multichat_bench::{Cores, Options, Outcome, Place, Result, Row, Tally, by_turns, median};

use super::{
    fanout::{
        CHAT_400, CHAT_1500, RICH_CHAT_400, SLOW_1000, cores, mixed, paced, rich, saturated, saturated_by,
    },
    generator::Wait,
    lifetime::{churn, idle, stall},
    presence::{self, presence},
    process::{Program, Running},
    returns::{history, resume},
    yardstick::Kind,
};

/// How the whole run is to be done.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) server: PathBuf,
    pub(crate) cores: Cores,
    pub(crate) options: Options,
    pub(crate) wait: Wait,
    /// Files that may be open; `None`: any number.
    pub(crate) files: Option<u64>,
}

/// What is done for a row.
type Measure = fn(&Bench) -> Result<Outcome>;

/// All of them, in the order of the table.
pub(crate) const ALL: &[Row<Measure>] = &[
    Row { name: "fan-100-64", title: "1 → 100, 64 B, saturated", work: |b| saturated(b, 100, 64) },
    Row { name: "fan-100-1k", title: "1 → 100, 1 KiB, saturated", work: |b| saturated(b, 100, 1 << 10) },
    Row { name: "fan-100-16k", title: "1 → 100, 16 KiB, saturated", work: |b| saturated(b, 100, 16 << 10) },
    Row { name: "fan-1000-64", title: "1 → 1,000, 64 B, saturated", work: |b| saturated(b, 1000, 64) },
    Row {
        name: "fan-1000-1k", title: "1 → 1,000, 1 KiB, saturated", work: |b| saturated(b, 1000, 1 << 10)
    },
    Row {
        name: "fan-1000-16k",
        title: "1 → 1,000, 16 KiB, saturated",
        work: |b| saturated(b, 1000, 16 << 10),
    },
    Row { name: "chat-400", title: "100 chat, 400 msg/s", work: |b| paced(b, &CHAT_400) },
    Row { name: "chat-1500", title: "100 chat, 1,500 msg/s", work: |b| paced(b, &CHAT_1500) },
    Row { name: "slow-1000", title: "1 → 1,000 at 40 msg/s", work: |b| paced(b, &SLOW_1000) },
    Row { name: "idle-5000", title: "5,000 registered", work: idle },
    Row { name: "churn", title: "connect, register, close", work: churn },
    Row { name: "stall", title: "1 of 100 stops reading", work: stall },
    Row { name: "cores", title: "both cores", work: cores },
    Row {
        name: "rich-fan-100", title: "rich 1 → 100, 64 B, sat.", work: |b| saturated_by(b, rich, 100, 64)
    },
    Row {
        name: "rich-fan-1000",
        title: "rich 1 → 1,000, 64 B, sat.",
        work: |b| saturated_by(b, rich, 1000, 64),
    },
    Row {
        name: "mixed-fan-100",
        title: "1 → 50 plain, 50 rich, 64 B",
        work: |b| saturated_by(b, mixed, 100, 64),
    },
    Row { name: "rich-chat-400", title: "rich 100 chat, 400 msg/s", work: |b| paced(b, &RICH_CHAT_400) },
    Row { name: "rich-idle-5000", title: "5,000 rich registered", work: presence::idle },
    Row { name: "resume", title: "1,000 come back", work: resume },
    Row { name: "history", title: "rich connect, history, close", work: history },
    Row { name: "presence", title: "1,000 told of to 10 and 100", work: presence },
];

impl Bench {
    /// A time, or a fraction of it when it has to be quick.
    pub(crate) fn time(&self, seconds: f64) -> Duration {
        Duration::from_secs_f64(if self.options.quick { seconds / 5.0 } else { seconds })
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

    /// Measures two by turns. The medians of both.
    pub(crate) fn by_turns<const N: usize>(
        &self,
        turns: &[(Program, Place); 2],
        outcome: &mut Outcome,
        measure: impl Fn(&Running, Place, u64) -> Result<([f64; N], Tally)>,
    ) -> Result<[[f64; N]; 2]> {
        let rounds = by_turns(turns, &self.options, outcome, |(program, place), number, outcome| {
            self.round(program, *place, outcome, |running| measure(running, *place, number))
        })?;
        Ok(rounds.map(|rounds| medians(&rounds)))
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
        let watch = self.cores.watch()?;
        let running = program.start(&self.cores, place)?;
        let (figures, tally) = measure(&running).map_err(|error| format!("{error}\n{}", running.output()))?;
        outcome.tally += tally;
        let others = watch.others(running.cpu()?)?;
        running.stop()?;
        if self.options.verbose {
            eprintln!("{program:?}, {:.1} % others: {figures:.3?}", others * 100.0);
        }
        Ok((others, figures))
    }
}

/// The median of each figure.
pub(crate) fn medians<const N: usize>(rounds: &[[f64; N]]) -> [f64; N] {
    std::array::from_fn(|figure| median(rounds, |figures| figures[figure]))
}
