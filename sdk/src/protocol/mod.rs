#![doc = include_str!("../../PROTOCOL.md")]

mod close;
pub mod limits;
mod name;
mod packet;
mod read;
mod surrogate;

pub use close::{CloseCode, is_terminal};
pub use name::{ClientName, NameError};
pub use packet::{ClientMessage, ClientPacket, ForwardingMessage, Register, RegisterAck, ServerPacket};
pub use read::DecodeError;
