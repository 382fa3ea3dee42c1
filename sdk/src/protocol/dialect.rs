//! The two dialects.

/// The highest protocol number that this crate speaks: what a rich client asks for in its `register`.
pub const PROTOCOL: u64 = 2;

/// What a connection speaks once it is registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// The original protocol: four packets, frozen.
    Plain,
    /// Messages with a place in a log, acks, edits, receipts and presence.
    Rich,
}

impl Dialect {
    /// Its number in `protocol`: 1 or 2.
    pub const fn protocol(self) -> u64 {
        match self {
            Self::Plain => 1,
            Self::Rich => PROTOCOL,
        }
    }
}
