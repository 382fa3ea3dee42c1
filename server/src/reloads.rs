//! How it went with configurations.

use std::time::SystemTime;

/// How it went with configurations so far.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Reloads {
    /// How often another one was to hold, and does.
    pub succeeded: u64,
    /// How often one was to hold that could not be used.
    pub failed: u64,
    /// Since when the one that holds does.
    pub succeeded_at: SystemTime,
    /// Whether the last one that was to hold could not be used.
    pub has_failed: bool,
}

impl Reloads {
    /// None yet: the router has just been started with its first configuration.
    pub(crate) fn none() -> Self {
        Self { succeeded: 0, failed: 0, succeeded_at: SystemTime::now(), has_failed: false }
    }

    pub(crate) fn succeed(&mut self) {
        *self = Self {
            succeeded: self.succeeded + 1,
            succeeded_at: SystemTime::now(),
            has_failed: false,
            ..*self
        };
    }

    pub(crate) fn fail(&mut self) {
        *self = Self { failed: self.failed + 1, has_failed: true, ..*self };
    }
}
