//! The grammars that many header fields share, each as a macro: a field of that shape is one entry.
//!
//! An entry gives the type, its documentation with its source, and how it is read, written and copied.

/// `field!(Name, BY_COMMA, MAY_BE_EMPTY)`: what all shapes say of themselves, for a type that is generic over its text.
macro_rules! field {
    ($name:ident $(, $option:ident)*) => {
        impl<T> $crate::header::Field for $name<T> {
            const ID: $crate::header::HeaderId = $crate::header::HeaderId::$name;
            $(const $option: bool = true;)*
        }

        impl<T: AsRef<[u8]>> core::fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                $crate::header::text::debug(stringify!($name), |out| $crate::header::Encode::encode(self, out), f)
            }
        }

        impl<'a> $crate::header::field::Rereads<'a> for $name<$crate::header::OwnedText> {
            fn reread(cursor: &mut $crate::Cursor<'a>) -> Result<Self, $crate::ParseError> {
                let borrowed = <$name<&[u8]> as $crate::header::Decode>::decode(cursor)?;
                Ok($crate::header::ToOwnedText::to_owned_text(&borrowed))
            }
        }
    };
}

/// A list of tokens: `Require`, `Supported`, `Allow` … A value is a whole line.
///
/// `where check` names a function that refuses a token that the grammar of this field doesn't allow.
macro_rules! tokens {
    ($($(#[$doc:meta])* $name:ident: $what:literal, $same:ident $(, $option:ident)* $(where $check:path)?;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize), serde(bound = "T: AsRef<[u8]>"))]
        pub struct $name<T = $crate::header::OwnedText> {
            #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::texts"))]
            tokens: alloc::vec::Vec<T>,
        }

        field!($name $(, $option)*);

        impl $name {
            /// With these.
            #[must_use]
            pub fn new<I: IntoIterator<Item: AsRef<[u8]>>>(tokens: I) -> Self {
                $name { tokens: tokens.into_iter().map(|token| token.as_ref().into()).collect() }
            }

            /// With one.
            #[must_use]
            pub fn with_tag(tag: impl AsRef<[u8]>) -> Self {
                $name::new([tag])
            }

            /// With one more.
            #[must_use]
            pub fn and(mut self, tag: impl AsRef<[u8]>) -> Self {
                self.tokens.push(tag.as_ref().into());
                self
            }
        }

        impl<T: AsRef<[u8]>> $name<T> {
            /// Each in order, as written.
            pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
                self.tokens.iter().map(AsRef::as_ref)
            }

            /// Whether it is among them.
            #[must_use]
            pub fn contains(&self, token: impl AsRef<[u8]>) -> bool {
                self.iter().any(|other| tokens!(@same $same other token.as_ref()))
            }
        }

        impl<'a> $crate::header::Decode<'a> for $name<&'a [u8]> {
            fn decode(cursor: &mut $crate::Cursor<'a>) -> Result<Self, $crate::ParseError> {
                let start = cursor.clone();
                let tokens = $crate::header::shapes::read_tokens(cursor, $what, <Self as $crate::header::Field>::MAY_BE_EMPTY)?;
                $(tokens.iter().try_for_each(|token| $check(&start, token))?;)?
                let _ = start;
                Ok($name { tokens })
            }
        }

        impl<T: AsRef<[u8]>> $crate::header::Encode for $name<T> {
            fn encode(&self, out: &mut alloc::vec::Vec<u8>) {
                $crate::header::shapes::join(self.iter(), out);
            }
        }

        impl<T: AsRef<[u8]>> $crate::header::ToOwnedText for $name<T> {
            type Owned = $name;

            fn to_owned_text(&self) -> $name {
                $name::new(self.iter())
            }
        }
    )*};
    (@same any_case $a:ident $b:expr) => { $a.eq_ignore_ascii_case($b) };
    (@same case $a:ident $b:expr) => { $a == $b };
}

/// A decimal number alone: `Expires`, `Max-Forwards`, `RSeq` …
macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident: $kind:ident, $expected:literal $(, from $least:literal)?;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize))]
        pub struct $name(pub $kind);

        impl $crate::header::Field for $name {
            const ID: $crate::header::HeaderId = $crate::header::HeaderId::$name;
        }

        impl<'a> $crate::header::Decode<'a> for $name {
            fn decode(cursor: &mut $crate::Cursor<'a>) -> Result<Self, $crate::ParseError> {
                let at = cursor.clone();
                let number = cursor.number($expected)?;
                $(if number < $least {
                    return Err(at.error($expected));
                })?
                <$kind>::try_from(number).map($name).map_err(|_| at.error($expected))
            }
        }

        impl<'a> $crate::header::field::Rereads<'a> for $name {
            fn reread(cursor: &mut $crate::Cursor<'a>) -> Result<Self, $crate::ParseError> {
                <$name as $crate::header::Decode>::decode(cursor)
            }
        }

        impl $crate::header::Encode for $name {
            fn encode(&self, out: &mut alloc::vec::Vec<u8>) {
                out.extend_from_slice(itoa::Buffer::new().format(self.0).as_bytes());
            }
        }

        impl $crate::header::ToOwnedText for $name {
            type Owned = $name;

            fn to_owned_text(&self) -> $name {
                *self
            }
        }
    )*};
}

