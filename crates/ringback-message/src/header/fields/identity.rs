//! Identity. `[RFC 8224, Section 4]`

use alloc::borrow::Cow;
use alloc::vec::Vec;

use crate::cursor::Cursor;
use crate::error::ParseError;
use crate::header::field::own;
use crate::header::shapes::field;
use crate::header::{Decode, Encode, HeaderId, OwnedText, Param, ToOwnedText, text};
use crate::params::Params;
use crate::uri::Uri;

/// A signature over who calls whom and when, and where the certificate for it is found.
///
/// ```text
/// Identity               = "Identity" HCOLON signed-identity-digest SEMI ident-info *( SEMI ident-info-params )
/// signed-identity-digest = 1*(base64-char / ".")
/// ident-info             = "info" EQUAL LAQUOT absoluteURI RAQUOT
/// ident-info-params      = "alg" EQUAL token / "ppt" EQUAL token / ident-info-extension
/// ```
///
/// The digest is read in the alphabet for URLs too, of which PASSporTs are made. `[RFC 8225, Section 6]`
///
/// The historic form is read as well: base64, mostly in quotes, and nothing behind it, since Identity-Info held the rest.
/// `[RFC 4474, Section 9]` `[RFC 4475, Section 3.1.1.11]`
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(bound = "T: AsRef<[u8]>"))]
pub struct Identity<T = OwnedText> {
    /// The PASSporT as written: header, payload and signature with dots between, the first two empty in the compact form.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::text"))]
    pub digest: T,
    /// Where the certificate is found; `None` in the historic form.
    pub info: Option<Uri<T>>,
    /// The parameters behind it.
    pub params: Params<T>,
}

field!(Identity);

impl Identity {
    /// With this PASSporT, signed by the certificate that is found there.
    ///
    /// # Errors
    /// Where the text is no URI.
    pub fn new(digest: impl AsRef<[u8]>, info: impl AsRef<[u8]>) -> Result<Identity, ParseError> {
        let info = Uri::parse_strict(info.as_ref(), HeaderId::Identity, 0)?.to_owned_text();
        Ok(Identity { digest: digest.as_ref().into(), info: Some(info), params: Params::default() })
    }

    /// Signed with this algorithm, such as `ES256`.
    #[must_use]
    pub fn with_alg(self, alg: impl AsRef<[u8]>) -> Identity {
        self.with_param(Param::raw("alg", alg))
    }

    /// With a PASSporT of this type, such as `shaken`.
    #[must_use]
    pub fn with_ppt(self, ppt: impl AsRef<[u8]>) -> Identity {
        self.with_param(Param::raw("ppt", ppt))
    }

    /// With one more parameter.
    #[must_use]
    pub fn with_param(mut self, param: Param) -> Identity {
        self.params.push(&param);
        self
    }
}

impl<T: AsRef<[u8]>> Identity<T> {
    /// The algorithm of the signature.
    #[must_use]
    pub fn alg(&self) -> Option<Cow<'_, [u8]>> {
        self.params.value(b"alg").map(text::unquoted)
    }

    /// The type of the PASSporT. It is read with quotes too, as RFCs show it. `[RFC 8443, Section 5]`
    #[must_use]
    pub fn ppt(&self) -> Option<Cow<'_, [u8]>> {
        self.params.value(b"ppt").map(text::unquoted)
    }

    /// Whether the PASSporT is in its compact form: header and payload are to be made from the message. `[RFC 8225, Section 7]`
    #[must_use]
    pub fn is_compact(&self) -> bool {
        self.digest.as_ref().starts_with(b"..")
    }
}

impl<'a> Decode<'a> for Identity<&'a [u8]> {
    fn decode(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
        cursor.lws();
        let digest = digest(cursor)?;
        let mut behind = cursor.clone();
        if !behind.separator(b';') {
            return Ok(Identity { digest, info: None, params: Params::default() });
        }
        *cursor = behind;
        let at = cursor.clone();
        if !cursor.token("info=")?.eq_ignore_ascii_case(b"info") {
            return Err(at.error("info="));
        }
        if !(cursor.separator(b'=') && cursor.eat(b'<')) {
            return Err(cursor.error("= and a URI in < and >"));
        }
        let at = cursor.clone();
        let info = Uri::read(at.part(cursor.take_while(|b| b != b'>'), at.offset()))?;
        if !cursor.eat(b'>') {
            return Err(cursor.error("> behind the URI"));
        }
        Ok(Identity { digest, info: Some(info), params: Params::parse(cursor)? })
    }
}

/// `1*(base64-char / ".")`, with padding where it is historic.
fn digest<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], ParseError> {
    let at = cursor.clone();
    let is_base64 = |b: u8| b.is_ascii_alphanumeric() || b"+/-_.=".contains(&b);
    let digest = match cursor.peek() {
        Some(b'"') => cursor.quoted_string()?,
        _ => cursor.take_while(is_base64),
    };
    let inner = digest.strip_prefix(b"\"").and_then(|inner| inner.strip_suffix(b"\"")).unwrap_or(digest);
    if inner.is_empty() || !inner.iter().all(|&b| is_base64(b)) {
        return Err(at.error("a PASSporT in base64"));
    }
    Ok(digest)
}

impl<T: AsRef<[u8]>> Encode for Identity<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.digest.as_ref());
        if let Some(info) = &self.info {
            out.extend_from_slice(b";info=<");
            info.write(out);
            out.push(b'>');
        }
        out.extend_from_slice(self.params.text());
    }
}

impl<T: AsRef<[u8]>> ToOwnedText for Identity<T> {
    type Owned = Identity;

    fn to_owned_text(&self) -> Identity {
        let info = self.info.as_ref().map(Uri::to_owned_text);
        Identity { digest: own(&self.digest), info, params: self.params.to_owned_text() }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::header::field::checked;

    #[test]
    fn parts_stay_where_they_were_put() {
        let identity =
            Identity::new("..c2ln", "https://cert.example.org/a.cer").unwrap().with_alg("ES256").with_ppt("shaken");
        assert_eq!(checked(&identity).unwrap(), b"..c2ln;info=<https://cert.example.org/a.cer>;alg=ES256;ppt=shaken");
        assert!(identity.is_compact());
        for digest in ["", "a;info=<x:y>", "a b", "a\r\n", "\"\"", "\"a;b\""] {
            assert!(checked(&Identity::new(digest, "https://x.example").unwrap()).is_err(), "{digest}");
        }
        assert!(Identity::new("a", "no uri").is_err());
        assert!(checked(&identity.with_param(Param::raw("x", "a;b"))).is_err());
    }
}
