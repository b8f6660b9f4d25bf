//! `message/sipfrag`: a piece of a message. `[RFC 3420]`

use alloc::vec::Vec;

use bytes::Bytes;

use super::fragment::{defect, entity, header_fields, is_header_line};
use crate::cursor::decimal;
use crate::error::{ParseError, ParseErrorKind};
use crate::header::{Decode, HeaderId, check_value};
use crate::message::{Header, Message, StartLine};
use crate::parse::MESSAGE_BYTES_MAX;
use crate::status::StatusCode;

const SECTION: &str = "RFC 3420, Section 2";

/// A message of which the start line, header fields and the body may be missing: what the NOTIFY of a REFER tells of its outcome.
///
/// ```text
/// sipfrag = [ start-line ] *message-header [ CRLF [ message-body ] ]
/// ```
///
/// ```
/// use bytes::Bytes;
/// use ringback_message::body::Sipfrag;
///
/// let outcome = Sipfrag::parse(Bytes::from_static(b"SIP/2.0 486 Busy Here\r\nRetry-After: 5\r\n"))?;
/// assert_eq!(outcome.status().map(|code| code.as_u16()), Some(486));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sipfrag {
    /// Its start line is [`StartLine::Broken`] where there is none.
    message: Message,
}

impl Sipfrag {
    /// Reads a fragment; offsets of errors are counted from its start. The last line may lack its CRLF, as phones leave it out.
    ///
    /// # Errors
    /// Where the start line is there and incomplete, a header field is malformed, or a body lacks Content-Type or is not of
    /// the length that Content-Length gives it.
    pub fn parse(fragment: Bytes) -> Result<Sipfrag, ParseError> {
        if fragment.len() > MESSAGE_BYTES_MAX {
            return Err(defect(ParseErrorKind::TooLarge, 0, "a fragment of at most 65535 bytes", SECTION));
        }
        let line_end = memchr::memmem::find(&fragment, b"\r\n").unwrap_or(fragment.len());
        let line = fragment.get(..line_end).unwrap_or_default();
        let (start, from) = match line.is_empty() || is_header_line(line) {
            true => (StartLine::Broken, 0),
            false => (start_line(line)?, line_end.saturating_add(2).min(fragment.len())),
        };
        let (lines, body_start) = header_fields(fragment.get(from..).unwrap_or_default(), from, SECTION)?;
        let fragment = Sipfrag { message: entity(fragment, start, lines, body_start) };
        fragment.headers().try_for_each(|header| check_value(header.id(), header.value(), header.offset()))?;
        fragment.check_body()?;
        Ok(fragment)
    }

    /// The code, where the fragment begins like a response.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.message.status()
    }

    /// The reason phrase; empty where there is none.
    #[must_use]
    pub fn reason(&self) -> &[u8] {
        self.message.reason()
    }

    /// The method as written, where the fragment begins like a request.
    #[must_use]
    pub fn method_text(&self) -> Option<&[u8]> {
        self.message.method_text()
    }

    /// The Request-URI as written; empty where there is none.
    #[must_use]
    pub fn request_uri_text(&self) -> &[u8] {
        self.message.request_uri_text()
    }

    /// All header fields in order.
    pub fn headers(&self) -> impl DoubleEndedIterator<Item = Header<'_>> + Clone {
        self.message.headers()
    }

    /// The first value of a header field, `None` where there is none.
    ///
    /// # Errors
    /// Where it is malformed.
    pub fn get<'a, H: Decode<'a> + 'a>(&'a self) -> Result<Option<H>, ParseError> {
        self.message.get()
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.message.body()
    }

    /// "If the message/sipfrag part contains a body, it MUST also contain the appropriate header fields describing that body".
    fn check_body(&self) -> Result<(), ParseError> {
        let available = self.body().len();
        for header in self.message.all(HeaderId::ContentLength) {
            let length = decimal(header.value()).and_then(|length| usize::try_from(length).ok());
            if length != Some(available) {
                let error = header.cursor().error("the length of the body that came with it");
                return Err(ParseError { kind: ParseErrorKind::Length, ..error });
            }
        }
        if available > 0 && self.message.first(HeaderId::ContentType).is_none() {
            let body_start = self.message.body_start as usize;
            return Err(defect(ParseErrorKind::Missing, body_start, "Content-Type before a body", SECTION));
        }
        Ok(())
    }
}

/// Reads a start line as that of a message, so that the rules are the same.
fn start_line(line: &[u8]) -> Result<StartLine, ParseError> {
    let mut alone = Vec::with_capacity(line.len().saturating_add(4));
    alone.extend_from_slice(line);
    alone.extend_from_slice(b"\r\n\r\n");
    match Message::parse(Bytes::from(alone)) {
        Ok(message) => Ok(message.start),
        Err(rejected) => Err(rejected.error),
    }
}
