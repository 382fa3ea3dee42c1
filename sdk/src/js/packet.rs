//! What a page wants to send.

use js_sys::Array;
use wasm_bindgen::JsCast as _;
use wasm_bindgen::prelude::*;

use crate::protocol::{Attachment, ClientDelete, ClientEdit, ClientMessage, ClientPacket, Sender};

#[wasm_bindgen]
extern "C" {
    /// What a message has beside its text: `Message` of sdk/npm/src/types.ts, whose types were checked.
    pub type Extras;

    #[wasm_bindgen(method, getter)]
    fn sender(this: &Extras) -> Option<Person>;
    /// Not a number if it answers none.
    #[wasm_bindgen(method, getter, js_name = replyTo)]
    fn reply_to(this: &Extras) -> f64;
    #[wasm_bindgen(method, getter)]
    fn attachments(this: &Extras) -> Option<Array>;
    #[wasm_bindgen(method, getter)]
    fn event(this: &Extras) -> Option<String>;

    type Person;

    #[wasm_bindgen(method, getter)]
    fn name(this: &Person) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn id(this: &Person) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn avatar(this: &Person) -> Option<String>;

    type File;

    #[wasm_bindgen(method, getter)]
    fn url(this: &File) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn name(this: &File) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn mime(this: &File) -> Option<String>;
    /// Not a number if it is not known.
    #[wasm_bindgen(method, getter)]
    fn size(this: &File) -> f64;
}

pub(super) fn message(content: String, extras: Option<Extras>) -> ClientPacket {
    let mut message = ClientMessage::new(content);
    if let Some(extras) = extras {
        message.sender = extras.sender().map(|person| Sender {
            name: person.name().unwrap_or_default(),
            id: person.id(),
            avatar: person.avatar(),
        });
        message.reply_to = known(extras.reply_to());
        for file in extras.attachments().iter().flat_map(Array::iter) {
            let file: File = file.unchecked_into();
            message.attachments.push(Attachment {
                url: file.url().unwrap_or_default(),
                name: file.name(),
                mime: file.mime(),
                size: known(file.size()),
            });
        }
        message.event = extras.event();
    }
    ClientPacket::Message(message)
}

pub(super) fn edit(target: f64, content: String) -> ClientPacket {
    ClientPacket::Edit(ClientEdit::new(number(target), content))
}

pub(super) fn delete(target: f64) -> ClientPacket {
    ClientPacket::Delete(ClientDelete::new(number(target)))
}

fn known(value: f64) -> Option<u64> {
    (!value.is_nan()).then(|| number(value))
}

/// The number, whole and not below 0, which TypeScript has seen to.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast of what is beyond saturates"
)]
pub(super) const fn number(value: f64) -> u64 {
    value as u64
}
