//! Whom a client believes to be the router.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::*;

/// For `localhost` and `127.0.0.1`, signed by itself.
pub(super) const CERTIFICATE: &[u8] = include_bytes!("../../../../../server/tests/fixtures/tls/ec.crt");
const KEY: &[u8] = include_bytes!("../../../../../server/tests/fixtures/tls/ec-pkcs8.key");

fn acceptor(certificate: &[u8], key: &[u8]) -> TlsAcceptor {
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(certificate).unwrap()],
            PrivateKeyDer::from_pem_slice(key).unwrap(),
        )
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// A certificate that is its own root, made by these parameters.
fn make(parameters: &CertificateParams) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    (parameters.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

fn parameters(names: &[&str]) -> CertificateParams {
    CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap()
}

/// What a client is told that trusts `root` and finds a server with this certificate.
async fn told(certificate: &[u8], key: &[u8], root: &[u8]) -> String {
    let (listener, url) = listen("wss").await;
    let tls = Tls::from_pem(root).unwrap();
    let acceptor = acceptor(certificate, key);
    let server = async { assert!(acceptor.accept(accept(&listener).await).await.is_err()) };
    let (error, ()) = soon(async { tokio::join!(refusal_of(&url, &tls), server) }).await;
    reason(error)
}

fn reason(error: ConnectError) -> String {
    match error {
        ConnectError::Tls { reason } => reason,
        other => panic!("{other:?}"),
    }
}

/// Echoes one message over TLS.
async fn echo(listener: &TcpListener) {
    let stream = acceptor(CERTIFICATE, KEY).accept(accept(listener).await).await.unwrap();
    let mut peer = accept_async(stream).await.unwrap();
    let message = peer.next().await.unwrap().unwrap();
    peer.send(message).await.unwrap();
    assert!(matches!(peer.next().await, Some(Ok(Message::Close(Some(_))))));
    assert!(peer.next().await.is_none());
}

async fn talk(url: &Url, tls: &Tls) {
    let mut socket = Socket::connect(url, tls).await.unwrap_or_else(|error| panic!("{error}"));
    let text = "secret ".repeat(20_000);
    socket.say(&text).await.unwrap();
    assert_eq!(socket.hear().await.as_str(), text);
    socket.start_close();
    assert_eq!(socket.end().await, (Some(1000), String::new()));
}

#[tokio::test]
async fn a_given_root_is_trusted() {
    let (listener, url) = listen("wss").await;
    let tls = Tls::from_pem(CERTIFICATE).unwrap();
    soon(async { tokio::join!(talk(&url, &tls), echo(&listener)) }).await;
}

/// By the variable that OpenSSL has for it, in a process of its own: this very test, which talks to the first one.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_systems_roots_are_trusted() {
    const URL: &str = "MULTICHAT_TEST_TLS_URL";
    if let Ok(url) = std::env::var(URL) {
        return talk(&Url::parse(&url).unwrap(), &Tls::default()).await;
    }
    let (listener, url) = listen("wss").await;
    let name = "transport::native::tests::trust::the_systems_roots_are_trusted";
    let mut child = tokio::process::Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", name]).env(URL, url.as_str()).kill_on_drop(true);
    child.env("SSL_CERT_FILE", concat!(env!("CARGO_MANIFEST_DIR"), "/../server/tests/fixtures/tls/ec.crt"));
    let (output, ()) = soon(async { tokio::join!(child.output(), echo(&listener)) }).await;
    let output = output.unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && stdout.contains("1 passed"), "{stdout}");
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let (other, _) = make(&parameters(&["localhost"]));
    let told = told(CERTIFICATE, KEY, other.as_bytes()).await;
    assert_eq!(told, "the server's certificate is signed by nobody that this client trusts");
}

#[tokio::test]
async fn a_certificate_for_another_name_says_which() {
    let (certificate, key) = make(&parameters(&["chat.example.org", "*.example.net", "192.0.2.1"]));
    let told = told(certificate.as_bytes(), key.as_bytes(), certificate.as_bytes()).await;
    assert_eq!(
        told,
        "the server's certificate is not for localhost, but for chat.example.org, *.example.net, 192.0.2.1"
    );
}

#[tokio::test]
async fn other_faults_of_a_certificate_are_told_in_words() {
    let mut authority = parameters(&["localhost"]);
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let mut old = parameters(&["localhost"]);
    old.not_after = rcgen::date_time_ymd(2001, 1, 1);
    let mut early = parameters(&["localhost"]);
    early.not_before = rcgen::date_time_ymd(3001, 1, 1);
    for (parameters, words) in [
        (authority, "the server's certificate is that of an authority (CA:TRUE)"),
        (old, "the server's certificate has expired"),
        (early, "the server's certificate is not valid yet"),
        (parameters(&[]), "the server's certificate is not for localhost, nor for any other name"),
    ] {
        let (certificate, key) = make(&parameters);
        let told = told(certificate.as_bytes(), key.as_bytes(), certificate.as_bytes()).await;
        assert!(told.starts_with(words), "{told}");
    }
}

#[tokio::test]
async fn a_server_without_tls_is_told_by_its_answer() {
    for (answer, words) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], "localhost does not answer in TLS on this port"),
        (b"", "localhost closed the connection in the middle of the TLS handshake"),
    ] {
        let (listener, url) = listen("wss").await;
        let tls = Tls::from_pem(CERTIFICATE).unwrap();
        let server = async {
            let mut stream = accept(&listener).await;
            let _ = stream.read(&mut [0; 4096]).await.unwrap();
            stream.write_all(answer).await.unwrap();
        };
        let (error, ()) = soon(async { tokio::join!(refusal_of(&url, &tls), server) }).await;
        assert_eq!(reason(error), words);
    }
}

#[tokio::test]
async fn a_server_with_tls_is_no_plain_one() {
    let (listener, url) = listen("ws").await;
    let tls = Tls::default();
    let acceptor = acceptor(CERTIFICATE, KEY);
    let server = async { assert!(acceptor.accept(accept(&listener).await).await.is_err()) };
    let (error, ()) = soon(async { tokio::join!(refusal_of(&url, &tls), server) }).await;
    assert_eq!(error.code(), "unreachable", "{error}");
}

#[test]
fn roots_are_read_when_they_are_given() {
    for pem in [&b""[..], b"hello", KEY, b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let error = Tls::from_pem(pem).err().map(|error| error.code());
        assert_eq!(error, Some("invalid-roots"), "{}", String::from_utf8_lossy(pem));
    }
    let torn = &CERTIFICATE[..CERTIFICATE.len() / 2];
    assert_eq!(Tls::from_pem(torn).err().map(|error| error.code()), Some("invalid-roots"));
    assert!(Tls::from_pem(&CERTIFICATE.repeat(3)).is_ok());
}
