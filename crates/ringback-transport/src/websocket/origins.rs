//! Which pages may open a WebSocket. (RFC 6454, RFC 6455)

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

/// The origins that a handshake may name.
///
/// A browser says of which site the page is that opens a connection, and no page can change that. So a page that a user happened to
/// look at can't reach a server that only the user's own network reaches, unless its site is allowed. What is no browser can say what
/// it likes, or nothing: an origin that is missing is let pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origins(Allowed);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Allowed {
    Any,
    SameHost,
    Listed(Vec<Box<[u8]>>),
}

/// A text that is no origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginError {
    /// The text.
    pub text: Box<str>,
}

impl Origins {
    /// Pages of every site.
    #[must_use]
    pub fn any() -> Origins {
        Origins(Allowed::Any)
    }

    /// Pages of the host that the handshake names as ours, at any port: the default.
    #[must_use]
    pub fn same_host() -> Origins {
        Origins(Allowed::SameHost)
    }

    /// These alone, such as `https://phone.example.com`, with a port where it is not the scheme's own; `*` for any; none at all for
    /// [`Origins::same_host`].
    ///
    /// # Errors
    /// With the first text that is no origin: one has a scheme and a host, perhaps a port, and nothing behind that.
    pub fn listed<'a>(origins: impl IntoIterator<Item = &'a str>) -> Result<Origins, OriginError> {
        let mut listed: Vec<Box<[u8]>> = Vec::new();
        let mut is_any = false;
        for text in origins {
            if text == "*" {
                is_any = true;
                continue;
            }
            if host_of(text.as_bytes()).is_none() && text != "null" {
                return Err(OriginError { text: text.into() });
            }
            listed.push(text.to_ascii_lowercase().into_bytes().into());
        }
        Ok(Origins(match (is_any, listed.is_empty()) {
            (true, _) => Allowed::Any,
            (false, true) => Allowed::SameHost,
            (false, false) => Allowed::Listed(listed),
        }))
    }

    /// Whether a page of this origin may connect to what it calls `host`, which is the value of Host.
    pub(super) fn allow(&self, origin: &[u8], host: &[u8]) -> bool {
        match &self.0 {
            Allowed::Any => true,
            Allowed::SameHost => host_of(origin).is_some_and(|origin| origin.eq_ignore_ascii_case(without_port(host))),
            Allowed::Listed(listed) => listed.iter().any(|listed| listed.eq_ignore_ascii_case(origin)),
        }
    }
}

impl Default for Origins {
    fn default() -> Origins {
        Origins::same_host()
    }
}

impl fmt::Display for OriginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no origin: expected a scheme and a host, such as https://phone.example.com", self.text)
    }
}

impl core::error::Error for OriginError {}

/// The host of an origin; `None` where it is none.
fn host_of(origin: &[u8]) -> Option<&[u8]> {
    let at = origin.windows(3).position(|window| window == b"://")?;
    let (scheme, rest) = origin.split_at_checked(at)?;
    let host_port = rest.get(3..)?;
    let is_scheme = scheme.first().is_some_and(u8::is_ascii_alphabetic)
        && scheme.iter().all(|&byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let host = without_port(host_port);
    let port = host_port.get(host.len()..).unwrap_or_default();
    let is_port = match port.split_first() {
        None => true,
        Some((_, digits)) => !digits.is_empty() && digits.iter().all(u8::is_ascii_digit),
    };
    let is_host = !host.is_empty()
        && host.iter().all(|&byte| byte.is_ascii_alphanumeric() || b"-._[]:".contains(&byte) || !byte.is_ascii());
    (is_scheme && is_port && is_host).then_some(host)
}

/// What stands before the port, brackets of an IPv6 address included.
fn without_port(host_port: &[u8]) -> &[u8] {
    let end = match host_port.iter().position(|&byte| byte == b']') {
        Some(bracket) => bracket.saturating_add(1),
        None => host_port.iter().position(|&byte| byte == b':').unwrap_or(host_port.len()),
    };
    host_port.get(..end).unwrap_or(host_port)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn the_same_host_at_any_port_by_default() {
        for (origin, host, allowed) in [
            ("https://a.example", "a.example", true),
            ("https://A.example:8443", "a.EXAMPLE:443", true),
            ("http://[2001:db8::1]:80", "[2001:db8::1]:5060", true),
            ("https://b.example", "a.example", false),
            ("https://a.example.evil.example", "a.example", false),
            ("https://evil.example/a.example", "a.example", false),
            ("https://a.example@evil.example", "a.example", false),
            ("null", "a.example", false),
            ("", "a.example", false),
            ("https://", "", false),
        ] {
            assert_eq!(Origins::default().allow(origin.as_bytes(), host.as_bytes()), allowed, "{origin} {host}");
        }
    }

    #[test]
    fn a_list_means_those_and_no_others() {
        let origins = Origins::listed(["https://Phone.example", "http://127.0.0.1:8080"]).unwrap();
        assert!(origins.allow(b"https://phone.example", b"sip.example"));
        assert!(origins.allow(b"http://127.0.0.1:8080", b"sip.example"));
        assert!(!origins.allow(b"http://127.0.0.1", b"sip.example"));
        assert!(!origins.allow(b"https://sip.example", b"sip.example"));
        assert!(Origins::listed(["https://a.example", "*"]).unwrap().allow(b"null", b""));
        assert!(Origins::listed(["null"]).unwrap().allow(b"null", b""));
        assert_eq!(Origins::listed([]), Ok(Origins::same_host()));
        for text in ["phone.example", "https://", "https://a/", "https://a:", "https://a:b", "://a", "ht tp://a", ""] {
            assert_eq!(Origins::listed([text]).unwrap_err().text, text.into(), "{text}");
        }
    }
}
