//! `multichat-server serve`

use std::{fmt::Display, net::SocketAddr, path::Path, thread};

use multichat_server::{
    BindError, LocalAddress, Server,
    config::{Config, Files, SecretKey},
};
use tokio::runtime;

use super::{
    Failure, descriptors,
    manager::{self, News},
    reload::{Reloader, Source, Watch},
    signals::{self, OnHangup},
    source::{self, Overrides},
    stdout::say,
};

/// Serves until it is told to stop.
pub(super) fn serve(named: Option<&Path>, overrides: Overrides, watch: Watch) -> Result<(), Failure> {
    let file = source::find(named);
    let mut files = Files::default();
    let (config, made_up_key) = if let Some(file) = &file {
        let (config, warnings) = source::load(file, &overrides, &mut files)?;
        for warning in warnings {
            tracing::warn!("{}: {warning}", file.display());
        }
        (config, None)
    } else {
        let (text, key) = random_key()?;
        (source::local(key, &overrides)?, Some(text))
    };
    descriptors::raise_limit(&config.limits);
    let runtime = runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Runtime(format!("the server cannot be started: {error}")))?;
    let source = file.map(|file| Source { file, overrides, files });
    let result = runtime.block_on(listen(config, source, watch, made_up_key));
    // What still blocks (a look-up, a slow disk) has nothing more to do for anyone.
    runtime.shutdown_background();
    result
}

async fn listen(
    config: Config,
    source: Option<Source>,
    watch: Watch,
    made_up_key: Option<String>,
) -> Result<(), Failure> {
    // Before anyone can know that the server is there: who then stops it, stops it well.
    let on_hangup = if source.is_some() { OnHangup::Reload } else { OnHangup::Stop };
    let (stopped, hangups) = signals::listen(on_hangup)
        .map_err(|error| Failure::Runtime(format!("signals cannot be heard: {error}")))?;
    let scheme = if config.wss.is_some() { "wss" } else { "ws" };
    let path = config.default_room.ws_path.to_string();
    let limits = config.limits.clone();
    let has_pages = config.web_root.is_some();
    let server = Server::bind(config).await.map_err(|error| match error {
        BindError::Tls(error) => {
            let file = source.as_ref().map_or(Path::new(""), |source| &source.file);
            Failure::Configuration(format!("{}: {error}", file.display()))
        }
        error if made_up_key.is_some() => Failure::Runtime(format!(
            "{error} (with `--host`, or in a config.json, which `multichat-server init` makes)"
        )),
        error => Failure::Runtime(error.to_string()),
    })?;
    if let Some(address) = server.admin_address() {
        tracing::info!(%address, "listening for operators");
    }
    for address in server.addresses() {
        tracing::info!(%address, protocol = scheme, path, "listening");
    }
    manager::tell(News::Ready);
    tokio::spawn(manager::keep_alive());
    let pages = if scheme == "wss" { "https" } else { "http" };
    let page = server.local_addr().filter(|_| has_pages).map(|address| format!("{}/", url(pages, address)));
    if let Some(page) = &page {
        tracing::info!(page, "serving pages");
    }
    if let Some((key, address)) = made_up_key.zip(server.addresses().first()) {
        let text = welcome(scheme, address, page.as_deref(), &key);
        // In a thread of its own: it may be that nobody reads it, and it must not keep the server.
        let _ = thread::Builder::new().spawn(move || say(&text));
    }
    let reloading = source
        .map(|source| tokio::spawn(Reloader::new(source, &limits, server.handle()).run(hangups, watch)));
    // As a task: the workers keep it among them.
    tokio::spawn(server.run(async move {
        stopped.await;
        if let Some(reloading) = reloading {
            reloading.abort();
        }
    }))
    .await
    .map_err(|_| Failure::Runtime("the server ended by a bug; see the log".to_owned()))?;
    tracing::info!("stopped");
    Ok(())
}

/// Where a program on this machine finds it.
fn url(scheme: &str, address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        return format!("{scheme}://localhost:{}", address.port());
    }
    format!("{scheme}://{address}")
}

/// What someone needs to know who just runs the server.
fn welcome(scheme: &str, address: &LocalAddress, page: Option<&str>, key: &str) -> String {
    let (url, is_open) = match address {
        LocalAddress::Tcp(address) => (url(scheme, *address), !address.ip().is_loopback()),
        // As `ws` for Node.js writes it, with the path of the request at the end.
        LocalAddress::Unix(Some(path)) => (format!("{scheme}+unix:{}:/", path.display()), false),
        other => (other.to_string(), false),
    };
    let whom = if is_open { "that can reach this machine" } else { "on this machine" };
    // In the fragment, which no browser sends to anybody.
    let page = page.map_or(String::new(), |page| {
        format!("To chat, open this page, which has the key and joins by itself:\n\n    {page}#key={key}\n\n")
    });
    // Quoted for the shell that a copy of it will be pasted to.
    let quote = |json: &str| {
        if cfg!(windows) { format!("\"{}\"", json.replace('"', "\\\"")) } else { format!("'{json}'") }
    };
    let register = |name: &str| {
        let packet = format!(r#"{{"action":"register","client-name":"{name}","secret-key":"{key}"}}"#);
        format!("npx --yes wscat --connect {url} --execute {}", quote(&packet))
    };
    format!(
        "\
multichat-server serves programs {whom} at

    {url}

There is no config.json here, so the secret key is a random one, for this run only:

    {key}

{page}To try it, let a client wait for messages in one terminal

    {listen} --wait -1

and send one from another terminal

    {send} --execute {message}

To choose the address and keep a key, make a config.json, and start the server again:

    multichat-server init

",
        listen = register("listener"),
        send = register("sender"),
        message = quote(r#"{"action":"client-message","content":"hello"}"#),
    )
}

/// A new key, and its text for its owner.
pub(super) fn random_key() -> Result<(String, SecretKey), Failure> {
    let failed = |error: &dyn Display| Failure::Runtime(format!("no random key can be made: {error}"));
    let text = SecretKey::random_text().map_err(|error| failed(&error))?;
    let key = SecretKey::new(&text).map_err(|error| failed(&error))?;
    Ok((text, key))
}
