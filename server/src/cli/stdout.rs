//! Standard output, which may be closed.

use std::io::{self, Write as _};

/// Writes a text for people. That nobody reads it is no error: `println!` would panic.
pub(super) fn say(text: &str) {
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}
