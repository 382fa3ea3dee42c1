//! What the handles do beside sending and receiving.

use multichat::protocol::{ClientReceipt, ReceiptStatus};
use multichat::{Client, OutboxLimits};

use crate::support::{KEY, Router, soon, split};

#[tokio::test]
async fn a_flush_does_not_wait_for_receipts() {
    let router = Router::start().await;
    let (client, _feed) = split(soon("the ack", router.client("irc").connect()).await.unwrap());
    for _ in 0..100 {
        client.report(ClientReceipt::new(1, ReceiptStatus::Delivered)).unwrap();
        soon("the flush", client.flush()).await;
    }
}

#[tokio::test]
async fn receipts_never_fill_the_outbox() {
    let router = Router::start().await;
    let builder = router.client("irc").outbox(OutboxLimits { messages: 4, ..OutboxLimits::default() });
    let (client, _feed) = split(soon("the ack", builder.connect()).await.unwrap());
    for _ in 0..100 {
        soon("room", client.ready()).await;
        client.report(ClientReceipt::new(1, ReceiptStatus::Delivered)).unwrap();
    }
}

#[tokio::test]
async fn debug_has_no_secrets() {
    let builder = Client::builder("ws://127.0.0.1:9/?token=hidden", "irc").key(KEY);
    assert!(!format!("{builder:?}").contains(KEY));
    assert!(!format!("{builder:?}").contains("hidden"));
    let (client, events) = builder.start().unwrap();
    drop(client.send("a secret"));
    let shown = format!("{client:?} {events:?} {:?}", client.states());
    assert!(!shown.contains(KEY) && !shown.contains("a secret") && shown.len() < 300, "{shown}");
}
