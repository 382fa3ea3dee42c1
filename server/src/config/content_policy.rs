//! What pages may do.

use hyper::header::HeaderValue;

/// What the pages under `web-root` may do, as browsers are told: the field `content-security-policy`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentPolicy(HeaderValue);

/// Why a text is no [`ContentPolicy`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a policy has printable ASCII characters alone")]
pub struct BadContentPolicy;

/// For a chat page, whose scripts and styles are files beside it: nothing that came with a message is run,
/// and nobody shows the page within another one. Pictures come from wherever people have them, and a
/// router that it connects to may be any.
const DEFAULT: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
                       img-src 'self' https: http: data:; connect-src 'self' ws: wss:; font-src 'self'; \
                       manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

impl ContentPolicy {
    /// What is expected of the field, for messages.
    pub(super) const EXPECTED: &str =
        "a policy as in the HTTP header of that name, such as \"default-src 'self'\", or \"\" for none";

    /// Reads the field. Empty or blank is none.
    ///
    /// # Errors
    ///
    /// It can't be sent as a header.
    pub fn parse(text: &str) -> Result<Option<Self>, BadContentPolicy> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        // The header may have more, but no policy does.
        let header = HeaderValue::from_str(text).ok().filter(|_| text.is_ascii());
        header.map(Self).map(Some).ok_or(BadContentPolicy)
    }

    /// As it is sent.
    pub fn header(&self) -> &HeaderValue {
        &self.0
    }
}

impl Default for ContentPolicy {
    fn default() -> Self {
        Self(HeaderValue::from_static(DEFAULT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_accepted() {
        for (text, expected) in [
            ("default-src 'self'", Some("default-src 'self'")),
            (" default-src *; \n", Some("default-src *;")),
            ("", None),
            (" ", None),
        ] {
            let policy = ContentPolicy::parse(text).unwrap();
            assert_eq!(
                policy.as_ref().map(ContentPolicy::header),
                expected.map(HeaderValue::from_static).as_ref()
            );
        }
        for text in
            ["default-src\n'self'", "default-src 'self'\r\nSet-Cookie: a=b", "img-src ä.example", "\0"]
        {
            assert_eq!(ContentPolicy::parse(text), Err(BadContentPolicy), "{text}");
        }
    }
}
