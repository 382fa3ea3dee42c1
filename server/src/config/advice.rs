//! What the author of a usable config file should know of the keys in it.

use super::{
    Grant, Room, RoomName, SecretKey, Warning,
    keys::is_pattern,
    pattern::{covers, is_everything},
};

/// What is worth a warning in a room.
pub(super) fn on_room(room: &Room) -> Vec<Warning> {
    let is_default = room.name == RoomName::default();
    let prefix = if is_default { String::new() } else { format!("rooms.{}.", room.name) };
    let full = |name: &str| format!("{prefix}clients.{name}");
    let clients: Vec<_> = room.keys.clients().collect();
    let patterns: Vec<_> = clients.iter().filter(|(name, _)| is_pattern(name)).collect();
    let mut warnings = Vec::new();
    if room.keys.secret_keys().any(SecretKey::is_placeholder) {
        warnings.push(Warning::KnownSecretKey { room: room.name.clone() });
    }
    for (at, (pattern, client)) in patterns.iter().enumerate() {
        // Those that are tried before it, and are more particular, leave something to it.
        if let Some((by, _)) = patterns[..at].iter().find(|(earlier, _)| covers(earlier, pattern)) {
            warnings.push(Warning::ShadowedPattern { field: full(pattern), by: full(by) });
        }
        if client.grant.rights.moderate {
            warnings.push(Warning::ModeratingPattern { field: full(pattern) });
        }
    }
    let shared = room.keys.shared_key().map(|key| (format!("{prefix}secret-key"), key, Grant::SHARED));
    if let Some((field, ..)) = &shared
        && let Some((by, _)) = patterns.iter().find(|(pattern, _)| is_everything(pattern))
    {
        warnings.push(Warning::UselessSharedKey { field: field.clone(), by: full(by) });
    }
    let mut keys: Vec<_> = shared.into_iter().collect();
    keys.extend(clients.iter().map(|(name, client)| (full(name), &client.secret_key, client.grant)));
    for (at, (field, key, grant)) in keys.iter().enumerate() {
        let is_other =
            |(_, earlier, other): &&(String, &SecretKey, Grant)| earlier.is_same(key) && other != grant;
        if let Some((earlier, ..)) = keys[..at].iter().find(is_other) {
            warnings.push(Warning::SameKey { fields: [earlier.clone(), field.clone()] });
        }
    }
    warnings
}
