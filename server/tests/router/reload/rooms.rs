//! Rooms that come, go and move while clients are connected.

use serde_json::{Value, json};

use super::{
    super::support::{Browser, Client, KEY, Rich, Server, Setup, Text, get, register, upgrade},
    going_away, join, key_of, say_and_hear, unauthorized,
};

fn room(path: &str, key: &str) -> Value {
    json!({"ws-path": path, "secret-key": key_of(key)})
}

async fn enter(server: &Server, path: &str, name: &str, key: &str) -> Client {
    Client::enter(server, path, name, &key_of(key)).await.unwrap_or_else(|end| panic!("{name}: {end:?}"))
}

async fn expect_refusal(server: &Server, path: &str, key: &str) {
    assert_eq!(Client::enter(server, path, "stranger", key).await.err(), Some(unauthorized()), "{path}");
}

#[tokio::test]
async fn rooms_are_apart() {
    let server = Setup::new()
        .field("rooms", json!({"staff": room("/staff", "staff"), "news": room("/news/", "news")}));
    let server = server.start().await;
    let mut hall = [join(&server, "a").await, Client::enter(&server, "/staff/x", "b", KEY).await.unwrap()];
    let mut staff =
        [enter(&server, "/staff", "a", "staff").await, enter(&server, "/%73taff/", "b", "staff").await];
    let mut news =
        [enter(&server, "/news", "a", "news").await, enter(&server, "/news/today", "b", "news").await];
    for [one, other] in [&mut hall, &mut staff, &mut news] {
        say_and_hear(one, "a", &mut [other], "hello").await;
        one.settle().await;
    }
    for client in [&mut hall, &mut staff, &mut news].into_iter().flatten() {
        assert_eq!(client.settle().await, [""; 0]);
    }
    // What is listed never falls to the room that has every path.
    for path in ["/staff", "/staff/", "//staff", "/x/../staff", "/news", "/news/x/y"] {
        expect_refusal(&server, path, KEY).await;
    }
    expect_refusal(&server, "/staff", &key_of("news")).await;
    expect_refusal(&server, "/", &key_of("staff")).await;
    server.logged("which room it is", |line| line["message"] == "registered" && line["room"] == "news").await;

    let [one, other] = [
        Rich::enter(&server, "/", "irc", json!({})).await,
        Rich::enter(&server, "/staff", "irc", json!({"secret-key": key_of("staff")})).await,
    ];
    assert_ne!(one.ack["epoch"], other.ack["epoch"], "each has its log");
    // A session of one room is nothing in another.
    let mut fields = one.resume(1);
    fields["secret-key"] = json!(key_of("staff"));
    let resumed = Rich::enter(&server, "/staff", "irc", fields).await;
    assert_eq!(resumed.ack["recovered"], false);
    assert_ne!(resumed.ack["session"], one.ack["session"]);
}

#[tokio::test]
async fn a_room_that_comes_takes_its_path_from_then_on() {
    let mut server = Server::start().await;
    let mut early = Client::enter(&server, "/staff", "early", KEY).await.unwrap();
    let mut hall = join(&server, "hall").await;
    server.reload(|config| config["rooms"] = json!({"staff": room("/staff", "staff")})).await;
    expect_refusal(&server, "/staff", KEY).await;
    let mut staff = enter(&server, "/staff", "staff", "staff").await;
    // Who is there stays where it is.
    say_and_hear(&mut early, "early", &mut [&mut hall], "hello").await;
    staff.chat("nobody hears me").await;
    assert_eq!(staff.settle().await, [""; 0]);
    assert_eq!(hall.settle().await, [""; 0]);
}

#[tokio::test]
async fn a_room_that_goes_is_left_by_all() {
    let rooms = json!({"staff": room("/staff", "staff"), "below": room("/chat/below", "below")});
    let mut server = Setup::new().field("ws-path", "/chat/").field("rooms", rooms).start().await;
    let mut hall = [
        Client::enter(&server, "/chat", "a", KEY).await.unwrap(),
        Client::enter(&server, "/chat/x", "b", KEY).await.unwrap(),
    ];
    let mut staff = enter(&server, "/staff", "staff", "staff").await;
    let mut rich = Rich::enter(&server, "/staff", "rich", json!({"secret-key": key_of("staff")})).await;
    let mut below = enter(&server, "/chat/below", "below", "below").await;
    let mut unregistered = Client::open(&server, "/staff").await.unwrap();

    server.reload(|config| config["rooms"] = Value::Null).await;
    for client in [&mut staff, &mut rich.client, &mut below] {
        assert_eq!(client.end().await, going_away());
    }
    unregistered.say(&register("late", &key_of("staff"))).await;
    // Its key may be good for what is on this path when it comes again.
    assert_eq!(unregistered.end().await, going_away());
    server.logged("which room went", |line| line["message"] == "abandoned" && line["room"] == "staff").await;
    let is_told = |line: &Value| line["message"] == "disconnected" && line["reason"] == "its room is gone";
    server.logged("why they went", is_told).await;
    let [one, other] = &mut hall;
    say_and_hear(one, "a", &mut [other], "still here").await;

    // Its path is nobody's, or that of the room around it.
    assert_eq!(Client::open(&server, "/staff").await.unwrap_err().status, 404);
    let mut newcomer = Client::enter(&server, "/chat/below", "newcomer", KEY).await.unwrap();
    say_and_hear(one, "a", &mut [other, &mut newcomer], "hello").await;

    // Under the old name it begins anew.
    server.reload(|config| config["rooms"] = json!({"staff": room("/staff", "staff")})).await;
    let again =
        Rich::enter(&server, "/staff", "rich", json!({"secret-key": key_of("staff"), "history": 50})).await;
    assert_ne!(again.ack["epoch"], rich.ack["epoch"]);
    assert_eq!(again.ack["seq"], 0);
}

