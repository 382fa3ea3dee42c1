//! Who is there, and what can be done about it.

use serde_json::{Value, json};

use super::super::support::{
    Browser, Client, End, KEY, Operator, Pair, Rich, Route, Server, Setup, reason, register, upgrade, within,
};

/// Joins the room `staff`.
async fn join_staff(server: &Server, name: &str) -> Client {
    let mut browser = Browser::connect(server).await;
    browser.send(upgrade("/staff", "")).await;
    let mut client = Client::upgraded(browser).await;
    client.say(&register(name, "staff's")).await;
    client.acknowledged().await;
    client
}

fn two_rooms() -> Setup {
    Setup::new().admin().field("rooms", json!({"staff": {"ws-path": "/staff", "secret-key": "staff's"}}))
}

#[tokio::test]
async fn rows_are_true() {
    let server = two_rooms().start().await;
    let operator = Operator::of(&server);
    let overview = operator.clients().await;
    assert_eq!(overview["clients"], json!([]));
    assert_eq!(
        overview["rooms"],
        json!([
            {"name": "default", "connections": 0, "newest": 0, "muted": []},
            {"name": "staff", "connections": 0, "newest": 0, "muted": []},
        ])
    );
    let began = overview["time"].as_u64().unwrap();

    let mut irc = Client::join_by(Route::from(2), &server, "irc").await;
    let mut mc = Rich::join(&server, "mc").await;
    let mut staff = join_staff(&server, "irc").await;
    mc.say(&json!({"action": "client-status", "status": "degraded", "text": "lobby full"})).await;
    irc.chat("one").await;
    irc.chat("two").await;
    mc.hear().await;
    mc.hear().await;
    mc.chat("three").await;
    irc.hear().await;
    // All that it sent was read.
    for client in [&mut irc, &mut mc.client, &mut staff] {
        client.settle().await;
    }

    let overview = operator.clients().await;
    let now = overview["time"].as_u64().unwrap();
    let rows: Vec<_> = overview["clients"].as_array().unwrap().iter().collect();
    let [plain, rich, other] = rows[..] else { panic!("three: {overview}") };
    for (row, client) in [(plain, &irc), (rich, &mc.client), (other, &staff)] {
        assert_eq!(row["address"], client.stream.tcp().local_addr().unwrap().to_string());
        for time in ["since", "last-seen"] {
            assert!((began..=now).contains(&row[time].as_u64().unwrap()), "{time} of {row}");
        }
        assert_eq!(
            (&row["round-trip-seconds"], &row["lag"], &row["muted"]),
            (&Value::Null, &json!(0), &json!(false))
        );
    }
    let about = |row: &Value| json!([row["name"], row["room"], row["dialect"], row["status"], row["text"]]);
    assert_eq!(about(plain), json!(["irc", "default", "plain", "online", null]));
    assert_eq!(about(rich), json!(["mc", "default", "rich", "degraded", "lobby full"]));
    assert_eq!(about(other), json!(["irc", "staff", "plain", "online", null]));
    let messages =
        |row: &Value| [&row["sent"], &row["received"]].map(|part| part["messages"].as_u64().unwrap());
    assert_eq!([plain, rich, other].map(messages), [[1, 2], [2, 2], [0, 0]]);
    assert!(plain["received"]["bytes"].as_u64() > other["received"]["bytes"].as_u64());
    assert!(rich["sent"]["bytes"].as_u64() > plain["sent"]["bytes"].as_u64());
    let rooms = overview["rooms"].as_array().unwrap();
    assert_eq!([&rooms[0]["connections"], &rooms[0]["newest"]], [&json!(2), &json!(3)]);
    assert_eq!([&rooms[1]["connections"], &rooms[1]["newest"]], [&json!(1), &json!(0)]);

    drop(irc);
    within("a row to vanish", async {
        while operator.clients().await["clients"].as_array().unwrap().len() > 2 {}
    })
    .await;
}

#[tokio::test]
async fn a_round_trip_is_told_once_a_ping_was_answered() {
    let server = Setup::new().admin().limits(json!({"ping-seconds": 0.05})).start().await;
    let operator = Operator::of(&server);
    let mut client = Client::join(&server, "irc").await;
    let answering = async { client.try_text().await };
    let looking = async {
        loop {
            if let Some(seconds) = operator.client("irc").await["round-trip-seconds"].as_f64() {
                break seconds;
            }
        }
    };
    let seconds = within("a round trip", async {
        tokio::select! {
            text = answering => panic!("nobody says {text:?}"),
            seconds = looking => seconds,
        }
    })
    .await;
    assert!(seconds > 0.0, "{seconds}");
}

