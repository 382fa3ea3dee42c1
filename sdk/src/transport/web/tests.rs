//! In a page of a real browser: against its own `WebSocket`, as far as no server is needed, and against one that does
//! what a test says.

use js_sys::{Array, Function, Object};
use wasm_bindgen::JsCast;
use wasm_bindgen_test::wasm_bindgen_test;

use super::*;

/// Stands in for the `WebSocket` of the browser. It is told what happens to it, and keeps what was asked of it.
const STAND_IN: &str = "
    const browsers = globalThis.WebSocket
    const Closing = globalThis.CloseEvent
    class StandIn extends EventTarget {
        static made = []
        static restore() { globalThis.WebSocket = browsers; globalThis.CloseEvent = Closing }
        readyState = 0
        bufferedAmount = 0
        asked = []
        constructor(url) {
            super()
            if (url.includes('throws')) throw new DOMException('no', url.split('/').pop())
            StandIn.made.push(this)
        }
        send(text) { this.asked.push(text) }
        close(code) { this.asked.push('close ' + code); if (this.readyState < 2) this.readyState = 2 }
        opens() { this.readyState = 1; this.dispatchEvent(new Event('open')) }
        hears(data) { this.dispatchEvent(new MessageEvent('message', { data })) }
        fails() { this.dispatchEvent(new Event('error')) }
        ends(code, reason) {
            this.readyState = 3
            this.dispatchEvent(new Closing('close', { code, reason, wasClean: code != 1006 }))
        }
    }
    globalThis.WebSocket = StandIn
    return StandIn
";

/// The class, in the place of the browser's until it is dropped.
struct StandIn(JsValue);

impl StandIn {
    fn new() -> Self {
        Self(Function::new_no_args(STAND_IN).call0(&JsValue::NULL).unwrap())
    }

    /// The socket that was made last.
    fn socket(&self) -> Other {
        Other(get(&self.0, "made").unchecked_into::<Array>().pop())
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        Other(self.0.clone()).does("restore", &[]);
    }
}

/// A socket of the class, seen from its other end.
struct Other(JsValue);

impl Other {
    fn does(&self, what: &str, with: &[JsValue]) {
        let method: Function = get(&self.0, what).unchecked_into();
        method.apply(&self.0, &with.iter().collect::<Array>()).unwrap();
    }

    fn asked(&self) -> Vec<String> {
        let asked: Array = get(&self.0, "asked").unchecked_into();
        asked.iter().map(|entry| entry.as_string().unwrap()).collect()
    }

    fn set(&self, name: &str, value: u32) {
        Reflect::set(&self.0, &name.into(), &value.into()).unwrap();
    }
}

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

/// Lets JavaScript do what it has to do.
async fn pause() {
    Sleep::new(Duration::ZERO).await;
}

async fn refusal_of(address: &str) -> ConnectError {
    let limit = Sleep::new(Duration::from_secs(20));
    let url = url(address);
    let attempt = std::pin::pin!(Socket::connect(&url, &Tls {}));
    match futures_util::future::select(attempt, limit).await {
        futures_util::future::Either::Left((Err(error), _)) => error,
        _ => panic!("{address} was opened, or nothing happened within 20 seconds"),
    }
}

async fn pair() -> (Socket, Other) {
    let stand_in = StandIn::new();
    let url = url("ws://localhost/");
    let connecting = Socket::connect(&url, &Tls {});
    let opening = async {
        let other = stand_in.socket();
        other.does("opens", &[]);
        other
    };
    let (socket, other) = futures_util::future::join(connecting, opening).await;
    (socket.unwrap_or_else(|error| panic!("{error}")), other)
}

impl Socket {
    async fn read(&mut self) -> Incoming {
        poll_fn(|cx| self.poll_read(cx)).await
    }

    async fn end(&mut self) -> (Option<u16>, String) {
        loop {
            if let Incoming::Closed { code, reason } = self.read().await {
                return (code, reason);
            }
        }
    }
}

