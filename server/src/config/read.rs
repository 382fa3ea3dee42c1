//! Reads a config file.

use std::{
    convert::Infallible,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{
    AllowedOrigins, ChatLog, Config, ConfigError, ContentPolicy, Files, Host, Limits, Room, RoomName, Rotate,
    TrustedProxies, Warning, WsPath, Wss, advice,
    error::{Found, Problem},
    read_admin,
    read_keys::{self, KeySources},
    read_limits,
    section::{Mismatch, Report, Section, shown, text},
    web_root::{public_folder, real, secrets},
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
const EXPECTED_ROOMS: &str = "an object that has an object for each room, such as {\"staff\": {\"ws-path\": \"/staff\", \"secret-key\": \"…\"}}";
const EXPECTED_ROOM_NAME: &str = "called otherwise";
const EXPECTED_CHAT_LOG: &str = "an object, such as {\"folder\": \"chat\", \"keep\": 30}";
const EXPECTED_CHAT_FOLDER: &str =
    "the path to a folder for the files with what is said, and nothing else, such as \"chat\"";
const EXPECTED_OWN_FOLDER: &str = "an object with a \"folder\" that no other room has";
const EXPECTED_ROTATE: &str = "\"hourly\", \"daily\", \"weekly\" or \"never\"";
const EXPECTED_KEEP: &str = "a whole number of files from 1 to 100000, such as 30";
const EXPECTED_OWN_PATH: &str = "a path that no other room has";

impl Config {
    /// Reads a config file. Adds to `files` what it looks at: this file and those that it names, whose change should
    /// have it read again, be it good or bad.
    ///
    /// # Errors
    ///
    /// [`ConfigError`]: all that is wrong with the file.
    pub fn load(file: &Path, files: &mut Files) -> Result<(Self, Vec<Warning>), ConfigError> {
        let bytes =
            files.read(file).map_err(|source| ConfigError::Unreadable { file: file.to_owned(), source })?;
        Self::parse_noting(&bytes, file, files)
    }

    /// Reads the content of a config file. Relative paths in it are relative to the folder of `file`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`]: all that is wrong with it.
    pub fn parse(bytes: &[u8], file: &Path) -> Result<(Self, Vec<Warning>), ConfigError> {
        Self::parse_noting(bytes, file, &mut Files::default())
    }

    fn parse_noting(
        bytes: &[u8],
        file: &Path,
        files: &mut Files,
    ) -> Result<(Self, Vec<Warning>), ConfigError> {
        let mut report = Report::default();
        let value = json(bytes, file)?;
        let config = if let Some(fields) = value.as_object() {
            let mut root = Section::root(fields, &mut report);
            let config = read(&mut root, file, files);
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
                report.warnings.extend(config.all_rooms().flat_map(advice::on_room));
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
fn read(root: &mut Section<'_>, file: &Path, files: &mut Files) -> Option<Config> {
    let folder = file.parent().unwrap_or(Path::new(""));
    let mut sources = KeySources { folder, files, key_files: Vec::new() };
    let ws_path = root.required("ws-path", WsPath::EXPECTED, text(WsPath::parse));
    let host = root.required("host", Host::EXPECTED, text(Host::parse)).map(|host| host.relative_to(folder));
    let keys = read_keys::read(root, &mut sources);
    let wss = root.section("wss", EXPECTED_WSS, |wss| {
        let mut noted = |path: &str| {
            let path = folder.join(path);
            sources.files.note(&path).map(|()| path)
        };
        let keyfile = wss.required("keyfile", EXPECTED_KEYFILE, text(&mut noted));
        let certfile = wss.required("certfile", EXPECTED_CERTFILE, text(&mut noted));
        Some(Wss { keyfile: keyfile?, certfile: certfile? })
    });
    let wss = wss.flatten();
    let content_policy = root
        .optional("content-security-policy", ContentPolicy::EXPECTED, policy)
        .unwrap_or_else(|| Some(ContentPolicy::default()));
    let allowed_origins =
        root.optional("allowed-origins", AllowedOrigins::EXPECTED, origins).unwrap_or_default();
    let trusted_proxies = root.optional("trusted-proxies", TrustedProxies::EXPECTED, proxies);
    let proxy_protocol = proxy_protocol(root, trusted_proxies.as_ref());
    let trusted_proxies = trusted_proxies.unwrap_or_default();
    let limits = read_limits::read(root, keys.as_ref());
    let default_room = ws_path.zip(keys).map(|(ws_path, keys)| Room {
        name: RoomName::default(),
        ws_path,
        keys,
        limits: limits.clone(),
        chat_log: read_chat_log(root, folder),
    });
    let rooms = read_rooms(root, default_room.as_ref(), &limits, &mut sources);
    let admin = read_admin::read(root, &mut sources, default_room.iter().chain(&rooms));
    let KeySources { key_files, files, .. } = sources;
    let all_rooms = default_room.iter().chain(&rooms);
    let secrets = secrets(Some(file), wss.as_ref(), &key_files, all_rooms);
    let web_root = text(|path| {
        let path = folder.join(path);
        files.note_folder(&path);
        public_folder(path, &secrets)
    });
    let web_root = root.optional("web-root", EXPECTED_WEB_ROOT, web_root);
    Some(Config {
        host: host?,
        wss,
        web_root,
        content_policy,
        allowed_origins,
        trusted_proxies,
        proxy_protocol,
        limits,
        default_room: default_room?,
        rooms,
        admin,
        key_files,
    })
}

/// Reads `rooms`: those that can be used.
fn read_rooms(
    root: &mut Section<'_>,
    default_room: Option<&Room>,
    limits: &Limits,
    sources: &mut KeySources<'_>,
) -> Vec<Room> {
    let mut rooms: Vec<Room> = Vec::new();
    root.each("rooms", EXPECTED_ROOMS, |name, section| {
        let name =
            RoomName::parse(name).map_err(|error| section.misnamed(EXPECTED_ROOM_NAME, error.to_string()));
        let ws_path = section.required("ws-path", WsPath::EXPECTED, text(WsPath::parse));
        let keys = read_keys::read(section, sources);
        let limits = read_limits::read_room(limits, section, keys.as_ref());
        let is_taken = |room: &&Room| ws_path.as_ref().is_some_and(|path| room.ws_path.is_same_place(path));
        if let Some(other) = default_room.into_iter().chain(&rooms).find(is_taken) {
            section.misfit("ws-path", EXPECTED_OWN_PATH, Some(format!("room {} has it", other.name)));
        }
        let chat_log = read_chat_log(section, sources.folder);
        let folder_of = |chat_log: &ChatLog| real(&chat_log.folder);
        let folder = chat_log.as_ref().map(folder_of);
        let is_shared = |room: &&Room| folder.is_some() && folder == room.chat_log.as_ref().map(folder_of);
        if let Some(other) = default_room.into_iter().chain(&rooms).find(is_shared) {
            section.misfit("chat-log", EXPECTED_OWN_FOLDER, Some(format!("room {} has it", other.name)));
        }
        let usable = name.ok().zip(ws_path).zip(keys);
        rooms.extend(usable.map(|((name, ws_path), keys)| Room { name, ws_path, keys, limits, chat_log }));
    });
    rooms
}

/// Reads `chat-log` of a room.
fn read_chat_log(section: &mut Section<'_>, folder: &Path) -> Option<ChatLog> {
    let chat_log = section.section("chat-log", EXPECTED_CHAT_LOG, |section| {
        let folder = section.required("folder", EXPECTED_CHAT_FOLDER, text(|path| resolve(folder, path)));
        let rotate = section.optional("rotate", EXPECTED_ROTATE, |value| {
            let wanted = |rotate: &Rotate| value.as_str() == Some(rotate.as_str());
            Rotate::ALL.into_iter().find(wanted).ok_or(Mismatch::Plain)
        });
        let keep = section.optional("keep", EXPECTED_KEEP, |value| {
            let keep = value.as_u64().and_then(|keep| usize::try_from(keep).ok());
            keep.filter(|keep| (1..=100_000).contains(keep)).ok_or(Mismatch::Plain)
        });
        if rotate == Some(Rotate::Never) && keep.is_some() {
            section.misfit("keep", "left out where \"rotate\" is \"never\": there is one file then", None);
        }
        Some(ChatLog { folder: folder?, rotate: rotate.unwrap_or(Rotate::Daily), keep })
    });
    chat_log.flatten()
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
