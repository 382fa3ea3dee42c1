//! Wrong keys, and what becomes of the operators' port when the configuration changes.

use std::{net::IpAddr, sync::Arc, time::Duration};

use hyper::{Request, header::AUTHORIZATION};
use parking_lot::Mutex;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::Instant,
};

use super::guard::Denial;
use crate::{
    Server,
    config::{Admin, Config, Host, SecretKey},
    halls::Halls,
    listener::{Entrance, LocalAddress},
    rate::Rate,
    reloads::Reloads,
};

fn key(text: &str) -> SecretKey {
    SecretKey::new(text).unwrap()
}

/// A configuration with ports that are free.
fn config(admin: Option<(&str, Option<&str>)>) -> Config {
    let mut config = Config::local(key("of the clients"));
    config.host = Host::parse("127.0.0.1:0").unwrap();
    config.admin = admin.map(|(host, text)| Admin { host: Host::parse(host).unwrap(), key: text.map(key) });
    config
}

/// The status with which `/metrics` is answered, and the answer.
async fn ask(address: &LocalAddress, shown: Option<&str>) -> (u16, String) {
    let LocalAddress::Tcp(address) = address else { panic!("{address}") };
    let mut stream = TcpStream::connect(address).await.unwrap();
    let shown = shown.map_or(String::new(), |key| format!("Authorization: Bearer {key}\r\n"));
    let request = format!("GET /metrics HTTP/1.1\r\nHost: localhost\r\n{shown}Connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    (answer[9..12].parse().unwrap(), answer)
}

#[tokio::test(start_paused = true)]
async fn wrong_keys_are_answered_slowly_and_the_right_one_is_not() {
    const NOW: Duration = Duration::ZERO;
    const LATER: Duration = Duration::from_secs(1);
    let mut config = config(Some(("127.0.0.1:0", Some("good"))));
    config.limits.failed_registrations = Rate::new(2, Duration::from_mins(1), 2);
    let entrance = Arc::new(Entrance::new(&config, None, Vec::new()));
    let (halls, reloads) = (Arc::<Mutex<Halls>>::default(), Arc::new(Mutex::new(Reloads::none())));
    let settings = config.admin.clone().unwrap();
    let admin = super::Admin::bind(&config, &settings, halls, entrance, reloads).await.unwrap();
    let ask = async |key: Option<&str>, address: &str| {
        let mut request = Request::new(());
        if let Some(key) = key {
            request.headers_mut().insert(AUTHORIZATION, format!("Bearer {key}").parse().unwrap());
        }
        let start = Instant::now();
        let address = address.parse::<IpAddr>().unwrap().into();
        let outcome = admin.office().admit(&request, "/clients", address).await;
        (outcome, start.elapsed())
    };
    let (guesser, other) = ("192.0.2.1", "192.0.2.2");
    for wait in [NOW, NOW, LATER, LATER] {
        assert_eq!(ask(Some("wrong"), guesser).await, (Err(Denial::WrongKey), wait));
    }
    assert_eq!(ask(Some("good"), guesser).await, (Ok(()), NOW), "the right key always gets in");
    assert_eq!(ask(None, guesser).await, (Err(Denial::NoKey), NOW), "who shows none does not guess");
    assert_eq!(
        ask(Some("wrong"), other).await,
        (Err(Denial::WrongKey), NOW),
        "another's guesses are not its own"
    );
}

#[tokio::test]
async fn another_key_holds_at_once_and_another_address_after_a_restart() {
    const HOST: &str = "127.0.0.1:0";
    let server = Server::bind(config(Some((HOST, Some("old"))))).await.unwrap();
    let (handle, address) = (server.handle(), server.admin_address().unwrap().clone());
    tokio::spawn(server.run(std::future::pending()));
    assert_eq!(ask(&address, Some("old")).await.0, 200);

    assert_eq!(handle.reload(&config(Some((HOST, Some("new"))))).unwrap(), [""; 0]);
    assert_eq!(ask(&address, Some("old")).await.0, 401);
    assert_eq!(ask(&address, Some("new")).await.0, 200);

    // No key, where it is meant for another address, does not open this one: elsewhere it may need none.
    assert_eq!(handle.reload(&config(Some(("[::1]:0", None)))).unwrap(), ["admin.host"]);
    for (shown, status) in [(None, 401), (Some("old"), 401), (Some("new"), 200)] {
        assert_eq!(ask(&address, shown).await.0, status, "{shown:?}");
    }
    // But a key that is replaced is good nowhere.
    assert_eq!(handle.reload(&config(Some(("127.0.0.1:1", Some("newer"))))).unwrap(), ["admin.host"]);
    for (shown, status) in [(None, 401), (Some("new"), 401), (Some("newer"), 200)] {
        assert_eq!(ask(&address, shown).await.0, status, "{shown:?}");
    }
    // Nor is any where there is to be no such port.
    assert_eq!(handle.reload(&config(None)).unwrap(), ["admin.host"]);
    for shown in [None, Some("new"), Some("newer")] {
        assert_eq!(ask(&address, shown).await.0, 503, "{shown:?}");
    }

    assert_eq!(handle.reload(&config(Some((HOST, None)))).unwrap(), [""; 0]);
    assert_eq!(ask(&address, None).await.0, 200, "for this machine alone, there need be none");
}

#[tokio::test]
async fn reloads_are_counted_by_what_came_of_them() {
    let mut good = config(Some(("127.0.0.1:0", None)));
    let server = Server::bind(good.clone()).await.unwrap();
    let (handle, address) = (server.handle(), server.admin_address().unwrap().clone());
    tokio::spawn(server.run(std::future::pending()));
    let counts = async || {
        let text = ask(&address, None).await.1;
        let value = |series: &str| {
            let (_, rest) = text.split_once(&format!("\nmultichat_config_{series} ")).unwrap();
            rest.lines().next().unwrap().parse::<u32>().unwrap()
        };
        [
            value("reloads_total{result=\"success\"}"),
            value("reloads_total{result=\"failure\"}"),
            value("last_reload_successful"),
        ]
    };
    assert_eq!(counts().await, [0, 0, 1]);
    handle.reload(&good).unwrap();
    assert_eq!(counts().await, [1, 0, 1]);
    handle.count_failed_reload();
    assert_eq!(counts().await, [1, 1, 0]);
    good.wss = Some(crate::config::Wss { keyfile: "nowhere".into(), certfile: "nowhere".into() });
    handle.reload(&good).unwrap_err();
    assert_eq!(counts().await, [1, 2, 0]);
    good.wss = None;
    handle.reload(&good).unwrap();
    assert_eq!(counts().await, [2, 2, 1]);
}

#[tokio::test]
async fn one_that_is_asked_for_later_needs_a_restart() {
    let server = Server::bind(config(None)).await.unwrap();
    assert!(server.admin_address().is_none());
    let handle = server.handle();
    assert_eq!(handle.reload(&config(None)).unwrap(), [""; 0]);
    assert_eq!(handle.reload(&config(Some(("127.0.0.1:0", None)))).unwrap(), ["admin.host"]);
}
