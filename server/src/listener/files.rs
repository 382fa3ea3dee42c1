//! The files under `web-root`, and what browsers are told to do with them.

use std::io;

use hyper::{
    Method, Request, Response,
    header::{
        ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap, HeaderValue, RANGE,
        REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
    },
};
use hyper_staticfile::{AcceptEncoding, Body, Static};

use crate::config::{Config, ContentPolicy};

/// The name of folders whose files never change, as their names have a hash of what is in them.
const IMMUTABLE: &str = "immutable";

const FOR_A_YEAR: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Kept, but asked for each time whether it is still so: who updates a page wants it seen.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");

/// The files of a folder.
pub(super) struct Files {
    folder: Static,
    policy: Option<ContentPolicy>,
}

impl Files {
    /// `None` if there is no such folder.
    pub(super) fn new(config: &Config) -> Option<Self> {
        let mut folder = Static::new(config.web_root.as_ref()?);
        folder.allowed_encodings(AcceptEncoding::all());
        Some(Self { folder, policy: config.content_policy.clone() })
    }

    /// Answers a GET or HEAD.
    ///
    /// # Errors
    ///
    /// Something is there and can't be read, or the path can't be one of a file.
    pub(super) async fn serve<B>(&self, mut request: Request<B>) -> io::Result<Response<Body>> {
        // A part of a compressed file, and its size alone, come without the name of the encoding.
        if request.method() == Method::HEAD || request.headers().contains_key(RANGE) {
            request.headers_mut().remove(ACCEPT_ENCODING);
        }
        let is_immutable = request.uri().path().rsplit('/').skip(1).any(|part| part == IMMUTABLE);
        let mut response = self.folder.clone().serve(request).await?;
        let is_there = response.status().is_success();
        let caching = if is_immutable && is_there { FOR_A_YEAR } else { ASK_AGAIN };
        response.headers_mut().insert(CACHE_CONTROL, caching);
        Ok(response)
    }

    /// Adds what is said with every answer, a failure too.
    pub(super) fn protect(&self, headers: &mut HeaderMap) {
        headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        if let Some(policy) = &self.policy {
            headers.insert(CONTENT_SECURITY_POLICY, policy.header().clone());
        }
    }
}
