//! The router in numbers: what moves them.

use serde_json::json;
use tokio::{select, sync::oneshot};

use super::super::support::{
    Browser, Client, End, KEY, Metrics, Operator, Rich, Route, Setup, register, upgrade,
};

const PLAIN: &str = "dialect=\"plain\"";
const RICH: &str = "dialect=\"rich\"";

#[tokio::test]
async fn they_move_as_clients_come_talk_and_go() {
    let server = Setup::new().admin().start().await;
    let operator = Operator::of(&server);
    let start = operator.metrics().await;
    assert!(start.0.contains("multichat_connections{room=\"default\",dialect=\"plain\"} 0\n"));
    assert_eq!(start.count("multichat_websockets"), 0);

    let mut alice = Client::join(&server, "alice").await;
    let mut bob = Client::join(&server, "bob").await;
    let mut mc = Rich::join(&server, "mc").await;
    let waiting = Client::connect(&server).await;
    let metrics = operator.metrics().await;
    assert_eq!([PLAIN, RICH].map(|dialect| metrics.room("multichat_connections", dialect)), [2, 1]);
    assert_eq!(metrics.count("multichat_websockets"), 4);
    assert_eq!(metrics.count("multichat_websockets_limit"), 10_000);
    assert_eq!(metrics.count("multichat_unregistered_connections"), 1);
    assert_eq!(metrics.count("multichat_accepted_connections_total"), 4);
    assert_eq!(metrics.room("multichat_sessions", "state=\"connected\""), 1);

    // Two of three hear each, but for the delete: plain clients have no words for that.
    alice.chat("one").await;
    bob.hear().await;
    mc.hear().await;
    let seq = mc.chat("two").await;
    for change in [
        json!({"action": "client-edit", "target": seq, "content": "2", "id": "edit"}),
        json!({"action": "client-delete", "target": seq, "id": "delete"}),
    ] {
        mc.say(&change).await;
        assert_eq!(mc.hear().await["action"], "message-ack");
    }
    alice.say("not JSON").await;
    for client in [&mut alice, &mut bob, &mut mc.client] {
        client.settle().await;
    }
    let metrics = operator.metrics().await;
    let kinds = ["message", "edit", "delete"];
    let entered = kinds.map(|kind| metrics.room("multichat_messages_total", &format!("kind=\"{kind}\"")));
    assert_eq!(entered, [2, 1, 1]);
    assert_eq!(metrics.room("multichat_deliveries_total", ""), 6, "two of each of three");
    assert_eq!(metrics.room("multichat_received_messages_total", ""), 5);
    assert_eq!(metrics.room("multichat_log_entries", ""), 4);
    assert!(metrics.room("multichat_log_bytes", "") > 4 * 288);
    assert_eq!(metrics.room("multichat_max_lag_entries", ""), 0);
    let passes = metrics.room("multichat_delivery_latency_seconds_count", "");
    assert!((1..=8).contains(&passes), "{passes}");
    assert!(metrics.value("multichat_delivery_latency_seconds_sum{room=\"default\"}") > 0.0);
    let sent = metrics.room("multichat_sent_bytes_total", "");
    let received = metrics.room("multichat_received_bytes_total", "");
    assert!(sent > received && received > 300, "{sent}, {received}");

    // Who goes, and how.
    assert_eq!(metrics.room("multichat_disconnections_total", "reason=\"closed-by-client\""), 0);
    drop((alice, mc));
    drop(waiting);
    let metrics =
        operator.sees("that three are gone", |metrics| metrics.count("multichat_websockets") == 1).await;
    assert_eq!([PLAIN, RICH].map(|dialect| metrics.room("multichat_connections", dialect)), [1, 0]);
    assert_eq!(metrics.room("multichat_disconnections_total", "reason=\"lost\""), 2);
    assert_eq!(metrics.room("multichat_refused_registrations_total", "reason=\"lost\""), 1);
    assert_eq!(metrics.room("multichat_sessions", "state=\"away\""), 1);
    assert_eq!(metrics.room("multichat_deliveries_total", ""), 6, "those who are gone count on");
    assert!(metrics.room("multichat_sent_bytes_total", "") >= sent);
}

#[tokio::test]
async fn who_is_refused_is_counted_by_reason() {
    let limits = json!({"unregistered-connections-per-address": 1, "connections": 2});
    let server = Setup::new().admin().field("ws-path", "/chat").limits(limits).start().await;
    let operator = Operator::of(&server);
    // Each has given its place back before the next one comes.
    let all_gone = async || {
        let is_so = |metrics: &Metrics| metrics.count("multichat_unregistered_connections") == 0;
        operator.sees("that all are gone", is_so).await;
    };
    let refused = async |request: String| Browser::ask(&server, &request).await.status;
    assert_eq!(refused(upgrade("/elsewhere", "")).await, 404);
    all_gone().await;
    assert_eq!(refused(upgrade("/chat", "Origin: https://evil.example\r\n")).await, 403);
    all_gone().await;
    let mut browser = Browser::connect(&server).await;
    browser.send(upgrade("/chat", "")).await;
    let mut client = Client::upgraded(browser).await;
    assert_eq!(refused(upgrade("/chat", "")).await, 429);
    client.say(&register("irc", "wrong")).await;
    assert_eq!(client.end().await, End::Closed(4401, "unauthorized".to_owned()));
    let metrics = operator
        .sees("a wrong key", |metrics| {
            metrics.room("multichat_refused_registrations_total", "reason=\"unauthorized\"") == 1
        })
        .await;
    let refused =
        |reason: &str| metrics.count(&format!("multichat_refused_connections_total{{reason=\"{reason}\"}}"));
    assert_eq!(refused("wrong path"), 1);
    assert_eq!(refused("origin not allowed"), 1);
    assert_eq!(refused("too many unregistered connections from this address"), 1);
    assert_eq!(refused("the connection limit is reached"), 0);
}

