//! Those who take more than they may, and two honest clients beside them who notice nothing.

mod buffers;
mod floods;
mod handshakes;
mod registrations;
