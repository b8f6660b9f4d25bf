//! Looking at the TLS of a server, whatever it is worth.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientSessionMemoryCache, ClientSessionStore, ResolvesClientCert, Resumption};
use rustls::client::{Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, DigitallySignedStruct, Error, NamedGroup, ProtocolVersion, SignatureScheme};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::client::{is_of, is_trusted};
use super::credentials::{Certificate, Roots};
use super::error::TlsError;
use super::provider;
use super::reason::{reason, verdict};
use crate::trouble::tls_error;

/// How long is waited for what a server may say behind its handshake: tickets, or that it wants a certificate.
const AFTERTHOUGHTS: Duration = Duration::from_millis(300);

/// How many sessions a store remembers that is looked into once.
const SESSIONS_KEPT: usize = 4;

/// What a server is looked at with.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct InspectOptions {
    /// Whom its certificate should lead to; where there are none, that is not judged.
    pub roots: Option<Roots>,
    /// What it is shown where it asks.
    pub certificate: Option<Certificate>,
}

/// What a server has shown, and what that is worth.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Inspection {
    /// Such as `TLS 1.3`; `None` where the handshake did not come so far, as for all that may be missing.
    pub version: Option<&'static str>,
    /// The cipher suite, by its registered name.
    pub cipher_suite: Option<String>,
    /// The group of the key exchange.
    pub key_exchange: Option<String>,
    /// The name that it was asked for (SNI); an address is no such name.
    pub sni: Option<String>,
    /// Its certificates as they came, its own first: DER.
    pub chain: Vec<Vec<u8>>,
    /// Whether they lead to a root and hold now, or why not; `None` where nobody asked, or nothing was shown.
    pub trust: Option<Result<(), String>>,
    /// Whether its own is for whom was asked for, by the rules of SIP, or why not. `[RFC 5922, Section 7.2]`
    pub identity: Option<Result<(), String>>,
    /// Whether it has proven to have the key of its certificate, or why not.
    pub possession: Option<Result<(), String>>,
    /// Whether it asks for a certificate of ours.
    pub asks_for_certificate: bool,
    /// Whether it offers to resume the session.
    pub offers_resumption: bool,
    /// Why there is no connection after all that.
    pub failure: Option<String>,
}

/// Speaks TLS on a connection, with whoever must prove to be `name`: a host name, or an address. No verdict ends it: all that is shown is
/// taken down, and judged then.
///
/// # Errors
/// Where the name is none that TLS knows, or the ciphers can't be used.
pub async fn inspect(socket: TcpStream, name: &str, options: &InspectOptions) -> Result<Inspection, TlsError> {
    let server_name = ServerName::try_from(name.trim_matches(['[', ']']).to_owned());
    let server_name = server_name.map_err(|error| TlsError::of_use(Error::General(error.to_string())))?;
    let provider = provider();
    let algorithms = provider.signature_verification_algorithms;
    let notes = Arc::new(Notes::default());
    let witness = Witness { notes: Arc::clone(&notes), algorithms, certificate: options.certificate.clone() };
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(TlsError::of_use)?.dangerous();
    let witness = Arc::new(witness);
    let mut config = builder
        .with_custom_certificate_verifier(Arc::clone(&witness) as Arc<dyn ServerCertVerifier>)
        .with_client_cert_resolver(witness);
    config.resumption = Resumption::store(Arc::new(Tickets {
        notes: Arc::clone(&notes),
        cache: ClientSessionMemoryCache::new(SESSIONS_KEPT),
    }));
    let sni = matches!(server_name, ServerName::DnsName(_)).then(|| server_name.to_str().into_owned());
    let spoken = speak(TlsConnector::from(Arc::new(config)), server_name.clone(), socket, &notes).await;
    let taken = notes.taken();
    let (trust, identity) = match taken.chain.split_first() {
        None => (None, None),
        Some((own, others)) => {
            let is_trusted = |roots: &Roots| is_trusted((own, others), &roots.store(), UnixTime::now(), algorithms.all);
            let words = |result: Result<(), Error>| result.map_err(|error| verdict(&error));
            (options.roots.as_ref().map(is_trusted).map(words), Some(words(is_of(own, &server_name))))
        }
    };
    Ok(Inspection {
        version: spoken.version,
        cipher_suite: spoken.cipher_suite,
        key_exchange: spoken.key_exchange,
        sni,
        chain: taken.chain.iter().map(|certificate| certificate.to_vec()).collect(),
        trust,
        identity,
        possession: taken.possession,
        asks_for_certificate: taken.asks_for_certificate,
        offers_resumption: taken.offers_resumption,
        failure: spoken.failure.map(|why| match (taken.asks_for_certificate, &options.certificate) {
            (true, None) => format!("{why}; it asks for a certificate, and was shown none"),
            _ => why,
        }),
    })
}

#[derive(Debug, Default)]
struct Spoken {
    version: Option<&'static str>,
    cipher_suite: Option<String>,
    key_exchange: Option<String>,
    failure: Option<String>,
}

