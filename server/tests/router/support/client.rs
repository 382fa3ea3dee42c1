//! A client of the plain dialect that can do everything wrong.

use std::{io, mem};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{
    Browser, Frame, KEY, Response, Route, Server, Stream, frame, http::WEBSOCKET_ACCEPT, upgrade, within,
};

/// A `register`.
pub(crate) fn register(name: &str, key: &str) -> String {
    json!({"action": "register", "client-name": name, "secret-key": key}).to_string()
}

/// A `client-message`.
pub(crate) fn message(content: &str) -> String {
    json!({"action": "client-message", "content": content}).to_string()
}

/// A `forwarding-message`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) source: String,
    pub(crate) content: String,
}

impl Text {
    pub(crate) fn new(source: &str, content: &str) -> Self {
        Self { source: source.to_owned(), content: content.to_owned() }
    }
}

/// How a connection ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// With a close frame, and then the end of the stream.
    Closed(u16, String),
    /// The stream ended without a close frame.
    Dropped,
    /// By a TCP reset, without a close frame.
    Reset,
}

impl End {
    pub(crate) fn closed(code: u16, reason: &str) -> Self {
        Self::Closed(code, reason.to_owned())
    }
}

/// The client.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) stream: Stream,
    inbox: Vec<u8>,
}

impl Client {
    /// Connects and registers.
    pub(crate) async fn join(server: &Server, name: &str) -> Self {
        Self::join_by(Route::USUAL, server, name).await
    }

    pub(crate) async fn join_by(route: Route, server: &Server, name: &str) -> Self {
        let mut client = Self::connect_by(route, server).await;
        client.register(name).await;
        client
    }

    /// Connects on a path, and registers with a key. How it ended, if it was not taken.
    pub(crate) async fn enter(server: &Server, path: &str, name: &str, key: &str) -> Result<Self, End> {
        let mut client = Self::open(server, path).await.expect("an upgrade");
        client.say(&register(name, key)).await;
        let ack = client.try_text().await?;
        assert_eq!(ack, r#"{"action":"register-ack"}"#);
        Ok(client)
    }

    /// Connects on a path, which may be refused.
    pub(crate) async fn open(server: &Server, path: &str) -> Result<Self, Response> {
        let mut browser = Browser::connect(server).await;
        browser.send(upgrade(path, "")).await;
        Self::try_upgraded(browser).await
    }

    /// Connects and does not register.
    pub(crate) async fn connect(server: &Server) -> Self {
        Self::connect_by(Route::USUAL, server).await
    }

    pub(crate) async fn connect_by(route: Route, server: &Server) -> Self {
        Self::over(route.dial(server).await).await
    }

    pub(crate) async fn over(stream: Stream) -> Self {
        let mut browser = Browser::over(stream);
        browser.send(upgrade("/", "")).await;
        Self::upgraded(browser).await
    }

    /// Reads the answer to a request for an upgrade.
    pub(crate) async fn upgraded(browser: Browser) -> Self {
        Self::try_upgraded(browser).await.expect("an upgrade")
    }

    /// Reads the answer to a request for an upgrade, which may be a refusal.
    pub(crate) async fn try_upgraded(mut browser: Browser) -> Result<Self, Response> {
        let response = browser.response(false).await;
        if response.status != 101 {
            return Err(response);
        }
        assert_eq!(response.header("sec-websocket-accept"), Some(WEBSOCKET_ACCEPT));
        assert_eq!(response.header("sec-websocket-extensions"), None);
        Ok(Self { stream: browser.stream, inbox: browser.inbox })
    }

    pub(crate) async fn register(&mut self, name: &str) {
        self.say(&register(name, KEY)).await;
        self.acknowledged().await;
    }

    /// Reads the ack.
    pub(crate) async fn acknowledged(&mut self) {
        assert_eq!(self.packet().await, json!({"action": "register-ack"}));
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.try_send(bytes).await.expect("the connection is open");
    }

    /// Sends to a router that may have closed the connection.
    pub(crate) async fn try_send(&mut self, bytes: &[u8]) -> io::Result<()> {
        within("the socket to take bytes", async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        })
        .await
    }

    /// Sends a text.
    pub(crate) async fn say(&mut self, text: &str) {
        self.send(&frame(Frame::WHOLE_TEXT, text.as_bytes())).await;
    }

    /// Sends a `client-message`.
    pub(crate) async fn chat(&mut self, content: &str) {
        self.say(&message(content)).await;
    }

    /// The next frame; `None` if the stream ends.
    pub(crate) async fn frame(&mut self) -> io::Result<Option<Frame>> {
        loop {
            if let Some(frame) = Frame::take(&mut self.inbox) {
                return Ok(Some(frame));
            }
            // Many frames at once, if they are there.
            self.inbox.reserve(8192);
            if within("a frame", self.stream.read_buf(&mut self.inbox)).await? == 0 {
                return Ok(None);
            }
        }
    }

