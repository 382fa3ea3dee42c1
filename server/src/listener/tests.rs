//! What a connection's task takes.

use super::*;

/// How large the futures of a function are.
fn size_of_futures<F: Future>(_: impl Fn(Arc<Entrance>, Socket, PeerAddress) -> F) -> usize {
    size_of::<F>()
}

#[test]
fn a_task_keeps_no_place_for_what_is_over_or_still_to_come() {
    // Nearly all of its life it waits for messages, and what it needs for that is behind an `Arc`.
    let size = size_of_futures(Entrance::serve);
    assert!(size <= 704, "{size} bytes");
}
