//! Lone surrogate escapes, what a cut-off emoji leaves.
//!
//! RFC 8259, section 8.2, allows `"\ud83d"` in its grammar and leaves open what it means; the original
//! server reads it as U+FFFD, the parser beneath us refuses it.

/// The length of an escape like `\ufffd`.
const ESCAPE: usize = 6;

/// A copy of `json` in which each surrogate escape that is not half of a pair (a high one, then at once
/// a low one) is `\ufffd`; `None` if there is none of that kind.
///
/// A text that was not JSON does not become JSON by this: escapes outside of strings, or with other
/// than four hex digits, stay what they are.
pub(super) fn repair(json: &str) -> Option<String> {
    let bytes = json.as_bytes();
    let mut repaired: Option<Vec<u8>> = None;
    let mut at = 0;
    while let Some(distance) = bytes.get(at..).and_then(|rest| rest.iter().position(|&byte| byte == b'\\')) {
        at += distance;
        at += match escape(bytes, at) {
            Some(0xD800..=0xDBFF) if matches!(escape(bytes, at + ESCAPE), Some(0xDC00..=0xDFFF)) => {
                2 * ESCAPE
            }
            Some(0xD800..=0xDFFF) => {
                let copy = repaired.get_or_insert_with(|| bytes.to_vec());
                copy.get_mut(at..at + ESCAPE)?.copy_from_slice(br"\ufffd");
                ESCAPE
            }
            Some(_) => ESCAPE,
            // The character after the backslash belongs to it, above all if it is another backslash.
            None => 2,
        };
    }
    repaired.and_then(|bytes| String::from_utf8(bytes).ok())
}

/// The number in the escape (`\u` and four hex digits) at this place, if there is one.
fn escape(bytes: &[u8], at: usize) -> Option<u16> {
    let digits = bytes.get(at..at + ESCAPE)?.strip_prefix(br"\u")?;
    digits.iter().try_fold(0, |number, &digit| {
        let digit = char::from(digit).to_digit(16)?;
        Some(number << 4 | u16::try_from(digit).ok()?)
    })
}
