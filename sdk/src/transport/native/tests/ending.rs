//! How a connection ends.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

const NOTHING: (Option<u16>, String) = (None, String::new());

fn close_of(code: u16, reason: &'static str) -> Message {
    Message::Close(Some(CloseFrame { code: code.into(), reason: Utf8Bytes::from_static(reason) }))
}

#[tokio::test]
async fn every_code_is_told_with_its_reason_and_answered() {
    for code in
        [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 1012, 1013, 3000, 4400, 4401, 4409, 4503, 4513, 4999]
    {
        let (mut socket, mut peer) = pair().await;
        tell(&mut peer, "last words").await;
        tell(&mut peer, close_of(code, "because")).await;
        assert_eq!(socket.hear().await.as_str(), "last words");
        assert_eq!(socket.end().await, (Some(code), String::from("because")));
        drop(socket);
        assert_eq!(heard(&mut peer).await, close_of(code, "because"));
        assert!(soon(peer.next()).await.is_none());
    }
}

/// No frame, an empty one, one whose code nobody may send.
#[tokio::test]
async fn a_close_without_a_code_is_a_break() {
    for frame in [
        &b""[..],
        b"\x88\x00",
        b"\x88\x02\x03\xed",
        b"\x88\x02\x03\xee",
        b"\x88\x02\x00\x00",
        b"\x88\x01\x03",
    ] {
        let (mut socket, mut peer) = pair().await;
        let stream = peer.get_mut();
        stream.write_all(frame).await.unwrap();
        stream.shutdown().await.unwrap();
        assert_eq!(socket.end().await, NOTHING, "{frame:?}");
    }
}

#[tokio::test]
async fn a_reset_and_half_a_frame_are_breaks() {
    for start in [&b""[..], b"\x81", b"\x81\x7e\x01", b"\x81\x05he", b"\x01\x02he"] {
        for reset in [false, true] {
            let (mut socket, mut peer) = pair().await;
            let stream = peer.get_mut();
            stream.write_all(start).await.unwrap();
            if reset {
                stream.set_zero_linger().unwrap();
            }
            drop(peer);
            assert_eq!(socket.end().await, NOTHING, "{start:?}");
            // Whoever writes to it finds out as well, sooner or later, and not by a panic.
            let _ = socket.say("hello?").await;
        }
    }
}

/// Whoever breaks the protocol is told so.
#[tokio::test]
async fn garbage_ends_the_connection_and_is_answered() {
    for (bytes, code) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], 1002),
        (b"\xff\xff\xff\xff", 1002),
        // Masked, although from a server; a reserved bit; a continuation of nothing; a long ping.
        (b"\x81\x81\0\0\0\0x", 1002),
        (b"\xc1\x01x", 1002),
        (b"\x80\x01x", 1002),
        (b"\x89\x7e\x00\x80", 1002),
        (b"\x81\x02\xc3\x28", 1007),
        (b"\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xff", 1009),
    ] {
        let (mut socket, mut peer) = pair().await;
        // With enough behind it for any header and any short frame.
        peer.get_mut().write_all(&[bytes, &[0; 256]].concat()).await.unwrap();
        assert_eq!(socket.end().await, NOTHING, "{bytes:?}");
        match heard(&mut peer).await {
            Message::Close(Some(frame)) => assert_eq!(u16::from(frame.code), code, "{bytes:?}"),
            other => panic!("{other:?} after {bytes:?}"),
        }
    }
}

#[tokio::test]
async fn our_own_close_waits_for_the_answer_and_hears_what_comes_before_it() {
    let (mut socket, mut peer) = pair().await;
    socket.say("bye").await.unwrap();
    tell(&mut peer, "on its way").await;
    socket.start_close();
    assert_eq!(socket.start_send(String::from("too late")), Err(Broken));
    assert_eq!(socket.ping(), Err(Broken));
    let (text, ()) = tokio::join!(socket.hear(), async {
        assert_eq!(heard(&mut peer).await, "bye".into());
        assert_eq!(heard(&mut peer).await, close_of(1000, ""));
    });
    assert_eq!(text.as_str(), "on its way");
    let (ended, _) = tokio::join!(socket.end(), peer.next());
    assert_eq!(ended, (Some(1000), String::new()));
}

/// How long to wait is not decided here.
#[tokio::test]
async fn a_close_that_is_not_answered_is_waited_for() {
    let (mut socket, mut peer) = pair().await;
    socket.start_close();
    assert_eq!(heard_raw(&mut peer).await, 0x88);
    assert!(poll_fn(|cx| Poll::Ready(socket.poll_read(cx))).await.is_pending());
    drop(peer);
    assert_eq!(socket.end().await, NOTHING);
}

/// The first byte, and no more.
async fn heard_raw(peer: &mut Peer) -> u8 {
    soon(peer.get_mut().read_u8()).await.unwrap()
}

#[tokio::test]
async fn dropping_it_closes_the_connection_at_once() {
    let (mut socket, mut peer) = pair().await;
    socket.say("hello").await.unwrap();
    drop(socket);
    assert_eq!(heard(&mut peer).await, "hello".into());
    assert!(!matches!(soon(peer.next()).await, Some(Ok(_))));
}
