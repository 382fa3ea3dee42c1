//! The command line is as told.

use std::collections::BTreeSet;

use multichat_server::config::{Config, KeyDigest};

use super::{
    document::{Document, code, spans},
    support::{Folder, text},
};

fn help() -> String {
    text(Folder::with("{}").run(&["--help"]).stdout)
}

/// The long options in a text.
fn options(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_')));
    words.filter(|word| word.len() > 2 && word.starts_with("--")).collect()
}

/// What is given to the program, in all code of a document.
fn command_lines(document: &Document) -> Vec<String> {
    let blocks = document.blocks();
    let blocks = blocks.iter().filter(|block| ["sh", "ini"].contains(&block.language.as_str()));
    let lines = blocks.flat_map(|block| block.text.lines()).chain(document.code_spans());
    let arguments = |line: &str| {
        let line = line.trim_start_matches("sudo ");
        let line = line.trim_start_matches("ExecStart=").trim_start_matches("ExecReload=");
        let line = line.trim_start_matches("/usr/local/bin/");
        line.strip_prefix("multichat-server ").map(str::to_owned)
    };
    lines.filter_map(arguments).collect()
}

#[test]
fn options_and_commands_exist() {
    let help = help();
    let known = options(&help);
    let mut count = 0;
    for document in Document::for_operators() {
        for line in command_lines(&document) {
            count += 1;
            let unknown: Vec<_> = options(&line).difference(&known).copied().collect();
            assert!(unknown.is_empty(), "{}: {line}: {unknown:?}", document.name);
            let words: Vec<_> = line.split_whitespace().collect();
            let command = words.iter().enumerate().find(|(i, word)| {
                let takes_value = *i > 0 && words[i - 1].starts_with("--");
                !word.starts_with("--") && !takes_value
            });
            if let Some((_, command)) = command {
                assert!(["serve", "check", "init", "key"].contains(command), "{}: {line}", document.name);
            }
        }
        for span in document.code_spans().into_iter().filter(|span| span.starts_with("--")) {
            count += 1;
            assert!(options(span).is_subset(&known), "{}: {span}", document.name);
        }
    }
    assert!(count >= 10, "only {count} were found");
}

#[test]
fn all_options_are_told_with_their_variables_and_defaults() {
    let help = help();
    let table = Document::read("docs/configuration.md").table("option");
    let told: BTreeSet<_> = table.iter().flat_map(|row| spans(&row[0])).collect();
    assert_eq!(told, options(&help));
    for row in &table[..table.len() - 1] {
        let option = code(&row[0]);
        // From its line to the next option's.
        let part = help.split_once(&format!("{option} <")).unwrap().1;
        let part = part.split_once("\n      --").map_or(part, |(part, _)| part);
        assert!(part.contains(&format!("[env: {}=", code(&row[1]))), "{option}: {part}");
        assert!(part.contains(&format!("[default: {}", code(&row[2]))), "{option}: {part}");
    }
}

#[test]
fn check_says_what_is_shown() {
    let document = Document::read("docs/configuration.md");
    let shown = document.block("text", "$ multichat-server check");
    let folder = Folder::with(&document.block("json", "\"messages-per-second\": 5").text);
    let output = folder.run(&["check"]);
    let (_, shown) = shown.text.split_once('\n').unwrap();
    assert_eq!(text(output.stdout), shown);
}

#[test]
fn check_says_what_is_shown_of_rooms() {
    let document = Document::read("docs/operation.md");
    let shown = document.block("text", " check\n");
    let folder = Folder::with(&document.block("json", "\"rooms\"").text);
    let output = folder.run(&["check"]);
    let (_, shown) = shown.text.split_once('\n').unwrap();
    // In the example it is run from elsewhere.
    assert_eq!(text(output.stdout), shown.replace("/etc/multichat/", ""));
}

#[test]
fn key_makes_what_is_shown() {
    let shown = Document::read("docs/configuration.md").block("text", "$ multichat-server key").text;
    let made = text(Folder::with("{}").run(&["key"]).stdout);
    let shapes = [&made, shown.split_once('\n').unwrap().1].map(|text| {
        let words = text.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
        // Of what is made up, the length.
        words
            .map(|word| if word.len() > 20 { format!("{}", word.len()) } else { word.to_owned() })
            .collect::<String>()
    });
    assert_eq!(shapes[0], shapes[1]);
    let [key, hash] = [shown.lines().nth(1), shown.lines().nth(2)].map(Option::unwrap);
    let config = format!(r#"{{"ws-path": "/", "host": ":1", "secret-key": {hash}}}"#);
    let (config, _) = Config::parse(config.as_bytes(), "config.json".as_ref()).unwrap();
    assert!(config.default_room.keys.admit("a", KeyDigest::of(key)).is_some());
}

#[test]
fn errors_are_as_shown() {
    let document = Document::read("docs/configuration.md");
    for (config, has) in [
        (r#"{"ws-path": "/", "host": "6780", "secret-key": "k", "limits": {"packet-bytes": 1}}"#, "\"host\""),
        ("{\n\"ws-path\": \"/\",\n\"host\": \":1\",\n\"secret-key\": \"k\",\n}", "not JSON"),
        (r#"{"ws-path": "/", "host": ":1", "secret-key": "k", "web_root": "web"}"#, "web_root"),
    ] {
        let output = Folder::with(config).run(&["check"]);
        assert_eq!(text(output.stderr), document.block("text", has).text);
        assert_eq!(output.status.code(), Some(2));
    }
}
