//! What goes wrong without anyone's intent.

mod crashes;
mod descriptors;
mod silence;
mod stalls;
