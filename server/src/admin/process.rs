//! What the process takes of the machine.

/// What the process takes of the machine.
#[derive(Clone, Debug)]
pub(super) struct ProcessFigures {
    pub(super) cpu_seconds: f64,
    pub(super) resident_bytes: u64,
    pub(super) virtual_bytes: u64,
    pub(super) threads: u64,
    pub(super) open_files: u64,
    /// `None` if there is no limit.
    pub(super) most_files: Option<u64>,
}

/// Reads it; `None` where that can't be known.
#[cfg(target_os = "linux")]
pub(super) fn read() -> Option<ProcessFigures> {
    use procfs::process::{LimitValue, Process};

    let process = Process::myself().ok()?;
    let stat = process.stat().ok()?;
    #[expect(clippy::cast_precision_loss, reason = "exact for as many ticks as a processor has in a century")]
    let seconds = |ticks: u64| ticks as f64 / procfs::ticks_per_second() as f64;
    Some(ProcessFigures {
        cpu_seconds: seconds(stat.utime + stat.stime),
        resident_bytes: stat.rss * procfs::page_size(),
        virtual_bytes: stat.vsize,
        threads: u64::try_from(stat.num_threads).unwrap_or_default(),
        open_files: process.fd_count().ok()? as u64,
        most_files: match process.limits().ok()?.max_open_files.soft_limit {
            LimitValue::Value(most) => Some(most),
            LimitValue::Unlimited => None,
        },
    })
}

/// Reads it; `None` where that can't be known.
#[cfg(not(target_os = "linux"))]
pub(super) fn read() -> Option<ProcessFigures> {
    None
}
