//! Content-ID. `[RFC 8262, Section 3.2]`

use alloc::vec::Vec;

use crate::cursor::Cursor;
use crate::error::ParseError;
use crate::header::field::own;
use crate::header::shapes::field;
use crate::header::{Decode, Encode, OwnedText, ToOwnedText};

/// The name by which others in the message refer to its body.
///
/// ```text
/// Content-ID = "Content-ID" HCOLON msg-id
/// msg-id     = "<" id-left "@" id-right ">"
/// ```
///
/// Of the forms of RFC 5322 those are read that may still be written. `[RFC 5322, Section 3.6.4]`
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(bound = "T: AsRef<[u8]>"))]
pub struct ContentId<T = OwnedText> {
    /// The name, without its angle brackets: what a `cid:` URL has behind the colon.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::text"))]
    pub id: T,
}

field!(ContentId);

impl ContentId {
    /// This one, given without angle brackets.
    #[must_use]
    pub fn new(id: impl AsRef<[u8]>) -> ContentId {
        ContentId { id: id.as_ref().into() }
    }
}

impl<'a> Decode<'a> for ContentId<&'a [u8]> {
    fn decode(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
        cursor.lws();
        if !cursor.eat(b'<') {
            return Err(cursor.error("< before the Content-ID"));
        }
        let at = cursor.clone();
        let id = cursor.take_while(|b| b != b'>');
        if !is_message_id(id) {
            return Err(at.error("two texts with @ between"));
        }
        if cursor.eat(b'>') { Ok(ContentId { id }) } else { Err(cursor.error("> behind the Content-ID")) }
    }
}

impl<T: AsRef<[u8]>> Encode for ContentId<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(b'<');
        out.extend_from_slice(self.id.as_ref());
        out.push(b'>');
    }
}

impl<T: AsRef<[u8]>> ToOwnedText for ContentId<T> {
    type Owned = ContentId;

    fn to_owned_text(&self) -> ContentId {
        ContentId { id: own(&self.id) }
    }
}

/// `dot-atom-text "@" ( dot-atom-text / no-fold-literal )` `[RFC 5322, Section 3.6.4]`
pub(super) fn is_message_id(id: &[u8]) -> bool {
    let mut parts = id.splitn(2, |&b| b == b'@');
    match (parts.next(), parts.next()) {
        (Some(left), Some([b'[', inner @ .., b']'])) => is_dot_atom(left) && inner.iter().all(|&b| is_dtext(b)),
        (Some(left), Some(right)) => is_dot_atom(left) && is_dot_atom(right),
        _ => false,
    }
}

fn is_dot_atom(text: &[u8]) -> bool {
    text.split(|&b| b == b'.').all(|atom| !atom.is_empty() && atom.iter().all(|&b| is_atext(b)))
}

fn is_atext(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b)
}

fn is_dtext(b: u8) -> bool {
    matches!(b, 33..=90 | 94..=126)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::header::field::checked;

    #[test]
    fn a_name_can_not_break_out_of_its_brackets() {
        assert_eq!(checked(&ContentId::new("body@[192.0.2.1]")).unwrap(), b"<body@[192.0.2.1]>");
        for bad in ["", "a", "a@", "@b", "a@b>", "a@b> x", "a..b@c", "a b@c", "a@b@c", "a@[b", "<a@b>", "a@b\r\n"] {
            assert!(checked(&ContentId::new(bad)).is_err(), "{bad}");
        }
    }
}
