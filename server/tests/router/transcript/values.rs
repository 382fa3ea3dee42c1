//! Which values of the router stand for those in the document.

use std::collections::BTreeMap;

use serde_json::Value;

/// What the router makes up: at first sight it is taken as it is, and must be the same ever after.
#[derive(Debug, Default)]
pub(super) struct Values {
    /// Names of sessions and logs: those in the document, and the router's.
    names: BTreeMap<String, String>,
    /// Points in time.
    times: BTreeMap<u64, u64>,
}

impl Values {
    /// Compares a packet of the document with the one that the router has sent.
    pub(super) fn compare(&mut self, told: &Value, found: &Value) -> Result<(), String> {
        self.compare_field("", told, found)
            .map_err(|field| format!("{field} of {told} is not that of {found}"))
    }

    fn compare_field(&mut self, field: &str, told: &Value, found: &Value) -> Result<(), String> {
        let is_same = match (field, told, found) {
            (_, Value::Object(told), Value::Object(found)) if told.keys().eq(found.keys()) => {
                for (field, value) in told {
                    // Errors explain themselves in words that are not agreed on.
                    let is_free = field == "reason" && told["action"] == "error" && found[field].is_string();
                    if !is_free {
                        self.compare_field(field, value, &found[field])?;
                    }
                }
                true
            }
            (_, Value::Array(told), Value::Array(found)) if told.len() == found.len() => {
                for (told, found) in told.iter().zip(found) {
                    self.compare_field(field, told, found)?;
                }
                true
            }
            ("session" | "epoch", Value::String(told), Value::String(found)) => self.is_name(told, found),
            ("time" | "since", Value::Number(told), Value::Number(found)) => {
                told.as_u64().zip(found.as_u64()).is_some_and(|(told, found)| self.is_time(told, found))
            }
            _ => told == found,
        };
        if is_same { Ok(()) } else { Err(field.to_owned()) }
    }

    fn is_name(&mut self, told: &str, found: &str) -> bool {
        let is_known = self.names.values().any(|known| known == found);
        match self.names.get(told) {
            Some(known) => known == found,
            None if is_known => false,
            None => {
                self.names.insert(told.to_owned(), found.to_owned());
                true
            }
        }
    }

    /// Points in time have their order too.
    fn is_time(&mut self, told: u64, found: u64) -> bool {
        let known = *self.times.entry(told).or_insert(found);
        known == found && self.times.values().is_sorted_by(|before, after| before < after)
    }

    /// Puts the router's values into a packet of the document.
    pub(super) fn fill(&self, packet: &mut Value) {
        for field in ["session", "epoch"] {
            let Some(Value::String(name)) = packet.pointer_mut(&format!("/resume/{field}")) else { continue };
            let known = self.names.get(name);
            *name = known.unwrap_or_else(|| panic!("nobody was told of the {field} {name}")).clone();
        }
    }

    /// All points in time.
    pub(super) fn times(&self) -> impl Iterator<Item = u64> {
        self.times.values().copied()
    }
}
