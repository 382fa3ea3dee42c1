//! What a key opens, and what becomes of those who came in with it when the terms change.

use std::time::Duration;

use multichat::protocol::ClientName;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{
    harness::{ACK, Harness, KEY, forwarded, register, room_config, settle},
    raw::{self, Raw},
    rich_client::{Rich, acked, named, nameless, refused, told},
};
use crate::{
    config::{self, Client, Grant, Keys, Limits, Rights, SecretKey},
    rate::{Rate, Rates},
};

const SECOND: Duration = Duration::from_secs(1);
const ALL: Rights = Rights { read: true, write: true, moderate: true };
const READ: Rights = Rights { read: true, ..Rights::NONE };
const WRITE: Rights = Rights { write: true, ..Rights::NONE };

/// A client of this name or pattern, whose key is everybody's.
fn client(name: &str, rights: Rights) -> (String, Client) {
    client_with(name, KEY, Grant { rights, rates: Rates::default(), owns_name: !name.contains('*') })
}

fn client_with(name: &str, key: &str, grant: Grant) -> (String, Client) {
    (name.to_owned(), Client { secret_key: SecretKey::new(key).unwrap(), grant })
}

fn config(clients: impl IntoIterator<Item = (String, Client)>) -> config::Room {
    config_of(Some(KEY), clients, Limits::default())
}

fn config_of(
    shared: Option<&str>,
    clients: impl IntoIterator<Item = (String, Client)>,
    limits: Limits,
) -> config::Room {
    let shared = shared.map(|key| SecretKey::new(key).unwrap());
    room_config(Keys::new(shared, clients).unwrap(), limits)
}

fn edit(target: u64, content: &str) -> Value {
    json!({"action": "client-edit", "id": format!("edit {target}"), "target": target, "content": content})
}

fn delete(target: u64) -> Value {
    json!({"action": "client-delete", "id": format!("delete {target}"), "target": target})
}

/// Says something of which it gets an ack or an error.
async fn ask(client: &mut Rich, packet: Value) -> Value {
    client.say(&[packet]).await;
    client.hear().await
}

