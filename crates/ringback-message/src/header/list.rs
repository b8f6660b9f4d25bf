//! Values that hold several, with commas between. `[RFC 3261, Section 7.3.1]`

use crate::cursor::Cursor;
use crate::error::ParseError;
use crate::header::{HeaderId, NameAddr, Via};

/// Reads the elements of one comma-separated value, one after another.
///
/// After an error it ends.
#[derive(Clone, Debug)]
pub struct List<'a, R> {
    cursor: Cursor<'a>,
    read: R,
    ended: bool,
}

impl<'a, T, R: FnMut(&mut Cursor<'a>) -> Result<T, ParseError>> List<'a, R> {
    /// Reads elements by `read`, which stops at a comma.
    pub fn new(header: HeaderId, value: &'a [u8], offset: u32, read: R) -> List<'a, R> {
        let mut cursor = Cursor::new(header, value, offset);
        cursor.lws();
        List { cursor, read, ended: false }
    }

    /// What of the value has not been read.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.cursor.rest()
    }
}

impl<'a, T, R: FnMut(&mut Cursor<'a>) -> Result<T, ParseError>> Iterator for List<'a, R> {
    type Item = Result<T, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        next_element(&mut self.cursor, &mut self.ended, true, &mut self.read)
    }
}

/// The next element, unless the list has ended: it does where no comma follows, and behind a mistake.
#[inline]
pub(crate) fn next_element<'a, T>(
    cursor: &mut Cursor<'a>,
    ended: &mut bool,
    by_comma: bool,
    read: impl FnOnce(&mut Cursor<'a>) -> Result<T, ParseError>,
) -> Option<Result<T, ParseError>> {
    if *ended {
        return None;
    }
    let element = read(cursor).and_then(|element| {
        cursor.lws();
        *ended = !(by_comma && cursor.separator(b','));
        let expected = if by_comma { "a comma or the end of the value" } else { "the end of the value" };
        if *ended && !cursor.is_done() { Err(cursor.error(expected)) } else { Ok(element) }
    });
    *ended |= element.is_err();
    Some(element)
}

/// The elements of an address list such as Contact or Route.
pub(crate) fn addresses(
    header: HeaderId,
    value: &[u8],
    offset: u32,
) -> impl Iterator<Item = Result<NameAddr<&[u8]>, ParseError>> {
    List::new(header, value, offset, NameAddr::parse)
}

/// The elements of a Via.
pub(crate) fn vias(value: &[u8], offset: u32) -> impl Iterator<Item = Result<Via<&[u8]>, ParseError>> {
    List::new(HeaderId::Via, value, offset, Via::parse)
}

/// The elements of a list of tokens such as Supported or Allow; an empty value has none.
pub fn tokens(header: HeaderId, value: &[u8], offset: u32) -> impl Iterator<Item = Result<&[u8], ParseError>> {
    let mut list = List::new(header, value, offset, |cursor| cursor.token("a token"));
    list.ended = list.cursor.is_done();
    list
}

/// Whether a list of tokens has this one, in any case; what behind a mistake can't be read isn't looked at.
pub(crate) fn has_token(header: HeaderId, value: &[u8], token: &[u8]) -> bool {
    tokens(header, value, 0).flatten().any(|other| other.eq_ignore_ascii_case(token))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn commas_in_quotes_and_brackets_do_not_count() {
        let value = b"\"a,b\" <sip:x,y@z>;p=\"1,2\" ,\r\n <sip:c@d>";
        let all: Vec<_> = addresses(HeaderId::Contact, value, 0).map(Result::unwrap).collect();
        assert_eq!(all.len(), 2);
    }

    #[test]
    fn tokens_and_their_errors() {
        let read = |value: &'static [u8]| tokens(HeaderId::Require, value, 0).collect::<Result<Vec<_>, _>>();
        assert_eq!(read(b" a ,b,\tc ").unwrap(), [b"a", b"b", b"c"]);
        assert!(read(b"").unwrap().is_empty());
        assert!(read(b"  ").unwrap().is_empty());
        for bad in [&b","[..], b"a,", b"a,,b", b"a b", b"(a)"] {
            assert!(tokens(HeaderId::Require, bad, 0).any(|t| t.is_err()));
        }
    }
}
