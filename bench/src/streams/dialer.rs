//! Opens connections.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, HandshakeKind, RootCertStore};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;

use super::line::{Line, Stream};
use crate::Fault;

/// What is under SIP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// TLS.
    Tls,
    /// WebSocket.
    Ws,
    /// WebSocket over TLS.
    Wss,
}

impl Transport {
    /// As it stands in a Via.
    #[must_use]
    pub fn in_via(self) -> &'static str {
        match self {
            Transport::Tcp => "TCP",
            Transport::Tls => "TLS",
            Transport::Ws => "WS",
            Transport::Wss => "WSS",
        }
    }

    /// As it stands in the URI of a Contact.
    #[must_use]
    pub fn in_uri(self) -> &'static str {
        match self {
            Transport::Tcp => "tcp",
            Transport::Tls => "tls",
            Transport::Ws | Transport::Wss => "ws",
        }
    }

    pub(super) fn has_tls(self) -> bool {
        matches!(self, Transport::Tls | Transport::Wss)
    }

    pub(super) fn has_websocket(self) -> bool {
        matches!(self, Transport::Ws | Transport::Wss)
    }
}

impl FromStr for Transport {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Transport, Fault> {
        let all = [Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss];
        let found = all.into_iter().find(|transport| transport.in_via().eq_ignore_ascii_case(text));
        found.ok_or_else(|| format!("{text} is none of tcp, tls, ws, wss"))
    }
}

/// A root, and by it a certificate for `localhost`, both of P-256, as PEM.
#[derive(Debug, Clone)]
pub struct Authority {
    /// The root.
    pub root: String,
    /// The server's certificate.
    pub chain: String,
    /// Its key.
    pub key: String,
}

impl Authority {
    /// A new one.
    ///
    /// # Errors
    /// Where the system has no randomness.
    pub fn new() -> Result<Authority, Fault> {
        let made = || -> Result<Authority, rcgen::Error> {
            let mut params = CertificateParams::new([])?;
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let root_key = KeyPair::generate()?;
            let root = params.self_signed(&root_key)?.pem();
            let key = KeyPair::generate()?;
            let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
            let chain = CertificateParams::new(names)?.signed_by(&key, &Issuer::new(params, root_key))?.pem();
            Ok(Authority { root, chain, key: key.serialize_pem() })
        };
        made().map_err(|error| format!("making certificates: {error}"))
    }
}

/// Opens connections to one place, all in the same way.
#[derive(Clone)]
pub struct Dialer {
    transport: Transport,
    server: SocketAddr,
    tls: Option<TlsConnector>,
    resumes: bool,
}

impl std::fmt::Debug for Dialer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dialer")
            .field("transport", &self.transport)
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

impl Dialer {
    /// One that trusts the PEM certificate `root`, speaks TLS 1.3 with AES-128-GCM and X25519 alone, so that servers can't choose, and begins
    /// each session anew.
    ///
    /// # Errors
    /// Where TLS is wanted and the root is no certificate.
    pub fn new(transport: Transport, server: SocketAddr, root: &[u8]) -> Result<Dialer, Fault> {
        let tls = if transport.has_tls() { Some(TlsConnector::from(Arc::new(config(root, false)?))) } else { None };
        Ok(Dialer { transport, server, tls, resumes: false })
    }

    /// The same, but sessions are resumed where the server has given what it takes.
    ///
    /// # Errors
    /// As [`Dialer::new`].
    pub fn resuming(transport: Transport, server: SocketAddr, root: &[u8]) -> Result<Dialer, Fault> {
        let tls = Some(TlsConnector::from(Arc::new(config(root, true)?)));
        Ok(Dialer { transport, server, tls, resumes: true })
    }

    /// By what.
    #[must_use]
    pub fn transport(&self) -> Transport {
        self.transport
    }

    /// Where to.
    #[must_use]
    pub fn server(&self) -> SocketAddr {
        self.server
    }

    /// Whether sessions of TLS are resumed.
    #[must_use]
    pub fn resumes(&self) -> bool {
        self.resumes
    }

    /// TCP and nothing on it yet, from this address.
    ///
    /// # Errors
    /// Where it is refused, or the address isn't ours.
    pub async fn connect(&self, source: IpAddr) -> Result<TcpStream, Fault> {
        let opened = async {
            let socket = if source.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
            socket.bind(SocketAddr::new(source, 0))?;
            let stream = socket.connect(self.server).await?;
            stream.set_nodelay(true)?;
            Ok(stream)
        };
        opened.await.map_err(|error: std::io::Error| format!("{source} to {}: {error}", self.server))
    }

    /// A connection from this address that is ready for SIP.
    ///
    /// # Errors
    /// Where it is refused, TLS can't be agreed on, the certificate isn't good, or the server speaks no WebSocket.
    pub async fn dial(&self, source: IpAddr) -> Result<Line, Fault> {
        let socket = self.connect(source).await?;
        let local = socket.local_addr().map_err(|error| format!("the local address: {error}"))?;
        let stream = match &self.tls {
            None => Stream::Plain(socket),
            Some(tls) => {
                let name = ServerName::try_from("localhost").map_err(|error| error.to_string())?;
                let stream = tls.connect(name, socket).await.map_err(|error| format!("TLS: {error}"))?;
                Stream::Tls(Box::new(stream))
            }
        };
        let mut line = Line::new(stream, local, self.transport);
        if self.transport.has_websocket() {
            line.upgrade(self.server).await?;
        }
        Ok(line)
    }
}

fn config(root: &[u8], resumes: bool) -> Result<ClientConfig, Fault> {
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(root).map_err(|error| format!("the root: {error}"))?;
    roots.add(root).map_err(|error| format!("the root: {error}"))?;
    let all = ring::default_provider();
    let provider = CryptoProvider {
        cipher_suites: vec![ring::cipher_suite::TLS13_AES_128_GCM_SHA256],
        kx_groups: vec![ring::kx_group::X25519],
        ..all
    };
    let builder = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| error.to_string())?;
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.resumption = if resumes { Resumption::in_memory_sessions(256) } else { Resumption::disabled() };
    Ok(config)
}

/// Whether this is what was wanted.
pub(super) fn is_as_wished(kind: Option<HandshakeKind>, resumes: bool) -> bool {
    match kind {
        None => true,
        Some(HandshakeKind::Resumed) => resumes,
        Some(_) => !resumes,
    }
}
