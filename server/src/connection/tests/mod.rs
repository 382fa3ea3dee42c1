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
mod rich_acks;
mod rich_beside_plain;
mod rich_client;
mod rich_errors;
mod rich_negotiation;
mod rich_presence;
mod rich_rate;
mod rich_receipts;
mod rich_replay;
mod rich_resume;
mod rich_shutdown;
mod shutdown;
mod sizes;
mod slow_readers;
mod strangers;
mod terms;
