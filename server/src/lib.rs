//! The multichat router.

pub mod config;
mod rate;
