//! Packets from JSON.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use super::surrogate;

/// Why a text is not a packet.
///
/// Neither its `Debug` nor its `Display` holds anything that the peer wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The text is larger than allowed. It was not looked at.
    #[error("a packet of {size} bytes is too big: at most {max} are allowed")]
    TooBig {
        /// The text's size, in bytes.
        size: usize,
        /// The largest allowed, in bytes.
        max: usize,
    },
    /// Not one JSON object (RFC 8259) from the first byte to the last.
    #[error("the packet is not one JSON object")]
    NotJson,
    /// A field that the packet must have is missing.
    #[error("the packet has no `{field}`")]
    Missing {
        /// The key.
        field: &'static str,
    },
    /// A field of the packet is there more than once.
    #[error("the packet has more than one `{field}`")]
    Duplicate {
        /// The key.
        field: &'static str,
    },
    /// A field that must be a string is `null` or something else.
    #[error("`{field}` is not a string")]
    NotText {
        /// The key.
        field: &'static str,
    },
    /// A field is a string, as it must be, but an empty one.
    #[error("`{field}` is empty")]
    Empty {
        /// The key.
        field: &'static str,
    },
    /// A packet that does something else than the packets of this direction: a client ignores it.
    #[error("the packet has an unknown action")]
    UnknownAction,
}

/// Decodes with `read`, and where that fails over lone surrogate escapes, a repaired copy with `reread`.
///
/// Nearly every packet is well-formed, so it is read as it is, borrowing from it; only what the parser
/// refuses is searched for such escapes.
pub(super) fn decode<'a, P>(
    text: &'a str,
    max_bytes: usize,
    read: impl FnOnce(&'a str) -> Result<P, DecodeError>,
    reread: impl FnOnce(&str) -> Result<P, DecodeError>,
) -> Result<P, DecodeError> {
    if text.len() > max_bytes {
        return Err(DecodeError::TooBig { size: text.len(), max: max_bytes });
    }
    match read(text) {
        Err(DecodeError::NotJson) => match surrogate::repair(text) {
            Some(repaired) => reread(&repaired),
            None => Err(DecodeError::NotJson),
        },
        outcome => outcome,
    }
}

/// The packet's action.
pub(super) fn action(text: &str) -> Result<Cow<'_, str>, DecodeError> {
    let [action] = texts(text, ["action"])?;
    Ok(action)
}

/// The values of the fields with these names, each of them there once and a string that is not empty.
/// All other fields are checked for their grammar and passed over, whatever they are and however deep:
/// [`IgnoredAny`] is read without recursion.
///
/// Which fields a packet has depends on its action, so the action is read first, by a pass of its own.
pub(super) fn texts<'a, const N: usize>(
    text: &'a str,
    names: [&'static str; N],
) -> Result<[Cow<'a, str>; N], DecodeError> {
    let mut fields = Fields { slots: names.map(|name| (name, None)), reading: None, twice: None };
    let mut json = serde_json::Deserializer::from_str(text);
    fields.deserialize(&mut json).and_then(|()| json.end()).map_err(|error| match fields.reading {
        Some(field) if error.is_data() => DecodeError::NotText { field },
        _ => DecodeError::NotJson,
    })?;
    if let Some(field) = fields.twice {
        return Err(DecodeError::Duplicate { field });
    }
    for (field, value) in &fields.slots {
        match value.as_deref() {
            None => return Err(DecodeError::Missing { field }),
            Some("") => return Err(DecodeError::Empty { field }),
            Some(_) => {}
        }
    }
    Ok(fields.slots.map(|(_, value)| value.unwrap_or_default()))
}

/// One pass over an object, collecting some of its fields.
struct Fields<'a, const N: usize> {
    slots: [(&'static str, Option<Cow<'a, str>>); N],
    /// The last field whose value was looked at: where the type is wrong, it is this one's.
    reading: Option<&'static str>,
    /// The first field that came again.
    twice: Option<&'static str>,
}

impl<'a, const N: usize> DeserializeSeed<'a> for &mut Fields<'a, N> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'a, const N: usize> Visitor<'a> for &mut Fields<'a, N> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(slot) = map.next_key_seed(Key(&mut self.slots))? {
            match slot {
                Some((name, value)) if value.is_none() => {
                    self.reading = Some(name);
                    *value = Some(map.next_value_seed(Text)?);
                }
                known => {
                    self.twice = self.twice.or(known.map(|(name, _)| *name));
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// A key, read as the slot that has its name.
struct Key<'s, 'a>(&'s mut [(&'static str, Option<Cow<'a, str>>)]);

impl<'de, 's, 'a> DeserializeSeed<'de> for Key<'s, 'a> {
    type Value = Option<&'s mut (&'static str, Option<Cow<'a, str>>)>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl<'s, 'a> Visitor<'_> for Key<'s, 'a> {
    type Value = Option<&'s mut (&'static str, Option<Cow<'a, str>>)>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter_mut().find(|(name, _)| *name == key))
    }
}

/// A string, borrowed from the packet unless it has escapes.
struct Text;

impl<'a> DeserializeSeed<'a> for Text {
    type Value = Cow<'a, str>;

    fn deserialize<D: Deserializer<'a>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl<'a> Visitor<'a> for Text {
    type Value = Cow<'a, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'a str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}
