//! Cores, and who is busy on them.

use std::{fs, time::Instant};

use rustix::{
    process::{Resource, Rlimit},
    thread::CpuSet,
    time::ClockId,
};

use super::Result;

/// One core for what is measured, and another for the other side.
#[derive(Clone, Debug)]
pub struct Cores {
    tested: usize,
    other: usize,
}

/// Where a program may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On the core for what is measured.
    Tested,
    /// On the core of the other side.
    Other,
    /// On both.
    Both,
}

impl Cores {
    /// Picks two of those that this process may use, not two threads of one core if that can be helped.
    ///
    /// # Errors
    ///
    /// If there is only one.
    pub fn pick() -> Result<Self> {
        let allowed = rustix::thread::sched_getaffinity(None)?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
        let tested = cores.next().ok_or("no core")?;
        let path = format!("/sys/devices/system/cpu/cpu{tested}/topology/thread_siblings_list");
        let siblings = fs::read_to_string(path).unwrap_or_default();
        let siblings: Vec<usize> = siblings.trim().split([',', '-']).filter_map(|n| n.parse().ok()).collect();
        let mut others: Vec<usize> = cores.collect();
        others.sort_by_key(|core| siblings.contains(core));
        let other = *others
            .first()
            .ok_or("two cores are needed: one for what is measured, one for the other side")?;
        Ok(Self { tested, other })
    }

    /// Moves this thread, and so the programs that it starts from now on.
    ///
    /// # Errors
    ///
    /// If the system does not allow it.
    pub fn enter(&self, place: Place) -> Result<()> {
        let mut set = CpuSet::new();
        if place != Place::Other {
            set.set(self.tested);
        }
        if place != Place::Tested {
            set.set(self.other);
        }
        Ok(rustix::thread::sched_setaffinity(None, &set)?)
    }

    /// Watches from now on whether others are busy here.
    ///
    /// # Errors
    ///
    /// If the system does not tell.
    pub fn watch(&self) -> Result<Watch<'_>> {
        Ok(Watch { cores: self, start: Instant::now(), busy: self.busy()?, own: own_cpu() })
    }

    /// The seconds that the two have been busy with anything, the machine's neighbours included.
    fn busy(&self) -> Result<f64> {
        // The unit in which Linux tells this to programs.
        const TICKS: f64 = 100.0;
        let text = fs::read_to_string("/proc/stat")?;
        let mut ticks = 0;
        for core in [self.tested, self.other] {
            let name = format!("cpu{core} ");
            let line = text.lines().find_map(|line| line.strip_prefix(&name)).ok_or("no such core")?;
            // User, nice, system; idle, waiting for disks; interrupts, soft interrupts, stolen.
            let fields: Vec<u64> = line.split_whitespace().map_while(|field| field.parse().ok()).collect();
            ticks += [0, 1, 2, 5, 6, 7].iter().filter_map(|field| fields.get(*field)).sum::<u64>();
        }
        Ok(ticks as f64 / TICKS)
    }
}

/// How busy others are on the cores.
#[derive(Debug)]
pub struct Watch<'a> {
    cores: &'a Cores,
    start: Instant,
    busy: f64,
    own: f64,
}

impl Watch<'_> {
    /// The share of the two cores that others had since, where the program that was measured took so many seconds.
    ///
    /// # Errors
    ///
    /// If the system does not tell.
    pub fn others(&self, measured: f64) -> Result<f64> {
        let known = measured + own_cpu() - self.own;
        Ok((self.cores.busy()? - self.busy - known).max(0.0) / self.start.elapsed().as_secs_f64() / 2.0)
    }
}

/// The seconds that this process has spent on a core.
pub fn own_cpu() -> f64 {
    let time = rustix::time::clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Allows this process, and those that it starts, as many open files as the system permits. `None`: as many as one
/// likes.
pub fn raise_file_limit() -> Option<u64> {
    let limit = rustix::process::getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    let _ = rustix::process::setrlimit(Resource::Nofile, raised);
    rustix::process::getrlimit(Resource::Nofile).current
}
