//! Header fields of networks whose elements are one piece of text with a grammar of its own, and no parameters.

use alloc::vec::Vec;

use crate::cursor::Cursor;
use crate::error::ParseError;
use crate::header::field::own;
use crate::header::shapes::field;
use crate::header::{Decode, Encode, OwnedText, ToOwnedText};

macro_rules! pieces {
    ($($(#[$doc:meta])* $name:ident { $(#[$vdoc:meta])* $value:ident by $read:ident } $(, $option:ident)*;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize), serde(bound = "T: AsRef<[u8]>"))]
        pub struct $name<T = OwnedText> {
            $(#[$vdoc])*
            #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::text"))]
            pub $value: T,
        }

        field!($name $(, $option)*);

        impl $name {
            /// With this text.
            #[must_use]
            pub fn new($value: impl AsRef<[u8]>) -> Self {
                $name { $value: $value.as_ref().into() }
            }
        }

        impl<'a> Decode<'a> for $name<&'a [u8]> {
            fn decode(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
                cursor.lws();
                Ok($name { $value: $read(cursor)? })
            }
        }

        impl<T: AsRef<[u8]>> Encode for $name<T> {
            fn encode(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(self.$value.as_ref());
            }
        }

        impl<T: AsRef<[u8]>> ToOwnedText for $name<T> {
            type Owned = $name;

            fn to_owned_text(&self) -> $name {
                $name { $value: own(&self.$value) }
            }
        }
    )*};
}

pieces! {
    /// What proves to the access network that media may have their quality of service. `[RFC 3313, Section 5.1]`
    ///
    /// ```text
    /// P-Media-Authorization       = "P-Media-Authorization" HCOLON
    ///                               P-Media-Authorization-Token *(COMMA P-Media-Authorization-Token)
    /// P-Media-Authorization-Token = 1*HEXDIG
    /// ```
    PMediaAuthorization {
        /// One token, in hexadecimal digits.
        token by hex_digits
    }, BY_COMMA;
    /// The service that a trusted element found the message to belong to. `[RFC 6050, Section 4.1]`
    ///
    /// ```text
    /// PAssertedService-value = Service-ID *(COMMA Service-ID)
    /// Service-ID             = "urn:urn-7:" urn-service-id
    /// ```
    PAssertedService {
        /// The name of the service, a URN.
        service_id by service_id
    }, BY_COMMA;
    /// The service that a user agent wants asserted. `[RFC 6050, Section 4.2]`
    ///
    /// ```text
    /// PPreferredService-value = Service-ID *(COMMA Service-ID)
    /// ```
    PPreferredService {
        /// The name of the service, a URN.
        service_id by service_id
    }, BY_COMMA;
    /// Which service of an operator the call needs: `BLV` busy line verification, `EI` emergency interrupt, `RING` ring back. `[RFC 5503, Section 6.1]`
    ///
    /// ```text
    /// P-DCS-OSPS = "P-DCS-OSPS" HCOLON OSPS-Tag
    /// OSPS-Tag   = "BLV" / "EI" / "RING" / token
    /// ```
    PDcsOsps {
        /// `BLV`, `EI`, `RING` or another.
        tag by osps_tag
    };
}

fn hex_digits<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], ParseError> {
    let digits = cursor.take_while(|b| b.is_ascii_hexdigit());
    if digits.is_empty() { Err(cursor.error("hexadecimal digits")) } else { Ok(digits) }
}

fn osps_tag<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], ParseError> {
    cursor.token("BLV, EI, RING or another tag")
}

/// `urn-service-id = top-level *("." sub-service-id)`, `top-level = let-dig [ *26let-dig ]`. `[RFC 6050, Section 4.4]`
fn service_id<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], ParseError> {
    const PREFIX: &[u8] = b"urn:urn-7:";
    const TOP_LEVEL_BYTES: usize = 27;
    let mut at = cursor.clone();
    if !at.take(PREFIX.len()).eq_ignore_ascii_case(PREFIX) {
        return Err(cursor.error("urn:urn-7: and a service"));
    }
    let let_dig = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    let top = at.clone();
    if at.take_while(let_dig).len() > TOP_LEVEL_BYTES {
        return Err(top.error("at most 27 letters, digits and hyphens before the first dot"));
    }
    if top.offset() == at.offset() {
        return Err(at.error("letters, digits and hyphens"));
    }
    while at.eat(b'.') {
        if at.take_while(let_dig).is_empty() {
            return Err(at.error("letters, digits and hyphens behind the dot"));
        }
    }
    let len = cursor.rest().len().saturating_sub(at.rest().len());
    Ok(cursor.take(len))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::header::field::checked;

    #[test]
    fn a_text_can_not_pose_as_several() {
        assert_eq!(checked(&PMediaAuthorization::new("0aF")).unwrap(), b"0aF");
        assert_eq!(checked(&PAssertedService::new("URN:urn-7:a.b-1")).unwrap(), b"URN:urn-7:a.b-1");
        for text in ["", "0a,0b", "0a ", "0g", "0a\r\nX: y", "0a\0"] {
            assert!(checked(&PMediaAuthorization::new(text)).is_err(), "{text}");
        }
        for text in
            ["", "urn:urn-7:", "urn:urn-7:a.", "urn:urn-7:a, urn:urn-7:b", "urn:urn-7:a;b", "urn:urn-7:a\r\nX: y"]
        {
            assert!(checked(&PPreferredService::new(text)).is_err(), "{text}");
        }
        assert!(checked(&PDcsOsps::new("EI;x")).is_err() && checked(&PDcsOsps::new("EI, BLV")).is_err());
    }
}
