//! Folders for config files, and the program.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::atomic::{AtomicUsize, Ordering},
};

/// A folder with a config file, and all that our examples name: `web`, `minecraft.key`,
/// `key.pem` and `cert.pem`. It is removed
/// when the test ends.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn with(config: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("docs-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = Self(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name));
        fs::create_dir_all(folder.0.join("web")).unwrap();
        fs::write(folder.config(), config).unwrap();
        fs::write(folder.0.join("minecraft.key"), "a key\n").unwrap();
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls");
        for (from, to) in [("ec-pkcs8.key", "key.pem"), ("ec.crt", "cert.pem")] {
            fs::copy(fixtures.join(from), folder.0.join(to)).unwrap();
        }
        folder
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.0.join("config.json")
    }

    /// Runs the program here to its end, with nothing of the environment that concerns it.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_multichat-server"));
        for variable in [
            "MULTICHAT_CONFIG",
            "MULTICHAT_HOST",
            "MULTICHAT_WEB_ROOT",
            "MULTICHAT_LOG",
            "MULTICHAT_LOG_FORMAT",
            "MULTICHAT_WATCH",
        ] {
            command.env_remove(variable);
        }
        command.current_dir(&self.0).args(arguments).output().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What a program wrote.
pub(crate) fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}
