//! Lets a changed configuration hold: when a signal asks for it, and when a file has changed.

use std::{
    panic::{self, AssertUnwindSafe},
    path::PathBuf,
    time::Duration,
};

use multichat_server::{
    Handle, ReloadError,
    config::{Files, Limits},
};
use tokio::{
    select,
    task::spawn_blocking,
    time::{MissedTickBehavior, interval},
};
use tracing::{error, info, warn};

use super::{
    descriptors,
    manager::{self, News},
    signals::Hangups,
    source::{self, Overrides},
};

/// How often the files are looked at. This is done by reading them: they are few and small, and what is in them tells
/// what no notice of the operating system does on every system and file system, behind links to links, and however an
/// editor or a renewal replaces them.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Whether files are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Watch {
    /// Reload when a file changes, and on SIGHUP
    On,
    /// Reload on SIGHUP alone
    Off,
}

/// What a configuration comes from.
pub(super) struct Source {
    pub(super) file: PathBuf,
    /// What the command line names instead of what the file says.
    pub(super) overrides: Overrides,
    /// All files, as they were when they were read.
    pub(super) files: Files,
}

/// Loads the configuration again.
pub(super) struct Reloader {
    file: PathBuf,
    overrides: Overrides,
    handle: Handle,
    sight: Sight,
    /// For how many connections there were to be descriptors.
    connections: usize,
}

impl Reloader {
    /// For a router that has its configuration from there, with these limits.
    pub(super) fn new(source: Source, limits: &Limits, handle: Handle) -> Self {
        let Source { file, overrides, files } = source;
        Self {
            file,
            overrides,
            handle,
            sight: Sight::new(files),
            connections: descriptors::connections(limits),
        }
    }

    /// Does so whenever it must be done.
    pub(super) async fn run(mut self, hangups: Hangups, watch: Watch) {
        let mut looks = interval(LOOK_INTERVAL);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let is_asked = select! {
                () = hangups.next() => true,
                _ = looks.tick(), if watch == Watch::On => false,
            };
            // A disk may be slow, or gone.
            let done = spawn_blocking(move || {
                self.attend(is_asked);
                self
            });
            // If not, the whole process ends.
            let Ok(reloader) = done.await else { return };
            self = reloader;
        }
    }

    /// Reloads if that is asked for, or if a file has changed. A bug in that must not be the end of all reloads.
    fn attend(&mut self, is_asked: bool) {
        let work = panic::catch_unwind(AssertUnwindSafe(|| {
            if is_asked {
                self.reload("SIGHUP");
            } else if self.sight.has_settled(self.sight.loaded.look_again()) {
                self.reload("a file has changed");
            }
        }));
        if work.is_err() {
            self.handle.count_failed_reload();
            error!("a reload failed by a bug: some of the new configuration may hold, and some of the old");
        }
    }

    fn reload(&mut self, cause: &str) {
        let _news = Reloading::begin();
        let mut files = Files::for_reload();
        let outcome = self.try_reload(&mut files);
        // Well or not: what is bad is said once.
        self.sight = Sight::new(files);
        match outcome {
            Ok(()) => info!(cause, "reloaded"),
            Err(Obstacle::ShuttingDown) => info!(cause, "not reloaded: the server stops"),
            Err(Obstacle::Problems(problems)) => {
                for reason in problems.lines() {
                    error!(cause, reason, "not reloaded: all stays as it was");
                }
            }
        }
    }

    fn try_reload(&mut self, files: &mut Files) -> Result<(), Obstacle> {
        let (config, warnings) = source::load(&self.file, &self.overrides, files).map_err(|failure| {
            self.handle.count_failed_reload();
            Obstacle::Problems(failure.to_string())
        })?;
        let file = self.file.display();
        let restart = self.handle.reload(&config).map_err(|error| match error {
            ReloadError::ShuttingDown => Obstacle::ShuttingDown,
            error => Obstacle::Problems(format!("{file}: {error}")),
        })?;
        for warning in warnings {
            warn!("{file}: {warning}");
        }
        for field in restart {
            warn!(field, "needs a restart");
        }
        let connections = descriptors::connections(&config.limits);
        if connections > self.connections {
            descriptors::raise_limit(&config.limits);
        }
        self.connections = connections;
        Ok(())
    }
}

/// Why all stays as it was.
#[derive(Debug)]
enum Obstacle {
    /// There is nothing left to change.
    ShuttingDown,
    /// A line for each.
    Problems(String),
}

/// While there is one, the service manager knows that files are looked at; afterwards, however it ends, that the
/// server is ready again.
struct Reloading;

