//! The configuration.

mod limits;

pub use limits::Limits;
