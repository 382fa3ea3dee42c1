//! Reads a config file.

use std::{
    convert::Infallible,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{
    AllowedOrigins, Config, ConfigError, Host, SecretKey, TrustedProxies, Warning, WsPath, Wss,
    error::{Found, Problem},
    read_limits,
    section::{Mismatch, Report, Section, shown, text},
};

/// What is expected of a file as a whole.
const EXPECTED_FILE: &str = "a JSON object with at least \"ws-path\", \"host\" and \"secret-key\"";
const EXPECTED_WSS: &str = "an object with \"keyfile\" and \"certfile\", or null for no TLS";
const EXPECTED_KEYFILE: &str = "the path to the private key in PEM format, such as \"key.pem\"";
const EXPECTED_CERTFILE: &str = "the path to the certificate chain in PEM format, such as \"cert.pem\"";
const EXPECTED_WEB_ROOT: &str =
    "the path to a folder of static files, and of nothing secret, such as \"web\"";
const EXPECTED_PROXY_PROTOCOL: &str =
    "true if the proxies in \"trusted-proxies\" begin each connection with a PROXY header, or false";
const EXPECTED_LIMITS: &str = "an object, such as {\"packet-bytes\": 65536}";

impl Config {
    /// Reads a config file.
    ///
    /// # Errors
    ///
    /// [`ConfigError`]: all that is wrong with the file.
    pub fn load(file: &Path) -> Result<(Self, Vec<Warning>), ConfigError> {
        let bytes =
            fs::read(file).map_err(|source| ConfigError::Unreadable { file: file.to_owned(), source })?;
        Self::parse(&bytes, file)
    }

    /// Reads the content of a config file. Relative paths in it are relative to the folder of `file`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`]: all that is wrong with it.
    pub fn parse(bytes: &[u8], file: &Path) -> Result<(Self, Vec<Warning>), ConfigError> {
        let mut report = Report::default();
        let value = json(bytes, file)?;
        let config = if let Some(fields) = value.as_object() {
            let mut root = Section::root(fields, &mut report);
            let config = read(&mut root, file);
            root.finish();
            config
        } else {
            let found = Found::Value(shown(&value), None);
            report.problems.push(Problem { field: String::new(), expected: EXPECTED_FILE.to_owned(), found });
            None
        };
        match config {
            Some(config) if report.problems.is_empty() => {
                if config.trusted_proxies.has_everybody() {
                    report.warnings.push(Warning::TrustsEverybody);
                }
                if config.secret_key.is_placeholder() {
                    report.warnings.push(Warning::KnownSecretKey);
                }
                Ok((config, report.warnings))
            }
            _ => Err(ConfigError::Fields { file: file.to_owned(), problems: report.problems }),
        }
    }
}

fn json(bytes: &[u8], file: &Path) -> Result<Value, ConfigError> {
    // Windows editors put a byte order mark in front.
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    serde_json::from_slice(bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let reason = error.to_string();
        let place = format!(" at line {line} column {column}");
        let reason = match bytes {
            [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => "the file is in UTF-16; save it as UTF-8".to_owned(),
            bytes if bytes.trim_ascii().is_empty() => "the file is empty".to_owned(),
            _ => reason.strip_suffix(&place).unwrap_or(&reason).to_owned(),
        };
        ConfigError::Syntax { file: file.to_owned(), line, column, reason }
    })
}

/// `None` if a required field is missing or bad.
fn read(root: &mut Section<'_>, file: &Path) -> Option<Config> {
    let folder = file.parent().unwrap_or(Path::new(""));
    let ws_path = root.required("ws-path", WsPath::EXPECTED, text(WsPath::parse));
    let host = root.required("host", Host::EXPECTED, text(Host::parse)).map(|host| host.relative_to(folder));
    let secret_key = root.required("secret-key", SecretKey::EXPECTED, |value| {
        value.as_str().and_then(|text| SecretKey::new(text).ok()).ok_or(Mismatch::Secret)
    });
    let wss = root.section("wss", EXPECTED_WSS, |wss| {
        let keyfile = wss.required("keyfile", EXPECTED_KEYFILE, text(|path| resolve(folder, path)));
        let certfile = wss.required("certfile", EXPECTED_CERTFILE, text(|path| resolve(folder, path)));
        Some(Wss { keyfile: keyfile?, certfile: certfile? })
    });
    let wss = wss.flatten();
    let keyfile = wss.as_ref().map(|wss| wss.keyfile.as_path());
    let secrets = [Some(file), keyfile].into_iter().flatten().collect::<Vec<_>>();
    let web_root =
        root.optional("web-root", EXPECTED_WEB_ROOT, text(|path| public_folder(folder, path, &secrets)));
    let allowed_origins =
        root.optional("allowed-origins", AllowedOrigins::EXPECTED, origins).unwrap_or_default();
    let trusted_proxies = root.optional("trusted-proxies", TrustedProxies::EXPECTED, proxies);
    let proxy_protocol = proxy_protocol(root, trusted_proxies.as_ref());
    let trusted_proxies = trusted_proxies.unwrap_or_default();
    let limits = root
        .section("limits", EXPECTED_LIMITS, |section| read_limits::read(Some(section), secret_key.as_ref()))
        .unwrap_or_else(|| read_limits::read(None, secret_key.as_ref()));
    Some(Config {
        host: host?,
        ws_path: ws_path?,
        secret_key: secret_key?,
        wss,
        web_root,
        allowed_origins,
        trusted_proxies,
        proxy_protocol,
        limits,
    })
}

/// Any path will do: who opens the file says what is wrong with it.
#[expect(clippy::unnecessary_wraps, reason = "a parser like the others")]
fn resolve(folder: &Path, path: &str) -> Result<PathBuf, Infallible> {
    Ok(folder.join(path))
}

/// A folder that is there, and with none of the secrets below it: everybody may read what is.
fn public_folder(folder: &Path, path: &str, secrets: &[&Path]) -> Result<PathBuf, String> {
    let path = folder.join(path);
    match fs::metadata(&path) {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => return Err(format!("{} is not a folder", path.display())),
        Err(error) => return Err(format!("{}: {error}", path.display())),
    }
    let is_below = |secret: &&&Path| match (fs::canonicalize(secret), fs::canonicalize(&path)) {
        (Ok(secret), Ok(path)) => secret.starts_with(path),
        _ => false,
    };
    match secrets.iter().find(is_below) {
        Some(secret) => Err(format!("everybody could read {} there", secret.display())),
        None => Ok(path),
    }
}

fn origins(value: &Value) -> Result<AllowedOrigins, Mismatch> {
    let mut origins = AllowedOrigins::default();
    entries(value, |text| origins.add(text))?;
    Ok(origins)
}

fn proxies(value: &Value) -> Result<TrustedProxies, Mismatch> {
    let mut proxies = TrustedProxies::default();
    entries(value, |text| proxies.add(text))?;
    Ok(proxies)
}

/// Reads a list of texts.
fn entries<E: ToString>(value: &Value, mut add: impl FnMut(&str) -> Result<(), E>) -> Result<(), Mismatch> {
    // One alone needs no brackets.
    let entries = match value {
        Value::Array(entries) => entries.as_slice(),
        Value::String(_) => std::slice::from_ref(value),
        _ => return Err(Mismatch::Plain),
    };
    for entry in entries {
        let text = entry.as_str().ok_or_else(|| Mismatch::Because(format!("{} is no text", shown(entry))))?;
        add(text).map_err(|error| Mismatch::Because(format!("{}: {}", shown(entry), error.to_string())))?;
    }
    Ok(())
}

fn proxy_protocol(root: &mut Section<'_>, trusted: Option<&TrustedProxies>) -> bool {
    const FIELD: &str = "proxy-protocol";
    let is_on = root.optional(FIELD, EXPECTED_PROXY_PROTOCOL, |value| value.as_bool().ok_or(Mismatch::Plain));
    let is_on = is_on.unwrap_or_default();
    // A list that can't be read is reported by itself.
    if is_on && trusted.map_or(!root.has("trusted-proxies"), TrustedProxies::is_empty) {
        let reason = "\"trusted-proxies\" lists nobody who may send one".to_owned();
        root.misfit(FIELD, EXPECTED_PROXY_PROTOCOL, Some(reason));
    }
    is_on
}
