//! Where the key comes from.

use std::fmt;
use std::sync::Arc;

use crate::runtime::{BoxFuture, MaybeSend, MaybeSync};
use crate::session::ConnectError;

/// What is asked for the key.
pub(super) trait Ask: Fn() -> BoxFuture<Result<String, String>> + MaybeSend + MaybeSync {}

impl<F: Fn() -> BoxFuture<Result<String, String>> + MaybeSend + MaybeSync> Ask for F {}

/// A key, or a function that is asked for one at each attempt. Its `Debug` leaves the key out.
#[derive(Clone)]
pub(super) enum KeySource {
    Fixed(String),
    Asked(Arc<dyn Ask>),
}

impl KeySource {
    pub(super) fn asked<F, O, E>(ask: F) -> Self
    where
        F: Fn() -> O + MaybeSend + MaybeSync + 'static,
        O: Future<Output = Result<String, E>> + MaybeSend + 'static,
        E: fmt::Display,
    {
        Self::Asked(Arc::new(move || {
            let answer = ask();
            Box::pin(async move { answer.await.map_err(|error| error.to_string()) })
        }))
    }

    /// The key for one attempt.
    pub(super) async fn get(&self) -> Result<String, ConnectError> {
        match self {
            Self::Fixed(key) => Ok(key.clone()),
            Self::Asked(ask) => match ask().await {
                Ok(key) if key.is_empty() => {
                    Err(ConnectError::KeyUnavailable { reason: "it is empty".to_owned() })
                }
                answer => answer.map_err(|reason| ConnectError::KeyUnavailable { reason }),
            },
        }
    }
}

impl fmt::Debug for KeySource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("KeySource")
    }
}
