//! Challenges and credentials: a scheme and its parameters. `[RFC 3261, Section 25.1]`

use alloc::vec::Vec;

use crate::cursor::Cursor;
use crate::error::ParseError;
use crate::header::field::own;
use crate::header::text::debug_as_written;
use crate::header::{HeaderId, OwnedText};

/// How many parameters a challenge or credentials may have: Digest knows a dozen.
pub const AUTH_PARAMS_MAX: usize = 32;

/// A scheme such as `Digest` with comma-separated parameters: the value of Authorization, WWW-Authenticate and their proxy twins.
///
/// A comma here does not separate two header values: a second challenge has a line of its own. `[RFC 3261, Section 7.3.1]`
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(bound = "T: AsRef<[u8]>"))]
pub struct AuthParams<T = OwnedText> {
    /// The scheme, to be compared without regard to case.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::text"))]
    pub scheme: T,
    params: AuthList<T>,
}

impl<'a> AuthParams<&'a [u8]> {
    /// Reads the value.
    ///
    /// # Errors
    /// Where scheme or parameters are missing or malformed, a name stands twice, or there are more than [`AUTH_PARAMS_MAX`].
    pub fn parse(header: HeaderId, value: &'a [u8], offset: u32) -> Result<AuthParams<&'a [u8]>, ParseError> {
        let mut cursor = Cursor::new(header, value, offset);
        let read = AuthParams::read(&mut cursor)?;
        cursor.end()?;
        Ok(read)
    }

    /// Reads a scheme and parameters for as long as commas follow.
    pub(crate) fn read(cursor: &mut Cursor<'a>) -> Result<AuthParams<&'a [u8]>, ParseError> {
        cursor.lws();
        let scheme = cursor.token("a scheme such as Digest")?;
        cursor.lws();
        Ok(AuthParams { scheme, params: AuthList::read(cursor)? })
    }
}

impl AuthParams {
    /// A scheme without parameters, which is not yet a value.
    pub(crate) fn new(scheme: &[u8]) -> AuthParams {
        AuthParams { scheme: scheme.into(), params: AuthList::default() }
    }

    pub(crate) fn push(&mut self, name: &[u8], raw: Vec<u8>) {
        self.params.push(name, raw);
    }
}

debug_as_written! {
    AuthParams: AuthParams::write;
    AuthList: AuthList::write;
}

impl<T: AsRef<[u8]>> AuthParams<T> {
    /// The parameter of that name as written, quotes included.
    #[must_use]
    pub fn raw(&self, name: &[u8]) -> Option<&[u8]> {
        self.params.raw(name)
    }

    /// The parameter of that name, without quotes but with its escapes as they stand: what digests are computed over, on both sides alike.
    #[must_use]
    pub fn unquoted(&self, name: &[u8]) -> Option<&[u8]> {
        let raw = self.raw(name)?;
        Some(raw.strip_prefix(b"\"").and_then(|inner| inner.strip_suffix(b"\"")).unwrap_or(raw))
    }

    /// Each parameter in order, as written.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.params.iter()
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.scheme.as_ref());
        out.push(b' ');
        self.params.write(out);
    }

    /// A copy that owns its text.
    #[must_use]
    pub fn to_owned_text(&self) -> AuthParams {
        AuthParams { scheme: own(&self.scheme), params: self.params.to_owned_text() }
    }
}

/// `name=value` with commas between: the parameters of a scheme, and all of Authentication-Info.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct AuthList<T>(Vec<(T, T)>);

impl<T> Default for AuthList<T> {
    fn default() -> AuthList<T> {
        AuthList(Vec::new())
    }
}

impl<'a> AuthList<&'a [u8]> {
    pub(crate) fn read(cursor: &mut Cursor<'a>) -> Result<AuthList<&'a [u8]>, ParseError> {
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
                _ => unquoted(cursor)?,
            };
            params.push((name, value));
            if !cursor.separator(b',') {
                return Ok(AuthList(params));
            }
        }
    }
}

/// A value without quotes; base64 and URIs are let pass where a token should stand.
fn unquoted<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], ParseError> {
    let value = cursor.take_while(|b| b > b' ' && b < 0x7f && !matches!(b, b',' | b'"'));
    if value.is_empty() { Err(cursor.error("the value of a parameter")) } else { Ok(value) }
}

impl AuthList<OwnedText> {
    pub(crate) fn push(&mut self, name: &[u8], raw: Vec<u8>) {
        self.0.push((name.into(), raw.into()));
    }
}

impl<T: AsRef<[u8]>> AuthList<T> {
    pub(crate) fn raw(&self, name: &[u8]) -> Option<&[u8]> {
        self.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        for (i, (name, value)) in self.iter().enumerate() {
            if i > 0 {
                out.extend_from_slice(b", ");
            }
            out.extend_from_slice(name);
            out.push(b'=');
            out.extend_from_slice(value);
        }
    }

    pub(crate) fn to_owned_text(&self) -> AuthList<OwnedText> {
        AuthList(self.iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

#[cfg(feature = "serde")]
impl<T: AsRef<[u8]>> serde::Serialize for AuthList<T> {
    /// As parameters behind semicolons are: names in small letters, what the quoted strings say.
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        use crate::header::text::{lossy, unquoted};
        out.collect_map(
            self.iter().map(|(name, value)| (lossy(name).to_ascii_lowercase(), lossy(&unquoted(value)).into_owned())),
        )
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
