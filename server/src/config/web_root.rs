//! The folder whose files everybody may read.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::Config;

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
        let keyfile = self.wss.as_ref().map(|wss| wss.keyfile.as_path());
        let secrets = [file, keyfile].into_iter().flatten().collect::<Vec<_>>();
        self.web_root = Some(public_folder(folder.to_owned(), &secrets)?);
        Ok(())
    }
}

/// A folder that is there, and with none of the secrets below it: everybody may read what is.
pub(super) fn public_folder(path: PathBuf, secrets: &[&Path]) -> Result<PathBuf, WebRootError> {
    match fs::metadata(&path) {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => return Err(WebRootError::NotAFolder { path }),
        Err(source) => return Err(WebRootError::Unreadable { path, source }),
    }
    let is_below = |secret: &&&Path| match (fs::canonicalize(secret), fs::canonicalize(&path)) {
        (Ok(secret), Ok(path)) => secret.starts_with(path),
        _ => false,
    };
    match secrets.iter().find(is_below) {
        Some(&secret) => Err(WebRootError::Secret { secret: secret.to_owned() }),
        None => Ok(path),
    }
}
