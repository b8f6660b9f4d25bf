//! Call-ID and In-Reply-To. `[RFC 3261, Section 20.8]` `[RFC 3261, Section 20.21]`

use alloc::vec::Vec;

use crate::chars;
use crate::cursor::Cursor;
use crate::error::ParseError;
use crate::header::field::own;
use crate::header::shapes::field;
use crate::header::{Decode, Encode, OwnedText, ToOwnedText};

macro_rules! call_ids {
    ($($(#[$doc:meta])* $name:ident $(, $option:ident)*;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize), serde(bound = "T: AsRef<[u8]>"))]
        pub struct $name<T = OwnedText> {
            /// The Call-ID, which compares byte by byte.
            #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::text"))]
            pub call_id: T,
        }

        field!($name $(, $option)*);

        impl $name {
            /// With this Call-ID.
            #[must_use]
            pub fn new(call_id: impl AsRef<[u8]>) -> Self {
                $name { call_id: call_id.as_ref().into() }
            }
        }

        impl<'a> Decode<'a> for $name<&'a [u8]> {
            fn decode(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
                cursor.lws();
                Ok($name { call_id: call_id(cursor)? })
            }
        }

        impl<T: AsRef<[u8]>> Encode for $name<T> {
            fn encode(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(self.call_id.as_ref());
            }
        }

        impl<T: AsRef<[u8]>> ToOwnedText for $name<T> {
            type Owned = $name;

            fn to_owned_text(&self) -> $name {
                $name { call_id: own(&self.call_id) }
            }
        }
    )*};
}

call_ids! {
    /// Which call, or which registrations of a client, a message belongs to. `[RFC 3261, Section 20.8]`
    ///
    /// ```text
    /// Call-ID = ( "Call-ID" / "i" ) HCOLON callid
    /// callid  = word [ "@" word ]
    /// ```
    CallId;
    /// A call that this one references or returns, one of the line. `[RFC 3261, Section 20.21]`
    ///
    /// ```text
    /// In-Reply-To = "In-Reply-To" HCOLON callid *(COMMA callid)
    /// ```
    InReplyTo, BY_COMMA;
}

/// `callid = word [ "@" word ]`
pub(super) fn call_id<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], ParseError> {
    let start = cursor.rest();
    let word = |cursor: &mut Cursor<'a>, expected| {
        let word = cursor.take_while(|b| chars::is(b, chars::WORD));
        if word.is_empty() { Err(cursor.error(expected)) } else { Ok(()) }
    };
    word(cursor, "a word, or two with @ between")?;
    if cursor.eat(b'@') {
        word(cursor, "a word behind the @")?;
    }
    Ok(start.get(..start.len().saturating_sub(cursor.rest().len())).unwrap_or_default())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::header::field::checked;

    #[test]
    fn what_is_no_call_id_is_not_written() {
        assert_eq!(checked(&CallId::new("a(b)@[::1]")).unwrap(), b"a(b)@[::1]");
        for bad in ["", "a@", "@a", "a@b@c", "a b", "a,b", "a;b", " a", "a\r\nX: y", "a\0", "\u{fc}"] {
            assert!(checked(&CallId::new(bad)).is_err(), "{bad}");
            assert!(checked(&InReplyTo::new(bad)).is_err(), "{bad}");
        }
    }
}
