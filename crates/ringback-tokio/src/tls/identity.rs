//! Which SIP domains a certificate is for. `[RFC 5922, Section 7]`

use std::fmt;
use std::net::IpAddr;

use bytes::Bytes;
use ringback_message::{HeaderId, Host, Message, Uri};
use rustls::pki_types::{CertificateDer, ServerName};
use webpki::EndEntityCert;

/// The SIP domains that a certificate is for, in lower case: those of its SIP URIs, and only where there are none its host names.
///
/// A SIP URI with a user names that user, one of another scheme nothing. A wildcard is for no domain, and a common name is not looked
/// at. `[RFC 5922, Section 7.1]` `[RFC 5922, Section 7.2]` Whether the certificate is worth anything is not looked at either.
#[must_use]
pub fn sip_domains(certificate: &CertificateDer<'_>) -> Vec<Box<str>> {
    let Ok(certificate) = EndEntityCert::try_from(certificate) else { return Vec::new() };
    let of_uris: Vec<Box<str>> = certificate.valid_uri_names().filter_map(domain_of).collect();
    if !of_uris.is_empty() {
        return of_uris;
    }
    certificate.valid_dns_names().filter(|name| !name.starts_with("*.")).map(plain).collect()
}

/// Who a message is for, as its sender knows: what a certificate at the far end has to be for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum PeerName {
    /// The domain that was looked up, in lower case.
    Domain(Box<str>),
    /// Nobody but who is at this address.
    Address(IpAddr),
}

impl PeerName {
    /// Whom the next hop of this message must prove to be: the host of the URI that says where a request goes, whatever records made of
    /// it, and that of sent-by for a response. `[RFC 5922, Section 7.3]` `None` where it can't be told.
    ///
    /// The message says it, so that nothing between here and the look-up can confuse two of them.
    pub(crate) fn of(message: &Bytes) -> Option<PeerName> {
        let message = Message::parse_framed(message.clone()).ok()?;
        if !message.is_request() {
            return PeerName::of_host(message.vias().next()?.ok()?.sent_by_host());
        }
        let route = message.addresses(HeaderId::Route).next();
        let uri = match route {
            Some(route) => route.ok()?.uri,
            None => Uri::parse(message.request_uri_text(), HeaderId::Other, 0).ok()?,
        };
        PeerName::of_host(uri.as_sip()?.host())
    }

    /// That of a host.
    pub(crate) fn of_host(host: Host<'_>) -> Option<PeerName> {
        match host {
            Host::Address(ip) => Some(PeerName::Address(ip)),
            Host::Name(name) => Some(PeerName::Domain(plain(std::str::from_utf8(name).ok()?))),
        }
    }

    /// Whether a far end that has proven these domains is meant. An address means its far end, whoever that is: it is as much as
    /// the connection itself says.
    pub(crate) fn is_among(&self, proven: &[Box<str>]) -> bool {
        match self {
            PeerName::Domain(name) => proven.contains(name),
            PeerName::Address(_) => true,
        }
    }

    /// The domains that a far end proves which shows a certificate for this.
    pub(crate) fn proven(&self) -> Vec<Box<str>> {
        match self {
            PeerName::Domain(name) => Vec::from([name.clone()]),
            PeerName::Address(_) => Vec::new(),
        }
    }

    /// As TLS has it; `None` for a name that no certificate can be for.
    pub(crate) fn server_name(&self) -> Option<ServerName<'static>> {
        match self {
            PeerName::Domain(name) => ServerName::try_from(name.to_string()).ok(),
            PeerName::Address(ip) => Some((*ip).into()),
        }
    }
}

/// As a URI writes it.
impl fmt::Display for PeerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PeerName::Domain(name) => f.write_str(name),
            PeerName::Address(IpAddr::V4(ip)) => ip.fmt(f),
            PeerName::Address(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
        }
    }
}

/// Whether one of the domains is this one, as a whole.
pub(super) fn is_for(certificate: &CertificateDer<'_>, domain: &str) -> bool {
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    sip_domains(certificate).iter().any(|known| **known == *domain.to_ascii_lowercase())
}

fn domain_of(uri: &str) -> Option<Box<str>> {
    let Ok(Uri::Sip(uri)) = Uri::parse(uri.as_bytes(), HeaderId::Other, 0) else { return None };
    let is_domain = !uri.secure && uri.user.is_none();
    is_domain.then(|| std::str::from_utf8(uri.host).ok().map(plain)).flatten()
}

/// In lower case, without the dot of the root.
fn plain(name: &str) -> Box<str> {
    let name = name.to_ascii_lowercase();
    name.strip_suffix('.').unwrap_or(&name).into()
}
