//! The rows of the table.

use multichat_bench::{Aim, Cores, Figure, Options, Outcome, Place, Result, Row, by_turns, median};

use super::{
    peer::Peer,
    subject::{Findings, Kind, Task, Work},
    wire::Dialect,
};

/// How the whole run is to be done.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) cores: Cores,
    pub(crate) options: Options,
}

/// All of them, in the order of the table.
pub(crate) const ALL: &[Row<Task>] = &[
    row("receive-64", "receive, 64 B", Work::Receive, 1_000_000, 64),
    row("receive-1k", "receive, 1 KiB", Work::Receive, 400_000, 1 << 10),
    row("send-64", "send, acked, 64 B", Work::Send, 400_000, 64),
    row("send-1k", "send, acked, 1 KiB", Work::Send, 200_000, 1 << 10),
    row("turns-64", "send, await ack, 64 B", Work::Turns, 40_000, 64),
    plain(row("idle-plain", "1,000 plain registered", Work::Idle, 1000, 0)),
    row("idle-rich", "1,000 rich registered", Work::Idle, 1000, 0),
    row("idle-rich-spoken", "1,000 rich, have spoken", Work::Idle, 1000, 64),
];

const fn row(name: &'static str, title: &'static str, work: Work, count: u64, size: usize) -> Row<Task> {
    Row { name, title, work: Task { work, count, size, dialect: Dialect::Rich } }
}

const fn plain(row: Row<Task>) -> Row<Task> {
    Row { work: Task { dialect: Dialect::Plain, ..row.work }, ..row }
}

/// How much more than by hand it may cost.
const MORE: f64 = 1.15;

/// What one round found: the client's side, and how busy the other side was.
type Round = (Findings, f64);

impl Bench {
    /// Does a piece of work.
    pub(crate) fn measure(&self, mut task: Task) -> Result<Outcome> {
        if task.work == Work::Idle {
            return self.measure_memory(&task);
        }
        if self.options.quick {
            task.count /= 10;
        }
        let mut outcome = Outcome::default();
        let [client, raw, lean] =
            self.by_turns([Kind::Client, Kind::Raw, Kind::Lean], &task, &mut outcome)?;
        let cpu = |rounds: &[Round]| median(rounds, |(found, _)| found.cpu * 1e6);
        let rate = |rounds: &[Round]| median(rounds, |(found, _)| 1e-3 / found.time);
        // It waits for each other in turns, there.
        let busy = [&client, &raw, &lean].into_iter().map(|rounds| median(rounds, |(_, busy)| *busy));
        let busy_aim = if task.work == Work::Turns { Aim::None } else { Aim::AtMost(0.9) };
        let beside = |what, unit, client, other, kind: Kind, aim| {
            Figure::beside(what, unit, client, (other, kind.name()), aim)
        };
        let (what, times) = ("CPU for each message", Aim::Times(MORE));
        outcome.figures = vec![
            beside(what, "µs", cpu(&client), cpu(&raw), Kind::Raw, times),
            beside(what, "µs", cpu(&client), cpu(&lean), Kind::Lean, Aim::None),
            beside("messages", "thousands/s", rate(&client), rate(&raw), Kind::Raw, Aim::AtLeastTimes(0.87)),
            Figure::alone("the other side was busy", "of 1", busy.fold(0.0, f64::max), busy_aim),
        ];
        Ok(outcome)
    }

    fn measure_memory(&self, task: &Task) -> Result<Outcome> {
        let mut outcome = Outcome::default();
        let [client, lean] = self.by_turns([Kind::Client, Kind::Lean], task, &mut outcome)?;
        let memory = |rounds: &[Round]| median(rounds, |(found, _)| found.memory / 1024.0);
        let compared = (memory(&lean), Kind::Lean.name());
        outcome.figures =
            vec![Figure::beside("memory for each", "KiB", memory(&client), compared, Aim::Times(MORE))];
        Ok(outcome)
    }

    fn by_turns<const N: usize>(
        &self,
        kinds: [Kind; N],
        task: &Task,
        outcome: &mut Outcome,
    ) -> Result<[Vec<Round>; N]> {
        by_turns(&kinds, &self.options, outcome, |kind, _, outcome| self.round(*kind, task, outcome))
    }

    /// One round, in a process that is started for it: the share of the cores that others had meanwhile, and what was
    /// found.
    fn round(&self, kind: Kind, task: &Task, outcome: &mut Outcome) -> Result<(f64, Round)> {
        let peer = Peer::new()?;
        let watch = self.cores.watch()?;
        self.cores.enter(Place::Tested)?;
        let child = task.start(kind, peer.port()?);
        self.cores.enter(Place::Other)?;
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
        let others = watch.others(found.whole_cpu)?;
        outcome.tally += found.tally;
        outcome.tally += served.tally;
        if self.options.verbose {
            eprintln!("{}, {:.1} % others: {found:?}, {:.2} busy", kind.name(), others * 100.0, served.busy);
        }
        Ok((others, (found, served.busy)))
    }
}
