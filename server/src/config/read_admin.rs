//! Reads `admin` of the config file.

use super::{
    Admin, Host, SecretKey,
    read_keys::KeySources,
    section::{Section, text},
};

const EXPECTED: &str = "an object, such as {\"host\": \"127.0.0.1:6781\"}, or null for nothing to watch";
const EXPECTED_KEY: &str = "the key that operators show: a text of at least one character \
     (`multichat-server key` makes a good one), {\"sha256\": …}, {\"env\": …} or {\"file\": …}";
const EXPECTED_OWN_KEY: &str = "a key that only operators know";

/// Where to listen, but for what systemd has opened: which of its sockets would be whose?
fn own_host(text: &str) -> Result<Host, String> {
    match Host::parse(text) {
        Ok(Host::Systemd) => Err("the sockets of systemd are for clients".to_owned()),
        host => host.map_err(|error| error.to_string()),
    }
}

/// Reads `admin`. `None` if it can't be used, or is not there.
pub(super) fn read(root: &mut Section<'_>, sources: &mut KeySources<'_>) -> Option<Admin> {
    let admin = root.section("admin", EXPECTED, |admin| {
        let host = admin.required("host", Host::EXPECTED, text(own_host));
        let host = host.map(|host| host.relative_to(sources.folder));
        let key = admin.optional("key", EXPECTED_KEY, |value| sources.key(value));
        if key.as_ref().is_some_and(SecretKey::is_placeholder) {
            let reason = "it is the one of an example file, which everybody knows";
            admin.misfit("key", EXPECTED_OWN_KEY, Some(reason.to_owned()));
        }
        if host.as_ref().is_some_and(|host| !host.is_loopback()) && !admin.has("key") {
            let expected =
                format!("set, unless \"admin.host\" is an address of this machine alone; {EXPECTED_KEY}");
            admin.misfit("key", &expected, None);
        }
        Some(Admin { host: host?, key })
    });
    admin.flatten()
}
