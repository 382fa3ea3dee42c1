//! The key that clients register with.

use std::fmt;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::token;

/// 28 symbols of five bits are 140 bits.
const RANDOM_SYMBOLS: usize = 28;

/// What is kept of a key that somebody gave, or of one that is asked for: its SHA-256 digest (FIPS 180-4).
///
/// A fast hash, on purpose: who does not know the key must not be able to keep the router busy, and a key of 140
/// random bits needs no slow one.
#[derive(Clone, Copy)]
pub struct KeyDigest([u8; 32]);

impl KeyDigest {
    /// The digest of a key.
    pub fn of(key: &str) -> Self {
        Self(Sha256::digest(key).into())
    }

    /// Reads 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut digest = [0; 32];
        let digits = text.as_bytes();
        if digits.len() != 2 * digest.len() {
            return None;
        }
        for (byte, pair) in digest.iter_mut().zip(digits.chunks_exact(2)) {
            let digit = |digit: u8| char::from(digit).to_digit(16);
            *byte = u8::try_from(16 * digit(pair[0])? + digit(pair[1])?).ok()?;
        }
        Some(Self(digest))
    }

    /// 64 hexadecimal digits.
    pub fn to_hex(self) -> String {
        let digit = |value| char::from_digit(u32::from(value), 16);
        self.0.iter().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(digit).collect()
    }
}

impl PartialEq for KeyDigest {
    /// Takes as long for any two.
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for KeyDigest {}

impl fmt::Debug for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyDigest(…)")
    }
}

/// A key that clients register with. Of the key itself nothing is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretKey {
    digest: KeyDigest,
    /// How many bytes it takes in a packet, as JSON; `None` where only the digest is known.
    json_bytes: Option<usize>,
    is_placeholder: bool,
}

/// The key is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key must not be empty")]
pub struct EmptyKey;

impl SecretKey {
    /// What is expected of the field, for messages.
    pub(super) const EXPECTED: &str = "the key that clients register with: a text of at least one character \
         (`multichat-server key` makes a good one), {\"sha256\": …}, {\"env\": …} or {\"file\": …}";

    /// Takes any text but the empty one.
    ///
    /// # Errors
    ///
    /// The text is empty.
    pub fn new(text: &str) -> Result<Self, EmptyKey> {
        if text.is_empty() {
            return Err(EmptyKey);
        }
        Ok(Self {
            digest: KeyDigest::of(text),
            json_bytes: Some(serde_json::Value::from(text).to_string().len()),
            // The keys in the example config files, ours and the original server's.
            is_placeholder: ["password", "change-me"].iter().any(|known| text.eq_ignore_ascii_case(known)),
        })
    }

    /// The key that has this digest.
    pub fn from_digest(digest: KeyDigest) -> Self {
        Self { digest, json_bytes: None, is_placeholder: false }
    }

    /// The text of a new key from the operating system's random source: 28 letters and digits, 140 bits.
    ///
    /// # Errors
    ///
    /// The operating system has no random source.
    pub fn random_text() -> Result<String, getrandom::Error> {
        token::random(RANDOM_SYMBOLS)
    }

    /// Whether this is the key that has this digest.
    pub fn matches(&self, given: KeyDigest) -> bool {
        self.digest == given
    }

    /// Whether the same text is the key.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.digest == other.digest
    }

    /// How many bytes it takes in a packet, as far as is known: for a key of which only the digest is, a length that
    /// no sensible key has.
    pub(super) fn json_bytes(&self) -> usize {
        self.json_bytes.unwrap_or(256)
    }

    /// Whether everyone knows it.
    pub(super) fn is_placeholder(&self) -> bool {
        self.is_placeholder
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn key(text: &str) -> SecretKey {
        SecretKey::new(text).unwrap()
    }

    #[test]
    fn only_the_key_matches() {
        let key = key("pässword");
        assert!(key.matches(KeyDigest::of("pässword")));
        for wrong in ["", "p", "pässwor", "pässworD", "pässword ", "pässwordpässword", "password"] {
            assert!(!key.matches(KeyDigest::of(wrong)), "{wrong}");
        }
    }

    #[test]
    fn a_digest_is_as_good_as_the_key() {
        // FIPS 180-4's own example, "abc".
        let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(KeyDigest::of("abc").to_hex(), hex);
        for hex in [hex, &hex.to_uppercase()] {
            let key = SecretKey::from_digest(KeyDigest::from_hex(hex).unwrap());
            assert!(key.matches(KeyDigest::of("abc")));
            assert!(!key.matches(KeyDigest::of(hex)), "who has read the file knows no key");
        }
        for bad in
            ["", "ba78", &hex[1..], &format!("{hex}0"), &hex.replace('f', "g"), &hex.replace("ba", "ä")]
        {
            assert_eq!(KeyDigest::from_hex(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_empty_key_cannot_be_made() {
        assert_eq!(SecretKey::new("").unwrap_err(), EmptyKey);
    }

    #[test]
    fn debug_shows_nothing_of_it() {
        let shown = format!("{:?}", key("hunter2"));
        assert!(!shown.contains("hunter2") && shown.contains("KeyDigest(…)"), "{shown}");
    }

    #[test]
    fn random_keys_are_long_and_different() {
        let keys: HashSet<_> = (0..100).map(|_| SecretKey::random_text().unwrap()).collect();
        assert_eq!(keys.len(), 100);
        assert!(keys.iter().all(|key| key.len() == 28));
    }

    proptest! {
        #[test]
        fn is_equality(text in "[ab]{1,4}", given in "[ab]{0,5}") {
            prop_assert_eq!(key(&text).matches(KeyDigest::of(&given)), text == given);
        }

        #[test]
        fn digests_are_read_as_they_are_shown(text in ".*") {
            let digest = KeyDigest::of(&text);
            prop_assert_eq!(KeyDigest::from_hex(&digest.to_hex()), Some(digest));
        }
    }
}
