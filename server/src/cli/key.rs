//! `multichat-server key`

use std::io::{self, IsTerminal as _, Write as _};

use multichat_server::config::KeyDigest;

use super::{Failure, serve::random_key};

/// Makes a key, and shows it with its hash: on a line each for a program, with a few words for a person.
pub(super) fn key() -> Result<(), Failure> {
    let (key, _) = random_key()?;
    let hash = KeyDigest::of(&key).to_hex();
    let text = if io::stdout().is_terminal() {
        format!(
            "\
The key, for the client and nobody else:

    {key}

In the config file, for the client or the room:

    \"secret-key\": {{\"sha256\": \"{hash}\"}}

The file does not tell the key then. It is not kept anywhere: what is lost is made anew.
"
        )
    } else {
        format!("{key}\n{{\"sha256\": \"{hash}\"}}\n")
    };
    // A key that nobody got must not look like one that was made.
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(|error| Failure::Runtime(format!("the key cannot be written to standard output: {error}")))
}
