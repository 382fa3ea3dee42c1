//! The table of limits is what the program has.

use std::path::Path;

use multichat_server::config::{Config, ConfigError, Limits, Problem};

use super::document::{Document, code};

struct Row {
    name: String,
    default: String,
    range: String,
}

fn rows() -> Vec<Row> {
    let document = Document::read("docs/configuration.md");
    let tables = document.tables("field");
    let table = tables.iter().find(|rows| rows[0][0].contains("-seconds")).unwrap();
    let row = |row: &Vec<String>| Row {
        name: code(&row[0]).to_owned(),
        default: row[1].clone(),
        range: row[3].clone(),
    };
    table.iter().map(row).collect()
}

fn parse(limits: &str) -> Result<Limits, ConfigError> {
    let text = format!(r#"{{"ws-path": "/", "host": ":1", "secret-key": "k", "limits": {{{limits}}}}}"#);
    Config::parse(text.as_bytes(), Path::new("config.json")).map(|(config, _)| config.limits)
}

#[test]
fn all_limits_are_listed_in_order() {
    let listed: Vec<_> = rows().into_iter().map(|row| row.name).collect();
    // A rate that is off has no burst: these are on.
    let all = parse(r#""messages-per-second": 1, "bytes-per-second": 1"#).unwrap().fields();
    assert_eq!(listed, all.iter().map(|(name, _)| *name).collect::<Vec<_>>());
}

#[test]
fn defaults() {
    let defaults = Limits::default().fields();
    for Row { name, default, .. } in rows() {
        if let Some((_, value)) = defaults.iter().find(|(known, _)| *known == name) {
            assert_eq!(default, format!("`{value}`"), "{name}");
        } else {
            let rate = name.replace("-burst", "-per-second");
            assert_eq!(default, format!("twice `{rate}`"));
            let set = parse(&format!(r#""{rate}": 7"#)).unwrap().fields();
            assert!(set.iter().any(|field| *field == (name.as_str(), "14".to_owned())), "{set:?}");
        }
    }
}

#[test]
fn those_of_the_port_are_told_apart() {
    let rows = rows();
    let last = rows.iter().position(|row| row.name == "shutdown-seconds").unwrap();
    assert_eq!(last + 1, 7, "as told below the table");
    for (at, Row { name, .. }) in rows.iter().enumerate() {
        // No value will do, whether it is known or not.
        let room = format!(r#"{{"ws-path": "/r", "secret-key": "k", "limits": {{"{name}": []}}}}"#);
        let text =
            format!(r#"{{"ws-path": "/", "host": ":1", "secret-key": "k", "rooms": {{"r": {room}}}}}"#);
        let outcome = Config::parse(text.as_bytes(), Path::new("config.json"));
        assert_eq!(outcome.is_ok(), at <= last, "{name} in a room");
    }
}

#[test]
fn ranges() {
    let rows = rows();
    let texts: Vec<_> = rows.iter().map(|row| format!("\"{}\": \"a text\"", row.name)).collect();
    let Err(ConfigError::Fields { problems, .. }) = parse(&texts.join(",")) else {
        panic!("no text is a limit")
    };
    for Row { name, range, .. } in rows {
        let full = format!("limits.{name}");
        let Problem { expected, .. } = problems.iter().find(|problem| problem.field == full).expect(&name);
        // "a whole number from 0 (no limit) to 10000, such as 64"
        let (_, allowed) = expected.replace(" (no limit)", "").split_once(" from ").map(owned).unwrap();
        let (allowed, _) = allowed.split_once(',').map(owned).unwrap();
        let (least, most) = allowed.split_once(" to ").map(owned).unwrap();
        let is_endless = most == isize::MAX.to_string();
        assert_eq!(range, if is_endless { format!("at least {least}") } else { allowed }, "{name}");
    }
}

fn owned((a, b): (&str, &str)) -> (String, String) {
    (a.to_owned(), b.to_owned())
}

#[test]
fn what_depends_on_each_other() {
    // As told below the table.
    let least = 512 + 64 + r#""k""#.len();
    let fields = |text: &str| parse(text).unwrap().fields();
    assert!(parse(&format!("\"first-packet-bytes\": {least}")).is_ok());
    assert!(parse(&format!("\"first-packet-bytes\": {}", least - 1)).is_err());
    assert!(parse(r#""packet-bytes": 1024, "first-packet-bytes": 1025"#).is_err());
    assert!(parse(r#""packet-bytes": 65536, "log-bytes": 262143"#).is_err());
    assert!(parse(r#""packet-bytes": 65536, "log-bytes": 262144"#).is_ok());
    assert!(fields(r#""packet-bytes": 1024"#).contains(&("first-packet-bytes", "1024".to_owned())));
    assert!(fields(r#""packet-bytes": 10000000"#).contains(&("log-bytes", "40000000".to_owned())));
}
