//! Reading a header value byte by byte.

use core::fmt;

use crate::chars;
use crate::error::{ParseError, ParseErrorKind};
use crate::header::HeaderId;
use crate::header::text::Escaped;

/// A place in a value. Nothing moves it past the end, and it can't be moved back.
#[derive(Clone)]
pub struct Cursor<'a> {
    rest: &'a [u8],
    /// The offset in the message of the end of `rest`, which stays where it is while the cursor moves.
    end: u32,
    header: HeaderId,
    strictness: Strictness,
}

impl fmt::Debug for Cursor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Cursor { rest, header, .. } = self;
        f.debug_struct("Cursor")
            .field("header", header)
            .field("offset", &self.offset())
            .field("rest", &Escaped(rest))
            .finish()
    }
}

/// How much is refused: reading lets pass what does no harm, and building makes none of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Strictness {
    /// What can't be read.
    Reading,
    /// Also what the grammar lacks: an escape without its digits. `[RFC 3261, Section 25.1]`
    Grammar,
    /// Also what a rule beside the grammar forbids: a parameter that stands twice. `[RFC 3261, Section 7.3.1]`
    Building,
}

impl<'a> Cursor<'a> {
    /// At the start of a value that begins at `offset` of its message.
    #[must_use]
    #[inline]
    pub fn new(header: HeaderId, value: &'a [u8], offset: u32) -> Cursor<'a> {
        Cursor { rest: value, end: offset.saturating_add(length(value)), header, strictness: Strictness::Reading }
    }

    /// The same, as strict as this.
    #[must_use]
    #[inline]
    pub(crate) fn with_strictness(self, strictness: Strictness) -> Cursor<'a> {
        Cursor { strictness, ..self }
    }

