//! The face of the npm package, without logic of its own: what is behind the TypeScript of `sdk/npm`, and used
//! by nothing else. Every byte of it is sent to every page, so it does without `derive`.
//!
//! What is asked of a client has a number, its ticket. What there is to tell goes the other way: events and
//! settled tickets, all that there are at a moment in one JSON text, so that the border is crossed once for it.

mod outbound;
mod packet;

use std::cell::RefCell;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};

use crate::client::{Builder, Client, Events, Sent};
use crate::protocol::{ClientPacket, ClientReceipt, ClientStatus, ReceiptStatus, Status};
use crate::session::{Fate, OutboxLimits, Reconnect, SendError, Timeouts, WhenFull};

use outbound::{Outbound, cause_of};
use packet::Extras;

/// Of a number: as it is unless changed.
const UNCHANGED: u32 = u32::MAX;

type Work = Pin<Box<dyn Future<Output = ()>>>;

/// A client.
#[wasm_bindgen]
pub struct Core {
    client: Client,
    outbound: Rc<Outbound>,
    waits: Rc<RefCell<Vec<Wait>>>,
}

/// Something that is waited for until it is [forgotten](Core::forget).
struct Wait {
    ticket: u32,
    done: Work,
    /// Its task, once that has begun.
    task: Option<Waker>,
}

#[wasm_bindgen]
impl Core {
    /// Starts one.
    ///
    /// `key` is called at each attempt; it returns a promise of a string, which rejects with a string. There is none
    /// for a key that is empty. `sink` is called with each text that there is to tell. `numbers` are those of
    /// [`settings`].
    ///
    /// # Errors
    ///
    /// What is wrong with the options, as JSON.
    #[wasm_bindgen(constructor)]
    pub fn new(
        url: String,
        name: String,
        room: Option<String>,
        key: Option<Function>,
        sink: Function,
        numbers: &[u32],
    ) -> Result<Self, String> {
        let mut builder = Client::builder(url, name);
        if let Some(key) = key {
            builder = builder.key_from(move || ask(key.clone()));
        }
        if let Some(room) = room {
            builder = builder.room(room);
        }
        let (client, events) = settings(builder, numbers).start().map_err(|error| cause_of(&error))?;
        let outbound = Outbound::new(sink);
        later(tell_all(events, Rc::clone(&outbound)));
        Ok(Self { client, outbound, waits: Rc::default() })
    }

    /// Sends a message. Whatever it has beside a text is in `extras`.
    pub fn message(&self, ticket: u32, content: String, extras: Option<Extras>) {
        self.submit(ticket, packet::message(content, extras));
    }

    /// As [`Client::edit`].
    pub fn edit(&self, ticket: u32, target: f64, content: String) {
        self.submit(ticket, packet::edit(target, content));
    }

    /// As [`Client::delete`].
    pub fn delete(&self, ticket: u32, target: f64) {
        self.submit(ticket, packet::delete(target));
    }

    /// As [`Client::report`].
    pub fn report(
        &self,
        ticket: u32,
        target: f64,
        delivered: bool,
        reason: Option<String>,
        remote_id: Option<String>,
    ) {
        let status = if delivered { ReceiptStatus::Delivered } else { ReceiptStatus::Failed };
        let receipt = ClientReceipt { target: packet::number(target), status, reason, remote_id };
        self.said(ticket, self.client.report(receipt));
    }

    /// As [`Client::set_status`]; `status` is the place among [`Status::ALL`].
    pub fn status(&self, ticket: u32, status: usize, text: Option<String>) {
        let status = Status::ALL.get(status).copied().unwrap_or(Status::Online);
        self.said(ticket, self.client.set_status(ClientStatus { status, text }));
    }

    /// As [`Client::flush`], or as [`Client::ready`].
    pub fn wait(&self, ticket: u32, is_flush: bool) {
        let client = self.client.clone();
        let done = async move { if is_flush { client.flush().await } else { client.ready().await } };
        self.waits.borrow_mut().push(Wait { ticket, done: Box::pin(done), task: None });
        let (outbound, waits) = (Rc::clone(&self.outbound), Rc::clone(&self.waits));
        later(poll_fn(move |context| {
            let Some(mut wait) = take(&waits, ticket) else { return Poll::Ready(()) };
            if wait.done.as_mut().poll(context).is_pending() {
                wait.task = Some(context.waker().clone());
                waits.borrow_mut().push(wait);
                return Poll::Pending;
            }
            outbound.done(ticket);
            Poll::Ready(())
        }));
    }

