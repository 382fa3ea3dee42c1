//! What there is to tell to the page, as JSON. The types are those of sdk/npm/src/types.ts.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Function, JsString};
use wasm_bindgen::JsValue;

use crate::protocol::{Attachment, Dialect, Place, Sender};
use crate::session::{Confirmation, ConnectError, Event, SendError, Side, State};

use super::later;

/// Gathers what there is to tell until the page can be told.
#[derive(Debug)]
pub(super) struct Outbound {
    batch: RefCell<Json>,
    sink: Function,
}

impl Outbound {
    pub(super) fn new(sink: Function) -> Rc<Self> {
        Rc::new(Self { batch: RefCell::default(), sink })
    }

    pub(super) fn event(self: &Rc<Self>, event: &Event) {
        self.tell(|json| write_event(json, event));
    }

    pub(super) fn confirmed(self: &Rc<Self>, ticket: u32, confirmation: Confirmation) {
        self.tell(|json| match confirmation {
            Confirmation::Logged { seq, time } => {
                json.text("type", "logged");
                json.number("ticket", ticket.into());
                json.place(Place::new(seq, time));
            }
            Confirmation::Written => {
                json.text("type", "written");
                json.number("ticket", ticket.into());
            }
        });
    }

    pub(super) fn done(self: &Rc<Self>, ticket: u32) {
        self.tell(|json| {
            json.text("type", "done");
            json.number("ticket", ticket.into());
        });
    }

    pub(super) fn failed(self: &Rc<Self>, ticket: u32, error: &SendError, not_sent: bool) {
        self.tell(|json| {
            json.text("type", "failed");
            json.number("ticket", ticket.into());
            json.cause(error.code(), &error.to_string(), &error.explain(), error.is_retryable());
            json.text("fate", if not_sent { "not-sent" } else { "unknown" });
        });
    }

    fn tell(self: &Rc<Self>, write: impl FnOnce(&mut Json)) {
        let mut batch = self.batch.borrow_mut();
        if batch.0.is_empty() {
            batch.0.push('[');
            let this = Rc::clone(self);
            later(async move { this.send() });
        }
        batch.element();
        write(&mut batch);
        batch.close();
    }

    fn send(&self) {
        let mut batch = self.batch.take().0;
        batch.push(']');
        // What the other side makes of it is its own business.
        let _ = self.sink.call1(&JsValue::UNDEFINED, &JsString::from(batch.as_str()));
    }
}

/// A failure, as JSON.
pub(super) fn cause_of(error: &ConnectError) -> String {
    let mut json = Json(String::from("{"));
    json.failure(error);
    json.close();
    json.0
}

fn write_event(json: &mut Json, event: &Event) {
    match event {
        Event::State(state) => {
            json.text("type", "state");
            json.open("state", '{');
            write_state(json, state);
            json.close();
        }
        Event::Message(message) => {
            json.text("type", "message");
            json.text("source", &message.source_client_name);
            json.text("content", &message.content);
            if let Some(sender) = &message.sender {
                json.sender(sender);
            }
            if let Some(target) = message.reply_to {
                json.number("replyTo", target);
            }
            json.attachments(&message.attachments);
            json.some("event", message.event.as_deref());
            if let Some(place) = message.place {
                json.place(place);
            }
            json.origin(message.replay, message.own);
        }
        Event::Edit(edit) => {
            json.text("type", "edit");
            json.text("source", &edit.source_client_name);
            json.number("target", edit.target);
            json.text("content", &edit.content);
            json.place(edit.place);
            json.origin(edit.replay, edit.own);
        }
        Event::Delete(delete) => {
            json.text("type", "delete");
            json.text("source", &delete.source_client_name);
            json.number("target", delete.target);
            json.place(delete.place);
            json.origin(delete.replay, delete.own);
        }
        Event::Receipt(receipt) => {
            json.text("type", "receipt");
            json.text("source", &receipt.source_client_name);
            json.number("target", receipt.target);
            json.text("status", receipt.status.as_str());
            json.some("reason", receipt.reason.as_deref());
            json.some("remoteId", receipt.remote_id.as_deref());
        }
        Event::Roster(rows) => {
            json.text("type", "roster");
            json.open("members", '[');
            for row in rows {
                json.element();
                json.member(&row.client_name, row.status.as_str(), row.text.as_deref(), row.since);
                json.close();
            }
            json.close_list();
        }
        Event::Presence(presence) => {
            let status = presence.status.as_str();
            json.text("type", "presence");
            json.member(&presence.client_name, status, presence.text.as_deref(), presence.time);
        }
        Event::Refused(refusal) => {
            json.text("type", "refused");
            json.text("code", refusal.code.as_str());
            json.text("reason", &refusal.reason);
        }
        Event::Gap(gap) => {
            json.text("type", "gap");
            json.text("cause", gap.cause.code());
            if let Some(missed) = gap.missed {
                json.number("missed", missed);
            }
        }
        Event::Lagged { events } => {
            json.text("type", "lagged");
            json.number("events", *events);
        }
    }
}