    /// A part of what is read here, at its own offset.
    #[must_use]
    #[inline]
    pub(crate) fn part<'b>(&self, text: &'b [u8], offset: u32) -> Cursor<'b> {
        Cursor::new(self.header, text, offset).with_strictness(self.strictness)
    }

    #[inline]
    pub(crate) fn strictness(&self) -> Strictness {
        self.strictness
    }

    /// What has not been read.
    #[must_use]
    #[inline]
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The place in the message.
    #[must_use]
    #[inline]
    pub fn offset(&self) -> u32 {
        self.end.saturating_sub(length(self.rest))
    }

    /// The header field that is being read.
    #[must_use]
    #[inline]
    pub fn header(&self) -> HeaderId {
        self.header
    }

    /// True where all is read.
    #[must_use]
    #[inline]
    pub fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next byte, left in place.
    #[must_use]
    #[inline]
    pub fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Takes as many bytes, or all that are left.
    #[inline]
    pub fn take(&mut self, count: usize) -> &'a [u8] {
        let (head, tail) = self.rest.split_at_checked(count).unwrap_or((self.rest, &[]));
        self.rest = tail;
        head
    }

    /// Takes bytes for as long as `keep` says so.
    #[inline]
    pub fn take_while(&mut self, keep: impl Fn(u8) -> bool) -> &'a [u8] {
        let before = self.rest;
        while let [next, rest @ ..] = self.rest
            && keep(*next)
        {
            self.rest = rest;
        }
        before.get(..before.len() - self.rest.len()).unwrap_or_default()
    }

    /// Takes bytes for as long as they are of one of the classes.
    #[inline]
    pub(crate) fn run(&mut self, class: u8) -> &'a [u8] {
        self.take_while(|b| chars::is(b, class))
    }

    /// Takes this byte if it comes next.
    #[inline]
    pub fn eat(&mut self, byte: u8) -> bool {
        match self.rest {
            [next, rest @ ..] if *next == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// Passes white space and folds.
    #[inline]
    pub fn lws(&mut self) {
        while let [b' ' | b'\t' | b'\r' | b'\n', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    /// Passes white space and folds; false where none stands here.
    #[inline]
    pub(crate) fn blanks(&mut self) -> bool {
        let there = matches!(self.rest, [b' ' | b'\t' | b'\r' | b'\n', ..]);
        self.lws();
        there
    }

    /// Takes a separator with white space around it; true if it was there. The white space is passed in either case.
    #[inline]
    pub fn separator(&mut self, byte: u8) -> bool {
        self.lws();
        let there = self.eat(byte);
        if there {
            self.lws();
        }
        there
    }

    /// A `token`.
    ///
    /// # Errors
    /// Where none stands here.
    #[inline]
    pub fn token(&mut self, expected: &'static str) -> Result<&'a [u8], ParseError> {
        let token = self.run(chars::TOKEN);
        if token.is_empty() { Err(self.error(expected)) } else { Ok(token) }
    }

    /// A decimal number that fits in 32 bits.
    ///
    /// # Errors
    /// Where no digit stands here, or the number is larger: it neither wraps nor saturates.
    #[inline]
    pub fn number(&mut self, expected: &'static str) -> Result<u32, ParseError> {
        let at = self.clone();
        let digits = self.take_while(|b| b.is_ascii_digit());
        decimal(digits).ok_or_else(|| at.error(expected))
    }

    /// A `quoted-string`, both quotes included. `[RFC 3261, Section 25.1]`
    ///
    /// # Errors
    /// Where none stands here or its end is missing.
    #[inline]
    pub fn quoted_string(&mut self) -> Result<&'a [u8], ParseError> {
        match quoted_len(self.rest) {
            Ok(len) => Ok(self.take(len)),
            Err(expected) => Err(self.error(expected)),
        }
    }

    /// A `comment`, its parentheses included; comments nest. `[RFC 3261, Section 25.1]`
    ///
    /// # Errors
    /// Where none stands here or its end is missing.
    pub fn comment(&mut self) -> Result<&'a [u8], ParseError> {
        let mut depth = 0_usize;
        let mut ahead = self.rest.iter().enumerate();
        while let Some((i, &b)) = ahead.next() {
            match b {
                b'\\' => _ = ahead.next(),
                b'(' => depth = depth.saturating_add(1),
                b')' => depth = depth.saturating_sub(1),
                _ if depth == 0 => return Err(self.error("a comment in parentheses")),
                _ => {}
            }
            if depth == 0 {
                return Ok(self.take(i.saturating_add(1)));
            }
        }
        Err(self.error("the closing parenthesis of this comment"))
    }

    /// An error at this place.
    #[must_use]
    #[inline]
    pub fn error(&self, expected: &'static str) -> ParseError {
        // By value: a cursor whose address is given away stays in memory, where each step of it is stored.
        bad_value(self.header, self.offset(), expected)
    }

    /// An error at a part of what has not been read at this place.
    #[must_use]
    #[cold]
    pub fn error_at(&self, part: &[u8], expected: &'static str) -> ParseError {
        let distance = part.as_ptr().addr().checked_sub(self.rest.as_ptr().addr()).filter(|&d| d <= self.rest.len());
        let distance = distance.and_then(|d| u32::try_from(d).ok()).unwrap_or(0);
        ParseError { offset: self.offset().saturating_add(distance), ..self.error(expected) }
    }

    /// Nothing but white space may follow.
    ///
    /// # Errors
    /// Where something does.
    #[inline]
    pub fn end(&mut self) -> Result<(), ParseError> {
        self.lws();
        if self.is_done() { Ok(()) } else { Err(self.error("the end of the value")) }
    }
}

/// How long the quoted string is that these bytes start with, or what is missing of it.
fn quoted_len(text: &[u8]) -> Result<usize, &'static str> {
    if text.first() != Some(&b'"') {
        return Err("a quoted string");
    }
    let mut at = 1;
    while let Some(ahead) = text.get(at..) {
        let Some(plain) = ahead.iter().position(|&b| b == b'"' || b == b'\\') else { break };
        at += plain + 1;
        if ahead.get(plain) == Some(&b'"') {
            return Ok(at);
        }
        // What is escaped ends nothing.
        at += 1;
    }
    Err("the closing quote of this quoted string")
}

#[cold]
#[inline(never)]
fn bad_value(header: HeaderId, offset: u32, expected: &'static str) -> ParseError {
    ParseError { kind: ParseErrorKind::HeaderValue, header: Some(header), offset, expected, section: section(header) }
}

#[inline]
fn length(text: &[u8]) -> u32 {
    u32::try_from(text.len()).unwrap_or(u32::MAX)
}

/// Digits as a number of 32 bits; `None` where there are none, other bytes, or too many.
#[inline]
pub(crate) fn decimal(digits: &[u8]) -> Option<u32> {
    /// So many digits fit whatever they are.
    const DIGITS_SAFE: usize = 9;
    let digit = |b: u8| b.is_ascii_digit().then(|| u32::from(b - b'0'));
    match digits.len() {
        0 => None,
        1..=DIGITS_SAFE => digits.iter().try_fold(0, |n, &b| Some(n * 10 + digit(b)?)),
        _ => digits.iter().try_fold(0_u32, |n, &b| n.checked_mul(10)?.checked_add(digit(b)?)),
    }
}

/// Where the grammar of a header field stands.
fn section(header: HeaderId) -> &'static str {
    header.facts().map_or("RFC 3261, Section 25.1", |facts| facts.source.as_str())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn at(value: &[u8]) -> Cursor<'_> {
        Cursor::new(HeaderId::Via, value, 100)
    }

    #[test]
    fn numbers_never_wrap() {
        assert_eq!(at(b"4294967295 x").number("n").unwrap(), u32::MAX);
        for bad in [&b"4294967296"[..], b"99999999999999999999", b"", b"-1", b"+1", b" 1"] {
            assert_eq!(at(bad).number("n").unwrap_err().offset, 100);
        }
    }

    #[test]
    fn quoted_strings_end_where_they_should() {
        assert_eq!(at(b"\"a\\\"b\" c").quoted_string().unwrap(), b"\"a\\\"b\"");
        for bad in [&b"\"a"[..], b"\"", b"\"a\\", b"\"a\\\"", b"a\""] {
            assert!(at(bad).quoted_string().is_err());
        }
    }

    #[test]
    fn offsets_are_those_of_the_message() {
        let mut cursor = at(b"ab ; c");
        cursor.token("t").unwrap();
        assert!(cursor.separator(b';'));
        assert_eq!(cursor.offset(), 105);
        assert_eq!(cursor.error("x").offset, 105);
    }
}
