//! Files that are wrong, missing, half written, or written all the time; and signals that come at a bad moment.

use serde_json::json;

use super::{
    super::support::{Client, End, KEY, Server, Setup, Signal, is_reloaded, reason},
    going_away, is_not_reloaded, join, key_of, revoked, say_and_hear,
};

/// The program's own file, with another key.
fn with_key(server: &Server, name: &str) -> String {
    let mut config = server.config().clone();
    config["secret-key"] = json!(key_of(name));
    config.to_string()
}

#[tokio::test]
async fn a_bad_file_changes_nothing_and_is_said_once_with_all_that_is_wrong() {
    let server = Server::start().await;
    let mut clients = [join(&server, "a").await, join(&server, "b").await];
    let bad =
        json!({"ws-path": "chat", "host": 1, "secret-key": key_of("new"), "limits": {"packet-bytes": 1}});
    server.folder().replace("config.json", bad.to_string());
    for field in ["ws-path", "host", "limits.packet-bytes"] {
        server.logged(field, is_not_reloaded(&format!("\"{field}\" must be"))).await;
    }
    let [one, other] = &mut clients;
    say_and_hear(one, "a", &mut [other], "still here").await;
    join(&server, "newcomer").await;

    // The next good one is taken, and until then nothing more is said of the bad one.
    server.folder().replace("config.json", with_key(&server, "new"));
    assert_eq!(one.end().await, revoked());
    assert_eq!(server.log_count(is_not_reloaded("")), 3);
    server.reloaded(0).await;
}

#[tokio::test]
async fn a_file_that_is_missing_or_half_written_is_waited_for() {
    let server = Server::start().await;
    let mut client = join(&server, "client").await;
    server.folder().rename("config.json", "config.json.away");
    server.logged("that it is missing", is_not_reloaded("cannot be read")).await;
    let whole = with_key(&server, "new");
    server.folder().replace("config.json", &whole[..whole.len() / 2]);
    server.logged("that it is half a file", is_not_reloaded("not JSON")).await;
    client.chat("still here").await;
    client.settle().await;
    server.folder().replace("config.json", &whole);
    assert_eq!(client.end().await, revoked());
    Client::enter(&server, "/", "newcomer", &key_of("new")).await.unwrap();
    assert_eq!(server.log_count(is_not_reloaded("")), 2);

    // What was moved away and comes back is as good as another.
    server.folder().rename("config.json.away", "config.json");
    server.reloaded(1).await;
    join(&server, "newcomer").await;
}

#[tokio::test]
async fn a_key_file_that_is_missing_at_first_is_waited_for() {
    let mut server = Server::start().await;
    let mut config = server.config().clone();
    config["clients"] = json!({"irc": {"secret-key": {"file": "irc.key"}}});
    server.folder().replace("config.json", config.to_string());
    server.logged("that it is missing", is_not_reloaded("irc.key")).await;
    server.folder().write("irc.key", key_of("irc"));
    server.reloaded(0).await;
    Client::enter(&server, "/", "irc", &key_of("irc")).await.unwrap();
    server.reload(|_| {}).await;
    Client::enter(&server, "/", "irc", KEY).await.unwrap();
}

#[tokio::test]
async fn a_folder_of_pages_that_is_missing_at_first_is_waited_for() {
    let server = Server::start().await;
    let mut config = server.config().clone();
    config["web-root"] = json!("www");
    server.folder().replace("config.json", config.to_string());
    server.logged("that it is missing", is_not_reloaded("web-root")).await;
    server.folder().write("www/index.html", "a page");
    server.reloaded(0).await;
}

#[tokio::test]
async fn what_needs_a_restart_is_said() {
    let mut server = Server::start().await;
    server.reload(|config| config["host"] = json!("127.0.0.1:1")).await;
    server.logged("what", |line| line["message"] == "needs a restart" && line["field"] == "host").await;
    join(&server, "newcomer").await;
    server.reload(|config| config["colour"] = json!("red")).await;
    server
        .logged("a warning", |line| line["message"].as_str().unwrap().contains("unknown field \"colour\""))
        .await;
}

#[tokio::test]
async fn of_many_signals_at_once_the_last_state_holds() {
    let mut server = Server::start().await;
    let mut staying = Client::enter(&server, "/", "irc", KEY).await.unwrap();
    server.reload(|config| config["clients"] = json!({"qq": {"secret-key": key_of("qq")}})).await;
    for number in 0..20 {
        server.folder().replace("config.json", with_key(&server, &number.to_string()));
        for _ in 0..5 {
            server.signal(Signal::HUP);
        }
    }
    let last = server.config().to_string();
    server.folder().replace("config.json", &last);
    server.signal(Signal::HUP);
    // Whatever was loaded in between.
    assert_eq!(staying.end().await, revoked());
    let mut client = loop {
        match Client::enter(&server, "/", "irc", KEY).await {
            Ok(client) => break client,
            Err(end) => assert_eq!(end, End::closed(4401, "unauthorized")),
        }
    };
    server.hang_up().await;
    client.chat("here").await;
    client.settle().await;
    assert_eq!(server.log_count(is_not_reloaded("")), 0);
}

#[tokio::test]
async fn the_end_comes_while_files_are_loaded() {
    for _ in 0..5 {
        let mut server = Setup::new().wss().start().await;
        let mut clients = [join(&server, "a").await, join(&server, "b").await];
        for signal in [Signal::HUP, Signal::HUP, Signal::TERM, Signal::HUP] {
            server.signal(signal);
        }
        for client in &mut clients {
            assert_eq!(client.end().await, going_away());
        }
        assert_eq!(server.ended().await.code(), Some(0));
        server.log_ended().await;
        assert_eq!(server.log_count(reason("the server failed")), 0);
        assert!(server.log_count(is_reloaded) <= 2);
    }
}