/// Text for people or of no grammar that is worth a type: `Subject`, `Server` … all of the value.
macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident: $legal:expr, $expected:literal $(, $option:ident)*;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize), serde(bound = "T: AsRef<[u8]>"))]
        pub struct $name<T = $crate::header::OwnedText> {
            #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::text"))]
            text: T,
        }

        field!($name $(, $option)*);

        impl $name {
            /// This text.
            #[must_use]
            pub fn new(text: impl AsRef<[u8]>) -> Self {
                $name { text: text.as_ref().into() }
            }
        }

        impl<T: AsRef<[u8]>> $name<T> {
            /// The text as written.
            #[must_use]
            pub fn text(&self) -> &[u8] {
                self.text.as_ref()
            }
        }

        impl<'a> $crate::header::Decode<'a> for $name<&'a [u8]> {
            fn decode(cursor: &mut $crate::Cursor<'a>) -> Result<Self, $crate::ParseError> {
                let legal: fn(&[u8]) -> bool = $legal;
                // Without blanks at its ends, so that a text with such is not one that is written: they would be lost.
                let text = $crate::chars::trim(cursor.rest());
                if !legal(text) {
                    return Err(cursor.error($expected));
                }
                cursor.take(usize::MAX);
                Ok($name { text })
            }
        }

        impl<T: AsRef<[u8]>> $crate::header::Encode for $name<T> {
            fn encode(&self, out: &mut alloc::vec::Vec<u8>) {
                out.extend_from_slice(self.text());
            }
        }

        impl<T: AsRef<[u8]>> $crate::header::ToOwnedText for $name<T> {
            type Owned = $name;

            fn to_owned_text(&self) -> $name {
                $name { text: self.text().into() }
            }
        }
    )*};
}

