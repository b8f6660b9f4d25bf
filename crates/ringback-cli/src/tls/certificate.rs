//! What a certificate says.

use std::net::IpAddr;

use sha2::{Digest as _, Sha256};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::objects::{oid_registry, oid2abbrev, oid2sn};
use x509_parser::oid_registry::Oid;
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey;
use x509_parser::time::ASN1Time;
use x509_parser::x509::{AttributeTypeAndValue, SubjectPublicKeyInfo, X509Name};

const DAY_SECS: i64 = 86_400;

/// A certificate, read.
#[derive(Clone, Debug)]
pub(super) struct Certificate {
    pub(super) subject: String,
    pub(super) issuer: String,
    /// Two hexadecimal digits a byte, with colons.
    pub(super) serial: String,
    /// Of subjectAltName: the kind, and the name.
    pub(super) names: Vec<(&'static str, String)>,
    pub(super) not_before: String,
    pub(super) not_after: String,
    /// Whole days; below 0 it has expired.
    pub(super) days_left: i64,
    pub(super) key: String,
    pub(super) signature: String,
    pub(super) is_authority: bool,
    /// The fingerprint.
    pub(super) sha256: String,
}

impl Certificate {
    /// Reads DER; `now` is in seconds since 1970.
    ///
    /// # Errors
    /// Why it can't be read.
    pub(super) fn read(der: &[u8], now: i64) -> Result<Certificate, String> {
        let (_, certificate) = X509Certificate::from_der(der).map_err(|error| error.to_string())?;
        let validity = certificate.validity();
        let left = validity.not_after.timestamp().saturating_sub(now);
        Ok(Certificate {
            subject: distinguished(certificate.subject()),
            issuer: distinguished(certificate.issuer()),
            serial: colons(without_sign(certificate.raw_serial())),
            names: names(&certificate),
            not_before: moment(&validity.not_before),
            not_after: moment(&validity.not_after),
            days_left: left.div_euclid(DAY_SECS),
            key: key(certificate.public_key()),
            signature: known(&certificate.signature_algorithm.algorithm),
            is_authority: certificate.is_ca(),
            sha256: colons(&Sha256::digest(der)),
        })
    }

    /// The name that stands for this domain or address: SIP URIs before DNS names, as RFC 5922 has it.
    pub(super) fn name_for(&self, identity: &str) -> Option<String> {
        let identity = identity.trim_matches(['[', ']']);
        let is_it = |name: &str| name.eq_ignore_ascii_case(identity);
        let of_uris = self.names.iter().find(|(kind, name)| {
            let domain = name.get(..4).filter(|scheme| scheme.eq_ignore_ascii_case("sip:")).and(name.get(4..));
            *kind == "URI" && domain.is_some_and(is_it)
        });
        let others = || self.names.iter().find(|(kind, name)| *kind != "URI" && is_it(name));
        of_uris.or_else(others).map(|(kind, name)| format!("{kind} {name}"))
    }
}

fn names(certificate: &X509Certificate<'_>) -> Vec<(&'static str, String)> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else { return Vec::new() };
    extension.value.general_names.iter().map(name).collect()
}

fn name(name: &GeneralName<'_>) -> (&'static str, String) {
    match name {
        GeneralName::DNSName(name) => ("DNS", (*name).to_owned()),
        GeneralName::URI(uri) => ("URI", (*uri).to_owned()),
        GeneralName::RFC822Name(mail) => ("email", (*mail).to_owned()),
        GeneralName::IPAddress(bytes) => {
            let v4 = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
            let ip = v4.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from));
            ("IP", ip.map_or_else(|_| colons(bytes), |ip| ip.to_string()))
        }
        GeneralName::DirectoryName(name) => ("directory", distinguished(name)),
        other => ("other", other.to_string()),
    }
}

/// In the order of the certificate, and with blanks behind commas; its values are escaped (RFC 4514).
fn distinguished(name: &X509Name<'_>) -> String {
    let relative = name.iter_rdn().map(|rdn| rdn.iter().map(attribute).collect::<Vec<_>>().join(" + "));
    relative.collect::<Vec<_>>().join(", ")
}

fn attribute(attribute: &AttributeTypeAndValue<'_>) -> String {
    let oid = attribute.attr_type();
    let kind = oid2abbrev(oid, oid_registry()).map_or_else(|_| oid.to_id_string(), str::to_owned);
    // That of another kind of string is shown as far as it is text, or else as its bytes.
    let value = attribute.as_str().or_else(|_| str::from_utf8(attribute.as_slice()));
    match value {
        Ok(value) => format!("{kind}={}", escaped(value)),
        Err(_) => format!("{kind}={}", colons(attribute.as_slice())),
    }
}

fn escaped(value: &str) -> String {
    let last = value.chars().count().saturating_sub(1);
    let mut out = String::with_capacity(value.len());
    for (place, c) in value.chars().enumerate() {
        let is_at_an_end = c == ' ' && (place == 0 || place == last) || c == '#' && place == 0;
        if is_at_an_end || matches!(c, '"' | '+' | ',' | ';' | '<' | '>' | '\\') {
            out.push('\\');
        }
        match c {
            '\0' => out.push_str("\\00"),
            c => out.push(c),
        }
    }
    out
}

fn key(key: &SubjectPublicKeyInfo<'_>) -> String {
    let curve = || key.algorithm.parameters.as_ref().and_then(|parameters| parameters.as_oid().ok());
    match key.parsed() {
        Ok(PublicKey::RSA(rsa)) => format!("RSA, {} bits", rsa.key_size()),
        Ok(PublicKey::EC(point)) => match curve() {
            Some(curve) => format!("EC, {}", known(&curve)),
            None => format!("EC, {} bits", point.key_size()),
        },
        _ => known(&key.algorithm.algorithm),
    }
}

fn known(oid: &Oid<'_>) -> String {
    match oid.to_id_string().as_str() {
        // The registry has no short names for these.
        "1.3.101.112" => "Ed25519".to_owned(),
        "1.3.101.113" => "Ed448".to_owned(),
        "1.2.840.10045.3.1.7" => "P-256".to_owned(),
        "1.3.132.0.34" => "P-384".to_owned(),
        "1.3.132.0.35" => "P-521".to_owned(),
        id => oid2sn(oid, oid_registry()).map_or_else(|_| id.to_owned(), str::to_owned),
    }
}

/// As ISO 8601 has it, in UTC.
fn moment(time: &ASN1Time) -> String {
    let time = time.to_datetime();
    let (year, month, day) = time.to_calendar_date();
    let (hour, minute, second) = time.to_hms();
    format!("{year:04}-{:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z", u8::from(month))
}

/// A number that would look negative has a zero before it in DER, which is none of its digits.
fn without_sign(number: &[u8]) -> &[u8] {
    match number {
        [0, digits @ ..] if !digits.is_empty() => digits,
        digits => digits,
    }
}

fn colons(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_reads_as_two() {
        let shown = ["Sue, Grabbit and Runn", "a+b=c", "#1 ", " ", "C:\\\"x\"", "plain", "\0"].map(escaped);
        let wanted = ["Sue\\, Grabbit and Runn", "a\\+b=c", "\\#1\\ ", "\\ ", "C:\\\\\\\"x\\\"", "plain", "\\00"];
        assert_eq!(shown, wanted.map(str::to_owned));
    }

    #[test]
    fn numbers_have_no_sign() {
        let shown = |number: &[u8]| colons(without_sign(number));
        assert_eq!([shown(&[0, 0xc8, 1]), shown(&[0x4a, 0]), shown(&[0])], ["C8:01", "4A:00", "00"].map(str::to_owned));
    }
}
