//! Somebody who watches the router.

use std::{collections::BTreeMap, net::SocketAddr};

use serde_json::Value;
use tokio::net::TcpStream;

use super::{Browser, Response, Server, Stream, within};

/// An operator.
#[derive(Clone, Debug)]
pub(crate) struct Operator {
    address: SocketAddr,
    key: Option<String>,
}

impl Operator {
    /// One who has no key.
    pub(crate) fn of(server: &Server) -> Self {
        Self { address: server.admin_address(), key: None }
    }

    pub(crate) fn with_key(server: &Server, key: &str) -> Self {
        Self { key: Some(key.to_owned()), ..Self::of(server) }
    }

    pub(crate) async fn connect(&self) -> Browser {
        let tcp = within("a TCP connection", TcpStream::connect(self.address)).await.unwrap();
        Browser::over(Stream::Plain(tcp))
    }

    /// A request, of which the last header lines and the body are given.
    pub(crate) fn request(&self, method: &str, path: &str, rest: &str) -> String {
        let key = self.key.as_ref().map_or(String::new(), |key| format!("Authorization: Bearer {key}\r\n"));
        format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n{key}{rest}", self.address)
    }

    /// One request on a connection of its own.
    pub(crate) async fn ask(&self, request: &str) -> Response {
        let mut browser = self.connect().await;
        browser.send(request).await;
        browser.response(request.starts_with("HEAD")).await
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.ask(&self.request("GET", path, "\r\n")).await
    }

    /// A POST without a body.
    pub(crate) async fn post(&self, path: &str) -> Response {
        self.ask(&self.request("POST", path, "Content-Length: 0\r\n\r\n")).await
    }

    pub(crate) async fn post_json(&self, path: &str, body: &Value) -> Response {
        let body = body.to_string();
        let len = body.len();
        let rest = format!("Content-Type: application/json\r\nContent-Length: {len}\r\n\r\n{body}");
        self.ask(&self.request("POST", path, &rest)).await
    }

    /// Who is there.
    pub(crate) async fn clients(&self) -> Value {
        let response = self.get("/clients").await;
        assert_eq!((response.status, response.header("content-type")), (200, Some("application/json")));
        serde_json::from_slice(&response.body).unwrap()
    }

    /// The row of a client, of which there is one.
    pub(crate) async fn client(&self, name: &str) -> Value {
        let clients = self.clients().await;
        let mut rows = clients["clients"].as_array().unwrap().iter().filter(|row| row["name"] == name);
        let row = rows.next().unwrap_or_else(|| panic!("no {name} among {clients}"));
        assert!(rows.next().is_none(), "one {name}: {clients}");
        row.clone()
    }

    pub(crate) async fn metrics(&self) -> Metrics {
        let response = self.get("/metrics").await;
        assert_eq!(response.status, 200);
        let media_type = response.header("content-type");
        assert_eq!(media_type, Some("text/plain; version=0.0.4; charset=utf-8"));
        Metrics(response.text().to_owned())
    }

    /// Waits until the router in numbers is as it should be.
    pub(crate) async fn sees(&self, what: &str, is_so: impl Fn(&Metrics) -> bool) -> Metrics {
        within(what, async {
            loop {
                let metrics = self.metrics().await;
                if is_so(&metrics) {
                    return metrics;
                }
            }
        })
        .await
    }
}

/// The router in numbers.
#[derive(Clone, Debug)]
pub(crate) struct Metrics(pub(crate) String);

impl Metrics {
    /// All series, by their name and labels as they are written.
    pub(crate) fn series(&self) -> BTreeMap<&str, f64> {
        let lines = self.0.lines().filter(|line| !line.starts_with('#'));
        lines
            .map(|line| {
                let (series, value) = line.rsplit_once(' ').unwrap();
                (series, value.parse().unwrap())
            })
            .collect()
    }

    /// The count in a series of the default room; `labels` are its further labels.
    pub(crate) fn room(&self, name: &str, labels: &str) -> u64 {
        let separator = if labels.is_empty() { "" } else { "," };
        self.count(&format!("{name}{{room=\"default\"{separator}{labels}}}"))
    }

    /// The count in a series.
    pub(crate) fn count(&self, series: &str) -> u64 {
        let text = self.text(series);
        text.parse().unwrap_or_else(|_| panic!("{series} is {text}"))
    }

    /// The value of a series.
    pub(crate) fn value(&self, series: &str) -> f64 {
        self.text(series).parse().unwrap()
    }

    fn text(&self, series: &str) -> &str {
        let value = self.0.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("no {series} in {}", self.0))
    }
}