/// By the browser's own `WebSocket`: a port that browsers refuse, and one on which nobody listens.
#[wasm_bindgen_test]
async fn what_cannot_be_reached_says_so() {
    for address in ["ws://127.0.0.1:1/", "ws://127.0.0.1:9/", "wss://127.0.0.1:54321/"] {
        let error = refusal_of(address).await;
        assert_eq!(error.code(), "unreachable", "{error}");
    }
}

#[wasm_bindgen_test]
async fn what_the_constructor_throws_is_told() {
    let _stand_in = StandIn::new();
    for (name, code) in [
        ("SyntaxError", "invalid-url"),
        ("ReferenceError", "no-websocket"),
        ("SecurityError", "unreachable"),
        ("NS_ERROR_CONTENT_BLOCKED", "unreachable"),
    ] {
        assert_eq!(refusal_of(&format!("ws://throws/{name}")).await.code(), code);
    }
}

#[wasm_bindgen_test]
async fn a_runtime_without_websocket_says_so() {
    let _stand_in = StandIn::new();
    Reflect::delete_property(&js_sys::global(), &"WebSocket".into()).unwrap();
    assert_eq!(refusal_of("ws://localhost/").await, ConnectError::NoWebSocket);
}

/// With and without an `error` in front: some runtimes leave it out. And with nothing but that, as Safari does.
#[wasm_bindgen_test]
async fn a_connection_that_fails_is_unreachable() {
    for (errs, ends) in [(true, true), (false, true), (true, false)] {
        let stand_in = StandIn::new();
        let failing = async {
            let other = stand_in.socket();
            if errs {
                other.does("fails", &[]);
            }
            if ends {
                other.does("ends", &[1006.into(), "".into()]);
            }
        };
        let (error, ()) = futures_util::future::join(refusal_of("ws://localhost/"), failing).await;
        assert_eq!(error.code(), "unreachable");
    }
}

/// As the npm package has it of the package `ws`.
#[wasm_bindgen_test]
async fn why_it_fails_is_told_where_it_is_known() {
    let stand_in = StandIn::new();
    let failing = async {
        let other = stand_in.socket();
        Reflect::set(&other.0, &"failure".into(), &"connect ECONNREFUSED".into()).unwrap();
        other.does("fails", &[]);
        other.does("ends", &[1006.into(), "".into()]);
    };
    let (error, ()) = futures_util::future::join(refusal_of("ws://localhost/"), failing).await;
    assert_eq!(error.to_string(), "the router cannot be reached: localhost, port 80: connect ECONNREFUSED");
}

#[wasm_bindgen_test]
async fn texts_go_both_ways() {
    let (mut socket, other) = pair().await;
    assert!(poll_fn(|cx| socket.poll_ready(cx)).await.is_ok());
    socket.start_send(String::from("hello 🦀")).unwrap();
    assert!(poll_fn(|cx| socket.poll_flush(cx)).await.is_ok());
    socket.ping().unwrap();
    assert_eq!(other.asked(), ["hello 🦀"]);
    other.does("hears", &["grüezi".into()]);
    other.does("hears", &[js_sys::ArrayBuffer::new(2).into()]);
    assert!(matches!(socket.read().await, Incoming::Text(text) if text == "grüezi"));
    assert!(matches!(socket.read().await, Incoming::Other));
}

#[wasm_bindgen_test]
async fn a_crowded_browser_holds_the_sender_back() {
    let (mut socket, other) = pair().await;
    other.set("bufferedAmount", BUFFERED_BYTES);
    assert!(poll_fn(|cx| Poll::Ready(socket.poll_ready(cx))).await.is_pending());
    other.set("bufferedAmount", BUFFERED_BYTES - 1);
    assert_eq!(poll_fn(|cx| socket.poll_ready(cx)).await, Ok(()));
    other.set("bufferedAmount", BUFFERED_BYTES);
    let ends = async { other.does("ends", &[1001.into(), "".into()]) };
    assert_eq!(futures_util::future::join(poll_fn(|cx| socket.poll_ready(cx)), ends).await.0, Err(Broken));
}

