//! The secrets of connections, for those who look into captures of their own.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rustls::KeyLog;

/// A file that the secrets of all connections are added to, in the form that Wireshark reads. Whoever has it reads everything.
#[derive(Debug)]
pub struct KeyLogFile(Mutex<File>);

impl KeyLogFile {
    /// Opens it, or makes it, for its owner's eyes alone.
    ///
    /// # Errors
    /// Where it can't be written.
    pub fn open(path: &Path) -> io::Result<KeyLogFile> {
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(KeyLogFile(Mutex::new(options.open(path)?)))
    }
}

impl KeyLog for KeyLogFile {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let line = format!("{label} {} {}\n", hexadecimal(client_random), hexadecimal(secret));
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The connection is worth more than what is known about it.
        if let Err(error) = file.write_all(line.as_bytes()) {
            tracing::warn!(%error, "the log of TLS keys can't be written");
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
