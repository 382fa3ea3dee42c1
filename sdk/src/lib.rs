//! multichat.
pub mod protocol;
