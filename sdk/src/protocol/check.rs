//! What the type of a value leaves open.

use super::error::DecodeError;
use super::url;

/// That a string is not empty.
pub(super) fn filled<T: AsRef<str>>(field: &'static str, text: T) -> Result<T, DecodeError> {
    if text.as_ref().is_empty() { Err(DecodeError::Empty { field }) } else { Ok(text) }
}

/// That a string, if there is one, has at most `max` bytes.
pub(super) fn bounded(field: &'static str, text: Option<&str>, max: usize) -> Result<(), DecodeError> {
    if text.is_some_and(|text| text.len() > max) { Err(DecodeError::TooLong { field, max }) } else { Ok(()) }
}

/// That a string, if there is one, is not empty and has at most `max` bytes.
pub(super) fn word(field: &'static str, text: Option<&str>, max: usize) -> Result<(), DecodeError> {
    text.map(|text| filled(field, text)).transpose()?;
    bounded(field, text, max)
}

/// That a string, if there is one, is a good URL.
pub(super) fn url(field: &'static str, text: Option<&str>) -> Result<(), DecodeError> {
    if text.is_none_or(url::is_url) { Ok(()) } else { Err(DecodeError::BadUrl { field }) }
}
