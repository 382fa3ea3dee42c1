//! Whole connections over pipes in memory, in virtual time.

mod bad_packets;
mod closing;
mod delivery;
mod floods;
mod harness;
mod liveness;
mod message_rate;
mod panics;
mod raw;
mod registration;
mod shutdown;
mod sizes;
mod slow_readers;
mod strangers;
