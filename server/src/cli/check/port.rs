//! What `check` says of the port.

use multichat_server::config::{Config, ContentPolicy, Host, Limits};

use super::limits::differences;

/// What holds for the port, whichever room a client goes to.
pub(super) fn rows(config: &Config) -> Vec<(String, String)> {
    let rows = [
        ("address", address(&config.host)),
        ("protocol", protocol(config)),
        ("web pages", origins(config)),
        ("proxies", proxies(config)),
        ("static files", files(config)),
        ("limits", differences(&config.limits, &Limits::default(), "at their defaults", "default")),
    ];
    let mut rows: Vec<_> = rows.map(|(name, value)| (name.to_owned(), value)).into();
    if let Some(admin) = &config.admin {
        let key = if admin.key.is_some() { "with a key" } else { "without a key" };
        rows.push(("operators".to_owned(), format!("{}, {key}", address(&admin.host))));
    }
    rows
}

fn address(host: &Host) -> String {
    match host {
        Host::AnyInterface { port } => format!("{}, on every interface, IPv6 and IPv4", port_words(*port)),
        Host::Address(address) => {
            let reach = if address.ip().is_loopback() { " (this machine alone)" } else { "" };
            format!("{}{reach}, {}", address.ip(), port_words(address.port()))
        }
        Host::Name { host, port } => {
            format!("what {host} stands for when the server starts, {}", port_words(*port))
        }
        Host::Unix(path) => format!("the Unix-domain socket {} (this machine alone)", path.display()),
        Host::Systemd => "the sockets that systemd hands over".to_owned(),
    }
}

fn port_words(port: u16) -> String {
    if port == 0 { "any free port".to_owned() } else { format!("port {port}") }
}

fn protocol(config: &Config) -> String {
    match &config.wss {
        Some(wss) => format!("wss, with the certificate in {}", wss.certfile.display()),
        None if config.host.is_loopback() => "ws, without TLS".to_owned(),
        None => {
            "ws, without TLS: on a network that you do not trust, put a proxy with TLS before it, or set wss"
                .to_owned()
        }
    }
}

fn origins(config: &Config) -> String {
    let listed = config.allowed_origins.to_string();
    match listed.split(", ").next() {
        Some("") | None => "those of the same host may connect".to_owned(),
        Some("*") => "all may connect".to_owned(),
        Some(_) => format!("those of the same host may connect, and {listed}"),
    }
}

fn proxies(config: &Config) -> String {
    if config.trusted_proxies.is_empty() {
        return "none is believed; a client's address is that of its connection".to_owned();
    }
    let by = if config.proxy_protocol {
        "the PROXY protocol, and X-Forwarded-For behind it"
    } else {
        "X-Forwarded-For"
    };
    format!("believed by {by}: {}", config.trusted_proxies)
}

fn files(config: &Config) -> String {
    let Some(folder) = &config.web_root else { return "none".to_owned() };
    let policy = match &config.content_policy {
        None => ", without a content-security-policy",
        Some(policy) if *policy == ContentPolicy::default() => "",
        Some(_) => ", with a content-security-policy of their own",
    };
    format!("from {}{policy}", folder.display())
}