    /// Nobody waits any more for what `wait` was asked for.
    pub fn forget(&self, ticket: u32) {
        if let Some(task) = take(&self.waits, ticket).and_then(|wait| wait.task) {
            task.wake();
        }
    }

    /// As [`Client::drain`], with a limit in milliseconds.
    pub fn drain(&self, ticket: u32, limit: u32) {
        let client = self.client.clone();
        self.until(ticket, async move { client.drain(millis(limit)).await });
    }

    /// As [`Client::close`].
    pub fn close(&self, ticket: u32) {
        let client = self.client.clone();
        self.until(ticket, async move { client.close().await });
    }

    /// As [`Client::reconnect_now`].
    #[wasm_bindgen(js_name = reconnectNow)]
    pub fn reconnect_now(&self) {
        self.client.reconnect_now();
    }
}

impl Core {
    fn submit(&self, ticket: u32, packet: ClientPacket) {
        later(settle(ticket, self.client.submit(packet), Rc::clone(&self.outbound)));
    }

    fn said(&self, ticket: u32, outcome: Result<(), SendError>) {
        match outcome {
            Ok(()) => self.outbound.done(ticket),
            Err(error) => self.outbound.failed(ticket, &error, true),
        }
    }

    fn until(&self, ticket: u32, done: impl Future<Output = ()> + 'static) {
        let outbound = Rc::clone(&self.outbound);
        later(async move {
            done.await;
            outbound.done(ticket);
        });
    }
}

fn take(waits: &RefCell<Vec<Wait>>, ticket: u32) -> Option<Wait> {
    let mut waits = waits.borrow_mut();
    let place = waits.iter().position(|wait| wait.ticket == ticket)?;
    Some(waits.swap_remove(place))
}

impl fmt::Debug for Core {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Core")
    }
}

/// Runs a future, boxed: what is generic comes once then.
fn later(future: impl Future<Output = ()> + 'static) {
    let future: Work = Box::pin(future);
    spawn_local(future);
}

async fn tell_all(mut events: Events, outbound: Rc<Outbound>) {
    while let Some(event) = events.next().await {
        outbound.event(&event);
    }
}

async fn settle(ticket: u32, sent: Sent, outbound: Rc<Outbound>) {
    match sent.await {
        Ok(confirmation) => outbound.confirmed(ticket, confirmation),
        Err(failure) => outbound.failed(ticket, &failure.error, failure.fate == Fate::NotSent),
    }
}

/// The numbers, as `numbers` of sdk/npm/src/wire.ts has them. Times are in milliseconds.
fn settings(builder: Builder, numbers: &[u32]) -> Builder {
    let &[
        once,
        presence,
        history,
        first,
        longest,
        attempts,
        connect,
        register,
        ack,
        close,
        messages,
        bytes,
        drop,
    ] = numbers
    else {
        return builder;
    };
    let mut reconnect = Reconnect::default();
    set(&mut reconnect.first, first);
    set(&mut reconnect.longest, longest);
    reconnect.attempts = Some(attempts).filter(|&attempts| attempts != UNCHANGED);
    let mut timeouts = Timeouts::default();
    set(&mut timeouts.connect, connect);
    set(&mut timeouts.register, register);
    set(&mut timeouts.ack, ack);
    set(&mut timeouts.close, close);
    let mut outbox = OutboxLimits::default();
    if messages != UNCHANGED {
        outbox.messages = messages as usize;
    }
    if bytes != UNCHANGED {
        outbox.bytes = bytes as usize;
    }
    if drop != 0 {
        outbox.when_full = WhenFull::DropOldest;
    }
    let builder = builder
        .history(history.into())
        .presence(presence != 0)
        .reconnect(reconnect)
        .timeouts(timeouts)
        .outbox(outbox);
    if once == 0 { builder } else { builder.one_attempt() }
}

fn set(setting: &mut Duration, number: u32) {
    if number != UNCHANGED {
        *setting = millis(number);
    }
}

fn millis(millis: u32) -> Duration {
    Duration::from_millis(millis.into())
}

/// Asks for the key.
async fn ask(key: Function) -> Result<String, String> {
    let text = |value: JsValue| value.as_string().unwrap_or_default();
    let answer = Promise::from(key.call0(&JsValue::UNDEFINED).map_err(text)?);
    JsFuture::from(answer).await.map(text).map_err(text)
}
