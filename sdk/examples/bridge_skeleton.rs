//! Where a bridge begins: put your platform in place of `Platform`.
//!
//! ```sh
//! MULTICHAT_KEY='correct horse' cargo run --example bridge_skeleton -- ws://127.0.0.1:6780/
//! ```

use std::io::{Stdout, Write, stdout};
use std::process::ExitCode;
use std::time::Duration;

use multichat::protocol::{ClientMessage, ClientReceipt, ReceiptStatus, Sender};
use multichat::{Client, Event, State};
use tokio::time::{Interval, interval};

/// Your platform. This one says something each minute, and shows what it is told on standard output.
struct Platform {
    clock: Interval,
    output: Stdout,
}

impl Platform {
    /// What is said on the platform next, and by whom. (It has to be cancel-safe, as this is.)
    async fn next(&mut self) -> (String, String) {
        self.clock.tick().await;
        ("clock".to_owned(), "another minute has passed".to_owned())
    }

    /// Says something on the platform.
    fn post(&mut self, who: &str, text: &str) -> std::io::Result<()> {
        writeln!(self.output, "<{who}> {text}")
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let (Some(url), Ok(key)) = (std::env::args().nth(1), std::env::var("MULTICHAT_KEY")) else {
        eprintln!("usage: MULTICHAT_KEY=<key> bridge_skeleton <url>");
        return ExitCode::from(2);
    };
    let mut platform = Platform { clock: interval(Duration::from_mins(1)), output: stdout() };
    // `start` goes on trying until the router is there; `connect` would fail if it is not.
    let (client, mut events) = match Client::builder(url, "my-platform").key(key).start() {
        Ok(started) => started,
        Err(error) => {
            eprintln!("{}", error.explain());
            return ExitCode::FAILURE;
        }
    };
    loop {
        tokio::select! {
            (who, text) = platform.next() => {
                let mut message = ClientMessage::new(text);
                message.sender = Some(Sender::new(who));
                client.send(message); // await it, in a task of its own, to know that it arrived
            }
            event = events.next() => match event {
                Some(Event::Message(message)) if !message.own => {
                    let who = message.sender.as_ref().map_or(&message.source_client_name, |sender| &sender.name);
                    let posted = platform.post(who, &message.content);
                    if let Some(place) = message.place.filter(|_| !message.replay) {
                        let status = if posted.is_ok() { ReceiptStatus::Delivered } else { ReceiptStatus::Failed };
                        let _ = client.report(ClientReceipt::new(place.seq, status)); // a courtesy
                    }
                }
                Some(Event::Gap(_)) => {
                    let _ = platform.post("multichat", "some messages may be missing here");
                }
                Some(Event::State(state)) => tell_operator(&state),
                Some(_) => {} // edits, deletes, receipts, presence: as far as your platform has them
                None => return ExitCode::FAILURE, // the router does not want it any more, and it was told why
            },
        }
    }
}

/// Says where the connection stands to whoever runs the bridge.
fn tell_operator(state: &State) {
    match state {
        State::Online { .. } => eprintln!("connected"),
        State::Waiting { cause, retry_in, .. } => eprintln!("{cause}; next attempt in {retry_in:.1?}"),
        State::Closed { cause: Some(cause), .. } => eprintln!("{}", cause.explain()),
        _ => {}
    }
}
