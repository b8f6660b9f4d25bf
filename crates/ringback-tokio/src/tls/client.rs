//! TLS with those whom we connect to.

use std::sync::{Arc, PoisonError, RwLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, SignatureVerificationAlgorithm, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::SingleCertAndKey;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, TlsStream};

use super::credentials::{Certificate, Roots};
use super::error::TlsError;
use super::identity::{is_for, sip_domains};
use super::key_log::KeyLogFile;
use super::provider;
use crate::tcp::wire::{Handshake, Wire};

/// Whom we trust, and what we show.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TlsClientOptions {
    /// What a server's certificate has to lead to.
    pub roots: Roots,
    /// What we show to a server that asks for one.
    pub certificate: Option<Certificate>,
    /// Where the secrets of connections are written to, for looking into captures.
    pub key_log: Option<Arc<KeyLogFile>>,
    /// Whether any certificate will do, whoever has made it and whomever it is for. **Who is in between reads and writes everything then**:
    /// it is for tests of what one can look at with one's own eyes.
    pub takes_any_certificate: bool,
}

impl TlsClientOptions {
    /// These roots; we show nothing, and no secret is written down.
    #[must_use]
    pub fn new(roots: Roots) -> TlsClientOptions {
        TlsClientOptions { roots, certificate: None, key_log: None, takes_any_certificate: false }
    }
}

/// TLS as those meet it whom we connect to. All clones are one, as with [`TlsServer`](super::TlsServer).
#[derive(Clone, Debug)]
pub struct TlsClient(Arc<RwLock<Arc<ClientConfig>>>);

impl TlsClient {
    /// With these options.
    ///
    /// # Errors
    /// Where the ciphers can't be used.
    pub fn new(options: TlsClientOptions) -> Result<TlsClient, TlsError> {
        Ok(TlsClient(Arc::new(RwLock::new(config(options)?))))
    }

    /// Other options for the connections to come.
    ///
    /// # Errors
    /// As [`TlsClient::new`]; then everything stays as it was.
    pub fn replace(&self, options: TlsClientOptions) -> Result<(), TlsError> {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = config(options)?;
        Ok(())
    }

    /// With a server that must prove to be this domain, or this address.
    pub(crate) fn start(&self, name: ServerName<'static>) -> TlsStart {
        TlsStart { config: Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)), name }
    }
}

/// TLS that begins once there is a connection.
#[derive(Debug)]
pub(crate) struct TlsStart {
    pub(super) config: Arc<ClientConfig>,
    pub(super) name: ServerName<'static>,
}

impl TlsStart {
    /// Begins it.
    pub(crate) fn begin(self, socket: TcpStream) -> Handshake {
        let connect = TlsConnector::from(self.config).connect(self.name, socket);
        Box::pin(async { Ok(Wire::Tls(Box::new(TlsStream::from(connect.await?)))) })
    }
}

fn config(options: TlsClientOptions) -> Result<Arc<ClientConfig>, TlsError> {
    let TlsClientOptions { roots, certificate, key_log, takes_any_certificate } = options;
    let provider = provider();
    let algorithms = provider.signature_verification_algorithms;
    let verifier = OfDomain { roots: roots.store(), algorithms, takes_any: takes_any_certificate };
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(TlsError::of_use)?.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match certificate {
        None => builder.with_no_client_auth(),
        Some(certificate) => {
            let resolver = SingleCertAndKey::from(certificate.certified_key());
            builder.with_client_cert_resolver(Arc::new(resolver))
        }
    };
    if let Some(key_log) = key_log {
        config.key_log = key_log;
    }
    Ok(Arc::new(config))
}

/// Takes the certificate of a server that is the one of the domain which was looked up. `[RFC 5922, Section 7.3]`
///
/// rustls's own verifier would take wildcards, and knows no SIP URIs; all but the name is checked by its functions here too.
#[derive(Debug)]
struct OfDomain {
    roots: Arc<RootCertStore>,
    algorithms: WebPkiSupportedAlgorithms,
    takes_any: bool,
}

impl ServerCertVerifier for OfDomain {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if !self.takes_any {
            is_trusted((end_entity, intermediates), &self.roots, now, self.algorithms.all)?;
            is_of(end_entity, server_name)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Whether a chain, its end first, leads to one of these roots, and holds at this time.
pub(super) fn is_trusted(
    (end_entity, intermediates): (&CertificateDer<'_>, &[CertificateDer<'_>]),
    roots: &RootCertStore,
    now: UnixTime,
    algorithms: &[&dyn SignatureVerificationAlgorithm],
) -> Result<(), Error> {
    let parsed = ParsedCertificate::try_from(end_entity)?;
    verify_server_cert_signed_by_trust_anchor(&parsed, roots, intermediates, now, algorithms)
}

/// Whether a certificate is for this domain by the rules of SIP, or for this address.
pub(super) fn is_of(end_entity: &CertificateDer<'_>, server_name: &ServerName<'_>) -> Result<(), Error> {
    match server_name {
        ServerName::DnsName(domain) if is_for(end_entity, domain.as_ref()) => Ok(()),
        ServerName::DnsName(_) => {
            let (expected, presented) = (server_name.to_owned(), sip_domains(end_entity));
            let presented = presented.into_iter().map(String::from).collect();
            Err(CertificateError::NotValidForNameContext { expected, presented }.into())
        }
        address => verify_server_name(&ParsedCertificate::try_from(end_entity)?, address),
    }
}
