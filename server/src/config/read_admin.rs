//! Reads `admin` of the config file.

use super::{
    Admin, Host, Room,
    read_keys::KeySources,
    section::{Mismatch, Section, text},
};

const EXPECTED: &str = "an object, such as {\"host\": \"127.0.0.1:6781\"}, or null for nothing to watch";
const EXPECTED_KEY: &str = "the key that operators alone show: a text of at least one character \
     (`multichat-server key` makes a good one), {\"sha256\": …}, {\"env\": …} or {\"file\": …}";

/// Reads `admin` of a file that has these rooms. `None` if it can't be used, or is not there.
pub(super) fn read<'a>(
    root: &mut Section<'_>,
    sources: &mut KeySources<'_>,
    mut rooms: impl Iterator<Item = &'a Room>,
) -> Option<Admin> {
    let admin = root.section("admin", EXPECTED, |admin| {
        let host = admin.required("host", Host::EXPECTED, text(own_host));
        let host = host.map(|host| host.relative_to(sources.folder));
        let key = admin.optional("key", EXPECTED_KEY, |value| {
            let key = sources.key(value)?;
            let is_clients = rooms.any(|room| room.keys.secret_keys().any(|other| other.is_same(&key)));
            if key.is_placeholder() {
                Err(Mismatch::SecretBecause("it is an example's, which everybody knows".to_owned()))
            } else if is_clients {
                Err(Mismatch::SecretBecause("clients register with it".to_owned()))
            } else {
                Ok(key)
            }
        });
        if host.as_ref().is_some_and(|host| !host.is_loopback()) && !admin.has("key") {
            let expected = "set, unless \"admin.host\" is an address of this machine alone";
            admin.misfit("key", expected, None);
        }
        Some(Admin { host: host?, key })
    });
    admin.flatten()
}

/// Where to listen, but for what systemd has opened: which of its sockets would be whose?
fn own_host(text: &str) -> Result<Host, String> {
    match Host::parse(text) {
        Ok(Host::Systemd) => Err("the sockets of systemd are for clients".to_owned()),
        host => host.map_err(|error| error.to_string()),
    }
}
