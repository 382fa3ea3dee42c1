//! The client that the document shows, run as it stands there.

use serde_json::json;

use super::super::support::{Client, KEY, Program, Random, Setup};

const MESSAGES: usize = 150;

#[tokio::test]
async fn the_client_of_the_document_neither_loses_nor_doubles_anything() {
    let seed = Random::seed();
    println!("seed {seed}");
    let server = Setup::new().start().await;
    // First: this may install what it needs, and somebody who waits for that answers no pings.
    let sample = Program::sample(&server, "discord", MESSAGES, seed);
    let mut plain = Client::join(&server, "irc").await;
    let mut sample = sample.start(&server.url(), KEY);
    for number in 0..MESSAGES {
        let said = serde_json::from_str::<serde_json::Value>(&plain.text().await).unwrap();
        assert_eq!(said["content"], number.to_string());
        if number % 5 == 0 {
            plain.chat("heard").await;
        }
    }
    let report = sample.report().await;
    assert_eq!(report["complaints"], json!([]));
    assert!(report["breaks"].as_u64().unwrap() > 0, "{report}");
    let mut seqs = serde_json::from_value::<Vec<usize>>(report["seqs"].clone()).unwrap();
    seqs.sort_unstable();
    assert_eq!(seqs, (1..=seqs.len()).collect::<Vec<_>>(), "each entry, others' and its own, once");
    assert!(seqs.len() > MESSAGES, "others' among them");
}

/// The ack does not tell the bound on bytes, and whoever has more than 20 packets refused is closed.
#[tokio::test]
async fn the_client_of_the_document_is_wary_where_it_was_refused() {
    const MESSAGES: usize = 12;
    let limits = json!({"bytes-per-second": 2000, "bytes-burst": 2000});
    let server = Setup::new().limits(limits).start().await;
    let mut sample = Program::talkative_sample(&server, "discord", MESSAGES, 7000).start(&server.url(), KEY);
    let report = sample.report().await;
    assert_eq!((&report["complaints"], &report["breaks"]), (&json!([]), &json!(0)));
    assert_eq!(report["acked"], json!((0..MESSAGES).map(|number| format!("p{number}")).collect::<Vec<_>>()));
    assert_eq!(report["seqs"], json!((1..=MESSAGES).collect::<Vec<_>>()));
}
