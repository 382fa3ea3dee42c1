//! URLs, as far as a router has to know them.

use super::name::ClientName;

/// Whether a text is an absolute `http` or `https` URL with a host, fit to be shown on a line of its own:
/// without white space, control characters and what turns the direction of the text around.
pub(super) fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let Some(rest) = rest.strip_prefix("//") else { return false };
    let is_web = ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    let authority = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let has_host = !host.is_empty() && !host.starts_with(':');
    let is_clean = !rest.chars().any(|character| character.is_whitespace() || ClientName::forbids(character));
    is_web && has_host && is_clean
}
