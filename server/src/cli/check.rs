//! `multichat-server check`

mod limits;
mod port;
mod rooms;

use std::{fmt::Write as _, path::Path};

use multichat_server::{
    config::{Config, Files, Warning},
    tls,
};

use super::{
    Failure,
    source::{self, Overrides},
    stdout::say,
};

/// How wide the column is that says what is told, where a longer name does not need more.
const NAME_WIDTH: usize = 12;

/// Says what a config file means, or what is wrong with it.
pub(super) fn check(named: Option<&Path>, overrides: &Overrides) -> Result<(), Failure> {
    let file = source::find(named).ok_or_else(|| {
        Failure::Configuration(format!(
            "there is no {} here to check; `multichat-server init` makes one, --config names another one",
            source::DEFAULT
        ))
    })?;
    let (config, warnings) = source::load(&file, overrides, &mut Files::default())?;
    let (unknown, others): (Vec<_>, Vec<_>) =
        warnings.iter().partition(|warning| matches!(warning, Warning::UnknownField { .. }));
    let mut errors: Vec<_> = unknown.iter().map(|warning| format!("{}: {warning}", file.display())).collect();
    if let Some(error) = config.wss.as_ref().and_then(|wss| tls::server_config(wss).err()) {
        errors.push(format!("{}: {error}", file.display()));
    }
    if !errors.is_empty() {
        return Err(Failure::Configuration(errors.join("\n")));
    }
    let mut text = format!("{} is good. It means:\n\n{}", file.display(), meaning(&config));
    for warning in others {
        let _ = write!(text, "\nwarning: {warning}\n");
    }
    say(&text);
    Ok(())
}

/// What holds for the port, and then for each room.
fn meaning(config: &Config) -> String {
    let mut text = table(&port::rows(config));
    for room in config.all_rooms() {
        let _ = write!(text, "\nRoom {}, at {}\n", room.name, rooms::place(room, config));
        text += &table(&rooms::rows(room, &config.limits));
    }
    text
}

/// Names, and what is to be said of them.
fn table(rows: &[(String, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0).max(NAME_WIDTH);
    let mut text = String::new();
    for (name, value) in rows {
        let _ = writeln!(text, "  {name:<width$}  {value}");
    }
    text
}
