//! Accept and Content-Type. `[RFC 3261, Section 20.1]` `[RFC 3261, Section 20.15]`

use alloc::borrow::Cow;
use alloc::vec::Vec;

use crate::cursor::Cursor;
use crate::error::ParseError;
use crate::header::field::{Rereads, own};
use crate::header::shapes::{field, params_accessor, params_check};
use crate::header::{Decode, Encode, HeaderId, OwnedText, Param, ToOwnedText, text};
use crate::params::Params;

macro_rules! media_types {
    ($($(#[$doc:meta])* $name:ident by $read:ident $(, $option:ident)*;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize), serde(bound = "T: AsRef<[u8]>"))]
        pub struct $name<T = OwnedText> {
            /// The type, such as `application`.
            #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::text"))]
            pub m_type: T,
            /// The subtype, such as `sdp`.
            #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::text"))]
            pub m_subtype: T,
            /// The parameters behind it.
            pub params: Params<T>,
        }

        field!($name $(, $option)*);

        impl $name {
            /// Without parameters.
            #[must_use]
            pub fn new(m_type: impl AsRef<[u8]>, m_subtype: impl AsRef<[u8]>) -> Self {
                $name { m_type: own(&m_type), m_subtype: own(&m_subtype), params: Params::default() }
            }

            /// Of one text, such as `text/plain;charset=utf-8`.
            ///
            /// # Errors
            /// Where the text is none, or holds more than one.
            pub fn parse(text: impl AsRef<[u8]>) -> Result<Self, ParseError> {
                let mut cursor = Cursor::new(HeaderId::$name, text.as_ref(), 0);
                let read = Self::reread(&mut cursor)?;
                cursor.end()?;
                Ok(read)
            }

            /// With one more parameter.
            #[must_use]
            pub fn with_param(mut self, param: Param) -> Self {
                self.params.push(&param);
                self
            }
        }

        impl<T: AsRef<[u8]>> $name<T> {
            /// Whether type and subtype are these, in any case.
            #[must_use]
            pub fn is(&self, m_type: &str, m_subtype: &str) -> bool {
                self.m_type.as_ref().eq_ignore_ascii_case(m_type.as_bytes())
                    && self.m_subtype.as_ref().eq_ignore_ascii_case(m_subtype.as_bytes())
            }
        }

        impl<'a> Decode<'a> for $name<&'a [u8]> {
            fn decode(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
                let (m_type, m_subtype) = media_type(cursor)?;
                let at = cursor.clone();
                let params = Params::parse(cursor)?;
                $read(&at, &params)?;
                Ok($name { m_type, m_subtype, params })
            }
        }

        impl<T: AsRef<[u8]>> Encode for $name<T> {
            fn encode(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(self.m_type.as_ref());
                out.push(b'/');
                out.extend_from_slice(self.m_subtype.as_ref());
                out.extend_from_slice(self.params.text());
            }
        }

        impl<T: AsRef<[u8]>> ToOwnedText for $name<T> {
            type Owned = $name;

            fn to_owned_text(&self) -> $name {
                $name { m_type: own(&self.m_type), m_subtype: own(&self.m_subtype), params: self.params.to_owned_text() }
            }
        }
    )*};
}

media_types! {
    /// A type of bodies that the sender takes, one of the line; an empty line says that there is none. `[RFC 3261, Section 20.1]`
    ///
    /// ```text
    /// Accept       = "Accept" HCOLON [ accept-range *(COMMA accept-range) ]
    /// accept-range = media-range *(SEMI accept-param)
    /// media-range  = ( "*/*" / ( m-type SLASH "*" ) / ( m-type SLASH m-subtype ) ) *( SEMI m-parameter )
    /// ```
    Accept by accept_params, BY_COMMA, MAY_BE_EMPTY;
    /// What the body is. `[RFC 3261, Section 20.15]`
    ///
    /// ```text
    /// Content-Type = ( "Content-Type" / "c" ) HCOLON media-type
    /// media-type   = m-type SLASH m-subtype *(SEMI m-parameter)
    /// m-parameter  = m-attribute EQUAL m-value
    /// ```
    ContentType by m_parameters;
}

