//! Settings that are written as text, the same in flags and files.

use std::error::Error;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use ringback_location_db::Durability;
use ringback_message::{HeaderId, Host, SipUri, Uri};
use ringback_stack::Advertised;

/// The name of a domain: a host name or an address, as it stands in a SIP URI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain(Box<str>);

impl Domain {
    /// The name, in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Domain {
    type Err = DomainError;

    fn from_str(text: &str) -> Result<Domain, DomainError> {
        let text = text.to_ascii_lowercase();
        // Where a port stands beside it, the host is not the whole.
        match host_and_port(&text) {
            Some((host, None)) => Ok(Domain(host.into())),
            _ => Err(DomainError),
        }
    }
}

/// A text that is no domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DomainError;

impl fmt::Display for DomainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a host name or an address, without a port")
    }
}

impl Error for DomainError {}

/// What others reach a listener by: `HOST` or `HOST:PORT`, an IPv6 address in brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicName {
    host: Box<str>,
    port: Option<u16>,
    behind_tls: bool,
}

impl PublicName {
    /// The same at the port behind it, where it has one.
    pub(crate) fn next_port(&self) -> PublicName {
        PublicName { port: self.port.map(|port| port.saturating_add(1)), ..self.clone() }
    }

    /// The name for a listener on this port, which is told where no other port was named.
    pub(crate) fn at(&self, port: u16) -> Option<Advertised> {
        let name = Advertised::new(&self.host, self.port.unwrap_or(port))?;
        Some(if self.behind_tls { name.behind_tls() } else { name })
    }

    /// Whether others come to it by TLS, which ends before it gets here.
    #[must_use]
    pub fn is_behind_tls(&self) -> bool {
        self.behind_tls
    }

    /// The same, come to by TLS that ends before it gets here.
    #[must_use]
    pub fn behind_tls(self) -> PublicName {
        PublicName { behind_tls: true, ..self }
    }
}

impl fmt::Display for PublicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.host),
            None => f.write_str(&self.host),
        }
    }
}

impl FromStr for PublicName {
    type Err = PublicNameError;

    fn from_str(text: &str) -> Result<PublicName, PublicNameError> {
        match host_and_port(text) {
            Some((host, port)) if port != Some(0) && !is_unspecified(host) => {
                Ok(PublicName { host: host.into(), port, behind_tls: false })
            }
            _ => Err(PublicNameError),
        }
    }
}

/// A text that nobody could be told to come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicNameError;

impl fmt::Display for PublicNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected the host name or address that others come to, with or without a port")
    }
}

impl Error for PublicNameError {}

fn is_unspecified(host: &str) -> bool {
    matches!(Host::of(host.as_bytes()), Some(Host::Address(ip)) if ip.is_unspecified())
}

/// Host and port, where the text is nothing else.
fn host_and_port(text: &str) -> Option<(&str, Option<u16>)> {
    let uri = format!("sip:{text}");
    let Ok(Uri::Sip(SipUri { host, port, .. })) = Uri::parse(uri.as_bytes(), HeaderId::Other, 0) else { return None };
    let rest = text.strip_prefix(std::str::from_utf8(host).ok()?)?;
    let is_all = match port {
        None => rest.is_empty(),
        Some(port) => rest.strip_prefix(':').and_then(|digits| digits.parse().ok()) == Some(port),
    };
    let host = text.strip_suffix(rest)?;
    is_all.then_some((host, port))
}

/// When a registration counts as stored: `always`, `interval=MS` or `none`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct When(pub Durability);

/// The longest interval.
const INTERVAL_MS_MAX: u64 = 3_600_000;

impl FromStr for When {
    type Err = WhenError;

    fn from_str(text: &str) -> Result<When, WhenError> {
        match text.split_once('=') {
            None if text == "always" => Ok(When(Durability::Always)),
            None if text == "none" => Ok(When(Durability::None)),
            Some(("interval", ms)) => match ms.parse() {
                Ok(ms @ 1..=INTERVAL_MS_MAX) => Ok(When(Durability::Interval(Duration::from_millis(ms)))),
                _ => Err(WhenError::Interval),
            },
            _ => Err(WhenError::Word),
        }
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Durability::Always => f.write_str("always"),
            Durability::Interval(every) => write!(f, "interval={}", every.as_millis()),
            Durability::None => f.write_str("none"),
        }
    }
}

/// Why a text is no [`When`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenError {
    /// None of the words.
    Word,
    /// An interval out of range.
    Interval,
}

impl fmt::Display for WhenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WhenError::Word => f.write_str("expected always, interval=MS or none"),
            WhenError::Interval => write!(f, "the interval is 1 to {INTERVAL_MS_MAX} milliseconds"),
        }
    }
}

impl Error for WhenError {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn domains() {
        for text in ["example.com", "EXAMPLE.com", "192.0.2.1", "[2001:db8::1]", "a"] {
            assert_eq!(text.parse::<Domain>().unwrap().as_str(), text.to_ascii_lowercase());
        }
        for text in
            ["", "example.com:5060", "a@example.com", "example.com;lr", "exa mple", "ex\"ample", "2001:db8::1", "a/b"]
        {
            assert_eq!(text.parse::<Domain>(), Err(DomainError), "{text}");
        }
    }

    #[test]
    fn public_names() {
        for (text, told) in [
            ("sip.example.com", "sip.example.com:5070"),
            ("192.0.2.1:5060", "192.0.2.1:5060"),
            ("[2001:db8::1]", "[2001:db8::1]:5070"),
            ("[2001:db8::1]:5080", "[2001:db8::1]:5080"),
        ] {
            let name: PublicName = text.parse().unwrap();
            assert_eq!(name.to_string(), text);
            assert_eq!(name.at(5070).unwrap().to_string(), told);
        }
        for text in ["", "0.0.0.0", "[::]:5060", "a.example:0", "a.example:", "2001:db8::1", "bob@a.example", "a;lr"] {
            assert_eq!(text.parse::<PublicName>(), Err(PublicNameError), "{text}");
        }
    }

    #[test]
    fn durabilities() {
        for (text, durability) in [
            ("always", Durability::Always),
            ("interval=50", Durability::Interval(Duration::from_millis(50))),
            ("none", Durability::None),
        ] {
            assert_eq!(text.parse(), Ok(When(durability)));
            assert_eq!(When(durability).to_string(), text);
        }
        assert_eq!("sometimes".parse::<When>(), Err(WhenError::Word));
        for text in ["interval=", "interval=0", "interval=3600001", "interval=1s"] {
            assert_eq!(text.parse::<When>(), Err(WhenError::Interval), "{text}");
        }
    }
}
