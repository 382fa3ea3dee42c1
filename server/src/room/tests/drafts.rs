//! What is said in rooms, for tests.

use std::sync::Arc;

use multichat::protocol::{ClientDelete, ClientEdit, ClientMessage, ClientName, limits::CLIENT_NAME_BYTES};

use crate::room::{Author, Authority, Draft, Origin};

/// A value with some more set in it.
pub(in crate::room) fn with<T>(mut value: T, set: impl FnOnce(&mut T)) -> T {
    set(&mut value);
    value
}

pub(in crate::room) fn name(name: &str) -> ClientName {
    ClientName::parse(name, CLIENT_NAME_BYTES).unwrap()
}

/// The client that is called `c` and the number of its origin.
pub(in crate::room) fn author(origin: u64) -> Arc<Author> {
    let client_name = name(&format!("c{origin}"));
    Arc::new(Author { origin: Origin(origin), client_name, sender_name: None })
}

pub(in crate::room) fn plain(origin: u64, content: &str) -> Draft {
    Draft::plain(&author(origin), content.into())
}

pub(in crate::room) fn message(origin: u64, id: Option<&str>, content: &str) -> Draft {
    let said = with(ClientMessage::new(content), |message| message.id = id.map(String::from));
    Draft::message(&author(origin), said)
}

pub(in crate::room) fn reply(origin: u64, reply_to: u64) -> Draft {
    let said = with(ClientMessage::new("yes"), |message| message.reply_to = Some(reply_to));
    Draft::message(&author(origin), said)
}

pub(in crate::room) fn edit(origin: u64, id: Option<&str>, target: u64) -> Draft {
    let edit = with(ClientEdit::new(target, "better"), |edit| edit.id = id.map(String::from));
    Draft::edit(&author(origin), Authority::Session, edit)
}

pub(in crate::room) fn delete(origin: u64, id: Option<&str>, target: u64) -> Draft {
    let delete = with(ClientDelete::new(target), |delete| delete.id = id.map(String::from));
    Draft::delete(&author(origin), Authority::Session, delete)
}
