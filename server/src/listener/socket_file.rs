//! Unix-domain sockets, and the files that they leave behind.

use std::{
    fs,
    io::{self, ErrorKind},
    os::unix::fs::{FileTypeExt as _, MetadataExt as _},
    path::{Path, PathBuf},
};

use socket2::{Domain, SockAddr, Socket, Type};
use tokio::net::UnixListener;

use super::accept::Listening;

/// The file of a socket, removed on drop if it is still the same one.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
}

/// Listens at a path. A file that a dead process has left there makes room; one that is served does not.
pub(super) fn listen(path: &Path, backlog: i32) -> io::Result<Listening> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    let address = SockAddr::unix(path)?;
    match socket.bind(&address) {
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            remove_dead(path, &address)?;
            socket.bind(&address)?;
        }
        outcome => outcome?,
    }
    let file = SocketFile { path: path.to_owned(), identity: identity(path)? };
    socket.listen(backlog)?;
    socket.set_nonblocking(true)?;
    Ok(Listening::Unix { listener: UnixListener::from_std(socket.into())?, _file: Some(file) })
}

fn remove_dead(path: &Path, address: &SockAddr) -> io::Result<()> {
    let in_use = |reason| io::Error::new(ErrorKind::AddrInUse, reason);
    if !fs::symlink_metadata(path)?.file_type().is_socket() {
        return Err(in_use("a file that is no socket is in the way"));
    }
    let probe = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    // One that is too busy to answer at once is alive.
    probe.set_nonblocking(true)?;
    match probe.connect(address) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
            tracing::info!(path = %path.display(), "removing a socket that nobody serves any more");
            fs::remove_file(path)
        }
        // Another kind of socket: somebody's.
        _ => Err(in_use("another program serves this socket")),
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|file| (file.dev(), file.ino()))
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // By now it may be the socket of another router, which took this one's place.
        if identity(&self.path).is_ok_and(|identity| identity == self.identity)
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "the socket can't be removed");
        }
    }
}
