//! The protocol module, from outside: what goes over the wire, byte for byte, and what does not.

mod bounds;
mod close;
mod dialects;
mod document;
mod entries;
mod fields;
mod golden;
mod name;
mod oracle;
mod random;
mod refusals;
mod render;
mod samples;
mod strategies;
mod surrogates;
mod words;
