//! The page, in a browser.

use std::process::Stdio;

use serde_json::json;
use tokio::process::Command;

use super::super::support::{Client, Folder, Operator, Rich, Server, Setup, within};

/// What a browser has made of the page some seconds (of its own time) after it was opened.
async fn shown(server: &Server, folder: &Folder) -> String {
    const HELP: &str = "The tests need Chromium or Chrome: the package chromium of Debian, for example.";
    let chosen = std::env::var("CHROMIUM").ok();
    let usual = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
    for name in chosen.iter().map(String::as_str).chain(usual) {
        let mut command = Command::new(name);
        command
            // What it shows is ours alone; as root it would not start otherwise.
            .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking"])
            .args(["--no-first-run", "--virtual-time-budget=3000", "--dump-dom"])
            .arg(format!("--user-data-dir={}", folder.path("browser").display()))
            .arg(format!("http://{}/", server.admin_address()))
            .stdin(Stdio::null())
            .kill_on_drop(true);
        match within("a browser to show the page", command.output()).await {
            Ok(output) => return String::from_utf8(output.stdout).unwrap(),
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{error}. {HELP}"),
        }
    }
    panic!("{HELP}")
}

#[tokio::test]
async fn it_shows_who_is_there_and_takes_nothing_for_code() {
    let server = Setup::new().admin().start().await;
    let hostile = "<img src=x onerror=document.title=1>";
    let _plain = Client::join(&server, hostile).await;
    let mut rich = Rich::join(&server, "minecraft").await;
    rich.say(&json!({"action": "client-status", "status": "degraded", "text": "<b>lobby</b> full"})).await;
    rich.client.settle().await;
    let muted = json!({"name": "</li><script>document.title=2</script>"});
    assert_eq!(Operator::of(&server).post_json("/rooms/default/mute", &muted).await.status, 200);
    let page = shown(&server, &Folder::new()).await;
    assert!(page.contains(r#"<bdi title="minecraft">minecraft</bdi>"#), "{page}");
    assert!(page.contains(">&lt;img src=x onerror=document.title=1&gt;</bdi>"), "{page}");
    assert!(page.contains("<title>multichat</title>") && page.contains(">degraded<"), "{page}");
    assert!(page.contains("data-state=\"good\"") && page.contains(">live<"), "{page}");
    assert!(page.contains("2 connections") && page.contains("&lt;/li&gt;&lt;script&gt;"), "{page}");
    assert!(!page.contains("<img src=\"x\"") && !page.contains("<b>lobby"), "{page}");
}

#[tokio::test]
async fn where_there_is_a_key_it_asks_for_it() {
    let server = Setup::new().admin_with_key("k3y-of-the-operators").start().await;
    let _client = Client::join(&server, "minecraft").await;
    let page = shown(&server, &Folder::new()).await;
    assert!(page.contains("<dialog id=\"ask\" aria-labelledby=\"ask-title\" open=\"\">"), "{page}");
    assert!(!page.contains("minecraft"), "{page}");
}
