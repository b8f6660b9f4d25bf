//! Addresses of record in their canonical form.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use ringback_message::uri::unescape;
use ringback_message::{Request, SipUri, Uri};

use crate::refusal::Refusal;

/// How long an address of record may be in its canonical form.
pub const AOR_BYTES_MAX: usize = 512;

/// An address of record in canonical form, `user@domain`: the index into the bindings. `[RFC 3261, Section 10.3]`
///
/// The user part had its escapes undone once and is escaped again only where the grammar demands it, so that `%61lice`
/// and `alice` are one, and `null-%00-null` is not cut at its NUL. Case counts in it. The domain is the one that the
/// caller names, in lower case: every name of a listener is the same domain. URI parameters, port and password are gone,
/// and `sip:` and `sips:` are one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Aor(Box<str>);

/// Why a user and a domain are no address of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AorError {
    /// There is no user part.
    NoUser,
    /// The canonical form is longer than [`AOR_BYTES_MAX`].
    TooLong,
    /// The domain is empty or holds what no host name or address does: the caller's doing.
    Domain,
}

impl Aor {
    /// The address of record of a user part as it stands in a URI, escapes included.
    ///
    /// # Errors
    /// Where either part is empty or does not fit.
    pub fn new(user: &[u8], domain: &str) -> Result<Aor, AorError> {
        if user.is_empty() {
            return Err(AorError::NoUser);
        }
        let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b':' | b'[' | b']');
        if domain.is_empty() || !domain.bytes().all(legal) {
            return Err(AorError::Domain);
        }
        // Unescaping only shortens, so what is too long here by a factor of three is too long in any case.
        if user.len() > AOR_BYTES_MAX.saturating_mul(3) {
            return Err(AorError::TooLong);
        }
        let mut text = String::with_capacity(user.len().saturating_add(domain.len()).saturating_add(1));
        // "any escaped characters MUST be converted to their unescaped form" [RFC 3261, Section 10.3]
        unescape(user).into_iter().for_each(|b| push_escaped(&mut text, b));
        text.push('@');
        text.extend(domain.chars().map(|c| c.to_ascii_lowercase()));
        if text.len() > AOR_BYTES_MAX { Err(AorError::TooLong) } else { Ok(Aor(text.into())) }
    }

    /// The address of record that a URI names within this domain, whatever its host says.
    ///
    /// # Errors
    /// Where the URI has no user part, or a part does not fit.
    pub fn of<T: AsRef<[u8]>>(uri: &SipUri<T>, domain: &str) -> Result<Aor, AorError> {
        Aor::new(uri.user.as_ref().map(AsRef::as_ref).unwrap_or_default(), domain)
    }

    /// The address of record that a REGISTER is about. `[RFC 3261, Section 10.3]`
    ///
    /// Whether the host of To is one of this domain's names is for the caller to judge first.
    ///
    /// # Errors
    /// [`Refusal::ToScheme`] where To holds neither a SIP nor a SIPS URI, [`Refusal::NotAnAor`] where it names no user, and
    /// [`Refusal::AorTooLong`] where it names one that is too long.
    pub fn of_to(request: &Request, domain: &str) -> Result<Aor, Refusal> {
        match request.to_header().map_err(Refusal::Malformed)?.uri {
            Uri::Sip(uri) => Aor::of(&uri, domain).map_err(Refusal::from),
            _ => Err(Refusal::ToScheme),
        }
    }

    /// Reads what [`Aor::as_str`] gave; `None` for any other text.
    #[must_use]
    pub fn from_canonical(text: &str) -> Option<Aor> {
        let (user, domain) = text.rsplit_once('@')?;
        Aor::new(user.as_bytes(), domain).ok().filter(|aor| &*aor.0 == text)
    }

    /// The whole, `user@domain`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The user part, escaped where it must be.
    #[must_use]
    pub fn user(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(user, _)| user)
    }

    /// The domain.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

/// One byte of a user part, as an escape unless the grammar takes it as it is: `unreserved / user-unreserved`. `[RFC 3261, Section 25.1]`
fn push_escaped(out: &mut String, byte: u8) {
    const PLAIN: &[u8] = b"-_.!~*'()&=+$,;?/";
    if byte.is_ascii_alphanumeric() || PLAIN.contains(&byte) {
        out.push(char::from(byte));
        return;
    }
    out.push('%');
    for nibble in [byte >> 4, byte & 15] {
        out.extend(char::from_digit(u32::from(nibble), 16).map(|digit| digit.to_ascii_uppercase()));
    }
}

impl fmt::Display for Aor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Aor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for AorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AorError::NoUser => f.write_str("an address of record needs a user part"),
            AorError::TooLong => write!(f, "an address of record has at most {AOR_BYTES_MAX} bytes"),
            AorError::Domain => f.write_str("the domain of an address of record is a host name or address"),
        }
    }
}

impl core::error::Error for AorError {}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::string::ToString;
    use std::vec;

    fn aor(user: &str) -> Aor {
        Aor::new(user.as_bytes(), "Example.COM").unwrap()
    }

    #[test]
    fn escapes_are_undone_once_and_case_of_the_user_counts() {
        for (user, canonical) in [
            ("alice", "alice"),
            ("%61lice", "alice"),
            ("Alice", "Alice"),
            ("%2561lice", "%2561lice"),
            ("null-%00-null", "null-%00-null"),
            ("user;par=u%40example.net", "user;par=u%40example.net"),
            ("%2b1%3b2", "+1;2"),
            ("a#b", "a%23b"),
            ("a%23b", "a%23b"),
            ("%c3%a9", "%C3%A9"),
        ] {
            let aor = aor(user);
            assert_eq!(aor.as_str(), std::format!("{canonical}@example.com"));
            assert_eq!((aor.user(), aor.domain()), (canonical, "example.com"));
            assert_eq!(Aor::from_canonical(aor.as_str()), Some(aor.clone()), "{user}");
            assert_eq!(aor.to_string(), aor.as_str());
        }
    }

    #[test]
    fn parameters_port_password_and_scheme_do_not_count() {
        let of = |text: &str| {
            let uri = Uri::parse(text.as_bytes(), ringback_message::HeaderId::To, 0).unwrap();
            Aor::of(uri.as_sip().unwrap(), "here")
        };
        for text in ["sip:bob@a", "sips:bob@b:5061", "sip:bob:pw@c;user=phone;x=y?h=v"] {
            assert_eq!(of(text).unwrap().as_str(), "bob@here");
        }
        assert_eq!(of("sip:a.example"), Err(AorError::NoUser));
    }

    #[test]
    fn bounds() {
        let longest = AOR_BYTES_MAX - "@h".len();
        assert!(Aor::new(&vec![b'a'; longest], "h").is_ok());
        assert_eq!(Aor::new(&vec![b'a'; longest + 1], "h"), Err(AorError::TooLong));
        assert_eq!(Aor::new(&vec![b'"'; longest], "h"), Err(AorError::TooLong));
        assert_eq!(Aor::new(b"a", ""), Err(AorError::Domain));
        assert_eq!(Aor::new(b"a", "b@c"), Err(AorError::Domain));
        assert!(Aor::new(b"a", "[2001:db8::1]").is_ok());
    }

    #[test]
    fn only_canonical_text_is_read_back() {
        for text in ["", "a", "@b", "a@", "%61@b", "a@B", "a b@c", "a@b c"] {
            assert_eq!(Aor::from_canonical(text), None, "{text}");
        }
    }
}
