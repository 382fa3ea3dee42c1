//! The rows of the table, and what they have in common: rounds by turns, and their medians.

use std::{path::PathBuf, time::Duration};

use super::{
    fanout::{CHAT_400, CHAT_1500, SLOW_1000, cores, paced, saturated},
    generator::{Result, Wait},
    ledger::Tally,
    lifetime::{churn, idle, stall},
    process::{Cores, Place, Program, Running},
    report::Figure,
    yardstick::Kind,
};

/// How the whole run is to be done.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) server: PathBuf,
    pub(crate) cores: Cores,
    pub(crate) quick: bool,
    pub(crate) wait: Wait,
    /// Files that may be open.
    pub(crate) files: Option<u64>,
}

/// What a row has to say.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) figures: Vec<Figure>,
    pub(crate) tally: Tally,
    /// How much other programs were in the way: the worst [`Running::disturbance`].
    pub(crate) disturbance: f64,
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
];

impl Bench {
    pub(crate) fn rounds(&self) -> usize {
        if self.quick { 1 } else { 3 }
    }

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
        let programs = [self.server(), Program::Yardstick(kind)];
        let mut rounds = [Vec::new(), Vec::new()];
        for round in 0..self.rounds() {
            for (program, rounds) in programs.iter().zip(&mut rounds) {
                let running = program.start(&self.cores, Place::Tested)?;
                let (figures, tally) = measure(&running, round as u64)?;
                rounds.push(figures);
                outcome.end_round(running, tally)?;
            }
        }
        Ok(rounds.map(|rounds| medians(&rounds)))
    }
}

impl Outcome {
    /// Enters what a round came to, and ends its program.
    pub(crate) fn end_round(&mut self, running: Running, tally: Tally) -> Result<()> {
        self.tally += tally;
        self.disturbance = self.disturbance.max(running.disturbance()?);
        running.stop()
    }
}

/// The median of each figure.
pub(crate) fn medians<const N: usize>(rounds: &[[f64; N]]) -> [f64; N] {
    std::array::from_fn(|figure| {
        let mut values: Vec<f64> = rounds.iter().map(|round| round[figure]).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    })
}
