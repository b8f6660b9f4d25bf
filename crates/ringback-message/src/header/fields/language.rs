//! Accept-Language and Content-Language. `[RFC 3261, Section 20.3]` `[RFC 3261, Section 20.13]`

use alloc::vec::Vec;

use crate::cursor::Cursor;
use crate::error::ParseError;
use crate::header::field::own;
use crate::header::shapes::{field, params_accessor, params_check};
use crate::header::{Decode, Encode, OwnedText, Param, ToOwnedText};
use crate::params::Params;

/// A language that the sender reads, one of the line; an empty line says nothing of them. `[RFC 3261, Section 20.3]`
///
/// ```text
/// Accept-Language = "Accept-Language" HCOLON [ language *(COMMA language) ]
/// language        = language-range *(SEMI accept-param)
/// language-range  = ( ( 1*8ALPHA *( "-" 1*8ALPHA ) ) / "*" )
/// ```
///
/// Subtags may hold digits, as `es-419` does: registered tags have had them since the grammar was written.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(bound = "T: AsRef<[u8]>"))]
pub struct AcceptLanguage<T = OwnedText> {
    /// The tag, or the start of one, or `*` for all others.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::text"))]
    pub language_range: T,
    /// The parameters behind it.
    pub params: Params<T>,
}

field!(AcceptLanguage, BY_COMMA, MAY_BE_EMPTY);

impl AcceptLanguage {
    /// This language, without parameters.
    #[must_use]
    pub fn new(language_range: impl AsRef<[u8]>) -> AcceptLanguage {
        AcceptLanguage { language_range: own(&language_range), params: Params::default() }
    }

    /// With one more parameter.
    #[must_use]
    pub fn with_param(mut self, param: Param) -> AcceptLanguage {
        self.params.push(&param);
        self
    }
}

impl<T: AsRef<[u8]>> AcceptLanguage<T> {
    params_accessor!(
        /// How much it is preferred: 1 where it is missing, 0 for not at all.
        params, q = "q": qvalue
    );
}

impl<'a> Decode<'a> for AcceptLanguage<&'a [u8]> {
    fn decode(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
        cursor.lws();
        let language_range =
            if cursor.peek() == Some(b'*') { cursor.take(1) } else { language_tag(cursor, "a language or *")? };
        let at = cursor.clone();
        let params = Params::parse(cursor)?;
        params_check!(at, params, "q": qvalue);
        Ok(AcceptLanguage { language_range, params })
    }
}

impl<T: AsRef<[u8]>> Encode for AcceptLanguage<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.language_range.as_ref());
        out.extend_from_slice(self.params.text());
    }
}

impl<T: AsRef<[u8]>> ToOwnedText for AcceptLanguage<T> {
    type Owned = AcceptLanguage;

    fn to_owned_text(&self) -> AcceptLanguage {
        AcceptLanguage { language_range: own(&self.language_range), params: self.params.to_owned_text() }
    }
}

/// A language of the body, one of the line. `[RFC 3261, Section 20.13]`
///
/// ```text
/// Content-Language = "Content-Language" HCOLON language-tag *(COMMA language-tag)
/// language-tag     = primary-tag *( "-" subtag )
/// ```
///
/// Subtags may hold digits, as in [`AcceptLanguage`].
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(bound = "T: AsRef<[u8]>"))]
pub struct ContentLanguage<T = OwnedText> {
    /// The tag, which compares without regard to case.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::text"))]
    pub language_tag: T,
}

field!(ContentLanguage, BY_COMMA);

impl ContentLanguage {
    /// This language.
    #[must_use]
    pub fn new(language_tag: impl AsRef<[u8]>) -> ContentLanguage {
        ContentLanguage { language_tag: own(&language_tag) }
    }
}

impl<'a> Decode<'a> for ContentLanguage<&'a [u8]> {
    fn decode(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
        cursor.lws();
        Ok(ContentLanguage { language_tag: language_tag(cursor, "a language")? })
    }
}

impl<T: AsRef<[u8]>> Encode for ContentLanguage<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.language_tag.as_ref());
    }
}

impl<T: AsRef<[u8]>> ToOwnedText for ContentLanguage<T> {
    type Owned = ContentLanguage;

    fn to_owned_text(&self) -> ContentLanguage {
        ContentLanguage { language_tag: own(&self.language_tag) }
    }
}

const SUBTAG_BYTES_MAX: usize = 8;

fn language_tag<'a>(cursor: &mut Cursor<'a>, expected: &'static str) -> Result<&'a [u8], ParseError> {
    let start = cursor.rest();
    let at = cursor.clone();
    let primary = cursor.take_while(|b| b.is_ascii_alphabetic());
    if primary.is_empty() || primary.len() > SUBTAG_BYTES_MAX {
        return Err(at.error(expected));
    }
    while cursor.eat(b'-') {
        let at = cursor.clone();
        let subtag = cursor.take_while(|b| b.is_ascii_alphanumeric());
        if subtag.is_empty() || subtag.len() > SUBTAG_BYTES_MAX {
            return Err(at.error("one to eight letters or digits behind the hyphen"));
        }
    }
    Ok(start.get(..start.len().saturating_sub(cursor.rest().len())).unwrap_or_default())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::header::field::checked;

    #[test]
    fn what_is_no_language_is_not_written() {
        assert_eq!(checked(&AcceptLanguage::new("*").with_param(Param::new("q", Some("0.1")))).unwrap(), b"*;q=0.1");
        assert_eq!(checked(&ContentLanguage::new("zh-Hant-TW")).unwrap(), b"zh-Hant-TW");
        for bad in ["", "en, de", "en;q=1", "en-", "9a", "abcdefghi", "en\r\nX: y", "en ", "en\0"] {
            assert!(checked(&AcceptLanguage::new(bad)).is_err(), "{bad}");
            assert!(checked(&ContentLanguage::new(bad)).is_err(), "{bad}");
        }
        assert!(checked(&AcceptLanguage::new("en").with_param(Param::new("q", Some("x")))).is_err());
        assert!(checked(&ContentLanguage::new("*")).is_err());
    }
}
