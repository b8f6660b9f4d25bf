//! From bytes to a table of lines: one pass over the head, nothing copied.

use alloc::boxed::Box;

use bytes::{Buf, Bytes};

use crate::chars;
use crate::cursor::decimal;
use crate::error::{ParseError, ParseErrorKind, Rejected};
use crate::header::HeaderId;
use crate::message::{Line, Lines, Message, Span, StartLine};
use crate::status::StatusCode;

/// The longest message that is read, in bytes: what one UDP datagram can hold.
pub const MESSAGE_BYTES_MAX: usize = 65_535;
/// The most header lines that are read.
pub const HEADER_LINES_MAX: usize = 512;
/// The longest name of a header field, in bytes.
pub const HEADER_NAME_BYTES_MAX: usize = 256;

/// How the length of the body is known. `[RFC 3261, Section 18.3]`
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    Datagram,
    Stream,
}

pub(crate) fn message(bytes: Bytes, framing: Framing) -> Result<Message, Box<Rejected>> {
    let mut buf = bytes;
    let skipped = buf.iter().take_while(|&&b| b == b'\r' || b == b'\n').count();
    buf.advance(skipped);
    if buf.len() > MESSAGE_BYTES_MAX {
        return Err(too_large());
    }
    let mut message = Message::unread(buf);
    match scan(&mut message).and_then(|()| cut_body(&mut message, framing)) {
        Ok(()) => Ok(message),
        Err(error) => Err(Box::new(Rejected { error, salvage: Some(message) })),
    }
}

/// Reads a head alone, up to and with its empty line, and what it says of the length of its body.
pub(crate) fn head(bytes: Bytes) -> Result<(Message, usize), Box<Rejected>> {
    if bytes.len() > MESSAGE_BYTES_MAX {
        return Err(too_large());
    }
    let mut message = Message::unread(bytes);
    let length = scan(&mut message)
        .and_then(|()| content_length(&message))
        .and_then(|length| length.map(|(length, _)| length).ok_or_else(|| length_missing(&message)));
    match length {
        Ok(length) => Ok((message, length)),
        Err(error) => Err(Box::new(Rejected { error, salvage: Some(message) })),
    }
}

fn length_missing(message: &Message) -> ParseError {
    defect(
        ParseErrorKind::Missing,
        Some(HeaderId::ContentLength),
        message.body_start,
        "this header field, which a stream needs",
        "RFC 3261, Section 20.14",
    )
}

fn defect(
    kind: ParseErrorKind,
    header: Option<HeaderId>,
    offset: u32,
    expected: &'static str,
    section: &'static str,
) -> ParseError {
    ParseError { kind, header, offset, expected, section }
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// A place as the table of lines holds it: messages longer than it can hold are refused before they are read.
#[inline]
fn place(at: usize) -> u16 {
    u16::try_from(at).unwrap_or(u16::MAX)
}

const _: () =
    assert!(MESSAGE_BYTES_MAX <= u16::MAX as usize, "the table of lines can't hold the places of such a message");

fn too_large() -> Box<Rejected> {
    let expected = "a message of at most 65535 bytes";
    Rejected::bare(defect(ParseErrorKind::TooLarge, None, 0, expected, "RFC 3261, Section 18.1.1"))
}

/// Applies Content-Length to what stands behind the empty line.
fn cut_body(message: &mut Message, framing: Framing) -> Result<(), ParseError> {
    let available = message.body().len();
    match (content_length(message)?, framing) {
        (Some((length, _)), _) if length == available => Ok(()),
        (Some((length, _)), Framing::Datagram) if length < available => {
            let end = (message.body_start as usize).saturating_add(length);
            message.buf.truncate(end);
            Ok(())
        }
        (Some((_, at)), _) => {
            let expected = "the length of the body that came with it";
            Err(defect(ParseErrorKind::Length, Some(HeaderId::ContentLength), at, expected, "RFC 3261, Section 18.3"))
        }
        (None, Framing::Datagram) => Ok(()),
        (None, Framing::Stream) if available == 0 => Ok(()),
        (None, Framing::Stream) => Err(length_missing(message)),
    }
}

/// The one value of all Content-Length fields and where it stands.
fn content_length(message: &Message) -> Result<Option<(usize, u32)>, ParseError> {
    let mut found: Option<(usize, u32)> = None;
    for header in message.all(HeaderId::ContentLength) {
        let at = header.offset();
        let bad = |expected| {
            defect(ParseErrorKind::Length, Some(HeaderId::ContentLength), at, expected, "RFC 3261, Section 20.14")
        };
        let length =
            decimal(header.value()).and_then(|n| usize::try_from(n).ok()).ok_or_else(|| bad("a number of bytes"))?;
        if found.is_some_and(|(other, _)| other != length) {
            return Err(bad("the same value as in the field of this name before it"));
        }
        found = Some((length, at));
    }
    Ok(found)
}

/// Fills the message's table of lines, as far as it can be read.
fn scan(message: &mut Message) -> Result<(), ParseError> {
    let mut scan =
        Scan { buf: &message.buf, lines: &mut message.lines, start: StartLine::Broken, all_crlf: true, error: None };
    let head_end = scan.head();
    let Scan { start, all_crlf, error, .. } = scan;
    message.start = start;
    message.body_start = offset(head_end);
    message.clean = all_crlf && error.is_none();
    error.map_or(Ok(()), Err)
}

struct Scan<'a> {
    buf: &'a [u8],
    lines: &'a mut Lines,
    start: StartLine,
    /// No line ended in LF alone.
    all_crlf: bool,
    error: Option<ParseError>,
}

