//! The path at which the WebSocket is offered.

use std::fmt;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, percent_encode};

/// The path at which the WebSocket is offered: the field `ws-path`.
///
/// * `"/"` accepts every path.
/// * A path that ends in `/` accepts its whole subtree, and itself without the `/`.
/// * Any other path accepts itself, with or without a `/` at its end.
///
/// Paths are compared in one normal form, the configured one and the requested one alike: first
/// everything is percent-decoded, once; then it is cut at each `/`; then empty parts and `.` go, and
/// `..` takes the part before it along, never climbing above the root. So `%2e%2e` climbs as `..` does,
/// and `%2f` separates as `/` does: the two spellings of a path cannot mean two things, here or in a
/// proxy before us. What is no valid escape (`%zz`) stands for itself. Letters keep their case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WsPath {
    /// The parts of the normal form: none is empty, `.`, or `..`, none has a `/`.
    parts: Vec<Vec<u8>>,
    /// Whether what lies below is accepted too. Always so for the root.
    subtree: bool,
}

/// Why a text is no [`WsPath`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WsPathError {
    /// `"chat"`.
    #[error("it does not begin with /")]
    NoLeadingSlash,
    /// `"/chat?room=1"`, `"/chat#top"`.
    #[error("a path ends before ? and # (write %3F and %23 for the characters themselves)")]
    Query,
}

/// What must be escaped in a part for [`WsPath::parse`] to read it back, and what URLs have escaped.
const ESCAPED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'{')
    .add(b'}');

impl WsPath {
    /// What is expected of the field, for messages.
    pub(super) const EXPECTED: &str = "the path of the WebSocket, such as \"/\" (every path) or \"/chat\"";

    /// `"/"`: every path.
    pub fn root() -> Self {
        Self { parts: Vec::new(), subtree: true }
    }

    /// Reads the field.
    ///
    /// # Errors
    ///
    /// [`WsPathError`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, WsPathError> {
        if !text.starts_with('/') {
            return Err(WsPathError::NoLeadingSlash);
        }
        if text.contains(['?', '#']) {
            return Err(WsPathError::Query);
        }
        let (parts, ends_in_slash) = normal_form(text);
        Ok(Self { subtree: ends_in_slash || parts.is_empty(), parts })
    }

    /// Whether a request for this path gets the WebSocket. Anything from a `?` on is not part of it.
    pub fn accepts(&self, request_path: &str) -> bool {
        let path = request_path.find(['?', '#']).map_or(request_path, |end| &request_path[..end]);
        // `OPTIONS *`, `CONNECT host:port` and what else is no path.
        if !path.starts_with('/') {
            return false;
        }
        let (parts, _) = normal_form(path);
        if self.subtree { parts.starts_with(&self.parts) } else { parts == self.parts }
    }
}

impl WsPath {
    /// How far below the root it is.
    pub(crate) fn depth(&self) -> usize {
        self.parts.len()
    }

    /// Whether there are requests that both accept as theirs alone: whether they are the same but for a `/` at the end.
    pub(super) fn is_same_place(&self, other: &Self) -> bool {
        self.parts == other.parts
    }
}

/// The parts, and whether the path ends in a `/` (or in `.` or `..`, which name folders as well).
fn normal_form(path: &str) -> (Vec<Vec<u8>>, bool) {
    let decoded: Vec<u8> = percent_decode_str(path).collect();
    let mut parts = Vec::new();
    let mut ends_in_slash = true;
    for part in decoded.split(|&byte| byte == b'/') {
        ends_in_slash = matches!(part, b"" | b"." | b"..");
        match part {
            b"" | b"." => {}
            b".." => drop(parts.pop()),
            part => parts.push(part.to_vec()),
        }
    }
    (parts, ends_in_slash)
}

