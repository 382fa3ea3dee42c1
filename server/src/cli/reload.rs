//! Lets a changed configuration hold: when a signal asks for it, and when a file has changed.

use std::{path::PathBuf, time::Duration};

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
                if is_asked {
                    self.reload("SIGHUP");
                } else if self.sight.has_settled(self.sight.loaded.look_again()) {
                    self.reload("a file has changed");
                }
                self
            });
            match done.await {
                Ok(reloader) => self = reloader,
                Err(error) => return error!(%error, "there will be no more reloads"),
            }
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
    /// Who writes them may need a moment to be done.
    fn has_settled(&mut self, now: Files) -> bool {
        let is_settled = self.changed.as_ref() == Some(&now);
        let is_changed = now != self.loaded;
        self.changed = Some(now).filter(|_| is_changed);
        is_changed && is_settled
    }
}

#[cfg(test)]
mod tests {
    use std::{env, fs, process};

    use multichat_server::{
        Server,
        config::{Config, Host, SecretKey},
    };

    use super::*;

    #[tokio::test]
    async fn what_comes_too_late_is_no_failure() {
        let file = env::temp_dir().join(format!("multichat-late-{}", process::id()));
        fs::write(&file, r#"{"ws-path": "/", "host": "127.0.0.1:0", "secret-key": "k"}"#).unwrap();
        let mut config = Config::local(SecretKey::new("k").unwrap());
        config.host = Host::parse("127.0.0.1:0").unwrap();
        let limits = config.limits.clone();
        let server = Server::bind(config).await.unwrap();
        let source = Source { file: file.clone(), overrides: Overrides::default(), files: Files::default() };
        let mut reloader = Reloader::new(source, &limits, server.handle());
        reloader.try_reload(&mut Files::for_reload()).unwrap();
        server.run(async {}).await;
        let outcome = reloader.try_reload(&mut Files::for_reload());
        fs::remove_file(&file).unwrap();
        assert!(matches!(outcome, Err(Obstacle::ShuttingDown)), "{outcome:?}");
        assert_eq!(reloader.handle.reloads().failed, 0);
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
            (&half, false),
            (&old, false),
            (&half, false),
            (&old, false),
            (&old, false),
        ] {
            assert_eq!(sight.has_settled(now.clone()), is_settled);
        }
    }
}
