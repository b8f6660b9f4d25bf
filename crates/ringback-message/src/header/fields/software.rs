//! Server and User-Agent. `[RFC 3261, Section 20.35]` `[RFC 3261, Section 20.41]`

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;

use crate::chars;
use crate::cursor::Cursor;
use crate::error::ParseError;
use crate::header::field::own;
use crate::header::shapes::field;
use crate::header::text::Escaped;
use crate::header::{Decode, Encode, OwnedText, ToOwnedText, text};

macro_rules! software {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize), serde(bound = "T: AsRef<[u8]>"))]
        pub struct $name<T = OwnedText> {
            #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::text"))]
            text: T,
        }

        field!($name);

        impl $name {
            /// All of the value as it shall be written.
            #[must_use]
            pub fn new(text: impl AsRef<[u8]>) -> Self {
                $name { text: own(&text) }
            }

            /// With one more product, and its version if it has one.
            #[must_use]
            pub fn and_product<V: AsRef<[u8]>>(self, product: impl AsRef<[u8]>, version: Option<V>) -> Self {
                let mut value = Vec::from(product.as_ref());
                if let Some(version) = version {
                    value.push(b'/');
                    value.extend_from_slice(version.as_ref());
                }
                self.and(&value)
            }

            /// With one more comment.
            #[must_use]
            pub fn and_comment(self, comment: impl AsRef<[u8]>) -> Self {
                self.and(&text::comment(comment.as_ref()))
            }

            fn and(self, value: &[u8]) -> Self {
                $name { text: [self.text.as_ref(), value].join(&b' ').into() }
            }
        }

        impl<T: AsRef<[u8]>> $name<T> {
            /// The text as written.
            #[must_use]
            pub fn text(&self) -> &[u8] {
                self.text.as_ref()
            }

            /// Products and comments in order, and what is neither.
            pub fn values(&self) -> ServerVals<'_> {
                ServerVals { rest: self.text() }
            }

            /// Whether it is products and comments alone, as the grammar has it.
            #[must_use]
            pub fn is_by_the_grammar(&self) -> bool {
                !self.values().any(|value| matches!(value, ServerVal::Other(_)))
            }
        }

        impl<'a> Decode<'a> for $name<&'a [u8]> {
            fn decode(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
                cursor.lws();
                let text = chars::trim(cursor.rest());
                if text.is_empty() {
                    return Err(cursor.error("a product or a comment"));
                }
                cursor.take(usize::MAX);
                Ok($name { text })
            }
        }

        impl<T: AsRef<[u8]>> Encode for $name<T> {
            fn encode(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(self.text());
            }
        }

        impl<T: AsRef<[u8]>> ToOwnedText for $name<T> {
            type Owned = $name;

            fn to_owned_text(&self) -> $name {
                $name { text: own(&self.text) }
            }
        }
    )*};
}

software! {
    /// What software the server is. `[RFC 3261, Section 20.35]`
    ///
    /// ```text
    /// Server     = "Server" HCOLON server-val *(LWS server-val)
    /// server-val = product / comment
    /// product    = token [SLASH product-version]
    /// ```
    ///
    /// It is kept as text, and any text that is not empty is read: phones write what they like here, and nothing depends on it.
    Server;
    /// What software the client is. `[RFC 3261, Section 20.41]`
    ///
    /// ```text
    /// User-Agent = "User-Agent" HCOLON server-val *(LWS server-val)
    /// ```
    ///
    /// It is kept as text, and any text that is not empty is read: phones write what they like here, and nothing depends on it.
    UserAgent;
}