#[tokio::test]
async fn slow_readers_are_counted_as_such() {
    let limits = json!({"packet-bytes": 65_536, "log-bytes": 262_144, "write-stall-seconds": 600});
    let server = Setup::new().admin().limits(limits).start().await;
    let operator = Operator::of(&server);
    let stalled = Client::join_by(Route::narrow(), &server, "stalled").await;
    let mut sender = Client::join(&server, "sender").await;
    let content = "x".repeat(60_000);
    while operator.metrics().await.room("multichat_disconnections_total", "reason=\"slow-consumer\"") == 0 {
        sender.chat(&content).await;
    }
    drop(stalled);
}

#[tokio::test]
async fn counters_never_fall_and_lose_nothing_while_clients_come_and_go() {
    const VISITS: usize = 40;
    const SAID: usize = 5;
    let server = Setup::new().admin().start().await;
    let operator = Operator::of(&server);
    let (stop, mut stopped) = oneshot::channel::<()>();
    let watching = operator.clone();
    let watch = tokio::spawn(async move {
        let mut before = watching.metrics().await;
        let mut looks = 0;
        loop {
            select! {
                _ = &mut stopped => return looks,
                now = watching.metrics() => {
                    let (earlier, later) = (before.series(), now.series());
                    for (series, value) in earlier {
                        let is_counter = ["_total", "_count", "_sum", "_bucket"]
                            .iter()
                            .any(|end| series.split('{').next().unwrap().ends_with(end));
                        assert!(!is_counter || later[series] >= value, "{series}: {value}, {}", later[series]);
                    }
                    before = now;
                    looks += 1;
                }
            }
        }
    });
    let mut speaker = Client::join(&server, "speaker").await;
    for visit in 0..VISITS {
        let mut visitor = Client::join(&server, "visitor").await;
        for said in 0..SAID {
            speaker.chat(&format!("{visit} {said}")).await;
            visitor.hear().await;
        }
        visitor.chat("bye").await;
        speaker.hear().await;
        drop(visitor);
        // So that nothing more is sent to it.
        operator.sees("that it is gone", |metrics| metrics.count("multichat_websockets") == 1).await;
    }
    let all = (VISITS * (SAID + 1)) as u64;
    let gone = |reason| format!("reason=\"{reason}\"");
    let metrics = operator
        .sees("that all visitors are gone", |metrics| {
            let ended = ["lost", "closed-by-client"]
                .map(|reason| metrics.room("multichat_disconnections_total", &gone(reason)));
            ended.iter().sum::<u64>() == VISITS as u64 && metrics.count("multichat_websockets") == 1
        })
        .await;
    stop.send(()).unwrap();
    assert!(watch.await.unwrap() > 1);
    assert_eq!(metrics.room("multichat_deliveries_total", ""), all);
    assert_eq!(metrics.room("multichat_received_messages_total", ""), all);
    assert_eq!(metrics.room("multichat_messages_total", "kind=\"message\""), all);
    // A key is in no label.
    assert!(!metrics.0.contains(KEY));
}

#[tokio::test]
async fn the_process_is_told_of_as_it_is() {
    let server = Setup::new().admin().start().await;
    let metrics = Operator::of(&server).metrics().await;
    let memory = metrics.count("process_resident_memory_bytes");
    let now = server.memory() as u64;
    assert!((now / 2..now * 2).contains(&memory), "{memory}, {now}");
    let open = metrics.count("process_open_fds");
    assert!(open.abs_diff(server.descriptors() as u64) < 5, "{open}");
    assert!(metrics.count("process_max_fds") > open);
    assert!(metrics.value("process_cpu_seconds_total") <= server.cpu().as_secs_f64() + 0.02);
    let version = format!("multichat_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"));
    assert_eq!(metrics.count(&version), 1);
    assert_eq!(metrics.count("multichat_config_last_reload_successful"), 1);
}

#[tokio::test]
async fn an_end_can_be_watched() {
    let mut server =
        Setup::new().admin().limits(json!({"shutdown-seconds": 60, "log-bytes": 64 << 20})).start().await;
    let operator = Operator::of(&server);
    let response = operator.get("/readyz").await;
    assert_eq!((response.status, response.text()), (200, "ready\n"));
    // Somebody who does not read what it should get keeps the router from its end.
    let stalled = Client::join_by(Route::narrow(), &server, "stalled").await;
    let mut sender = Client::join(&server, "sender").await;
    while operator.client("stalled").await["lag"] == 0 {
        sender.chat(&"x".repeat(100_000)).await;
    }
    server.signal(super::super::support::Signal::TERM);
    sender.end().await;
    let response = operator.get("/readyz").await;
    assert_eq!((response.status, response.text()), (503, "shutting down\n"));
    assert_eq!(operator.get("/healthz").await.status, 200);
    assert_eq!(operator.clients().await["shutting-down"], true);
    stalled.stream.reset();
    assert_eq!(server.ended().await.code(), Some(0));
}
