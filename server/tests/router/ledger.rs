//! Everybody hears everybody, once and in one order.

use std::collections::HashMap;

use tokio::task::JoinSet;

use super::support::{Client, Route, Server, Setup, Text, Version};

const CLIENTS: usize = 20;
const MESSAGES: usize = 100;

/// One client: says so much, and hears what the others say.
async fn take_part(name: String, mut client: Client) -> (String, Vec<Text>) {
    let mut heard = Vec::new();
    let all = MESSAGES * (CLIENTS - 1);
    for number in 0..MESSAGES {
        client.chat(&format!("{number}")).await;
        // All talk at once, but each listens as fast as it talks, as an honest client does.
        while heard.len() < all * (number + 1) / MESSAGES / 2 {
            heard.push(client.hear().await);
        }
    }
    while heard.len() < all {
        heard.push(client.hear().await);
    }
    (name, heard)
}

/// The clients' routes are taken in turn.
async fn chat(server: &Server, routes: &[Route]) {
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        let name = format!("client {number}");
        let client = Client::join_by(routes[number % routes.len()], server, &name).await;
        clients.push((name, client));
    }
    let mut tasks = JoinSet::new();
    for (name, client) in clients {
        tasks.spawn(take_part(name, client));
    }
    check(&tasks.join_all().await);
}

fn check(ledgers: &[(String, Vec<Text>)]) {
    // Each client misses only its own messages; two clients' ledgers together tell the whole order.
    let mut follows: HashMap<&str, Vec<&Text>> = HashMap::new();
    for (name, heard) in ledgers {
        for other in ledgers.iter().map(|(name, _)| name).filter(|other| *other != name) {
            let numbers = heard.iter().filter(|text| text.source == *other).map(|text| text.content.as_str());
            let expected = (0..MESSAGES).map(|number| number.to_string());
            assert!(expected.eq(numbers), "{name} hears all of {other}, once and in its order");
        }
        follows.insert(name, heard.iter().collect());
    }
    for (one, heard) in &follows {
        for (other, also_heard) in &follows {
            let common = heard.iter().filter(|text| text.source != *other);
            let also_common = also_heard.iter().filter(|text| text.source != *one);
            assert!(common.eq(also_common), "{one} and {other} hear the rest in one order");
        }
    }
}

#[tokio::test]
async fn all_hear_all_messages_once_and_in_one_order() {
    chat(&Server::start().await, &[Route::USUAL]).await;
}

#[tokio::test]
async fn all_hear_all_messages_once_and_in_one_order_over_tls() {
    let server = Setup::new().wss().start().await;
    chat(&server, &[Route::by(Version::Tls12), Route::by(Version::Tls13)]).await;
}
