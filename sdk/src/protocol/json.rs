//! JSON (RFC 8259), as far as packets are read: where the values are, and what a string says.
//!
//! A value is checked for its grammar and passed over, whatever it is and however deep, without recursion and
//! without looking into it. A general parser does more than that, and is most of what a page would have to load for
//! reading packets; and it refuses what a cut-off emoji leaves, which is read here (see [`unescape`]).

use std::borrow::Cow;

/// Walks through a text. What is not as it should be is `None`, and the end of the walk.
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    /// At the first thing that is no space.
    pub(super) fn new(text: &'a str) -> Self {
        let mut scanner = Self { text, at: 0 };
        scanner.space();
        scanner
    }

    /// The members of an object, told to `member` by the texts of key, without its quotes, and value.
    pub(super) fn object(&mut self, mut member: impl FnMut(&'a str, &'a str)) -> Option<()> {
        self.members(b'{', b'}', |scanner| {
            let key = scanner.key()?;
            member(key, scanner.value()?);
            Some(())
        })
    }

    /// The elements of a list, told to `element` by their texts.
    pub(super) fn list(&mut self, mut element: impl FnMut(&'a str)) -> Option<()> {
        self.members(b'[', b']', |scanner| {
            element(scanner.value()?);
            Some(())
        })
    }

    /// That there is nothing more.
    pub(super) fn end(mut self) -> Option<()> {
        self.space();
        (self.at == self.text.len()).then_some(())
    }

    /// What is between such brackets, with commas in between.
    fn members(
        &mut self,
        open: u8,
        close: u8,
        mut member: impl FnMut(&mut Self) -> Option<()>,
    ) -> Option<()> {
        self.need(open)?;
        if self.eat(close) {
            return Some(());
        }
        loop {
            member(self)?;
            if !self.eat(b',') {
                return self.need(close);
            }
        }
    }

    /// A key and its colon; the text of the key, without its quotes.
    fn key(&mut self) -> Option<&'a str> {
        let key = self.string()?;
        self.need(b':')?;
        Some(key)
    }

    /// The text of a value.
    fn value(&mut self) -> Option<&'a str> {
        let start = self.at;
        // What closes the objects and lists that it is within.
        let mut within = Vec::new();
        loop {
            match self.peek()? {
                b'"' => {
                    self.string()?;
                }
                open @ (b'{' | b'[') => {
                    self.at += 1;
                    // In ASCII it is the next but one, of both.
                    let close = open + 2;
                    if !self.eat(close) {
                        within.push(close);
                        self.key_within(close)?;
                        continue;
                    }
                }
                b't' => self.word("true")?,
                b'f' => self.word("false")?,
                b'n' => self.word("null")?,
                _ => self.number()?,
            }
            loop {
                let Some(&close) = within.last() else {
                    return self.text.get(start..self.at).map(str::trim_ascii_end);
                };
                if self.eat(b',') {
                    self.key_within(close)?;
                    break;
                }
                self.need(close)?;
                within.pop();
            }
        }
    }

    /// A key, if what closes here is an object.
    fn key_within(&mut self, close: u8) -> Option<()> {
        if close == b'}' { self.key().map(drop) } else { Some(()) }
    }

    /// The text of a string, without its quotes.
    fn string(&mut self) -> Option<&'a str> {
        self.one(|byte| byte == b'"')?;
        let start = self.at;
        loop {
            self.at += plain(self.rest());
            match self.peek()? {
                b'"' => break,
                b'\\' => self.escape()?,
                _ => return None,
            }
        }
        let text = self.text.get(start..self.at);
        self.at += 1;
        text
    }

    fn escape(&mut self) -> Option<()> {
        self.at += 1;
        let kind = self.peek()?;
        self.at += 1;
        match kind {
            b'u' => (0..4).try_for_each(|_| self.one(|byte| byte.is_ascii_hexdigit())),
            _ => SHORT.iter().any(|(short, _)| *short == kind).then_some(()),
        }
    }

    fn number(&mut self) -> Option<()> {
        let _ = self.one(|byte| byte == b'-');
        // No other digit may follow a leading 0.
        if self.one(|byte| byte == b'0').is_none() {
            self.digits()?;
        }
        if self.one(|byte| byte == b'.').is_some() {
            self.digits()?;
        }
        if self.one(|byte| matches!(byte, b'e' | b'E')).is_some() {
            let _ = self.one(|byte| matches!(byte, b'+' | b'-'));
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let count = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        (count > 0).then_some(())
    }

    fn word(&mut self, word: &str) -> Option<()> {
        let is_there = self.rest().starts_with(word.as_bytes());
        self.at += word.len();
        is_there.then_some(())
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// One byte of this kind.
    fn one(&mut self, is_wanted: impl Fn(u8) -> bool) -> Option<()> {
        self.peek().filter(|&byte| is_wanted(byte))?;
        self.at += 1;
        Some(())
    }

    fn space(&mut self) {
        while self.one(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).is_some() {}
    }

    /// Passes this byte, with the space before and behind it, if it is there.
    fn eat(&mut self, byte: u8) -> bool {
        self.space();
        let is_there = self.one(|here| here == byte).is_some();
        self.space();
        is_there
    }

    fn need(&mut self, byte: u8) -> Option<()> {
        self.eat(byte).then_some(())
    }
}

/// The escapes of one letter, and what they stand for.
const SHORT: [(u8, char); 8] = [
    (b'"', '"'),
    (b'\\', '\\'),
    (b'/', '/'),
    (b'n', '\n'),
    (b't', '\t'),
    (b'r', '\r'),
    (b'b', '\u{8}'),
    (b'f', '\u{c}'),
];

/// How many bytes are looked at together, which processors are good at.
const STEP: usize = 16;

/// How many bytes of a string there are before the first one that is no plain text.
fn plain(bytes: &[u8]) -> usize {
    let is_special = |byte: &u8| *byte < b' ' || *byte == b'"' || *byte == b'\\';
    let chunks = bytes.chunks_exact(STEP);
    let is_plain = |chunk: &&[u8]| !chunk.iter().fold(false, |found, byte| found | is_special(byte));
    let at = STEP * chunks.take_while(is_plain).count();
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(is_special).unwrap_or(rest.len())
}

/// What the text of a string says.
///
/// RFC 8259, section 8.2, allows the escape of half a surrogate pair in its grammar and leaves open what it means;
/// as the original server does, it is read as U+FFFD.
pub(super) fn unescape(text: &str) -> Cow<'_, str> {
    let Some((first, mut rest)) = text.split_once('\\') else { return Cow::Borrowed(text) };
    let mut said = String::with_capacity(text.len());
    said.push_str(first);
    loop {
        let (char, behind) = match unit(rest) {
            Some((high @ 0xD800..0xDC00, behind)) => match behind.strip_prefix('\\').and_then(unit) {
                Some((low @ 0xDC00..0xE000, behind)) => {
                    (char::from_u32(0x1_0000 + ((high - 0xD800) << 10 | (low - 0xDC00))), behind)
                }
                _ => (None, behind),
            },
            Some((unit, behind)) => (char::from_u32(unit), behind),
            None => {
                let (short, behind) = rest.split_at_checked(1).unwrap_or((rest, ""));
                let known = SHORT.iter().find(|(known, _)| short.as_bytes() == [*known]);
                (known.map(|(_, char)| *char), behind)
            }
        };
        said.push(char.unwrap_or(char::REPLACEMENT_CHARACTER));
        let Some((plain, next)) = behind.split_once('\\') else {
            said.push_str(behind);
            return Cow::Owned(said);
        };
        said.push_str(plain);
        rest = next;
    }
}

/// The number of an escape `\u….`, behind its backslash, and what follows.
fn unit(escape: &str) -> Option<(u32, &str)> {
    let (digits, behind) = escape.strip_prefix('u')?.split_at_checked(4)?;
    Some((u32::from_str_radix(digits, 16).ok()?, behind))
}