/// Where the text of a line ends, and where the next line starts; the latter is missing where the message ends before the line does.
struct LineEnd {
    text_end: usize,
    next: Option<usize>,
}

impl Scan<'_> {
    /// Keeps the first defect; reading goes on, for the sake of the answer.
    #[cold]
    fn fail(&mut self, kind: ParseErrorKind, at: usize, expected: &'static str, section: &'static str) {
        self.error.get_or_insert(defect(kind, None, offset(at), expected, section));
    }

    /// Reads line by line up to and with the empty one; returns where the body starts.
    fn head(&mut self) -> usize {
        let LineEnd { text_end, mut next } = self.line_end(0);
        self.first_line(self.buf.get(..text_end).unwrap_or_default());
        while let Some(start) = next {
            match self.buf.get(start..).unwrap_or_default() {
                [b'\r', b'\n', ..] => return start + 2,
                [b'\n', ..] => {
                    self.all_crlf = false;
                    return start + 1;
                }
                [] => break,
                [b' ' | b'\t', ..] => next = self.fold(start),
                rest => next = self.header_line(rest, start),
            }
        }
        let end = self.buf.len();
        self.fail(ParseErrorKind::Incomplete, end, "the empty line that ends the header fields", "RFC 3261, Section 7");
        end
    }

    /// The end of the line that goes on at `from`.
    ///
    /// CR stands in line ends only, NUL behind a backslash only: elsewhere they would let a value pose as another.
    #[inline]
    fn line_end(&mut self, from: usize) -> LineEnd {
        let mut at = from;
        loop {
            at += chars::before_control(self.buf.get(at..).unwrap_or_default());
            match self.buf.get(at..) {
                Some([b'\r', b'\n', ..]) => return LineEnd { text_end: at, next: Some(at + 2) },
                Some([b'\n', ..]) => {
                    self.all_crlf = false;
                    return LineEnd { text_end: at, next: Some(at + 1) };
                }
                Some([0 | b'\r', ..]) => self.stray_byte(at),
                Some([_, ..]) => {}
                _ => return LineEnd { text_end: self.buf.len(), next: None },
            }
            at += 1;
        }
    }

    #[cold]
    fn stray_byte(&mut self, at: usize) {
        let escaped = at.checked_sub(1).and_then(|before| self.buf.get(before)) == Some(&b'\\');
        match self.buf.get(at) {
            Some(0) if escaped => {}
            Some(0) => self.fail(ParseErrorKind::HeaderLine, at, "no NUL outside an escape", "RFC 3261, Section 25.1"),
            _ => self.fail(ParseErrorKind::HeaderLine, at, "LF behind CR", "RFC 3261, Section 7"),
        }
    }

    fn first_line(&mut self, line: &[u8]) {
        if line.get(..4).is_some_and(|name| name.eq_ignore_ascii_case(b"SIP/")) {
            self.status_line(line);
        } else {
            self.request_line(line);
        }
    }

    /// `Request-Line = Method SP Request-URI SP SIP-Version CRLF`
    fn request_line(&mut self, line: &[u8]) {
        const SECTION: &str = "RFC 3261, Section 7.1";
        let method_end = chars::run(line, chars::TOKEN);
        let uri_start = method_end + 1;
        if method_end == 0 || line.get(method_end) != Some(&b' ') {
            return self.fail(ParseErrorKind::StartLine, method_end, "a method and a blank", SECTION);
        }
        let uri_len = chars::run(line.get(uri_start..).unwrap_or_default(), chars::REQUEST_URI);
        let uri_end = uri_start + uri_len;
        if uri_len == 0 || line.get(uri_end) != Some(&b' ') {
            return self.fail(ParseErrorKind::StartLine, uri_end, "a Request-URI between single blanks", SECTION);
        }
        let uri = Span { start: offset(uri_start), end: offset(uri_end) };
        self.start = StartLine::Request { method: Span { start: 0, end: offset(method_end) }, uri };
        let version_start = uri_end + 1;
        let version = line.get(version_start..).unwrap_or_default();
        if !version.eq_ignore_ascii_case(b"SIP/2.0") {
            let kind = if is_version(version) { ParseErrorKind::Version } else { ParseErrorKind::StartLine };
            self.fail(kind, version_start, "SIP/2.0 and the end of the line", SECTION);
        }
    }

    /// `Status-Line = SIP-Version SP Status-Code SP Reason-Phrase CRLF`; the last blank may be missing where the phrase is.
    fn status_line(&mut self, line: &[u8]) {
        const SECTION: &str = "RFC 3261, Section 7.2";
        let (version, rest) = line.split_at_checked(7).unwrap_or((line, &[]));
        let code = match rest {
            [b' ', a @ b'0'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9']
            | [b' ', a @ b'0'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', b' ', ..] => {
                let digit = |d: &u8| u16::from(d.saturating_sub(b'0'));
                Some(digit(a) * 100 + digit(b) * 10 + digit(c))
            }
            _ => None,
        };
        let Some(code) = code.and_then(|code| StatusCode::new(code).ok()) else {
            return self.fail(ParseErrorKind::StartLine, version.len(), "a blank and a code from 100 to 699", SECTION);
        };
        let reason_start = line.len().min(12);
        self.start = StartLine::Status { code, reason: Span { start: offset(reason_start), end: offset(line.len()) } };
        if !version.eq_ignore_ascii_case(b"SIP/2.0") {
            self.fail(ParseErrorKind::Version, 0, "SIP/2.0", SECTION);
        }
    }

    /// `message-header = header-name HCOLON header-value CRLF`; returns where the next line starts.
    #[inline]
    fn header_line(&mut self, rest: &[u8], line_start: usize) -> Option<usize> {
        let known = rest.first_chunk::<{ HeaderId::NAME_WINDOW }>().and_then(HeaderId::before_colon);
        let (id, name_len, colon) = match known {
            Some((id, len)) => (id, len, len),
            None => match header_name(rest) {
                Ok(found) => found,
                Err(expected) => return self.skip_line(line_start, expected),
            },
        };
        let value_start = blanks_end(self.buf, line_start + colon + 1);
        let LineEnd { text_end, next } = self.line_end(value_start);
        let value_end = blanks_start(self.buf, value_start, text_end);
        match u16::try_from(name_len) {
            Ok(name_len) if self.lines.len() < HEADER_LINES_MAX && usize::from(name_len) <= HEADER_NAME_BYTES_MAX => {
                self.lines.push(Line {
                    name_start: place(line_start),
                    value_start: place(value_start),
                    value_end: place(value_end),
                    name_len,
                    id,
                });
            }
            _ => self.fail(
                ParseErrorKind::TooLarge,
                line_start,
                "at most 512 header fields with names of at most 256 bytes",
                "RFC 3261, Section 7.3.1",
            ),
        }
        next
    }

    #[cold]
    fn skip_line(&mut self, line_start: usize, expected: &'static str) -> Option<usize> {
        self.fail(ParseErrorKind::HeaderLine, line_start, expected, "RFC 3261, Section 7.3.1");
        self.line_end(line_start).next
    }

    /// A line that goes on with the one before it.
    fn fold(&mut self, line_start: usize) -> Option<usize> {
        let start = blanks_end(self.buf, line_start);
        let LineEnd { text_end, next } = self.line_end(start);
        let end = blanks_start(self.buf, start, text_end);
        match self.lines.last_mut() {
            Some(last) if start < end => {
                if last.value_start == last.value_end {
                    last.value_start = place(start);
                }
                last.value_end = place(end);
            }
            Some(_) => {}
            None => self.fail(ParseErrorKind::HeaderLine, line_start, "a header name", "RFC 3261, Section 7.3.1"),
        }
        next
    }
}

