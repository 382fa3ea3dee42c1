//! How many connections the operating system lets this process have.

/// What is open beside the connections: the log, listeners, static files, the resolver.
#[cfg(unix)]
const OTHER_DESCRIPTORS: usize = 64;

/// Raises the limit of open descriptors as far as this process may, and warns if it stays too low for
/// `connections`.
#[cfg(unix)]
pub(super) fn raise_limit(connections: usize) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        // Some systems have a "no limit" here that they do not grant; the old limit holds then.
        if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
            tracing::debug!(%error, "the limit of open files cannot be raised");
        }
    }
    let needed = connections.saturating_add(OTHER_DESCRIPTORS);
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
pub(super) fn raise_limit(_connections: usize) {}
