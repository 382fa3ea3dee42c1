//! Reads the fields of a JSON object by name, and knows afterwards which nobody asked for.

use serde_json::{Map, Value};

use super::error::{Found, Problem, Warning};

/// How long a value may be to be shown in full.
const SHOWN_CHARS: usize = 60;
/// How much like a known name an unknown one must be to be taken for a slip of the pen.
const SIMILAR: f64 = 0.8;

/// What was found wrong so far.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<Warning>,
}

/// An object of the config file while it is read. Asking for a field makes its name known.
#[derive(Debug)]
pub(super) struct Section<'a> {
    /// The full name of the object and a dot; empty for the whole file.
    prefix: String,
    fields: &'a Map<String, Value>,
    known: Vec<&'static str>,
    report: &'a mut Report,
}

/// Why a value cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Mismatch {
    /// As is plain from the value.
    Plain,
    /// As this text says.
    Because(String),
    /// As is plain from the kind of value that it is; the value itself is secret.
    Secret,
    /// As this text says; the value itself is secret.
    SecretBecause(String),
}

impl<'a> Section<'a> {
    pub(super) fn root(fields: &'a Map<String, Value>, report: &'a mut Report) -> Self {
        Self { prefix: String::new(), fields, known: Vec::new(), report }
    }

    /// A field that must be there. `None` if it is not, or cannot be used: the report says so then.
    pub(super) fn required<T>(
        &mut self,
        name: &'static str,
        expected: &str,
        read: impl FnOnce(&Value) -> Result<T, Mismatch>,
    ) -> Option<T> {
        let value = self.value(name);
        if value.is_none() {
            self.problem(name, expected, Found::Missing);
        }
        self.read(name, expected, value?, read)
    }

    /// A field that may be missing or `null`. `None` as well if it cannot be used: the report says so then.
    pub(super) fn optional<T>(
        &mut self,
        name: &'static str,
        expected: &str,
        read: impl FnOnce(&Value) -> Result<T, Mismatch>,
    ) -> Option<T> {
        let value = self.value(name)?;
        self.read(name, expected, value, read)
    }

