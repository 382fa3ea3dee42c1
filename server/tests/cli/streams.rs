//! A log that nobody reads neither stops the server nor keeps it from ending.

use std::{
    io::{BufRead as _, BufReader, PipeReader, PipeWriter, Write as _, pipe},
    net::SocketAddr,
    process::Child,
    sync::mpsc,
    thread,
};

use rustix::process::{Pid, Signal, kill_process};

use super::support::{Folder, KEY, PATIENCE, address_in, register};

/// Starts a server as noisy as it can be, with one pipe for all that it says, and reads until it listens.
fn start(folder: &Folder) -> (Child, SocketAddr, BufReader<PipeReader>, PipeWriter) {
    let (reader, writer) = pipe().unwrap();
    let mut command = folder.command(&["--log", "trace"]);
    command.stdout(writer.try_clone().unwrap()).stderr(writer.try_clone().unwrap());
    let child = command.spawn().unwrap();
    let mut reader = BufReader::new(reader);
    let mut line = String::new();
    while !line.contains("listening") {
        line.clear();
        assert_ne!(reader.read_line(&mut line).unwrap(), 0, "it ended");
    }
    (child, address_in(&line), reader, writer)
}

/// Clients come and go, and the server ends when it is told to.
fn serves_and_ends(child: Child, address: SocketAddr, clients: usize) {
    for _ in 0..clients {
        register(address, KEY);
    }
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(end(child), Some(0));
}

fn end(mut child: Child) -> Option<i32> {
    let pid = Pid::from_child(&child);
    let (sender, ended) = mpsc::channel();
    thread::spawn(move || sender.send(child.wait().unwrap().code()));
    ended.recv_timeout(PATIENCE).unwrap_or_else(|_| {
        let _ = kill_process(pid, Signal::KILL);
        panic!("it does not end");
    })
}

/// Writes until the pipe takes not one byte more.
fn fill(writer: &mut PipeWriter) {
    rustix::io::ioctl_fionbio(&*writer, true).unwrap();
    while writer.write(&[b'x'; 4096]).is_ok() {}
    while writer.write(b"x").is_ok() {}
    rustix::io::ioctl_fionbio(&*writer, false).unwrap();
}

#[test]
fn a_closed_log() {
    let folder = Folder::serving("");
    let (child, address, reader, writer) = start(&folder);
    drop((reader, writer));
    serves_and_ends(child, address, 10);
}

#[test]
fn a_full_log() {
    let folder = Folder::serving("");
    let (child, address, _reader, mut writer) = start(&folder);
    fill(&mut writer);
    // Three lines each: more than the server keeps for a reader of its log.
    serves_and_ends(child, address, 3500);
}

#[test]
fn an_error_that_cannot_be_said() {
    let folder = Folder::with("{}");
    let (_reader, mut writer) = pipe().unwrap();
    fill(&mut writer);
    let mut command = folder.command(&["serve"]);
    let child = command.stdout(writer.try_clone().unwrap()).stderr(writer).spawn().unwrap();
    assert_eq!(end(child), Some(2));
}
