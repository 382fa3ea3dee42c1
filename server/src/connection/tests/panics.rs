//! A panic in one connection ends that connection alone.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::time::{Instant, sleep};

use super::{
    harness::{Faults, Harness, forwarded, settle},
    raw::{PING, PONG, Raw, frame},
};
use crate::config::Limits;

const SECOND: Duration = Duration::from_secs(1);

/// Whether two who are still there hear each other, at once and many times.
async fn assert_works(alice: &mut Raw, bob: &mut Raw) {
    let start = Instant::now();
    for number in 0..50 {
        alice.chat(&format!("{number}")).await;
        assert_eq!(bob.hear().await, forwarded("alice", &format!("{number}")));
        bob.chat(&format!("{number}")).await;
        assert_eq!(alice.hear().await, forwarded("bob", &format!("{number}")));
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
}

/// Waits for the task of a connection that panicked, and for nothing being left of it.
async fn assert_ended(client: Raw, harness: &Harness) {
    let connections = Arc::strong_count(&harness.hall);
    let start = Instant::now();
    let _ = client.vanish().await;
    settle().await;
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert!(Arc::strong_count(&harness.hall) <= connections);
}

#[tokio::test(start_paused = true)]
async fn a_panic_while_reading_or_writing_an_answer() {
    let faults: [fn(&Faults) -> &AtomicBool; 2] =
        [|faults| &faults.panic_on_read, |faults| &faults.panic_on_write];
    for fault in faults {
        let harness = Harness::new(Limits::default());
        let mut alice = harness.join_raw("alice").await;
        let mut bob = harness.join_raw("bob").await;
        let mut broken = harness.join_raw("broken").await;
        fault(&broken.faults).store(true, Ordering::Relaxed);
        broken.send(&frame(PING, b"")).await;
        settle().await;
        assert!(broken.task.is_finished());
        assert_works(&mut alice, &mut bob).await;
        assert!(broken.stream_has_ended().await, "nobody keeps the stream");
        assert_ended(broken, &harness).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_while_a_message_is_handed_out() {
    let harness = Harness::new(Limits::default());
    let mut alice = harness.join_raw("alice").await;
    let mut bob = harness.join_raw("bob").await;
    let broken = harness.join_raw("broken").await;
    broken.faults.panic_on_write.store(true, Ordering::Relaxed);
    assert_works(&mut alice, &mut bob).await;
    settle().await;
    assert!(broken.task.is_finished(), "its own task does not wait for ever");
    assert_ended(broken, &harness).await;
}

#[tokio::test(start_paused = true)]
async fn a_panic_before_registration() {
    let harness = Harness::new(Limits::default());
    let mut alice = harness.join_raw("alice").await;
    let mut bob = harness.join_raw("bob").await;
    let mut broken = harness.connect_raw();
    broken.faults.panic_on_read.store(true, Ordering::Relaxed);
    broken.send(b"x").await;
    assert_ended(broken, &harness).await;
    assert_works(&mut alice, &mut bob).await;
}

#[tokio::test(start_paused = true)]
async fn a_panic_while_closing() {
    let harness = Harness::new(Limits::default());
    let mut alice = harness.join_raw("alice").await;
    let mut bob = harness.join_raw("bob").await;
    let mut broken = harness.join_raw("broken").await;
    broken.send(&frame(0x80 | 0x40 | 0x1, b"a reserved bit")).await;
    settle().await;
    broken.faults.panic_on_read.store(true, Ordering::Relaxed);
    broken.send(&frame(PONG, b"")).await;
    assert_ended(broken, &harness).await;
    assert_works(&mut alice, &mut bob).await;
    sleep(10 * SECOND).await;
}