#[wasm_bindgen_test]
async fn every_end_is_told() {
    for (code, told) in [(1000, Some(1000)), (4401, Some(4401)), (1005, None), (1006, None)] {
        let (mut socket, other) = pair().await;
        other.does("hears", &["last words".into()]);
        if told.is_none() {
            other.does("fails", &[]);
        }
        other.does("ends", &[code.into(), "because".into()]);
        assert_eq!(socket.start_send(String::from("too late")), Err(Broken));
        assert!(matches!(socket.read().await, Incoming::Text(_)));
        assert_eq!(socket.end().await, (told, String::from("because")));
    }
}

#[wasm_bindgen_test]
async fn a_message_may_be_of_any_size() {
    let (mut socket, other) = pair().await;
    let large = "x".repeat(8 << 20);
    other.does("hears", &[large.as_str().into()]);
    assert!(matches!(socket.read().await, Incoming::Text(text) if text == large));
    assert!(other.asked().is_empty());
}

#[wasm_bindgen_test]
async fn our_own_close_waits_for_the_answer() {
    let (mut socket, other) = pair().await;
    socket.start_close();
    assert_eq!(other.asked(), ["close 1000"]);
    assert_eq!(socket.start_send(String::from("too late")), Err(Broken));
    assert!(poll_fn(|cx| Poll::Ready(socket.poll_read(cx))).await.is_pending());
    other.does("hears", &["on its way".into()]);
    other.does("ends", &[1000.into(), "".into()]);
    assert!(matches!(socket.read().await, Incoming::Text(_)));
    assert_eq!(socket.end().await, (Some(1000), String::new()));
}

/// What comes after the drop calls into nothing that is gone, where there is no global `CloseEvent` either.
#[wasm_bindgen_test]
async fn dropping_it_closes_it_and_what_comes_later_does_no_harm() {
    for is_open in [true, false] {
        let stand_in = StandIn::new();
        let other = if is_open {
            let (socket, other) = pair().await;
            Reflect::delete_property(&js_sys::global(), &"CloseEvent".into()).unwrap();
            drop(socket);
            other
        } else {
            let url = url("ws://localhost/");
            let mut attempt = Box::pin(Socket::connect(&url, &Tls {}));
            assert!(poll_fn(|cx| Poll::Ready(attempt.as_mut().poll(cx))).await.is_pending());
            Reflect::delete_property(&js_sys::global(), &"CloseEvent".into()).unwrap();
            drop(attempt);
            stand_in.socket()
        };
        assert_eq!(other.asked()[0], "close undefined");
        pause().await;
        if is_open {
            other.does("hears", &["late".into()]);
        }
        // An exception in a listener would show as an uncaught error of the page.
        let errors = Errors::new();
        other.does("fails", &[]);
        other.does("ends", &[1006.into(), "".into()]);
        pause().await;
        other.does("hears", &["later".into()]);
        other.does("ends", &[1006.into(), "".into()]);
        assert!(errors.is_none());
    }
}

#[wasm_bindgen_test]
fn what_stays_on_this_machine_is_known() {
    for host in ["localhost", "a.localhost", "127.0.0.1", "127.1.2.3", "::1"] {
        assert!(is_loopback(host), "{host}");
    }
    for host in ["example.org", "localhost.example.org", "10.0.0.1", "::2"] {
        assert!(!is_loopback(host), "{host}");
    }
}

/// Counts what nobody caught.
struct Errors(Object);

impl Errors {
    fn new() -> Self {
        let code = "
            const errors = { count: 0 }
            errors.listener = () => { errors.count += 1 }
            addEventListener('error', errors.listener)
            return errors";
        Self(Function::new_no_args(code).call0(&JsValue::NULL).unwrap().unchecked_into())
    }

    fn is_none(&self) -> bool {
        get(&self.0, "count") == 0
    }
}

impl Drop for Errors {
    fn drop(&mut self) {
        let code = Function::new_with_args("errors", "removeEventListener('error', errors.listener)");
        code.call1(&JsValue::NULL, &self.0).unwrap();
    }
}
