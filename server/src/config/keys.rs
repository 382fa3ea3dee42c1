//! Who may come into a room, with which key, and what they may do there.

#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, HashSet},
    fmt, ptr,
};

use wildmatch::WildMatch;

use super::{KeyDigest, SecretKey};
use crate::rate::Rates;

/// What somebody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rights {
    /// Get what others say.
    pub read: bool,
    /// Say something.
    pub write: bool,
    /// Edit and delete what others said.
    pub moderate: bool,
}

impl Rights {
    /// What the room's shared key gives, and what a client of its own has where nothing else is said.
    pub const DEFAULT: Self = Self { read: true, write: true, moderate: false };
    /// None at all.
    pub const NONE: Self = Self { read: false, write: false, moderate: false };

    /// What they are called in the config file.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let rights = [(self.read, "read"), (self.write, "write"), (self.moderate, "moderate")];
        rights.into_iter().filter(|(has, _)| *has).map(|(_, name)| name)
    }
}

impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().collect::<Vec<_>>().join(", "))
    }
}

/// What a key opens to who has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// What they may do.
    pub rights: Rights,
    /// What all connections of one client name may say together.
    pub rates: Rates,
    /// Whether nobody else can have the client's name: it has a key of its own.
    pub owns_name: bool,
}

impl Grant {
    /// What the room's shared key gives.
    pub(super) const SHARED: Self =
        Self { rights: Rights::DEFAULT, rates: Rates { messages: None, bytes: None }, owns_name: false };
}

/// A client, or many by a pattern, with a key of their own: an entry of `clients`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// `clients.….secret-key`: what the client must know.
    pub secret_key: SecretKey,
    /// What the key gives.
    ///
    /// `clients.….rights`: what the client may do.
    /// `clients.….messages-per-second`, `clients.….messages-burst`: how many packets may come.
    /// `clients.….bytes-per-second`, `clients.….bytes-burst`: how large they may be together.
    pub grant: Grant,
}

/// The keys of a room: never none at all.
#[derive(Clone, Debug)]
pub struct Keys {
    shared: Option<SecretKey>,
    /// By the whole name.
    named: HashMap<Box<str>, Client>,
    /// What these names look like.
    looks: HashSet<String>,
    /// The most particular first.
    patterns: Vec<(WildMatch, Client)>,
}

impl Keys {
    /// Of one key that opens to everybody who has it.
    pub fn shared(secret_key: SecretKey) -> Self {
        Self { shared: Some(secret_key), named: HashMap::new(), looks: HashSet::new(), patterns: Vec::new() }
    }

    /// Of a shared key, if there is one, and of clients by their name, or by a pattern: `*` stands for any text in it,
    /// `?` for one character. `None` if there is no key.
    pub fn new(
        shared: Option<SecretKey>,
        clients: impl IntoIterator<Item = (String, Client)>,
    ) -> Option<Self> {
        let mut keys = Self { shared, named: HashMap::new(), looks: HashSet::new(), patterns: Vec::new() };
        for (name, client) in clients {
            if is_pattern(&name) {
                keys.patterns.push((WildMatch::new(&name), client));
            } else {
                keys.looks.insert(look(&name));
                keys.named.insert(name.into(), client);
            }
        }
        keys.patterns
            .sort_by_cached_key(|(pattern, _)| (usize::MAX - literals(pattern), pattern.to_string()));
        let is_empty = keys.shared.is_none() && keys.named.is_empty() && keys.patterns.is_empty();
        (!is_empty).then_some(keys)
    }

    /// What a client of this name may do, if it gave the right key. A name that has a key of its own, or a pattern's,
    /// is opened by no other; one that only looks like it, by none at all.
    pub fn admit(&self, client_name: &str, given: KeyDigest) -> Option<Grant> {
        if self.is_disguised(client_name) {
            return None;
        }
        let Some(client) = self.client(client_name) else {
            return self.shared.as_ref().filter(|key| key.matches(given)).map(|_| Grant::SHARED);
        };
        client.secret_key.matches(given).then_some(client.grant)
    }

    fn client(&self, client_name: &str) -> Option<&Client> {
        self.named.get(client_name).or_else(|| self.by_pattern(client_name))
    }

    fn by_pattern(&self, client_name: &str) -> Option<&Client> {
        self.patterns.iter().find(|(pattern, _)| pattern.matches(client_name)).map(|(_, client)| client)
    }

    /// Whether people could take this name for another one that is opened by another key.
    fn is_disguised(&self, client_name: &str) -> bool {
        if self.named.contains_key(client_name) {
            return false;
        }
        let look = look(client_name);
        if self.looks.contains(&look) {
            return true;
        }
        let (seen, meant) = (self.by_pattern(&look), self.by_pattern(client_name));
        seen.is_some_and(|seen| meant.is_none_or(|meant| !ptr::eq(seen, meant)))
    }

    /// Whether there is a shared key.
    pub fn has_shared(&self) -> bool {
        self.shared.is_some()
    }

    /// The clients that have a key of their own, by name or pattern: those with whole names first, then the patterns,
    /// in the order in which they are tried.
    pub fn clients(&self) -> impl Iterator<Item = (String, &Client)> {
        let mut named: Vec<_> = self.named.iter().map(|(name, client)| (name.to_string(), client)).collect();
        named.sort_by(|one, other| one.0.cmp(&other.0));
        named.into_iter().chain(self.patterns.iter().map(|(pattern, client)| (pattern.to_string(), client)))
    }

    /// The shared key.
    pub(super) fn shared_key(&self) -> Option<&SecretKey> {
        self.shared.as_ref()
    }

    /// All keys.
    pub(super) fn secret_keys(&self) -> impl Iterator<Item = &SecretKey> {
        let clients = self.named.values().chain(self.patterns.iter().map(|(_, client)| client));
        self.shared.iter().chain(clients.map(|client| &client.secret_key))
    }
}

/// Whether this stands for many names.
pub(super) fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?'])
}

/// How particular a pattern is: so many characters of it stand for themselves.
fn literals(pattern: &WildMatch) -> usize {
    pattern.to_string().chars().filter(|c| !is_pattern(c.encode_utf8(&mut [0; 4]))).count()
}

/// What people see of a name: without the characters that are shown as nothing, and without white space at its ends.
fn look(name: &str) -> String {
    let visible: String = name.chars().filter(|&c| !is_invisible(c)).collect();
    visible.trim().to_owned()
}

/// What Unicode calls `Default_Ignorable_Code_Point`: where nothing else depends on it, nothing is shown. And those that
/// it does not call so, and that are blank all the same: a pattern of Braille without a dot, marks of annotations, and a
/// note without a head.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{AD}'
            | '\u{34F}'
            | '\u{61C}'
            | '\u{115F}'..='\u{1160}'
            | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}'
            | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFFB}'
            | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D159}'
            | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}'
    )
}
