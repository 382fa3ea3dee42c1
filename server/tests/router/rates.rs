//! Rates that all connections of a name share.

use std::time::Duration;

use serde_json::{Value, json};

use super::support::{Client, End, Frame, KEY, Rich, Server, Setup, Stopwatch, Text, frame, reason};

/// How many messages there may be at once.
const BURST: usize = 50;

/// A router that knows such a client, whose key is [`KEY`]; `rates` are its other fields.
async fn serve(name: &str, rates: Value) -> Server {
    let mut client = rates;
    client["secret-key"] = json!(KEY);
    Setup::new()
        .field("secret-key", format!("{KEY}-shared"))
        .field("clients", json!({name: client}))
        .start()
        .await
}

/// Says so many messages. Returns how many are taken; the others are refused.
async fn taken(rich: &mut Rich, said: &mut usize, messages: usize, content: &str) -> usize {
    let mut taken = 0;
    for _ in 0..messages {
        *said += 1;
        rich.say(&json!({"action": "client-message", "content": content, "id": said.to_string()})).await;
        let answer = loop {
            let packet = rich.hear().await;
            // What others of its name say, it hears.
            if packet["action"] != "forwarding-message" {
                break packet;
            }
        };
        match answer["action"].as_str().unwrap() {
            "message-ack" => taken += 1,
            _ => assert_eq!(answer["code"], "rate-limited", "{answer}"),
        }
    }
    taken
}

#[tokio::test]
async fn connections_share_the_rate_of_their_name_and_a_new_one_has_no_more() {
    let server = serve("web-*", json!({"messages-per-second": 1, "messages-burst": BURST})).await;
    let start = Stopwatch::start();
    let (mut said, mut in_all) = (0, 0);
    let mut one = Rich::join(&server, "web-1").await;
    assert_eq!(one.ack["limits"]["messages-per-second"], 1);
    assert_eq!(one.ack["limits"]["messages-burst"], BURST);
    let mut other = Rich::join(&server, "web-1").await;
    for rich in [&mut one, &mut other] {
        in_all += taken(rich, &mut said, BURST / 2, "x").await;
    }
    assert_eq!(in_all, BURST, "all of the burst");
    in_all += taken(&mut other, &mut said, BURST / 2, "x").await;
    drop((one, other));
    let mut again = Rich::join(&server, "web-1").await;
    in_all += taken(&mut again, &mut said, BURST, "x").await;
    let back = usize::try_from(start.stop().in_all.as_secs()).unwrap() + 1;
    assert!(in_all <= BURST + back, "{in_all} were taken, and only {back} came back");

    // Another name has its own.
    let mut web_2 = Rich::join(&server, "web-2").await;
    assert_eq!(taken(&mut web_2, &mut said, BURST, "x").await, BURST);
}

#[tokio::test]
async fn bytes_are_counted_over_all_connections_of_a_name() {
    const PER_SECOND: usize = 1000;
    const PACKET: usize = 10_000;
    let rates = json!({"bytes-per-second": PER_SECOND, "bytes-burst": 10 * PACKET});
    let server = serve("irc", rates).await;
    let content = "x".repeat(PACKET);
    let start = Stopwatch::start();
    let (mut said, mut in_all) = (0, 0);
    for _ in 0..3 {
        let mut rich = Rich::join(&server, "irc").await;
        in_all += taken(&mut rich, &mut said, 15, &content).await;
    }
    // The last one is larger than what is left, and is paid for afterwards.
    let back = usize::try_from(start.stop().in_all.as_secs()).unwrap() + 1;
    assert!((10..=11 + back * PER_SECOND / PACKET).contains(&in_all), "{in_all}");
}

#[tokio::test]
async fn who_goes_on_beyond_the_rate_is_closed() {
    let server = serve("irc", json!({"messages-per-second": 1, "messages-burst": 10})).await;
    let mut rich = Rich::join(&server, "irc").await;
    let mut watcher = Client::enter(&server, "/", "watcher", &format!("{KEY}-shared")).await.unwrap();
    let packet = json!({"action": "client-message", "content": "x"}).to_string();
    // More than time gives back while this is read.
    while rich.client.try_send(&frame(Frame::WHOLE_TEXT, packet.as_bytes())).await.is_ok() {}
    let (end, _) = rich.client.end_and_texts().await;
    assert!([End::closed(4529, "rate-limited"), End::Reset].contains(&end), "{end:?}");
    server.logged("why", reason("went on beyond its rate")).await;
    watcher.settle().await;
}

#[tokio::test]
async fn plain_connections_of_a_name_wait_and_lose_nothing() {
    const MESSAGES: usize = 40;
    for rates in [
        json!({"messages-per-second": 20, "messages-burst": 20}),
        json!({"bytes-per-second": 20_000, "bytes-burst": 20_000}),
    ] {
        let server = serve("irc", rates).await;
        let mut listener = Client::enter(&server, "/", "listener", &format!("{KEY}-shared")).await.unwrap();
        let mut clients = [Client::join(&server, "irc").await, Client::join(&server, "irc").await];
        let start = Stopwatch::start();
        let content = |client: usize, number: usize| format!("{client} {number:0900}");
        for (at, client) in clients.iter_mut().enumerate() {
            for number in 0..MESSAGES {
                client.chat(&content(at, number)).await;
            }
        }
        let mut heard = [0, 0];
        while heard != [MESSAGES; 2] {
            let text = listener.hear().await;
            let from = usize::from(text.content.starts_with('1'));
            assert_eq!(text, Text::new("irc", &content(from, heard[from])), "in order, and none lost");
            heard[from] += 1;
        }
        // 60 of the 80 had to wait for a 20th of a second each.
        assert!(start.stop().in_all > Duration::from_millis(2500), "they do not wait");
        for client in &mut clients {
            client.settle().await;
        }
    }
}
