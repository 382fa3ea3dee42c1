//! Who is there, as JSON.

use std::{collections::HashMap, sync::Arc, time::Duration};

use multichat::protocol::{ClientName, Dialect, Status};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    connection::{Hall, Portrait},
    room::now_ms,
};

/// What is there in some rooms, and who.
pub(super) fn overview(halls: &[Arc<Hall>], is_closing: bool) -> Value {
    let now = Now { instant: Instant::now(), ms: now_ms() };
    let mut rooms = Vec::new();
    let mut clients = Vec::new();
    for hall in halls {
        let room = hall.room();
        // First who is there, so that none of them has read more than there is.
        let portraits = hall.portraits();
        let newest = room.newest();
        let statuses = room.statuses();
        let muted = hall.muted();
        rooms.push(json!({
            "name": hall.name().as_str(),
            "connections": portraits.len(),
            "newest": newest,
            "muted": muted.iter().map(ClientName::as_str).collect::<Vec<_>>(),
        }));
        let rows = portraits.iter().map(|portrait| {
            let mut row = row(portrait, newest, &statuses, now);
            row["room"] = json!(hall.name().as_str());
            row["muted"] = json!(muted.binary_search(&portrait.client_name).is_ok());
            row
        });
        clients.extend(rows);
    }
    json!({"time": now.ms, "shutting-down": is_closing, "rooms": rooms, "clients": clients})
}

/// The present, on both clocks.
#[derive(Clone, Copy)]
struct Now {
    instant: Instant,
    ms: u64,
}

fn row(
    portrait: &Portrait,
    newest: u64,
    statuses: &HashMap<ClientName, (Status, Option<Box<str>>)>,
    now: Now,
) -> Value {
    let status = statuses.get(&portrait.client_name);
    let traffic = portrait.traffic;
    let quiet = now.instant.saturating_duration_since(portrait.alive_at);
    json!({
        "connection": portrait.peer.id.0,
        "name": portrait.client_name.as_str(),
        "dialect": match portrait.dialect {
            Dialect::Plain => "plain",
            Dialect::Rich => "rich",
        },
        "rights": portrait.rights.names().collect::<Vec<_>>(),
        "address": portrait.peer.address.to_string(),
        "since": portrait.since,
        "last-seen": now.ms.saturating_sub(u64::try_from(quiet.as_millis()).unwrap_or(u64::MAX)),
        "round-trip-seconds": portrait.round_trip.as_ref().map(Duration::as_secs_f64),
        "lag": newest.saturating_sub(portrait.cursor),
        "sent": {"messages": traffic.sent_messages, "bytes": traffic.sent_bytes},
        "received": {"messages": traffic.received_messages, "bytes": traffic.received_bytes},
        "status": status.map(|(status, _)| *status),
        "text": status.and_then(|(_, text)| text.as_deref()),
    })
}
