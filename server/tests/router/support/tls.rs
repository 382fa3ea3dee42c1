//! Certificates, and the client's side of TLS.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore, SupportedProtocolVersion,
        crypto::ring,
        pki_types::{CertificateDer, ServerName},
        version::{TLS12, TLS13},
    },
};

use super::Stream;

/// A version of TLS.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Version {
    Tls12,
    Tls13,
}

/// An authority that nobody else knows, and the certificate that it gave to the router.
#[derive(Debug)]
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    certificate: String,
    key: String,
}

/// A certificate, and its key.
#[derive(Debug)]
pub(crate) struct Credentials {
    pub(crate) certificate: String,
    pub(crate) key: String,
    der: CertificateDer<'static>,
}

impl Credentials {
    /// Whether this is what was shown on a connection.
    pub(crate) fn are_shown_on(&self, stream: &Stream) -> bool {
        let Stream::Tls(tls) = stream else { panic!("no TLS") };
        let shown = tls.get_ref().1.peer_certificates().unwrap();
        shown[0] == self.der
    }
}

impl Authority {
    pub(super) fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        // Another one than the certificate's, which would look like signed by itself.
        params.distinguished_name.push(DnType::CommonName, "multichat tests");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let Credentials { certificate, key, .. } = Self::certify(&issuer);
        Self { issuer, certificate, key }
    }

    /// A certificate for the same names, with another key.
    pub(crate) fn renew(&self) -> Credentials {
        Self::certify(&self.issuer)
    }

    fn certify(issuer: &CertifiedIssuer<'static, KeyPair>) -> Credentials {
        let mut params = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        // Without these, the strict clients of today refuse it.
        params.use_authority_key_identifier_extension = true;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, issuer).unwrap();
        Credentials {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
            der: certificate.der().clone(),
        }
    }

    /// The router's certificate.
    pub(super) fn certificate(&self) -> &str {
        &self.certificate
    }

    /// The router's key.
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// What clients have to trust.
    pub(super) fn own_certificate(&self) -> String {
        self.issuer.pem()
    }

    /// Puts TLS over a connection.
    pub(super) async fn connect(&self, tcp: TcpStream, version: Version) -> TlsStream<TcpStream> {
        let versions: &[&SupportedProtocolVersion] = match version {
            Version::Tls12 => &[&TLS12],
            Version::Tls13 => &[&TLS13],
        };
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, tcp).await.expect("a TLS handshake")
    }
}
