//! Something that was sent.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::protocol::{ClientMessage, ClientPacket};
use crate::session::{Confirmation, Fate, SendError, SendFailure};

/// What goes to a [`Sent`].
pub(super) type Outcome = Result<Confirmation, SendFailure>;

/// Something that was sent: a future that resolves when it is known what became of it.
///
/// It resolves to a [`Confirmation`] when the message is in the room's log, or, where the server speaks the
/// plain dialect, when it has been written. Otherwise it resolves to a [`SendFailure`], which says whether the
/// message may have arrived all the same, and hands it back. It always resolves, at the latest when the client
/// ends; while the client waits for its connection, so does this.
///
/// Dropping it takes nothing back.
pub struct Sent {
    place: Arc<Place>,
}

/// Where an outcome is put for its [`Sent`].
pub(super) struct Reply {
    place: Option<Arc<Place>>,
}

/// A channel for one outcome has locks and flags for more than happens here; there is one for each message.
struct Place(Mutex<Outlook>);

/// What there is to see of an outcome.
enum Outlook {
    /// Nothing yet. Whoever waits for it is woken.
    Open(Option<Waker>),
    Known(Outcome),
    Taken,
}

impl Place {
    fn lock(&self) -> MutexGuard<'_, Outlook> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts the outcome here; who waits for it is to be woken.
    fn put(&self, outcome: Outcome) -> Option<Waker> {
        match std::mem::replace(&mut *self.lock(), Outlook::Known(outcome)) {
            Outlook::Open(waker) => waker,
            _ => None,
        }
    }
}

impl Sent {
    pub(super) fn new() -> (Reply, Self) {
        let place = Arc::new(Place(Mutex::new(Outlook::Open(None))));
        (Reply { place: Some(Arc::clone(&place)) }, Self { place })
    }
}

/// Nobody waits any more.
impl Drop for Sent {
    fn drop(&mut self) {
        let waker = if let Outlook::Open(waker) = &mut *self.place.lock() { waker.take() } else { None };
        // It is the program's, and so is what happens when it goes: not under the lock.
        drop(waker);
    }
}

impl fmt::Debug for Sent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Sent")
    }
}

impl Future for Sent {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        let mut outlook = self.place.lock();
        match &mut *outlook {
            Outlook::Open(Some(waker)) => waker.clone_from(context.waker()),
            Outlook::Open(waker) => *waker = Some(context.waker().clone()),
            _ => {
                let known = std::mem::replace(&mut *outlook, Outlook::Taken);
                return Poll::Ready(if let Outlook::Known(outcome) = known { outcome } else { unknown() });
            }
        }
        Poll::Pending
    }
}

impl Reply {
    /// Puts the outcome where it is waited for; who waits is to be woken.
    pub(super) fn put(mut self, outcome: Outcome) -> Option<Waker> {
        self.place.take()?.put(outcome)
    }
}

/// The client settles everything before it goes. Should it not, nothing is known.
impl Drop for Reply {
    fn drop(&mut self) {
        if let Some(waker) = self.place.take().and_then(|place| place.put(unknown())) {
            waker.wake();
        }
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Reply")
    }
}

fn unknown() -> Outcome {
    Err(SendFailure {
        error: SendError::Closed,
        fate: Fate::Unknown,
        packet: Box::new(ClientPacket::Message(ClientMessage::default())),
    })
}

#[cfg(test)]
mod tests {
    use std::task::Wake;

    use super::*;

    struct Task;

    impl Wake for Task {
        fn wake(self: Arc<Self>) {}
    }

    #[test]
    fn who_waits_no_more_is_let_go() {
        let (_reply, mut sent) = Sent::new();
        let task = Arc::new(Task);
        let waker = Waker::from(Arc::clone(&task));
        assert!(Pin::new(&mut sent).poll(&mut Context::from_waker(&waker)).is_pending());
        drop(waker);
        assert_eq!(Arc::strong_count(&task), 2);
        drop(sent);
        assert_eq!(Arc::strong_count(&task), 1);
    }
}
