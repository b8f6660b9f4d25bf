//! Shapes of the extensions: one token, and a number, a star or a text with parameters.

/// A token alone: `SIP-ETag`, `SIP-If-Match` …
macro_rules! token_values {
    ($($(#[$doc:meta])* $name:ident: $expected:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize), serde(bound = "T: AsRef<[u8]>"))]
        pub struct $name<T = $crate::header::OwnedText> {
            /// The token.
            #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::text"))]
            pub token: T,
        }

        field!($name);

        impl $name {
            /// This one.
            #[must_use]
            pub fn new(token: impl AsRef<[u8]>) -> Self {
                $name { token: token.as_ref().into() }
            }
        }

        impl<'a> $crate::header::Decode<'a> for $name<&'a [u8]> {
            fn decode(cursor: &mut $crate::Cursor<'a>) -> Result<Self, $crate::ParseError> {
                cursor.lws();
                Ok($name { token: cursor.token($expected)? })
            }
        }

        impl<T: AsRef<[u8]>> $crate::header::Encode for $name<T> {
            fn encode(&self, out: &mut alloc::vec::Vec<u8>) {
                out.extend_from_slice(self.token.as_ref());
            }
        }

        impl<T: AsRef<[u8]>> $crate::header::ToOwnedText for $name<T> {
            type Owned = $name;

            fn to_owned_text(&self) -> $name {
                $name::new(&self.token)
            }
        }
    )*};
}

/// A number with parameters: `Session-Expires`, `Min-SE` …
///
/// `where check` names a function that refuses parameters that the grammar of all parameters allows and that of this field doesn't.
macro_rules! number_params {
    ($($(#[$doc:meta])* $name:ident { $(#[$vdoc:meta])* $value:ident: $kind:ident $(below $limit:literal)?, $expected:literal }
        $(where $check:path)? $({$($(#[$pdoc:meta])* $param:ident = $text:literal: $pkind:ident,)*})?;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize), serde(bound = "T: AsRef<[u8]>"))]
        pub struct $name<T = $crate::header::OwnedText> {
            $(#[$vdoc])*
            pub $value: $kind,
            /// The parameters behind it.
            pub params: $crate::Params<T>,
        }

        field!($name);

        impl $name {
            /// Without parameters.
            #[must_use]
            pub fn new($value: $kind) -> Self {
                $name { $value, params: $crate::Params::default() }
            }

            /// With one more parameter.
            #[must_use]
            pub fn with_param(mut self, param: $crate::header::Param) -> Self {
                self.params.push(&param);
                self
            }
        }

        impl<T: AsRef<[u8]>> $name<T> {
            $($(params_accessor!($(#[$pdoc])* params, $param = $text: $pkind);)*)?
        }

        impl<'a> $crate::header::Decode<'a> for $name<&'a [u8]> {
            fn decode(cursor: &mut $crate::Cursor<'a>) -> Result<Self, $crate::ParseError> {
                cursor.lws();
                let at = cursor.clone();
                let $value = <$kind>::try_from(cursor.number($expected)?).map_err(|_| at.error($expected))?;
                $(if $value >= $limit {
                    return Err(at.error($expected));
                })?
                let params = $crate::Params::parse(cursor)?;
                $($(params_check!(at, params, $text: $pkind);)*)?
                $($check(&at, &params)?;)?
                Ok($name { $value, params })
            }
        }

        impl<T: AsRef<[u8]>> $crate::header::Encode for $name<T> {
            fn encode(&self, out: &mut alloc::vec::Vec<u8>) {
                out.extend_from_slice(itoa::Buffer::new().format(self.$value).as_bytes());
                out.extend_from_slice(self.params.text());
            }
        }

        impl<T: AsRef<[u8]>> $crate::header::ToOwnedText for $name<T> {
            type Owned = $name;

            fn to_owned_text(&self) -> $name {
                $name { $value: self.$value, params: self.params.to_owned_text() }
            }
        }
    )*};
}

/// A star with parameters, each value an element: `Accept-Contact`, `Feature-Caps` …
///
/// `where check` names a function that refuses parameters that the grammar of all parameters allows and that of this field doesn't.
macro_rules! star_params {
    ($($(#[$doc:meta])* $name:ident $(where $check:path)? $({$($(#[$pdoc:meta])* $param:ident = $text:literal: $kind:ident,)*})?;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Default, PartialEq, Eq)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize), serde(bound = "T: AsRef<[u8]>"))]
        pub struct $name<T = $crate::header::OwnedText> {
            /// The parameters behind the star.
            pub params: $crate::Params<T>,
        }

        field!($name, BY_COMMA);

        impl $name {
            /// Without parameters.
            #[must_use]
            pub fn new() -> Self {
                $name::default()
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
                if !cursor.eat(b'*') {
                    return Err(cursor.error("a star"));
                }
                let at = cursor.clone();
                let params = $crate::Params::parse(cursor)?;
                $($(params_check!(at, params, $text: $kind);)*)?
                $($check(&at, &params)?;)?
                let _ = at;
                Ok($name { params })
            }
        }

        impl<T: AsRef<[u8]>> $crate::header::Encode for $name<T> {
            fn encode(&self, out: &mut alloc::vec::Vec<u8>) {
                out.push(b'*');
                out.extend_from_slice(self.params.text());
            }
        }

        impl<T: AsRef<[u8]>> $crate::header::ToOwnedText for $name<T> {
            type Owned = $name;

            fn to_owned_text(&self) -> $name {
                $name { params: self.params.to_owned_text() }
            }
        }
    )*};
}

/// Text that a function reads, with parameters: the Call-ID of `Replaces`, the UUID of `Session-ID` … Constructors stand beside it.
///
/// `where check` names a function that refuses what the grammar of all of them allows and that of this field doesn't.
macro_rules! headed {
    ($($(#[$doc:meta])* $name:ident { $(#[$vdoc:meta])* $value:ident: $read:path } $(, $option:ident)* $(where $check:path)?
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
                let $value = $read(cursor)?;
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

pub(crate) use {headed, number_params, star_params, token_values};