    /// The next text; pings are answered.
    pub(crate) async fn try_text(&mut self) -> Result<String, End> {
        // Pings come for ever.
        within("a text", self.wait_for_text()).await
    }

    async fn wait_for_text(&mut self) -> Result<String, End> {
        loop {
            match self.frame().await {
                Ok(Some(Frame { first: Frame::WHOLE_TEXT, payload })) => {
                    return Ok(String::from_utf8(payload).unwrap());
                }
                Ok(Some(Frame { first: Frame::PING, payload })) => {
                    let _ = self.try_send(&frame(Frame::PONG, &payload)).await;
                }
                Ok(Some(Frame { first: Frame::PONG, .. })) => {}
                Ok(Some(Frame { first: Frame::CLOSE, payload })) => {
                    return Err(self.answer_close(&payload).await);
                }
                Ok(None) => return Err(End::Dropped),
                Err(_) => return Err(End::Reset),
                other => panic!("expected a text, found {}", show(&other)),
            }
        }
    }

    /// The next text.
    pub(crate) async fn text(&mut self) -> String {
        self.try_text().await.unwrap_or_else(|end| panic!("expected a text, found {end:?}"))
    }

    /// The next packet.
    pub(crate) async fn packet(&mut self) -> Value {
        serde_json::from_str(&self.text().await).unwrap()
    }

    /// Waits until the router has read all that this client said. Returns the texts that came meanwhile.
    pub(crate) async fn settle(&mut self) -> Vec<String> {
        const MARK: &[u8] = b"settled?";
        self.send(&frame(Frame::PING, MARK)).await;
        let mut texts = Vec::new();
        loop {
            match self.frame().await {
                Ok(Some(Frame { first: Frame::PONG, payload })) if payload == MARK => return texts,
                Ok(Some(Frame { first: Frame::WHOLE_TEXT, payload })) => {
                    texts.push(String::from_utf8(payload).unwrap());
                }
                Ok(Some(Frame { first: Frame::PING, payload })) => {
                    self.send(&frame(Frame::PONG, &payload)).await;
                }
                other => panic!("expected a pong, found {}", show(&other)),
            }
        }
    }

    /// What a close says, which is answered.
    async fn answer_close(&mut self, payload: &[u8]) -> End {
        let (code, reason) = payload.split_first_chunk().expect("a close says why");
        let _ = self.try_send(&frame(Frame::CLOSE, code)).await;
        End::Closed(u16::from_be_bytes(*code), String::from_utf8(reason.to_vec()).unwrap())
    }

    /// The next message.
    pub(crate) async fn hear(&mut self) -> Text {
        let mut packet = self.packet().await;
        let mut take = |name: &str| match packet.as_object_mut().and_then(|packet| packet.remove(name)) {
            Some(Value::String(text)) => text,
            other => panic!("\"{name}\" is {other:?} in a forwarding-message"),
        };
        assert_eq!(take("action"), "forwarding-message");
        let text = Text { source: take("source-client-name"), content: take("content") };
        assert_eq!(packet, json!({}), "no further fields");
        text
    }

    /// Reads on to the end of the connection, and answers a close.
    pub(crate) async fn end(&mut self) -> End {
        self.end_and_texts().await.0
    }

    /// The end, and the messages before it.
    pub(crate) async fn end_and_texts(&mut self) -> (End, Vec<String>) {
        let mut texts = Vec::new();
        let mut end = None;
        let end = loop {
            match self.frame().await {
                Ok(Some(Frame { first: Frame::CLOSE, payload })) => {
                    assert_eq!(end, None, "one close");
                    end = Some(self.answer_close(&payload).await);
                }
                Ok(Some(Frame { first: Frame::WHOLE_TEXT, payload })) if end.is_none() => {
                    texts.push(String::from_utf8(payload).unwrap());
                }
                Ok(Some(Frame { first: Frame::PING | Frame::PONG, .. })) if end.is_none() => {}
                Ok(None) => break end.unwrap_or(End::Dropped),
                // Bytes that the router does not read any more make its end a reset, which may overtake
                // the close.
                Err(_) => break end.unwrap_or(End::Reset),
                other => panic!("expected the end, found {}", show(&other)),
            }
        };
        (end, texts)
    }
}

/// All that comes, byte for byte, until it ends with a text.
pub(crate) async fn raw(client: &mut Client, last: &str) -> Vec<u8> {
    let mut bytes = mem::take(&mut client.inbox);
    while !bytes.ends_with(last.as_bytes()) {
        let len = within("bytes", client.stream.read_buf(&mut bytes)).await.unwrap();
        assert_ne!(len, 0, "the connection ends");
    }
    bytes
}

/// Without megabytes of payload.
fn show(frame: &io::Result<Option<Frame>>) -> String {
    match frame {
        Ok(Some(frame)) => {
            let payload = String::from_utf8_lossy(&frame.payload);
            format!("{:#x} {:.200}", frame.first, payload.escape_debug().to_string())
        }
        other => format!("{other:?}"),
    }
}
