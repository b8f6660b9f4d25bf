//! Why TLS fails, in words that an operator can do something with.

use rustls::{CertificateError, Error};

/// Why there is no TLS, in one line.
pub(crate) fn reason(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(error) => format!("its certificate is not taken: {}", of_certificate(error)),
        Error::AlertReceived(alert) => format!("the other side ended TLS with the alert {alert:?}"),
        Error::InvalidMessage(_) => format!("what answers there does not speak TLS: {error}"),
        error => format!("TLS could not be agreed on: {error}"),
    }
}

/// The same of a certificate that was only looked at.
pub(super) fn verdict(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(error) => of_certificate(error),
        error => error.to_string(),
    }
}

fn of_certificate(error: &CertificateError) -> String {
    let fixed = match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => "its time has not come yet",
        CertificateError::UnknownIssuer => "no root that is trusted leads to it",
        CertificateError::Revoked => "it was revoked",
        CertificateError::BadSignature => "its signature is wrong",
        CertificateError::BadEncoding => "it can't be read",
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => "it is not for servers",
        CertificateError::NotValidForName => "it is for another name",
        CertificateError::NotValidForNameContext { expected, presented } => {
            let expected = expected.to_str();
            return match presented.as_slice() {
                [] => format!("it names no SIP domain, and so is not for {expected}"),
                names => format!("it is for {}, and not for {expected}", names.join(", ")),
            };
        }
        other => {
            let text = other.to_string();
            // webpki has no variant of rustls for it.
            return if text.contains("CaUsedAsEndEntity") {
                "it is that of an authority, which is not for servers".to_owned()
            } else {
                text
            };
        }
    };
    fixed.to_owned()
}
