//! What goes to and fro over an open connection.

use tokio::io::AsyncWriteExt;

use super::*;

#[tokio::test]
async fn texts_go_both_ways_whole_and_in_order() {
    let (mut socket, mut peer) = pair().await;
    for number in 0..100 {
        let text = format!("🦀 {}{number}", "x".repeat(number * 37));
        socket.say(&text).await.unwrap();
        assert_eq!(heard(&mut peer).await, text.as_str().into());
        tell(&mut peer, text.as_str()).await;
        assert_eq!(socket.hear().await.as_str(), text);
    }
}

#[tokio::test]
async fn what_is_taken_together_arrives_together() {
    let (mut socket, mut peer) = pair().await;
    for number in 0..1000 {
        socket.ready().await.unwrap();
        socket.start_send(number.to_string()).unwrap();
    }
    socket.flush().await.unwrap();
    for number in 0..1000 {
        assert_eq!(heard(&mut peer).await, number.to_string().as_str().into());
    }
}

#[tokio::test]
async fn pings_pongs_and_binary_messages_are_signs_of_life() {
    let (mut socket, mut peer) = pair().await;
    socket.ping().unwrap();
    socket.flush().await.unwrap();
    assert!(matches!(heard(&mut peer).await, Message::Ping(_)));
    // The pong goes out with the next thing that is sent.
    tell(&mut peer, Message::Ping(Bytes::from_static(b"you?"))).await;
    assert!(matches!(socket.read().await, Incoming::Other));
    assert!(matches!(socket.read().await, Incoming::Other));
    tell(&mut peer, Message::Binary(Bytes::from_static(b"\0"))).await;
    // Reading answers the ping.
    assert!(matches!(socket.read().await, Incoming::Other));
    assert_eq!(heard(&mut peer).await, Message::Pong(Bytes::from_static(b"you?")));
}

#[tokio::test]
async fn fragments_are_put_together() {
    let (mut socket, mut peer) = pair().await;
    // "gru", a ping in the middle, "ezi".
    peer.get_mut().write_all(b"\x01\x03gru\x89\x00\x80\x03ezi").await.unwrap();
    assert!(matches!(socket.read().await, Incoming::Other));
    assert_eq!(socket.hear().await.as_str(), "gruezi");
}

#[tokio::test]
async fn the_largest_message_comes_and_a_larger_one_is_not_read() {
    let largest = "x".repeat(2 << 20);
    let (mut socket, mut peer) = pair_with(largest.len()).await;
    let (text, ()) = tokio::join!(socket.hear(), tell(&mut peer, largest.as_str()));
    assert_eq!(text.as_str(), largest);

    // In one piece, and in fragments of which each is small enough.
    let (next, _) = tokio::join!(socket.read(), peer.send((largest + "x").into()));
    assert!(matches!(next, Incoming::TooBig));
    assert_eq!(socket.end().await, (None, String::new()));

    let (mut socket, mut peer) = pair_with(2 << 20).await;
    let fragments = async {
        let mut head = [0x01, 127, 0, 0, 0, 0, 0, 0x10, 0, 0];
        let part = vec![b'x'; 1 << 20];
        let stream = peer.get_mut();
        for _ in 0..3 {
            if stream.write_all(&head).await.is_err() || stream.write_all(&part).await.is_err() {
                break;
            }
            head[0] = 0x00;
        }
    };
    let (next, ()) = tokio::join!(socket.read(), fragments);
    assert!(matches!(next, Incoming::TooBig));
}

#[tokio::test]
async fn a_large_packet_goes_in_one_piece() {
    let (mut socket, _peer) = pair().await;
    socket.ready().await.unwrap();
    assert_eq!(socket.start_send("x".repeat(96 << 20)), Ok(()));
}

/// A sender is held back once the other end takes nothing; nothing of it is lost, and a close waits its turn.
#[tokio::test]
async fn a_peer_that_does_not_read_holds_the_sender_back() {
    let (mut socket, mut peer) = pair().await;
    let packet = "x".repeat(10_000);
    let mut taken = 0;
    while let Poll::Ready(ready) = poll_fn(|cx| Poll::Ready(socket.poll_ready(cx))).await {
        ready.unwrap();
        socket.start_send(packet.clone()).unwrap();
        taken += 1;
        assert!(taken < 10_000, "100 MB were taken that nobody reads");
    }
    // What is not a packet has room.
    socket.ping().unwrap();
    socket.start_close();
    assert!(poll_fn(|cx| Poll::Ready(socket.poll_read(cx))).await.is_pending());

    let reader = async {
        for _ in 0..taken {
            assert_eq!(heard(&mut peer).await.to_text().unwrap().len(), packet.len());
        }
        assert!(matches!(heard(&mut peer).await, Message::Ping(_)));
        assert!(matches!(heard(&mut peer).await, Message::Close(Some(_))));
        assert!(soon(peer.next()).await.is_none());
    };
    let (ended, ()) = tokio::join!(socket.end(), reader);
    assert_eq!(ended, (Some(1000), String::new()));
}

/// While nothing happens, nobody is woken.
#[tokio::test]
async fn an_idle_connection_wakes_nobody() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    struct Count(AtomicUsize);
    impl std::task::Wake for Count {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let (mut socket, mut peer) = pair().await;
    let count = std::sync::Arc::new(Count(AtomicUsize::new(0)));
    let waker = count.clone().into();
    let mut context = Context::from_waker(&waker);
    assert!(socket.poll_read(&mut context).is_pending());
    assert!(socket.poll_ready(&mut context).is_ready());
    assert!(socket.poll_flush(&mut context).is_ready());
    // Another connection has its round trips meanwhile, so that the runtime sees to its sockets.
    let (mut other, mut other_peer) = pair().await;
    other.say("hello").await.unwrap();
    heard(&mut other_peer).await;
    assert_eq!(count.0.load(Ordering::SeqCst), 0);

    tell(&mut peer, "hello").await;
    while count.0.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    assert!(socket.poll_read(&mut context).is_ready());
}
