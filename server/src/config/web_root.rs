//! The folder whose files everybody may read.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{Config, Room, Wss};

/// Why a folder can't be the `web-root`.
#[derive(Debug, thiserror::Error)]
pub enum WebRootError {
    /// It is not there, or may not be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// It is a file.
    #[error("{} is not a folder", path.display())]
    NotAFolder {
        /// The file.
        path: PathBuf,
    },
    /// A secret lies in it.
    #[error("everybody could read {} there", secret.display())]
    Secret {
        /// The file that must not be read.
        secret: PathBuf,
    },
}

impl Config {
    /// Serves the files of this folder, whatever `web-root` says. `file` is where this configuration was
    /// read from, which must not lie in it.
    ///
    /// # Errors
    ///
    /// [`WebRootError`]: it is no folder, or none that everybody may read.
    pub fn set_web_root(&mut self, folder: &Path, file: Option<&Path>) -> Result<(), WebRootError> {
        let secrets = secrets(file, self.wss.as_ref(), &self.key_files, self.all_rooms());
        self.web_root = Some(public_folder(folder.to_owned(), &secrets)?);
        Ok(())
    }
}

/// What not everybody may read: the config file, keys, and what is said.
pub(super) fn secrets<'a>(
    file: Option<&'a Path>,
    wss: Option<&'a Wss>,
    key_files: &'a [PathBuf],
    rooms: impl Iterator<Item = &'a Room>,
) -> Vec<&'a Path> {
    let keyfile = wss.map(|wss| wss.keyfile.as_path());
    let chat_logs = rooms.filter_map(|room| room.chat_log.as_ref()).map(|chat_log| chat_log.folder.as_path());
    [file, keyfile]
        .into_iter()
        .flatten()
        .chain(key_files.iter().map(PathBuf::as_path))
        .chain(chat_logs)
        .collect()
}

/// A folder that is there, and with none of the secrets below it: everybody may read what is.
pub(super) fn public_folder(path: PathBuf, secrets: &[&Path]) -> Result<PathBuf, WebRootError> {
    match fs::metadata(&path) {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => return Err(WebRootError::NotAFolder { path }),
        Err(source) => return Err(WebRootError::Unreadable { path, source }),
    }
    let is_below = |secret: &&&Path| fs::canonicalize(&path).is_ok_and(|path| real(secret).starts_with(path));
    match secrets.iter().find(is_below) {
        Some(&secret) => Err(WebRootError::Secret { secret: secret.to_owned() }),
        None => Ok(path),
    }
}

/// A path without links, as far as it is there.
pub(super) fn real(path: &Path) -> PathBuf {
    let is_there = |ancestor: &Path| {
        let ancestor_path = if ancestor == Path::new("") { Path::new(".") } else { ancestor };
        Some(fs::canonicalize(ancestor_path).ok()?.join(path.strip_prefix(ancestor).ok()?))
    };
    path.ancestors().find_map(is_there).unwrap_or_else(|| path.to_owned())
}
