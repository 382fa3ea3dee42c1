//! A bot that answers `!echo something` with `something`.
//!
//! ```sh
//! MULTICHAT_KEY='correct horse' cargo run --example echo_bot -- ws://127.0.0.1:6780/
//! ```

use std::process::ExitCode;

use multichat::{Client, Event, State};

#[tokio::main]
async fn main() -> ExitCode {
    let (Some(url), Ok(key)) = (std::env::args().nth(1), std::env::var("MULTICHAT_KEY")) else {
        eprintln!("usage: MULTICHAT_KEY=<key> echo_bot <url>");
        return ExitCode::from(2);
    };
    let (client, mut events) = match Client::builder(url, "echo").key(key).connect().await {
        Ok(connected) => connected,
        Err(error) => {
            eprintln!("{}", error.explain());
            return ExitCode::FAILURE;
        }
    };
    while let Some(event) = events.next().await {
        let message = match event {
            Event::Message(message) => message,
            // The router does not want it any more.
            Event::State(State::Closed { cause: Some(cause), .. }) => {
                eprintln!("{}", cause.explain());
                return ExitCode::FAILURE;
            }
            _ => continue,
        };
        let Some(text) = message.content.strip_prefix("!echo ") else { continue };
        let sent = match message.place {
            Some(place) => client.reply(place.seq, text),
            None => client.send(text),
        };
        // Awaited in a task of its own, so that the bot goes on listening.
        tokio::spawn(async move {
            if let Err(failure) = sent.await {
                eprintln!("{}", failure.explain());
            }
        });
    }
    ExitCode::SUCCESS
}
