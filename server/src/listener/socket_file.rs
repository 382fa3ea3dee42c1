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
    // Until others can see that it is served: one that is bound and does not listen yet looks dead.
    let lock = lock_folder(path);
    match socket.bind(&address) {
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            remove_dead(path, &address)?;
            socket.bind(&address)?;
        }
        outcome => outcome?,
    }
    let file = SocketFile { path: path.to_owned(), identity: identity(path)? };
    socket.listen(backlog)?;
    drop(lock);
    socket.set_nonblocking(true)?;
    Ok(Listening::Unix { listener: UnixListener::from_std(socket.into())?, _file: Some(file) })
}

/// Lets no other router open or remove a socket in the same folder meanwhile. Where folders can't be locked, there is
/// none; that is no reason not to serve.
fn lock_folder(path: &Path) -> Option<fs::File> {
    let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    let folder = fs::File::open(folder).ok()?;
    folder.lock().ok()?;
    Some(folder)
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
        let _lock = lock_folder(&self.path);
        // By now it may be the socket of another router, which took this one's place.
        if identity(&self.path).is_ok_and(|identity| identity == self.identity)
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "the socket can't be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        os::unix::net::{UnixListener as StdListener, UnixStream},
        sync::Barrier,
        thread,
    };

    use tokio::runtime;

    use super::*;
    use crate::test_folder::Folder;

    #[test]
    fn of_those_who_come_at_once_one_serves() {
        const ROUTERS: usize = 4;

        let folder = Folder::new();
        let path = folder.0.join("router.sock");
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for _ in 0..200 {
            // A dead one, for which each of them would make room.
            drop(StdListener::bind(&path).unwrap());
            let start = Barrier::new(ROUTERS);
            let outcomes: Vec<_> = thread::scope(|scope| {
                let routers: Vec<_> = (0..ROUTERS)
                    .map(|_| {
                        scope.spawn(|| {
                            let _context = runtime.enter();
                            start.wait();
                            listen(&path, 16)
                        })
                    })
                    .collect();
                routers.into_iter().map(|router| router.join().unwrap()).collect()
            });
            assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
            UnixStream::connect(&path).unwrap();
            drop(outcomes);
            assert!(!path.exists());
        }
    }
}
