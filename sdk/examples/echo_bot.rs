//! A bot that answers `!echo something` with `something`.
//!
//! ```sh
//! MULTICHAT_KEY='correct horse' cargo run --example echo_bot -- ws://127.0.0.1:6780/
//! ```

use multichat::{Client, Event};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).ok_or("usage: MULTICHAT_KEY=<key> echo_bot <url>")?;
    let key = std::env::var("MULTICHAT_KEY").map_err(|_| "MULTICHAT_KEY is not set")?;
    let (client, mut events) =
        Client::builder(url, "echo").key(key).connect().await.map_err(|error| error.explain())?;
    while let Some(event) = events.next().await {
        let Event::Message(message) = event else { continue };
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
    Ok(())
}
