//! How many there may be.

use serde_json::json;

use super::super::support::{
    Browser, Client, End, Pair, Route, Server, Setup, eventually, get, reason, upgrade, within,
};

/// Someone who has read the page and stays. Certainly counted: the router has answered it.
async fn visitor(server: &Server) -> Browser {
    let mut browser = Browser::connect(server).await;
    browser.send(get("/", "")).await;
    assert_eq!(browser.response(false).await.status, 200);
    browser
}

#[tokio::test]
async fn beyond_the_most_connections_an_upgrade_is_told_to_come_later() {
    let server = Setup::new().limits(json!({"connections": 2})).start().await;
    let mut alice = Client::join(&server, "alice").await;
    let bob = Client::join(&server, "bob").await;
    let response = Browser::ask(&server, &upgrade("/", "")).await;
    assert_eq!((response.status, response.header("retry-after")), (503, Some("5")));
    assert_eq!(Browser::ask(&server, &get("/", "")).await.status, 200, "pages are still served");

    // Who leaves makes room.
    drop(bob);
    server
        .logged("that bob is gone", |line| {
            line["client"].as_str().is_some_and(|name| name.contains("bob"))
                && line["message"] == "disconnected"
        })
        .await;
    let carol = async {
        loop {
            let mut browser = Browser::connect(&server).await;
            browser.send(upgrade("/", "")).await;
            // The log is a moment ahead.
            if let Ok(client) = Client::try_upgraded(browser).await {
                break client;
            }
        }
    };
    let mut carol = within("a place", carol).await;
    carol.register("carol").await;
    carol.chat("hello").await;
    assert_eq!(alice.hear().await.content, "hello");
}

#[tokio::test]
async fn an_address_has_so_many_unregistered_connections() {
    let server = Setup::new().limits(json!({"unregistered-connections-per-address": 3, "http-request-seconds": 60, "register-seconds": 60})).start().await;
    let mut pair = Pair::start(&server).await;
    // One in each stage.
    let idle = visitor(&server).await;
    let mut asking = visitor(&server).await;
    asking.send("GET / HTTP/1.1\r\n").await;
    let mut upgraded = Client::connect(&server).await;

    let response = Browser::ask(&server, &upgrade("/", "")).await;
    assert_eq!((response.status, response.header("retry-after")), (429, Some("5")));
    server.logged("a refusal", reason("from this address")).await;
    pair.talk().await;
    // Others are not concerned, and who has registered does not count.
    Client::join_by(Route::from(2), &server, "elsewhere").await;
    upgraded.register("late").await;
    Client::join(&server, "next").await;
    drop((idle, asking));
    pair.finish().await;
}

#[tokio::test]
async fn in_a_full_lobby_the_oldest_of_the_greediest_makes_room() {
    let server =
        Setup::new().limits(json!({"unregistered-connections": 4, "register-seconds": 60})).start().await;
    let mut honest = Client::connect_by(Route::from(3), &server).await;
    let mut greedy = Vec::new();
    for _ in 0..3 {
        greedy.push(Client::connect_by(Route::from(2), &server).await);
    }
    let pair = Pair::start_by(Route::from(4), &server).await;
    // Two came in, but one after the other: the first had left the lobby by then.
    assert_eq!(greedy[0].end().await, End::closed(4503, "overloaded"));
    server.logged("why it had to go", reason("made room")).await;
    honest.register("honest").await;
    for greedy in &mut greedy[1..] {
        greedy.register("greedy").await;
    }
    pair.finish().await;
}

#[tokio::test]
async fn an_evicted_connection_that_has_not_been_upgraded_is_just_dropped() {
    let server =
        Setup::new().limits(json!({"unregistered-connections": 1, "http-request-seconds": 60})).start().await;
    let visitor = visitor(&server).await;
    Client::join(&server, "next").await;
    visitor.ended().await;
}

#[tokio::test]
async fn evicted_connections_take_no_places() {
    const LOBBY: u8 = 4;
    let limits = json!({"connections": 2 * LOBBY, "unregistered-connections": LOBBY, "register-seconds": 60, "close-seconds": 60});
    let server = Setup::new().limits(limits).start().await;
    // They never answer the close that they get.
    let mut strangers = Vec::new();
    for address in 2..2 + 10 * LOBBY {
        strangers.push(Client::connect_by(Route::from(address), &server).await);
        let evicted = strangers.len().saturating_sub(LOBBY.into());
        eventually("one makes room", || server.log_count(|line| line["message"] == "refused") >= evicted)
            .await;
    }
    Client::join(&server, "honest").await;
}
