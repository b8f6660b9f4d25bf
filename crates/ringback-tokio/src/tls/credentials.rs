//! Certificates, keys and roots, as files hold them.

use std::fmt;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use webpki::EndEntityCert;

use super::error::TlsError;
use super::provider;

/// A certificate with what leads to its root, and its private key.
#[derive(Clone)]
pub struct Certificate {
    key: Arc<CertifiedKey>,
    names: Arc<[Box<str>]>,
}

impl Certificate {
    /// The certificate first, then those that lead to its root; its key by itself. Both are PEM.
    ///
    /// # Errors
    /// Where one of them can't be read or used, or the key is another's.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Certificate, TlsError> {
        let key = PrivateKeyDer::from_pem_slice(key).map_err(TlsError::of_key)?;
        let key = CertifiedKey::from_der(certificates(chain)?, key, &provider()).map_err(TlsError::of_use)?;
        let names = key.end_entity_cert().map_err(TlsError::of_use).map(dns_names)?;
        Ok(Certificate { key: Arc::new(key), names: names.into() })
    }

    /// The host names that it is for, wildcards among them.
    #[must_use]
    pub fn names(&self) -> &[Box<str>] {
        &self.names
    }

    /// Whether it is for this host name, be it by a wildcard: that is for the client to judge.
    pub(super) fn is_for(&self, host: &str) -> bool {
        let parent = host.split_once('.').map(|(_, parent)| parent);
        self.names.iter().any(|name| match name.strip_prefix("*.") {
            Some(of) => parent.is_some_and(|parent| parent.eq_ignore_ascii_case(of)),
            None => name.eq_ignore_ascii_case(host),
        })
    }

    pub(super) fn certified_key(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.key)
    }
}

/// The key is kept to itself.
impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("names", &self.names).finish_non_exhaustive()
    }
}

/// Certificates of those whose word we take for others.
#[derive(Clone, Debug)]
pub struct Roots(Arc<RootCertStore>);

impl Roots {
    /// Nobody's word: no certificate leads there.
    #[must_use]
    pub fn none() -> Roots {
        Roots(Arc::new(RootCertStore::empty()))
    }

    /// Those of a PEM file.
    ///
    /// # Errors
    /// Where there are none, or one of them can't be used.
    pub fn from_pem(text: &[u8]) -> Result<Roots, TlsError> {
        let mut store = RootCertStore::empty();
        for certificate in certificates(text)? {
            store.add(certificate).map_err(TlsError::of_use)?;
        }
        Ok(Roots(Arc::new(store)))
    }

    /// Those that the system trusts. What of them can't be read or used is passed over.
    ///
    /// # Errors
    /// Where there are none.
    pub fn of_system() -> Result<Roots, TlsError> {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if store.is_empty() { Err(TlsError::NoRoots) } else { Ok(Roots(Arc::new(store))) }
    }

    pub(super) fn store(&self) -> Arc<RootCertStore> {
        Arc::clone(&self.0)
    }
}

fn certificates(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let all = CertificateDer::pem_slice_iter(text).collect::<Result<Vec<_>, _>>().map_err(TlsError::Pem)?;
    if all.is_empty() { Err(TlsError::NoCertificate) } else { Ok(all) }
}

fn dns_names(certificate: &CertificateDer<'_>) -> Vec<Box<str>> {
    let Ok(certificate) = EndEntityCert::try_from(certificate) else { return Vec::new() };
    certificate.valid_dns_names().map(Box::from).collect()
}
