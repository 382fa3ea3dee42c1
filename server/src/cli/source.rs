//! Which config file is meant.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use multichat_server::config::{Config, ConfigError, Files, Host, SecretKey, Warning};

use super::Failure;

/// The file that is used, if it is there, when none is named.
pub(super) const DEFAULT: &str = "config.json";

/// What the command line names in place of what the config file says.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct Overrides {
    /// Where to listen, such as `:6780` or `127.0.0.1:6780` [default: host of the config file]
    #[arg(long, global = true, value_name = "HOST", env = "MULTICHAT_HOST", value_parser = Host::parse)]
    pub(super) host: Option<Host>,
    /// A folder of static files to serve, such as a chat page [default: web-root of the config file]
    #[arg(long, global = true, value_name = "PATH", env = "MULTICHAT_WEB_ROOT")]
    pub(super) web_root: Option<PathBuf>,
}

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

/// Reads a config file, and notes which files it looks at.
pub(super) fn load(
    file: &Path,
    overrides: &Overrides,
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
    if let Some(folder) = &overrides.web_root {
        files.note_folder(folder);
    }
    overrides.apply(&mut config, Some(file))?;
    Ok((config, warnings))
}

/// What goes without a config file.
pub(super) fn local(secret_key: SecretKey, overrides: &Overrides) -> Result<Config, Failure> {
    let mut config = Config::local(secret_key);
    overrides.apply(&mut config, None)?;
    Ok(config)
}

impl Overrides {
    fn apply(&self, config: &mut Config, file: Option<&Path>) -> Result<(), Failure> {
        if let Some(host) = &self.host {
            config.host = host.clone();
        }
        let Some(folder) = &self.web_root else { return Ok(()) };
        config.set_web_root(folder, file).map_err(|error| {
            Failure::Configuration(format!("--web-root must be a folder of static files: {error}"))
        })
    }
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
