//! The metrics as others read them, and what the documents say of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde_json::Value;

use super::super::support::{Client, Operator, Program, Rich, Setup};

/// A file of the workspace.
fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A router's metrics, when something of all kinds has happened.
async fn scrape() -> String {
    let server = Setup::new()
        .admin()
        .field("rooms", serde_json::json!({"staff": {"ws-path": "/staff", "secret-key": "staff's"}}))
        .start()
        .await;
    let mut alice = Client::join(&server, "alice").await;
    let mut mc = Rich::join(&server, "mc").await;
    alice.chat("hello").await;
    mc.hear().await;
    mc.chat("hello, alice").await;
    alice.hear().await;
    Operator::of(&server).metrics().await.0
}

/// A metric, as an independent parser understands it.
#[derive(Debug)]
struct Family {
    kind: String,
    help: String,
    /// Names of samples, with their labels.
    samples: Vec<(String, BTreeMap<String, String>)>,
}

async fn families(text: &str) -> BTreeMap<String, Family> {
    let parsed = Program::parse_metrics(text).await;
    let families = parsed.as_array().unwrap().iter().map(|family| {
        let field = |name: &str| family[name].as_str().unwrap().to_owned();
        let samples = family["samples"].as_array().unwrap().iter().map(|sample| {
            let labels = sample["labels"].as_object().unwrap().iter();
            let labels = labels.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()));
            (sample["name"].as_str().unwrap().to_owned(), labels.collect())
        });
        (field("name"), Family { kind: field("type"), help: field("help"), samples: samples.collect() })
    });
    families.collect()
}

/// What the names of samples begin with, as they are queried.
fn queried_names(families: &BTreeMap<String, Family>) -> BTreeSet<String> {
    families.values().flat_map(|family| family.samples.iter().map(|(name, _)| name.clone())).collect()
}

#[tokio::test]
async fn it_is_as_prometheus_wants_it() {
    let text = scrape().await;
    let families = families(&text).await;
    assert!(families.len() >= 25, "{:?}", families.keys());
    let described = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect::<Vec<_>>();
    assert_eq!(described.len(), families.len(), "each is described once: {described:?}");
    let mut series = BTreeSet::new();
    for (name, family) in &families {
        let Family { kind, help, samples } = family;
        assert!(["counter", "gauge", "histogram"].contains(&kind.as_str()), "{name}: {kind}");
        assert!(help.len() > 5 && help.starts_with(|c: char| c.is_ascii_uppercase()), "{name}: {help}");
        assert!(!help.ends_with('.'), "{name}: {help}");
        assert!(!samples.is_empty(), "{name}");
        let is_ours = name.starts_with("multichat_") || name.starts_with("process_");
        let is_plain = name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        assert!(is_ours && is_plain, "{name}");
        for unit in ["milli", "micro", "nano", "minutes", "kilo", "_kb", "_mb", "percent", "_ms", "_info_"] {
            assert!(!name.contains(unit), "{name}: base units");
        }
        for reserved in ["_count", "_sum", "_bucket"] {
            assert!(!name.ends_with(reserved), "{name}");
        }
        for (sample, labels) in samples {
            assert_eq!(sample.ends_with("_total"), kind == "counter", "{sample}");
            assert!(labels.keys().all(|label| {
                ["room", "dialect", "kind", "reason", "result", "state", "version", "le"].contains(&&**label)
            }));
            assert_eq!(labels.contains_key("le"), sample.ends_with("_bucket"), "{sample}");
            assert!(series.insert((sample.clone(), labels.clone())), "twice: {sample} {labels:?}");
        }
    }
    // Every room has every series.
    let rooms = |room: &str| {
        let of_room = series.iter().filter(|(_, labels)| labels.get("room").is_some_and(|it| it == room));
        of_room.count()
    };
    assert_eq!(rooms("default"), rooms("staff"));
}

#[tokio::test]
async fn each_is_told_in_the_documents_and_no_others() {
    let text = scrape().await;
    let known: BTreeSet<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .map(str::to_owned)
        .collect();
    let document = read("docs/operation.md");
    let rows = document.lines().filter_map(|line| line.strip_prefix("| `"));
    let told = rows.filter_map(|row| row.split('`').next());
    let told: BTreeSet<_> = told
        .filter(|name| name.starts_with("multichat_") || name.starts_with("process_"))
        .map(|name| name.split('{').next().unwrap().to_owned())
        .collect();
    assert_eq!(told, known);
    // Whatever else is said of one, in queries for example.
    let queried = queried_names(&families(&text).await);
    for name in names(&document) {
        assert!(known.contains(&name) || queried.contains(&name), "{name}");
    }
}

/// The metrics that a text names.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let words = words.filter(|word| word.starts_with("multichat_") || word.starts_with("process_"));
    words.filter(|word| *word != "multichat_server").map(str::to_owned).collect()
}

#[tokio::test]
async fn the_dashboard_asks_for_what_there_is() {
    let text = scrape().await;
    let families = families(&text).await;
    let queried = queried_names(&families);
    let dashboard: Value = serde_json::from_str(&read("deploy/grafana-dashboard.json")).unwrap();
    let mut asked = BTreeSet::new();
    let mut titles = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        assert!(titles.insert(panel["title"].as_str().unwrap()), "{}", panel["title"]);
        if panel["type"] == "row" {
            continue;
        }
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{}", panel["title"]);
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty());
        for target in targets {
            let query = target["expr"].as_str().unwrap();
            let found = names(query);
            assert!(!found.is_empty(), "{query}");
            for name in &found {
                assert!(queried.contains(name), "{query} asks for {name}");
                // A counter is of use as a rate alone.
                let is_counter = name.ends_with("_total") || name.ends_with("_bucket");
                assert_eq!(is_counter, query.contains("rate(") || query.contains("increase("), "{query}");
            }
            for label in
                query.split("by (").skip(1).flat_map(|rest| rest.split(')').next().unwrap().split(", "))
            {
                let has_it = |family: &Family| {
                    family
                        .samples
                        .iter()
                        .any(|(name, labels)| found.contains(name) && labels.contains_key(label))
                };
                assert!(label == "instance" || families.values().any(has_it), "{query} asks for {label}");
            }
            asked.extend(found);
        }
    }
    assert!(asked.len() >= 15, "{asked:?}");
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    for variable in variables.iter().filter(|variable| variable["type"] == "query") {
        let query = variable["query"]["query"].as_str().unwrap();
        assert!(names(query).iter().all(|name| queried.contains(name)), "{query}");
    }
}
