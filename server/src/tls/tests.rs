use std::{fs, path::Path};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio_rustls::{
    TlsAcceptor, TlsConnector,
    rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion, pki_types::ServerName},
};

use super::*;
use crate::test_folder::Folder;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(name)
}

fn wss(keyfile: impl Into<PathBuf>, certfile: impl Into<PathBuf>) -> Wss {
    Wss { keyfile: keyfile.into(), certfile: certfile.into() }
}

/// A client that trusts one certificate shakes hands with the server.
async fn handshake(server: Arc<ServerConfig>, trusted: &[u8], version: &'static SupportedProtocolVersion) {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(trusted).unwrap()).unwrap();
    let mut client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    client.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let (near, far) = tokio::io::duplex(64 * 1024);
    let connect =
        TlsConnector::from(Arc::new(client)).connect(ServerName::try_from("localhost").unwrap(), near);
    let (near, far) = tokio::join!(connect, TlsAcceptor::from(server).accept(far));
    let (near, far) = (near.unwrap(), far.unwrap());
    assert_eq!(near.get_ref().1.protocol_version(), Some(version.version));
    assert_eq!(far.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
}

#[tokio::test]
async fn every_kind_of_key() {
    for (key, certificate) in [
        ("rsa-pkcs1.key", "rsa.crt"),
        ("rsa-pkcs8.key", "rsa.crt"),
        ("ec-sec1.key", "ec.crt"),
        ("ec-pkcs8.key", "ec.crt"),
        ("ed25519.key", "ed25519.crt"),
    ] {
        let server = server_config(&wss(fixture(key), fixture(certificate))).expect(key);
        let trusted = fs::read(fixture(certificate)).unwrap();
        handshake(Arc::clone(&server), &trusted, &TLS12).await;
        handshake(server, &trusted, &TLS13).await;
    }
}

#[tokio::test]
async fn a_chain_and_a_file_for_both() {
    let folder = Folder::new();
    let authority = |name: &str| {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params
    };
    let (root_key, middle_key, leaf_key) =
        (KeyPair::generate().unwrap(), KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let root_params = authority("root");
    let root = root_params.self_signed(&root_key).unwrap();
    let root_issuer = Issuer::new(root_params, root_key);
    let middle_params = authority("middle");
    let middle = middle_params.signed_by(&middle_key, &root_issuer).unwrap();
    let middle_issuer = Issuer::new(middle_params, middle_key);
    let leaf = CertificateParams::new(["localhost".to_owned()])
        .unwrap()
        .signed_by(&leaf_key, &middle_issuer)
        .unwrap();

    let chain = format!("{}{}", leaf.pem(), middle.pem());
    // With a byte order mark, Windows line ends, words around the blocks, and the key in the same file.
    let text = format!("\u{feff}{}subject=leaf\n{chain}", leaf_key.serialize_pem()).replace('\n', "\r\n");
    let both = folder.write("both.pem", text);
    let server = server_config(&wss(&both, &both)).unwrap();
    handshake(server, root.pem().as_bytes(), &TLS13).await;

    let backwards = folder.write("backwards.pem", format!("{}{}", middle.pem(), leaf.pem()));
    let error = server_config(&wss(&both, backwards)).unwrap_err();
    assert!(matches!(error, TlsError::KeyMismatch { .. }), "{error}");
}

#[test]
fn every_mistake_is_named() {
    let folder = Folder::new();
    let (key, certificate) = (fixture("ec-sec1.key"), fixture("ec.crt"));
    let key_text = fs::read_to_string(&key).unwrap();
    let certificate_text = fs::read_to_string(&certificate).unwrap();
    let half = &certificate_text[..certificate_text.len() / 2];
    let no_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let der = CertificateDer::from_pem_slice(certificate_text.as_bytes()).unwrap();
    for (keyfile, certfile, blamed, says) in [
        (folder.0.join("none"), certificate.clone(), "\"wss.keyfile\"", "none cannot be read: No such file"),
        (key.clone(), folder.0.join("none"), "\"wss.certfile\"", "; correct the path"),
        (key.clone(), folder.0.clone(), "\"wss.certfile\"", "cannot be read: Is a directory"),
        (
            certificate.clone(),
            key.clone(),
            "\"wss.certfile\"",
            "has a private key: are \"keyfile\" and \"certfile\" swapped?",
        ),
        (certificate.clone(), certificate.clone(), "\"wss.keyfile\"", "has a certificate: are"),
        (key.clone(), fixture("encrypted-pkcs8.key"), "\"wss.certfile\"", "has a private key"),
        (key.clone(), folder.write("empty", ""), "\"wss.certfile\"", "it is empty"),
        (folder.write("blank", " \n"), certificate.clone(), "\"wss.keyfile\"", "it is empty"),
        (key.clone(), folder.write("text", "hello"), "\"wss.certfile\"", "it is some other text"),
        (key.clone(), folder.write("der", &der), "\"wss.certfile\"", "openssl x509 -inform der"),
        (
            folder.write(
                "other",
                "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n",
            ),
            certificate.clone(),
            "\"wss.keyfile\"",
            "something else in PEM format",
        ),
        (
            key.clone(),
            folder.write("half", half),
            "\"wss.certfile\"",
            "is damaged: its last block has no end",
        ),
        (
            folder.write("garbled", key_text.replace("PRIVATE KEY-----\nM", "PRIVATE KEY-----\n?")),
            certificate.clone(),
            "\"wss.keyfile\"",
            "that is no Base64",
        ),
        (
            folder.write(
                "cut",
                key_text.replace("-----BEGIN EC PRIVATE KEY-----", "-----BEGIN EC PRIVATE KEY--"),
            ),
            certificate.clone(),
            "\"wss.keyfile\"",
            "is not whole",
        ),
        (key.clone(), folder.write("hollow", no_certificate), "\"wss.certfile\"", "cannot be used: "),
        (fixture("encrypted-pkcs8.key"), fixture("rsa.crt"), "\"wss.keyfile\"", "is encrypted"),
        (fixture("encrypted-pkcs1.key"), fixture("rsa.crt"), "\"wss.keyfile\"", "is encrypted"),
        (
            fixture("rsa-1024.key"),
            fixture("rsa.crt"),
            "\"wss.keyfile\"",
            "cannot be used; it must be RSA of 2048",
        ),
        (
            fixture("ec-p521.key"),
            certificate.clone(),
            "\"wss.keyfile\"",
            "cannot be used; it must be RSA of 2048",
        ),
        (
            fixture("rsa-pkcs8.key"),
            certificate.clone(),
            "\"wss.keyfile\"",
            "does not fit the first certificate in",
        ),
        (fixture("ed25519.key"), certificate.clone(), "\"wss.keyfile\"", "does not fit"),
    ] {
        let what = format!("{} and {}", keyfile.display(), certfile.display());
        let error = server_config(&wss(&keyfile, &certfile)).expect_err(&what).to_string();
        assert!(error.starts_with(blamed), "{what}: {error}");
        assert!(error.contains(says), "{what}: {error}");
        let file = if blamed.contains("keyfile") { keyfile } else { certfile };
        assert!(error.contains(&file.display().to_string()), "{what}: {error}");
    }
}
