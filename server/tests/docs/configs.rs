//! Every config that is shown is one that works, and the table of fields is complete.

use std::{collections::BTreeSet, fs};

use multichat_server::{
    config::{Config, Files, Warning},
    tls,
};
use serde_json::Value;

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

#[test]
fn the_table_has_all_fields_and_no_others() {
    let document = Document::read("docs/configuration.md");
    let tables = document.tables("field");
    let table = tables.iter().find(|rows| rows[0][0] == "`ws-path`").unwrap();
    let listed: Vec<_> = table.iter().map(|row| code(&row[0]).to_owned()).collect();

    // The types name the field of each value first.
    let source = fs::read_to_string(root().join("server/src/config/mod.rs")).unwrap();
    let docs = source.lines().filter_map(|line| line.strip_prefix("    /// `")?.split_once("`:"));
    let known: BTreeSet<_> = docs.map(|(name, _)| name.to_owned()).collect();
    assert_eq!(listed.iter().cloned().collect::<BTreeSet<_>>(), known);
    assert_eq!(listed.len(), known.len(), "{listed:?}");

    for row in table {
        let name = code(&row[0]);
        let is_required = Config::parse(b"{}", "config.json".as_ref())
            .unwrap_err()
            .to_string()
            .contains(&format!("\"{name}\" must be"));
        assert_eq!(row[2] == "required", is_required, "{name}: {}", row[2]);
    }

    // A field that nobody reads would be warned of.
    for name in listed.iter().filter(|name| !name.contains('.')) {
        let text = format!(r#"{{"ws-path": "/", "host": ":1", "secret-key": "k", "X{name}": 1}}"#);
        let (_, warnings) = Config::parse(text.as_bytes(), "config.json".as_ref()).unwrap();
        let field = format!("X{name}");
        let meant = Warning::UnknownField { field, nearest: Some(name.clone()) };
        assert_eq!(warnings, [meant], "the reader knows it");
    }
}
