//! Reads the keys of a room, and who may come in with them.

use std::{
    env,
    path::{Path, PathBuf},
};

use multichat::protocol::ClientName;
use serde_json::Value;

use super::{
    Client, Files, Grant, KeyDigest, Keys, Rights, SecretKey,
    keys::is_pattern,
    limits::visit_rates,
    read_limits::Reader,
    section::{Mismatch, Section, shown},
};
use crate::rate::Rates;

const EXPECTED_CLIENTS: &str =
    "an object that has an object for each client, such as {\"irc\": {\"secret-key\": \"…\"}}";
const EXPECTED_NAME: &str = "called as the client calls itself, or as many do, such as \"web-*\"";
const EXPECTED_RIGHTS: &str = "an array of \"read\", \"write\" and \"moderate\"";

/// Where keys may stand outside of the config file.
pub(super) struct KeySources<'a> {
    /// What relative paths begin at.
    pub(super) folder: &'a Path,
    /// What all files are read through.
    pub(super) files: &'a mut Files,
    /// The files that keys were read from.
    pub(super) key_files: Vec<PathBuf>,
}

/// Reads `secret-key` and `clients` of a room. `None` if they can't be used, or there are none.
pub(super) fn read(section: &mut Section<'_>, sources: &mut KeySources<'_>) -> Option<Keys> {
    let shared = if section.has("clients") {
        section.optional("secret-key", SecretKey::EXPECTED, |value| sources.key(value))
    } else {
        section.required("secret-key", SecretKey::EXPECTED, |value| sources.key(value))
    };
    let mut clients = Vec::new();
    section.each("clients", EXPECTED_CLIENTS, |name, client| {
        clients.extend(read_client(name, client, sources).map(|client| (name.to_owned(), client)));
    });
    let is_empty = shared.is_none() && clients.is_empty();
    if is_empty && section.has("clients") {
        section.misfit("clients", "at least one client, or beside it a \"secret-key\"", None);
    }
    Keys::new(shared, clients)
}

fn read_client(name: &str, section: &mut Section<'_>, sources: &mut KeySources<'_>) -> Option<Client> {
    if let Err(error) = ClientName::parse(&name.replace(['*', '?'], "x"), usize::MAX) {
        section.misnamed(EXPECTED_NAME, error.to_string());
    }
    let secret_key = section.required("secret-key", SecretKey::EXPECTED, |value| sources.key(value));
    let rights = section.optional("rights", EXPECTED_RIGHTS, rights).unwrap_or(Rights::DEFAULT);
    let mut rates = Rates::default();
    visit_rates(&mut rates, &mut Reader { section });
    Some(Client { secret_key: secret_key?, grant: Grant { rights, rates, owns_name: !is_pattern(name) } })
}

fn rights(value: &Value) -> Result<Rights, Mismatch> {
    let mut rights = Rights::NONE;
    for right in value.as_array().ok_or(Mismatch::Plain)? {
        match right.as_str() {
            Some("read") => rights.read = true,
            Some("write") => rights.write = true,
            Some("moderate") => rights.moderate = true,
            Some(_) => return Err(Mismatch::Because(format!("there is no right {}", shown(right)))),
            None => return Err(Mismatch::Because(format!("{} is no text", shown(right)))),
        }
    }
    if rights == Rights::NONE {
        return Err(Mismatch::Because("a client without rights has nothing to come for".to_owned()));
    }
    if rights.moderate && !rights.write {
        return Err(Mismatch::Because("who moderates writes".to_owned()));
    }
    Ok(rights)
}

impl KeySources<'_> {
    /// A key as the config file has it: itself, or what it is known by, or where it is.
    pub(super) fn key(&mut self, value: &Value) -> Result<SecretKey, Mismatch> {
        if let Some(text) = value.as_str() {
            return SecretKey::new(text).map_err(|_| Mismatch::Secret);
        }
        let fields = value.as_object().filter(|fields| fields.len() == 1).ok_or(Mismatch::Secret)?;
        let field = |name| fields.get(name).map(|value| value.as_str().filter(|text| !text.is_empty()));
        if let Some(digest) = field("sha256") {
            let digest = digest.and_then(KeyDigest::from_hex);
            return digest.map(SecretKey::from_digest).ok_or_else(|| {
                Mismatch::SecretBecause("\"sha256\" is no digest of 64 hexadecimal digits".to_owned())
            });
        }
        if let Some(name) = field("env") {
            let name = name.ok_or(Mismatch::Plain)?;
            let text = env::var(name).map_err(|error| {
                // The error would show the key.
                let reason = match error {
                    env::VarError::NotPresent => "there is no such variable",
                    env::VarError::NotUnicode(_) => "the variable is not UTF-8",
                };
                Mismatch::Because(format!("{name}: {reason}"))
            })?;
            return whole_key(&text);
        }
        let path = field("file").flatten().ok_or(Mismatch::Secret)?;
        let path = self.folder.join(path);
        let bytes = self.files.read(&path);
        let shown = path.display().to_string();
        self.key_files.push(path);
        let text = String::from_utf8(bytes.map_err(|error| Mismatch::Because(format!("{shown}: {error}")))?);
        whole_key(&text.map_err(|_| Mismatch::Because(format!("{shown}: it is not UTF-8")))?)
    }
}

/// The key that is all there is in a file or a variable, but for the end of its line.
fn whole_key(text: &str) -> Result<SecretKey, Mismatch> {
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text).trim_end_matches(['\r', '\n']);
    if text.contains(['\r', '\n']) {
        return Err(Mismatch::Because("there is more than one line".to_owned()));
    }
    SecretKey::new(text).map_err(|error| Mismatch::Because(error.to_string()))
}
