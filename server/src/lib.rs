//! The multichat router: takes messages of chat clients and forwards each to everyone else in the room.
//!
//! [`Server::bind`] opens the port that a [`Config`](config::Config) describes, and [`Server::run`] serves
//! it until it is told to stop. The program `multichat-server` is a command line around the two.
//!
//! From the ground up:
//!
//! * `room`: a totally ordered, bounded log, and the fan-out that hands it to readers. No sockets.
//! * `chat_log`: writes what is said to files.
//! * `connection`: one WebSocket connection, over any byte stream: metering, registration, delivery, close.
//! * `listener`: the port: accepting, TLS, HTTP, and what bounds the strangers among the connections.
//! * `halls`: which rooms there are.
//! * `admin`: the operators' port: figures, who is there, and a page.
//! * [`config`], [`tls`]: what the operator says.

mod address;
mod admin;
mod chat_log;
pub mod config;
mod connection;
mod frame;
mod halls;
mod listener;
mod rate;
mod reloads;
mod room;
mod server;
mod tally;
#[cfg(test)]
mod test_folder;
pub mod tls;
mod token;

pub use listener::LocalAddress;
pub use reloads::Reloads;
pub use server::{BindError, Handle, ReloadError, Server};
