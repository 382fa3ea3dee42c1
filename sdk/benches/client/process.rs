//! Cores, and what a process costs.

use std::fs;

use rustix::{
    process::{Resource, Rlimit},
    thread::CpuSet,
    time::ClockId,
};

use super::Result;

/// One core for what is measured, and another for the other side.
#[derive(Clone, Debug)]
pub(crate) struct Cores {
    tested: usize,
    peer: usize,
}

/// Where a process may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// On the core for what is measured.
    Tested,
    /// On the core of the other side.
    Peer,
}

impl Cores {
    /// Picks two of those that this process may use, not two threads of one core if that can be helped.
    pub(crate) fn pick() -> Result<Self> {
        let allowed = rustix::thread::sched_getaffinity(None)?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
        let tested = cores.next().ok_or("no core")?;
        let path = format!("/sys/devices/system/cpu/cpu{tested}/topology/thread_siblings_list");
        let siblings = fs::read_to_string(path).unwrap_or_default();
        let siblings: Vec<usize> = siblings.trim().split([',', '-']).filter_map(|n| n.parse().ok()).collect();
        let mut others: Vec<usize> = cores.collect();
        others.sort_by_key(|core| siblings.contains(core));
        let peer =
            *others.first().ok_or("two cores are needed: one for the client, one for the other side")?;
        Ok(Self { tested, peer })
    }

    /// Moves this thread, and so the processes that it starts from now on.
    pub(crate) fn enter(&self, place: Place) -> Result<()> {
        let mut set = CpuSet::new();
        set.set(if place == Place::Tested { self.tested } else { self.peer });
        Ok(rustix::thread::sched_setaffinity(None, &set)?)
    }

    /// The seconds that the two have been busy with anything, the machine's neighbours included.
    pub(crate) fn busy(&self) -> Result<f64> {
        // The unit in which Linux tells this to programs.
        const TICKS: f64 = 100.0;
        let text = fs::read_to_string("/proc/stat")?;
        let mut ticks = 0;
        for core in [self.tested, self.peer] {
            let name = format!("cpu{core} ");
            let line = text.lines().find_map(|line| line.strip_prefix(&name)).ok_or("no such core")?;
            // User, nice, system; idle, waiting for disks; interrupts, soft interrupts, stolen.
            let fields: Vec<u64> = line.split_whitespace().map_while(|field| field.parse().ok()).collect();
            ticks += [0, 1, 2, 5, 6, 7].iter().filter_map(|field| fields.get(*field)).sum::<u64>();
        }
        Ok(ticks as f64 / TICKS)
    }
}

/// The seconds that this process has spent on a core.
pub(crate) fn own_cpu() -> f64 {
    let time = rustix::time::clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// The resident memory of this process, in bytes.
pub(crate) fn own_memory() -> Result<u64> {
    // The roll-up is exact where the status is an estimate.
    let text = fs::read_to_string("/proc/self/smaps_rollup")?;
    let line = text.lines().find_map(|line| line.strip_prefix("Rss:")).ok_or("no Rss")?;
    Ok(line.split_whitespace().next().ok_or("no Rss")?.parse::<u64>()? * 1024)
}

/// Allows this process, and those that it starts, as many open files as the system permits.
pub(crate) fn raise_file_limit() {
    let limit = rustix::process::getrlimit(Resource::Nofile);
    let _ = rustix::process::setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}
