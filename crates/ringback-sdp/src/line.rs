//! One line, and the values that lines have.

mod bandwidth;
mod connection;
mod contact;
mod media;
mod origin;
mod time;

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use crate::cursor::{Cursor, Place, count, is_token};
use crate::error::{BuildError, ParseError};

pub(crate) use bandwidth::SECTION as BANDWIDTH;
pub(crate) use connection::{SECTION as CONNECTION, defect as address_defect};
pub(crate) use contact::defect as contact_defect;
pub(crate) use media::{SECTION as MEDIA, payload_type};
pub(crate) use origin::SECTION as ORIGIN;
pub(crate) use time::{REPEAT, TIMING, ZONE};

pub use bandwidth::Bandwidth;
pub use connection::Connection;
pub use media::{FORMATS_MAX, MediaLine, MediaType};
pub use origin::Origin;
pub use time::{Repeat, TIMES_MAX, TimeSpan, Timing, Zone, ZoneAdjustment};

/// A letter and a value that holds no CR, LF or NUL.
///
/// Two lines are equal where letter and value are, wherever they were read.
#[derive(Clone)]
pub struct Line {
    letter: u8,
    value: Box<[u8]>,
    /// Where it was read, counted from 1; 0 where it was made.
    number: u32,
}

/// Shows the line as text, and nothing of a key: it is a secret.
impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = if self.is_attribute("crypto") { Cow::Borrowed("crypto:…") } else { self.text() };
        write!(f, "{}={}", self.letter(), text.escape_debug())
    }
}

impl PartialEq for Line {
    fn eq(&self, other: &Line) -> bool {
        self.letter == other.letter && self.value == other.value
    }
}

impl Eq for Line {}

impl Line {
    /// A line of any letter.
    ///
    /// # Errors
    /// Where the letter is none of ASCII, or the value holds CR, LF or NUL.
    pub fn new(letter: char, value: impl AsRef<[u8]>) -> Result<Line, BuildError> {
        let value = value.as_ref();
        let forbidden = value.iter().position(|b| matches!(b, b'\r' | b'\n' | 0));
        let byte = u8::try_from(letter).ok().filter(u8::is_ascii_alphabetic);
        match (byte, forbidden) {
            (Some(letter), None) => Ok(Line { letter, value: value.into(), number: 0 }),
            (Some(_), Some(offset)) => Err(BuildError::ForbiddenByte { letter, offset }),
            (None, _) => Err(BuildError::Contradiction {
                media: None,
                what: "a line begins with a letter of ASCII, and this is none",
                value: String::from(letter).into(),
                section: "RFC 8866, Section 5",
            }),
        }
    }

    /// An attribute: `a=name` or `a=name:value`.
    ///
    /// # Errors
    /// Where the name is no token, or the value is empty or holds CR, LF or NUL.
    pub fn attribute(name: &str, value: Option<&str>) -> Result<Line, BuildError> {
        let wrong = |what| BuildError::Contradiction {
            media: None,
            what,
            value: name.into(),
            section: "RFC 8866, Section 5.13",
        };
        if !is_token(name) {
            return Err(wrong("the name of an attribute is not a token"));
        }
        let mut text = String::from(name);
        if let Some(value) = value {
            if value.is_empty() {
                return Err(wrong("an attribute with a colon and no value"));
            }
            text.push(':');
            text.push_str(value);
        }
        Line::new('a', text)
    }

    /// One that was read; the caller has looked for forbidden bytes.
    pub(crate) fn read(letter: u8, value: &[u8], number: u32) -> Line {
        Line { letter, value: value.into(), number }
    }

    /// One of our own making, whose value can't hold a forbidden byte.
    pub(crate) fn own(letter: u8, value: &str) -> Line {
        debug_assert!(!value.bytes().any(|b| matches!(b, b'\r' | b'\n' | 0)));
        Line { letter, value: value.as_bytes().into(), number: 0 }
    }

    /// The letter before the `=`.
    #[must_use]
    pub fn letter(&self) -> char {
        char::from(self.letter)
    }

    pub(crate) fn byte(&self) -> u8 {
        self.letter
    }

    /// What stands behind the `=`.
    #[must_use]
    pub fn value(&self) -> &[u8] {
        &self.value
    }

    /// The value as text; bytes that aren't UTF-8 are replaced.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.value)
    }

    /// The line of the text that it was read from, counted from 1; 0 where it was made.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The name and the value of an attribute; `None` for a line that is none.
    #[must_use]
    pub fn as_attribute(&self) -> Option<(&[u8], Option<&[u8]>)> {
        if self.letter != b'a' {
            return None;
        }
        let mut parts = self.value.splitn(2, |&b| b == b':');
        Some((parts.next()?, parts.next()))
    }

    /// True for an attribute of this name.
    pub(crate) fn is_attribute(&self, name: &str) -> bool {
        self.as_attribute().is_some_and(|(own, _)| own == name.as_bytes())
    }

    /// At the start of the value.
    pub(crate) fn cursor(&self, section: &'static str) -> Result<Cursor<'_>, ParseError> {
        Cursor::new(&self.value, Place { line: self.number, column: 3 }, section)
    }

    /// At the start of what stands behind the colon of an attribute; at the end where there is no colon.
    pub(crate) fn attribute_cursor(&self, section: &'static str) -> Result<Cursor<'_>, ParseError> {
        let (name, value) = self.as_attribute().unwrap_or_default();
        // The letter, the equals sign, the name, and the colon if it is there.
        let before = 2_usize.saturating_add(name.len()).saturating_add(usize::from(value.is_some()));
        let place = Place { line: self.number, column: count(before.saturating_add(1)) };
        Cursor::new(value.unwrap_or_default(), place, section)
    }
}
