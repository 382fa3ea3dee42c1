//! Loads the key and the certificate for `wss`.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio_rustls::rustls::{
    self, InconsistentKeys, ServerConfig,
    crypto::ring,
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject as _, SectionKind},
    },
    version::{TLS12, TLS13},
};

use crate::config::Wss;

#[cfg(test)]
mod tests;

/// Why the key and the certificate cannot be used. Every message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file is not there, or may not be read.
    #[error("\"{field}\": {} cannot be read: {source}{}", file.display(), hint(source))]
    Unreadable {
        /// `wss.keyfile` or `wss.certfile`.
        field: &'static str,
        /// The file.
        file: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A file is damaged.
    #[error("\"{field}\": {} is damaged: {reason}; write it anew, whole", file.display())]
    Damaged {
        /// `wss.keyfile` or `wss.certfile`.
        field: &'static str,
        /// The file.
        file: PathBuf,
        /// What the parser says.
        reason: String,
    },
    /// The file has no certificate.
    #[error("\"wss.certfile\": {} has no certificate in PEM format (-----BEGIN CERTIFICATE-----); {}", file.display(), instead(*content))]
    NoCertificate {
        /// The file.
        file: PathBuf,
        /// What it has instead.
        content: Content,
    },
    /// The file has no private key.
    #[error("\"wss.keyfile\": {} has no private key in PEM format (-----BEGIN PRIVATE KEY-----); {}", file.display(), instead(*content))]
    NoKey {
        /// The file.
        file: PathBuf,
        /// What it has instead.
        content: Content,
    },
    /// The key wants a password.
    #[error(
        "\"wss.keyfile\": the key in {} is encrypted, and there is nobody to ask for its password; \
         decrypt it with `openssl pkey -in {} -out decrypted.pem`", file.display(), file.display()
    )]
    EncryptedKey {
        /// The file.
        file: PathBuf,
    },
    /// The key is of a kind that cannot be used, or damaged inside.
    #[error(
        "\"wss.keyfile\": the key in {} cannot be used; it must be RSA of 2048 to 4096 bits, ECDSA on P-256 or P-384, \
         or Ed25519, such as `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256` makes", file.display()
    )]
    UnsupportedKey {
        /// The file.
        file: PathBuf,
    },
    /// The key is another certificate's.
    #[error(
        "\"wss.keyfile\": the key in {} does not fit the first certificate in {} (\"wss.certfile\"); \
         take the pair that was made together, the server's own certificate first", keyfile.display(), certfile.display()
    )]
    KeyMismatch {
        /// The file with the key.
        keyfile: PathBuf,
        /// The file with the certificate.
        certfile: PathBuf,
    },
    /// The certificate is PEM but no certificate.
    #[error("\"wss.certfile\": the certificate in {} cannot be used: {source}", file.display())]
    BadCertificate {
        /// The file.
        file: PathBuf,
        /// What the parser says.
        source: rustls::Error,
    },
}

/// What a file has instead of what was looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Nothing at all.
    Nothing,
    /// A private key.
    Key,
    /// A certificate.
    Certificate,
    /// Some other PEM block.
    OtherPem,
    /// Binary data.
    Binary,
    /// Text.
    Text,
}

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => "; correct the path (a relative one starts at the config file's folder)",
        io::ErrorKind::PermissionDenied => "; let the user that runs the server read it",
        _ => "",
    }
}

fn instead(content: Content) -> &'static str {
    match content {
        Content::Nothing => "it is empty",
        Content::Key => "it has a private key: are \"keyfile\" and \"certfile\" swapped?",
        Content::Certificate => "it has a certificate: are \"keyfile\" and \"certfile\" swapped?",
        Content::OtherPem => "it has something else in PEM format",
        Content::Binary => {
            "it is binary: if it is in DER format, convert it with `openssl x509 -inform der` or `openssl pkey -inform der`"
        }
        Content::Text => "it is some other text",
    }
}