impl Reloading {
    fn begin() -> Self {
        manager::tell(News::Reloading);
        Self
    }
}

impl Drop for Reloading {
    fn drop(&mut self) {
        manager::tell(News::Ready);
    }
}

/// What was seen of the files.
#[derive(Debug)]
struct Sight {
    /// When they were loaded.
    loaded: Files,
    /// At the last look, if it was something else.
    changed: Option<Files>,
}

impl Sight {
    fn new(loaded: Files) -> Self {
        Self { loaded, changed: None }
    }

    /// Whether the files, as they are now, are to be loaded: they have changed, and have stayed so for one look more.
    /// Who writes them may need a moment to be done. It is said once, whatever comes of it, until they change again.
    fn has_settled(&mut self, now: Files) -> bool {
        if now == self.loaded {
            self.changed = None;
            return false;
        }
        if self.changed.as_ref() != Some(&now) {
            self.changed = Some(now);
            return false;
        }
        *self = Self::new(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use std::{env, fs, process, thread};

    use multichat_server::{
        Server,
        config::{Config, Host, SecretKey},
    };

    use super::*;

    /// A router, and what reloads the configuration that has come from such files.
    async fn start(file: PathBuf, files: Files) -> (Server, Reloader) {
        let mut config = Config::local(SecretKey::new("k").unwrap());
        config.host = Host::parse("127.0.0.1:0").unwrap();
        let limits = config.limits.clone();
        let server = Server::bind(config).await.unwrap();
        let source = Source { file, overrides: Overrides::default(), files };
        let reloader = Reloader::new(source, &limits, server.handle());
        (server, reloader)
    }

    #[tokio::test]
    async fn what_comes_too_late_is_no_failure() {
        let file = env::temp_dir().join(format!("multichat-late-{}", process::id()));
        fs::write(&file, r#"{"ws-path": "/", "host": "127.0.0.1:0", "secret-key": "k"}"#).unwrap();
        let (server, mut reloader) = start(file.clone(), Files::default()).await;
        reloader.try_reload(&mut Files::for_reload()).unwrap();
        server.run(async {}).await;
        let outcome = reloader.try_reload(&mut Files::for_reload());
        fs::remove_file(&file).unwrap();
        assert!(matches!(outcome, Err(Obstacle::ShuttingDown)), "{outcome:?}");
        assert_eq!(reloader.handle.reloads().failed, 0);
    }

    #[tokio::test]
    async fn a_bug_is_not_the_end_of_reloads() {
        let file = env::temp_dir().join(format!("multichat-bug-{}", process::id()));
        let write = |rooms: &str| {
            let text =
                format!(r#"{{"ws-path": "/", "host": "127.0.0.1:0", "secret-key": "k", "rooms": {rooms}}}"#);
            fs::write(&file, text).unwrap();
        };
        write("{}");
        let mut files = Files::default();
        source::load(&file, &Overrides::default(), &mut files).unwrap();
        let (_server, mut reloader) = start(file.clone(), files).await;
        let look_twice = |reloader: &mut Reloader| {
            reloader.attend(false);
            reloader.attend(false);
        };

        write(r#"{"staff": {"ws-path": "/staff", "secret-key": "s"}}"#);
        // Without a runtime no room can be opened, which nobody expects.
        thread::scope(|scope| {
            scope.spawn(|| {
                look_twice(&mut reloader);
                look_twice(&mut reloader);
            });
        });
        assert_eq!(reloader.handle.reloads().failed, 1);
        write("{}");
        look_twice(&mut reloader);
        reloader.attend(true);
        fs::remove_file(&file).unwrap();
        let reloads = reloader.handle.reloads();
        assert_eq!((reloads.succeeded, reloads.failed, reloads.has_failed), (2, 1, false));
    }

    #[test]
    fn files_are_loaded_once_they_have_settled() {
        let file = env::temp_dir().join(format!("multichat-reload-{}", process::id()));
        let files = |text: &str| {
            fs::write(&file, text).unwrap();
            let mut files = Files::default();
            let _ = source::load(&file, &Overrides::default(), &mut files);
            files
        };
        let [old, half, new] = ["old", "ne", "new"].map(files);
        fs::remove_file(&file).unwrap();
        let mut sight = Sight::new(old.clone());
        for (now, is_settled) in [
            (&old, false),
            (&old, false),
            (&half, false),
            (&new, false),
            (&new, true),
            (&new, false),
            (&half, false),
            (&new, false),
            (&half, false),
            (&old, false),
            (&old, true),
        ] {
            assert_eq!(sight.has_settled(now.clone()), is_settled);
        }
    }
}
