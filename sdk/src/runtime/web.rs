//! The event loop of JavaScript: of a page, a worker, Node.js, Deno or Bun.

#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use gloo_timers::future::TimeoutFuture;
use js_sys::Reflect;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Document, EventTarget, Performance};

use super::NoRuntime;

/// Every type: there is one thread.
pub trait MaybeSend {}
impl<T: ?Sized> MaybeSend for T {}

/// Every type: there is one thread.
pub trait MaybeSync {}
impl<T: ?Sized> MaybeSync for T {}

/// A future of any type.
pub(crate) type BoxFuture<T> = Pin<Box<dyn Future<Output = T>>>;

thread_local! {
    /// `performance`, which a page and a worker have under different types.
    static PERFORMANCE: Performance =
        Reflect::get(&js_sys::global(), &"performance".into()).unwrap_or_default().unchecked_into();
}

/// The time since some moment, the same one for the whole page. It never goes back.
pub(crate) fn now() -> Duration {
    let milliseconds = PERFORMANCE.with(Performance::now);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "no page is that old, nor younger than 0"
    )]
    Duration::from_micros((milliseconds * 1000.0) as u64)
}

/// A number that is another one at each call. Not for secrets.
pub(crate) fn seed() -> u64 {
    js_sys::Math::random().to_bits()
}

/// Runs a future to its end, beside everything else.
#[expect(clippy::unnecessary_wraps, reason = "the native twin may fail")]
pub(crate) fn spawn(future: impl Future<Output = ()> + 'static) -> Result<(), NoRuntime> {
    wasm_bindgen_futures::spawn_local(future);
    Ok(())
}

/// Has the task that asks be woken once all others had their turn.
pub(crate) fn yield_to_others(cx: &mut Context<'_>) {
    cx.waker().wake_by_ref();
}

/// The longest time that JavaScript sleeps, in milliseconds: 24 days.
const LONGEST: u32 = i32::MAX.cast_unsigned();

/// Ready after a while, of 24 days at most. Dropping it cancels it.
pub(crate) struct Sleep(TimeoutFuture);

impl Sleep {
    pub(crate) fn new(duration: Duration) -> Self {
        // Rounded up: who wakes too early finds nothing to do and sleeps for 0 ms, over and over.
        let rest = duration.subsec_nanos().div_ceil(1_000_000).into();
        let milliseconds = duration.as_secs().saturating_mul(1000).saturating_add(rest);
        Self(TimeoutFuture::new(u32::try_from(milliseconds).unwrap_or(u32::MAX).min(LONGEST)))
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx)
    }
}

/// Signs that a new attempt to connect may succeed now: the browser is online again, or the page, whose timers were
/// slowed down while it was hidden, is visible again. Where there is no such thing, they never come.
pub(crate) struct Wakeups {
    signal: Rc<Signal>,
    listeners: Vec<Listener>,
}

#[derive(Default)]
struct Signal {
    given: Cell<bool>,
    waker: AtomicWaker,
}

impl Signal {
    fn give(&self) {
        self.given.set(true);
        self.waker.wake();
    }
}

impl Wakeups {
    pub(crate) fn new() -> Self {
        let signal = Rc::<Signal>::default();
        let mut listeners = Vec::new();
        let global = js_sys::global();
        if let Ok(document) = Reflect::get(&global, &"document".into())
            && let Ok(document) = document.dyn_into::<Document>()
        {
            let signal = Rc::clone(&signal);
            let page = document.clone();
            listeners.push(Listener::new(document.into(), "visibilitychange", move || {
                if !page.hidden() {
                    signal.give();
                }
            }));
        }
        // `globalThis` of Node.js and Bun is none.
        if let Ok(target) = global.dyn_into::<EventTarget>() {
            let signal = Rc::clone(&signal);
            listeners.push(Listener::new(target, "online", move || signal.give()));
        }
        Self { signal, listeners }
    }

    /// Ready once for all signs since it was last ready.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.listeners.is_empty() {
            return Poll::Pending;
        }
        self.signal.waker.register(cx.waker());
        if self.signal.given.take() { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// Hears an event until it is dropped.
struct Listener {
    target: EventTarget,
    event: &'static str,
    callback: Closure<dyn FnMut()>,
}

impl Listener {
    fn new(target: EventTarget, event: &'static str, heard: impl FnMut() + 'static) -> Self {
        let callback = Closure::new(heard);
        // Fails for what is no target alone.
        let _ = target.add_event_listener_with_callback(event, callback.as_ref().unchecked_ref());
        Self { target, event, callback }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let callback = self.callback.as_ref().unchecked_ref();
        let _ = self.target.remove_event_listener_with_callback(self.event, callback);
    }
}