#[tokio::test]
async fn who_does_not_read_is_seen_to_lag() {
    let server =
        Setup::new().admin().limits(json!({"log-bytes": 64 << 20, "write-stall-seconds": 600})).start().await;
    let operator = Operator::of(&server);
    let stalled = Client::join_by(Route::narrow(), &server, "stalled").await;
    let mut sender = Client::join(&server, "sender").await;
    let content = "x".repeat(100_000);
    within("a lag", async {
        while operator.client("stalled").await["lag"] == 0 {
            sender.chat(&content).await;
        }
    })
    .await;
    sender.settle().await;
    let lag = operator.client("stalled").await["lag"].as_u64();
    assert_eq!(lag, Some(operator.metrics().await.room("multichat_max_lag_entries", "")));
    assert_eq!(operator.client("sender").await["lag"], 0);
    drop(stalled);
}

#[tokio::test]
async fn who_is_kicked_is_closed_for_good_and_nobody_else() {
    let server = two_rooms().start().await;
    let operator = Operator::of(&server);
    let pair = Pair::start(&server).await;
    let mut irc = Rich::join(&server, "irc").await;
    let mut staff = join_staff(&server, "irc").await;
    let rows = operator.clients().await;
    let connection = |room: &str| {
        let is_it = |row: &&Value| row["name"] == "irc" && row["room"] == room;
        rows["clients"].as_array().unwrap().iter().find(is_it).unwrap()["connection"].clone()
    };
    let path = format!("/clients/{}/kick", connection("default"));
    let response = operator.post(&path).await;
    assert_eq!(response.status, 200);
    let answer: Value = serde_json::from_str(response.text()).unwrap();
    assert_eq!(answer, json!({"connection": connection("default"), "kicked": true}));
    assert_eq!(irc.client.end().await, End::Closed(4403, "revoked".to_owned()));
    server.logged("why it went", reason("an operator closed it")).await;
    let metrics = operator.sees("that it is counted", |metrics| {
        metrics.room("multichat_disconnections_total", "reason=\"revoked\"") > 0
    });
    assert_eq!(metrics.await.room("multichat_connections", "dialect=\"plain\""), 2);
    assert!(staff.settle().await.is_empty(), "of the same name, but elsewhere");
    pair.finish().await;

    // It is there no more, and others never were.
    for path in [&path, "/clients/18446744073709551615/kick", "/clients/0/kick"] {
        let response = operator.post(path).await;
        assert_eq!(response.status, 404, "{path}");
        assert_eq!(response.text(), "{\"error\":\"there is no such connection\"}\n");
    }
    for path in
        ["/clients//kick", "/clients/x/kick", "/clients/-1/kick", "/clients/1/kick/", "/clients/1/kicks"]
    {
        assert_eq!(operator.post(path).await.status, 404, "{path}");
    }
    let response = operator.get(&path).await;
    assert_eq!((response.status, response.header("allow")), (405, Some("POST")));
}

#[tokio::test]
async fn who_is_muted_is_refused_until_that_is_undone() {
    let server = two_rooms().start().await;
    let operator = Operator::of(&server);
    let mut listener = Client::join(&server, "listener").await;
    let mut rich = Rich::join(&server, "noisy").await;
    let mut plain = Client::join(&server, "noisy").await;
    let mut staff = join_staff(&server, "noisy").await;
    let mut colleague = join_staff(&server, "colleague").await;
    let body = json!({"name": "noisy"});
    let response = operator.post_json("/rooms/default/mute", &body).await;
    assert_eq!(response.status, 200);
    let answer: Value = serde_json::from_str(response.text()).unwrap();
    assert_eq!(answer, json!({"room": "default", "name": "noisy", "muted": true}));

    rich.say(&json!({"action": "client-message", "content": "no", "id": "a"})).await;
    let refusal = rich.hear().await;
    assert_eq!(
        (&refusal["action"], &refusal["code"], &refusal["id"]),
        (&json!("error"), &json!("not-allowed"), &json!("a"))
    );
    assert!(refusal["reason"].as_str().unwrap().contains("muted by an operator"), "{refusal}");
    plain.chat("no").await;
    assert!(plain.settle().await.is_empty(), "it is still there");
    // In another room the name is free.
    staff.chat("yes").await;
    assert_eq!(colleague.hear().await.content, "yes");

    let overview = operator.clients().await;
    assert_eq!(overview["rooms"][0]["muted"], json!(["noisy"]));
    assert_eq!(overview["rooms"][1]["muted"], json!([]));
    for row in overview["clients"].as_array().unwrap() {
        assert_eq!(row["muted"], json!(row["name"] == "noisy" && row["room"] == "default"), "{row}");
    }
    assert_eq!(operator.metrics().await.room("multichat_muted_names", ""), 1);

    for _ in 0..2 {
        assert_eq!(operator.post_json("/rooms/default/unmute", &body).await.status, 200);
    }
    rich.chat("heard").await;
    assert_eq!(listener.hear().await.content, "heard", "the first that anybody hears");
    plain.hear().await;
    plain.chat("heard too").await;
    assert_eq!(listener.hear().await.content, "heard too");
}

