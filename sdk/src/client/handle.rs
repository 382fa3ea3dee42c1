//! The handle that a program holds.

use std::sync::Arc;
use std::time::Duration;

use crate::protocol::{
    Attachment, ClientDelete, ClientEdit, ClientMessage, ClientPacket, ClientReceipt, ClientStatus,
};
use crate::runtime;
use crate::session::{SendError, State};

use super::builder::Builder;
use super::events::States;
use super::sent::Sent;
use super::shared::Shared;

/// A connection to a router that is made again whenever it breaks. Cheap to clone; all clones are the same client.
///
/// It ends when it is [closed](Self::close), when the router does not want it any more, or when the last `Client`
/// and its [`Events`](super::Events) are dropped.
#[derive(Clone, Debug)]
pub struct Client {
    handle: Arc<Handle>,
}

/// What all handles of a client share: with it, the client goes.
#[derive(Debug)]
pub(super) struct Handle {
    pub(super) shared: Arc<Shared>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.tell(|core| core.session.close(runtime::now()));
    }
}

impl Client {
    /// A client of this name for the router at this URL: `wss://chat.example.org/`, say. See [`Builder`].
    pub fn builder(url: impl AsRef<str>, name: impl AsRef<str>) -> Builder {
        Builder::new(url.as_ref(), name.as_ref())
    }

    pub(super) const fn new(handle: Arc<Handle>) -> Self {
        Self { handle }
    }

    fn shared(&self) -> &Shared {
        &self.handle.shared
    }

    /// Says something to everyone else in the room. If there is no connection, it is sent when there is one.
    ///
    /// A text will do, or a [`ClientMessage`] with a sender, attachments and so on. Its `id` is set by the
    /// client. To a server that speaks the plain dialect all of that goes as text, see
    /// [`render_plain`](crate::protocol::render_plain).
    pub fn send(&self, message: impl Into<ClientMessage>) -> Sent {
        self.submit(ClientPacket::Message(message.into()))
    }

    /// Answers the message with this `seq`. What cannot be answered, because it is gone say, is sent as a message
    /// that answers none.
    pub fn reply(&self, seq: u64, message: impl Into<ClientMessage>) -> Sent {
        let mut message = message.into();
        message.reply_to = Some(seq);
        self.send(message)
    }

    /// Says something, perhaps nothing, and shows files.
    pub fn attach(&self, text: impl Into<String>, attachments: Vec<Attachment>) -> Sent {
        let mut message = ClientMessage::new(text);
        message.attachments = attachments;
        self.send(message)
    }

    /// Gives the own message with this `seq` another text.
    pub fn edit(&self, seq: u64, text: impl Into<String>) -> Sent {
        self.submit(ClientPacket::Edit(ClientEdit::new(seq, text)))
    }

    /// Takes the own message with this `seq` back.
    pub fn delete(&self, seq: u64) -> Sent {
        self.submit(ClientPacket::Delete(ClientDelete::new(seq)))
    }

    /// Sends what all the others send.
    pub(crate) fn submit(&self, packet: ClientPacket) -> Sent {
        let (reply, sent) = Sent::new();
        // What is wrong with it, `sent` tells.
        self.shared().tell(|core| core.session.send(packet, reply));
        sent
    }

    /// Tells the author of a message what became of it on this client's platform. A courtesy: it is not
    /// confirmed, and may be lost. It is sent when no message waits, so that receipts hold up none; of those that
    /// wait themselves the newest 256 are kept.
    ///
    /// # Errors
    ///
    /// A [`SendError`] if it is not good, or cannot be sent: the server speaks plain, or the client is closed.
    pub fn report(&self, receipt: ClientReceipt) -> Result<(), SendError> {
        self.shared().tell(|core| core.session.report(receipt))
    }

    /// Tells the others how this client's platform is: now, and again after each registration. A server that
    /// speaks the plain dialect is not told.
    ///
    /// # Errors
    ///
    /// A [`SendError`] if it is not good, or the client is closed.
    pub fn set_status(&self, status: ClientStatus) -> Result<(), SendError> {
        self.shared().tell(|core| core.session.set_status(status))
    }

    /// Where the client stands.
    pub fn state(&self) -> State {
        self.shared().lock().session.state().clone()
    }

    /// Where the client stands, as a stream of which only the latest counts.
    pub fn states(&self) -> States {
        States::new(Arc::clone(&self.handle.shared))
    }

    /// Tries now, if the client waits before its next attempt.
    pub fn reconnect_now(&self) {
        self.shared().tell(|core| core.session.reconnect_now(runtime::now()));
    }

    /// Waits until the outbox has room for another message, or the client has ended.
    pub async fn ready(&self) {
        self.shared().wait_for(|core| core.session.has_room()).await;
    }

    /// Waits until it is known what became of all that has been sent so far, or the client has ended. Receipts, of
    /// which that never is known, are not waited for.
    pub async fn flush(&self) {
        let last = self.shared().lock().session.last_sent();
        self.shared().wait_for(|core| core.session.has_settled(last)).await;
    }

    /// Takes nothing new, waits until it is known what became of all that has been sent, but no longer than
    /// `limit`, and then closes the client. Resolves when it has ended. Receipts go out as far as the router lets
    /// them at once; they are waited for no longer.
    pub async fn drain(&self, limit: Duration) {
        self.shared().tell(|core| core.session.drain(runtime::now().saturating_add(limit)));
        self.closed().await;
    }

    /// Closes the client: what has not been sent is not sent any more. Resolves when it has ended, which the
    /// router may delay by [`Timeouts::close`](crate::Timeouts::close).
    pub async fn close(&self) {
        self.shared().tell(|core| core.session.close(runtime::now()));
        self.closed().await;
    }

    /// Waits until the client has ended, whoever ends it.
    pub async fn closed(&self) {
        self.shared().wait_for(|core| core.session.state().is_closed()).await;
    }
}
