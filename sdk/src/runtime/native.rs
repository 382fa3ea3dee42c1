//! tokio.

use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::pin::{Pin, pin};
use std::sync::OnceLock;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::NoRuntime;

/// `Send`, where tasks move between threads.
pub trait MaybeSend: Send {}
impl<T: Send + ?Sized> MaybeSend for T {}

/// `Sync`, where tasks move between threads.
pub trait MaybeSync: Sync {}
impl<T: Sync + ?Sized> MaybeSync for T {}

/// A future of any type.
pub(crate) type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The time since some moment, the same one for the whole process. It never goes back, and stands still while tokio's
/// clock is paused.
pub(crate) fn now() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    // An hour back, where the system's clock has that: a paused clock stopped before this was first called.
    let start = START.get_or_init(|| {
        let now = Instant::now();
        now.checked_sub(Duration::from_hours(1)).unwrap_or(now)
    });
    tokio::time::Instant::now().into_std().saturating_duration_since(*start)
}

/// A number that is another one at each call. Not for secrets.
pub(crate) fn seed() -> u64 {
    RandomState::new().hash_one(())
}

/// Runs a future to its end, beside everything else.
pub(crate) fn spawn(future: impl Future<Output = ()> + Send + 'static) -> Result<(), NoRuntime> {
    Handle::try_current().map_err(|_| NoRuntime)?.spawn(future);
    Ok(())
}

/// Has the task that asks be woken once all others had their turn. Waking it at once is not enough: a runtime of one
/// thread would go back to it dozens of times before the program's own task sees what has come.
pub(crate) fn yield_to_others(cx: &mut Context<'_>) {
    let _ = pin!(tokio::task::yield_now()).poll(cx);
}

/// Ready after a while. Dropping it cancels it.
pub(crate) struct Sleep(Pin<Box<tokio::time::Sleep>>);

impl Sleep {
    pub(crate) fn new(duration: Duration) -> Self {
        Self(Box::pin(tokio::time::sleep(duration)))
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx)
    }
}

/// Signs that a new attempt to connect may succeed now. Natively there are none.
pub(crate) struct Wakeups;

impl Wakeups {
    pub(crate) fn new() -> Self {
        Self
    }

    /// Never ready.
    #[expect(clippy::unused_self, reason = "the twin of the web has listeners")]
    pub(crate) fn poll(&mut self, _cx: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_clock_is_tokios_and_sleeps_go_by_it() {
        let start = now();
        Sleep::new(Duration::from_millis(1500)).await;
        assert_eq!(now(), start + Duration::from_millis(1500));
        Sleep::new(Duration::MAX).await;
        assert!(now() > start + Duration::from_hours(24 * 365));
    }

    #[test]
    fn it_is_the_same_clock_without_a_runtime() {
        let before = now();
        assert!(now() >= before);
    }

    #[test]
    fn seeds_differ() {
        assert_ne!(seed(), seed());
    }

    #[test]
    fn tasks_need_a_runtime() {
        assert_eq!(spawn(async {}), Err(NoRuntime));
    }

    #[tokio::test]
    async fn tasks_run_beside() {
        let (done, mut is_done) = futures_channel::mpsc::channel(1);
        spawn(async move { drop(done) }).unwrap();
        assert_eq!(futures_util::StreamExt::next(&mut is_done).await, None::<()>);
    }

    #[tokio::test]
    async fn nothing_wakes_a_native_client() {
        let mut wakeups = Wakeups::new();
        assert!(poll_fn(|cx| Poll::Ready(wakeups.poll(cx))).await.is_pending());
    }
}
