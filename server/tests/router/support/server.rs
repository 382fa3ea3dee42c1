//! The program under test.

use std::{io, net::SocketAddr, process::ExitStatus, time::Duration};

use rustix::process::{Pid, kill_process};
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use super::{Authority, Folder, KEY, LogReader, eventually, log::Log, process, within};

pub(crate) use rustix::process::Signal;

/// How a router is to be started: at any free port of loopback, with [`KEY`].
#[derive(Debug)]
pub(crate) struct Setup {
    folder: Folder,
    config: Value,
    log_reader: LogReader,
    open_files: Option<u32>,
    authority: Option<Authority>,
}

impl Setup {
    pub(crate) fn new() -> Self {
        Self {
            folder: Folder::new(),
            config: json!({"ws-path": "/", "host": "127.0.0.1:0", "secret-key": KEY}),
            log_reader: LogReader::default(),
            open_files: None,
            authority: None,
        }
    }

    /// The files that it will be started with.
    pub(crate) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Sets a field of the config file.
    pub(crate) fn field(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.config[name] = value.into();
        self
    }

    /// Moves a file of its folder.
    pub(crate) fn rename(self, from: &str, to: &str) -> Self {
        self.folder.rename(from, to);
        self
    }

    /// Puts a link into its folder.
    pub(crate) fn link(self, name: &str, target: &str) -> Self {
        self.folder.link(name, target);
        self
    }

    /// Sets the limits in the config file.
    pub(crate) fn limits(self, limits: Value) -> Self {
        self.field("limits", limits)
    }

    /// Makes it `wss`, with a certificate of a new authority.
    pub(crate) fn wss(mut self) -> Self {
        let authority = Authority::new();
        self.folder.write("router.crt", authority.certificate());
        self.folder.write("router.key", authority.key());
        self.folder.write("authority.crt", authority.own_certificate());
        self.authority = Some(authority);
        self.field("wss", json!({"keyfile": "router.key", "certfile": "router.crt"}))
    }

    /// Gives it a port for operators, at any free port of loopback.
    pub(crate) fn admin(self) -> Self {
        self.field("admin", json!({"host": "127.0.0.1:0"}))
    }

    /// The same for operators who have a key.
    pub(crate) fn admin_with_key(self, key: &str) -> Self {
        self.field("admin", json!({"host": "127.0.0.1:0", "key": key}))
    }

    /// Makes it serve files.
    pub(crate) fn web_root(self, files: &[(&str, &str)]) -> Self {
        for (name, content) in files {
            self.folder.write(&format!("www/{name}"), content);
        }
        self.field("web-root", "www")
    }

    pub(crate) fn log_reader(mut self, reader: LogReader) -> Self {
        self.log_reader = reader;
        self
    }

    /// How many descriptors it may have open.
    pub(crate) fn open_files(mut self, most: u32) -> Self {
        self.open_files = Some(most);
        self
    }

    /// Starts it, and waits until it listens.
    pub(crate) async fn start(self) -> Server {
        let file = self.folder.write("config.json", self.config.to_string());
        let program = env!("CARGO_BIN_EXE_multichat-server");
        let mut command = match self.open_files {
            None => Command::new(program),
            Some(most) => {
                let mut shell = Command::new("sh");
                shell.arg("-c").arg(format!("ulimit -n {most} && exec \"$0\" \"$@\"")).arg(program);
                shell
            }
        };
        for variable in [
            "MULTICHAT_CONFIG",
            "MULTICHAT_WEB_ROOT",
            "MULTICHAT_LOG",
            "MULTICHAT_LOG_FORMAT",
            "MULTICHAT_WATCH",
        ] {
            command.env_remove(variable);
        }
        let (reader, writer) = io::pipe().unwrap();
        command.arg("--config").arg(file).args(["--log-format", "json", "serve"]).stderr(writer);
        let child = command.kill_on_drop(true).spawn().expect("the program starts");
        // The other end of the pipe must be the program's alone.
        drop(command);
        let log = Log::new(reader, self.log_reader);
        let listening = log.wait_for("that the router listens", |line| line["message"] == "listening").await;
        let address = |line: &Value| line["address"].as_str().expect("an address").parse().unwrap();
        let Self { folder, config, authority, .. } = self;
        let admin = if config.get("admin").is_some() {
            let is_it = |line: &Value| line["message"] == "listening for operators";
            Some(address(&log.wait_for("that it listens for operators", is_it).await))
        } else {
            None
        };
        let address = address(&listening);
        Server { folder, config, authority, child, log, address, admin }
    }
}

