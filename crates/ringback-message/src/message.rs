//! A message as bytes and the places of its lines.

use core::fmt;
use core::ops::Deref;

use bytes::Bytes;
use smallvec::SmallVec;

use crate::cursor::{Cursor, decimal};
use crate::error::{ParseError, ParseErrorKind, Rejected};
use crate::essentials::Essentials;
use crate::header::list as header_list;
use crate::header::{CSeq, HeaderId, NameAddr, Via, tokens};
use crate::method::Method;
use crate::parse;
use crate::status::StatusCode;
use alloc::boxed::Box;

/// How many header lines a message holds without allocating.
pub const INLINE_LINES: usize = 32;

/// A stretch of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    pub(crate) fn of(self, buf: &[u8]) -> &[u8] {
        buf.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    pub(crate) fn len(self) -> usize {
        self.end.saturating_sub(self.start) as usize
    }

    /// The place of a slice that was cut from the buffer by reading it: found by its distance to the end.
    pub(crate) fn within(outer: Span, rest_before: usize, rest_after: usize) -> Span {
        let len = (outer.end - outer.start) as usize;
        let at = |rest: usize| outer.start + u32::try_from(len.saturating_sub(rest)).unwrap_or(0);
        Span { start: at(rest_before), end: at(rest_after) }
    }
}

/// One header line: its name by number, and where name and value stand. A message has at most 65535 bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    pub(crate) name_start: u16,
    pub(crate) value_start: u16,
    pub(crate) value_end: u16,
    pub(crate) name_len: u16,
    pub(crate) id: HeaderId,
}

impl Line {
    /// The same line in another message, so many bytes further on; backwards where the sum wraps around.
    pub(crate) fn moved(self, by: u16) -> Line {
        Line {
            name_start: self.name_start.wrapping_add(by),
            value_start: self.value_start.wrapping_add(by),
            value_end: self.value_end.wrapping_add(by),
            ..self
        }
    }

    /// Where the value stands.
    pub(crate) fn value(&self) -> Span {
        Span { start: self.value_start.into(), end: self.value_end.into() }
    }
}

pub(crate) type Lines = SmallVec<[Line; INLINE_LINES]>;

/// The first line.
#[derive(Clone, Copy, Debug)]
pub(crate) enum StartLine {
    Request {
        method: Span,
        uri: Span,
    },
    Status {
        code: StatusCode,
        reason: Span,
    },
    /// Not readable: only in what [`Rejected`] salvages from a request.
    Broken,
}

/// A request or response: immutable bytes and the table of their lines.
///
/// Parsing copies nothing; writing returns the same bytes. A changed message is a new one, made by [`Edit`](crate::Edit).
#[derive(Clone)]
pub struct Message {
    pub(crate) buf: Bytes,
    pub(crate) start: StartLine,
    pub(crate) lines: Lines,
    pub(crate) body_start: u32,
    /// The lines stand one behind the other, each ends in CRLF, and none holds what it must not: they can be copied as they are.
    pub(crate) clean: bool,
}

/// One header field of a message.
#[derive(Clone, Copy, Debug)]
pub struct Header<'a> {
    message: &'a Message,
    line: Line,
    index: usize,
}

impl Message {
    pub(crate) fn unread(buf: Bytes) -> Message {
        Message { buf, start: StartLine::Broken, lines: Lines::new(), body_start: 0, clean: false }
    }

    /// Reads a message that came as one datagram. `[RFC 3261, Section 18.3]`
    ///
    /// Empty lines before it are passed over; bytes beyond Content-Length are left out; without Content-Length the body runs to the end.
    /// Lines may end in LF alone.
    ///
    /// # Errors
    /// The first defect of framing, with all lines that could be read.
    pub fn parse(datagram: Bytes) -> Result<Message, Box<Rejected>> {
        parse::message(datagram, parse::Framing::Datagram)
    }

    /// Reads a message that was cut from a stream: Content-Length must be there and fit. `[RFC 3261, Section 20.14]`
    ///
    /// # Errors
    /// The first defect of framing, with all lines that could be read.
    pub fn parse_framed(bytes: Bytes) -> Result<Message, Box<Rejected>> {
        parse::message(bytes, parse::Framing::Stream)
    }

