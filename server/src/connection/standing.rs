//! How a client stands with its room: what its key opens to it, and how much it has said lately.

use std::mem;

use multichat::protocol::{ClientName, CloseCode};
use tokio::time::Instant;

use super::{ending::Ending, hall::Terms, throttles::SharedThrottle};
use crate::{
    config::{Grant, KeyDigest, Rights},
    rate::Throttle,
    room::Authority,
};

/// So many packets may be refused without a pause where bytes are bounded alone, and no burst says how many.
const REFUSALS_WITHOUT_BURST: u32 = 20;

/// What a key opened at the door.
#[derive(Clone, Copy)]
pub(super) struct Admission {
    /// Of what the client gave for a key nothing but this is kept.
    pub(super) key: KeyDigest,
    pub(super) grant: Grant,
    /// Of the terms that were asked.
    pub(super) revision: u64,
}

/// How a client stands.
pub(super) struct Standing {
    admission: Admission,
    throttle: Throttle,
    /// Of all connections that have this name, if they are bounded together.
    shared_throttle: Option<SharedThrottle>,
    /// How many packets were refused since there was a pause.
    refused: u32,
    is_forbidden_noted: bool,
}

impl Standing {
    pub(super) fn new(admission: Admission, terms: &Terms, client_name: &ClientName, now: Instant) -> Self {
        Self {
            admission,
            throttle: Throttle::full(terms.limits.rates, now),
            shared_throttle: shared_throttle(&admission.grant, terms, client_name, now),
            refused: 0,
            is_forbidden_noted: false,
        }
    }

    /// Looks again on which terms the client is here, if they have changed. Returns whether they have.
    ///
    /// # Errors
    ///
    /// Its key is no longer good, or its room is gone.
    pub(super) fn review(&mut self, terms: &Terms, client_name: &ClientName) -> Result<bool, Ending> {
        if terms.revision == self.admission.revision {
            return Ok(false);
        }
        if terms.are_over() {
            return Err(Ending::ABANDONED);
        }
        let grant = terms.admit(client_name, self.admission.key).ok_or(Ending::REVOKED)?;
        self.admission = Admission { grant, revision: terms.revision, ..self.admission };
        let now = Instant::now();
        self.throttle.keep_to(terms.limits.rates, now);
        self.shared_throttle = shared_throttle(&grant, terms, client_name, now);
        Ok(true)
    }

    /// What the client may do.
    pub(super) fn rights(&self) -> Rights {
        self.admission.grant.rights
    }

    /// Whose messages the client may change.
    pub(super) fn authority(&self) -> Authority {
        if self.rights().moderate {
            Authority::Room
        } else if self.admission.grant.owns_name {
            Authority::Name
        } else {
            Authority::Session
        }
    }

    /// Whether there is any bound on what the client says in a time.
    pub(super) fn is_rated(&self) -> bool {
        !self.throttle.rates().are_off() || self.shared_throttle.is_some()
    }

    /// Looks whether the client may say something, as far as rates are concerned.
    ///
    /// # Errors
    ///
    /// If not: the moment from which on it may.
    pub(super) fn check_rates(&self) -> Result<(), Instant> {
        if !self.is_rated() {
            return Ok(());
        }
        let now = Instant::now();
        let own = self.throttle.peek(now).err();
        let shared = self.shared_throttle.as_ref().and_then(|throttle| throttle.lock().peek(now).err());
        own.max(shared).map_or(Ok(()), Err)
    }

    /// Counts a packet of so many bytes.
    pub(super) fn charge(&mut self, bytes: usize) {
        if !self.is_rated() {
            return;
        }
        let now = Instant::now();
        self.throttle.charge(bytes, now);
        if let Some(throttle) = &self.shared_throttle {
            throttle.lock().charge(bytes, now);
        }
    }

    /// Takes a packet of so many bytes, if it may come now. Returns whether it does. Once the client may say again all
    /// that it ever may at once, earlier refusals are forgotten.
    ///
    /// # Errors
    ///
    /// The client goes on, and has as many again refused as one burst holds: it has to go.
    pub(super) fn take(&mut self, bytes: usize) -> Result<bool, Ending> {
        if self.has_rested() {
            self.refused = 0;
        }
        if self.check_rates().is_ok() {
            self.charge(bytes);
            return Ok(true);
        }
        self.refused += 1;
        let rates = [self.throttle.rates().messages, self.admission.grant.rates.messages];
        let burst = rates.into_iter().flatten().map(|rate| rate.burst).min();
        if self.refused > burst.unwrap_or(REFUSALS_WITHOUT_BURST) {
            return Err(Ending::close(CloseCode::RateLimited, "went on beyond its rate"));
        }
        Ok(false)
    }

    /// Whether this is the first time that the client said something although it may not.
    pub(super) fn is_first_forbidden(&mut self) -> bool {
        !mem::replace(&mut self.is_forbidden_noted, true)
    }

    fn has_rested(&self) -> bool {
        let now = Instant::now();
        self.throttle.is_full(now)
            && self.shared_throttle.as_ref().is_none_or(|throttle| throttle.lock().is_full(now))
    }
}

fn shared_throttle(
    grant: &Grant,
    terms: &Terms,
    client_name: &ClientName,
    now: Instant,
) -> Option<SharedThrottle> {
    (!grant.rates.are_off()).then(|| terms.throttles.of(client_name, grant.rates, now))
}
