//! `tel:` URIs. `[RFC 3966, Section 3]`

use alloc::vec::Vec;

use crate::chars;
use crate::cursor::Cursor;
use crate::error::ParseError;
use crate::header::HeaderId;
use crate::header::text::debug_as_written;
use crate::params::Params;
use crate::uri::Uri;

/// A telephone number as a URI.
///
/// ```text
/// telephone-uri     = "tel:" telephone-subscriber
/// global-number     = global-number-digits *par
/// local-number      = local-number-digits *par context *par
/// ```
///
/// Not compared by `==` but by [`TelUri::equivalent`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TelUri<T> {
    /// The number as written, with its visual separators, and with its `+` where it is a global one.
    pub number: T,
    /// The parameters behind it.
    pub params: Params<T>,
}

impl<'a> TelUri<&'a [u8]> {
    /// Reads what stands behind `tel:`, at `offset` of its message.
    ///
    /// # Errors
    /// Where it is no number, or a local one without `phone-context`.
    pub fn parse(text: &'a [u8], header: HeaderId, offset: u32) -> Result<TelUri<&'a [u8]>, ParseError> {
        let mut cursor = Cursor::new(header, text, offset);
        let at = cursor.clone();
        let global = cursor.peek() == Some(b'+');
        let number = cursor.take_while(|b| b != b';');
        let digits = number.strip_prefix(b"+").unwrap_or(number);
        let legal = |b: u8| {
            b.is_ascii_digit() || is_separator(b) || !global && matches!(b, b'*' | b'#' | b'a'..=b'f' | b'A'..=b'F')
        };
        if !digits.iter().all(|&b| legal(b)) || !digits.iter().any(|&b| !is_separator(b)) {
            return Err(at.error("a telephone number"));
        }
        let params = Params::parse_uri(&mut cursor)?;
        if !cursor.is_done() {
            return Err(cursor.error("the end of the URI"));
        }
        if !global && params.value(b"phone-context").is_none_or(<[u8]>::is_empty) {
            return Err(at.error("+ before the number, or phone-context behind it"));
        }
        Ok(TelUri { number, params })
    }
}

debug_as_written! {
    TelUri: |uri, out| {
        out.extend_from_slice(uri.number.as_ref());
        out.extend_from_slice(uri.params.text());
    };
}

impl<T: AsRef<[u8]>> TelUri<T> {
    /// Whether the number is unique in the world: written with a `+`.
    #[must_use]
    pub fn is_global(&self) -> bool {
        self.number.as_ref().first() == Some(&b'+')
    }

    /// The number without its visual separators, `+` included.
    pub fn digits(&self) -> impl Iterator<Item = u8> + '_ {
        self.number.as_ref().iter().copied().filter(|&b| !is_separator(b))
    }

    /// Whether both name the same: both local or both global, their digits and parameters equal, in any order and case.
    /// `[RFC 3966, Section 5]`
    pub fn equivalent<U: AsRef<[u8]>>(&self, other: &TelUri<U>) -> bool {
        let digits = self.digits().map(|b| b.to_ascii_lowercase()).eq(other.digits().map(|b| b.to_ascii_lowercase()));
        digits && sorted(&self.params) == sorted(&other.params)
    }
}

/// `visual-separator = "-" / "." / "(" / ")"`
fn is_separator(b: u8) -> bool {
    matches!(b, b'-' | b'.' | b'(' | b')')
}

/// Names and values in small letters, in their order. Extensions and contexts that are numbers compare without separators.
fn sorted<T: AsRef<[u8]>>(params: &Params<T>) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
    let mut pairs: Vec<_> =
        params.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.map(|v| bare(name, v)))).collect();
    pairs.sort_unstable();
    pairs
}

fn bare(name: &[u8], value: &[u8]) -> Vec<u8> {
    let number = name.eq_ignore_ascii_case(b"ext") || value.first() == Some(&b'+');
    value.iter().filter(|&&c| !number || !is_separator(c)).map(u8::to_ascii_lowercase).collect()
}

impl<T: AsRef<[u8]>> Uri<T> {
    /// The telephone number, if it is a `tel:` URI; `None` for other schemes.
    ///
    /// # Errors
    /// Where it is no number.
    pub fn as_tel(&self) -> Option<Result<TelUri<&[u8]>, ParseError>> {
        match self {
            Uri::Other { scheme, rest } if scheme.as_ref().eq_ignore_ascii_case(b"tel") => {
                Some(TelUri::parse(rest.as_ref(), HeaderId::Other, 0))
            }
            _ => None,
        }
    }
}

/// Whether two URNs name the same: identifier of the namespace in any case, the rest to the letter but for the case of escapes.
/// (RFC 8141) `q`, `r` and `f` components don't count.
pub(super) fn same_urn(a: &[u8], b: &[u8]) -> bool {
    let split = |urn: &[u8]| -> Option<(Vec<u8>, Vec<u8>)> {
        let end = urn.iter().position(|&b| matches!(b, b'?' | b'#')).unwrap_or(urn.len());
        let name = urn.get(..end)?;
        let colon = name.iter().position(|&b| b == b':')?;
        let (namespace, specific) = name.split_at_checked(colon)?;
        Some((namespace.to_ascii_lowercase(), chars::escapes_in_capitals(specific)))
    };
    match (split(a), split(b)) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn uri(text: &str) -> Uri<&[u8]> {
        Uri::parse(text.as_bytes(), HeaderId::To, 0).unwrap()
    }

    #[test]
    fn numbers_compare_by_their_digits() {
        for (a, b) in [
            ("tel:+358-555-1234567", "TEL:+358(555)123.4567"),
            ("tel:7042;phone-context=example.com", "tel:70-42;phone-context=EXAMPLE.com"),
            ("tel:+1-201-555;ext=12-3;isub=1", "tel:+1201555;isub=1;ext=123"),
            ("tel:*#06a;phone-context=+1-2", "tel:*#06A;phone-context=+12"),
        ] {
            assert!(uri(a).equivalent(&uri(b)), "{a} and {b}");
        }
        for (a, b) in [
            ("tel:+3585551234567", "tel:3585551234567;phone-context=+1"),
            ("tel:+1;ext=1", "tel:+1"),
            ("tel:7042;phone-context=a.example", "tel:7042;phone-context=b.example"),
        ] {
            assert!(!uri(a).equivalent(&uri(b)) && !uri(b).equivalent(&uri(a)), "{a} and {b}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for bad in [
            "tel:+",
            "tel:+12a",
            "tel:7042",
            "tel:7042;phone-context",
            "tel:+1;",
            "tel:()",
            "tel:+1;=a",
            "tel:x;phone-context=+1",
        ] {
            assert!(uri(bad).as_tel().unwrap().is_err(), "{bad}");
        }
        assert!(uri("sip:a@b").as_tel().is_none());
    }

    #[test]
    fn urns_compare_by_namespace_in_any_case() {
        assert!(uri("urn:service:sos").equivalent(&uri("URN:SERVICE:sos")));
        assert!(uri("urn:x:a%2cb").equivalent(&uri("urn:x:a%2Cb?+r")));
        assert!(!uri("urn:service:sos").equivalent(&uri("urn:service:SOS")));
    }
}
