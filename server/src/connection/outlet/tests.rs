//! The sending side over a socket that takes what it is told to.

use std::{sync::Arc, task::Waker, time::Duration};

use multichat::protocol::{ClientName, Dialect};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::*;
use crate::room::{Author, Draft, LogBounds, Mailbox, Origin, Room, RoomBounds, SessionBounds};

const SECOND: Duration = Duration::from_secs(1);

/// A socket that takes so many bytes.
#[derive(Default)]
struct Socket {
    room: usize,
    taken: Vec<u8>,
}

impl ByteStream for Socket {
    fn taken(&self) -> u64 {
        self.taken.len() as u64
    }

    fn reset_on_drop(&self) {}
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let len = bytes.len().min(self.room);
        if len == 0 {
            return Poll::Pending;
        }
        self.room -= len;
        self.taken.extend_from_slice(&bytes[..len]);
        Poll::Ready(Ok(len))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

const READER: Viewpoint = Viewpoint { dialect: Dialect::Plain, origin: Origin(2), hears: true };

/// A pass of `count` messages of about `len` bytes each.
fn pass(count: usize, len: usize) -> Arc<Pass> {
    let room = Room::new(
        RoomBounds {
            log: LogBounds { entries: 1000, bytes: 1 << 30 },
            sessions: SessionBounds { retention: SECOND, detached: 1 },
        },
        "epoch".to_owned(),
        1,
    );
    let client_name = ClientName::parse("x", 64).unwrap();
    let author = Arc::new(Author { origin: Origin(1), client_name, sender_name: None });
    for _ in 0..count {
        room.publish(Draft::plain(&author, "x".repeat(len)), &Mailbox::new(0));
    }
    room.read(0, usize::MAX).unwrap().unwrap()
}

fn cx() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

#[tokio::test(start_paused = true)]
async fn a_blocked_connection_keeps_no_more_than_the_rest_of_one_frame() {
    let pass = pass(100, 1000);
    let frame = pass.bytes(Dialect::Plain).len() / 100;
    for room in [0, 1, frame - 1, frame, frame + 1, 10 * frame + 7] {
        let mut outlet = Outlet::new(Instant::now());
        let mut socket = Socket { room, ..Socket::default() };
        let mut cursor = 0;
        assert!(outlet.poll_pass(&mut socket, &mut cx(), &pass, READER, &mut cursor).is_pending());
        assert_eq!(cursor, room.div_ceil(frame) as Seq, "those that have begun");
        let kept = outlet.queue.iter().map(Bytes::len).sum::<usize>();
        assert_eq!(kept, room.next_multiple_of(frame) - room);
        let joined = pass.bytes(Dialect::Plain).as_ptr_range();
        assert!(outlet.queue.iter().all(|rest| !joined.contains(&rest.as_ptr())), "not the joined buffer");
        assert!(outlet.is_blocked());

        // It reads on, and gets all of it.
        socket.room = usize::MAX;
        assert!(outlet.poll_drain(&mut socket, &mut cx()).is_ready());
        assert!(outlet.poll_pass(&mut socket, &mut cx(), &pass, READER, &mut cursor).is_ready());
        assert!(socket.taken == pass.bytes(Dialect::Plain));
        assert!(!outlet.is_blocked());
    }
}

#[tokio::test(start_paused = true)]
async fn a_last_frame_comes_right_after_the_one_that_has_begun() {
    let pass = pass(1, 1000);
    let mut outlet = Outlet::new(Instant::now());
    let mut socket = Socket { room: 500, ..Socket::default() };
    assert!(outlet.poll_pass(&mut socket, &mut cx(), &pass, READER, &mut 0).is_pending());
    for _ in 0..100 {
        outlet.push_pong(Bytes::from_static(b"pong"));
    }
    outlet.push_last(Bytes::from_static(b"last"));
    socket.room = usize::MAX;
    assert!(outlet.poll_drain(&mut socket, &mut cx()).is_ready());
    assert!(socket.taken == [pass.bytes(Dialect::Plain), b"last"].concat());
}

#[tokio::test(start_paused = true)]
async fn a_stall_lasts_until_a_byte_is_taken() {
    let pass = pass(1, 1000);
    let mut outlet = Outlet::new(Instant::now());
    let mut socket = Socket { room: 10, ..Socket::default() };
    assert_eq!(outlet.stalled_since(), None);
    let start = Instant::now();
    assert!(outlet.poll_pass(&mut socket, &mut cx(), &pass, READER, &mut 0).is_pending());
    tokio::time::advance(SECOND).await;
    outlet.push_pong(Bytes::from_static(b"pong"));
    assert!(outlet.poll_drain(&mut socket, &mut cx()).is_pending());
    assert_eq!(outlet.stalled_since(), Some(start), "another attempt changes nothing");
    assert_eq!(outlet.progress_at(), start);
    socket.room = 1;
    assert!(outlet.poll_drain(&mut socket, &mut cx()).is_pending());
    assert_eq!(outlet.stalled_since(), Some(start + SECOND), "one byte does");
    assert_eq!(outlet.progress_at(), start + SECOND);
    socket.room = usize::MAX;
    assert!(outlet.poll_drain(&mut socket, &mut cx()).is_ready());
    assert_eq!(outlet.stalled_since(), None);
}

#[tokio::test(start_paused = true)]
async fn the_newest_pong_is_sent_however_many_there_were() {
    let mut outlet = Outlet::new(Instant::now());
    let mut socket = Socket::default();
    for number in 0..=255 {
        outlet.push_pong(Bytes::from(vec![number; 100]));
        assert!(outlet.poll_drain(&mut socket, &mut cx()).is_pending());
        let kept = outlet.queue.iter().map(Bytes::len).sum::<usize>();
        assert!(kept < MAX_PONG_BACKLOG + 127);
    }
    socket.room = usize::MAX;
    assert!(outlet.poll_drain(&mut socket, &mut cx()).is_ready());
    assert!(socket.taken.ends_with(&[255; 100]));
}
