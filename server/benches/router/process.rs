//! The programs under test: started on cores of their own, watched, and ended.
//!
//! What a program costs is read from `/proc`: the time on a core of each of its threads, in nanoseconds,
//! and its resident memory.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use multichat_bench::{Cores, Place, Result};
use rustix::process::{Pid, Signal};

use super::{wire, yardstick::Kind};

/// What is measured.
#[derive(Clone, Debug)]
pub(crate) enum Program {
    /// The server at this path.
    Server(PathBuf),
    /// This program again, as a yardstick.
    Yardstick(Kind),
}

/// A program that runs.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    pub(crate) address: SocketAddr,
    folder: PathBuf,
    is_server: bool,
}

/// Resident memory in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    pub(crate) now: u64,
    pub(crate) peak: u64,
}

impl Program {
    /// Starts it and waits until it accepts connections.
    pub(crate) fn start(&self, cores: &Cores, place: Place) -> Result<Running> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("bench-router-{}-{count}", std::process::id()));
        fs::create_dir_all(&folder)?;
        // Free a moment ago, and nobody else is about to ask for one.
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let mut command = match self {
            Self::Server(path) => {
                let config = folder.join("config.json");
                let key = wire::SECRET_KEY;
                let text = format!(r#"{{"ws-path":"/","host":"{address}","secret-key":"{key}"}}"#);
                fs::write(&config, text)?;
                let mut command = Command::new(path);
                command.arg("serve").arg("--config").arg(config);
                command
            }
            Self::Yardstick(kind) => {
                let mut command = Command::new(std::env::current_exe()?);
                command.args(["yardstick", kind.name(), &address.port().to_string()]);
                command
            }
        };
        let output = File::create(folder.join("output.txt"))?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        cores.enter(place)?;
        let child = command.spawn();
        cores.enter(if place == Place::Both { Place::Both } else { Place::Other })?;
        let is_server = matches!(self, Self::Server(_));
        let mut running = Running { child: child?, address, folder, is_server };
        running.wait_until_up()?;
        Ok(running)
    }
}

impl Running {
    fn wait_until_up(&mut self) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(self.address).is_err() {
            if self.child.try_wait()?.is_some() || Instant::now() > deadline {
                return Err(format!("it does not come up\n{}", self.output()).into());
            }
            thread::sleep(Duration::from_millis(5));
        }
        // Lets it be done with that connection.
        thread::sleep(Duration::from_millis(20));
        Ok(())
    }

    /// The end of what it has printed.
    pub(crate) fn output(&self) -> String {
        let text = fs::read_to_string(self.folder.join("output.txt")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// The seconds that its threads have spent on a core. A thread that has ended is not in it; neither the
    /// server nor a yardstick has threads that come and go under load.
    pub(crate) fn cpu(&self) -> Result<f64> {
        let mut nanoseconds = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let text = fs::read_to_string(task?.path().join("schedstat"))?;
            let first = text.split_whitespace().next().ok_or("schedstat is empty")?;
            nanoseconds += first.parse::<u64>()?;
        }
        Ok(nanoseconds as f64 / 1e9)
    }

    /// Its resident memory.
    pub(crate) fn memory(&self) -> Result<Memory> {
        let read = |file: &str| fs::read_to_string(format!("/proc/{}/{file}", self.child.id()));
        let field = |text: &str, name: &str| -> Option<u64> {
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
        };
        let status = read("status")?;
        // The roll-up is exact where the status is an estimate.
        let now = read("smaps_rollup").ok().and_then(|text| field(&text, "Rss:"));
        let now = now.or_else(|| field(&status, "VmRSS:")).ok_or("no VmRSS")?;
        Ok(Memory { now, peak: field(&status, "VmHWM:").unwrap_or(now).max(now) })
    }

    /// Ends it. An error if it had ended before, or does not end well.
    pub(crate) fn stop(mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            return Err(format!("it ended by itself, {status}\n{}", self.output()).into());
        }
        if !self.is_server {
            return Ok(());
        }
        let pid = Pid::from_child(&self.child);
        rustix::process::kill_process(pid, Signal::TERM)?;
        let deadline = Instant::now() + Duration::from_secs(12);
        while Instant::now() < deadline {
            match self.child.try_wait()? {
                // No code: it ended by the signal.
                Some(status) if status.code().is_none_or(|code| code == 0) => return Ok(()),
                Some(status) => {
                    return Err(format!("it did not end well, {status}\n{}", self.output()).into());
                }
                None => thread::sleep(Duration::from_millis(2)),
            }
        }
        Err("it does not end when it is told to".into())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