async fn speak(connector: TlsConnector, name: ServerName<'static>, socket: TcpStream, notes: &Notes) -> Spoken {
    let mut stream = match connector.connect(name, socket).await {
        Ok(stream) => stream,
        Err(error) => return Spoken { failure: Some(words(&error)), ..Spoken::default() },
    };
    let (_, connection) = stream.get_ref();
    let version = connection.protocol_version().and_then(version_name);
    let cipher_suite = connection.negotiated_cipher_suite().map(|suite| format!("{:?}", suite.suite()));
    let cipher_suite = cipher_suite.map(|name| name.replacen("TLS13_", "TLS_", 1));
    let key_exchange = connection.negotiated_key_exchange_group().map(|group| group_name(group.name()));
    let mut failure = None;
    // With TLS 1.3 tickets, and a refusal of ours, come behind the handshake.
    let mut buffer = [0; 512];
    while !notes.taken().offers_resumption {
        match timeout(AFTERTHOUGHTS, stream.read(&mut buffer)).await {
            Ok(Err(error)) if error.kind() != io::ErrorKind::UnexpectedEof => {
                failure = Some(words(&error));
                break;
            }
            Ok(Ok(length)) if length > 0 => {}
            _ => break,
        }
    }
    Spoken { version, cipher_suite, key_exchange, failure }
}

fn words(error: &io::Error) -> String {
    match tls_error(error) {
        Some(error) => reason(error),
        None if error.kind() == io::ErrorKind::UnexpectedEof => "the other side closed the connection".to_owned(),
        None => error.to_string(),
    }
}

fn version_name(version: ProtocolVersion) -> Option<&'static str> {
    match version {
        ProtocolVersion::TLSv1_2 => Some("TLS 1.2"),
        ProtocolVersion::TLSv1_3 => Some("TLS 1.3"),
        _ => None,
    }
}

fn group_name(group: NamedGroup) -> String {
    format!("{group:?}")
}

/// What is seen in a handshake.
#[derive(Debug, Default)]
struct Notes(Mutex<Taken>);

#[derive(Clone, Debug, Default)]
struct Taken {
    chain: Vec<CertificateDer<'static>>,
    possession: Option<Result<(), String>>,
    asks_for_certificate: bool,
    offers_resumption: bool,
}

impl Notes {
    fn taken(&self) -> Taken {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn take(&self, act: impl FnOnce(&mut Taken)) {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Objects to nothing, and takes it down.
#[derive(Debug)]
struct Witness {
    notes: Arc<Notes>,
    algorithms: WebPkiSupportedAlgorithms,
    certificate: Option<Certificate>,
}

impl Witness {
    fn proven(&self, result: Result<HandshakeSignatureValid, Error>) -> HandshakeSignatureValid {
        let possession = result.map(drop).map_err(|error| verdict(&error));
        self.notes.take(|taken| taken.possession = Some(possession));
        HandshakeSignatureValid::assertion()
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain = std::iter::once(end_entity).chain(intermediates);
        let chain = chain.map(|certificate| certificate.clone().into_owned()).collect();
        self.notes.take(|taken| taken.chain = chain);
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(self.proven(verify_tls12_signature(message, certificate, signature, &self.algorithms)))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(self.proven(verify_tls13_signature(message, certificate, signature, &self.algorithms)))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl ResolvesClientCert for Witness {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.notes.take(|taken| taken.asks_for_certificate = true);
        self.certificate.as_ref().map(Certificate::certified_key)
    }

    fn has_certs(&self) -> bool {
        self.certificate.is_some()
    }
}

/// Notes that there is something to be resumed.
#[derive(Debug)]
struct Tickets {
    notes: Arc<Notes>,
    cache: ClientSessionMemoryCache,
}

impl ClientSessionStore for Tickets {
    fn set_kx_hint(&self, server_name: ServerName<'static>, group: NamedGroup) {
        self.cache.set_kx_hint(server_name, group);
    }

    fn kx_hint(&self, server_name: &ServerName<'_>) -> Option<NamedGroup> {
        self.cache.kx_hint(server_name)
    }

    fn set_tls12_session(&self, server_name: ServerName<'static>, value: Tls12ClientSessionValue) {
        self.notes.take(|taken| taken.offers_resumption = true);
        self.cache.set_tls12_session(server_name, value);
    }

    fn tls12_session(&self, server_name: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.cache.tls12_session(server_name)
    }

    fn remove_tls12_session(&self, server_name: &ServerName<'static>) {
        self.cache.remove_tls12_session(server_name);
    }

    fn insert_tls13_ticket(&self, server_name: ServerName<'static>, value: Tls13ClientSessionValue) {
        self.notes.take(|taken| taken.offers_resumption = true);
        self.cache.insert_tls13_ticket(server_name, value);
    }

    fn take_tls13_ticket(&self, server_name: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.cache.take_tls13_ticket(server_name)
    }
}
