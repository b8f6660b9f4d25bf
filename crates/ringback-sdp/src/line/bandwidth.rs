//! `b=`. `[RFC 8866, Section 5.8]`

use core::fmt;

use crate::cursor::Cursor;
use crate::error::ParseError;

pub(crate) const SECTION: &str = "RFC 8866, Section 5.8";

/// What bandwidth is meant to be used.
///
/// ```text
/// bandwidth-field = %s"b" "=" bwtype ":" bandwidth CRLF
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bandwidth<'a> {
    /// `AS`, `CT`, `RS`, `RR`, `TIAS` or another.
    pub kind: &'a str,
    /// Kilobits per second for `AS` and `CT`, bits per second for `RS`, `RR` and `TIAS`.
    pub value: u64,
}

impl<'a> Bandwidth<'a> {
    /// Reads the value of a `b=` line.
    ///
    /// # Errors
    /// Where it is none.
    pub fn parse(text: &'a str) -> Result<Bandwidth<'a>, ParseError> {
        Bandwidth::read(&mut Cursor::detached(text, SECTION))
    }

    pub(crate) fn read(cursor: &mut Cursor<'a>) -> Result<Bandwidth<'a>, ParseError> {
        let kind = cursor.token("a type of bandwidth")?;
        cursor.expect(':', "a colon and the bandwidth")?;
        let value = cursor.number("a bandwidth of digits, below 2 to the 64th")?;
        cursor.end()?;
        Ok(Bandwidth { kind, value })
    }
}

impl fmt::Display for Bandwidth<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.value)
    }
}
