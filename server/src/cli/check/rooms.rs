//! What `check` says of a room.

use multichat_server::config::{ChatLog, Config, Grant, Limits, Rights, Room, Rotate};

use super::limits::differences;

/// Where a room is.
pub(super) fn place(room: &Room, config: &Config) -> String {
    let is_there = |other: &&Room| other.name != room.name;
    let rest = if config.all_rooms().any(|other| is_there(&other)) { " that is no other room's" } else { "" };
    match room.ws_path.to_string().as_str() {
        "/" => format!("every path{rest}"),
        path if path.ends_with('/') => format!("{path} and everything below it{rest}"),
        path => path.to_owned(),
    }
}

/// Who may come in, and what holds there; `base` are the limits of the top level.
pub(super) fn rows(room: &Room, base: &Limits) -> Vec<(String, String)> {
    let mut rows: Vec<_> = room
        .keys
        .clients()
        .map(|(name, client)| {
            let key = if client.grant.owns_name { "its own key" } else { "the key of these names" };
            (name, format!("with {key}: {}", grant(&client.grant)))
        })
        .collect();
    let others = if rows.is_empty() { "every name" } else { "other names" };
    let shared = if room.keys.has_shared() {
        format!("with the shared key: {}", Rights::DEFAULT)
    } else {
        "nobody".to_owned()
    };
    rows.push((others.to_owned(), shared));
    rows.push(("limits".to_owned(), differences(&room.limits, base, "those above", "above")));
    if let Some(written) = &room.chat_log {
        rows.push(("chat log".to_owned(), chat_log(written)));
    }
    rows
}

/// What a key gives.
fn grant(grant: &Grant) -> String {
    let rate = |count: u32, burst: u32, what: &str| {
        let plural = if count == 1 { "" } else { "s" };
        format!("at most {count} {what}{plural} a second, {burst} at once")
    };
    let messages = grant.rates.messages.map(|of| rate(of.count, of.burst, "message"));
    let bytes = grant.rates.bytes.map(|of| rate(of.count, of.burst, "byte"));
    [Some(grant.rights.to_string()), messages, bytes].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn chat_log(chat_log: &ChatLog) -> String {
    let folder = chat_log.folder.display();
    let kept =
        chat_log.keep.map_or("all of them are kept".to_owned(), |keep| format!("the newest {keep} are kept"));
    match chat_log.rotate {
        Rotate::Never => format!("one file in {folder}"),
        rotate => format!("{} files in {folder}; {kept}", rotate.as_str()),
    }
}
