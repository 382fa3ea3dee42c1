//! Every config that is shown is one that works, and the table of fields is complete.

use std::{collections::BTreeSet, fs};

use multichat_server::{
    config::{Config, Files, Warning},
    tls,
};
use serde_json::{Value, json};

use super::{
    document::{Document, code, root},
    support::Folder,
};

/// The config files that a document shows: where, and their text.
fn configs(document: &Document) -> Vec<(String, String)> {
    let mut configs = Vec::new();
    for block in document.blocks() {
        if block.language == "json" {
            let value: Value = serde_json::from_str(&block.text)
                .unwrap_or_else(|error| panic!("{}: not JSON: {error}", block.place));
            let is_config = ["ws-path", "host", "secret-key"].iter().any(|field| value.get(field).is_some());
            // In these documents, other JSON is a packet.
            assert!(is_config || value.get("action").is_some(), "{}: what is this?", block.place);
            if value.get("action").is_none() {
                configs.push((block.place, block.text));
            }
        }
    }
    configs
}

#[test]
fn every_config_works() {
    let mut count = 0;
    for document in Document::for_operators() {
        for (place, text) in configs(&document) {
            let folder = Folder::with(&text);
            let (config, warnings) = Config::load(&folder.config(), &mut Files::default())
                .unwrap_or_else(|error| panic!("{place}: {error}"));
            assert_eq!(warnings, [], "{place}");
            if let Some(wss) = &config.wss {
                tls::server_config(wss).unwrap_or_else(|error| panic!("{place}: {error}"));
            }
            count += 1;
        }
    }
    assert!(count >= 7, "only {count} were found");
}

/// The fields that the types of the configuration name: in the documentation of each value, before anything else.
fn documented(source: &str) -> Vec<String> {
    let source = fs::read_to_string(root().join("server/src/config").join(source)).unwrap();
    let docs = source.lines().filter_map(|line| line.strip_prefix("    /// `")?.split_once("`:"));
    docs.flat_map(|(names, _)| names.split("`, `").map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// All fields. `…` stands for a name of the operator's choice.
fn known() -> BTreeSet<String> {
    let of_room = documented("room.rs");
    // What a field of a room has in it is told once, for the room of the top level.
    let of_rooms = of_room.iter().filter(|name| !name.contains('.')).map(|name| format!("rooms.….{name}"));
    documented("mod.rs")
        .into_iter()
        .chain(documented("keys.rs"))
        .chain(of_rooms)
        .chain(of_room.clone())
        .collect()
}

/// A file in which every object is that a field may be in.
fn whole() -> Value {
    json!({
        "ws-path": "/", "host": ":1", "secret-key": "k",
        "wss": {"keyfile": "k", "certfile": "c"},
        "clients": {"…": {"secret-key": "c"}},
        "chat-log": {"folder": "f"},
        "admin": {"host": "127.0.0.1:1", "key": "o"},
        "rooms": {"…": {"ws-path": "/r", "secret-key": "k"}},
    })
}

/// What is said of a file. The names of rooms are plain.
fn problems_and_warnings(file: &Value) -> (String, Vec<Warning>) {
    let text = file.to_string().replace('…', "a");
    match Config::parse(text.as_bytes(), "config.json".as_ref()) {
        Ok((_, warnings)) => (String::new(), warnings),
        Err(error) => (error.to_string(), Vec::new()),
    }
}

/// The object that a field is in, and the field's own name.
fn place<'a>(file: &'a mut Value, field: &str) -> (&'a mut Value, String) {
    let mut names: Vec<_> = field.split('.').collect();
    let own = names.pop().unwrap().to_owned();
    (names.iter().fold(file, |object, name| &mut object[*name]), own)
}

#[test]
fn the_table_has_all_fields_and_no_others() {
    let document = Document::read("docs/configuration.md");
    let tables = document.tables("field");
    let table = tables.iter().find(|rows| rows[0][0] == "`ws-path`").unwrap();
    let listed: Vec<_> = table.iter().map(|row| code(&row[0]).to_owned()).collect();
    assert_eq!(listed.iter().cloned().collect::<BTreeSet<_>>(), known());
    assert_eq!(listed.len(), known().len(), "{listed:?}");

    for row in table {
        let name = code(&row[0]);
        let full = name.replace('…', "a");
        let mut file = whole();
        let (object, own) = place(&mut file, name);
        object.as_object_mut().unwrap().remove(&own);
        // There are other keys.
        if own == "secret-key" && !name.starts_with("clients") {
            object.as_object_mut().unwrap().remove("clients");
        }
        let (problems, _) = problems_and_warnings(&file);
        let is_required =
            problems.contains(&format!("\"{full}\" must be")) && problems.contains("it is missing");
        assert_eq!(row[2].starts_with("required"), is_required, "{name}: {} {problems}", row[2]);

        // A field that nobody reads would be warned of.
        let mut file = whole();
        let (object, own) = place(&mut file, name);
        object[format!("X{own}")] = json!(1);
        let (problems, warnings) = problems_and_warnings(&file);
        let (at, _) =
            full.rsplit_once('.').map_or((String::new(), &full[..]), |(at, own)| (format!("{at}."), own));
        let meant = Warning::UnknownField { field: format!("{at}X{own}"), nearest: Some(full) };
        assert_eq!(warnings, [meant], "the reader knows it: {problems}");
    }
}
