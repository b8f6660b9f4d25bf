//! Challenges and credentials: a scheme and its parameters. `[RFC 3261, Section 25.1]`

use alloc::vec::Vec;

use crate::cursor::Cursor;
use crate::error::ParseError;
use crate::header::HeaderId;

/// How many parameters a challenge or credentials may have: Digest knows a dozen.
pub const AUTH_PARAMS_MAX: usize = 32;

/// A scheme such as `Digest` with comma-separated parameters: the value of Authorization, WWW-Authenticate and their proxy twins.
///
/// A comma here does not separate two header values. `[RFC 3261, Section 7.3.1]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthParams<T> {
    /// The scheme, to be compared without regard to case.
    pub scheme: T,
    params: Vec<(T, T)>,
}

impl<'a> AuthParams<&'a [u8]> {
    /// Reads the value.
    ///
    /// # Errors
    /// Where scheme or parameters are missing or malformed, a name stands twice, or there are more than [`AUTH_PARAMS_MAX`].
    pub fn parse(header: HeaderId, value: &'a [u8], offset: u32) -> Result<AuthParams<&'a [u8]>, ParseError> {
        let mut cursor = Cursor::new(header, value, offset);
        cursor.lws();
        let scheme = cursor.token("a scheme such as Digest")?;
        cursor.lws();
        let mut params: Vec<(&[u8], &[u8])> = Vec::with_capacity(10);
        loop {
            let at = cursor.clone();
            let name = cursor.token("the name of a parameter")?;
            if params.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)) {
                return Err(at.error("each parameter once"));
            }
            if params.len() >= AUTH_PARAMS_MAX {
                return Err(at.error("at most 32 parameters"));
            }
            if !cursor.separator(b'=') {
                return Err(cursor.error("= behind the name of a parameter"));
            }
            let value = match cursor.peek() {
                Some(b'"') => cursor.quoted_string()?,
                _ => unquoted(&mut cursor)?,
            };
            params.push((name, value));
            if !cursor.separator(b',') {
                break;
            }
        }
        cursor.end()?;
        Ok(AuthParams { scheme, params })
    }
}

/// A value without quotes; base64 and URIs are let pass where a token should stand.
fn unquoted<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], ParseError> {
    let value = cursor.take_while(|b| b > b' ' && b < 0x7f && !matches!(b, b',' | b'"'));
    if value.is_empty() { Err(cursor.error("the value of a parameter")) } else { Ok(value) }
}

impl<T: AsRef<[u8]>> AuthParams<T> {
    /// The parameter of that name as written, quotes included.
    #[must_use]
    pub fn raw(&self, name: &[u8]) -> Option<&[u8]> {
        self.params.iter().find(|(n, _)| n.as_ref().eq_ignore_ascii_case(name)).map(|(_, value)| value.as_ref())
    }

    /// The parameter of that name, without quotes but with its escapes as they stand:
    /// that is the `unq(X)` of the digest computation. `[RFC 7616, Section 3.4.1]`
    #[must_use]
    pub fn unquoted(&self, name: &[u8]) -> Option<&[u8]> {
        let raw = self.raw(name)?;
        Some(raw.strip_prefix(b"\"").and_then(|inner| inner.strip_suffix(b"\"")).unwrap_or(raw))
    }

    /// Each parameter in order, as written.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.params.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::String;

    fn parse(text: &str) -> Result<AuthParams<&[u8]>, ParseError> {
        AuthParams::parse(HeaderId::Authorization, text.as_bytes(), 0)
    }

    #[test]
    fn values_with_and_without_quotes() {
        let read = parse("Digest username=\"a,\\\"b\" , realm=x,nc=00000001,\r\n uri=sip:a@b;c=d").unwrap();
        assert_eq!(read.scheme, b"Digest");
        assert_eq!(read.unquoted(b"USERNAME"), Some(&b"a,\\\"b"[..]));
        assert_eq!(read.unquoted(b"uri"), Some(&b"sip:a@b;c=d"[..]));
        assert_eq!(read.raw(b"opaque"), None);
    }

    /// Asterisk GHSA-64qc-9x89-rx5j and its kin.
    #[test]
    fn malformed_authorization() {
        for text in [
            "",
            "Digest",
            "Digest ",
            "=",
            "Digest a",
            "Digest a=",
            "Digest a=\"",
            "Digest a=b,",
            "Digest a=b,,c=d",
            "Digest a=b,A=c",
            "Digest ,a=b",
            "Digest a=b c=d",
        ] {
            assert!(parse(text).is_err(), "{text} was read");
        }
        let many: String = (0..100).map(|i| format!("p{i}=x,")).collect();
        assert!(parse(&format!("Digest {many}z=1")).is_err());
    }
}
