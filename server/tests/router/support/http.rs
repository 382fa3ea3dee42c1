//! HTTP by hand (RFC 9112).

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{Route, Server, Stream, within};

/// The key of the example in RFC 6455, section 1.3, and the answer to it.
const WEBSOCKET_KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
pub(super) const WEBSOCKET_ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// A good request for an upgrade; `more` are further header lines.
pub(crate) fn upgrade(path: &str, more: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: router.example\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {WEBSOCKET_KEY}\r\n{more}\r\n"
    )
}

/// A GET; `more` are further header lines.
pub(crate) fn get(path: &str, more: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: router.example\r\n{more}\r\n")
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// Names are in lower case.
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    fn parse(head: &str) -> Self {
        let mut lines = head.split("\r\n");
        let status =
            lines.next().and_then(|line| line.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok());
        let header = |line: &str| {
            line.split_once(':').map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        };
        Self {
            status: status.unwrap_or_else(|| panic!("no HTTP: {head}")),
            headers: lines.filter_map(header).collect(),
            body: Vec::new(),
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|header| header.0 == name).map(|header| header.1.as_str())
    }

    pub(crate) fn text(&self) -> &str {
        str::from_utf8(&self.body).unwrap()
    }
}

/// A client of the HTTP side, one connection of it.
#[derive(Debug)]
pub(crate) struct Browser {
    pub(crate) stream: Stream,
    /// What was read and belongs to no answer yet.
    pub(super) inbox: Vec<u8>,
}

impl Browser {
    pub(crate) async fn connect(server: &Server) -> Self {
        Self::over(Route::USUAL.dial(server).await)
    }

    pub(crate) fn over(stream: Stream) -> Self {
        Self { stream, inbox: Vec::new() }
    }

    /// One request on a connection of its own.
    pub(crate) async fn ask(server: &Server, request: &str) -> Response {
        let mut browser = Self::connect(server).await;
        browser.send(request).await;
        browser.response(request.starts_with("HEAD")).await
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        within("the socket to take a request", self.stream.write_all(bytes.as_ref())).await.unwrap();
    }

    /// The next answer.
    pub(crate) async fn response(&mut self, is_to_head: bool) -> Response {
        const END: &[u8] = b"\r\n\r\n";
        let end = loop {
            if let Some(at) = self.inbox.windows(END.len()).position(|window| window == END) {
                break at + END.len();
            }
            let len = self.read().await.unwrap();
            assert_ne!(
                len,
                0,
                "the connection ends within a head: {:?}",
                String::from_utf8_lossy(&self.inbox)
            );
        };
        let head: Vec<u8> = self.inbox.drain(..end).collect();
        let mut response = Response::parse(str::from_utf8(&head).unwrap());
        let len = match response.header("content-length") {
            Some(len) if !is_to_head && response.status != 304 => len.parse().unwrap(),
            _ => 0,
        };
        while self.inbox.len() < len {
            assert_ne!(self.read().await.unwrap(), 0, "the connection ends within a body");
        }
        response.body = self.inbox.drain(..len).collect();
        response
    }

    /// Waits for the end of the connection, with nothing more before it. A reset is as good as an end.
    pub(crate) async fn ended(mut self) {
        match self.read().await {
            Ok(len) => assert_eq!(len, 0, "nothing more comes: {:?}", String::from_utf8_lossy(&self.inbox)),
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset),
        }
    }

    /// Waits for the end of the connection, whatever else comes before it.
    pub(crate) async fn dropped(mut self) {
        while self.read().await.is_ok_and(|len| len > 0) {}
    }

    async fn read(&mut self) -> io::Result<usize> {
        within("bytes from the router", self.stream.read_buf(&mut self.inbox)).await
    }
}
