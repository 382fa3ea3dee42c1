//! Behind proxies: whom the router believes when it is told whom a connection is for.

mod forwarded_for;
mod proxy_header;

use std::time::Duration;

use serde_json::Value;

use super::support::{
    Browser, Client, End, KEY, Lap, Response, Route, Server, Stopwatch, Stream, register, upgrade,
};

/// How long one who guesses keys over and over waits.
const DELAY: Duration = Duration::from_secs(1);

/// The proxy of these tests is 127.0.0.2.
const PROXY: u8 = 2;

/// Asks for an upgrade over a connection, with further header lines.
async fn try_upgrade(stream: Stream, more: &str) -> Result<Client, Response> {
    let mut browser = Browser::over(stream);
    browser.send(upgrade("/", more)).await;
    Client::try_upgraded(browser).await
}

/// Tries a wrong key over a connection. Returns how long the answer took.
async fn guess(stream: Stream, more: &str) -> Lap {
    let mut client = try_upgrade(stream, more).await.expect("an upgrade");
    let start = Stopwatch::start();
    client.say(&register("guesser", "wrong")).await;
    assert_eq!(client.end().await, End::closed(4401, "unauthorized"));
    start.stop()
}

/// Registers over a connection. Returns where the log says that it comes from, without the port.
async fn address_of(server: &Server, stream: Stream, more: &str, name: &str) -> String {
    let mut client = try_upgrade(stream, more).await.expect("an upgrade");
    client.say(&register(name, KEY)).await;
    client.acknowledged().await;
    drop(client);
    let of = |message: &'static str| {
        let name = name.to_owned();
        move |line: &Value| {
            line["message"] == message && line["client"].as_str().is_some_and(|client| client.contains(&name))
        }
    };
    let [first, last] = [
        server.logged("who registered", of("registered")).await,
        server.logged("who left", of("disconnected")).await,
    ]
    .map(|line| line["address"].as_str().unwrap().to_owned());
    assert_eq!(first, last, "all lines say the same");
    first
}

/// A connection from an address of 127.0.0.0/8.
async fn dial(server: &Server, from: u8) -> Stream {
    Route::from(from).dial(server).await
}
