//! From a host's name to a TCP connection.

use std::io;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::sleep;

use crate::session::ConnectError;

/// How long an address of the host is tried alone, before the next one is tried beside it (RFC 8305, section 8).
const HEAD_START: Duration = Duration::from_millis(250);

/// Connects to the first address of the host that answers.
pub(super) async fn connect(host: &str, port: u16) -> Result<TcpStream, ConnectError> {
    let mut addresses = match lookup_host((host, port)).await {
        Ok(addresses) => addresses,
        Err(error) => return unreachable(format!("the name {host} leads to no address ({error})")),
    };
    // Many a host has an IPv6 address and no way to it, on which an attempt hangs: so they are not tried in turn.
    let mut attempts = FuturesUnordered::new();
    let mut failure = None;
    loop {
        if let Some(address) = addresses.next() {
            attempts.push(TcpStream::connect(address));
        } else if attempts.is_empty() {
            let why =
                failure.as_ref().map_or_else(|| String::from("it has no address"), io::Error::to_string);
            return unreachable(format!("{host}, port {port}: {why}"));
        }
        match select(attempts.next(), pin!(sleep(HEAD_START))).await {
            Either::Left((Some(Ok(stream)), _)) => {
                // Packets are small, and each is wanted at once.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Either::Left((Some(Err(error)), _)) => failure = Some(error),
            Either::Left((None, _)) | Either::Right(_) => {}
        }
    }
}

fn unreachable<T>(reason: String) -> Result<T, ConnectError> {
    Err(ConnectError::Unreachable { reason })
}