    /// Reads the head of a message from a stream, up to and with its empty line: the head, and the length that it gives its body.
    ///
    /// # Errors
    /// The first defect; a Content-Length that is missing or can't be used is one.
    pub fn parse_head(head: Bytes) -> Result<(Message, usize), Box<Rejected>> {
        parse::head(head)
    }

    /// The bytes as they came or will go.
    #[must_use]
    pub fn as_bytes(&self) -> &Bytes {
        &self.buf
    }

    /// True for a request, false for a response.
    #[must_use]
    pub fn is_request(&self) -> bool {
        !matches!(self.start, StartLine::Status { .. })
    }

    /// The method of a request.
    #[must_use]
    pub fn method(&self) -> Option<Method> {
        Method::from_token(self.method_text()?).ok()
    }

    /// The method of a request as written.
    #[must_use]
    pub fn method_text(&self) -> Option<&[u8]> {
        match self.start {
            StartLine::Request { method, .. } => Some(method.of(&self.buf)),
            _ => None,
        }
    }

    /// The method of the request, or of that which a response answers; `None` where the registry lacks it.
    pub(crate) fn own_method(&self) -> Option<Method> {
        if self.is_request() {
            return Method::registered(self.method_text()?);
        }
        let cseq = self.first(HeaderId::CSeq)?;
        Method::registered(CSeq::parse(cseq.value(), cseq.offset()).ok()?.method)
    }

    /// The Request-URI as written; empty for a response.
    #[must_use]
    pub fn request_uri_text(&self) -> &[u8] {
        match self.start {
            StartLine::Request { uri, .. } => uri.of(&self.buf),
            _ => &[],
        }
    }

    /// The code of a response.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self.start {
            StartLine::Status { code, .. } => Some(code),
            _ => None,
        }
    }

    /// The reason phrase of a response: text for people, UTF-8 if its sender keeps the rules.
    #[must_use]
    pub fn reason(&self) -> &[u8] {
        match self.start {
            StartLine::Status { reason, .. } => reason.of(&self.buf),
            _ => &[],
        }
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.buf.get(self.body_start as usize..).unwrap_or_default()
    }

    /// All header fields in order.
    pub fn headers(&self) -> impl DoubleEndedIterator<Item = Header<'_>> + Clone {
        self.lines.iter().enumerate().map(|(index, line)| Header { message: self, line: *line, index })
    }

    /// The header fields of that name in order.
    pub fn all(&self, id: HeaderId) -> impl DoubleEndedIterator<Item = Header<'_>> + Clone {
        let lines = self.lines.iter().enumerate().filter(move |(_, line)| line.id == id);
        lines.map(|(index, line)| Header { message: self, line: *line, index })
    }

    /// The first header field of that name.
    #[must_use]
    pub fn first(&self, id: HeaderId) -> Option<Header<'_>> {
        self.header_at(self.lines.iter().position(|line| line.id == id)?)
    }

    /// The header field at this place, counted from 0.
    pub(crate) fn header_at(&self, index: usize) -> Option<Header<'_>> {
        Some(Header { message: self, line: *self.lines.get(index)?, index })
    }

    /// The header fields of a name that the registry lacks, in any case.
    pub fn all_named<'a>(&'a self, name: &'a [u8]) -> impl Iterator<Item = Header<'a>> {
        self.headers().filter(move |h| h.name().eq_ignore_ascii_case(name))
    }

    /// Every address of every header field of that name: Contact, Route, Record-Route, Path …
    pub fn addresses(&self, id: HeaderId) -> impl Iterator<Item = Result<NameAddr<&[u8]>, ParseError>> {
        self.all(id).flat_map(|h| header_list::addresses(h.line.id, h.value(), h.offset()))
    }

    /// Every Via from the top.
    pub fn vias(&self) -> impl Iterator<Item = Result<Via<&[u8]>, ParseError>> {
        self.all(HeaderId::Via).flat_map(|h| header_list::vias(h.value(), h.offset()))
    }

    /// Every token of every header field of that name: Require, Supported, Allow …
    pub fn tokens(&self, id: HeaderId) -> impl Iterator<Item = Result<&[u8], ParseError>> {
        self.all(id).flat_map(|h| tokens(h.line.id, h.value(), h.offset()))
    }

    /// Whether a header field of that name lists this token, in any case: an option tag in Require, a package in Allow-Events …
    ///
    /// Names of methods differ by case: compare what [`Message::tokens`] gives.
    #[must_use]
    pub fn has_token(&self, id: HeaderId, token: impl AsRef<[u8]>) -> bool {
        self.all(id).any(|header| header_list::has_token(id, header.value(), token.as_ref()))
    }

    /// A header field whose value is one number, such as Expires: `None` where it is missing.
    ///
    /// # Errors
    /// Where the value is no number of 32 bits.
    pub fn number(&self, id: HeaderId) -> Result<Option<u32>, ParseError> {
        let Some(header) = self.first(id) else { return Ok(None) };
        let cursor = header.cursor();
        decimal(header.value()).map(Some).ok_or_else(|| cursor.error("a number below 4294967296"))
    }

    /// Where in a clean message the line at this place starts; for the count of lines, where the empty line does.
    pub(crate) fn line_start(&self, index: usize) -> u32 {
        self.lines.get(index).map_or(self.body_start.saturating_sub(2), |line| line.name_start.into())
    }

    pub(crate) fn line_value(&self, line: &Line) -> &[u8] {
        line.value().of(&self.buf)
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.buf.escape_ascii())
    }
}

