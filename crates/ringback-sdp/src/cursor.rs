//! Reading a value byte by byte, and the character classes of the grammar. `[RFC 8866, Section 9]`

use crate::error::{ParseError, ParseErrorKind};

/// A place in the value of a line. Nothing moves it past the end, and it can't be moved back.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    rest: &'a str,
    line: u32,
    column: u32,
    section: &'static str,
    lenient: Option<ParseError>,
}

/// Where a value stands: its line, and the column of its first byte, both counted from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The line; 0 where the value was never read from a text.
    pub line: u32,
    /// The column, in bytes.
    pub column: u32,
}

impl<'a> Cursor<'a> {
    /// At the start of a value; `section` is where its grammar stands.
    ///
    /// # Errors
    /// Where the bytes are not UTF-8.
    pub fn new(value: &'a [u8], place: Place, section: &'static str) -> Result<Cursor<'a>, ParseError> {
        let Place { line, column } = place;
        match core::str::from_utf8(value) {
            Ok(rest) => Ok(Cursor { rest, line, column, section, lenient: None }),
            Err(error) => Err(ParseError {
                kind: ParseErrorKind::Value,
                line,
                column: column.saturating_add(count(error.valid_up_to())),
                expected: "text in UTF-8",
                section,
            }),
        }
    }

    /// At the start of text that belongs to no description.
    #[must_use]
    pub fn detached(rest: &'a str, section: &'static str) -> Cursor<'a> {
        Cursor { rest, line: 0, column: 1, section, lenient: None }
    }

    /// What has not been read.
    #[must_use]
    pub fn rest(&self) -> &'a str {
        self.rest
    }

    /// True where all is read.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next character, left in place.
    #[must_use]
    pub fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    /// Takes characters for as long as `keep` says so.
    pub fn take_while(&mut self, keep: impl Fn(char) -> bool) -> &'a str {
        let length = self.rest.find(|c| !keep(c)).unwrap_or(self.rest.len());
        let (head, tail) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        self.rest = tail;
        self.column = self.column.saturating_add(count(head.len()));
        head
    }

    /// Takes all that is left.
    pub fn take_all(&mut self) -> &'a str {
        self.take_while(|_| true)
    }

    /// Takes this character if it comes next.
    pub fn eat(&mut self, wanted: char) -> bool {
        match self.rest.strip_prefix(wanted) {
            Some(tail) => {
                self.rest = tail;
                self.column = self.column.saturating_add(count(wanted.len_utf8()));
                true
            }
            None => false,
        }
    }

    /// Takes this word if it comes next, in either case of its letters.
    pub fn eat_word(&mut self, word: &str) -> bool {
        let Some((head, tail)) = self.rest.split_at_checked(word.len()) else { return false };
        let there = head.eq_ignore_ascii_case(word);
        if there {
            self.rest = tail;
            self.column = self.column.saturating_add(count(word.len()));
        }
        there
    }

    /// A character that must come next.
    ///
    /// # Errors
    /// Where it doesn't.
    pub fn expect(&mut self, wanted: char, expected: &'static str) -> Result<(), ParseError> {
        if self.eat(wanted) { Ok(()) } else { Err(self.error(expected)) }
    }

    /// One blank. Several, or a tab, are passed and remembered as a departure.
    ///
    /// # Errors
    /// Where none stands here.
    pub fn space(&mut self, expected: &'static str) -> Result<(), ParseError> {
        let at = self.clone();
        match self.take_while(is_blank) {
            "" => Err(self.error(expected)),
            " " => Ok(()),
            _ => {
                self.lenient.get_or_insert_with(|| at.error("one blank, and no more"));
                Ok(())
            }
        }
    }

    /// A blank and something behind it, or the end: true where something follows. Blanks at the end are passed and
    /// remembered as a departure.
    pub fn more(&mut self) -> bool {
        let at = self.clone();
        match self.take_while(is_blank) {
            "" => false,
            blanks => {
                if self.is_done() {
                    self.lenient.get_or_insert_with(|| at.error("no blank at the end of the line"));
                } else if blanks != " " {
                    self.lenient.get_or_insert_with(|| at.error("one blank, and no more"));
                }
                !self.is_done()
            }
        }
    }

    /// Blanks and tabs, at least one: where the grammar allows any number.
    ///
    /// # Errors
    /// Where none stands here.
    pub fn blanks(&mut self, expected: &'static str) -> Result<(), ParseError> {
        self.word(is_blank, expected).map(drop)
    }

    /// A departure from the grammar whose meaning is plain, at the place of `at`.
    pub(crate) fn depart(&mut self, at: &Cursor<'a>, expected: &'static str) {
        self.lenient.get_or_insert_with(|| at.error(expected));
    }

    /// A `token`.
    ///
    /// # Errors
    /// Where none stands here.
    pub fn token(&mut self, expected: &'static str) -> Result<&'a str, ParseError> {
        self.word(is_token_char, expected)
    }

    /// A `non-ws-string`.
    ///
    /// # Errors
    /// Where none stands here.
    pub fn visible(&mut self, expected: &'static str) -> Result<&'a str, ParseError> {
        self.word(is_visible, expected)
    }

    /// At least one character of a class.
    ///
    /// # Errors
    /// Where none stands here.
    pub fn word(&mut self, class: impl Fn(char) -> bool, expected: &'static str) -> Result<&'a str, ParseError> {
        match self.take_while(class) {
            "" => Err(self.error(expected)),
            word => Ok(word),
        }
    }

    /// Digits, of any number.
    ///
    /// # Errors
    /// Where none stands here.
    pub fn digits(&mut self, expected: &'static str) -> Result<&'a str, ParseError> {
        self.word(|c| c.is_ascii_digit(), expected)
    }

    /// A decimal number that its type can hold: it neither wraps nor saturates.
    ///
    /// # Errors
    /// Where no digit stands here, or the number is larger.
    pub fn number<N: core::str::FromStr>(&mut self, expected: &'static str) -> Result<N, ParseError> {
        let at = self.clone();
        self.take_while(|c| c.is_ascii_digit()).parse().map_err(|_| at.error(expected))
    }

    /// Nothing but blanks may follow.
    ///
    /// # Errors
    /// Where something does.
    pub fn end(&mut self) -> Result<(), ParseError> {
        if self.more() { Err(self.error("the end of the line")) } else { self.nothing() }
    }

    fn nothing(&self) -> Result<(), ParseError> {
        if self.is_done() { Ok(()) } else { Err(self.error("a blank or the end of the line")) }
    }

    /// An error at this place.
    #[must_use]
    pub fn error(&self, expected: &'static str) -> ParseError {
        ParseError {
            kind: ParseErrorKind::Value,
            line: self.line,
            column: self.column,
            expected,
            section: self.section,
        }
    }

    /// The first departure from the grammar that was passed over.
    #[must_use]
    pub fn lenient(&self) -> Option<ParseError> {
        self.lenient
    }
}

/// A length as a number of columns.
pub(crate) fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

pub(crate) fn is_blank(c: char) -> bool {
    c == ' ' || c == '\t'
}

/// `token-char`.
pub(crate) fn is_token_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`{|}~".contains(c)
}

/// `VCHAR` or beyond ASCII.
pub(crate) fn is_visible(c: char) -> bool {
    !c.is_ascii() || c.is_ascii_graphic()
}

/// True where the text is a `token`.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_token_char)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn at(text: &str) -> Cursor<'_> {
        Cursor::new(text.as_bytes(), Place { line: 7, column: 3 }, "").unwrap()
    }

    #[test]
    fn numbers_never_wrap() {
        assert_eq!(at("65535 x").number::<u16>("n").unwrap(), u16::MAX);
        for bad in ["65536", "99999999999999999999", "", "-1", "+1", " 1"] {
            assert_eq!(at(bad).number::<u16>("n").unwrap_err().column, 3, "{bad}");
        }
    }

    #[test]
    fn places_are_those_of_the_line() {
        let mut cursor = at("ab  c ");
        cursor.token("t").unwrap();
        cursor.space("blank").unwrap();
        assert_eq!((cursor.lenient().unwrap().line, cursor.lenient().unwrap().column), (7, 5));
        assert_eq!(cursor.token("t").unwrap(), "c");
        assert_eq!(cursor.error("x").column, 8);
        cursor.end().unwrap();
        assert_eq!(at("ab c").end().unwrap_err().column, 3);
    }

    #[test]
    fn what_is_not_utf_8_has_a_place() {
        let error = Cursor::new(b"ab\xff", Place { line: 2, column: 3 }, "").unwrap_err();
        assert_eq!((error.line, error.column), (2, 5));
    }

    #[test]
    fn tokens_are_those_of_the_grammar() {
        let token = (0..=255_u8).filter(|&b| is_token_char(char::from(b))).count();
        assert_eq!(token, 62 + 17);
        assert!(is_token("a.b-c") && !is_token("") && !is_token("a b") && !is_token("é"));
    }
}
