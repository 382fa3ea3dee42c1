//! In a page of a real browser.

use std::future::poll_fn;

use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::Event;

use super::*;

#[wasm_bindgen_test]
async fn sleeps_last_as_long_as_they_say() {
    let start = now();
    Sleep::new(Duration::from_micros(20_500)).await;
    // Browsers round what their clock says.
    assert!(now() >= start + Duration::from_millis(20));
}

#[wasm_bindgen_test]
async fn what_is_too_long_to_sleep_is_slept_as_long_as_can_be() {
    let mut long = Sleep::new(Duration::MAX);
    assert!(poll_fn(|cx| Poll::Ready(Pin::new(&mut long).poll(cx))).await.is_pending());
    Sleep::new(Duration::from_millis(5)).await;
    assert!(poll_fn(|cx| Poll::Ready(Pin::new(&mut long).poll(cx))).await.is_pending());
}

#[wasm_bindgen_test]
async fn tasks_run_beside() {
    let (done, mut is_done) = futures_channel::mpsc::channel::<()>(1);
    spawn(async move { drop(done) }).unwrap();
    assert_eq!(poll_fn(|cx| futures_core::Stream::poll_next(Pin::new(&mut is_done), cx)).await, None);
}

#[wasm_bindgen_test]
fn seeds_differ() {
    assert_ne!(seed(), seed());
}

#[wasm_bindgen_test]
async fn the_browser_wakes_until_it_is_not_listened_to() {
    let mut wakeups = Wakeups::new();
    let document: Document = Reflect::get(&js_sys::global(), &"document".into()).unwrap().unchecked_into();
    let page: EventTarget = js_sys::global().unchecked_into();
    for (target, event) in [(&page, "online"), (document.as_ref(), "visibilitychange"), (&page, "online")] {
        assert!(poll_fn(|cx| Poll::Ready(wakeups.poll(cx))).await.is_pending());
        let wake = async { target.dispatch_event(&Event::new(event).unwrap()).unwrap() };
        futures_util::future::join(poll_fn(|cx| wakeups.poll(cx)), wake).await;
    }
    let signal = Rc::clone(&wakeups.signal);
    drop(wakeups);
    page.dispatch_event(&Event::new("online").unwrap()).unwrap();
    assert!(!signal.given.get());
    assert_eq!(Rc::strong_count(&signal), 1);
}
