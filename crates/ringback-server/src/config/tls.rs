//! The files of TLS, as a configuration file names them.

use std::path::{Path, PathBuf};

use super::reader::Reader;
use super::sections::NotEmpty;
use super::show::{comment, line, path, quoted};
use crate::settings::{CertificateFiles, TlsSettings, VerifyClient};
use crate::tls::{read_certificate as check_certificate, read_roots};

const VERIFY: &[(&str, VerifyClient)] =
    &[("off", VerifyClient::Off), ("request", VerifyClient::Request), ("require", VerifyClient::Require)];

/// Roots, and what is wanted of clients. Whatever a file names is looked at here, so that it is told by its line.
pub(super) fn read(reader: &mut Reader<'_, '_>, folder: &Path, tls: &mut TlsSettings) {
    tls.verify_client = reader.word("verify_client", VERIFY).unwrap_or_default();
    tls.client_ca = roots(reader, "client_ca", folder);
    tls.ca = roots(reader, "ca", folder);
    match (tls.verify_client, reader.has("client_ca")) {
        (VerifyClient::Off, true) => reader.warning("client_ca", "has no use", "no client is asked for a certificate"),
        (VerifyClient::Request | VerifyClient::Require, false) => {
            let help = "add client_ca = \"ca.pem\", the roots that certificates of clients lead to";
            reader.error("verify_client", "needs roots", "by what are certificates judged?", Some(help));
        }
        _ => {}
    }
}

fn roots(reader: &mut Reader<'_, '_>, key: &'static str, folder: &Path) -> Option<PathBuf> {
    let NotEmpty(path) = reader.text(key)?;
    let path = folder.join(path);
    if let Err(error) = read_roots(&path) {
        reader.error(key, "can't be used", error.to_string(), None);
    }
    Some(path)
}

/// A certificate and its key.
pub(super) fn read_certificate(reader: &mut Reader<'_, '_>, folder: &Path) -> Option<CertificateFiles> {
    let [chain, key] = ["chain", "key"].map(|name| reader.text(name).map(|NotEmpty(path)| folder.join(path)));
    for name in ["chain", "key"] {
        if !reader.has(name) {
            let help = "add chain = \"server.pem\" and key = \"server.key\"";
            reader.refuse(&format!("a certificate without its {name}"), "both files are needed", help);
        }
    }
    let files = CertificateFiles { chain: chain?, key: key? };
    if let Err(error) = check_certificate(&files) {
        let name = if error.path() == files.key { "key" } else { "chain" };
        reader.error(name, "can't be used", error.to_string(), None);
    }
    Some(files)
}

pub(super) fn show(out: &mut String, tls: &TlsSettings) {
    let word = VERIFY.iter().find(|(_, verify)| *verify == tls.verify_client).map_or("", |(word, _)| word);
    line(out, "verify_client", &quoted(word));
    match &tls.client_ca {
        Some(file) => line(out, "client_ca", &path(file)),
        None => comment(out, "client_ca: no client is asked"),
    }
    match &tls.ca {
        Some(file) => line(out, "ca", &path(file)),
        None => comment(out, "ca: the roots of the system"),
    }
}

pub(super) fn show_certificates(out: &mut String, tls: &TlsSettings) {
    for files in &tls.certificates {
        out.push_str("\n[[certificate]]\n");
        line(out, "chain", &path(&files.chain));
        line(out, "key", &path(&files.key));
    }
}
