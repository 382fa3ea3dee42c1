//! How many connections the operating system lets this process have.

use multichat_server::config::Limits;

/// What is open beside the connections: the log, listeners, static files, the resolver.
#[cfg(unix)]
const OTHER_DESCRIPTORS: usize = 64;

/// Raises the limit of open descriptors as far as this process may, and warns if it stays too low for the connections
/// that there may be.
#[cfg(unix)]
pub(super) fn raise_limit(limits: &Limits) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        // Some systems have a "no limit" here that they do not grant; the old limit holds then.
        if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
            tracing::debug!(%error, "the limit of open files cannot be raised");
        }
    }
    let needed = connections(limits).saturating_add(OTHER_DESCRIPTORS);
    let allowed = getrlimit(Resource::Nofile)
        .current
        .map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    if allowed < needed {
        tracing::warn!(
            allowed,
            needed,
            "the limit of open files is too low for limits.connections; raise it (LimitNOFILE= of the systemd unit, \
             ulimit -n) or set limits.connections lower"
        );
    }
}

/// Other systems have no such limit.
#[cfg(not(unix))]
pub(super) fn raise_limit(_limits: &Limits) {}

/// How many connections there may be, of any kind.
pub(super) fn connections(limits: &Limits) -> usize {
    limits.connections.saturating_add(limits.unregistered_connections)
}
