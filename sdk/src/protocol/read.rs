//! Packets from JSON.
//!
//! Which fields a packet has depends on its action, which may come last. So one pass over the object finds
//! where the values of all fields of all actions are, without looking into them; what the action has is then
//! read from there, and whatever else is wrong does not matter.

use std::borrow::Cow;

use serde::Serialize;

use super::check;
use super::error::DecodeError;
use super::json::{Scanner, unescape};

/// Decodes with `read` what is not too large.
pub(super) fn decode<P>(
    text: &str,
    max_bytes: usize,
    read: impl FnOnce(&str) -> Result<P, DecodeError>,
) -> Result<P, DecodeError> {
    if text.len() > max_bytes {
        return Err(DecodeError::TooBig { size: text.len(), max: max_bytes });
    }
    read(text)
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
        let mut json = Scanner::new(text);
        let found = json.object(|key, value| fields.put(key, value));
        found.and_then(|()| json.end()).ok_or(DecodeError::NotJson)?;
        read(&fields)
    }

    fn put(&mut self, key: &str, value: &'a str) {
        let find = |key: &str| {
            // The length first: it tells nearly all of them apart.
            let length = self.prefix.len() + key.len();
            self.names.iter().position(|name| name.len() == length && name.ends_with(key))
        };
        // Nobody escapes anything in one of these, but anybody may.
        let Some(slot) = find(key).or_else(|| find(&unescape(key))) else { return };
        match self.values.get_mut(slot) {
            Some(empty @ None) => *empty = Some(value),
            _ => self.twice |= 1 << slot,
        }
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

/// The value of a field: JSON, known to be well-formed.
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
            Some(text) => Ok(unescape(text)),
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
        let mut elements = Vec::new();
        let mut count = 0;
        let read = Scanner::new(self.json).list(|json| {
            count += 1;
            if count <= max {
                elements.push(Self { field: self.field, json });
            }
        });
        read.ok_or(DecodeError::NotJson)?;
        if count > max { Err(DecodeError::TooMany { field: self.field, max }) } else { Ok(elements) }
    }
}
