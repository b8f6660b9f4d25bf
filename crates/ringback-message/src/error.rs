//! What was wrong with bytes that came in, and what can't be built.

use alloc::boxed::Box;
use core::fmt;

use crate::header::HeaderId;
use crate::message::Message;
use crate::method::Method;
use crate::registry::Source;
use crate::status::StatusCode;

/// The place and kind of the first defect of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseError {
    /// What is wrong.
    pub kind: ParseErrorKind,
    /// The header field it is in, if it is in one.
    pub header: Option<HeaderId>,
    /// The byte of the message where reading stopped, counted from 0.
    pub offset: u32,
    /// What should have stood there, as a phrase that follows "expected".
    pub expected: &'static str,
    /// The section that asks for it, such as "RFC 3261, Section 7.1".
    pub section: &'static str,
}

impl ParseError {
    /// A defect that somebody else than the parser found, such as a message that is too long for its connection.
    #[must_use]
    pub const fn new(
        kind: ParseErrorKind,
        header: Option<HeaderId>,
        offset: u32,
        expected: &'static str,
        section: &'static str,
    ) -> ParseError {
        ParseError { kind, header, offset, expected, section }
    }
}

/// Kinds of defect, by what the receiver does about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// The first line is neither a request line nor a status line.
    StartLine,
    /// A SIP version that is not 2.0: answered with 505. `[RFC 3261, Section 21.5.6]`
    Version,
    /// A line that is no header field.
    HeaderLine,
    /// A value of a known header field that its grammar does not allow.
    HeaderValue,
    /// A header field that must be there once is missing.
    Missing,
    /// A header field that must be there once is there more often.
    Repeated,
    /// A header field stands in a message that can't have it.
    Misplaced,
    /// The length of the body and Content-Length don't fit together.
    Length,
    /// A body is not what its Content-Type says, such as a multipart without its boundary.
    Body,
    /// The message ends before its empty line.
    Incomplete,
    /// A named limit of the parser is passed: answered with 513. `[RFC 3261, Section 21.5.7]`
    TooLarge,
}

impl ParseErrorKind {
    /// The response that a request with this defect gets.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            ParseErrorKind::Version => StatusCode::VersionNotSupported,
            ParseErrorKind::TooLarge => StatusCode::MessageTooLarge,
            _ => StatusCode::BadRequest,
        }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_defect(f, self.header, self.offset, self.expected, self.section)
    }
}

impl core::error::Error for ParseError {}

/// The header field, the byte, what was expected, and the section that asks for it.
pub(crate) fn write_defect(
    f: &mut fmt::Formatter<'_>,
    header: Option<HeaderId>,
    offset: u32,
    expected: &str,
    section: &str,
) -> fmt::Result {
    if let Some(id) = header {
        write!(f, "{id}, ")?;
    }
    write!(f, "byte {offset}: expected {expected}")?;
    if section.is_empty() { Ok(()) } else { write!(f, " [{section}]") }
}

/// Bytes that are not a well-formed message, with all that could be read of them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Rejected {
    /// The first defect.
    pub error: ParseError,
    /// The lines that could be read: enough, often, to answer a request with 400.
    pub salvage: Option<Message>,
}

impl Rejected {
    /// A rejection for this defect, with what could be read.
    #[must_use]
    pub fn new(error: ParseError, salvage: Option<Message>) -> Rejected {
        Rejected { error, salvage }
    }

    pub(crate) fn bare(error: ParseError) -> Box<Rejected> {
        Box::new(Rejected { error, salvage: None })
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl core::error::Error for Rejected {}

/// Why a message can't be built: always the caller's doing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildError {
    /// A value holds CR, LF or NUL, which would let it pose as something else.
    ForbiddenByte {
        /// The header field, or `None` for the start line.
        header: Option<HeaderId>,
        /// The place in the value.
        offset: usize,
    },
    /// A header name or method that is no token. `[RFC 3261, Section 25.1]`
    NotAToken {
        /// What it was meant to be.
        what: &'static str,
    },
    /// The answer must carry a header field that was not given.
    Missing {
        /// The code of the answer.
        status: StatusCode,
        /// The header field.
        header: &'static str,
        /// The RFC and section that ask for it.
        rfc: u16,
        /// The section.
        section: &'static str,
    },
    /// The request must carry a header field that was not given.
    MissingInRequest {
        /// The method of the request.
        method: Method,
        /// The header field.
        header: HeaderId,
        /// The section that defines the method.
        source: Source,
    },
    /// A body is given and its Content-Type is not. `[RFC 3261, Section 20.15]`
    BodyWithoutType,
    /// To needs a tag in every response but 100. `[RFC 3261, Section 8.2.6.2]`
    NoToTag,
    /// A rule that holds of all such messages.
    Rule {
        /// The rule.
        what: &'static str,
        /// The section that gives it.
        section: &'static str,
    },
    /// A value that was given can't be read; its offset is that in the value.
    Value(ParseError),
    /// The Request-URI can't be read.
    RequestUri(ParseError),
    /// What was built would not be read back: the defect.
    Malformed(ParseError),
    /// An edit names a line that the message hasn't.
    NoSuchLine {
        /// The place that was named, counted from 0.
        index: usize,
    },
    /// A value would be read back as another one: a text in it holds what its grammar gives a meaning.
    ReadsOtherwise {
        /// The header field.
        header: HeaderId,
    },
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BuildError::ForbiddenByte { header: Some(id), offset } => {
                write!(f, "{id}: CR, LF or NUL at byte {offset} of the value")
            }
            BuildError::ForbiddenByte { header: None, offset } => {
                write!(f, "start line: CR, LF or NUL at byte {offset} of the value")
            }
            BuildError::NotAToken { what } => write!(f, "the {what} is not a token [RFC 3261, Section 25.1]"),
            BuildError::Missing { status, header, rfc, section } => {
                write!(f, "a {status} must carry {header} [RFC {rfc}, Section {section}]")
            }
            BuildError::MissingInRequest { method, header, source } => {
                let an = if method.as_str().starts_with(['A', 'I', 'O']) { "an" } else { "a" };
                write!(f, "{an} {method} must carry {header} {source}")
            }
            BuildError::BodyWithoutType => {
                f.write_str("a message with a body must carry Content-Type [RFC 3261, Section 20.15]")
            }
            BuildError::NoToTag => f.write_str("the response's To must have a tag [RFC 3261, Section 8.2.6.2]"),
            BuildError::Rule { what, section } => write!(f, "{what} [{section}]"),
            BuildError::Value(error) => match error.header {
                Some(id) => write!(
                    f,
                    "{id}, byte {} of the value: expected {} [{}]",
                    error.offset, error.expected, error.section
                ),
                None => write!(f, "byte {} of the value: expected {}", error.offset, error.expected),
            },
            BuildError::RequestUri(error) => {
                write!(f, "Request-URI, byte {}: expected {} [RFC 3261, Section 19.1]", error.offset, error.expected)
            }
            BuildError::Malformed(error) => write!(f, "what was built is malformed: {error}"),
            BuildError::NoSuchLine { index } => write!(f, "the message has no line at place {index}"),
            BuildError::ReadsOtherwise { header } => {
                write!(f, "{header}: the value would be read as another one than was given")
            }
        }
    }
}

impl core::error::Error for BuildError {}