/// Two messages are equal where their bytes are.
impl PartialEq for Message {
    fn eq(&self, other: &Message) -> bool {
        self.buf == other.buf
    }
}

impl Eq for Message {}

impl<'a> Header<'a> {
    /// Which header field it is.
    #[must_use]
    pub fn id(&self) -> HeaderId {
        self.line.id
    }

    /// Its place among the lines, from 0: what [`Edit`](crate::Edit) takes.
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }

    /// The name as written.
    #[must_use]
    pub fn name(&self) -> &'a [u8] {
        let start = u32::from(self.line.name_start);
        Span { start, end: start + u32::from(self.line.name_len) }.of(&self.message.buf)
    }

    /// The value as written, without white space at its ends, folds included.
    #[must_use]
    pub fn value(&self) -> &'a [u8] {
        self.line.value().of(&self.message.buf)
    }

    /// Where in the message the value starts.
    #[must_use]
    pub fn offset(&self) -> u32 {
        self.line.value_start.into()
    }

    pub(crate) fn message(&self) -> &'a Message {
        self.message
    }

    pub(crate) fn line(&self) -> Line {
        self.line
    }

    /// How many bytes the line has in a clean message, its folds and its end included.
    pub(crate) fn line_len(&self) -> usize {
        Span { start: self.line.name_start.into(), end: self.message.line_start(self.index + 1) }.len()
    }

    /// A cursor at the start of the value.
    #[must_use]
    pub fn cursor(&self) -> Cursor<'a> {
        Cursor::new(self.line.id, self.value(), self.offset())
    }
}

/// A request whose mandatory header fields were read: From, To, Call-ID, CSeq and the top Via. `[RFC 3261, Section 8.1.1]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    message: Message,
    essentials: Essentials,
}

/// A response whose mandatory header fields were read. `[RFC 3261, Section 8.2.6.2]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    message: Message,
    essentials: Essentials,
    status: StatusCode,
}

macro_rules! checked {
    ($name:ident) => {
        impl Deref for $name {
            type Target = Message;

            fn deref(&self) -> &Message {
                &self.message
            }
        }

        impl $name {
            /// The branch of the top Via; `None` from an element of RFC 2543.
            #[must_use]
            pub fn branch(&self) -> Option<&[u8]> {
                self.essentials.branch(&self.message)
            }

            /// The top Via.
            #[must_use]
            pub fn top_via(&self) -> Via<&[u8]> {
                self.essentials.via(&self.message)
            }

            /// The Call-ID.
            #[must_use]
            pub fn call_id(&self) -> &[u8] {
                self.essentials.call_id(&self.message)
            }

            /// The tag of From; `None` from an element of RFC 2543.
            #[must_use]
            pub fn from_tag(&self) -> Option<&[u8]> {
                self.essentials.tag_of_from(&self.message)
            }

            /// The tag of To.
            #[must_use]
            pub fn to_tag(&self) -> Option<&[u8]> {
                self.essentials.tag_of_to(&self.message)
            }

            /// The number of CSeq.
            #[must_use]
            pub fn cseq(&self) -> u32 {
                self.essentials.cseq
            }

            /// The method of CSeq.
            #[must_use]
            pub fn cseq_method(&self) -> &[u8] {
                self.essentials.cseq_method(&self.message)
            }

            /// From.
            ///
            /// # Errors
            /// Never in practice: the value was read when the message was checked.
            pub fn from_header(&self) -> Result<NameAddr<&[u8]>, ParseError> {
                self.message.single(HeaderId::From)
            }

            /// To.
            ///
            /// # Errors
            /// Never in practice: the value was read when the message was checked.
            pub fn to_header(&self) -> Result<NameAddr<&[u8]>, ParseError> {
                self.message.single(HeaderId::To)
            }

            /// The message without the proof that it was checked.
            #[must_use]
            pub fn into_message(self) -> Message {
                self.message
            }
        }
    };
}

