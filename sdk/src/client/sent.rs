//! Something that was sent.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_channel::oneshot;

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
#[derive(Debug)]
pub struct Sent {
    outcome: oneshot::Receiver<Outcome>,
}

impl Sent {
    pub(super) fn new() -> (oneshot::Sender<Outcome>, Self) {
        let (reply, outcome) = oneshot::channel();
        (reply, Self { outcome })
    }
}

impl Future for Sent {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        Pin::new(&mut self.outcome).poll(context).map(|outcome| {
            // The client settles everything before it goes. Should it not, nothing is known.
            outcome.unwrap_or_else(|_| {
                Err(SendFailure {
                    error: SendError::Closed,
                    fate: Fate::Unknown,
                    packet: Box::new(ClientPacket::Message(ClientMessage::default())),
                })
            })
        })
    }
}
