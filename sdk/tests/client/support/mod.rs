//! What the tests have in common. Everything that is waited for has a deadline, and says what did not come.

mod feed;
mod frame;
mod packets;
mod peer;
mod plain;
mod proxy;
mod router;
mod scripted;

use std::time::Duration;

use multichat::{Client, Events, Reconnect, SendFailure, Sent, Timeouts};
use tokio::{runtime::Handle, task::yield_now, time::timeout};

pub(crate) use feed::Feed;
pub(crate) use frame::{GARBAGE, half_a_frame, opcode, text_frame};
pub(crate) use packets::{ack_of, rich_ack, said, same_session};
pub(crate) use peer::{Heard, Peer};
pub(crate) use plain::Plain;
pub(crate) use proxy::{Proxy, Weather};
pub(crate) use router::Router;
pub(crate) use scripted::{PLAIN_ACK, Scripted};

/// The key that routers of the tests know.
pub(crate) const KEY: &str = "correct horse";

/// How long anything may take, on a machine that is busy with other things as well.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for what must come within so long.
pub(crate) async fn soon_enough<T>(patience: Duration, what: &str, future: impl Future<Output = T>) -> T {
    timeout(patience, future).await.unwrap_or_else(|_| panic!("{what}: not within {patience:?}"))
}

/// Waits for what must come.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    soon_enough(PATIENCE, what, future).await
}

/// Connects again at once.
pub(crate) fn quickly() -> Reconnect {
    Reconnect { first: Duration::from_millis(2), longest: Duration::from_millis(8), attempts: None }
}

/// Default deadlines, but one.
pub(crate) fn timeouts(change: impl FnOnce(&mut Timeouts)) -> Timeouts {
    let mut timeouts = Timeouts::default();
    change(&mut timeouts);
    timeouts
}

/// What became of something sent.
pub(crate) async fn confirmed(sent: Sent) -> Option<u64> {
    soon("a confirmation", sent).await.expect("it is confirmed").seq()
}

/// Why something sent was not confirmed.
pub(crate) async fn failed(sent: Sent) -> SendFailure {
    soon("the end of something sent", sent).await.expect_err("it is not confirmed")
}

/// Both handles of a client.
pub(crate) fn split((client, events): (Client, Events)) -> (Client, Feed) {
    (client, Feed::new(events))
}

/// The tasks that this test has spawned, clients' included.
pub(crate) fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

/// Waits until so many tasks are left.
pub(crate) async fn tasks_left(number: usize) {
    let left = async {
        while tasks() != number {
            yield_now().await;
        }
    };
    let outcome = timeout(PATIENCE, left).await;
    assert!(outcome.is_ok(), "{} tasks are left, not {number}", tasks());
}