#[tokio::test]
async fn rights_are_those_of_the_moment() {
    let sensor = json!({"sensor": {"secret-key": KEY, "rights": ["write"]}});
    let server = Setup::new().admin().field("clients", sensor).start().await;
    let operator = Operator::of(&server);
    let _clients = [Client::join(&server, "irc").await, Client::join(&server, "sensor").await];
    assert_eq!(operator.client("irc").await["rights"], json!(["read", "write"]));
    assert_eq!(operator.client("sensor").await["rights"], json!(["write"]));
    operator.post_json("/rooms/default/mute", &json!({"name": "sensor"})).await;
    let is_seen = async { while operator.client("sensor").await["rights"] == json!(["write"]) {} };
    within("a turn of the connection", is_seen).await;
    assert_eq!(operator.client("sensor").await["rights"], json!([]), "none is left");
}

#[tokio::test]
async fn what_can_not_be_muted_is_told_why() {
    let server = Setup::new().admin().start().await;
    let operator = Operator::of(&server);
    let mute = "/rooms/default/mute";
    for (path, body, status, why) in [
        ("/rooms/nowhere/mute", json!({"name": "irc"}), 404, "there is no such room"),
        (mute, json!({}), 400, "a body such as"),
        (mute, json!({"name": 1}), 400, "a body such as"),
        (mute, json!("irc"), 400, "a body such as"),
        (mute, json!({"name": "x".repeat(65)}), 400, "no client can have this name"),
        (mute, json!({"name": "a\u{202e}b"}), 400, "no client can have this name"),
    ] {
        let response = operator.post_json(path, &body).await;
        let answer: Value = serde_json::from_str(response.text()).unwrap();
        assert_eq!(response.status, status, "{body}: {answer}");
        assert!(answer["error"].as_str().unwrap().starts_with(why), "{body}: {answer}");
    }
    let with = |media_type: &str, body: &str| {
        let rest = format!("{media_type}Content-Length: {}\r\n\r\n{body}", body.len());
        operator.request("POST", mute, &rest)
    };
    let good = r#"{"name": "irc"}"#;
    for media_type in
        ["", "Content-Type: text/plain\r\n", "Content-Type: application/x-www-form-urlencoded\r\n"]
    {
        assert_eq!(operator.ask(&with(media_type, good)).await.status, 415, "{media_type}");
    }
    let json = "Content-Type: Application/JSON; charset=utf-8\r\n";
    assert_eq!(operator.ask(&with(json, good)).await.status, 200);
    assert_eq!(operator.ask(&with(json, "{\"name\": ")).await.status, 400);
    assert_eq!(operator.clients().await["rooms"][0]["muted"], json!(["irc"]));
}

#[tokio::test]
async fn whatever_clients_are_called_rows_are_whole() {
    let server = Setup::new().admin().start().await;
    let operator = Operator::of(&server);
    let names = [
        "<script>alert(1)</script>",
        "\"},{\"name\":\"forged\"",
        "\\u0022 \\",
        "a\"} 1",
        "👨‍👩‍👧‍👦 שלום",
        "../../clients/1/kick",
        " ",
    ];
    let mut clients = Vec::new();
    for name in names {
        clients.push(Client::join(&server, name).await);
    }
    for name in names {
        assert_eq!(operator.client(name).await["name"], name);
        assert_eq!(operator.post_json("/rooms/default/mute", &json!({"name": name})).await.status, 200);
    }
    let overview = operator.clients().await;
    assert_eq!(overview["clients"].as_array().unwrap().len(), names.len());
    assert!(overview["clients"].as_array().unwrap().iter().all(|row| row["muted"] == true), "{overview}");
    assert_eq!(overview["rooms"][0]["muted"].as_array().unwrap().len(), names.len());
    let metrics = operator.metrics().await.0;
    assert!(names.iter().all(|name| name.trim().is_empty() || !metrics.contains(name)), "{metrics}");
}
