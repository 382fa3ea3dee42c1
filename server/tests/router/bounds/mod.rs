//! Those who take more than they may, and two honest clients beside them who notice nothing.

mod floods;
mod handshakes;
mod registrations;
