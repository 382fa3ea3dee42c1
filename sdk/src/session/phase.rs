//! Where a client stands, and what follows from that for the connection.

use std::time::Duration;

use super::online::Online;

/// Where the client stands.
pub(super) enum Phase {
    /// Nothing outside brings the end of it forward to before `earliest`.
    Waiting {
        earliest: Duration,
        until: Duration,
    },
    Connecting {
        deadline: Duration,
    },
    Registering {
        deadline: Duration,
    },
    Online(Online),
    /// Our close is on its way.
    Closing {
        deadline: Duration,
    },
    Closed,
}

/// What the driver is to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Want {
    /// No connection.
    Nothing,
    /// This connection, which is to be made.
    Connect(u64),
    /// This connection, which is open.
    Talk(u64),
    /// This connection, closed by us.
    Close(u64),
    /// Nothing, ever again.
    End,
}
