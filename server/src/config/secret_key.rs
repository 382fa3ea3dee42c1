//! The key that clients register with.

use std::fmt;

use subtle::ConstantTimeEq as _;

use crate::token;

/// The key that clients register with: never empty, never printed by accident.
#[derive(Clone)]
pub struct SecretKey(String);

/// The key is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key must not be empty")]
pub struct EmptyKey;

/// 28 symbols of five bits are 140 bits.
const RANDOM_SYMBOLS: usize = 28;

impl SecretKey {
    /// What is expected of the field, for messages.
    pub(super) const EXPECTED: &str = "the key that clients register with, a text of at least one character (`multichat-server init` makes a good one)";

    /// Takes any text but the empty one.
    ///
    /// # Errors
    ///
    /// The text is empty.
    pub fn new(text: impl Into<String>) -> Result<Self, EmptyKey> {
        let text = text.into();
        if text.is_empty() { Err(EmptyKey) } else { Ok(Self(text)) }
    }

    /// A new key from the operating system's random source: 28 letters and digits, 140 bits.
    ///
    /// # Errors
    ///
    /// The operating system has no random source.
    pub fn random() -> Result<Self, getrandom::Error> {
        token::random(RANDOM_SYMBOLS).map(Self)
    }

    /// Whether this is the key. How long that takes depends on the length of what was given, which its
    /// sender knows anyway, and not on the key.
    pub fn matches(&self, given: &str) -> bool {
        // Every given byte meets one of the key, over and over if it is longer: the length of the key
        // takes part in the result alone.
        let key = self.0.as_bytes().iter().cycle();
        let same_length = self.0.len().ct_eq(&given.len());
        given.bytes().zip(key).fold(same_length, |same, (given, key)| same & given.ct_eq(key)).into()
    }

    /// The key itself, to be shown to its owner.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether everyone knows it: the keys in the example config files, ours and the original server's.
    pub(super) fn is_placeholder(&self) -> bool {
        ["password", "change-me"].iter().any(|known| self.0.eq_ignore_ascii_case(known))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_key_matches() {
        let key = SecretKey::new("pässword").unwrap();
        assert!(key.matches("pässword"));
        for wrong in ["", "p", "pässwor", "pässworD", "pässword ", "pässwordpässword", "password"] {
            assert!(!key.matches(wrong), "{wrong}");
        }
    }

    #[test]
    fn an_empty_key_cannot_be_made() {
        assert_eq!(SecretKey::new("").unwrap_err(), EmptyKey);
    }

    #[test]
    fn debug_does_not_show_it() {
        assert_eq!(format!("{:?}", SecretKey::new("hunter2").unwrap()), "SecretKey(…)");
    }

    #[test]
    fn random_keys_are_long_and_different() {
        let keys: HashSet<_> = (0..100).map(|_| SecretKey::random().unwrap().0).collect();
        assert_eq!(keys.len(), 100);
        assert!(keys.iter().all(|key| key.len() == 28));
    }

    proptest! {
        #[test]
        fn is_equality(key in "[ab]{1,4}", given in "[ab]{0,5}") {
            prop_assert_eq!(SecretKey::new(key.clone()).unwrap().matches(&given), key == given);
        }
    }
}