/// Loads what `wss` names, and checks that it belongs together: TLS 1.2 and 1.3 for anyone.
///
/// # Errors
///
/// [`TlsError`] says which file is to blame and what to do.
pub fn server_config(wss: &Wss) -> Result<Arc<ServerConfig>, TlsError> {
    let certificates = certificates(&wss.certfile)?;
    let key = key(&wss.keyfile)?;
    let provider = Arc::new(ring::default_provider());
    if provider.key_provider.load_private_key(key.clone_key()).is_err() {
        return Err(TlsError::UnsupportedKey { file: wss.keyfile.clone() });
    }
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13, &TLS12])
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(certificates, key))
        .map_err(|source| match source {
            rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                TlsError::KeyMismatch { keyfile: wss.keyfile.clone(), certfile: wss.certfile.clone() }
            }
            source => TlsError::BadCertificate { file: wss.certfile.clone(), source },
        })?;
    // WebSocket by upgrade is HTTP/1.1.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The chain: at least one.
fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    const FIELD: &str = "wss.certfile";
    let content = read(FIELD, file)?;
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&content)
        .collect::<Result<_, _>>()
        .map_err(|error| damaged(FIELD, file, &error))?;
    if certificates.is_empty() {
        return Err(TlsError::NoCertificate { file: file.to_owned(), content: classify(&content) });
    }
    Ok(certificates)
}

/// The first key.
fn key(file: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    const FIELD: &str = "wss.keyfile";
    let content = read(FIELD, file)?;
    let key = PrivateKeyDer::from_pem_slice(&content);
    // An encrypted key is an unknown block to the parser, or, in the older form, a damaged one.
    if key.is_err() && is_encrypted(&content) {
        return Err(TlsError::EncryptedKey { file: file.to_owned() });
    }
    key.map_err(|error| match error {
        pem::Error::NoItemsFound => TlsError::NoKey { file: file.to_owned(), content: classify(&content) },
        error => damaged(FIELD, file, &error),
    })
}

fn read(field: &'static str, file: &Path) -> Result<Vec<u8>, TlsError> {
    let mut content =
        fs::read(file).map_err(|source| TlsError::Unreadable { field, file: file.to_owned(), source })?;
    // Windows editors put a byte order mark in front, which would hide the first line.
    if content.starts_with(b"\xEF\xBB\xBF") {
        content.drain(..3);
    }
    Ok(content)
}

fn damaged(field: &'static str, file: &Path, error: &pem::Error) -> TlsError {
    let reason = match error {
        pem::Error::MissingSectionEnd { .. } => "its last block has no end".to_owned(),
        // The library's text shows the line; it could be part of a key.
        pem::Error::IllegalSectionStart { .. } => "a line -----BEGIN …----- is not whole".to_owned(),
        pem::Error::Base64Decode(_) => {
            "there is something between BEGIN and END that is no Base64".to_owned()
        }
        error => error.to_string(),
    };
    TlsError::Damaged { field, file: file.to_owned(), reason }
}

fn is_encrypted(content: &[u8]) -> bool {
    let text = String::from_utf8_lossy(content);
    text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") || text.contains("Proc-Type: 4,ENCRYPTED")
}

fn classify(content: &[u8]) -> Content {
    let kinds: Vec<_> =
        <(SectionKind, Vec<u8>)>::pem_slice_iter(content).flatten().map(|(kind, _)| kind).collect();
    let is_key = |kind: &SectionKind| {
        matches!(kind, SectionKind::PrivateKey | SectionKind::RsaPrivateKey | SectionKind::EcPrivateKey)
    };
    let Ok(text) = str::from_utf8(content) else { return Content::Binary };
    if text.trim().is_empty() {
        Content::Nothing
    } else if kinds.iter().any(is_key) || is_encrypted(content) {
        Content::Key
    } else if kinds.contains(&SectionKind::Certificate) {
        Content::Certificate
    } else if text.contains("-----BEGIN ") {
        Content::OtherPem
    } else {
        Content::Text
    }
}
