//! The client as a program sees it: handles on a task of its own, which owns the connection.

mod builder;
mod driver;
mod events;
mod handle;
mod key;
mod sent;
mod shared;

pub use builder::Builder;
pub use events::{Events, States};
pub use handle::Client;
pub use sent::Sent;
