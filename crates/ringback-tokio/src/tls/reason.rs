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
                names => {
                    let names: Vec<&str> = names.iter().map(|name| bare(name)).collect();
                    format!("it is for {}, and not for {expected}", names.join(", "))
                }
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

/// Where an address was wanted, webpki writes names as its own types: `DnsName("localhost")`.
fn bare(name: &str) -> &str {
    let inner = ["DnsName(", "IpAddress("].iter().find_map(|kind| name.strip_prefix(kind)?.strip_suffix(')'));
    inner.map_or(name, |name| name.trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_as_they_are() {
        let names = ["DnsName(\"localhost\")", "IpAddress(192.0.2.1)", "a.example"];
        assert_eq!(names.map(bare), ["localhost", "192.0.2.1", "a.example"]);
    }
}
