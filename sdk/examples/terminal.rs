//! A chat in the terminal, for people and for pipes: each line that comes in is said, each message that others say
//! goes out as a line. What happens otherwise goes to standard error. At the end of the input it waits until all has
//! been sent, and exits.
//!
//! ```sh
//! MULTICHAT_KEY='correct horse' cargo run --example terminal -- ws://127.0.0.1:6780/ alice
//! uptime | MULTICHAT_KEY='correct horse' cargo run --example terminal -- ws://127.0.0.1:6780/ status
//! ```

use std::io::{BufRead, Write};
use std::process::ExitCode;
use std::time::Duration;

use multichat::protocol::ServerPacket;
use multichat::{Client, Confirmation, Event, SendFailure, State, render_plain};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// How long to go on sending after the end of the input.
const DRAIN: Duration = Duration::from_secs(30);

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let ([url, name], Ok(key)) = (arguments.as_slice(), std::env::var("MULTICHAT_KEY")) else {
        eprintln!("usage: MULTICHAT_KEY=<key> terminal <url> <name>");
        return ExitCode::from(2);
    };
    let (client, mut events) = match Client::builder(url, name).key(key).history(20).connect().await {
        Ok(connected) => connected,
        Err(error) => {
            eprintln!("{}", error.explain());
            return ExitCode::FAILURE;
        }
    };
    let talk = tokio::spawn(talk(client, lines()));
    while let Some(event) = events.next().await {
        if let Event::State(State::Closed { cause: Some(cause), .. }) = &event {
            eprintln!("{}", cause.explain());
            return ExitCode::FAILURE;
        }
        if show(event).is_err() {
            // Nobody reads any more: `… | head`, say.
            return ExitCode::SUCCESS;
        }
    }
    if talk.await.unwrap_or(false) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Says each line, and tells whether all of them arrived.
async fn talk(client: Client, mut lines: mpsc::Receiver<String>) -> bool {
    let mut unanswered = JoinSet::new();
    let mut all_arrived = true;
    while let Some(line) = lines.recv().await {
        if !line.trim().is_empty() {
            client.ready().await;
            unanswered.spawn(client.send(line));
        }
        while let Some(Ok(outcome)) = unanswered.try_join_next() {
            all_arrived &= has_arrived(outcome);
        }
    }
    client.drain(DRAIN).await;
    while let Some(Ok(outcome)) = unanswered.join_next().await {
        all_arrived &= has_arrived(outcome);
    }
    all_arrived
}

fn has_arrived(outcome: Result<Confirmation, SendFailure>) -> bool {
    outcome
        .inspect_err(|failure| eprintln!("* not confirmed: {}\n* {}", failure.text(), failure.explain()))
        .is_ok()
}

/// The lines of the input. Reading a terminal blocks, so a thread does it, which the program does not wait for.
fn lines() -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(64);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.blocking_send(line).is_err() {
                break;
            }
        }
    });
    lines
}

/// What strangers wrote, without what would move the cursor or change the colours of this terminal. Further lines are
/// indented, so that none of them looks like another message.
fn printable(text: &str) -> String {
    let is_control = |character: &char| character.is_control() && !matches!(character, '\n' | '\t');
    let lines = text.lines().map(|line| line.chars().filter(|character| !is_control(character)).collect());
    lines.collect::<Vec<String>>().join("\n    ")
}

/// Shows an event: what is said on standard output, all else on standard error.
fn show(event: Event) -> std::io::Result<()> {
    match event {
        Event::Message(message) => {
            let source = printable(&message.source_client_name);
            let text = render_plain(&ServerPacket::Message(message.entry), None).unwrap_or_default();
            writeln!(std::io::stdout(), "[{source}] {}", printable(&text))?;
        }
        Event::Edit(edit) => {
            let (source, text) = (printable(&edit.source_client_name), printable(&edit.content));
            writeln!(std::io::stdout(), "[{source}] (edited) {text}")?;
        }
        Event::State(State::Online { .. }) => eprintln!("* connected"),
        Event::State(State::Waiting { retry_in, cause, .. }) => {
            eprintln!("* {cause}; next attempt in {:.1} s", retry_in.as_secs_f32());
        }
        Event::Gap(_) => eprintln!("* some messages may be missing here"),
        Event::Lagged { events } => eprintln!("* {events} events were dropped: this terminal is too slow"),
        _ => {}
    }
    Ok(())
}
