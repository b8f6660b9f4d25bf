//! Roots and certificates of the command line.

use std::fs;
use std::path::Path;

use ringback_server::ExitStatus;
use ringback_tokio::tls::{Certificate, Roots};

use crate::args::TlsArgs;
use crate::failure::Failure;

impl TlsArgs {
    /// Whose word is taken: those of the file, or those that the system trusts.
    ///
    /// # Errors
    /// Where the file can't be used. That the system trusts nobody is no error: it is `None`.
    pub(crate) fn roots(&self) -> Result<Option<Roots>, Failure> {
        match &self.ca {
            Some(file) => Roots::from_pem(&read(file)?).map(Some).map_err(|error| unusable(file, &error)),
            None => Ok(Roots::of_system().ok()),
        }
    }

    /// What is shown to a server that asks.
    ///
    /// # Errors
    /// Where the files can't be used.
    pub(crate) fn certificate(&self) -> Result<Option<Certificate>, Failure> {
        let (Some(cert), Some(key)) = (&self.cert, &self.key) else { return Ok(None) };
        Certificate::from_pem(&read(cert)?, &read(key)?).map(Some).map_err(|error| unusable(cert, &error))
    }
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(file).map_err(|error| unusable(file, &error))
}

fn unusable(file: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(ExitStatus::Usage, format!("{}: {error}", file.display()))
}
