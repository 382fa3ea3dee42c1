//! The HTTP side of the port.

mod files;
mod origins;
mod places;
mod requests;
mod upgrades;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use tokio::net::{TcpListener, TcpStream};

use super::support::{Browser, Client, Server, Setup, Stream, get};

#[tokio::test]
async fn a_browser_gets_a_page_that_says_what_this_is() {
    let server = Server::start().await;
    let mut browser = Browser::connect(&server).await;
    // Several requests on one connection.
    for _ in 0..3 {
        browser.send(get("/", "")).await;
        let response = browser.response(false).await;
        assert_eq!(response.status, 200);
        assert_eq!(response.header("content-type"), Some("text/html; charset=utf-8"));
        assert!(response.text().contains("multichat router"));
    }
    let response = Browser::ask(&server, "GET / HTTP/1.0\r\n\r\n").await;
    assert_eq!((response.status, response.text().contains("multichat")), (200, true));
}

#[tokio::test]
async fn head_is_a_get_without_a_body() {
    let server = Server::start().await;
    let mut browser = Browser::connect(&server).await;
    browser.send("HEAD / HTTP/1.1\r\nHost: router.example\r\n\r\n").await;
    let head = browser.response(true).await;
    // Had there been a body, it would be read as the next answer.
    browser.send(get("/", "")).await;
    let full = browser.response(false).await;
    assert_eq!((head.status, head.header("content-type")), (200, full.header("content-type")));
    assert_eq!(head.header("content-length"), Some(full.body.len().to_string().as_str()));
}

#[tokio::test]
async fn without_a_host_every_interface_is_served() {
    let server = Setup::new().field("host", ":0").start().await;
    let mut addresses: Vec<IpAddr> = vec![Ipv4Addr::LOCALHOST.into(), Ipv4Addr::new(127, 0, 0, 2).into()];
    // Not every machine has IPv6.
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await.is_ok() {
        addresses.push(Ipv6Addr::LOCALHOST.into());
    }
    for address in addresses {
        let tcp = TcpStream::connect((address, server.address().port())).await.unwrap();
        Client::over(Stream::Plain(tcp)).await.register("someone").await;
    }
}

#[tokio::test]
async fn a_path_with_nothing_there_is_not_found() {
    let server = Setup::new().field("ws-path", "/chat").start().await;
    for path in ["/favicon.ico", "/index.html", "/chat/below", "/..", "/%00"] {
        let response = Browser::ask(&server, &get(path, "")).await;
        assert_eq!((response.status, response.text()), (404, "There is nothing here.\n"), "{path}");
    }
}

#[tokio::test]
async fn where_the_websocket_is_a_plain_get_is_told_so() {
    let server = Setup::new().field("ws-path", "/chat").start().await;
    let response = Browser::ask(&server, &get("/chat", "")).await;
    assert_eq!((response.status, response.header("upgrade")), (426, Some("websocket")));
    assert!(response.text().contains("WebSocket"), "{response:?}");
}

#[tokio::test]
async fn other_methods_are_not_allowed() {
    let server = Server::start().await;
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "BREW"] {
        let request = format!("{method} / HTTP/1.1\r\nHost: router.example\r\nContent-Length: 4\r\n\r\nbody");
        let response = Browser::ask(&server, &request).await;
        assert_eq!((response.status, response.header("allow")), (405, Some("GET, HEAD")), "{method}");
    }
}
