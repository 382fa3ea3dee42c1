//! Telling who comes and goes.

use std::{future::pending, sync::Arc, time::Duration};

use bytes::Bytes;
use multichat::protocol::Status;
use tokio::{
    select,
    time::{Instant, sleep, sleep_until},
};

use super::{Room, membership::Membership, now_ms};

/// Changes are told together that come within this time of each other.
const COALESCE: Duration = Duration::from_millis(100);

impl Room {
    /// Lets those know who want to know who comes and goes, for ever.
    pub(crate) async fn announce(self: Arc<Self>) {
        loop {
            let expiry = self.roster.lock().next_expiry();
            select! {
                () = self.roster_changed.notified() => {}
                () = sleep_until_if_ever(expiry) => {}
            }
            sleep(COALESCE).await;
            let mut roster = self.roster.lock();
            roster.expire(Instant::now(), now_ms());
            roster.announce();
        }
    }

    /// Notes what a client says of its platform.
    pub(crate) fn set_status(&self, member: &Membership, status: Status, text: Option<&str>) {
        self.roster.lock().set_status(&member.author.client_name, status, text, now_ms());
        self.roster_changed.notify_one();
    }

    /// What a member has not been told of other clients, as joined frames: about `max_bytes` bytes of it. `None`
    /// if that is nothing, or not asked for.
    pub(crate) fn read_presence(&self, member: &Membership, max_bytes: usize) -> Option<Bytes> {
        self.roster.lock().read(member.connection, max_bytes)
    }
}

async fn sleep_until_if_ever(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => pending().await,
    }
}
