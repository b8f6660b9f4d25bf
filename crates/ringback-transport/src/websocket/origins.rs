//! Which pages may open a WebSocket. (RFC 6454, RFC 6455)

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

/// A site, such as `https://phone.example.com`, with a port where it is not the scheme's own; or `*` for every one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(Box<str>);

/// The origins that a handshake may name: those that are listed, or, where none is, the host that the handshake names as ours, at any
/// port.
///
/// A browser says of which site the page is that opens a connection, and no page can change that. So a page that a user happened to
/// look at can't reach a server that only the user's own network reaches, unless its site is allowed. What is no browser can say what
/// it likes, or nothing: an origin that is missing is let pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(Vec<Origin>);

/// A text that is no origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginError {
    /// The text.
    pub text: Box<str>,
}

impl FromStr for Origin {
    type Err = OriginError;

    /// An origin has a scheme and a host, perhaps a port, and nothing behind that; `null` is how browsers write that there is none.
    fn from_str(text: &str) -> Result<Origin, OriginError> {
        let is_one = host_of(text.as_bytes()).is_some() || matches!(text, "null" | "*");
        if is_one { Ok(Origin(text.into())) } else { Err(OriginError { text: text.into() }) }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Origins {
    /// Pages of every site.
    #[must_use]
    pub fn any() -> Origins {
        Origins(Vec::from([Origin("*".into())]))
    }

    /// Those that are listed.
    pub fn iter(&self) -> impl Iterator<Item = &Origin> {
        self.0.iter()
    }

    /// Whether a page of this origin may connect to what it calls `host`, which is the value of Host.
    pub(super) fn allow(&self, origin: &[u8], host: &[u8]) -> bool {
        if self.0.is_empty() {
            return host_of(origin).is_some_and(|origin| origin.eq_ignore_ascii_case(without_port(host)));
        }
        self.0.iter().any(|listed| &*listed.0 == "*" || listed.0.as_bytes().eq_ignore_ascii_case(origin))
    }
}

impl From<Vec<Origin>> for Origins {
    fn from(listed: Vec<Origin>) -> Origins {
        Origins(listed)
    }
}

impl fmt::Display for OriginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is no origin: expected a scheme and a host and nothing behind them, such as https://phone.example.com; \
             or * alone for every site",
            self.text
        )
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
        let listed = |texts: &[&str]| Origins(texts.iter().map(|text| text.parse().unwrap()).collect());
        let origins = listed(&["https://Phone.example", "http://127.0.0.1:8080"]);
        assert!(origins.allow(b"https://phone.example", b"sip.example"));
        assert!(origins.allow(b"http://127.0.0.1:8080", b"sip.example"));
        assert!(!origins.allow(b"http://127.0.0.1", b"sip.example"));
        assert!(!origins.allow(b"https://sip.example", b"sip.example"));
        assert!(!origins.allow(b"null", b"sip.example"));
        assert!(listed(&["https://a.example", "*"]).allow(b"null", b""));
        assert!(listed(&["null"]).allow(b"null", b""));
        for text in ["phone.example", "https://", "https://a/", "https://a:", "https://a:b", "://a", "ht tp://a", ""] {
            assert_eq!(text.parse::<Origin>().unwrap_err().text, text.into(), "{text}");
        }
    }
}
