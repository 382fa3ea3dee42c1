#![doc = include_str!("../../PROTOCOL.md")]

mod check;
mod client;
mod close;
mod dialect;
mod error;
mod json;
pub mod limits;
mod name;
mod parts;
mod read;
mod register;
mod render;
mod server;
mod url;
mod words;

pub use client::{
    ClientDelete, ClientEdit, ClientMessage, ClientPacket, ClientReceipt, ClientStatus, packet_id,
};
pub use close::{CloseCode, is_terminal};
pub use dialect::{Dialect, PROTOCOL};
pub use error::DecodeError;
pub use name::{ClientName, NameError};
pub use parts::{Attachment, Place, Sender};
pub use register::{AckLimits, ClientRow, Register, RegisterAck, Resume, RichAck, RichRegister};
pub use render::{Author, render_plain};
pub use server::{
    ForwardingDelete, ForwardingEdit, ForwardingMessage, ForwardingReceipt, MessageAck, Presence, Refusal,
    ServerPacket, entry_seq,
};
pub use words::{ErrorCode, PresenceStatus, ReceiptStatus, Status};
