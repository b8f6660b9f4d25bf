//! A certificate that the server makes for itself, for trying TLS out.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use rcgen::{CertificateParams, DnType, KeyPair};
use ringback_stack::Listener;
use ringback_tokio::tls::Certificate;

use crate::settings::{CertificateFiles, Settings};
use crate::tls::{TlsFileError, read_certificate};

const CHAIN_FILE: &str = "self-signed.pem";
const KEY_FILE: &str = "self-signed.key";

/// The certificate in the data folder, which phones may have been told to trust; one for the names and addresses of the server is made
/// where there is none, or one for other names.
///
/// # Errors
/// Where it can't be written, or what is in its place can't be used.
pub(crate) fn certificate(settings: &Settings, listeners: &[Listener]) -> Result<Certificate, TlsFileError> {
    let files = CertificateFiles { chain: settings.data.join(CHAIN_FILE), key: settings.data.join(KEY_FILE) };
    let names = names(settings, listeners);
    let hosts = names.iter().filter(|name| name.parse::<std::net::IpAddr>().is_err());
    let kept = read_certificate(&files)
        .ok()
        .filter(|kept| hosts.clone().all(|host| kept.names().contains(&host.as_str().into())));
    let is_new = kept.is_none();
    let certificate = match kept {
        Some(kept) => kept,
        None => {
            make(&names, &files)?;
            read_certificate(&files)?
        }
    };
    let names = names.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    tracing::warn!(file = %files.chain.display(), names, is_new, "a certificate of our own making: phones take it only where they are told to trust this file");
    Ok(certificate)
}

/// What the server is called by others.
fn names(settings: &Settings, listeners: &[Listener]) -> BTreeSet<String> {
    let domains = settings.domain.iter().chain(&settings.aliases).map(|domain| domain.as_str().to_owned());
    let addresses = listeners.iter().map(|listener| listener.address.ip().to_string());
    let advertised = listeners
        .iter()
        .filter_map(|listener| listener.advertised.as_ref())
        .map(|name| name.host().trim_matches(['[', ']']).to_owned());
    let mut names: BTreeSet<_> = domains.chain(addresses).chain(advertised).collect();
    if listeners.iter().any(|listener| listener.address.ip().is_loopback()) {
        names.insert("localhost".to_owned());
    }
    names
}

fn make(names: &BTreeSet<String>, files: &CertificateFiles) -> Result<(), TlsFileError> {
    let unwritable = |path: &Path, error: io::Error| TlsFileError::unwritable(path, error);
    let made = || {
        let mut params = CertificateParams::new(names.iter().cloned().collect::<Vec<_>>())?;
        params.distinguished_name.push(DnType::CommonName, "Ringback, for trying out");
        let key = KeyPair::generate()?;
        Ok((params.self_signed(&key)?.pem(), key.serialize_pem()))
    };
    let (chain, key) = made().map_err(|error: rcgen::Error| unwritable(&files.chain, io::Error::other(error)))?;
    write_secret(&files.key, &key).map_err(|error| unwritable(&files.key, error))?;
    fs::write(&files.chain, chain).map_err(|error| unwritable(&files.chain, error))
}

/// For its owner's eyes alone.
fn write_secret(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}
