//! From the files of the settings to what TLS is spoken with.

use std::error::Error;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ringback_stack::Listener;
use ringback_tokio::tls::{
    Certificate, ClientAuth, KeyLogFile, Roots, Tls, TlsClient, TlsClientOptions, TlsError, TlsServer, TlsServerOptions,
};

use crate::self_signed;
use crate::settings::{CertificateFiles, Settings, TlsSettings, VerifyClient};

/// A file that TLS can't be spoken with.
#[derive(Debug)]
pub struct TlsFileError {
    path: PathBuf,
    why: Why,
}

#[derive(Debug)]
enum Why {
    Unreadable(io::Error),
    Unwritable(io::Error),
    Unusable(TlsError),
}

impl TlsFileError {
    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn unwritable(path: &Path, source: io::Error) -> TlsFileError {
        TlsFileError { path: path.to_owned(), why: Why::Unwritable(source) }
    }

    fn unusable(path: &Path, error: TlsError) -> TlsFileError {
        TlsFileError { path: path.to_owned(), why: Why::Unusable(error) }
    }
}

impl fmt::Display for TlsFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.why {
            Why::Unreadable(source) => write!(f, "{path}: it can't be read: {source}"),
            Why::Unwritable(source) => write!(f, "{path}: it can't be written: {source}"),
            Why::Unusable(error) => write!(f, "{path}: {error}"),
        }
    }
}

impl Error for TlsFileError {}

/// Why TLS can't be spoken.
#[derive(Debug)]
#[non_exhaustive]
pub enum TlsStartError {
    /// There is no certificate to show.
    NoCertificate,
    /// A file can't be used.
    File(TlsFileError),
    /// What the files hold doesn't go together.
    Options(TlsError),
}

impl From<TlsFileError> for TlsStartError {
    fn from(error: TlsFileError) -> TlsStartError {
        TlsStartError::File(error)
    }
}

impl From<TlsError> for TlsStartError {
    fn from(error: TlsError) -> TlsStartError {
        TlsStartError::Options(error)
    }
}

impl fmt::Display for TlsStartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TlsStartError::NoCertificate => f.write_str(
                "a listener has \"tls\", but there is no certificate to show: name one under [[certificate]] in the configuration file, \
                 or try TLS out with --tls-self-signed",
            ),
            TlsStartError::File(error) => error.fmt(f),
            TlsStartError::Options(error) => write!(f, "TLS: {error}"),
        }
    }
}

impl Error for TlsStartError {}

/// TLS that can be told to read its files again.
#[derive(Debug)]
pub(crate) struct TlsFiles {
    settings: TlsSettings,
    /// Where the server made its certificate for itself.
    self_signed: Option<Certificate>,
    key_log: Option<Arc<KeyLogFile>>,
    tls: Tls,
}

impl TlsFiles {
    /// Reads all of them.
    ///
    /// # Errors
    /// For the first that can't be used.
    pub(crate) fn read(settings: &Settings, listeners: &[Listener]) -> Result<TlsFiles, TlsStartError> {
        let self_signed = match settings.tls.certificates.is_empty() && settings.tls.self_signed {
            true => Some(self_signed::certificate(settings, listeners)?),
            false => None,
        };
        let key_log = match &settings.tls.key_log {
            Some(path) => {
                tracing::warn!(path = %path.display(), "the secrets of all TLS connections are written down: whoever has this file reads them");
                Some(Arc::new(KeyLogFile::open(path).map_err(|source| TlsFileError::unwritable(path, source))?))
            }
            None => None,
        };
        let mut files = TlsFiles { settings: settings.tls.clone(), self_signed, key_log, tls: Tls::default() };
        let (server, client) = files.options()?;
        files.tls = Tls { server: Some(TlsServer::new(server)?), client: client.map(TlsClient::new).transpose()? };
        Ok(files)
    }

    /// What connections are made with.
    pub(crate) fn tls(&self) -> Tls {
        self.tls.clone()
    }

    /// Reads all of them again; connections that are open go on.
    ///
    /// # Errors
    /// For the first that can't be used; then everything stays as it was.
    pub(crate) fn read_again(&self) -> Result<(), TlsStartError> {
        let (server, client) = self.options()?;
        if let Some(tls) = &self.tls.server {
            tls.replace(server)?;
        }
        if let (Some(tls), Some(client)) = (&self.tls.client, client) {
            tls.replace(client)?;
        }
        Ok(())
    }