#[tokio::test]
async fn who_was_in_a_room_that_has_another_name_comes_again() {
    let rooms = |name: &str| json!({name: room("/staff", "staff")});
    let mut server = Setup::new().field("rooms", rooms("staff")).start().await;
    let key = json!({"secret-key": key_of("staff")});
    let mut old = enter(&server, "/staff", "old", "staff").await;
    let mut rich = Rich::enter(&server, "/staff", "rich", key.clone()).await;
    rich.chat("among us").await;
    assert_eq!(old.hear().await, Text::new("rich", "among us"));

    server.reload(|config| config["rooms"] = rooms("team")).await;
    for client in [&mut old, &mut rich.client] {
        assert_eq!(client.end().await, going_away(), "not final: path and key are as they were");
    }
    let mut fields = rich.resume(0);
    fields["secret-key"] = key["secret-key"].clone();
    fields["history"] = json!(50);
    let again = Rich::enter(&server, "/staff", "rich", fields).await;
    assert_eq!(
        (&again.ack["recovered"], &again.ack["seq"]),
        (&json!(false), &json!(0)),
        "another room's log"
    );
    let mut old = enter(&server, "/staff", "old", "staff").await;
    old.chat("hello").await;
    let is_it = |line: &Value| line["message"] == "registered" && line["room"] == "team";
    server.logged("which room it is", is_it).await;
}

#[tokio::test]
async fn a_room_that_moves_keeps_who_is_there() {
    let mut server = Setup::new()
        .field("ws-path", "/chat")
        .field("rooms", json!({"staff": room("/staff", "staff")}))
        .start()
        .await;
    let mut rich = Rich::enter(&server, "/staff", "rich", json!({"secret-key": key_of("staff")})).await;
    let mut old = enter(&server, "/staff", "old", "staff").await;
    rich.chat("one").await;
    assert_eq!(old.hear().await, Text::new("rich", "one"));

    server.reload(|config| config["rooms"]["staff"]["ws-path"] = json!("/team")).await;
    assert_eq!(Client::open(&server, "/staff").await.unwrap_err().status, 404);
    let mut new = enter(&server, "/team", "new", "staff").await;
    say_and_hear(&mut new, "new", &mut [&mut old], "hello").await;
    // Its log goes on, and its sessions.
    let mut fields = rich.resume(1);
    fields["secret-key"] = json!(key_of("staff"));
    let mut resumed = Rich::enter(&server, "/team", "rich", fields).await;
    assert_eq!(resumed.ack["recovered"], true, "{}", resumed.ack);
    assert_eq!(resumed.hear().await["content"], "hello");
}

#[tokio::test]
async fn a_connection_that_is_kept_for_many_requests_finds_what_holds_now() {
    let mut server = Setup::new().field("allowed-origins", "https://a.example").start().await;
    let mut browsers = Vec::new();
    for _ in 0..3 {
        let mut browser = Browser::connect(&server).await;
        browser.send(get("/", "")).await;
        assert_eq!(browser.response(false).await.status, 200);
        browsers.push(browser);
    }
    server
        .reload(|config| {
            config["rooms"] = json!({"staff": room("/staff", "staff")});
            config["allowed-origins"] = json!("https://b.example");
        })
        .await;
    let [mut one, mut other, mut third] = <[Browser; 3]>::try_from(browsers).unwrap();
    one.send(upgrade("/staff", "Origin: https://b.example\r\n")).await;
    let mut client = Client::upgraded(one).await;
    client.say(&register("staff", KEY)).await;
    assert_eq!(client.end().await, unauthorized());
    other.send(upgrade("/staff", "Origin: https://a.example\r\n")).await;
    assert_eq!(Client::try_upgraded(other).await.unwrap_err().status, 403);
    third.send(upgrade("/", "Origin: https://b.example\r\n")).await;
    Client::upgraded(third).await.register("hall").await;
}
