//! TLS with those who connect to us.

use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::crypto::ring::Ticketer;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ClientHello, NoClientAuth, ResolvesServerCert, VerifierBuilderError, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsStream};

use super::credentials::{Certificate, Roots};
use super::error::TlsError;
use super::key_log::KeyLogFile;
use super::provider;
use crate::tcp::wire::{Handshake, Wire};

/// What those who connect are shown, and what they must show.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TlsServerOptions {
    /// The certificates. A client that asks for a name gets the first that is for it; who asks for none, or for another, gets the first
    /// of all.
    pub certificates: Vec<Certificate>,
    /// What is wanted of clients.
    pub client_auth: ClientAuth,
    /// Where the secrets of connections are written to, for looking into captures.
    pub key_log: Option<Arc<KeyLogFile>>,
}

impl TlsServerOptions {
    /// These certificates; nothing is wanted of clients, and no secret is written down.
    #[must_use]
    pub fn new(certificates: Vec<Certificate>) -> TlsServerOptions {
        TlsServerOptions { certificates, client_auth: ClientAuth::Off, key_log: None }
    }
}

/// Whether clients are to show a certificate. One that is shown has to lead to one of the roots, whether it was required or not.
#[derive(Clone, Debug, Default)]
pub enum ClientAuth {
    /// None is asked for.
    #[default]
    Off,
    /// One is asked for; who has none is served too.
    Request(Roots),
    /// Who has none is not served.
    Require(Roots),
}

/// TLS as those who connect meet it. All clones are one: what [`TlsServer::replace`] puts in its place holds for every connection that
/// begins from then on, and those that are open go on.
#[derive(Clone, Debug)]
pub struct TlsServer(pub(super) Arc<RwLock<Arc<ServerConfig>>>);

impl TlsServer {
    /// With these options.
    ///
    /// # Errors
    /// Where there is no certificate, or the system refuses randomness.
    pub fn new(options: TlsServerOptions) -> Result<TlsServer, TlsError> {
        Ok(TlsServer(Arc::new(RwLock::new(config(options)?))))
    }

    /// Other options for the connections to come. Sessions that began before are not resumed: each client is looked at anew.
    ///
    /// # Errors
    /// As [`TlsServer::new`]; then everything stays as it was.
    pub fn replace(&self, options: TlsServerOptions) -> Result<(), TlsError> {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = config(options)?;
        Ok(())
    }

    /// Begins TLS with somebody who connected.
    pub(crate) fn begin(&self, socket: TcpStream) -> Handshake {
        let config = Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner));
        let accept = TlsAcceptor::from(config).accept(socket);
        Box::pin(async { Ok(Wire::Tls(Box::new(TlsStream::from(accept.await?)))) })
    }
}

fn config(options: TlsServerOptions) -> Result<Arc<ServerConfig>, TlsError> {
    let TlsServerOptions { certificates, client_auth, key_log } = options;
    if certificates.is_empty() {
        return Err(TlsError::NoCertificate);
    }
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let mut config = builder
        .map_err(TlsError::of_use)?
        .with_client_cert_verifier(verifier(client_auth)?)
        .with_cert_resolver(Arc::new(ByName(certificates)));
    // What a session needs is kept by the client, so that any number of them can be resumed.
    config.ticketer = Ticketer::new().map_err(TlsError::of_use)?;
    if let Some(key_log) = key_log {
        config.key_log = key_log;
    }
    Ok(Arc::new(config))
}

fn verifier(client_auth: ClientAuth) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let (roots, is_required) = match client_auth {
        ClientAuth::Off => return Ok(Arc::new(NoClientAuth)),
        ClientAuth::Request(roots) => (roots, false),
        ClientAuth::Require(roots) => (roots, true),
    };
    let builder = WebPkiClientVerifier::builder_with_provider(roots.store(), provider());
    let builder = if is_required { builder } else { builder.allow_unauthenticated() };
    builder.build().map_err(|error| match error {
        VerifierBuilderError::NoRootAnchors => TlsError::NoRoots,
        other => TlsError::Unusable(rustls::Error::General(other.to_string())),
    })
}

/// Finds the certificate for the name that a client asks for.
#[derive(Debug)]
struct ByName(Vec<Certificate>);

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let named = hello.server_name().and_then(|name| self.0.iter().find(|certificate| certificate.is_for(name)));
        named.or(self.0.first()).map(Certificate::certified_key)
    }
}
