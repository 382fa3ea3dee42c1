//! Sockets that a service manager has opened: systemd's socket activation (`sd_listen_fds(3)`).

use std::{env, io, process};

use listenfd::ListenFd;
use socket2::SockRef;
use tokio::net::{TcpListener, UnixListener};

use super::{accept::Listening, socket};
use crate::config::Limits;

/// Takes all that were handed over.
pub(super) fn take(limits: &Limits) -> io::Result<Vec<Listening>> {
    let mut sockets = if are_there() { ListenFd::from_env() } else { ListenFd::empty() };
    if sockets.len() == 0 {
        return Err(io::Error::other(
            "no socket was handed over; start the router by its socket unit, or choose another `host`",
        ));
    }
    (0..sockets.len()).map(|at| take_one(&mut sockets, at, limits)).collect()
}

/// Fails if there are some. Whoever connected to them would wait for ever.
pub(super) fn check_none() -> io::Result<()> {
    if are_there() {
        return Err(io::Error::other(
            "sockets were handed over by systemd: set `host` to \"systemd\", or disable the socket unit",
        ));
    }
    Ok(())
}

/// Whether there are sockets for this process. (The variables are handed on to children, which they do not concern.)
fn are_there() -> bool {
    let variable = |name| env::var(name).ok();
    variable("LISTEN_PID").is_some_and(|pid| pid == process::id().to_string())
        && variable("LISTEN_FDS").is_some_and(|count| count != "0")
}

fn take_one(sockets: &mut ListenFd, at: usize, limits: &Limits) -> io::Result<Listening> {
    let taken = || io::Error::other("a socket that was handed over is gone");
    if let Ok(tcp) = sockets.take_tcp_listener(at) {
        let tcp = tcp.ok_or_else(taken)?;
        check_listens(&SockRef::from(&tcp))?;
        socket::set_options(&SockRef::from(&tcp), limits)?;
        tcp.set_nonblocking(true)?;
        return Ok(Listening::Tcp(TcpListener::from_std(tcp)?));
    }
    let unix = sockets.take_unix_listener(at)?.ok_or_else(taken)?;
    check_listens(&SockRef::from(&unix))?;
    unix.set_nonblocking(true)?;
    // The file is the service manager's.
    Ok(Listening::Unix { listener: UnixListener::from_std(unix)?, _file: None })
}

fn check_listens(socket: &SockRef<'_>) -> io::Result<()> {
    if socket.is_listener()? {
        return Ok(());
    }
    Err(io::Error::other("a connection was handed over, not a port; write Accept=no in the socket unit"))
}
