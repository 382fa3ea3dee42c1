//! What `check` says of limits.

use std::fmt::Write as _;

use multichat_server::config::Limits;

/// How limits differ from others: `base` says which these are, `word` what a value among them is.
pub(super) fn differences(limits: &Limits, other: &Limits, base: &str, word: &str) -> String {
    let known = other.fields();
    let other =
        |name| known.iter().find(|(known, _)| *known == name).map_or("none", |(_, value)| value.as_str());
    let changed: Vec<_> = limits.fields().into_iter().filter(|field| !known.contains(field)).collect();
    if changed.is_empty() {
        return base.to_owned();
    }
    let width = changed.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut text = format!("{base} but");
    for (name, value) in changed {
        let _ = write!(text, "\n                  {name:<width$}  {value} ({word} {})", other(name));
    }
    text
}
