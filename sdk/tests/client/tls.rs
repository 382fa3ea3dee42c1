//! Over TLS, with the real router.

use std::{env, fs, path::PathBuf, process};

use multichat::{Client, ConnectError};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::json;

use crate::support::{Feed, KEY, Router, confirmed, soon, split};

/// A router that speaks TLS under these names, and its certificate.
async fn router(names: &[&str]) -> (Router, String, Folder) {
    let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names.clone()).unwrap();
    let folder = Folder::new(&names.concat());
    let (keyfile, certfile) = (folder.0.join("key.pem"), folder.0.join("cert.pem"));
    fs::write(&keyfile, signing_key.serialize_pem()).unwrap();
    fs::write(&certfile, cert.pem()).unwrap();
    let wss = json!({"keyfile": keyfile, "certfile": certfile});
    (Router::with(json!({"wss": wss})).await, cert.pem(), folder)
}

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = env::temp_dir().join(format!("multichat-client-{}-{name}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left in a folder for temporary files does no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn two_clients_talk() {
    let (router, root, _folder) = router(&["localhost"]).await;
    let url = format!("wss://localhost:{}/", router.address().port());
    let builder = |name| Client::builder(&url, name).key(KEY).tls_roots_pem(root.as_bytes());
    let (irc, _irc_feed) = split(soon("irc", builder("irc").connect()).await.unwrap());
    let (_matrix, mut feed) = split(soon("matrix", builder("matrix").connect()).await.unwrap());
    assert_eq!(confirmed(irc.send("hello")).await, Some(1));
    feed.hears("hello").await;
    let long = "long ".repeat(200_000);
    assert_eq!(confirmed(irc.send(&*long)).await, Some(2));
    feed.hears(&long).await;
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let (router, root, _folder) = router(&["chat.example.org"]).await;
    let url = format!("wss://localhost:{}/", router.address().port());
    let builder = || Client::builder(&url, "irc").key(KEY);
    let error = soon("the refusal", builder().tls_roots_pem(root.as_bytes()).connect()).await.unwrap_err();
    assert_eq!(error.code(), "tls");
    assert!(error.explain().contains("chat.example.org"), "{}", error.explain());
    // And one that nobody vouches for.
    let other = generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert.pem();
    let error = soon("the refusal", builder().tls_roots_pem(other.as_bytes()).connect()).await.unwrap_err();
    assert!(matches!(error, ConnectError::Tls { .. }), "{error:?}");
}

#[tokio::test]
async fn tls_and_its_absence_do_not_fit() {
    let (secure, root, _folder) = router(&["localhost", "127.0.0.1"]).await;
    let plain = Router::start().await;
    let wrong = format!("ws://localhost:{}/", secure.address().port());
    let error = soon("the refusal", Client::builder(wrong, "irc").key(KEY).connect()).await.unwrap_err();
    assert!(matches!(error, ConnectError::Unreachable { .. } | ConnectError::Rejected { .. }), "{error:?}");
    let wrong = format!("wss://localhost:{}/", plain.address().port());
    let builder = Client::builder(wrong, "irc").key(KEY).tls_roots_pem(root.as_bytes());
    let error = soon("the refusal", builder.connect()).await.unwrap_err();
    assert_eq!(error.code(), "tls");
    assert!(error.explain().contains("ws://"), "{}", error.explain());
    let right = format!("wss://127.0.0.1:{}/", secure.address().port());
    let builder = Client::builder(right, "irc").key(KEY).tls_roots_pem(root.as_bytes());
    let (_client, events) = soon("the connection", builder.connect()).await.unwrap();
    Feed::new(events).online().await;
}
