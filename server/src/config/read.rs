//! Reads a config file.

use std::{
    convert::Infallible,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{
    AllowedOrigins, Config, ConfigError, ContentPolicy, Host, SecretKey, Warning, WsPath, Wss,
    error::{Found, Problem},
    read_limits,
    section::{Mismatch, Report, Section, shown, text},
    web_root::public_folder,
};

/// What is expected of a file as a whole.
const EXPECTED_FILE: &str = "a JSON object with at least \"ws-path\", \"host\" and \"secret-key\"";
const EXPECTED_WSS: &str = "an object with \"keyfile\" and \"certfile\", or null for no TLS";
const EXPECTED_KEYFILE: &str = "the path to the private key in PEM format, such as \"key.pem\"";
const EXPECTED_CERTFILE: &str = "the path to the certificate chain in PEM format, such as \"cert.pem\"";
const EXPECTED_WEB_ROOT: &str =
    "the path to a folder of static files, and of nothing secret, such as \"web\"";
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
    let host = root.required("host", Host::EXPECTED, text(Host::parse));
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
    let web_root = text(|path| public_folder(folder.join(path), &secrets));
    let web_root = root.optional("web-root", EXPECTED_WEB_ROOT, web_root);
    let content_policy = root
        .optional("content-security-policy", ContentPolicy::EXPECTED, policy)
        .unwrap_or_else(|| Some(ContentPolicy::default()));
    let allowed_origins =
        root.optional("allowed-origins", AllowedOrigins::EXPECTED, origins).unwrap_or_default();
    let limits = root
        .section("limits", EXPECTED_LIMITS, |section| read_limits::read(Some(section), secret_key.as_ref()))
        .unwrap_or_else(|| read_limits::read(None, secret_key.as_ref()));
    Some(Config {
        host: host?,
        ws_path: ws_path?,
        secret_key: secret_key?,
        wss,
        web_root,
        content_policy,
        allowed_origins,
        limits,
    })
}

/// Any path will do: who opens the file says what is wrong with it.
#[expect(clippy::unnecessary_wraps, reason = "a parser like the others")]
fn resolve(folder: &Path, path: &str) -> Result<PathBuf, Infallible> {
    Ok(folder.join(path))
}

fn policy(value: &Value) -> Result<Option<ContentPolicy>, Mismatch> {
    let text = value.as_str().ok_or(Mismatch::Plain)?;
    ContentPolicy::parse(text).map_err(|error| Mismatch::Because(error.to_string()))
}

fn origins(value: &Value) -> Result<AllowedOrigins, Mismatch> {
    let mut origins = AllowedOrigins::default();
    // One alone needs no brackets.
    let entries = match value {
        Value::Array(entries) => entries.as_slice(),
        Value::String(_) => std::slice::from_ref(value),
        _ => return Err(Mismatch::Plain),
    };
    for entry in entries {
        let text = entry.as_str().ok_or_else(|| Mismatch::Because(format!("{} is no text", shown(entry))))?;
        origins.add(text).map_err(|error| Mismatch::Because(format!("{}: {error}", shown(entry))))?;
    }
    Ok(origins)
}
