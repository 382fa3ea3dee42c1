//! Peers that are gone without a word.

use std::{fs, net::SocketAddr, time::Duration};

use serde_json::{Value, json};

use super::super::support::{Client, Pair, Route, Server, Setup, eventually};

/// The row of `/proc/net/tcp` for the router's end of a connection, cut at white space.
fn kernel_row(router: SocketAddr, client: SocketAddr) -> Option<Vec<String>> {
    let hex = |address: SocketAddr| match address {
        SocketAddr::V4(v4) => format!("{:08X}:{:04X}", u32::from_ne_bytes(v4.ip().octets()), v4.port()),
        SocketAddr::V6(_) => unreachable!("the tests use IPv4"),
    };
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let rows = table.lines().map(|row| row.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    rows.into_iter().find(|row| row.get(1) == Some(&hex(router)) && row.get(2) == Some(&hex(client)))
}

fn is_gone(line: &Value) -> bool {
    line["message"] == "disconnected" && line["client"].as_str().is_some_and(|name| name.contains("vanished"))
}

/// Waits until router and kernel have forgotten it.
async fn forgotten(server: &Server, client: SocketAddr) -> Value {
    let line = server.logged("that it is gone", is_gone).await;
    eventually("the kernel forgets it", || kernel_row(server.address(), client).is_none()).await;
    line
}

#[tokio::test]
async fn a_silent_peer_that_vanishes_is_noticed() {
    let limits = json!({"ping-seconds": 0.5, "pong-seconds": 4});
    let vanished = async |setup: Setup| {
        let server = setup.limits(limits.clone()).start().await;
        let client = Client::join(&server, "vanished").await;
        let mut watcher = Client::join(&server, "watcher").await;
        let address = client.stream.tcp().local_addr().unwrap();
        assert!(kernel_row(server.address(), address).is_some());
        client.stream.vanish();
        let watching = async {
            // Answers pings, and is not taken for gone.
            let text = watcher.hear().await;
            assert_eq!(text.content, "and who is still there?");
        };
        let ((line, _late), ()) = tokio::join!(
            async {
                let line = forgotten(&server, address).await;
                let mut late = Client::join(&server, "late").await;
                late.chat("and who is still there?").await;
                (line, late)
            },
            watching
        );
        assert_eq!(line["reason"], "no answer to a ping");
        assert_eq!(server.log_count(is_gone), 1);
    };
    tokio::join!(vanished(Setup::new()), vanished(Setup::new().wss()));
}

#[tokio::test]
async fn a_peer_that_vanishes_while_others_talk_is_noticed_and_harms_nobody() {
    let limits = json!({"ping-seconds": 0.5, "pong-seconds": 4});
    let server = Setup::new().limits(limits).start().await;
    let pair = Pair::start(&server).await;
    let client = Client::join(&server, "vanished").await;
    let address = client.stream.tcp().local_addr().unwrap();
    client.stream.vanish();
    forgotten(&server, address).await;
    pair.finish().await;
}

#[tokio::test]
async fn a_peer_that_vanishes_behind_its_close_leaves_nothing_behind() {
    let server = Setup::new().limits(json!({"close-seconds": 0.3, "register-seconds": 0.3})).start().await;
    let client = Client::connect(&server).await;
    let address = client.stream.tcp().local_addr().unwrap();
    client.stream.vanish();
    // It does not register in time, is told so, and does not answer.
    eventually("the kernel forgets it", || kernel_row(server.address(), address).is_none()).await;
}

/// With the limits as they are by default the kernel asks after a peer too, in every stage.
#[tokio::test]
async fn the_kernel_looks_after_connections() {
    const KEEPALIVE: &str = "02";
    let server = Server::start().await;
    let tcp = Route::USUAL.dial_tcp(&server).await;
    let address = tcp.local_addr().unwrap();
    eventually("the connection is in the kernel's table", || kernel_row(server.address(), address).is_some())
        .await;
    let row = kernel_row(server.address(), address).unwrap();
    let (timer, ticks) = row[5].split_once(':').unwrap();
    assert_eq!(timer, KEEPALIVE, "{row:?}");
    let time = Duration::from_millis(10 * u64::from_str_radix(ticks, 16).unwrap());
    assert!(time <= Duration::from_secs(25), "in {time:?}");
}