impl<T: AsRef<[u8]>> Accept<T> {
    params_accessor!(
        /// How much it is preferred: 1 where it is missing, 0 for not at all.
        params, q = "q": qvalue
    );

    /// Whether a body of this type is meant; parameters are not looked at.
    #[must_use]
    pub fn matches<U: AsRef<[u8]>>(&self, content_type: &ContentType<U>) -> bool {
        let fits = |range: &[u8], part: &[u8]| range == b"*" || range.eq_ignore_ascii_case(part);
        fits(self.m_type.as_ref(), content_type.m_type.as_ref())
            && fits(self.m_subtype.as_ref(), content_type.m_subtype.as_ref())
    }
}

impl<T: AsRef<[u8]>> ContentType<T> {
    /// What stands between the parts of a multipart body. `[RFC 2046, Section 5.1.1]`
    #[must_use]
    pub fn boundary(&self) -> Option<Cow<'_, [u8]>> {
        self.params.value(b"boundary").map(text::unquoted)
    }

    /// How text is encoded; UTF-8 where it is missing from a text. `[RFC 3261, Section 7.4.1]`
    #[must_use]
    pub fn charset(&self) -> Option<Cow<'_, [u8]>> {
        self.params.value(b"charset").map(text::unquoted)
    }
}

fn media_type<'a>(cursor: &mut Cursor<'a>) -> Result<(&'a [u8], &'a [u8]), ParseError> {
    cursor.lws();
    let m_type = cursor.token("a media type")?;
    if !cursor.separator(b'/') {
        return Err(cursor.error("/ and a subtype"));
    }
    let at = cursor.clone();
    let m_subtype = cursor.token("a subtype")?;
    if m_type == b"*" && m_subtype != b"*" {
        return Err(at.error("* behind */"));
    }
    Ok((m_type, m_subtype))
}

fn accept_params(at: &Cursor<'_>, params: &Params<&[u8]>) -> Result<(), ParseError> {
    params_check!(at, params, "q": qvalue);
    Ok(())
}

fn m_parameters(at: &Cursor<'_>, params: &Params<&[u8]>) -> Result<(), ParseError> {
    match params.iter().find(|(_, value)| value.is_none()) {
        Some((name, _)) => Err(at.error_at(name, "a parameter with a value")),
        None => Ok(()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::header::field::checked;

    #[test]
    fn parameters_are_quoted_and_nothing_is_smuggled_in() {
        let mixed = ContentType::new("multipart", "mixed").with_param(Param::new("boundary", Some("a;b c")));
        assert_eq!(checked(&mixed).unwrap(), b"multipart/mixed;boundary=\"a;b c\"");
        assert_eq!(mixed.boundary().unwrap().as_ref(), b"a;b c");
        assert!(checked(&Accept::new("*", "*").with_param(Param::new("q", Some("0.5")))).is_ok());
        for (m_type, m_subtype) in
            [("", "a"), ("a", ""), ("a/b", "c"), ("a", "b;c=d"), ("a", "b, c/d"), ("a", "b\r\nX: y")]
        {
            assert!(checked(&ContentType::new(m_type, m_subtype)).is_err(), "{m_type} {m_subtype}");
            assert!(checked(&Accept::new(m_type, m_subtype)).is_err(), "{m_type} {m_subtype}");
        }
        assert!(checked(&Accept::new("a", "b").with_param(Param::new("q", Some("2")))).is_err());
        assert!(checked(&ContentType::new("a", "b").with_param(Param::flag("c"))).is_err());
        assert_eq!(ContentType::parse("text/plain; charset=x").unwrap().charset().as_deref(), Some(&b"x"[..]));
        assert!(Accept::parse("text/plain;q=0.5").unwrap().q().is_some());
        for bad in ["", "sdp", "application/sdp, text/plain", "text/plain\r\nX: y", "text/plain x"] {
            assert!(ContentType::parse(bad).is_err() && Accept::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn ranges_match_types() {
        let sdp = ContentType::new("application", "sdp");
        for (range, matches) in
            [(("*", "*"), true), (("Application", "*"), true), (("application", "SDP"), true), (("text", "*"), false)]
        {
            assert_eq!(Accept::new(range.0, range.1).matches(&sdp), matches, "{range:?}");
        }
    }
}
