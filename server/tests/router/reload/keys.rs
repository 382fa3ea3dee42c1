//! Keys and rights that change while clients are connected.

use serde_json::{Value, json};

use super::{
    super::support::{Client, End, KEY, Rich, Server, Setup, reason},
    join, key_of, revoked, say_and_hear, unauthorized,
};

fn client(name: &str) -> Value {
    json!({"secret-key": key_of(name)})
}

/// A router with keys of their own for `irc`, `mc` and `web-*`. Nobody has a turn there because time passes.
fn setup() -> Setup {
    Setup::new()
        .limits(json!({"ping-seconds": 3600}))
        .field("clients", json!({"irc": client("irc"), "mc": client("mc"), "web-*": client("web")}))
}

async fn enter(server: &Server, name: &str, key: &str) -> Client {
    Client::enter(server, "/", name, &key_of(key)).await.unwrap_or_else(|end| panic!("{name}: {end:?}"))
}

async fn try_enter(server: &Server, name: &str, key: &str) -> Option<End> {
    Client::enter(server, "/", name, key).await.err()
}

#[tokio::test]
async fn a_name_is_opened_by_its_own_key_alone() {
    let server = setup().start().await;
    for (name, key) in [("irc", "irc"), ("mc", "mc"), ("web-1", "web"), ("web-", "web")] {
        enter(&server, name, key).await;
        for wrong in [KEY.to_owned(), key_of("other"), key_of(key) + "x"] {
            assert_eq!(try_enter(&server, name, &wrong).await, Some(unauthorized()), "{name}");
        }
    }
    join(&server, "qq").await;
    join(&server, "IRC").await;
    for wrong in ["irc", "web"] {
        assert_eq!(try_enter(&server, "qq", &key_of(wrong)).await, Some(unauthorized()));
    }
}

#[tokio::test]
async fn who_has_a_key_that_is_no_more_has_to_go_and_the_others_stay() {
    let mut server = setup().start().await;
    let mut irc = enter(&server, "irc", "irc").await;
    let mut second_irc = enter(&server, "irc", "irc").await;
    let mut mc = enter(&server, "mc", "mc").await;
    let mut web = enter(&server, "web-1", "web").await;
    let mut qq = join(&server, "qq").await;

    // Another key, a removed one, and a name that gets one of its own.
    server
        .reload(|config| {
            config["clients"] = json!({"irc": client("irc 2"), "web-*": client("web"), "qq": client("qq")});
        })
        .await;
    for client in [&mut irc, &mut second_irc, &mut mc, &mut qq] {
        assert_eq!(client.end().await, revoked());
    }
    server.logged("why", reason("its key was removed or changed")).await;

    assert_eq!(try_enter(&server, "irc", &key_of("irc")).await, Some(unauthorized()));
    let mut irc = enter(&server, "irc", "irc 2").await;
    let mut mc = join(&server, "mc").await;
    say_and_hear(&mut irc, "irc", &mut [&mut web, &mut mc], "here again").await;

    // The shared key alone is another one.
    server.reload(|config| config["secret-key"] = json!(key_of("shared"))).await;
    assert_eq!(mc.end().await, revoked());
    say_and_hear(&mut irc, "irc", &mut [&mut web], "still here").await;
}

#[tokio::test]
async fn a_key_that_is_written_otherwise_is_the_same() {
    let mut server = setup().start().await;
    let mut irc = enter(&server, "irc", "irc").await;
    let mut mc = join(&server, "qq").await;
    // `printf 'k3y-of-the-tests-irc' | sha256sum`
    let hash = "6bfe18842cbb9be7c50ab828c154e1b0a02fbd0ccfbb7ba8a6281355463f9bf8";
    server.folder().write("keys/shared", format!("{KEY}\n"));
    server
        .reload(|config| {
            config["clients"]["irc"]["secret-key"] = json!({"sha256": hash});
            config["secret-key"] = json!({"file": "keys/shared"});
        })
        .await;
    say_and_hear(&mut irc, "irc", &mut [&mut mc], "hello").await;

    // A change of the file is one of the configuration.
    server.folder().replace("keys/shared", key_of("shared"));
    assert_eq!(mc.end().await, revoked());
    Client::enter(&server, "/", "qq", &key_of("shared")).await.unwrap();
    irc.chat("still here").await;
    irc.settle().await;
}

/// Says something with an `id` and returns its answer, which is the next that comes.
async fn ask(rich: &mut Rich, mut packet: Value) -> Value {
    packet["id"] = json!("asked");
    rich.say(&packet).await;
    let answer = rich.hear().await;
    assert_eq!(answer["id"], "asked", "{answer}");
    answer
}

#[tokio::test]
async fn other_rights_hold_at_once() {
    let rights = |rights: Value| move |config: &mut Value| config["clients"]["irc"]["rights"] = rights;
    let mut server = setup().start().await;
    let mut rich = Rich::enter(&server, "/", "irc", json!({"secret-key": key_of("irc")})).await;
    let mut plain = enter(&server, "irc", "irc").await;
    let mut qq = Rich::join(&server, "qq").await;
    let own = rich.chat("one").await;
    assert_eq!(qq.hear().await["seq"], own);
    assert_eq!(plain.hear().await.content, "one");
    let others = qq.chat("two").await;
    assert_eq!(rich.hear().await["seq"], others);
    assert_eq!(plain.hear().await.content, "two");

    server.reload(rights(json!(["read"]))).await;
    for packet in [
        json!({"action": "client-message", "content": "no"}),
        json!({"action": "client-edit", "target": own, "content": "no"}),
        json!({"action": "client-delete", "target": own}),
    ] {
        assert_eq!(ask(&mut rich, packet).await["code"], "not-allowed");
    }
    // What was entered before stays so.
    rich.say(&json!({"action": "client-message", "content": "one", "id": "one"})).await;
    assert_eq!(rich.hear().await["seq"], own);
    // A plain client can't be told. Who reads the log is.
    plain.chat("no").await;
    server
        .logged("that it may not", |line| line["message"] == "may not write: what it says is dropped")
        .await;

    server.reload(rights(json!(["read", "write", "moderate"]))).await;
    let deleted = ask(&mut rich, json!({"action": "client-delete", "target": others})).await;
    assert_eq!(deleted["action"], "message-ack", "{deleted}");
    assert_eq!(qq.hear().await["action"], "forwarding-delete", "and nothing that was not allowed");

    server.reload(rights(json!(["write"]))).await;
    qq.chat("not for irc").await;
    plain.chat("three").await;
    assert_eq!(qq.hear().await["content"], "three");
    assert_eq!([plain.settle().await, rich.client.settle().await], [[""; 0]; 2]);

    server.reload(rights(json!(["read", "write"]))).await;
    qq.chat("four").await;
    assert_eq!(plain.hear().await.content, "four");
    assert_eq!(rich.hear().await["content"], "four");
}
