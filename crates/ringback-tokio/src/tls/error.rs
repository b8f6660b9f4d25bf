//! What certificates, keys and roots can't be used for.

use std::error::Error;
use std::fmt;

use rustls::pki_types::pem;

/// Why TLS can't be spoken with what was given.
#[derive(Debug)]
#[non_exhaustive]
pub enum TlsError {
    /// It is no PEM.
    Pem(pem::Error),
    /// There is no certificate in it.
    NoCertificate,
    /// There is no private key in it.
    NoKey,
    /// The key is not the one of the certificate.
    OtherKey,
    /// There is no root to trust.
    NoRoots,
    /// A certificate, key or root is none that can be used.
    Unusable(rustls::Error),
}

impl TlsError {
    pub(super) fn of_key(error: pem::Error) -> TlsError {
        match error {
            pem::Error::NoItemsFound => TlsError::NoKey,
            other => TlsError::Pem(other),
        }
    }

    pub(super) fn of_use(error: rustls::Error) -> TlsError {
        match error {
            rustls::Error::InconsistentKeys(rustls::InconsistentKeys::KeyMismatch) => TlsError::OtherKey,
            other => TlsError::Unusable(other),
        }
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TlsError::Pem(pem::Error::MissingSectionEnd { .. }) => f.write_str("an END line of PEM is missing"),
            TlsError::Pem(pem::Error::IllegalSectionStart { .. }) => f.write_str("a BEGIN line of PEM is malformed"),
            TlsError::Pem(pem::Error::Base64Decode(why)) => {
                write!(f, "what stands between BEGIN and END is no base64: {why}")
            }
            TlsError::Pem(error) => write!(f, "it is no PEM: {error}"),
            TlsError::NoCertificate => {
                f.write_str("there is no certificate in it: a line BEGIN CERTIFICATE is missing")
            }
            TlsError::NoKey => f.write_str("there is no private key in it: a line BEGIN PRIVATE KEY is missing"),
            TlsError::OtherKey => f.write_str("the key is not the one of the certificate"),
            TlsError::NoRoots => f.write_str("there is no root certificate to trust"),
            TlsError::Unusable(error) => error.fmt(f),
        }
    }
}

impl Error for TlsError {}
