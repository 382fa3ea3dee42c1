//! Runs the program.

use std::{
    fs,
    io::{self, BufRead as _, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, Receiver},
    },
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

/// Nothing here takes that long, on the slowest machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
pub(crate) const KEY: &str = "k3y-of-the-tests";

/// A working folder of its own.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("cli-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// A folder with this `config.json`.
    pub(crate) fn with(config: &str) -> Self {
        let folder = Self::new();
        fs::write(folder.path("config.json"), config).unwrap();
        folder
    }

    /// A folder whose `config.json` is good, listens at any free port, and has something added.
    pub(crate) fn serving(fields: &str) -> Self {
        Self::with(&format!(r#"{{"ws-path": "/", "host": "127.0.0.1:0", "secret-key": "{KEY}"{fields}}}"#))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The program in this folder, with nothing of the environment that concerns it.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_multichat-server"));
        command.current_dir(&self.0).args(arguments).stdin(Stdio::null());
        for variable in [
            "MULTICHAT_CONFIG",
            "MULTICHAT_HOST",
            "MULTICHAT_WEB_ROOT",
            "MULTICHAT_LOG",
            "MULTICHAT_LOG_FORMAT",
            "MULTICHAT_WATCH",
            "NOTIFY_SOCKET",
            "LISTEN_FDS",
        ] {
            command.env_remove(variable);
        }
        command
    }

    /// Runs a command that ends by itself.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        Ended::from(self.command(arguments).output().unwrap())
    }

    /// Starts a server.
    pub(crate) fn serve(&self, arguments: &[&str]) -> Running {
        Running::start(self.command(arguments))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What a program left behind.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ended {
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }
}

/// A server, which is killed at the latest when the test ends.
pub(crate) struct Running {
    child: Child,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        command.stdout(Stdio::piped());
        Self::start_as_is(command)
    }

    /// Starts a server whose standard output, and what is left of the command's files, is settled already.
    pub(crate) fn start_as_is(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let stdout = child.stdout.take().map_or_else(|| lines(io::empty()), lines);
        let stderr = lines(child.stderr.take().unwrap());
        Self { child, stdout, stderr }
    }

    /// Waits for a line of the log.
    #[track_caller]
    pub(crate) fn logged(&self, what: &str) -> String {
        wait_for(&self.stderr, what)
    }

    /// Waits for a line on standard output.
    #[track_caller]
    pub(crate) fn said(&self, what: &str) -> String {
        wait_for(&self.stdout, what)
    }

    /// Waits until the server listens.
    #[track_caller]
    pub(crate) fn address(&self) -> SocketAddr {
        address_in(&self.logged("listening"))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for the end, and gives the exit code and what was logged last.
    #[track_caller]
    pub(crate) fn end(mut self) -> (Option<i32>, Vec<String>) {
        let log = rest(&self.stderr);
        rest(&self.stdout);
        (self.child.wait().unwrap().code(), log)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The address in the line that says `listening`.
#[track_caller]
pub(crate) fn address_in(line: &str) -> SocketAddr {
    let address = line.split("address=").nth(1).and_then(|rest| rest.split(' ').next());
    address.expect(line).parse().expect(line)
}

fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines() {
            let Ok(line) = line else { break };
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

#[track_caller]
fn wait_for(lines: &Receiver<String>, what: &str) -> String {
    let mut seen = Vec::new();
    loop {
        match lines.recv_timeout(PATIENCE) {
            Ok(line) if line.contains(what) => return line,
            Ok(line) => seen.push(line),
            Err(error) => panic!("{error} while waiting for {what:?}, after {seen:#?}"),
        }
    }
}

/// All lines until the program closes the stream, which it does when it ends.
#[track_caller]
fn rest(lines: &Receiver<String>) -> Vec<String> {
    let mut seen = Vec::new();
    loop {
        match lines.recv_timeout(PATIENCE) {
            Ok(line) => seen.push(line),
            Err(mpsc::RecvTimeoutError::Disconnected) => return seen,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("it does not end; last said {seen:#?}"),
        }
    }
}

/// Registers as a client with a few raw bytes, and waits for the ack.
#[track_caller]
pub(crate) fn register(address: SocketAddr, key: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    register_over(&mut stream, "", key);
    stream
}

/// The same over a connection, with further header lines in the request.
#[track_caller]
pub(crate) fn register_over(stream: &mut (impl Read + Write), headers: &str, key: &str) {
    let packet = format!(r#"{{"action":"register","client-name":"test","secret-key":"{key}"}}"#);
    // A text frame, masked with zeros.
    let mut bytes = format!(
        "GET / HTTP/1.1\r\nHost: router.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
    )
    .into_bytes();
    assert!(packet.len() < 126, "a short frame");
    bytes.extend([0x81, 0x80 | u8::try_from(packet.len()).unwrap(), 0, 0, 0, 0]);
    bytes.extend(packet.as_bytes());
    stream.write_all(&bytes).unwrap();
    let mut received = Vec::new();
    let ack = br#""register-ack""#;
    while !received.windows(ack.len()).any(|window| window == ack) {
        let mut byte = [0];
        let count = stream.read(&mut byte).unwrap();
        assert_eq!(count, 1, "closed after {}", String::from_utf8_lossy(&received));
        received.push(byte[0]);
    }
}
