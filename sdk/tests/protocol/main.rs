//! The protocol module, from outside: what goes over the wire, byte for byte, and what does not.

mod close;
mod document;
mod golden;
mod name;
mod random;
mod refusals;
mod surrogates;
