//! What is measured: this program again, as a process of its own that does one piece of work and tells on its output
//! what that took.

use std::{
    fs,
    process::{Child, Command, Stdio},
    time::Instant,
};

use multichat_bench::{Result, Tally, own_cpu};

use super::{ledger::Ledger, raw, sdk, wire::Dialect};

/// The first argument of such a process.
pub(crate) const COMMAND: &str = "subject";

/// By what the work is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// By `multichat::Client`.
    Client,
    /// By hand, with the library's own settings.
    Raw,
    /// By hand, with buffers as small as the client's.
    Lean,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Takes messages, as fast as they come.
    Receive,
    /// Sends messages, each acknowledged, many on their way at once.
    Send,
    /// Sends messages, one when the last has its ack.
    Turns,
    /// Is there. With a size, each client has said and heard one message before.
    Idle,
}

/// A piece of work.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Task {
    pub(crate) work: Work,
    /// Messages; or clients.
    pub(crate) count: u64,
    /// The bytes of each message's content.
    pub(crate) size: usize,
    pub(crate) dialect: Dialect,
}

/// What it took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Findings {
    /// Seconds on a core, and by the clock, for each message.
    pub(crate) cpu: f64,
    pub(crate) time: f64,
    /// Resident bytes for each client.
    pub(crate) memory: f64,
    /// Seconds on a core for the whole process.
    pub(crate) whole_cpu: f64,
    pub(crate) tally: Tally,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Client, Self::Raw, Self::Lean];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Raw => "raw",
            Self::Lean => "lean",
        }
    }
}

impl Work {
    const ALL: [Self; 4] = [Self::Receive, Self::Send, Self::Turns, Self::Idle];

    const fn name(self) -> &'static str {
        match self {
            Self::Receive => "receive",
            Self::Send => "send",
            Self::Turns => "turns",
            Self::Idle => "idle",
        }
    }
}

impl Task {
    /// Starts a process that does it.
    pub(crate) fn start(&self, kind: Kind, port: u16) -> Result<Child> {
        let Self { work, count, size, dialect } = self;
        let mut command = Command::new(std::env::current_exe()?);
        command.args([COMMAND, kind.name(), work.name(), dialect.name()]);
        command.args([count.to_string(), size.to_string(), port.to_string()]);
        Ok(command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?)
    }
}

impl Findings {
    fn print(&self) {
        let Self { cpu, time, memory, whole_cpu, tally } = self;
        let Tally { delivered, lost, doubled, misordered } = tally;
        println!("{cpu} {time} {memory} {whole_cpu} {delivered} {lost} {doubled} {misordered}");
    }

    /// Reads what was printed.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let mut float = || words.next()?.parse::<f64>().ok();
        let (cpu, time, memory, whole_cpu) = (float()?, float()?, float()?, float()?);
        let mut count = || words.next()?.parse::<u64>().ok();
        let tally = Tally { delivered: count()?, lost: count()?, doubled: count()?, misordered: count()? };
        Some(Self { cpu, time, memory, whole_cpu, tally })
    }
}

/// Does what the arguments say, and prints what it took.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    // Does not outlive the benchmark.
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    let [kind, work, dialect, count, size, port] = arguments else { return Err("what to do?".into()) };
    let kind = Kind::ALL.into_iter().find(|other| other.name() == kind).ok_or("by what?")?;
    let work = Work::ALL.into_iter().find(|other| other.name() == work).ok_or("what to do?")?;
    let dialect = if dialect == Dialect::Plain.name() { Dialect::Plain } else { Dialect::Rich };
    let task = Task { work, count: count.parse()?, size: size.parse()?, dialect };
    let port = port.parse()?;
    // One thread for both, as there is one core.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut findings = runtime.block_on(async {
        match kind {
            Kind::Client => sdk::run(&task, port).await,
            Kind::Raw | Kind::Lean => raw::run(kind, &task, port).await,
        }
    })?;
    findings.whole_cpu = own_cpu();
    findings.print();
    // Nobody waits for a closing handshake.
    std::process::exit(0)
}

/// Keeps the ledger of what comes, and measures meanwhile: the first of it are for warming up.
#[derive(Debug)]
pub(crate) struct Book {
    count: u64,
    warm: u64,
    came: u64,
    ledger: Ledger,
    start: (Instant, f64),
    end: (Instant, f64),
}

impl Book {
    pub(crate) fn new(task: &Task) -> Self {
        let now = (Instant::now(), own_cpu());
        let warm = task.count / 20;
        Self { count: task.count, warm, came: 0, ledger: Ledger::default(), start: now, end: now }
    }

    pub(crate) fn enter(&mut self, number: u64) {
        self.ledger.enter(number);
        self.came += 1;
        if self.came == self.warm {
            self.start = (Instant::now(), own_cpu());
        } else if self.came == self.count {
            self.end = (Instant::now(), own_cpu());
        }
    }

    pub(crate) const fn is_full(&self) -> bool {
        self.came >= self.count
    }

    pub(crate) fn close(self) -> Findings {
        let measured = (self.count - self.warm) as f64;
        Findings {
            cpu: (self.end.1 - self.start.1) / measured,
            time: (self.end.0 - self.start.0).as_secs_f64() / measured,
            tally: self.ledger.close(self.count),
            ..Findings::default()
        }
    }
}

/// Measures what clients keep while they are idle: the first one, which brings what all share, does not count.
#[derive(Debug, Default)]
pub(crate) struct Scales {
    before: Option<u64>,
    clients: u64,
}

impl Scales {
    /// One more is there.
    pub(crate) fn add(&mut self) -> Result<()> {
        match self.before {
            None => self.before = Some(own_memory()?),
            Some(_) => self.clients += 1,
        }
        Ok(())
    }

    pub(crate) fn close(self, tally: Tally) -> Result<Findings> {
        let grown = own_memory()?.saturating_sub(self.before.unwrap_or_default());
        Ok(Findings { memory: grown as f64 / self.clients as f64, tally, ..Findings::default() })
    }
}

/// The resident memory of this process, in bytes.
fn own_memory() -> Result<u64> {
    // The roll-up is exact where the status is an estimate.
    let text = fs::read_to_string("/proc/self/smaps_rollup")?;
    let line = text.lines().find_map(|line| line.strip_prefix("Rss:")).ok_or("no Rss")?;
    Ok(line.split_whitespace().next().ok_or("no Rss")?.parse::<u64>()? * 1024)
}