    /// An object that may be missing or `null`.
    pub(super) fn section<T>(
        &mut self,
        name: &'static str,
        expected: &str,
        read: impl FnOnce(&mut Section<'_>) -> T,
    ) -> Option<T> {
        let fields =
            self.optional(name, expected, |value| value.as_object().cloned().ok_or(Mismatch::Plain))?;
        let prefix = format!("{}{name}.", self.prefix);
        let mut section = Section { prefix, fields: &fields, known: Vec::new(), report: self.report };
        let read = read(&mut section);
        section.finish();
        Some(read)
    }

    /// An object whose fields have names of the operator's choice and are objects; it may be missing or `null`.
    pub(super) fn each(
        &mut self,
        name: &'static str,
        expected: &str,
        mut read: impl FnMut(&str, &mut Section<'_>),
    ) {
        let entries = self.optional(name, expected, |value| match value.as_object() {
            Some(entries) if entries.values().all(Value::is_object) => Ok(entries.clone()),
            Some(entries) => {
                let other = entries.iter().find(|(_, value)| !value.is_object());
                let name = other.map(|(name, _)| cut(name)).unwrap_or_default();
                Err(Mismatch::Because(format!("\"{name}\" is no object")))
            }
            None => Err(Mismatch::Plain),
        });
        for (entry, value) in entries.iter().flatten() {
            let Some(fields) = value.as_object() else { continue };
            let prefix = format!("{}{name}.{}.", self.prefix, cut(entry));
            let mut section = Section { prefix, fields, known: Vec::new(), report: self.report };
            read(entry, &mut section);
            section.finish();
        }
    }

    /// Reports that the name of this object, which the operator chose, can't be used.
    pub(super) fn misnamed(&mut self, expected: &str, reason: String) {
        let field = self.prefix.trim_end_matches('.').to_owned();
        let found = Found::Value("this name".to_owned(), Some(reason));
        self.report.problems.push(Problem { field, expected: expected.to_owned(), found });
    }

    /// Whether a field is there, usable or not.
    pub(super) fn has(&self, name: &str) -> bool {
        lookup(self.fields, name).is_some_and(|(_, value)| !value.is_null())
    }

    /// Reports a field whose value, usable by itself, does not fit the others.
    pub(super) fn misfit(&mut self, name: &str, expected: &str, reason: Option<String>) {
        let found =
            lookup(self.fields, name).map_or(Found::Missing, |(_, value)| Found::Value(shown(value), reason));
        self.problem(name, expected, found);
    }

    /// Warns that a field is ignored as long as another one is missing or 0.
    pub(super) fn without_effect(&mut self, name: &str, missing: &str) {
        let full = |name| format!("{}{name}", self.prefix);
        self.report.warnings.push(Warning::WithoutEffect { field: full(name), missing: full(missing) });
    }

    /// Warns of each field that nobody asked for.
    pub(super) fn finish(self) {
        for given in self.fields.keys() {
            let is_known =
                self.known.iter().any(|name| lookup(self.fields, name).is_some_and(|(key, _)| key == given));
            if !is_known {
                let nearest = nearest(given, &self.known).map(|name| format!("{}{name}", self.prefix));
                let field = format!("{}{}", self.prefix, cut(given));
                self.report.warnings.push(Warning::UnknownField { field, nearest });
            }
        }
    }

    fn value(&mut self, name: &'static str) -> Option<&'a Value> {
        self.known.push(name);
        lookup(self.fields, name).map(|(_, value)| value).filter(|value| !value.is_null())
    }

    fn read<T>(
        &mut self,
        name: &str,
        expected: &str,
        value: &Value,
        read: impl FnOnce(&Value) -> Result<T, Mismatch>,
    ) -> Option<T> {
        let found = match read(value) {
            Ok(read) => return Some(read),
            Err(Mismatch::Plain) => Found::Value(shown(value), None),
            Err(Mismatch::Because(reason)) => Found::Value(shown(value), Some(reason)),
            Err(Mismatch::Secret) => Found::Value(kind(value).to_owned(), None),
            Err(Mismatch::SecretBecause(reason)) => Found::Value(kind(value).to_owned(), Some(reason)),
        };
        self.problem(name, expected, found);
        None
    }

    fn problem(&mut self, name: &str, expected: &str, found: Found) {
        let field = format!("{}{name}", self.prefix);
        self.report.problems.push(Problem { field, expected: expected.to_owned(), found });
    }
}

/// The field of that name; else the first whose name differs in case alone, which Go's decoder takes too,
/// so that there are such files.
fn lookup<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<(&'a String, &'a Value)> {
    fields.get_key_value(name).or_else(|| fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)))
}

fn nearest(given: &str, known: &[&'static str]) -> Option<&'static str> {
    // `_` and camel case for `-` are the commonest slips.
    let plain = |name: &str| name.to_ascii_lowercase().replace(['-', '_', ' '], "");
    let given = plain(given);
    known
        .iter()
        .map(|name| (strsim::jaro_winkler(&given, &plain(name)), *name))
        .filter(|(similarity, _)| *similarity >= SIMILAR)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// Adapts a parser of texts.
pub(super) fn text<T, E: ToString>(
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> impl FnOnce(&Value) -> Result<T, Mismatch> {
    |value| match value.as_str() {
        None | Some("") => Err(Mismatch::Plain),
        Some(text) => parse(text).map_err(|reason| Mismatch::Because(reason.to_string())),
    }
}

/// A value for a message: in one line, and not too long.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Array(_) | Value::Object(_) => kind(value).to_owned(),
        // As JSON: control characters are escaped.
        value => cut(&value.to_string()),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(text) if text.is_empty() => "an empty text",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// Without control characters, and not too long.
fn cut(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(SHOWN_CHARS)
        .map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c })
        .collect();
    if text.chars().nth(SHOWN_CHARS).is_some() {
        shown.push('…');
    }
    shown
}