#[tokio::test(start_paused = true)]
async fn who_may_only_read_is_told_all_and_says_nothing() {
    let harness = Harness::of(&config([client("tv", READ), client("screen", READ)]));
    let mut irc = harness.join_rich("irc").await;
    let mut tv = harness.join_rich("tv").await;
    let mut screen = harness.join_raw("screen").await;
    for packet in [
        named("a", "hello"),
        json!({"action": "client-edit", "id": "a", "target": 1, "content": "x"}),
        json!({"action": "client-delete", "id": "a", "target": 1}),
    ] {
        assert_eq!(ask(&mut tv, packet).await, refused(Some("a"), "not-allowed"));
    }
    for packet in [
        json!({"action": "client-receipt", "target": 1, "status": "delivered"}),
        json!({"action": "client-status", "status": "offline"}),
    ] {
        assert_eq!(ask(&mut tv, packet).await, refused(None, "not-allowed"));
    }
    for _ in 0..200 {
        screen.chat("dropped, however often").await;
    }
    irc.say(&[nameless("hello")]).await;
    assert_eq!(tv.hear().await, told("irc", "hello", 1));
    assert_eq!(screen.hear().await, forwarded("irc", "hello"));
    assert_eq!(harness.room.newest(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_may_only_write_is_told_of_nothing_but_its_own() {
    let harness = Harness::of(&config([client("sensor", WRITE), client("old-sensor", WRITE)]));
    let mut irc = harness.join_rich("irc").await;
    irc.say(&[nameless("before")]).await;
    settle().await;
    let mut sensor = harness.join_rich_with("sensor", &json!({"history": 10, "presence": true})).await;
    assert_eq!(sensor.ack.get("clients"), None, "nor who is there");
    let mut old = harness.join_raw("old-sensor").await;
    irc.say(&[nameless("secret")]).await;
    settle().await;
    assert_eq!(ask(&mut sensor, named("a", "23 °C")).await, acked("a", 3));
    old.chat("24 °C").await;
    assert_eq!(irc.hear_all(2).await, [told("sensor", "23 °C", 3), told("old-sensor", "24 °C", 4)]);
    assert!(sensor.is_silent().await);
    // Nor when it comes back: its ack, and nothing else. The end of the replay is one that it gets to know.
    sensor.cursor = 0;
    let mut again = harness.join_rich_with("sensor", &sensor.resume()).await;
    assert_eq!((&again.ack["recovered"], &again.ack["seq"]), (&json!(true), &json!(3)));
    assert_eq!(again.hear().await, acked("a", 3));
    assert!(again.is_silent().await);
    // With nothing of its own behind its cursor, it is at the end from the beginning.
    for (fields, place, recovered) in [
        (again.resume(), 3, json!(true)),
        (json!({"history": 10}), 4, Value::Null),
        (json!({"resume": {"session": "unknown", "epoch": "e", "seq": 2}}), 4, json!(false)),
    ] {
        let mut sensor = harness.join_rich_with("sensor", &fields).await;
        assert_eq!((&sensor.ack["seq"], &sensor.ack["after"]), (&json!(place), &json!(place)), "{fields}");
        assert_eq!(*sensor.ack.get("recovered").unwrap_or(&Value::Null), recovered);
        assert!(sensor.is_silent().await);
    }
    // What it says without an id has no ack that it could wait for.
    let mut last = harness.join_rich("sensor").await;
    assert_eq!(ask(&mut last, named("a", "25 °C")).await, acked("a", 5));
    last.say(&[nameless("26 °C")]).await;
    settle().await;
    let last = harness.join_rich_with("sensor", &last.resume_at(4)).await;
    assert_eq!(last.ack["seq"], 5);
    drop(old);
}

#[tokio::test(start_paused = true)]
async fn moderators_change_what_others_said() {
    let harness = Harness::of(&config([client("mod", ALL)]));
    let mut irc = harness.join_rich("irc").await;
    let mut moderator = harness.join_rich("mod").await;
    assert_eq!(ask(&mut irc, named("a", "rude")).await, acked("a", 1));
    assert_eq!(moderator.hear().await, told("irc", "rude", 1));
    assert_eq!(ask(&mut moderator, edit(1, "polite")).await, acked("edit 1", 2));
    let edited = irc.hear().await;
    assert_eq!(
        (&edited["action"], &edited["source-client-name"], &edited["target"]),
        (&json!("forwarding-edit"), &json!("mod"), &json!(1))
    );
    assert_eq!(ask(&mut moderator, delete(1)).await, acked("delete 1", 3));
    assert_eq!(irc.hear().await["action"], "forwarding-delete");
    assert_eq!(ask(&mut moderator, named("b", "mine")).await, acked("b", 4));
    irc.hear().await;
    assert_eq!(ask(&mut irc, delete(4)).await, refused(Some("delete 4"), "not-allowed"));
}

#[tokio::test(start_paused = true)]
async fn a_name_of_ones_own_outlives_its_session() {
    let harness = Harness::of(&config([client("irc", Rights::DEFAULT), client("web-*", Rights::DEFAULT)]));
    for (name, code) in [("irc", None), ("mc", Some("not-allowed")), ("web-alice", Some("not-allowed"))] {
        let mut first = harness.join_rich(name).await;
        let seq = harness.room.newest() + 1;
        assert_eq!(ask(&mut first, named("a", "hello")).await, acked("a", seq));
        assert_eq!(ask(&mut first, edit(seq, "hello, world")).await, acked(&format!("edit {seq}"), seq + 1));
        let mut second = harness.join_rich(name).await;
        let expected = match code {
            None => acked(&format!("edit {seq}"), seq + 2),
            Some(code) => refused(Some(&format!("edit {seq}")), code),
        };
        assert_eq!(ask(&mut second, edit(seq, "bye")).await, expected, "{name}");
    }
    // Another name's are not its own.
    let mut irc = harness.join_rich("irc").await;
    assert_eq!(ask(&mut irc, delete(4)).await, refused(Some("delete 4"), "not-allowed"));
}

#[tokio::test(start_paused = true)]
async fn who_has_another_key_now_has_to_go_and_the_others_stay() {
    let harness = Harness::of(&config([client("irc", Rights::DEFAULT), client("mc", Rights::DEFAULT)]));
    let mut irc = harness.join_raw("irc").await;
    let mut old = harness.join_raw("old").await;
    let mut mc = harness.join_rich("mc").await;
    let start = Instant::now();
    let other = client_with("irc", "other", Grant { rights: ALL, rates: Rates::default(), owns_name: true });
    harness.hall.change(&config_of(
        Some("changed"),
        [other, client("mc", Rights::DEFAULT)],
        Limits::default(),
    ));
    assert_eq!(irc.last_words().await, (vec![], Some(4403)));
    assert_eq!(old.last_words().await, (vec![], Some(4403)));
    assert!(start.elapsed() < SECOND);
    assert_eq!(ask(&mut mc, named("a", "still here")).await, acked("a", 1));
    for (name, key, welcome) in
        [("irc", KEY, false), ("irc", "other", true), ("old", KEY, false), ("old", "changed", true)]
    {
        let mut client = Raw::new(harness.attach());
        client.say(&register(name, key)).await;
        if welcome {
            assert_eq!(client.hear().await, ACK, "{name}: {key}");
        } else {
            assert_eq!(client.last_words().await, (vec![], Some(4401)), "{name}: {key}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_that_gets_a_key_of_its_own_is_taken_from_who_has_it() {
    let harness = Harness::of(&config([]));
    let mut impostor = harness.join_raw("irc").await;
    let other = client_with("irc", "irc's", Grant { rights: ALL, rates: Rates::default(), owns_name: true });
    harness.hall.change(&config([other]));
    assert_eq!(impostor.last_words().await, (vec![], Some(4403)));
}

#[tokio::test(start_paused = true)]
async fn other_rights_hold_at_once() {
    let harness = Harness::of(&config([client("mc", ALL)]));
    let mut irc = harness.join_rich("irc").await;
    let mut mc = harness.join_rich("mc").await;
    assert_eq!(ask(&mut mc, named("a", "one")).await, acked("a", 1));
    irc.hear().await;
    harness.hall.change(&config([client("mc", READ)]));
    settle().await;
    assert_eq!(ask(&mut mc, named("b", "two")).await, refused(Some("b"), "not-allowed"));
    harness.hall.change(&config([client("mc", WRITE)]));
    settle().await;
    irc.say(&[nameless("not for mc")]).await;
    settle().await;
    assert_eq!(ask(&mut mc, named("c", "three")).await, acked("c", 3));
    harness.hall.change(&config([client("mc", Rights::DEFAULT)]));
    settle().await;
    irc.say(&[nameless("for mc")]).await;
    assert_eq!(mc.hear().await, told("irc", "for mc", 4));
}

#[tokio::test(start_paused = true)]
async fn who_may_not_read_any_more_is_not_told_who_comes() {
    let harness = Harness::of(&config([client("mc", ALL)]));
    let mut mc = harness.join_rich_with("mc", &json!({"presence": true})).await;
    let irc = harness.join_raw("irc").await;
    assert_eq!(mc.hear().await["action"], "presence");
    harness.hall.change(&config([client("mc", WRITE)]));
    drop(irc);
    let _others = [harness.join_raw("qq").await, harness.join_raw("discord").await];
    sleep(10 * SECOND).await;
    assert!(mc.is_silent().await);
    harness.hall.change(&config([client("mc", ALL)]));
    settle().await;
    let _last = harness.join_raw("matrix").await;
    assert_eq!(mc.hear().await["client-name"], "matrix", "from now on");
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_raised_frees_who_had_used_it_up() {
    let limits = |per_second, per_minute| Limits {
        control_frames: Rate::new(per_second, SECOND, 100),
        bad_packets: Rate::new(per_minute, 60 * SECOND, 100),
        ..Limits::default()
    };
    let harness = Harness::of(&config_of(Some(KEY), [], limits(1, 1)));
    let mut irc = harness.join_raw("irc").await;
    let used_up = |raw: &mut Vec<u8>| {
        for _ in 0..90 {
            raw.extend(raw::frame(raw::PONG, b""));
            raw.extend(raw::text("no packet"));
        }
    };
    for _ in 0..3 {
        let mut bytes = Vec::new();
        used_up(&mut bytes);
        irc.send(&bytes).await;
        settle().await;
        harness.hall.change(&config_of(Some(KEY), [], limits(10_000, 10_000)));
        settle().await;
        sleep(SECOND).await;
    }
    assert!(!irc.task.is_finished());
}

#[tokio::test(start_paused = true)]
async fn who_is_muted_is_told_so_and_hears_on() {
    let harness = Harness::of(&config([]));
    let name = |name| ClientName::parse(name, 64).unwrap();
    let mut irc = harness.join_rich("irc").await;
    let mut mc = harness.join_raw("mc").await;
    harness.hall.set_muted(&name("irc"), true);
    harness.hall.set_muted(&name("mc"), true);
    settle().await;
    assert_eq!(ask(&mut irc, named("a", "hello")).await, refused(Some("a"), "not-allowed"));
    mc.chat("hello").await;
    // A reload does not unmute.
    harness.hall.change(&config([]));
    settle().await;
    assert_eq!(ask(&mut irc, named("b", "hello")).await, refused(Some("b"), "not-allowed"));
    assert_eq!(harness.room.newest(), 0);
    harness.hall.set_muted(&name("irc"), false);
    settle().await;
    assert_eq!(ask(&mut irc, named("c", "hello")).await, acked("c", 1));
    assert_eq!(mc.hear().await, forwarded("irc", "hello"));
}

#[tokio::test(start_paused = true)]
async fn an_abandoned_room_is_left_by_all_and_entered_by_nobody() {
    let harness = Harness::of(&config([]));
    let clients = [harness.join_raw("irc").await, harness.join_raw("mc").await];
    let mut late = Raw::new(harness.attach());
    harness.hall.abandon();
    for mut client in clients {
        assert_eq!(client.last_words().await, (vec![], Some(1001)));
    }
    late.say(&register("late", KEY)).await;
    assert_eq!(late.last_words().await, (vec![], Some(1001)));
}

#[tokio::test(start_paused = true)]
async fn other_limits_hold_for_those_who_are_there() {
    let harness = Harness::of(&config([]));
    let mut listener = harness.join_raw("listener").await;
    let mut irc = harness.join_raw("irc").await;
    let large = "x".repeat(2000);
    irc.chat(&large).await;
    assert_eq!(listener.hear().await, forwarded("irc", &large));
    let limits = |packet_bytes| Limits { packet_bytes, ..Limits::default() };
    harness.hall.change(&config_of(Some(KEY), [], limits(3000)));
    settle().await;
    irc.chat(&large).await;
    assert_eq!(listener.hear().await, forwarded("irc", &large));
    // Also if its packet is there before it has had a turn.
    harness.hall.change(&config_of(Some(KEY), [], limits(2_000_000)));
    let larger = "x".repeat(1_500_000);
    irc.chat(&larger).await;
    assert_eq!(listener.hear().await, forwarded("irc", &larger));
    harness.hall.change(&config_of(Some(KEY), [], limits(1000)));
    irc.chat(&large).await;
    assert_eq!(irc.last_words().await, (vec![], Some(1009)));
}

#[tokio::test(start_paused = true)]
async fn a_room_keeps_as_much_as_it_may_now() {
    let harness = Harness::of(&config([]));
    let mut irc = harness.join_rich("irc").await;
    irc.say(&(0..100).map(|_| nameless("hello")).collect::<Vec<_>>()).await;
    settle().await;
    harness.hall.change(&config_of(Some(KEY), [], Limits { log_entries: 16, ..Limits::default() }));
    let mc = harness.join_rich_with("mc", &json!({"history": 100})).await;
    assert!(mc.cursor >= 84, "{}", mc.cursor);
}

/// A router where all of one name together say one message a second, and 1,000 bytes, twice as much at once.
fn throttled(limits: Limits) -> Harness {
    let rates = Rates { messages: Rate::new(1, SECOND, 2), bytes: Rate::new(1000, SECOND, 2000) };
    let grant = Grant { rights: Rights::DEFAULT, rates, owns_name: true };
    Harness::of(&config_of(Some(KEY), [client_with("mc", KEY, grant)], limits))
}

#[tokio::test(start_paused = true)]
async fn connections_of_a_name_share_its_rate_and_a_new_one_has_no_more() {
    let harness = throttled(Limits::default());
    let mut one = harness.join_rich("mc").await;
    let mut two = harness.join_rich("mc").await;
    assert_eq!(one.ack["limits"]["messages-per-second"], 1);
    assert_eq!(one.ack["limits"]["messages-burst"], 2);
    assert_eq!(ask(&mut one, named("a", "1")).await, acked("a", 1));
    two.hear().await;
    assert_eq!(ask(&mut two, named("a", "2")).await, acked("a", 2));
    one.hear().await;
    assert_eq!(ask(&mut one, named("b", "3")).await, refused(Some("b"), "rate-limited"));
    assert_eq!(ask(&mut two, named("b", "3")).await, refused(Some("b"), "rate-limited"));
    drop((one, two));
    settle().await;
    let mut again = harness.join_rich("mc").await;
    assert_eq!(ask(&mut again, named("c", "3")).await, refused(Some("c"), "rate-limited"));
    sleep(SECOND).await;
    assert_eq!(ask(&mut again, named("d", "3")).await, acked("d", 3));
    // Others have their own.
    let mut irc = harness.join_rich("irc").await;
    for seq in 4..50 {
        let id = format!("{seq}");
        assert_eq!(ask(&mut irc, named(&id, "x")).await, acked(&id, seq));
    }
}

#[tokio::test(start_paused = true)]
async fn the_ack_tells_the_lower_rate_and_the_lower_burst() {
    for (own, told) in [((50, 1), (1, 1)), ((50, 9), (1, 2)), ((1, 1), (1, 1))] {
        let rates = Rates { messages: Rate::new(own.0, SECOND, own.1), bytes: None };
        let harness = throttled(Limits { rates, ..Limits::default() });
        let mc = harness.join_rich("mc").await;
        let limits = (&mc.ack["limits"]["messages-per-second"], &mc.ack["limits"]["messages-burst"]);
        assert_eq!(limits, (&json!(told.0), &json!(told.1)));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_large_is_paid_for_afterwards() {
    let harness = throttled(Limits::default());
    let mut mc = harness.join_rich("mc").await;
    let packet = named("a", &"x".repeat(9000));
    let cost = u32::try_from(packet.to_string().len()).unwrap();
    assert_eq!(ask(&mut mc, packet).await, acked("a", 1), "more than a burst holds");
    // It does not matter what else changes meanwhile.
    harness.hall.set_muted(&ClientName::parse("irc", 64).unwrap(), true);
    settle().await;
    sleep(SECOND * (cost - 2100) / 1000).await;
    assert_eq!(ask(&mut mc, named("b", "x")).await, refused(Some("b"), "rate-limited"));
    sleep(SECOND / 5).await;
    assert_eq!(ask(&mut mc, named("c", "x")).await, acked("c", 2));
}

#[tokio::test(start_paused = true)]
async fn plain_connections_of_a_name_wait_for_each_other_and_lose_nothing() {
    let harness = throttled(Limits { ping: Duration::from_hours(1), ..Limits::default() });
    let mut listener = harness.join_raw("listener").await;
    let mut clients = [harness.join_raw("mc").await, harness.join_raw("mc").await];
    let start = Instant::now();
    for client in &mut clients {
        client.send(&raw::chat("hello").repeat(10)).await;
    }
    for number in 0..20 {
        assert_eq!(listener.hear().await, forwarded("mc", "hello"));
        // Both may go when one may: one too many is paid for by the next.
        assert!(start.elapsed() >= SECOND * u32::saturating_sub(number, 3), "message {number}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_goes_on_beyond_a_rate_of_bytes_is_closed() {
    let limits =
        Limits { rates: Rates { messages: None, bytes: Rate::new(100, SECOND, 100) }, ..Limits::default() };
    let harness = Harness::of(&config_of(Some(KEY), [], limits));
    let mut irc = harness.join_rich("irc").await;
    assert_eq!(ask(&mut irc, named("a", &"x".repeat(1000))).await, acked("a", 1));
    for number in 0..20 {
        let id = format!("{number}");
        assert_eq!(ask(&mut irc, named(&id, "x")).await, refused(Some(&id), "rate-limited"));
    }
    irc.say(&[named("b", "x")]).await;
    assert_eq!(irc.raw.last_words().await.1, Some(4529));
}