/// A name that the registry lacks or that has blanks behind it: its number, its length, and the place of its colon.
fn header_name(line: &[u8]) -> Result<(HeaderId, usize, usize), &'static str> {
    let len = chars::run(line, chars::TOKEN);
    let colon = blanks_end(line, len);
    match line.get(colon) {
        _ if len == 0 => Err("a header name"),
        Some(b':') => Ok((HeaderId::from_name(line.get(..len).unwrap_or_default()), len, colon)),
        _ => Err("a colon behind the header name"),
    }
}

/// The first place from `from` on where no blank stands.
fn blanks_end(text: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(b' ' | b'\t') = text.get(at) {
        at += 1;
    }
    at
}

/// Where the blanks before `end` start, if any; not before `from`.
fn blanks_start(text: &[u8], from: usize, end: usize) -> usize {
    let mut at = end;
    while let Some(b' ' | b'\t') = at.checked_sub(1).filter(|&last| last >= from).and_then(|last| text.get(last)) {
        at -= 1;
    }
    at
}

/// `SIP/` and two numbers: a version, if not ours.
fn is_version(text: &[u8]) -> bool {
    let Some((name, number)) = text.split_at_checked(4) else { return false };
    let mut parts = number.split(|&b| b == b'.');
    let digits = |part: Option<&[u8]>| part.is_some_and(|p| !p.is_empty() && p.iter().all(u8::is_ascii_digit));
    name.eq_ignore_ascii_case(b"SIP/") && digits(parts.next()) && digits(parts.next()) && parts.next().is_none()
}
