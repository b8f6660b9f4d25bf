//! Resource-Priority and Accept-Resource-Priority. `[RFC 4412, Section 3]`

use alloc::vec::Vec;

use crate::chars;
use crate::cursor::Cursor;
use crate::error::ParseError;
use crate::header::field::own;
use crate::header::shapes::field;
use crate::header::{Decode, Encode, OwnedText, ToOwnedText};

macro_rules! priorities {
    ($($(#[$doc:meta])* $name:ident $(, $option:ident)*;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize), serde(bound = "T: AsRef<[u8]>"))]
        pub struct $name<T = OwnedText> {
            /// Which scale the priority is on, such as `dsn` or `wps`.
            #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::text"))]
            pub namespace: T,
            /// The priority on that scale, such as `flash`.
            #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::text"))]
            pub priority: T,
        }

        field!($name, BY_COMMA $(, $option)*);

        impl $name {
            /// This priority of this namespace.
            #[must_use]
            pub fn new(namespace: impl AsRef<[u8]>, priority: impl AsRef<[u8]>) -> Self {
                $name { namespace: namespace.as_ref().into(), priority: priority.as_ref().into() }
            }
        }

        impl<T: AsRef<[u8]>> $name<T> {
            /// Whether it is this one; both names compare without regard to case. `[RFC 4412, Section 3.1]`
            #[must_use]
            pub fn is(&self, namespace: impl AsRef<[u8]>, priority: impl AsRef<[u8]>) -> bool {
                self.namespace.as_ref().eq_ignore_ascii_case(namespace.as_ref())
                    && self.priority.as_ref().eq_ignore_ascii_case(priority.as_ref())
            }
        }

        impl<'a> Decode<'a> for $name<&'a [u8]> {
            fn decode(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
                cursor.lws();
                let namespace = token_nodot(cursor, "a namespace")?;
                if !cursor.eat(b'.') {
                    return Err(cursor.error("a dot behind the namespace"));
                }
                let priority = token_nodot(cursor, "a priority of the namespace")?;
                Ok($name { namespace, priority })
            }
        }

        impl<T: AsRef<[u8]>> Encode for $name<T> {
            fn encode(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(self.namespace.as_ref());
                out.push(b'.');
                out.extend_from_slice(self.priority.as_ref());
            }
        }

        impl<T: AsRef<[u8]>> ToOwnedText for $name<T> {
            type Owned = $name;

            fn to_owned_text(&self) -> $name {
                $name { namespace: own(&self.namespace), priority: own(&self.priority) }
            }
        }
    )*};
}

priorities! {
    /// A priority that the request asks for. `[RFC 4412, Section 3.1]`
    ///
    /// ```text
    /// Resource-Priority = "Resource-Priority" HCOLON r-value *(COMMA r-value)
    /// r-value           = namespace "." r-priority
    /// ```
    ResourcePriority;
    /// A priority that the server is willing to handle; a line may hold none. `[RFC 4412, Section 3.2]`
    ///
    /// ```text
    /// Accept-Resource-Priority = "Accept-Resource-Priority" HCOLON [r-value *(COMMA r-value)]
    /// ```
    AcceptResourcePriority, MAY_BE_EMPTY;
}

fn token_nodot<'a>(cursor: &mut Cursor<'a>, expected: &'static str) -> Result<&'a [u8], ParseError> {
    let token = cursor.take_while(|b| chars::is(b, chars::TOKEN) && b != b'.');
    if token.is_empty() { Err(cursor.error(expected)) } else { Ok(token) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::header::field::checked;

    #[test]
    fn a_dot_is_between_them_and_nowhere_else() {
        assert_eq!(checked(&ResourcePriority::new("dsn", "flash-override")).unwrap(), b"dsn.flash-override");
        for (namespace, priority) in [("d.s", "n"), ("", "1"), ("q735", ""), ("wps", "1,wps.2"), ("wps", "1\r\nA: b")] {
            assert!(checked(&ResourcePriority::new(namespace, priority)).is_err(), "{namespace} {priority}");
            assert!(checked(&AcceptResourcePriority::new(namespace, priority)).is_err(), "{namespace} {priority}");
        }
        assert!(ResourcePriority::new("DSN", "Flash").is("dsn", "flash"));
    }
}
