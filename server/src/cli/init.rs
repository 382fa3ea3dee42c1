//! `multichat-server init`

use std::{
    fs,
    io::{self, Write as _},
    path::Path,
};

use super::{Failure, serve::random_key, source, stdout::say};

/// Makes a config file with a fresh key, for its owner's eyes only.
pub(super) fn init(named: Option<&Path>) -> Result<(), Failure> {
    let file = named.unwrap_or(Path::new(source::DEFAULT));
    let (key, _) = random_key()?;
    // The key is letters and digits: nothing to escape.
    let content = format!(
        r#"{{
    "ws-path": "/",
    "host": ":6780",
    "secret-key": "{key}",
    "wss": null
}}
"#
    );
    write_new(file, &content).map_err(|error| failure(file, &error))?;
    say(&format!(
        "\
{file} is made, with a fresh secret key. The server will listen on port 6780 of every interface.

Next:

    {check}    says what the file means
    {serve}    serves

Clients register with the \"secret-key\" that is in the file.
",
        file = file.display(),
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
