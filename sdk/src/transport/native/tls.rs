//! Whom a client believes to be the router.

use std::error::Error as StdError;
use std::io;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use rustls_platform_verifier::BuilderVerifierExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{
    AlertDescription, CertificateError, ClientConfig, ConfigBuilder, Error, RootCertStore, WantsVerifier,
};

use crate::session::ConnectError;

/// How certificates are checked: against the system's roots, if not told otherwise.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tls {
    given: Option<Arc<ClientConfig>>,
}

impl Tls {
    /// With these roots alone, in PEM. A certificate that its owner has signed is its own root.
    pub(crate) fn from_pem(pem: &[u8]) -> Result<Self, ConnectError> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|_| invalid("what was given is not good PEM"))?;
            roots.add(certificate).map_err(|_| invalid("a certificate that was given cannot be read"))?;
        }
        if roots.is_empty() {
            return Err(invalid("there is no certificate in what was given"));
        }
        let config = builder()?.with_root_certificates(roots).with_no_client_auth();
        Ok(Self { given: Some(Arc::new(config)) })
    }

    /// The TLS handshake.
    pub(super) async fn connect(
        &self,
        host: &str,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, ConnectError> {
        let name = ServerName::try_from(host)
            .map_err(|_| ConnectError::InvalidUrl { reason: "no certificate can be made for such a host" })?
            .to_owned();
        let config = match &self.given {
            Some(config) => Arc::clone(config),
            None => system()?,
        };
        let handshake = TlsConnector::from(config).connect(name, stream);
        handshake.await.map_err(|error| ConnectError::Tls { reason: explain(&error, host) })
    }
}

/// The system's roots, read once for all connections that use them at the same time: they take their time and their
/// memory. A client that is alone and connects again sees what has changed.
fn system() -> Result<Arc<ClientConfig>, ConnectError> {
    static SHARED: Mutex<Weak<ClientConfig>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(config) = shared.upgrade() {
        return Ok(config);
    }
    let roots = builder()?.with_platform_verifier();
    let roots = roots.map_err(|_| invalid("the system has none, or they cannot be read"))?;
    let config = Arc::new(roots.with_no_client_auth());
    *shared = Arc::downgrade(&config);
    Ok(config)
}

/// ring by name: another crate of the program may have brought another provider.
fn builder() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, ConnectError> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    // Cannot happen: ring has what these versions need.
    builder.with_safe_default_protocol_versions().map_err(|_| invalid("TLS is not available"))
}

fn invalid(reason: &str) -> ConnectError {
    ConnectError::InvalidRoots { reason: reason.into() }
}

/// In plain words, why there is no TLS.
fn explain(error: &io::Error, host: &str) -> String {
    match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(Error::InvalidCertificate(problem)) => explain_certificate(problem, host),
        Some(Error::InvalidMessage(_)) => format!("{host} does not answer in TLS on this port"),
        Some(Error::AlertReceived(AlertDescription::UnrecognisedName)) => {
            format!("the server does not know the name {host}")
        }
        Some(Error::AlertReceived(AlertDescription::CertificateRequired)) => {
            String::from("the server wants a certificate of the client, which it does not have")
        }
        Some(Error::AlertReceived(_) | Error::PeerIncompatible(_)) => {
            format!("{host} and the client have no way of TLS in common")
        }
        Some(other) => other.to_string(),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            format!("{host} closed the connection in the middle of the TLS handshake")
        }
        None => format!("the connection broke in the middle of the TLS handshake ({error})"),
    }
}

fn explain_certificate(problem: &CertificateError, host: &str) -> String {
    match problem {
        CertificateError::NotValidForNameContext { presented, .. } if presented.is_empty() => {
            format!("the server's certificate is not for {host}, nor for any other name")
        }
        CertificateError::NotValidForNameContext { presented, .. } => {
            let names: Vec<_> = presented.iter().map(|name| plain_name(name)).collect();
            format!("the server's certificate is not for {host}, but for {}", names.join(", "))
        }
        CertificateError::NotValidForName => format!("the server's certificate is not for {host}"),
        CertificateError::UnknownIssuer => {
            String::from("the server's certificate is signed by nobody that this client trusts")
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            String::from("the server's certificate has expired, or this machine's clock is wrong")
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            String::from("the server's certificate is not valid yet, or this machine's clock is wrong")
        }
        CertificateError::Revoked => String::from("the server's certificate was revoked"),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            String::from("the server's certificate is not one for servers")
        }
        // What comes out of the library that checks them has a short name alone.
        CertificateError::Other(other) if is_authority(other) => String::from(
            "the server's certificate is that of an authority (CA:TRUE); a server needs one of its own",
        ),
        other => format!("the server's certificate is not good: {other}"),
    }
}

fn is_authority(other: &(dyn StdError + 'static)) -> bool {
    other.source().is_some_and(|inner| inner.to_string() == "CaUsedAsEndEntity")
}

/// `DnsName("example.org")` or `IpAddress(192.0.2.1)`, as rustls has them, without what is around it.
fn plain_name(name: &str) -> &str {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(name).trim_matches('"')
}
