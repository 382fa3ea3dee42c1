//! What the service manager is told: systemd's `sd_notify(3)`. Without one, nothing is said.

#[cfg(unix)]
use std::sync::{Mutex, PoisonError};

/// How the server is.
#[derive(Clone, Copy, Debug)]
pub(super) enum News {
    /// It serves, for the first time or again after [`News::Reloading`].
    Ready,
    /// It looks at its files again. [`News::Ready`] must follow.
    Reloading,
    /// It has begun to stop.
    Stopping,
}

/// Tells the service manager. Once it knows that the server stops, it is told nothing else: a reload that is under way
/// must not let it believe that the server goes on.
#[cfg(unix)]
pub(super) fn tell(news: News) {
    use sd_notify::NotifyState;

    // Held until it is said, so that nothing overtakes it.
    static IS_STOPPING: Mutex<bool> = Mutex::new(false);
    let mut is_stopping = IS_STOPPING.lock().unwrap_or_else(PoisonError::into_inner);
    if *is_stopping {
        return;
    }
    *is_stopping = matches!(news, News::Stopping);
    send(&match news {
        News::Ready => vec![NotifyState::Ready],
        // It wants to know when, to tell this reload from the last.
        News::Reloading => [Some(NotifyState::Reloading), NotifyState::monotonic_usec_now().ok()]
            .into_iter()
            .flatten()
            .collect(),
        News::Stopping => vec![NotifyState::Stopping],
    });
}

/// Says again and again that the server is alive, if the service manager wants to hear it.
#[cfg(unix)]
pub(super) async fn keep_alive() {
    let Some(patience) = sd_notify::watchdog_enabled().filter(|patience| !patience.is_zero()) else { return };
    // As `sd_watchdog_enabled(3)` recommends.
    let mut ticks = tokio::time::interval(patience / 2);
    loop {
        ticks.tick().await;
        // A manager that does not listen must not stop those who work here.
        if tokio::task::spawn_blocking(|| send(&[sd_notify::NotifyState::Watchdog])).await.is_err() {
            return;
        }
    }
}

#[cfg(unix)]
fn send(states: &[sd_notify::NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the service manager can't be told how the server is");
    }
}

/// Other systems have no such manager.
#[cfg(not(unix))]
pub(super) fn tell(_news: News) {}

/// Other systems have no such manager.
#[cfg(not(unix))]
pub(super) async fn keep_alive() {}
