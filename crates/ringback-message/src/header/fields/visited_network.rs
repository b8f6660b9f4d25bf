//! P-Visited-Network-ID. `[RFC 7315, Section 5.3]`

use alloc::borrow::Cow;
use alloc::vec::Vec;

use crate::cursor::Cursor;
use crate::error::ParseError;
use crate::header::field::own;
use crate::header::shapes::field;
use crate::header::{Decode, Encode, OwnedText, Param, ToOwnedText, text};
use crate::params::Params;

/// A network that a roaming user is in.
///
/// ```text
/// vnetwork-spec = (token / quoted-string) *(SEMI vnetwork-param)
/// ```
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(bound = "T: AsRef<[u8]>"))]
pub struct PVisitedNetworkId<T = OwnedText> {
    /// The network as written, quotes included.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::text"))]
    pub network: T,
    /// The parameters behind it.
    pub params: Params<T>,
}

field!(PVisitedNetworkId, BY_COMMA);

impl PVisitedNetworkId {
    /// This network, which is quoted where it must be.
    #[must_use]
    pub fn new(network: impl AsRef<[u8]>) -> PVisitedNetworkId {
        PVisitedNetworkId { network: text::token_or_quoted(network.as_ref()).into(), params: Params::default() }
    }

    /// With one more parameter.
    #[must_use]
    pub fn with_param(mut self, param: Param) -> PVisitedNetworkId {
        self.params.push(&param);
        self
    }
}

impl<T: AsRef<[u8]>> PVisitedNetworkId<T> {
    /// The network without its quotes.
    pub fn network_text(&self) -> Cow<'_, [u8]> {
        text::unquoted(self.network.as_ref())
    }
}

impl<'a> Decode<'a> for PVisitedNetworkId<&'a [u8]> {
    fn decode(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
        cursor.lws();
        let network = match cursor.peek() {
            Some(b'"') => cursor.quoted_string()?,
            _ => cursor.token("a network, in quotes where it is no token")?,
        };
        Ok(PVisitedNetworkId { network, params: Params::parse(cursor)? })
    }
}

impl<T: AsRef<[u8]>> Encode for PVisitedNetworkId<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.network.as_ref());
        out.extend_from_slice(self.params.text());
    }
}

impl<T: AsRef<[u8]>> ToOwnedText for PVisitedNetworkId<T> {
    type Owned = PVisitedNetworkId;

    fn to_owned_text(&self) -> PVisitedNetworkId {
        PVisitedNetworkId { network: own(&self.network), params: self.params.to_owned_text() }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::header::field::checked;

    #[test]
    fn a_name_of_several_words_is_quoted() {
        let network = PVisitedNetworkId::new("Network, \"one\"").with_param(Param::flag("x"));
        assert_eq!(checked(&network).unwrap(), b"\"Network, \\\"one\\\"\";x");
        assert_eq!(network.network_text().as_ref(), b"Network, \"one\"");
        assert_eq!(checked(&PVisitedNetworkId::new("other.net")).unwrap(), b"other.net");
        assert!(checked(&PVisitedNetworkId::new("a\r\nb: c")).is_err());
        assert!(checked(&PVisitedNetworkId::new("a").with_param(Param::raw("x", "1, b"))).is_err());
    }
}
