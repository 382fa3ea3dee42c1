//! The bridges of `tests/clients`: clients on libraries that this project did not write.

use std::{
    collections::hash_map::DefaultHasher,
    fmt::Display,
    fs::{self, File},
    hash::{Hash as _, Hasher as _},
    path::{Path, PathBuf},
    process::{Command as Tool, Stdio},
    sync::OnceLock,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use super::{KEY, Server, within};

/// Where the bridges are.
const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients");

/// The protocol's document.
const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../sdk/PROTOCOL.md");

/// A running bridge. It is killed when the test ends, whichever way.
#[derive(Debug)]
pub(crate) struct Program {
    name: String,
    child: Child,
    orders: Option<ChildStdin>,
    reports: Lines<BufReader<ChildStdout>>,
}

impl Program {
    /// A bridge in Python, on `websockets`.
    pub(crate) fn python(server: &Server, name: &str) -> Setup {
        let mut command = Command::new(python());
        command.arg(Path::new(SOURCES).join("python/bridge.py"));
        Setup::new(command, server, name)
    }

    /// The client that the protocol's document shows, whose connection breaks at every turn. It says so many
    /// messages, reports once they are acked, and ends.
    pub(crate) fn sample(server: &Server, name: &str, messages: usize, seed: u64) -> Setup {
        let mut command = Command::new(python());
        command.arg(Path::new(SOURCES).join("python/sample.py")).arg(DOCUMENT);
        command.args(["--messages", &messages.to_string(), "--seed", &seed.to_string()]);
        Setup::new(command, server, name)
    }

    /// Metrics, as Prometheus' own library for Python understands them.
    pub(crate) async fn parse_metrics(text: &str) -> Value {
        let mut command = Command::new(python());
        command.arg(Path::new(SOURCES).join("python/metrics.py"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("Python starts");
        let mut input = child.stdin.take().expect("it reads");
        within("Python to read", input.write_all(text.as_bytes())).await.unwrap();
        drop(input);
        let output = within("Python to parse", child.wait_with_output()).await.unwrap();
        assert!(output.status.success(), "these are no metrics: {text}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// A bridge in JavaScript, on `ws`.
    pub(crate) fn node(server: &Server, name: &str) -> Setup {
        let mut command = Command::new("node");
        command.arg(node().join("bridge.mjs"));
        Setup::new(command, server, name)
    }

    async fn order(&mut self, order: impl Display) {
        let orders = self.orders.as_mut().expect("it takes orders");
        within("a bridge to take an order", orders.write_all(format!("{order}\n").as_bytes())).await.unwrap();
    }

    /// Sends a message.
    pub(crate) async fn say(&mut self, content: &str) {
        self.order(json!({"say": content})).await;
    }

    /// Sends a message that is a JSON text already.
    pub(crate) async fn say_json(&mut self, content: &str) {
        self.order(format_args!(r#"{{"say": {content}}}"#)).await;
    }

    /// Sends a message in so many frames.
    pub(crate) async fn say_in_fragments(&mut self, content: &str, fragments: usize) {
        self.order(json!({"say": content, "fragments": fragments})).await;
    }

    /// Sends a packet.
    pub(crate) async fn send(&mut self, packet: &Value) {
        self.order(json!({"send": packet})).await;
    }

    /// Breaks the connection off, and waits for the program's end.
    pub(crate) async fn abort(mut self) {
        self.order(json!({"abort": true})).await;
        within("a bridge to end", self.child.wait()).await.unwrap();
    }

    /// Sends a ping, and waits for the answer.
    pub(crate) async fn ping(&mut self) {
        self.order(json!({"ping": true})).await;
        assert_eq!(self.report().await, json!({"ponged": true}));
    }

    /// Closes the connection.
    pub(crate) fn leave(&mut self) {
        self.orders = None;
    }

    /// Kills it where it stands.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// What it prints next.
    pub(crate) async fn report(&mut self) -> Value {
        let what = format!("{} to say something", self.name);
        let line = within(what, self.reports.next_line()).await.unwrap();
        let line = line.unwrap_or_else(|| panic!("{} has ended; above is why", self.name));
        serde_json::from_str(&line).unwrap()
    }

    /// The next message, as it prints it.
    pub(crate) async fn hear(&mut self) -> String {
        loop {
            let report = self.report().await;
            if let Some(heard) = report["heard"].as_str() {
                return heard.to_owned();
            }
            assert_eq!(report["pinged"], true, "{} heard nothing: {report}", self.name);
        }
    }

    /// The next packet: as the bridge understood it, and its text.
    pub(crate) async fn packet(&mut self) -> (Value, String) {
        loop {
            let mut report = self.report().await;
            if let Value::String(text) = report["text"].take() {
                return (report["packet"].take(), text);
            }
            assert_eq!(report["pinged"], true, "{} heard nothing: {report}", self.name);
        }
    }

    /// How it was closed.
    pub(crate) async fn closed(&mut self) -> (u64, String) {
        let report = self.report().await;
        let closed = &report["closed"];
        let code = closed["code"].as_u64().unwrap_or_else(|| panic!("{} is not closed: {report}", self.name));
        (code, closed["reason"].as_str().unwrap().to_owned())
    }
}

/// A bridge that was not started yet.
#[derive(Debug)]
pub(crate) struct Setup {
    name: String,
    command: Command,
}

impl Setup {
    fn new(mut command: Command, server: &Server, name: &str) -> Self {
        if server.authority().is_some() {
            command.arg("--authority").arg(server.folder().path("authority.crt"));
        }
        Self { name: name.to_owned(), command }
    }

    /// Only this version of TLS, `1.2` or `1.3`.
    pub(crate) fn tls(mut self, version: &str) -> Self {
        self.command.args(["--tls", version]);
        self
    }

    /// Asks for more by these fields of its `register`, and shows packets as they are.
    pub(crate) fn ask(mut self, fields: &Value) -> Self {
        self.command.arg("--ask").arg(fields.to_string());
        self
    }

    /// Starts it with a key, wherever that leads.
    pub(crate) fn start(mut self, url: &str, key: &str) -> Program {
        self.command
            .args([url, &self.name, key])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut child = self.command.spawn().expect("the bridge starts");
        let orders = child.stdin.take();
        let reports = BufReader::new(child.stdout.take().unwrap()).lines();
        Program { name: self.name, child, orders, reports }
    }

    /// Starts it, and waits until it has registered. Returns what it says of its connection too.
    pub(crate) async fn register(self, url: &str) -> (Program, Value) {
        let mut program = self.start(url, KEY);
        let report = program.report().await;
        let Some(registered) = report.get("registered") else { panic!("not registered: {report}") };
        (program, registered.clone())
    }

    /// Starts it, and waits until it has registered.
    pub(crate) async fn join(self, server: &Server) -> Program {
        self.register(&server.url()).await.0
    }
}

/// The Python that has what the bridge needs, in an environment of its own.
fn python() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| {
        const HELP: &str = "The tests need Python 3.10 or newer with its module venv, from https://www.python.org or \
                            as the packages python3 and python3-venv of Debian and Ubuntu.";
        let folder = prepare("python", &["requirements.txt"], |folder| {
            run(Tool::new("python3").args(["-m", "venv", "--clear"]).arg(folder.join("venv")), HELP);
            let mut pip = Tool::new(folder.join("venv/bin/python"));
            pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
            run(pip.arg(folder.join("requirements.txt")), "It installs the library of a test client from PyPI.");
        });
        folder.join("venv/bin/python")
    })
}

/// The folder of the Node.js bridge, with what it needs.
fn node() -> &'static Path {
    static NODE: OnceLock<PathBuf> = OnceLock::new();
    NODE.get_or_init(|| {
        const HELP: &str =
            "The tests need Node.js 20 or newer with npm, from https://nodejs.org or a package manager.";
        prepare("node", &["package.json", "package-lock.json", ".npmrc", "bridge.mjs"], |folder| {
            run(Tool::new("node").arg("--version"), HELP);
            run(
                Tool::new("npm")
                    .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
                    .current_dir(folder),
                HELP,
            );
        })
    })
}

/// A folder under Cargo's target folder with these files of a bridge and what `install` makes of them. Done
/// once for one content of the files, however many tests run at once.
fn prepare(bridge: &str, files: &[&str], install: impl Fn(&Path)) -> PathBuf {
    let sources = Path::new(SOURCES).join(bridge);
    let contents: Vec<_> = files.iter().map(|file| fs::read(sources.join(file)).unwrap()).collect();
    let mut hasher = DefaultHasher::new();
    // A virtual environment can't be moved, and holds paths.
    (env!("CARGO_TARGET_TMPDIR"), &contents).hash(&mut hasher);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{bridge}-{:016x}", hasher.finish()));
    fs::create_dir_all(&folder).unwrap();
    let lock = File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let done = folder.join("done");
    if !done.exists() || !is_whole(&folder) {
        for (file, content) in files.iter().zip(contents) {
            fs::write(folder.join(file), content).unwrap();
        }
        install(&folder);
        File::create(done).unwrap();
    }
    folder
}

/// Whether what was installed still works: the Python that it was made with may be gone.
fn is_whole(folder: &Path) -> bool {
    let python = folder.join("venv/bin/python");
    let works = || {
        Tool::new(&python)
            .args(["-c", "import prometheus_client, websockets"])
            .output()
            .is_ok_and(|it| it.status.success())
    };
    !folder.join("venv").exists() || works()
}

/// Runs a tool that must succeed.
fn run(tool: &mut Tool, help: &str) {
    let shown = format!("{tool:?}");
    let output =
        tool.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{shown}: {error}. {help}"));
    let said = || [output.stdout.as_slice(), &output.stderr].concat();
    assert!(output.status.success(), "{shown} failed: {}\n{help}", String::from_utf8_lossy(&said()));
}
