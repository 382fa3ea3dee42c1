//! Opens the port.

use std::{
    io::{self, ErrorKind},
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
};

use socket2::{Domain, Protocol, SockRef, Type};
use tokio::net::{TcpListener, lookup_host};

use super::{accept::Listening, socket};
#[cfg(unix)]
use super::{handed_over, socket_file};
use crate::config::{Host, Limits};

/// How many connections the kernel holds ready. It cuts this to its own bound (`net.core.somaxconn`).
const BACKLOG: i32 = 4096;

/// Opens the port that `host` means.
///
/// # Errors
///
/// The name has no address, or the address can't be had.
pub(super) async fn bind(host: &Host, limits: &Limits) -> io::Result<Vec<Listening>> {
    #[cfg(unix)]
    match host {
        Host::Systemd => return handed_over::take(limits),
        _ => handed_over::check_none()?,
    }
    Ok(vec![bind_own(host, limits).await?])
}

/// Opens a port by itself, whatever systemd hands over.
///
/// # Errors
///
/// As [`bind`]; and if the port is systemd's.
pub(crate) async fn bind_own(host: &Host, limits: &Limits) -> io::Result<Listening> {
    Ok(match host {
        #[cfg(unix)]
        Host::Unix(path) => socket_file::listen(path, BACKLOG)?,
        _ => Listening::Tcp(bind_tcp(host, limits).await?),
    })
}

async fn bind_tcp(host: &Host, limits: &Limits) -> io::Result<TcpListener> {
    match host {
        Host::AnyInterface { port } => match listen((Ipv6Addr::UNSPECIFIED, *port).into(), limits) {
            // No IPv6 on this machine.
            Err(error) if !matches!(error.kind(), ErrorKind::AddrInUse | ErrorKind::PermissionDenied) => {
                listen((Ipv4Addr::UNSPECIFIED, *port).into(), limits)
            }
            outcome => outcome,
        },
        Host::Address(address) => listen(*address, limits),
        Host::Name { host, port } => {
            let addresses = lookup_host((host.as_str(), *port)).await?.collect::<Vec<_>>();
            // As Go does: IPv4 if the name has such an address.
            let address = addresses.iter().find(|address| address.is_ipv4()).or(addresses.first());
            let address = address.ok_or_else(|| io::Error::other("the name has no address"))?;
            listen(*address, limits)
        }
        Host::Unix(_) | Host::Systemd => Err(io::Error::other("there is no such thing on this system")),
    }
}

fn listen(address: SocketAddr, limits: &Limits) -> io::Result<TcpListener> {
    let socket = socket2::Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // A restart must not wait for the connections of the last run to be forgotten. Elsewhere than on Unix
    // this option would let two servers have one port.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    if address.ip() == Ipv6Addr::UNSPECIFIED {
        socket.set_only_v6(false)?;
    }
    socket::set_options(&SockRef::from(&socket), limits)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}
