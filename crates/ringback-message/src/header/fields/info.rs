//! URIs with more about a call: Alert-Info, Call-Info and Error-Info. `[RFC 3261, Section 20.4]`

use alloc::vec::Vec;

use crate::cursor::Cursor;
use crate::error::ParseError;
use crate::header::shapes::{field, params_accessor, params_check};
use crate::header::{Decode, Encode, HeaderId, OwnedText, Param, ToOwnedText};
use crate::params::Params;
use crate::uri::Uri;

macro_rules! infos {
    ($($(#[$doc:meta])* $name:ident {$($(#[$pdoc:meta])* $param:ident = $text:literal: $kind:ident,)*};)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize), serde(bound = "T: AsRef<[u8]>"))]
        pub struct $name<T = OwnedText> {
            /// Where it is.
            pub uri: Uri<T>,
            /// The parameters behind it.
            pub params: Params<T>,
        }

        field!($name, BY_COMMA);

        impl $name {
            /// With this URI, and no parameter.
            ///
            /// # Errors
            /// Where the text is no URI.
            pub fn new(uri: impl AsRef<[u8]>) -> Result<Self, ParseError> {
                let uri = Uri::parse_strict(uri.as_ref(), HeaderId::$name, 0)?.to_owned_text();
                Ok($name { uri, params: Params::default() })
            }

            /// With one more parameter.
            #[must_use]
            pub fn with_param(mut self, param: Param) -> Self {
                self.params.push(&param);
                self
            }
        }

        impl<T: AsRef<[u8]>> $name<T> {
            $(params_accessor!($(#[$pdoc])* params, $param = $text: $kind);)*
        }

        impl<'a> Decode<'a> for $name<&'a [u8]> {
            fn decode(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
                let uri = bracketed(cursor)?;
                let at = cursor.clone();
                let params = Params::parse(cursor)?;
                $(params_check!(at, params, $text: $kind);)*
                let _ = at;
                Ok($name { uri, params })
            }
        }

        impl<T: AsRef<[u8]>> Encode for $name<T> {
            fn encode(&self, out: &mut Vec<u8>) {
                out.push(b'<');
                self.uri.write(out);
                out.push(b'>');
                out.extend_from_slice(self.params.text());
            }
        }

        impl<T: AsRef<[u8]>> ToOwnedText for $name<T> {
            type Owned = $name;

            fn to_owned_text(&self) -> $name {
                $name { uri: self.uri.to_owned_text(), params: self.params.to_owned_text() }
            }
        }
    )*};
}

infos! {
    /// What to ring with, one of the line: a sound, or the meaning of one as a URN. `[RFC 3261, Section 20.4]` `[RFC 7462, Section 7]`
    ///
    /// ```text
    /// Alert-Info  = "Alert-Info" HCOLON alert-param *(COMMA alert-param)
    /// alert-param = LAQUOT absoluteURI RAQUOT *( SEMI generic-param )
    /// ```
    AlertInfo {};
    /// More about caller or callee, one of the line. `[RFC 3261, Section 20.9]`
    ///
    /// ```text
    /// Call-Info  = "Call-Info" HCOLON info *(COMMA info)
    /// info       = LAQUOT absoluteURI RAQUOT *( SEMI info-param)
    /// info-param = ( "purpose" EQUAL ( "icon" / "info" / "card" / token ) ) / generic-param
    /// ```
    CallInfo {
        /// What is found there: `icon`, `info`, `card` or another.
        purpose = "purpose": token,
    };
    /// More about the error that the response tells of, one of the line. `[RFC 3261, Section 20.18]`
    ///
    /// ```text
    /// Error-Info = "Error-Info" HCOLON error-uri *(COMMA error-uri)
    /// error-uri  = LAQUOT absoluteURI RAQUOT *( SEMI generic-param )
    /// ```
    ErrorInfo {};
}

fn bracketed<'a>(cursor: &mut Cursor<'a>) -> Result<Uri<&'a [u8]>, ParseError> {
    cursor.lws();
    if !cursor.eat(b'<') {
        return Err(cursor.error("a URI in < and >"));
    }
    let at = cursor.clone();
    let text = cursor.take_while(|b| b != b'>' && b != b'<');
    let uri = Uri::read(at.part(text, at.offset()))?;
    if cursor.eat(b'>') { Ok(uri) } else { Err(cursor.error("> behind the URI")) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::header::field::checked;

    #[test]
    fn nothing_is_smuggled_in() {
        let photo = CallInfo::new("http://a.example/b,c;d").unwrap().with_param(Param::new("purpose", Some("icon")));
        assert_eq!(checked(&photo).unwrap(), b"<http://a.example/b,c;d>;purpose=icon");
        for uri in ["", "x", "http://a>, <http://b", "http://a\r\nX: y", "http://a b"] {
            assert!(
                CallInfo::new(uri).is_err() && AlertInfo::new(uri).is_err() && ErrorInfo::new(uri).is_err(),
                "{uri}"
            );
        }
        assert!(checked(&photo.with_param(Param::raw("x", "a, <http://b>"))).is_err());
        let info = CallInfo::new("http://a.example").unwrap();
        assert!(checked(&info.with_param(Param::new("purpose", Some("a b")))).is_err());
    }
}