/// A running router. It is killed when the test ends, whichever way.
#[derive(Debug)]
pub(crate) struct Server {
    folder: Folder,
    config: Value,
    authority: Option<Authority>,
    child: Child,
    log: Log,
    address: SocketAddr,
    admin: Option<SocketAddr>,
}

impl Server {
    /// A router with nothing set.
    pub(crate) async fn start() -> Self {
        Setup::new().start().await
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where operators connect.
    pub(crate) fn admin_address(&self) -> SocketAddr {
        self.admin.expect("it was started with a port for operators")
    }

    /// Who signed its certificate, if it has one.
    pub(crate) fn authority(&self) -> Option<&Authority> {
        self.authority.as_ref()
    }

    /// The files that it was started with.
    pub(crate) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// What its config file says.
    pub(crate) fn config(&self) -> &Value {
        &self.config
    }

    /// Changes the config file, as an editor does, and lets the router load it.
    pub(crate) async fn reload(&mut self, change: impl FnOnce(&mut Value)) {
        change(&mut self.config);
        self.folder.replace("config.json", self.config.to_string());
        self.hang_up().await;
    }

    /// Lets the router load its files.
    pub(crate) async fn hang_up(&self) {
        let before = self.log_count(is_reloaded);
        self.signal(Signal::HUP);
        self.reloaded(before).await;
    }

    /// Waits until the router has loaded its files once more than so many times.
    pub(crate) async fn reloaded(&self, before: usize) {
        eventually("the router reloads", || self.log_count(is_reloaded) > before).await;
    }

    /// Where clients connect.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.authority.is_some() { "wss" } else { "ws" };
        format!("{scheme}://{}", self.address)
    }

    fn pid(&self) -> u32 {
        self.child.id().expect("the router runs")
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.pid().try_into().unwrap()).unwrap(), signal).unwrap();
    }

    /// Waits for its end.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        within("the router to end", self.child.wait()).await.unwrap()
    }

    /// Resident memory, in bytes.
    pub(crate) fn memory(&self) -> usize {
        process::memory(self.pid())
    }

    /// The time that it has spent on a processor.
    pub(crate) fn cpu(&self) -> Duration {
        process::cpu(self.pid())
    }

    /// How many descriptors it has open.
    pub(crate) fn descriptors(&self) -> usize {
        process::descriptors(self.pid())
    }

    /// Waits until it has no more descriptors open than so many.
    pub(crate) async fn all_given_back(&self, descriptors: usize) {
        eventually("the router closes descriptors", || self.descriptors() <= descriptors).await;
    }

    /// Waits for a line in the log.
    pub(crate) async fn logged(&self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        self.log.wait_for(what, is_it).await
    }

    /// Waits for the end of the log, which is that of the program.
    pub(crate) async fn log_ended(&self) {
        self.log.wait_for_end().await;
    }

    /// How many such lines the log has.
    pub(crate) fn log_count(&self, is_it: impl Fn(&Value) -> bool) -> usize {
        self.log.count(is_it)
    }

    pub(crate) fn log_tail(&self) -> impl std::fmt::Debug {
        self.log.tail()
    }
}

/// Whether a line says that the configuration was loaded again.
pub(crate) fn is_reloaded(line: &Value) -> bool {
    line["message"] == "reloaded"
}

/// Whatever a test is about: nothing that a client does is a bug in the router, and its key is never told.
impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("The router's last words: {:#?}", self.log_tail());
            return;
        }
        let panics =
            self.log.count(|line| line["message"].as_str().is_none_or(|text| text.contains("panic")));
        assert_eq!(panics, 0, "{:#?}", self.log_tail());
        assert_eq!(self.log.count(|line| line.to_string().contains(KEY)), 0, "{:#?}", self.log_tail());
    }
}
