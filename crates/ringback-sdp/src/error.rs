//! What was wrong with a description that came in, and what can't be built.

use alloc::boxed::Box;
use core::fmt;

/// The place and kind of one defect of a description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseError {
    /// What is wrong.
    pub kind: ParseErrorKind,
    /// The line, counted from 1; 0 for a line that was never read from a text.
    pub line: u32,
    /// The byte of the line where reading stopped, counted from 1.
    pub column: u32,
    /// What should have stood there, as a phrase that follows "expected".
    pub expected: &'static str,
    /// The section that asks for it, such as "RFC 8866, Section 5.2".
    pub section: &'static str,
}

/// Kinds of defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// A line that is not a letter, `=` and a value.
    Line,
    /// A line that doesn't end in CR LF, or an empty one.
    LineEnd,
    /// A byte that no line may hold: NUL, or CR that ends nothing.
    ForbiddenByte,
    /// A letter that the grammar doesn't know.
    UnknownLine,
    /// A line that stands where it may not.
    Order,
    /// A line that must be there and is not.
    Missing,
    /// A line that may be there once is there again.
    Repeated,
    /// A version that is not 0.
    Version,
    /// A value that its grammar doesn't allow.
    Value,
    /// A line that must be thrown away: `k=`.
    Obsolete,
    /// A named limit of the parser is passed.
    TooLarge,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}, ", self.line)?;
        }
        let place = if self.line > 0 { "" } else { " of the value" };
        write!(f, "column {}{place}: expected {}", self.column, self.expected)?;
        if self.section.is_empty() { Ok(()) } else { write!(f, " [{}]", self.section) }
    }
}

impl core::error::Error for ParseError {}

/// Why a description can't be built: always the caller's doing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildError {
    /// A value holds CR, LF or NUL, which would let it pose as something else.
    ForbiddenByte {
        /// The letter of the line.
        letter: char,
        /// The place in the value.
        offset: usize,
    },
    /// What was built, or checked, would not be read back: the defect, by the line and column of the text that was read or would
    /// have been written, or by the column of a value alone, with line 0, where there is no text yet.
    Malformed(ParseError),
    /// An attribute that was given can't have this value: the defect, by the column of the value alone.
    Attribute {
        /// The media description, counted from 0; `None` where it concerns the whole, or isn't in one yet.
        media: Option<usize>,
        /// The name of the attribute.
        name: &'static str,
        /// What is wrong with its value.
        error: ParseError,
    },
    /// Two parts of the description contradict each other, or one lacks what it needs.
    Contradiction {
        /// The media description, counted from 0; `None` where it concerns the whole.
        media: Option<usize>,
        /// What is wrong.
        what: &'static str,
        /// The value that is, as it was given.
        value: Box<str>,
        /// The section that asks for it.
        section: &'static str,
    },
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BuildError::ForbiddenByte { letter, offset } => {
                write!(f, "{letter}=: CR, LF or NUL at byte {offset} of the value")
            }
            BuildError::Malformed(error) => error.fmt(f),
            BuildError::Attribute { media, name, error } => {
                in_media(*media, f)?;
                write!(f, "a={name}, {error}")
            }
            BuildError::Contradiction { media, what, value, section } => {
                in_media(*media, f)?;
                write!(f, "{what}: {value:?}")?;
                if section.is_empty() { Ok(()) } else { write!(f, " [{section}]") }
            }
        }
    }
}

fn in_media(media: Option<usize>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    media.map_or(Ok(()), |index| write!(f, "media description {index}: "))
}

impl core::error::Error for BuildError {}

impl BuildError {
    /// The same, where it concerns a media description.
    pub(crate) fn in_media(mut self, index: Option<usize>) -> BuildError {
        if let BuildError::Contradiction { media: media @ None, .. }
        | BuildError::Attribute { media: media @ None, .. } = &mut self
        {
            *media = index;
        }
        self
    }
}

impl From<ParseError> for BuildError {
    fn from(error: ParseError) -> BuildError {
        BuildError::Malformed(error)
    }
}