fn write_state(json: &mut Json, state: &State) {
    json.text("type", state.code());
    match state {
        State::Connecting { attempt } | State::Registering { attempt } => {
            json.number("attempt", (*attempt).into());
        }
        State::Online { dialect, recovered, epoch } => {
            json.text("dialect", if *dialect == Dialect::Rich { "rich" } else { "plain" });
            json.flag("recovered", *recovered);
            json.some("epoch", epoch.as_deref());
        }
        State::Waiting { attempt, retry_in, cause } => {
            json.number("attempt", (*attempt).into());
            json.number("retryIn", retry_in.as_secs() * 1000 + u64::from(retry_in.subsec_millis()));
            json.open("cause", '{');
            json.failure(cause);
            json.close();
        }
        State::Draining => {}
        State::Closed { by, cause } => {
            json.text("by", if *by == Side::Client { "client" } else { "server" });
            if let Some(cause) = cause {
                json.open("cause", '{');
                json.failure(cause);
                json.close();
            }
        }
    }
}

/// A text that becomes JSON.
#[derive(Debug, Default)]
struct Json(String);

impl Json {
    fn key(&mut self, key: &str) {
        if !self.0.ends_with('{') {
            self.0.push(',');
        }
        self.0.push('"');
        self.0.push_str(key);
        self.0.push_str("\":");
    }

    fn text(&mut self, key: &str, value: &str) {
        self.key(key);
        self.string(value);
    }

    fn some(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(key, value);
        }
    }

    fn number(&mut self, key: &str, value: u64) {
        self.key(key);
        self.0.push_str(&value.to_string());
    }

    fn flag(&mut self, key: &str, value: bool) {
        self.key(key);
        self.0.push_str(if value { "true" } else { "false" });
    }

    /// Begins an object or a list.
    fn open(&mut self, key: &str, bracket: char) {
        self.key(key);
        self.0.push(bracket);
    }

    /// Begins an object in a list.
    fn element(&mut self) {
        if !self.0.ends_with('[') {
            self.0.push(',');
        }
        self.0.push('{');
    }

    fn close(&mut self) {
        self.0.push('}');
    }

    fn close_list(&mut self) {
        self.0.push(']');
    }

    fn string(&mut self, value: &str) {
        self.0.push('"');
        let mut rest = value;
        // What is to be escaped is ASCII, so that a text can be cut before and behind it.
        while let Some(at) = rest.bytes().position(|byte| byte < b' ' || byte == b'"' || byte == b'\\') {
            let (plain, special) = rest.split_at(at);
            let byte = special.as_bytes().first().copied().unwrap_or_default();
            self.0.push_str(plain);
            if byte < b' ' {
                self.0.push_str(if byte < 16 { "\\u000" } else { "\\u001" });
                self.0.extend(char::from_digit(u32::from(byte % 16), 16));
            } else {
                self.0.push('\\');
                self.0.push(char::from(byte));
            }
            rest = special.get(1..).unwrap_or_default();
        }
        self.0.push_str(rest);
        self.0.push('"');
    }

    fn place(&mut self, place: Place) {
        self.number("seq", place.seq);
        self.number("time", place.time);
    }

    fn origin(&mut self, replay: bool, own: bool) {
        self.flag("replay", replay);
        self.flag("own", own);
    }

    fn sender(&mut self, sender: &Sender) {
        self.open("sender", '{');
        self.text("name", &sender.name);
        self.some("id", sender.id.as_deref());
        self.some("avatar", sender.avatar.as_deref());
        self.close();
    }

    fn attachments(&mut self, attachments: &[Attachment]) {
        self.open("attachments", '[');
        for attachment in attachments {
            self.element();
            self.text("url", &attachment.url);
            self.some("name", attachment.name.as_deref());
            self.some("mime", attachment.mime.as_deref());
            if let Some(size) = attachment.size {
                self.number("size", size);
            }
            self.close();
        }
        self.close_list();
    }

    fn member(&mut self, name: &str, status: &str, text: Option<&str>, since: u64) {
        self.text("name", name);
        self.text("status", status);
        self.some("text", text);
        self.number("since", since);
    }

    fn failure(&mut self, error: &ConnectError) {
        self.cause(error.code(), &error.to_string(), &error.explain(), error.is_retryable());
    }

    fn cause(&mut self, code: &str, message: &str, explanation: &str, retryable: bool) {
        self.text("code", code);
        self.text("message", message);
        self.text("explanation", explanation);
        self.flag("retryable", retryable);
    }
}
