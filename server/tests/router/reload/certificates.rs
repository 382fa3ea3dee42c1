//! A certificate that is renewed while clients are connected.

use serde_json::Value;

use super::{
    super::support::{Client, Credentials, Route, Server, Setup, Stream, is_reloaded},
    is_not_reloaded,
    storm::Storm,
};

/// A newcomer is shown this certificate, and can register.
async fn expect(server: &Server, credentials: &Credentials) {
    let stream = Route::USUAL.dial(server).await;
    assert!(credentials.are_shown_on(&stream), "another certificate is shown");
    let mut client = Client::over(stream).await;
    client.register("newcomer").await;
}

fn renew(server: &Server) -> Credentials {
    server.authority().unwrap().renew()
}

#[tokio::test]
async fn a_new_certificate_is_taken_under_load_and_nobody_is_dropped() {
    let server = Setup::new().wss().start().await;
    let mut storm = Storm::start(&server).await;
    for _ in 0..5 {
        let renewed = renew(&server);
        // As certbot's hooks do: one file after the other is moved into its place.
        server.folder().replace("router.key", &renewed.key);
        server.folder().replace("router.crt", &renewed.certificate);
        server.hang_up().await;
        expect(&server, &renewed).await;
        storm.talk().await;
    }
    assert!(storm.finish().await > 0);
}

#[tokio::test]
async fn links_that_lead_elsewhere_are_noticed_under_load() {
    let mut setup = Setup::new().wss();
    // `live/router.key` leads to `archive/router1.key`, as certbot has it.
    for name in ["router.key", "router.crt"] {
        setup = setup.rename(name, &format!("archive/{name}.1")).link(name, &format!("archive/{name}.1"));
    }
    let server = setup.start().await;
    let mut storm = Storm::start(&server).await;
    for number in 2..4 {
        let renewed = renew(&server);
        let before = server.log_count(is_reloaded);
        for (name, content) in [("router.key", &renewed.key), ("router.crt", &renewed.certificate)] {
            let target = format!("archive/{name}.{number}");
            server.folder().write(&target, content);
            server.folder().link(name, &target);
        }
        // Nobody says so.
        server.reloaded(before).await;
        expect(&server, &renewed).await;
        storm.talk().await;
    }
    assert!(storm.finish().await > 0);
}

#[tokio::test]
async fn a_link_to_their_folder_that_leads_elsewhere_is_noticed() {
    // As Kubernetes has it: the files are links through `..data`, and that is replaced.
    let mut setup = Setup::new().wss();
    for name in ["router.key", "router.crt"] {
        setup = setup.rename(name, &format!("..1/{name}")).link(name, &format!("..data/{name}"));
    }
    let server = setup.link("..data", "..1").start().await;
    let renewed = renew(&server);
    server.folder().write("..2/router.key", &renewed.key);
    server.folder().write("..2/router.crt", &renewed.certificate);
    server.folder().link("..data", "..2");
    server.reloaded(0).await;
    expect(&server, &renewed).await;
}

#[tokio::test]
async fn a_certificate_that_does_not_fit_changes_nothing() {
    let mut server = Setup::new().wss().start().await;
    let mut client = Client::join(&server, "client").await;
    let first = renew(&server);
    server.folder().replace("router.key", &first.key);
    server.folder().replace("router.crt", &first.certificate);
    server.hang_up().await;

    let second = renew(&server);
    server.folder().write("router.crt", &second.certificate);
    server.logged("that the key does not fit", is_not_reloaded("does not fit")).await;
    expect(&server, &first).await;
    // What is good beside it does not hold either.
    let before = server.log_count(is_reloaded);
    server.folder().write("router.crt", "-----BEGIN CERTIFICATE-----\nMIIB");
    server.logged("that it is damaged", is_not_reloaded("is damaged")).await;
    expect(&server, &first).await;
    assert_eq!(server.log_count(is_reloaded), before);

    server.folder().write("router.key", &second.key);
    server.folder().write("router.crt", &second.certificate);
    server.reloaded(before).await;
    expect(&server, &second).await;
    client.chat("still here").await;
    client.settle().await;

    // Without `wss` those who come speak ws, and those who are there stay.
    server.reload(|config| config["wss"] = Value::Null).await;
    let mut plain = Client::over(Stream::Plain(Route::USUAL.dial_tcp(&server).await)).await;
    plain.register("plain").await;
    plain.chat("hello").await;
    assert_eq!(client.hear().await.content, "hello");
}