/// An address with parameters, one in all or one an element: `From`, `Contact`, `Refer-To`, `Path` …
///
/// `where check` names a function that refuses what the grammar of all addresses allows and that of this field doesn't.
macro_rules! addresses {
    ($($(#[$doc:meta])* $name:ident $(, $option:ident)* $(where $check:path)? $({$($(#[$pdoc:meta])* $param:ident = $text:literal: $kind:ident,)*})?;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize), serde(bound = "T: AsRef<[u8]>"))]
        pub struct $name<T = $crate::header::OwnedText> {
            /// Name, URI and parameters.
            #[cfg_attr(feature = "serde", serde(flatten))]
            pub address: $crate::NameAddr<T>,
        }

        field!($name $(, $option)*);

        impl $name {
            /// With this URI, and no name or parameter.
            ///
            /// # Errors
            /// Where the text is no URI.
            pub fn new(uri: impl AsRef<[u8]>) -> Result<Self, $crate::ParseError> {
                let address = $crate::header::shapes::address($crate::header::HeaderId::$name, uri.as_ref())?;
                Ok($name { address })
            }

            /// With this name, which is quoted where it must be.
            #[must_use]
            pub fn with_name(mut self, name: impl AsRef<[u8]>) -> Self {
                self.address.display_name = Some($crate::header::text::quoted(name.as_ref()).into());
                self
            }

            /// With one more parameter.
            #[must_use]
            pub fn with_param(mut self, param: $crate::header::Param) -> Self {
                self.address.params.push(&param);
                self
            }
        }

        impl<T: AsRef<[u8]>> $name<T> {
            $($(params_accessor!($(#[$pdoc])* address.params, $param = $text: $kind);)*)?
        }

        impl<'a> $crate::header::Decode<'a> for $name<&'a [u8]> {
            fn decode(cursor: &mut $crate::Cursor<'a>) -> Result<Self, $crate::ParseError> {
                let at = cursor.clone();
                let address = $crate::NameAddr::parse(cursor)?;
                $($(params_check!(at, address.params, $text: $kind);)*)?
                $($check(&at, &address)?;)?
                let _ = at;
                Ok($name { address })
            }
        }

        impl<T: AsRef<[u8]>> $crate::header::Encode for $name<T> {
            fn encode(&self, out: &mut alloc::vec::Vec<u8>) {
                self.address.write(out);
            }
        }

        impl<T: AsRef<[u8]>> $crate::header::ToOwnedText for $name<T> {
            type Owned = $name;

            fn to_owned_text(&self) -> $name {
                $name { address: self.address.to_owned_text() }
            }
        }
    )*};
}

/// A token with parameters, one in all or one an element: `Event`, `Reason`, `Content-Disposition` …
///
/// `where check` names a function that refuses what the grammar of all of them allows and that of this field doesn't.
macro_rules! token_params {
    ($($(#[$doc:meta])* $name:ident { $(#[$vdoc:meta])* $value:ident: $expected:literal } $(, $option:ident)* $(where $check:path)?
        $({$($(#[$pdoc:meta])* $param:ident = $text:literal: $kind:ident,)*})?;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize), serde(bound = "T: AsRef<[u8]>"))]
        pub struct $name<T = $crate::header::OwnedText> {
            $(#[$vdoc])*
            #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::text"))]
            pub $value: T,
            /// The parameters behind it.
            pub params: $crate::Params<T>,
        }

        field!($name $(, $option)*);

        impl $name {
            /// Without parameters.
            #[must_use]
            pub fn new($value: impl AsRef<[u8]>) -> Self {
                $name { $value: $value.as_ref().into(), params: $crate::Params::default() }
            }

            /// With one more parameter.
            #[must_use]
            pub fn with_param(mut self, param: $crate::header::Param) -> Self {
                self.params.push(&param);
                self
            }
        }

        impl<T: AsRef<[u8]>> $name<T> {
            $($(params_accessor!($(#[$pdoc])* params, $param = $text: $kind);)*)?
        }

        impl<'a> $crate::header::Decode<'a> for $name<&'a [u8]> {
            fn decode(cursor: &mut $crate::Cursor<'a>) -> Result<Self, $crate::ParseError> {
                cursor.lws();
                let start = cursor.clone();
                let $value = cursor.token($expected)?;
                let at = cursor.clone();
                let params = $crate::Params::parse(cursor)?;
                $($(params_check!(at, params, $text: $kind);)*)?
                $($check(&start, $value, &params)?;)?
                let _ = (start, at);
                Ok($name { $value, params })
            }
        }

        impl<T: AsRef<[u8]>> $crate::header::Encode for $name<T> {
            fn encode(&self, out: &mut alloc::vec::Vec<u8>) {
                out.extend_from_slice(self.$value.as_ref());
                out.extend_from_slice(self.params.text());
            }
        }

        impl<T: AsRef<[u8]>> $crate::header::ToOwnedText for $name<T> {
            type Owned = $name;

            fn to_owned_text(&self) -> $name {
                $name { $value: $crate::header::field::own(&self.$value), params: self.params.to_owned_text() }
            }
        }
    )*};
}

/// The method that reads one parameter: `number` (32 bits), `text` (as written), `flag` (there or not), `token`, `quoted` (what a
/// quoted string says), `qvalue`.
macro_rules! params_accessor {
    ($(#[$doc:meta])* $($at:ident).+, $param:ident = $text:literal: number) => {
        $(#[$doc])*
        #[must_use]
        pub fn $param(&self) -> Option<u32> {
            self.$($at).+.value($text.as_bytes()).and_then($crate::cursor::decimal)
        }
    };
    ($(#[$doc:meta])* $($at:ident).+, $param:ident = $text:literal: text) => {
        $(#[$doc])*
        #[must_use]
        pub fn $param(&self) -> Option<&[u8]> {
            self.$($at).+.value($text.as_bytes())
        }
    };
    ($(#[$doc:meta])* $($at:ident).+, $param:ident = $text:literal: flag) => {
        $(#[$doc])*
        #[must_use]
        pub fn $param(&self) -> bool {
            self.$($at).+.has($text.as_bytes())
        }
    };
    ($(#[$doc:meta])* $($at:ident).+, $param:ident = $text:literal: token) => {
        params_accessor!($(#[$doc])* $($at).+, $param = $text: text);
    };
    ($(#[$doc:meta])* $($at:ident).+, $param:ident = $text:literal: quoted) => {
        $(#[$doc])*
        #[must_use]
        pub fn $param(&self) -> Option<alloc::borrow::Cow<'_, [u8]>> {
            self.$($at).+.value($text.as_bytes()).map($crate::header::text::unquoted)
        }
    };
    ($(#[$doc:meta])* $($at:ident).+, $param:ident = $text:literal: qvalue) => {
        $(#[$doc])*
        #[must_use]
        pub fn $param(&self) -> Option<$crate::header::Qvalue> {
            self.$($at).+.value($text.as_bytes()).and_then($crate::header::Qvalue::parse)
        }
    };
}

/// Refuses a parameter whose value is not of its kind.
macro_rules! params_check {
    ($at:ident, $($params:ident).+, $text:literal: number) => {
        $crate::header::shapes::number_param(&$at, &$($params).+, $text.as_bytes())?;
    };
    ($at:ident, $($params:ident).+, $text:literal: text) => {
        $crate::header::shapes::text_param(&$at, &$($params).+, $text.as_bytes())?;
    };
    ($at:ident, $($params:ident).+, $text:literal: flag) => {};
    ($at:ident, $($params:ident).+, $text:literal: token) => {
        $crate::header::shapes::param_of(&$at, &$($params).+, $text.as_bytes(), $crate::chars::is_token, "a token")?;
    };
    ($at:ident, $($params:ident).+, $text:literal: quoted) => {
        $crate::header::shapes::param_of(
            &$at,
            &$($params).+,
            $text.as_bytes(),
            |value| value.starts_with(b"\""),
            "a quoted string",
        )?;
    };
    ($at:ident, $($params:ident).+, $text:literal: qvalue) => {
        $crate::header::shapes::param_of(
            &$at,
            &$($params).+,
            $text.as_bytes(),
            |value| $crate::header::Qvalue::parse(value).is_some(),
            "a preference from 0 to 1",
        )?;
    };
}

pub(crate) use with_params::{headed, number_params, star_params, token_values};
pub(crate) use {addresses, field, numbers, params_accessor, params_check, texts, token_params, tokens};

mod with_params;

use alloc::vec::Vec;

use crate::cursor::{Cursor, decimal};
use crate::error::ParseError;
use crate::header::{HeaderId, NameAddr, OwnedText};
use crate::params::Params;
use crate::uri::Uri;

/// The tokens of a line.
pub(crate) fn read_tokens<'a>(
    cursor: &mut Cursor<'a>,
    expected: &'static str,
    may_be_empty: bool,
) -> Result<Vec<&'a [u8]>, ParseError> {
    let mut tokens = Vec::new();
    cursor.lws();
    if may_be_empty && cursor.is_done() {
        return Ok(tokens);
    }
    loop {
        tokens.push(cursor.token(expected)?);
        if !cursor.separator(b',') {
            return Ok(tokens);
        }
    }
}

/// Writes elements with commas between.
pub(crate) fn join<'a>(elements: impl Iterator<Item = &'a [u8]>, out: &mut Vec<u8>) {
    for (i, element) in elements.enumerate() {
        if i > 0 {
            out.extend_from_slice(b", ");
        }
        out.extend_from_slice(element);
    }
}

/// An address of a URI alone.
pub(crate) fn address(header: HeaderId, uri: &[u8]) -> Result<NameAddr<OwnedText>, ParseError> {
    let uri = Uri::parse_strict(uri, header, 0)?.to_owned_text();
    Ok(NameAddr { display_name: None, uri, params: Params::default() })
}

/// Refuses a parameter that is there and no number of 32 bits.
pub(crate) fn number_param(at: &Cursor<'_>, params: &Params<&[u8]>, name: &[u8]) -> Result<(), ParseError> {
    match params.find(name) {
        None => Ok(()),
        Some(Some(value)) if decimal(value).is_some() => Ok(()),
        Some(Some(value)) => Err(at.error_at(value, "a number below 4294967296")),
        Some(None) => Err(at.error("a number in a parameter that holds one")),
    }
}

/// Refuses a parameter that is there without a value.
pub(crate) fn text_param(at: &Cursor<'_>, params: &Params<&[u8]>, name: &[u8]) -> Result<(), ParseError> {
    match params.find(name) {
        Some(None) => Err(at.error("a value in a parameter that needs one")),
        _ => Ok(()),
    }
}

/// Refuses a parameter that is there and whose value is not of its kind.
pub(crate) fn param_of(
    at: &Cursor<'_>,
    params: &Params<&[u8]>,
    name: &[u8],
    is_legal: impl FnOnce(&[u8]) -> bool,
    expected: &'static str,
) -> Result<(), ParseError> {
    match params.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)) {
        None => Ok(()),
        Some((_, Some(value))) if is_legal(value) => Ok(()),
        Some((_, Some(value))) => Err(at.error_at(value, expected)),
        Some((name, None)) => Err(at.error_at(name, "a value in a parameter that needs one")),
    }
}

/// Refuses a URI without angle brackets, whose parameters would be those of the header field: `name-addr`. `[RFC 3261, Section 20]`
pub(crate) fn in_brackets(at: &Cursor<'_>, address: &NameAddr<&[u8]>) -> Result<(), ParseError> {
    let mut at = at.clone();
    at.lws();
    if address.display_name.is_some() || at.peek() == Some(b'<') { Ok(()) } else { Err(at.error("a URI in < and >")) }
}

/// The same, and no name before it: `LAQUOT absoluteURI RAQUOT`.
pub(crate) fn nameless(at: &Cursor<'_>, address: &NameAddr<&[u8]>) -> Result<(), ParseError> {
    match address.display_name {
        Some(name) => Err(at.error_at(name, "a URI in < and >, and no name before it")),
        None => in_brackets(at, address),
    }
}
