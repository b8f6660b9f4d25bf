//! TLS: what we show to others, and what we want to be shown.
//!
//! Versions 1.2 and 1.3. A server has a certificate for each name that clients ask for (SNI), wants one of them where it is told to, and
//! takes new ones without letting go of a connection. A client checks the server's chain, and that the certificate is for the domain
//! that was looked up, by the rules of SIP: no wildcards, no common names. `[RFC 5922, Section 7.2]` Both resume sessions.

mod client;
mod credentials;
mod error;
mod identity;
mod inspect;
mod key_log;
mod reason;
mod server;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use rustls::crypto::CryptoProvider;

pub(crate) use client::TlsStart;
pub use client::{TlsClient, TlsClientOptions};
pub use credentials::{Certificate, Roots};
pub use error::TlsError;
pub(crate) use identity::PeerName;
pub use identity::sip_domains;
pub use inspect::{InspectOptions, Inspection, inspect};
pub use key_log::KeyLogFile;
pub(crate) use reason::reason;
pub use server::{ClientAuth, TlsServer, TlsServerOptions};

/// What TLS is spoken with, in both roles. Without it neither is had: no connection is accepted, and none opened.
#[derive(Clone, Debug, Default)]
pub struct Tls {
    /// For those who connect to us.
    pub server: Option<TlsServer>,
    /// For those whom we connect to.
    pub client: Option<TlsClient>,
}

/// The ciphers.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
