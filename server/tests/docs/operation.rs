//! What is told of running the router: the unit, the proxies, the log, the codes.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use multichat::protocol::CloseCode;
use multichat_server::config::Limits;

use super::document::{Document, root, spans};

fn document() -> Document {
    Document::read("docs/operation.md")
}

/// The value of a setting, such as `Name=value` or `name value;`.
fn setting<'a>(text: &'a str, name: &str) -> &'a str {
    let line = text.lines().map(str::trim).find_map(|line| line.strip_prefix(name)).expect(name);
    line.trim_end_matches(';')
}

fn seconds(text: &str) -> Duration {
    Duration::from_secs(text.trim().trim_end_matches('s').parse().unwrap())
}

#[test]
fn the_unit_leaves_the_router_what_it_needs() {
    let unit = document().block("ini", "ExecStart=").text;
    let limits = Limits::default();
    assert!(seconds(setting(&unit, "TimeoutStopSec=")) > limits.shutdown + limits.close);
    let descriptors: usize = setting(&unit, "LimitNOFILE=").parse().unwrap();
    assert!(descriptors >= limits.connections + limits.unregistered_connections + 64);
}

#[test]
fn a_reload_checks_the_file_that_the_router_reads() {
    let unit = document().block("ini", "ExecStart=").text;
    // Before the signal is sent: `setting` takes the first line.
    assert_eq!(setting(&unit, "ExecReload="), format!("{} check", setting(&unit, "ExecStart=")));
}

#[test]
fn the_units_are_those_that_are_shipped() {
    for (file, has) in [("multichat.service", "ExecStart="), ("multichat.socket", "ListenStream=")] {
        let shipped = fs::read_to_string(root().join("deploy").join(file)).unwrap();
        assert_eq!(document().block("ini", has).text, shipped, "{file}");
    }
}

#[test]
fn the_image_is_built_as_the_program_is() {
    let read = |name: &str| fs::read_to_string(root().join(name)).unwrap();
    let (image, toolchain) = (read("Dockerfile"), read("rust-toolchain.toml"));
    let version = setting(&toolchain, "channel = ").trim_matches('"');
    assert!(image.contains(&format!("FROM rust:{version}-slim-")), "{version}");
    assert_eq!(setting(&image, "ENV RUSTUP_TOOLCHAIN="), version);
    // What the workspace consists of is handed to the build.
    let (workspace, ignored) = (read("Cargo.toml"), read(".dockerignore"));
    let members = setting(&workspace, "members = ").trim_matches(['[', ']']);
    let folders: Vec<_> = ignored.lines().filter_map(|line| line.strip_prefix('!')).collect();
    for member in members.split(", ").map(|member| Path::new(member.trim_matches('"'))) {
        assert!(folders.iter().any(|folder| member.starts_with(folder)), "{}", member.display());
    }
}

#[test]
fn the_proxy_waits_longer_than_the_router_is_silent() {
    let ping = Limits::default().ping;
    let nginx = document().block("nginx", "proxy_pass").text;
    assert!(seconds(setting(&nginx, "proxy_read_timeout")) > ping);
    let haproxy = document().block("haproxy", "option forwardfor").text;
    assert!(seconds(setting(&haproxy, "timeout tunnel")) > ping);
}

#[test]
fn the_proxy_says_where_a_client_comes_from() {
    // Without it, nginx would pass on what the client claims, and the router believe it.
    let nginx = document().block("nginx", "proxy_pass").text;
    assert_eq!(setting(&nginx, "proxy_set_header X-Forwarded-For").trim(), "$proxy_add_x_forwarded_for");
}

#[test]
fn reasons_and_lines_are_those_of_the_program() {
    let mut sources = String::new();
    for folder in ["server/src", "sdk/src"] {
        read_sources(&root().join(folder), &mut sources);
    }
    let document = document();
    let rows = [document.table("reason"), document.table("line")].concat();
    assert!(rows.len() >= 25);
    for told in rows.iter().flat_map(|row| spans(&row[0])) {
        // `…` stands for what differs; of long lines, the beginning is told.
        let literal = format!("\"{}", told.trim_end_matches('…'));
        assert!(sources.contains(&literal), "no text of the program begins with {literal}");
    }
}

fn read_sources(folder: &Path, into: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("tests") {
            read_sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            *into += &fs::read_to_string(path).unwrap();
        }
    }
}

#[test]
fn close_codes_are_those_of_the_protocol() {
    let protocol = Document::read("sdk/PROTOCOL.md").table("code");
    let known: Vec<_> = protocol.iter().map(|row| row[0].clone()).collect();
    for document in Document::for_operators() {
        let tables = ["symptom", "reason", "field"].map(|first| document.tables(first)).concat();
        for cell in tables.into_iter().flatten().flatten() {
            let words = cell.split(|c: char| !c.is_ascii_digit());
            for code in words.filter(|word| word.len() == 4 && ["10", "44", "45"].contains(&&word[..2])) {
                let is_size = ["1024"].contains(&code);
                assert!(is_size || known.iter().any(|known| known == code), "{}: {cell}", document.name);
            }
        }
    }
    assert!(known.contains(&CloseCode::SlowConsumer.code().to_string()));
}
