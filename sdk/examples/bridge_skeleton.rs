//! Where a bridge begins: put your platform in place of `Platform`.
//!
//! ```sh
//! MULTICHAT_KEY='correct horse' cargo run --example bridge_skeleton -- ws://127.0.0.1:6780/
//! ```

use std::io::{Stdout, Write, stdout};
use std::process::ExitCode;
use std::time::Duration;

use multichat::protocol::{ClientMessage, ClientReceipt, ReceiptStatus, Sender, ServerPacket};
use multichat::{Client, Event, State, render_plain};
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

    /// Says something on the platform. Who said it stands before the text, and the files behind it.
    fn post(&mut self, client: &str, text: &str) -> std::io::Result<()> {
        // Strangers wrote it: what would move the cursor of a terminal, or change its colours, stays out.
        let text = text.replace(|character: char| character.is_control() && character != '\n', "");
        writeln!(self.output, "[{client}] {text}")
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
                let sent = client.send(message);
                // In a task of its own: it may be long until it is known that it arrived.
                tokio::spawn(async move {
                    if let Err(failure) = sent.await {
                        eprintln!("not confirmed: {}: {}", failure.text(), failure.explain());
                    }
                });
            }
            event = events.next() => match event {
                Some(Event::Message(message)) if !message.own => {
                    let (place, is_live) = (message.place, !message.replay);
                    let client_name = message.source_client_name.clone();
                    // As plain text. What your platform can show better, take from the message itself.
                    let text = render_plain(&ServerPacket::Message(message.entry), None).unwrap_or_default();
                    let posted = platform.post(&client_name, &text);
                    if let Some(place) = place.filter(|_| is_live) {
                        let status = if posted.is_ok() { ReceiptStatus::Delivered } else { ReceiptStatus::Failed };
                        let _ = client.report(ClientReceipt::new(place.seq, status)); // a courtesy
                    }
                }
                Some(Event::Gap(_) | Event::Lagged { .. }) => {
                    let _ = platform.post("multichat", "some messages may be missing here");
                }
                Some(Event::Refused(refusal)) => eprintln!("refused: {}", refusal.reason),
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
