//! Trigger-Consent. `[RFC 5360, Section 5.11.2]`

use alloc::vec::Vec;

use crate::cursor::Cursor;
use crate::error::ParseError;
use crate::header::shapes::{field, params_accessor, params_check};
use crate::header::{Decode, Encode, HeaderId, NameAddr, OwnedText, Param, ToOwnedText, text};
use crate::params::Params;
use crate::uri::Uri;

/// Where a relay can be asked to seek the consent of a recipient.
///
/// ```text
/// Trigger-Consent   = "Trigger-Consent" HCOLON trigger-cons-spec *( COMMA trigger-cons-spec )
/// trigger-cons-spec = ( SIP-URI / SIPS-URI ) *( SEMI trigger-param )
/// trigger-param     = target-uri / generic-param
/// target-uri        = "target-uri" EQUAL LDQUOT *( qdtext / quoted-pair ) RDQUOT
/// ```
///
/// The URI stands without angle brackets, so that what follows a semicolon is never a part of it. `[RFC 3261, Section 20]`
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(bound = "T: AsRef<[u8]>"))]
pub struct TriggerConsent<T = OwnedText> {
    /// The URI of the relay.
    pub uri: Uri<T>,
    /// The parameters behind it.
    pub params: Params<T>,
}

field!(TriggerConsent, BY_COMMA);

impl TriggerConsent {
    /// With this SIP or SIPS URI.
    ///
    /// # Errors
    /// Where the text is no URI.
    pub fn new(uri: impl AsRef<[u8]>) -> Result<TriggerConsent, ParseError> {
        let uri = Uri::parse_strict(uri.as_ref(), HeaderId::TriggerConsent, 0)?.to_owned_text();
        Ok(TriggerConsent { uri, params: Params::default() })
    }

    /// For this recipient.
    #[must_use]
    pub fn with_target_uri(self, uri: impl AsRef<[u8]>) -> TriggerConsent {
        self.with_param(Param::raw("target-uri", text::quoted(uri.as_ref())))
    }

    /// With one more parameter.
    #[must_use]
    pub fn with_param(mut self, param: Param) -> TriggerConsent {
        self.params.push(&param);
        self
    }
}

impl<T: AsRef<[u8]>> TriggerConsent<T> {
    params_accessor!(
        /// The recipient, as a URI.
        params, target_uri = "target-uri": quoted
    );
}

impl<'a> Decode<'a> for TriggerConsent<&'a [u8]> {
    fn decode(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
        cursor.lws();
        let at = cursor.clone();
        let NameAddr { uri, params, .. } = NameAddr::parse(cursor)?;
        if at.rest().first().is_none_or(|b| !b.is_ascii_alphabetic()) || uri.as_sip().is_none() {
            return Err(at.error("a sip or sips URI without < and >"));
        }
        params_check!(at, params, "target-uri": quoted);
        Ok(TriggerConsent { uri, params })
    }
}

impl<T: AsRef<[u8]>> Encode for TriggerConsent<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        self.uri.write(out);
        out.extend_from_slice(self.params.text());
    }
}

impl<T: AsRef<[u8]>> ToOwnedText for TriggerConsent<T> {
    type Owned = TriggerConsent;

    fn to_owned_text(&self) -> TriggerConsent {
        TriggerConsent { uri: self.uri.to_owned_text(), params: self.params.to_owned_text() }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::header::field::checked;

    #[test]
    fn a_uri_that_needs_brackets_is_refused() {
        let consent =
            TriggerConsent::new("sip:123@relay.example.com").unwrap().with_target_uri("sip:friends@r.example");
        assert_eq!(checked(&consent).unwrap(), b"sip:123@relay.example.com;target-uri=\"sip:friends@r.example\"");
        assert_eq!(consent.target_uri().unwrap().as_ref(), b"sip:friends@r.example");
        for uri in ["sip:a@b;lr", "sip:a@b?x=y", "sip:a,b@c", "sip:a;b@c", "tel:+1"] {
            assert!(checked(&TriggerConsent::new(uri).unwrap()).is_err(), "{uri}");
        }
    }
}
