//! The operators' port.

mod access;
mod bounds;
mod clients;
mod exposition;
mod figures;
mod page;
