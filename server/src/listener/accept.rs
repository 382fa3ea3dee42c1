//! Accepts connections, whatever happens.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    time::sleep,
};
use tracing::{info, warn};

/// The first pause when the machine has nothing left for another connection, doubled up to the second.
const PAUSES: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(1));

/// The next connection.
///
/// Out of descriptors or memory, it waits in the kernel's queue until something is free again.
pub(super) async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    let mut pause = PAUSES.0;
    loop {
        match listener.accept().await {
            Ok(accepted) => {
                if pause > PAUSES.0 {
                    info!("accepting connections again");
                }
                return accepted;
            }
            // The connection ended before it was accepted.
            Err(error) if is_about_the_peer(&error) => {}
            Err(error) => {
                if pause == PAUSES.0 {
                    warn!(%error, "can't accept connections; trying again until it works");
                }
                sleep(pause).await;
                pause = (pause * 2).min(PAUSES.1);
            }
        }
    }
}

fn is_about_the_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
