//! A process may have only so many descriptors.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use super::super::support::{Client, Pair, Route, Setup};

fn is_message(message: &str) -> impl Fn(&Value) -> bool {
    move |line| line["message"].as_str().is_some_and(|text| text.contains(message))
}

#[tokio::test]
async fn out_of_descriptors_the_router_waits_and_goes_on() {
    const MOST: u32 = 40;
    /// Over which the router's thirst for the processor is measured.
    const MEASURED: Duration = Duration::from_secs(1);
    let server = Setup::new().open_files(MOST).limits(json!({"http-request-seconds": 60})).start().await;
    let mut alice = Client::join(&server, "alice").await;
    let mut bob = Client::join(&server, "bob").await;
    let mut idle = Vec::new();
    for _ in 0..MOST {
        idle.push(Route::from(2).dial_tcp(&server).await);
    }
    server.logged("that there are no more", is_message("can't accept connections")).await;
    assert!(server.descriptors() >= MOST as usize);

    // Without a busy loop: that would take all of it.
    let before = server.cpu();
    sleep(MEASURED).await;
    let taken = server.cpu().saturating_sub(before);
    assert!(taken < MEASURED / 4, "it took {taken:?} of {MEASURED:?}");

    // Whoever is there notices nothing.
    for number in 0..100 {
        alice.chat(&number.to_string()).await;
        assert_eq!(bob.hear().await.content, number.to_string());
    }
    // Who comes waits until others leave.
    let newcomer = async {
        let mut newcomer = Client::join(&server, "newcomer").await;
        newcomer.chat("at last").await;
    };
    let departure = async {
        // It is not among the first in the queue: those who leave were there before.
        drop(idle);
    };
    tokio::join!(newcomer, departure);
    assert_eq!(bob.hear().await.content, "at last");
    assert_eq!(alice.hear().await.content, "at last");
    server.logged("that it goes on", is_message("accepting connections again")).await;
    assert_eq!(server.log_count(is_message("can't accept connections")), 1, "it is said once");
    Pair::start(&server).await.finish().await;
}
