//! `multichat-server check`

use std::{fmt::Write as _, path::Path};

use multichat_server::{
    config::{Config, ContentPolicy, Host, Limits, Warning},
    tls,
};

use super::{Failure, source, stdout::say};

/// Says what a config file means, or what is wrong with it.
pub(super) fn check(named: Option<&Path>, web_root: Option<&Path>) -> Result<(), Failure> {
    let file = source::find(named).ok_or_else(|| {
        Failure::Configuration(format!(
            "there is no {} here to check; `multichat-server init` makes one, --config names another one",
            source::DEFAULT
        ))
    })?;
    let (config, warnings) = source::load(&file, web_root)?;
    let (unknown, others): (Vec<_>, Vec<_>) =
        warnings.iter().partition(|warning| matches!(warning, Warning::UnknownField { .. }));
    let mut errors: Vec<_> = unknown.iter().map(|warning| format!("{}: {warning}", file.display())).collect();
    if let Some(error) = config.wss.as_ref().and_then(|wss| tls::server_config(wss).err()) {
        errors.push(format!("{}: {error}", file.display()));
    }
    if !errors.is_empty() {
        return Err(Failure::Configuration(errors.join("\n")));
    }
    let mut text = format!("{} is good. It means:\n\n{}", file.display(), meaning(&config));
    for warning in others {
        let _ = write!(text, "\nwarning: {warning}\n");
    }
    say(&text);
    Ok(())
}

fn meaning(config: &Config) -> String {
    let mut text = String::new();
    for (name, value) in [
        ("address", address(&config.host)),
        ("protocol", protocol(config)),
        ("path", path(&config.default_room.ws_path.to_string())),
        ("secret key", "set".to_owned()),
        ("web pages", origins(config)),
        ("static files", files(config)),
        ("limits", limits(&config.limits)),
    ] {
        let _ = writeln!(text, "  {name:<14}{value}");
    }
    text
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

fn path(path: &str) -> String {
    match path {
        "/" => "every path".to_owned(),
        path if path.ends_with('/') => format!("{path} and everything below it"),
        path => path.to_owned(),
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

fn files(config: &Config) -> String {
    let Some(folder) = &config.web_root else { return "none".to_owned() };
    let policy = match &config.content_policy {
        None => ", without a content-security-policy",
        Some(policy) if *policy == ContentPolicy::default() => "",
        Some(_) => ", with a content-security-policy of their own",
    };
    format!("from {}{policy}", folder.display())
}

fn limits(limits: &Limits) -> String {
    let defaults = Limits::default().fields();
    let default =
        |name| defaults.iter().find(|(known, _)| *known == name).map_or("none", |(_, value)| value.as_str());
    let changed: Vec<_> = limits.fields().into_iter().filter(|field| !defaults.contains(field)).collect();
    if changed.is_empty() {
        return "all at their defaults".to_owned();
    }
    let width = changed.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut text = "at their defaults but".to_owned();
    for (name, value) in changed {
        let _ = write!(text, "\n                  {name:<width$}  {value} (default {})", default(name));
    }
    text
}
