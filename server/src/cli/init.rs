//! `multichat-server init`

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, absolute},
};

use multichat_server::config::Host;
use serde_json::Value;

use super::{
    Failure,
    serve::random_key,
    source::{self, Overrides},
    stdout::say,
};

/// Makes a config file with a fresh key, for its owner's eyes only.
pub(super) fn init(named: Option<&Path>, overrides: &Overrides) -> Result<(), Failure> {
    let file = named.unwrap_or(Path::new(source::DEFAULT));
    let (key, _) = random_key()?;
    // Paths of the command line are taken from the working folder, those of the file from its own.
    let full = |path: &Path| absolute(path).map_err(|error| failure(file, &error));
    let host = match &overrides.host {
        None => Host::AnyInterface { port: 6780 },
        Some(Host::Unix(path)) => Host::Unix(full(path)?),
        Some(host) => host.clone(),
    };
    let web_root = match &overrides.web_root {
        None => String::new(),
        Some(folder) => format!(",\n    \"web-root\": {}", Value::from(full(folder)?.display().to_string())),
    };
    // The key is letters and digits: nothing to escape.
    let content = format!(
        r#"{{
    "ws-path": "/",
    "host": {host},
    "secret-key": "{key}",
    "wss": null{web_root}
}}
"#,
        host = Value::from(host.to_string()),
    );
    write_new(file, &content).map_err(|error| failure(file, &error))?;
    say(&format!(
        "\
{file} is made, with a fresh secret key. The server will listen at {host}{reach}.

Next:

    {check}    says what the file means
    {serve}    serves

Clients register with the \"secret-key\" that is in the file.
",
        file = file.display(),
        reach = if matches!(host, Host::AnyInterface { .. }) {
            ", which is that port of every interface"
        } else {
            ""
        },
        check = source::command(file, "check"),
        serve = source::command(file, "serve"),
    ));
    Ok(())
}

fn write_new(file: &Path, content: &str) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut created = options.open(file)?;
    created.write_all(content.as_bytes()).and_then(|()| created.sync_all()).inspect_err(|_| {
        // Half a file would be in the way of the next try.
        let _ = fs::remove_file(file);
    })
}

fn failure(file: &Path, error: &io::Error) -> Failure {
    let file = file.display();
    Failure::Runtime(match error.kind() {
        io::ErrorKind::AlreadyExists => {
            format!(
                "{file} is there already, and is left as it is; name another file with --config, or move it away"
            )
        }
        io::ErrorKind::NotFound => {
            format!("{file} cannot be made: its folder is not there; make the folder first")
        }
        _ => format!("{file} cannot be made: {error}"),
    })
}
