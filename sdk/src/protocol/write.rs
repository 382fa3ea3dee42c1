//! Packets to JSON.

/// Writes one JSON object, its fields in the order of the calls. Unlike a serialiser it cannot fail.
pub(super) struct Object(String);

impl Object {
    /// An object that names its action first. `capacity` is a guess at the size of all other values.
    pub(super) fn new(action: &str, capacity: usize) -> Self {
        // All that is not a value (braces, keys, the action) takes about as much.
        let mut text = String::with_capacity(capacity + 80);
        text.push('{');
        let object = Self(text);
        object.value("action", action)
    }

    /// Adds a field of text.
    pub(super) fn text(mut self, key: &str, value: &str) -> Self {
        self.0.push(',');
        self.value(key, value)
    }

    /// The finished object.
    pub(super) fn finish(mut self) -> String {
        self.0.push('}');
        self.0
    }

    fn value(mut self, key: &str, value: &str) -> Self {
        push_string(&mut self.0, key);
        self.0.push(':');
        push_string(&mut self.0, value);
        self
    }
}

/// Appends a JSON string: the quotation mark, the backslash and U+0000 to U+001F are escaped, as they
/// must be, and nothing else (RFC 8259, section 7).
fn push_string(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    while let Some((at, byte)) = next_escape(rest.as_bytes()) {
        // A byte that needs an escape is a character of its own, so both cuts fall between characters.
        let (plain, tail) = rest.split_at(at);
        out.push_str(plain);
        push_escape(out, byte);
        rest = tail.get(1..).unwrap_or_default();
    }
    out.push_str(rest);
    out.push('"');
}

/// The first byte that needs an escape, and where. Most texts have none, so whole blocks are passed over
/// first, without a branch for each byte.
fn next_escape(bytes: &[u8]) -> Option<(usize, u8)> {
    const BLOCK: usize = 32;
    let any = |block: &&[u8]| block.iter().fold(false, |any, &byte| any | needs_escape(byte));
    let clean = BLOCK * bytes.chunks_exact(BLOCK).take_while(|block| !any(block)).count();
    let rest = bytes.get(clean..)?;
    let (at, &byte) = rest.iter().enumerate().find(|&(_, &byte)| needs_escape(byte))?;
    Some((clean + at, byte))
}

const fn needs_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

fn push_escape(out: &mut String, byte: u8) {
    out.push('\\');
    match byte {
        b'"' => out.push('"'),
        b'\\' => out.push('\\'),
        b'\n' => out.push('n'),
        b'\r' => out.push('r'),
        b'\t' => out.push('t'),
        control => {
            out.push_str("u00");
            out.extend(
                [control >> 4, control & 0xF]
                    .map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])),
            );
        }
    }
}