checked!(Request);
checked!(Response);

impl Message {
    fn single(&self, id: HeaderId) -> Result<NameAddr<&[u8]>, ParseError> {
        let header = self.first(id).ok_or_else(|| missing(id, self.body_start))?;
        NameAddr::parse_only(id, header.value(), header.offset())
    }
}

pub(crate) fn missing(id: HeaderId, offset: u32) -> ParseError {
    ParseError {
        kind: ParseErrorKind::Missing,
        header: Some(id),
        offset,
        expected: "this header field, which every message carries",
        section: "RFC 3261, Section 8.1.1",
    }
}

impl Request {
    /// Reads a request that came as one datagram, and checks it: [`Message::parse`] and [`Request::check`] on a copy of the bytes.
    ///
    /// # Errors
    /// The first defect, with all that could be read.
    pub fn parse(datagram: &[u8]) -> Result<Request, Box<Rejected>> {
        Request::check(Message::parse(Bytes::copy_from_slice(datagram))?)
    }

    /// Checks the mandatory header fields of a request.
    ///
    /// # Errors
    /// The first defect, with the message so that it can be answered.
    pub fn check(message: Message) -> Result<Request, Box<Rejected>> {
        match Essentials::read(&message) {
            Ok(essentials) if message.is_request() => Ok(Request { message, essentials }),
            Ok(_) => Err(Box::new(Rejected { error: wrong_kind("a request"), salvage: Some(message) })),
            Err(error) => Err(Box::new(Rejected { error, salvage: Some(message) })),
        }
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> Method {
        self.message.method().unwrap_or(Method::Options)
    }

    /// True where this is the method, without making a [`Method`].
    #[must_use]
    pub fn is(&self, method: &Method) -> bool {
        self.message.method_text() == Some(method.as_str().as_bytes())
    }

    /// Max-Forwards; `None` where it is missing or no number from 0 to 255. `[RFC 3261, Section 20.22]`
    #[must_use]
    pub fn max_forwards(&self) -> Option<u8> {
        self.essentials.max_forwards
    }

    /// The Request-URI.
    ///
    /// # Errors
    /// Where it is malformed.
    pub fn request_uri(&self) -> Result<crate::uri::Uri<&[u8]>, ParseError> {
        let StartLine::Request { uri, .. } = self.message.start else {
            return Err(wrong_kind("a request"));
        };
        crate::uri::Uri::parse(uri.of(&self.message.buf), HeaderId::Other, uri.start).map_err(|error| ParseError {
            kind: ParseErrorKind::StartLine,
            header: None,
            section: "RFC 3261, Section 19.1",
            ..error
        })
    }
}

impl Response {
    /// Reads a response that came as one datagram, and checks it: [`Message::parse`] and [`Response::check`] on a copy of the bytes.
    ///
    /// # Errors
    /// The first defect, with all that could be read.
    pub fn parse(datagram: &[u8]) -> Result<Response, Box<Rejected>> {
        Response::check(Message::parse(Bytes::copy_from_slice(datagram))?)
    }

    /// Checks the mandatory header fields of a response.
    ///
    /// # Errors
    /// The first defect.
    pub fn check(message: Message) -> Result<Response, Box<Rejected>> {
        let Some(status) = message.status() else {
            return Err(Box::new(Rejected { error: wrong_kind("a response"), salvage: Some(message) }));
        };
        match Essentials::read(&message) {
            Ok(essentials) => Ok(Response { message, essentials, status }),
            Err(error) => Err(Box::new(Rejected { error, salvage: Some(message) })),
        }
    }

    /// The code.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }
}

fn wrong_kind(expected: &'static str) -> ParseError {
    ParseError { kind: ParseErrorKind::StartLine, header: None, offset: 0, expected, section: "RFC 3261, Section 7" }
}
