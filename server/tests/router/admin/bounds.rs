//! What somebody who reaches the operators' port can take.

use serde_json::json;
use tokio::io::AsyncWriteExt as _;

use super::super::support::{Client, MIB, Operator, Pair, Route, Server, Setup};

/// So many connections there may be.
const MOST: usize = 64;

async fn server() -> Server {
    Setup::new().admin().limits(json!({"http-request-seconds": 0.2})).start().await
}

#[tokio::test]
async fn heads_and_bodies_are_bounded() {
    let server = server().await;
    let operator = Operator::of(&server);
    let long = format!("X-Long: {}\r\n\r\n", "x".repeat(17 * 1024));
    assert_eq!(operator.ask(&operator.request("GET", "/clients", &long)).await.status, 431);
    let many = "X-Many: x\r\n".repeat(65) + "\r\n";
    assert_eq!(operator.ask(&operator.request("GET", "/clients", &many)).await.status, 431);
    let large = json!({"name": "x".repeat(33 * 1024)});
    assert_eq!(operator.post_json("/rooms/default/mute", &large).await.status, 413);

    // A head that does not end, and a body.
    let mut slow = operator.connect().await;
    slow.send("GET /clients HTTP/1.1\r\n").await;
    slow.dropped().await;
    let rest = "Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{";
    let response = operator.ask(&operator.request("POST", "/rooms/default/mute", rest)).await;
    assert_eq!(response.status, 408);
    let idle = operator.connect().await;
    idle.dropped().await;
}

#[tokio::test]
async fn what_is_not_served_is_said() {
    let server = server().await;
    let operator = Operator::of(&server);
    for path in ["/nothing", "/clients/", "/rooms/default", "/metrics/x", "/page.css.map", "//"] {
        assert_eq!(operator.get(path).await.status, 404, "{path}");
    }
    for path in ["/", "/healthz", "/readyz", "/metrics", "/clients"] {
        let response = operator.post(path).await;
        assert_eq!((response.status, response.header("allow")), (405, Some("GET")), "{path}");
        let head = operator.ask(&operator.request("HEAD", path, "\r\n")).await;
        assert_eq!(head.status, 200, "{path}");
    }
    assert_eq!(operator.ask("nonsense\r\n\r\n").await.status, 400);
}

#[tokio::test]
async fn for_one_connection_too_many_the_oldest_goes() {
    let server = Setup::new().admin().limits(json!({"http-request-seconds": 600})).start().await;
    let operator = Operator::of(&server);
    let mut idle = Vec::new();
    for _ in 0..MOST {
        let mut browser = operator.connect().await;
        // Certainly counted: it was answered.
        browser.send(operator.request("GET", "/healthz", "\r\n")).await;
        assert_eq!(browser.response(false).await.status, 200);
        idle.push(browser);
    }
    assert_eq!(operator.get("/clients").await.status, 200, "somebody new is served");
    idle.remove(0).ended().await;
    let second = &mut idle[0];
    second.send(operator.request("GET", "/healthz", "\r\n")).await;
    assert_eq!(second.response(false).await.status, 200, "the others stay");
}

#[tokio::test]
async fn operators_who_read_nothing_hurt_nobody() {
    const CLIENTS: usize = 200;
    const ASKED: usize = 50;
    let server =
        Setup::new().admin().limits(json!({"unregistered-connections-per-address": 512})).start().await;
    let operator = Operator::of(&server);
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        clients.push(Client::join_by(Route::from(3), &server, &format!("{number:064}")).await);
    }
    let mut pair = Pair::start(&server).await;
    pair.talk().await;
    let before = server.memory();
    let mut stalled = Vec::new();
    for _ in 0..MOST / 2 {
        let mut browser = operator.connect().await;
        let request = operator.request("GET", "/clients", "\r\n");
        // As far as the sockets take it.
        for _ in 0..ASKED {
            browser.stream.write_all(request.as_bytes()).await.unwrap();
        }
        stalled.push(browser);
    }
    pair.talk().await;
    assert_eq!(operator.clients().await["clients"].as_array().unwrap().len(), CLIENTS + 2);
    assert_eq!(operator.get("/metrics").await.status, 200);
    let growth = server.memory().saturating_sub(before);
    assert!(growth < 64 * MIB, "{growth}");
    drop(stalled);
    pair.finish().await;
    drop(clients);
}