    fn options(&self) -> Result<(TlsServerOptions, Option<TlsClientOptions>), TlsStartError> {
        let mut certificates =
            self.settings.certificates.iter().map(read_certificate).collect::<Result<Vec<_>, _>>()?;
        certificates.extend(self.self_signed.clone());
        let Some(first) = certificates.first().cloned() else { return Err(TlsStartError::NoCertificate) };
        let mut server = TlsServerOptions::new(certificates);
        server.client_auth = self.client_auth()?;
        server.key_log.clone_from(&self.key_log);
        let client = self.roots()?.map(|roots| {
            let mut client = TlsClientOptions::new(roots);
            client.certificate = Some(first);
            client.key_log.clone_from(&self.key_log);
            client
        });
        Ok((server, client))
    }

    fn client_auth(&self) -> Result<ClientAuth, TlsFileError> {
        let Some(path) = &self.settings.client_ca else { return Ok(ClientAuth::Off) };
        Ok(match self.settings.verify_client {
            VerifyClient::Off => ClientAuth::Off,
            VerifyClient::Request => ClientAuth::Request(read_roots(path)?),
            VerifyClient::Require => ClientAuth::Require(read_roots(path)?),
        })
    }

    fn roots(&self) -> Result<Option<Roots>, TlsFileError> {
        if let Some(path) = &self.settings.ca {
            return read_roots(path).map(Some);
        }
        let of_system = Roots::of_system().ok();
        if of_system.is_none() {
            tracing::warn!(
                "this system trusts nobody, so that no TLS server can be called; name its roots with ca under [tls]"
            );
        }
        Ok(of_system)
    }
}

/// A certificate with its key.
///
/// # Errors
/// Where one of the files can't be read or used.
pub(crate) fn read_certificate(files: &CertificateFiles) -> Result<Certificate, TlsFileError> {
    let (chain, key) = (bytes_of(&files.chain)?, bytes_of(&files.key)?);
    Certificate::from_pem(&chain, &key).map_err(|error| {
        let path = if matches!(error, TlsError::NoKey | TlsError::OtherKey) { &files.key } else { &files.chain };
        TlsFileError::unusable(path, error)
    })
}

/// Roots to trust.
///
/// # Errors
/// Where the file can't be read or used.
pub(crate) fn read_roots(path: &Path) -> Result<Roots, TlsFileError> {
    Roots::from_pem(&bytes_of(path)?).map_err(|error| TlsFileError::unusable(path, error))
}

fn bytes_of(path: &Path) -> Result<Vec<u8>, TlsFileError> {
    fs::read(path).map_err(|source| TlsFileError { path: path.to_owned(), why: Why::Unreadable(source) })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;
    use ringback_base::Transport;

    fn listeners() -> [Listener; 1] {
        [Listener::new(Transport::Tls, "127.0.0.1:5061".parse().unwrap())]
    }

    fn settings(folder: &Path) -> Settings {
        let mut settings = Settings::new(folder.to_owned());
        settings.tls.self_signed = true;
        settings
    }

    #[test]
    fn a_certificate_of_our_own_is_kept_as_long_as_the_names_are() {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = settings(folder.path());
        let shown = |settings: &Settings| {
            let files = TlsFiles::read(settings, &listeners()).unwrap();
            let names = files.self_signed.as_ref().unwrap().names().to_vec();
            (names, fs::read(folder.path().join("self-signed.pem")).unwrap())
        };
        let first = shown(&settings);
        assert_eq!(first.0, ["localhost".into()]);
        assert_eq!(shown(&settings), first);
        settings.domain = Some("a.example".parse().unwrap());
        let second = shown(&settings);
        assert_eq!(second.0, ["a.example".into(), "localhost".into()]);
        assert_ne!(second.1, first.1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let key = fs::metadata(folder.path().join("self-signed.key")).unwrap();
            assert_eq!(key.permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn files_are_read_again_and_broken_ones_change_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = settings(folder.path());
        drop(TlsFiles::read(&settings, &listeners()).unwrap());
        let [chain, key] = ["self-signed.pem", "self-signed.key"].map(|name| folder.path().join(name));
        settings.tls = TlsSettings {
            certificates: Vec::from([CertificateFiles { chain: chain.clone(), key: key.clone() }]),
            verify_client: VerifyClient::Require,
            client_ca: Some(chain.clone()),
            ca: Some(chain.clone()),
            ..TlsSettings::default()
        };
        let files = TlsFiles::read(&settings, &listeners()).unwrap();
        assert!(files.tls().client.is_some());
        files.read_again().unwrap();
        fs::write(&key, "no key").unwrap();
        let told = files.read_again().unwrap_err().to_string();
        assert!(
            told.ends_with("self-signed.key: there is no private key in it: a line BEGIN PRIVATE KEY is missing"),
            "{told}"
        );
        settings.tls = TlsSettings::default();
        let told = TlsFiles::read(&settings, &listeners()).unwrap_err().to_string();
        assert!(told.contains("no certificate to show"), "{told}");
    }
}
