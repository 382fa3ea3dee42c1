//! `X-Forwarded-For`.

use serde_json::json;

use super::{
    super::support::{Browser, Client, End, Pair, Setup, get, reason},
    DELAY, PROXY, address_of, dial, guess, try_upgrade,
};

/// A router that believes the proxy.
fn behind_proxy() -> Setup {
    Setup::new().field("trusted-proxies", json!(["127.0.0.2"]))
}

fn forwarded(addresses: &str) -> String {
    format!("X-Forwarded-For: {addresses}\r\n")
}

#[tokio::test]
async fn the_log_says_where_a_connection_really_comes_from() {
    for setup in [behind_proxy(), behind_proxy().wss()] {
        let server = setup.start().await;
        for (from, headers, expected) in [
            (PROXY, forwarded("203.0.113.7"), "203.0.113.7"),
            (PROXY, forwarded("[2001:db8::7]:1234"), "[2001:db8::7]:1234"),
            (PROXY, forwarded("198.51.100.1, 203.0.113.7, 127.0.0.2"), "203.0.113.7"),
            (PROXY, [forwarded("198.51.100.1"), forwarded("203.0.113.7")].concat(), "203.0.113.7"),
            (PROXY, forwarded("198.51.100.1, unknown"), "127.0.0.2:"),
            (PROXY, String::new(), "127.0.0.2:"),
            // Who is no proxy may say what it likes.
            (3, forwarded("203.0.113.7"), "127.0.0.3:"),
            (3, forwarded("127.0.0.2"), "127.0.0.3:"),
        ] {
            let name = format!("{from} {}", headers.len());
            let address = address_of(&server, dial(&server, from).await, &headers, &name).await;
            assert!(address.starts_with(expected), "{headers}: {address}");
            let is_whole = !expected.ends_with(':');
            assert!(!is_whole || address == expected, "{headers}: {address}");
        }
    }
}

#[tokio::test]
async fn by_default_nobody_is_believed() {
    let server = Setup::new().start().await;
    let address = address_of(&server, dial(&server, 2).await, &forwarded("203.0.113.7"), "a name").await;
    assert!(address.starts_with("127.0.0.2:"), "{address}");
}

#[tokio::test]
async fn a_client_that_guesses_keys_slows_itself_alone() {
    let limits = json!({"failed-registrations-per-minute": 3});
    let server = behind_proxy().limits(limits).start().await;
    let pair = Pair::start(&server).await;
    let (guesser, other) = (forwarded("203.0.113.7"), forwarded("203.0.113.8"));
    for number in 0..3 {
        // What the guesser claims itself does not help it.
        let claimed = forwarded(&format!("198.51.100.{number}, 203.0.113.7"));
        assert!(guess(dial(&server, PROXY).await, &claimed).await.at_work < DELAY);
    }
    let lap = guess(dial(&server, PROXY).await, &guesser).await;
    assert!(lap.in_all >= DELAY, "{lap:?}");
    let lap = guess(dial(&server, PROXY).await, &other).await;
    assert!(lap.at_work < DELAY, "{lap:?}");
    // By itself it is somebody else, and whom it names there is nobody's concern.
    let lap = guess(dial(&server, 3).await, &guesser).await;
    assert!(lap.at_work < DELAY, "{lap:?}");
    for number in 0..3 {
        guess(dial(&server, 3).await, &forwarded(&format!("198.51.100.{number}"))).await;
    }
    let lap = guess(dial(&server, 3).await, &other).await;
    assert!(lap.in_all >= DELAY, "a new name for each guess does not help: {lap:?}");
    pair.finish().await;
}

#[tokio::test]
async fn a_client_behind_a_proxy_has_so_many_places() {
    let limits = json!({
        "unregistered-connections-per-address": 2, "http-request-seconds": 60, "register-seconds": 60,
    });
    let server = behind_proxy().limits(limits).start().await;
    // The proxy's own connections are nobody's yet.
    let mut idle = Vec::new();
    for _ in 0..8 {
        idle.push(Browser::over(dial(&server, PROXY).await));
    }
    let (first, second) = (forwarded("203.0.113.7"), forwarded("203.0.113.8"));
    let mut visitor = Browser::over(dial(&server, PROXY).await);
    visitor.send(get("/", &first)).await;
    assert_eq!(visitor.response(false).await.status, 200);
    let mut client = try_upgrade(dial(&server, PROXY).await, &first).await.unwrap();
    let refusal = try_upgrade(dial(&server, PROXY).await, &first).await.unwrap_err();
    assert_eq!((refusal.status, refusal.header("retry-after")), (429, Some("5")));
    let line = server.logged("a refusal", reason("from this address")).await;
    assert_eq!((line["message"].as_str(), line["address"].as_str()), (Some("refused"), Some("203.0.113.7")));

    // Others are not concerned.
    try_upgrade(dial(&server, PROXY).await, &second).await.unwrap().register("other").await;
    // The proxy's next request by a connection may be for somebody else, and be one too many.
    let other = try_upgrade(dial(&server, PROXY).await, &second).await.unwrap();
    visitor.send(get("/", &second)).await;
    assert_eq!(visitor.response(false).await.status, 200);
    try_upgrade(dial(&server, PROXY).await, &first).await.unwrap().register("in its place").await;
    let mut last = Browser::over(dial(&server, PROXY).await);
    last.send(get("/", &second)).await;
    let response = last.response(false).await;
    assert_eq!((response.status, response.header("connection")), (429, Some("close")));
    last.ended().await;

    // Who registers makes room.
    client.register("first").await;
    try_upgrade(dial(&server, PROXY).await, &first).await.unwrap().register("next").await;
    drop((idle, other));
}

#[tokio::test]
async fn who_is_no_proxy_gets_no_more_places_by_naming_others() {
    let limits = json!({"unregistered-connections-per-address": 2, "register-seconds": 60});
    let server = behind_proxy().limits(limits).start().await;
    let mut clients = Vec::new();
    for number in 0..2 {
        let headers = forwarded(&format!("203.0.113.{number}"));
        clients.push(try_upgrade(dial(&server, 3).await, &headers).await.unwrap());
    }
    let refusal = try_upgrade(dial(&server, 3).await, &forwarded("203.0.113.9")).await.unwrap_err();
    assert_eq!(refusal.status, 429);
    // Nor does it take those of whom it names.
    for _ in 0..2 {
        let headers = forwarded("203.0.113.0");
        clients.push(try_upgrade(dial(&server, PROXY).await, &headers).await.unwrap());
    }
}

#[tokio::test]
async fn what_a_proxy_has_open_for_nobody_is_bounded_by_the_whole() {
    let limits = json!({
        "unregistered-connections": 4, "unregistered-connections-per-address": 2,
        "http-request-seconds": 60, "register-seconds": 60,
    });
    let server = behind_proxy().limits(limits).start().await;
    let mut honest = try_upgrade(dial(&server, PROXY).await, &forwarded("203.0.113.8")).await.unwrap();
    let mut idle = Vec::new();
    for _ in 0..3 {
        idle.push(Browser::over(dial(&server, PROXY).await));
    }
    let mut next = Client::over(dial(&server, 3).await).await;
    // Whichever of the idle ones came first.
    let line = server.logged("who had to go", reason("made room")).await;
    assert!(line["address"].as_str().unwrap().starts_with("127.0.0.2:"), "{line}");
    next.register("next").await;
    honest.register("honest").await;
    let mut late = try_upgrade(dial(&server, PROXY).await, &forwarded("203.0.113.9")).await.unwrap();
    late.say("{}").await;
    assert_eq!(late.end().await, End::closed(4400, "bad-register"));
}
