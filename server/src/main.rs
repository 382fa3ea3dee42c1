//! The `multichat-server` command.
fn main() {}
