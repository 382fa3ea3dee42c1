//! Packets from JSON.
//!
//! Which fields a packet has depends on its action, which may come last. So one pass over the object finds
//! where the values of all fields of all actions are, without looking into them; what the action has is then
//! read from there, and whatever else is wrong does not matter.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::error::DecodeError;
use super::{check, surrogate};

/// Decodes with `read`, and where that fails over lone surrogate escapes, a repaired copy.
///
/// Nearly every packet is well-formed, so it is read as it is; only what the parser refuses is searched
/// for such escapes.
pub(super) fn decode<P>(
    text: &str,
    max_bytes: usize,
    read: impl Fn(&str) -> Result<P, DecodeError>,
) -> Result<P, DecodeError> {
    if text.len() > max_bytes {
        return Err(DecodeError::TooBig { size: text.len(), max: max_bytes });
    }
    match read(text) {
        Err(DecodeError::NotJson) => match surrogate::repair(text) {
            Some(repaired) => read(&repaired),
            None => Err(DecodeError::NotJson),
        },
        outcome => outcome,
    }
}

/// The packet as JSON, one line.
pub(super) fn encode(packet: &impl Serialize) -> String {
    // Objects of texts and numbers have a form in JSON, whatever they are; and memory is all that it takes.
    serde_json::to_string(packet).unwrap_or_default()
}

/// The most fields that an object has: the packets of the server, all together.
const MOST: usize = 24;

/// Where in an object the values of its known fields are.
///
/// All other fields are checked for their grammar and passed over, whatever they are and however deep: that
/// is done without recursion, here and where the known ones are found.
pub(super) struct Fields<'a> {
    names: &'static [&'static str],
    /// What all names begin with, and the keys do not: the object's own name, and a dot.
    prefix: &'static str,
    /// In the order of the names.
    values: [Option<&'a str>; MOST],
    /// A bit for each field that came again.
    twice: u32,
}

impl<'a> Fields<'a> {
    /// Finds the fields of a packet, and has them read.
    pub(super) fn find<T>(
        text: &'a str,
        names: &'static [&'static str],
        read: impl FnOnce(&Self) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        Self::find_within(text, "", names, read)
    }

    fn find_within<T>(
        text: &'a str,
        prefix: &'static str,
        names: &'static [&'static str],
        read: impl FnOnce(&Self) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        debug_assert!(names.len() <= MOST, "an object with more fields than there is room for");
        let mut fields = Self { names, prefix, values: [None; MOST], twice: 0 };
        let mut json = serde_json::Deserializer::from_str(text);
        fields.deserialize(&mut json).and_then(|()| json.end()).map_err(|_| DecodeError::NotJson)?;
        read(&fields)
    }

    /// The value of a required field, as `read` reads it.
    pub(super) fn need<T>(
        &self,
        field: &'static str,
        read: impl FnOnce(Value<'a>) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        self.value(field)?.ok_or(DecodeError::Missing { field }).and_then(read)
    }

    /// The value of an optional field, as `read` reads it; `null` is as good as none.
    pub(super) fn take<T>(
        &self,
        field: &'static str,
        read: impl FnOnce(Value<'a>) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, DecodeError> {
        self.value(field)?.filter(|value| value.json != "null").map(read).transpose()
    }

    fn value(&self, field: &'static str) -> Result<Option<Value<'a>>, DecodeError> {
        let slot = self.names.iter().position(|name| *name == field);
        if slot.is_some_and(|slot| self.twice & (1 << slot) != 0) {
            return Err(DecodeError::Duplicate { field });
        }
        let json = slot.and_then(|slot| self.values.get(slot).copied().flatten());
        Ok(json.map(|json| Value { field, json }))
    }
}

impl<'a> DeserializeSeed<'a> for &mut Fields<'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for &mut Fields<'a> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(slot) = map.next_key_seed(Key { names: self.names, prefix: self.prefix })? {
            match slot.and_then(|slot| Some((slot, self.values.get_mut(slot)?))) {
                Some((_, value)) if value.is_none() => {
                    *value = Some(map.next_value::<&'a RawValue>()?.get());
                }
                known => {
                    self.twice |= known.map_or(0, |(slot, _)| 1 << slot);
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// A key, read as the place of the name that it is.
struct Key {
    names: &'static [&'static str],
    prefix: &'static str,
}

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for Key {
    type Value = Option<usize>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
        // The length first: it tells nearly all of them apart.
        let length = self.prefix.len() + key.len();
        Ok(self.names.iter().position(|name| name.len() == length && name.ends_with(key)))
    }
}

/// The value of a field: JSON, known to be well-formed but for lone surrogate escapes.
#[derive(Clone, Copy)]
pub(super) struct Value<'a> {
    pub(super) field: &'static str,
    json: &'a str,
}

impl<'a> Value<'a> {
    fn wrong<T>(self, expected: &'static str) -> Result<T, DecodeError> {
        Err(DecodeError::WrongType { field: self.field, expected })
    }

    /// A string, borrowed from the packet unless it has escapes.
    pub(super) fn borrowed(self) -> Result<Cow<'a, str>, DecodeError> {
        match self.json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            Some(text) if text.contains('\\') => {
                serde_json::from_str(self.json).map(Cow::Owned).map_err(|_| DecodeError::NotJson)
            }
            Some(text) => Ok(Cow::Borrowed(text)),
            None => self.wrong("a string"),
        }
    }

    /// A string.
    pub(super) fn text(self) -> Result<String, DecodeError> {
        self.borrowed().map(Cow::into_owned)
    }

    /// A string that is not empty.
    pub(super) fn filled(self) -> Result<String, DecodeError> {
        check::filled(self.field, self.text()?)
    }

    /// An integer without sign, fraction and exponent.
    pub(super) fn number(self) -> Result<u64, DecodeError> {
        self.json.parse().or_else(|_| self.wrong("a whole number below 2^64"))
    }

    pub(super) fn boolean(self) -> Result<bool, DecodeError> {
        match self.json {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => self.wrong("true or false"),
        }
    }

    /// The fields of an object, as `read` reads them. Their names are the keys with `prefix` before them.
    pub(super) fn object<T>(
        self,
        prefix: &'static str,
        names: &'static [&'static str],
        read: impl FnOnce(&Fields<'a>) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        if !self.json.starts_with('{') {
            return self.wrong("an object");
        }
        Fields::find_within(self.json, prefix, names, read)
    }

    /// The elements of a list of at most `max`.
    pub(super) fn list(self, max: usize) -> Result<Vec<Self>, DecodeError> {
        if !self.json.starts_with('[') {
            return self.wrong("a list");
        }
        let mut json = serde_json::Deserializer::from_str(self.json);
        let elements = json.deserialize_seq(List { max }).map_err(|_| DecodeError::NotJson)?;
        let elements = elements.ok_or(DecodeError::TooMany { field: self.field, max })?;
        Ok(elements.into_iter().map(|json| Self { field: self.field, json }).collect())
    }
}

/// The elements of a list, or `None` if there are more than `max`: then nothing was kept of them.
struct List {
    max: usize,
}

impl<'a> Visitor<'a> for List {
    type Value = Option<Vec<&'a str>>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while elements.len() < self.max {
            match list.next_element::<&'a RawValue>()? {
                Some(element) => elements.push(element.get()),
                None => return Ok(Some(elements)),
            }
        }
        let mut is_all = true;
        while list.next_element::<IgnoredAny>()?.is_some() {
            is_all = false;
        }
        Ok(is_all.then_some(elements))
    }
}
