//! Which config file is meant.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use multichat_server::config::{Config, ConfigError, Files, SecretKey, Warning};

use super::Failure;

/// The file that is used, if it is there, when none is named.
pub(super) const DEFAULT: &str = "config.json";

/// The config file: the one that is named, whether it exists or not; else `config.json` if it is there.
pub(super) fn find(named: Option<&Path>) -> Option<PathBuf> {
    match named {
        Some(file) => Some(file.to_owned()),
        // What is there in any form, a dangling link too, is not silently passed over.
        None => match fs::symlink_metadata(DEFAULT) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            _ => Some(PathBuf::from(DEFAULT)),
        },
    }
}

/// Reads a config file, and notes which files it looks at. The folder is one that the command line names.
pub(super) fn load(
    file: &Path,
    web_root: Option<&Path>,
    files: &mut Files,
) -> Result<(Config, Vec<Warning>), Failure> {
    let (mut config, warnings) = Config::load(file, files).map_err(|error| {
        let is_missing =
            matches!(&error, ConfigError::Unreadable { source, .. } if source.kind() == io::ErrorKind::NotFound);
        if is_missing {
            Failure::Configuration(format!("{error}; `{}` makes one", command(file, "init")))
        } else {
            Failure::Configuration(error.to_string())
        }
    })?;
    if let Some(folder) = web_root {
        files.note_folder(folder);
    }
    set_web_root(&mut config, web_root, Some(file))?;
    Ok((config, warnings))
}

/// What goes without a config file. The folder is one that the command line names.
pub(super) fn local(secret_key: SecretKey, web_root: Option<&Path>) -> Result<Config, Failure> {
    let mut config = Config::local(secret_key);
    set_web_root(&mut config, web_root, None)?;
    Ok(config)
}

fn set_web_root(config: &mut Config, folder: Option<&Path>, file: Option<&Path>) -> Result<(), Failure> {
    let Some(folder) = folder else { return Ok(()) };
    config.set_web_root(folder, file).map_err(|error| {
        Failure::Configuration(format!("--web-root must be a folder of static files: {error}"))
    })
}

/// The command line for a command that uses this config file.
pub(super) fn command(file: &Path, command: &str) -> String {
    if file == Path::new(DEFAULT) {
        return format!("multichat-server {command}");
    }
    let file = file.display().to_string();
    let is_plain = file.chars().all(|c| c.is_alphanumeric() || "/\\._-:".contains(c));
    let quoted = if is_plain { file } else { format!("'{}'", file.replace('\'', r"'\''")) };
    format!("multichat-server --config {quoted} {command}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_lines_can_be_pasted() {
        assert_eq!(command(Path::new("config.json"), "init"), "multichat-server init");
        assert_eq!(command(Path::new("/etc/m.json"), "serve"), "multichat-server --config /etc/m.json serve");
        assert_eq!(command(Path::new("it's"), "check"), r"multichat-server --config 'it'\''s' check");
    }
}