/// The normal form, with escapes where a URL needs them.
impl fmt::Display for WsPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            write!(f, "/{}", percent_encode(part, ESCAPED))?;
        }
        if self.subtree { f.write_str("/") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_accepted() {
        for (configured, accepted, refused) in [
            (
                "/",
                vec!["/", "/chat", "/a/b/", "//", "/..", "/%2e%2e/x", "/?x=/y"],
                vec!["", "*", "chat", "?/"],
            ),
            (
                "/chat",
                vec![
                    "/chat",
                    "/chat/",
                    "//chat",
                    "/chat//",
                    "/./chat",
                    "/chat/.",
                    "/x/../chat",
                    "/../chat",
                    "/x/%2E%2e/chat",
                    "/%63hat",
                    "/chat%2F",
                    "/chat?key=1",
                    "/chat/x/..",
                ],
                vec![
                    "/",
                    "/Chat",
                    "/chat/x",
                    "/chats",
                    "/chat/..",
                    "/chat/%2e%2e",
                    "/%2563hat",
                    "chat",
                    "%2fchat",
                    "/?/chat",
                    "/x/chat",
                ],
            ),
            (
                "/chat/",
                vec!["/chat/", "/chat", "/chat/x", "/chat/x/y/", "/chat/../chat/x", "//chat//x"],
                vec!["/", "/chats", "/chatx/", "/chat/..", "/chat/../x", "/chat/%2e%2e/x", "/chat%2f..%2fx"],
            ),
            ("/a b", vec!["/a%20b", "/a b"], vec!["/a+b", "/ab"]),
            ("/a%20b", vec!["/a%20b", "/a b", "/a%20b/"], vec!["/a%2520b"]),
            ("/ä", vec!["/%C3%A4", "/%c3%a4", "/ä"], vec!["/%E4", "/a"]),
            ("/a%3Fb", vec!["/a%3fb"], vec!["/a?b", "/a"]),
            ("/x/..//./chat", vec!["/chat", "/chat/"], vec!["/x/chat", "/chat/y"]),
            ("/chat/.", vec!["/chat", "/chat/y"], vec!["/"]),
            ("/..", vec!["/", "/anything"], vec![]),
            ("/%zz", vec!["/%zz", "/%25zz"], vec!["/zz"]),
            ("/a%00", vec!["/a%00"], vec!["/a"]),
        ] {
            let path = WsPath::parse(configured).unwrap();
            for request in accepted {
                assert!(path.accepts(request), "{configured} accepts {request}");
            }
            for request in refused {
                assert!(!path.accepts(request), "{configured} refuses {request}");
            }
        }
    }

    #[test]
    fn what_is_wrong() {
        for (text, expected) in [
            ("", WsPathError::NoLeadingSlash),
            ("chat", WsPathError::NoLeadingSlash),
            (" /", WsPathError::NoLeadingSlash),
            ("%2fchat", WsPathError::NoLeadingSlash),
            ("/chat?x", WsPathError::Query),
            ("/chat#x", WsPathError::Query),
        ] {
            assert_eq!(WsPath::parse(text), Err(expected), "{text}");
        }
    }

    #[test]
    fn shown_in_normal_form() {
        for (text, expected) in [
            ("/", "/"),
            ("//", "/"),
            ("/a/../b", "/b"),
            ("/a//b/", "/a/b/"),
            ("/a b%3f", "/a%20b%3F"),
            ("/%FF", "/%FF"),
        ] {
            assert_eq!(WsPath::parse(text).unwrap().to_string(), expected, "{text}");
        }
    }

    /// Paths made of what makes paths difficult.
    fn difficult_path() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            "/", "//", r"\.", r"\.\.", "%2e", "%2E%2e", "%2f", "%25", "%", "%zz", "%ff", "a", "ä", " ",
            "[^?#]"
        ];
        prop::collection::vec(part, 0..12).prop_map(|parts| format!("/{}", parts.concat()))
    }

    proptest! {
        #[test]
        fn never_panics(configured in ".*", request in ".*") {
            if let Ok(path) = WsPath::parse(&configured) {
                path.accepts(&request);
            }
            WsPath::root().accepts(&request);
        }

        #[test]
        fn normalisation_is_idempotent(text in difficult_path()) {
            let path = WsPath::parse(&text).unwrap();
            prop_assert_eq!(WsPath::parse(&path.to_string()), Ok(path));
        }

        #[test]
        fn accepts_itself_in_every_spelling(text in difficult_path()) {
            let path = WsPath::parse(&text).unwrap();
            let normal = path.to_string();
            for spelling in [&text, &normal, &format!("{normal}/"), &format!("/{normal}"), &format!("/../x/..{normal}"), &format!("{normal}?a/b")] {
                prop_assert!(path.accepts(spelling), "{} accepts {}", path, spelling);
            }
            prop_assert!(WsPath::root().accepts(&text));
        }

        #[test]
        fn nothing_climbs_out_of_a_subtree(text in difficult_path()) {
            let chat = WsPath::parse("/chat/").unwrap();
            let normal = WsPath::parse(&text).unwrap().to_string();
            prop_assert_eq!(chat.accepts(&text), normal == "/chat" || normal.starts_with("/chat/"));
        }
    }
}
