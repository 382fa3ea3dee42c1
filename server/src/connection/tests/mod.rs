//! Whole connections over pipes in memory, in virtual time.

mod harness;
mod registration;