/// One piece of what a program says of itself. `[RFC 3261, Section 25.1]`
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ServerVal<'a> {
    /// A program, or a part of one.
    Product {
        /// Its name.
        name: &'a [u8],
        /// Its version.
        version: Option<&'a [u8]>,
    },
    /// A comment as written, parentheses included.
    Comment(&'a [u8]),
    /// What the grammar has no name for, up to the next blank.
    Other(&'a [u8]),
}

impl fmt::Debug for ServerVal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            ServerVal::Product { name, version } => {
                let version = version.map(Escaped);
                f.debug_struct("Product").field("name", &Escaped(name)).field("version", &version).finish()
            }
            ServerVal::Comment(comment) => f.debug_tuple("Comment").field(&Escaped(comment)).finish(),
            ServerVal::Other(other) => f.debug_tuple("Other").field(&Escaped(other)).finish(),
        }
    }
}

impl<'a> ServerVal<'a> {
    /// What a comment says, without its parentheses and escapes.
    #[must_use]
    pub fn comment_text(&self) -> Option<Cow<'a, [u8]>> {
        match *self {
            ServerVal::Comment(comment) => Some(text::unquoted(comment)),
            _ => None,
        }
    }
}

/// The pieces of a Server or User-Agent.
#[derive(Clone)]
pub struct ServerVals<'a> {
    rest: &'a [u8],
}

impl fmt::Debug for ServerVals<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ServerVals").field(&Escaped(self.rest)).finish()
    }
}

impl<'a> Iterator for ServerVals<'a> {
    type Item = ServerVal<'a>;

    fn next(&mut self) -> Option<ServerVal<'a>> {
        let mut cursor = Cursor::new(crate::header::HeaderId::Server, self.rest, 0);
        cursor.lws();
        if cursor.is_done() {
            self.rest = b"";
            return None;
        }
        let (value, rest) = product_or_comment(cursor.clone()).unwrap_or_else(|| {
            let other = cursor.take_while(|b| !is_blank(b));
            (ServerVal::Other(other), cursor.rest())
        });
        self.rest = rest;
        Some(value)
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// One of them, if a blank or the end follows it.
fn product_or_comment(mut cursor: Cursor<'_>) -> Option<(ServerVal<'_>, &[u8])> {
    let value = if cursor.peek() == Some(b'(') {
        ServerVal::Comment(cursor.comment().ok()?)
    } else {
        let name = cursor.token("a product").ok()?;
        let mut ahead = cursor.clone();
        let version = if ahead.separator(b'/') {
            cursor = ahead;
            Some(cursor.token("a version").ok()?)
        } else {
            None
        };
        ServerVal::Product { name, version }
    };
    let is_whole = cursor.peek().is_none_or(is_blank);
    is_whole.then_some((value, cursor.rest()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::header::field::checked;

    #[test]
    fn products_comments_and_the_rest() {
        let product = |name: &'static str, version: Option<&'static str>| ServerVal::Product {
            name: name.as_bytes(),
            version: version.map(str::as_bytes),
        };
        let agent = UserAgent::new("a/1.0 (b (c) \\)) d e / 2\r\n f");
        let values: Vec<_> = agent.values().collect();
        let comment = ServerVal::Comment(b"(b (c) \\))");
        assert_eq!(
            values,
            [product("a", Some("1.0")), comment, product("d", None), product("e", Some("2")), product("f", None)]
        );
        assert_eq!(comment.comment_text().unwrap().as_ref(), b"b (c) )");
        let agent = Server::new("X:1 a/b/c (open d,e f");
        let others: Vec<_> = agent.values().filter(|value| matches!(value, ServerVal::Other(_))).collect();
        assert_eq!(others.len(), 4, "{others:?}");
        assert!(!agent.is_by_the_grammar());
        assert_eq!(agent.values().last(), Some(product("f", None)));
    }

    #[test]
    fn what_is_made_is_by_the_grammar() {
        let server = Server::new("a/1").and_product("b", Some("2")).and_product("c", None::<&str>).and_comment("d) e");
        assert_eq!(checked(&server).unwrap(), b"a/1 b/2 c (d\\) e)");
        assert!(server.is_by_the_grammar());
        for bad in ["", " ", " a", "a ", "a\r\nX: y", "a\0"] {
            assert!(checked(&UserAgent::new(bad)).is_err(), "{bad:?}");
        }
    }
}
