//! Policy-ID. `[RFC 6794, Section 4.4.5.1]`

use alloc::vec::Vec;

use crate::chars;
use crate::cursor::Cursor;
use crate::error::ParseError;
use crate::header::shapes::{field, params_accessor, params_check};
use crate::header::{Decode, Encode, HeaderId, OwnedText, Param, ToOwnedText};
use crate::params::Params;
use crate::uri::Uri;

/// A policy server that the user agent has asked already.
///
/// ```text
/// policyURI   = ( SIP-URI / SIPS-URI / absoluteURI ) [ SEMI token-param ] *( SEMI generic-param )
/// token-param = "token=" token
/// ```
///
/// The URI has no angle brackets: all parameters are those of the header field, and the URI can have none.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(bound = "T: AsRef<[u8]>"))]
pub struct PolicyId<T = OwnedText> {
    /// The policy server.
    pub uri: Uri<T>,
    /// The parameters behind it.
    pub params: Params<T>,
}

field!(PolicyId, BY_COMMA);

impl PolicyId {
    /// This server.
    ///
    /// # Errors
    /// Where the text is no URI.
    pub fn new(uri: impl AsRef<[u8]>) -> Result<PolicyId, ParseError> {
        let uri = Uri::parse_strict(uri.as_ref(), HeaderId::PolicyId, 0)?.to_owned_text();
        Ok(PolicyId { uri, params: Params::default() })
    }

    /// With one more parameter.
    #[must_use]
    pub fn with_param(mut self, param: Param) -> PolicyId {
        self.params.push(&param);
        self
    }
}

impl<T: AsRef<[u8]>> PolicyId<T> {
    params_accessor!(
        /// What the server gave the user agent to show.
        params, token = "token": text
    );
}

impl<'a> Decode<'a> for PolicyId<&'a [u8]> {
    fn decode(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
        cursor.lws();
        let at = cursor.clone();
        let text = cursor.take_while(|b| chars::is(b, chars::URI) && !matches!(b, b';' | b',' | b'?'));
        let uri = Uri::read(at.part(text, at.offset()))?;
        let at = cursor.clone();
        let params = Params::parse(cursor)?;
        params_check!(at, params, "token": text);
        Ok(PolicyId { uri, params })
    }
}

impl<T: AsRef<[u8]>> Encode for PolicyId<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        self.uri.write(out);
        out.extend_from_slice(self.params.text());
    }
}

impl<T: AsRef<[u8]>> ToOwnedText for PolicyId<T> {
    type Owned = PolicyId;

    fn to_owned_text(&self) -> PolicyId {
        PolicyId { uri: self.uri.to_owned_text(), params: self.params.to_owned_text() }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::header::field::checked;

    #[test]
    fn a_uri_that_needs_brackets_is_refused() {
        let id = PolicyId::new("sips:policy@a.example").unwrap().with_param(Param::new("token", Some("f00")));
        assert_eq!(checked(&id).unwrap(), b"sips:policy@a.example;token=f00");
        assert_eq!(id.token(), Some(&b"f00"[..]));
        for uri in ["sip:a.example;lr", "sip:a.example?a=b", "http://a.example/x,y"] {
            assert!(checked(&PolicyId::new(uri).unwrap()).is_err(), "{uri}");
        }
        assert!(PolicyId::new("sip:a\r\nb: c").is_err());
        assert!(checked(&PolicyId::new("sip:a").unwrap().with_param(Param::flag("token"))).is_err());
    }
}
