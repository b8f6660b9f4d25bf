//! From bytes to a table of lines: one pass over the line ends, nothing copied.

use alloc::boxed::Box;

use bytes::Bytes;

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
    let skipped = bytes.iter().take_while(|&&b| b == b'\r' || b == b'\n').count();
    let buf = bytes.slice(skipped..);
    if buf.len() > MESSAGE_BYTES_MAX {
        let error =
            defect(ParseErrorKind::TooLarge, None, 0, "a message of at most 65535 bytes", "RFC 3261, Section 18.1.1");
        return Err(Rejected::bare(error));
    }
    let mut scan = Scan::new(&buf);
    scan.run();
    let Scan { lines, start, body_start, bare_lf, mut error, .. } = scan;
    let mut message = Message { buf, start, lines, body_start, bare_lf };
    if error.is_none() {
        error = cut_body(&mut message, framing).err();
    }
    match error {
        None => Ok(message),
        Some(error) => Err(Box::new(Rejected { error, salvage: Some(message) })),
    }
}

/// Reads a head alone, up to and with its empty line, and what it says of the length of its body.
pub(crate) fn head(bytes: Bytes) -> Result<(Message, usize), Box<Rejected>> {
    let mut scan = Scan::new(&bytes);
    scan.run();
    let Scan { lines, start, body_start, bare_lf, error, .. } = scan;
    let message = Message { buf: bytes, start, lines, body_start, bare_lf };
    let length = match (error, content_length(&message)) {
        (Some(error), _) | (None, Err(error)) => Err(error),
        (None, Ok(Some((length, _)))) => Ok(length),
        (None, Ok(None)) => Err(length_missing(&message)),
    };
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

struct Scan<'a> {
    buf: &'a [u8],
    lines: Lines,
    start: StartLine,
    body_start: u32,
    bare_lf: bool,
    crlf_count: usize,
    error: Option<ParseError>,
}

impl<'a> Scan<'a> {
    fn new(buf: &'a [u8]) -> Scan<'a> {
        Scan {
            buf,
            lines: Lines::new(),
            start: StartLine::Broken,
            body_start: offset(buf.len()),
            bare_lf: false,
            crlf_count: 0,
            error: None,
        }
    }

    /// Keeps the first defect; reading goes on, for the sake of the answer.
    fn fail(&mut self, kind: ParseErrorKind, at: usize, expected: &'static str, section: &'static str) {
        self.error.get_or_insert(defect(kind, None, offset(at), expected, section));
    }

    fn run(&mut self) {
        let buf = self.buf;
        let mut line_start = 0;
        let mut head_end = None;
        for newline in memchr::memchr_iter(b'\n', buf) {
            let mut line = buf.get(line_start..newline).unwrap_or_default();
            match line.strip_suffix(b"\r") {
                Some(stripped) => {
                    line = stripped;
                    self.crlf_count += 1;
                }
                None => self.bare_lf = true,
            }
            let next = newline.saturating_add(1);
            if line_start == 0 {
                self.first_line(line);
            } else if line.is_empty() {
                head_end = Some(next);
                break;
            } else {
                self.header_line(line, line_start);
            }
            line_start = next;
        }
        match head_end {
            Some(end) => {
                self.body_start = offset(end);
                self.check_bytes(end);
            }
            None => self.unfinished(line_start),
        }
    }

    /// The empty line never came: what is left is a line without its end.
    fn unfinished(&mut self, line_start: usize) {
        let rest = self.buf.get(line_start..).unwrap_or_default();
        if line_start == 0 {
            self.first_line(rest);
        } else if !rest.is_empty() {
            self.header_line(rest, line_start);
        }
        self.check_bytes(self.buf.len());
        self.fail(
            ParseErrorKind::Incomplete,
            self.buf.len(),
            "the empty line that ends the header fields",
            "RFC 3261, Section 7",
        );
    }

    /// CR stands in line ends only, NUL behind a backslash in a quoted string only: elsewhere they would let a value pose as another.
    fn check_bytes(&mut self, head_end: usize) {
        let head = self.buf.get(..head_end).unwrap_or_default();
        let escaped = |at: usize| at.checked_sub(1).and_then(|before| head.get(before)) == Some(&b'\\');
        if let Some(at) = memchr::memchr_iter(0, head).find(|&at| !escaped(at)) {
            self.fail(ParseErrorKind::HeaderLine, at, "no NUL in a header field", "RFC 3261, Section 25.1");
        }
        if memchr::memchr_iter(b'\r', head).count() != self.crlf_count {
            let bare = memchr::memchr_iter(b'\r', head).find(|&at| head.get(at.saturating_add(1)) != Some(&b'\n'));
            self.fail(ParseErrorKind::HeaderLine, bare.unwrap_or(0), "LF behind CR", "RFC 3261, Section 7");
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
        let Some(method_end) = memchr::memchr(b' ', line) else {
            return self.fail(ParseErrorKind::StartLine, line.len(), "a blank behind the method", SECTION);
        };
        let method = line.get(..method_end).unwrap_or_default();
        if !chars::is_token(method) {
            return self.fail(ParseErrorKind::StartLine, 0, "a method", SECTION);
        }
        let uri_start = method_end.saturating_add(1);
        let tail = line.get(uri_start..).unwrap_or_default();
        let Some(uri_len) = memchr::memchr(b' ', tail) else {
            return self.fail(
                ParseErrorKind::StartLine,
                line.len(),
                "a blank and SIP/2.0 behind the Request-URI",
                SECTION,
            );
        };
        let uri = tail.get(..uri_len).unwrap_or_default();
        if !chars::all(uri, chars::URI) && !uri.iter().all(|&b| b >= 0x80 || chars::is(b, chars::URI)) || uri.is_empty()
        {
            return self.fail(ParseErrorKind::StartLine, uri_start, "a Request-URI between single blanks", SECTION);
        }
        let version_start = uri_start.saturating_add(uri_len).saturating_add(1);
        let version = line.get(version_start..).unwrap_or_default();
        let uri = Span { start: offset(uri_start), end: offset(uri_start.saturating_add(uri_len)) };
        self.start = StartLine::Request { method: Span { start: 0, end: offset(method_end) }, uri };
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

    /// `message-header = header-name HCOLON header-value CRLF`, or a line that goes on with the one before it.
    fn header_line(&mut self, line: &[u8], line_start: usize) {
        const SECTION: &str = "RFC 3261, Section 7.3.1";
        if let [b' ' | b'\t', ..] = line {
            return self.fold(line, line_start);
        }
        if self.lines.len() >= HEADER_LINES_MAX {
            return self.fail(ParseErrorKind::TooLarge, line_start, "at most 512 header fields", SECTION);
        }
        let Some(colon) = memchr::memchr(b':', line) else {
            return self.fail(ParseErrorKind::HeaderLine, line_start, "a header name and a colon", SECTION);
        };
        let mut name = line.get(..colon).unwrap_or_default();
        while let [head @ .., b' ' | b'\t'] = name {
            name = head;
        }
        if !chars::is_token(name) {
            return self.fail(ParseErrorKind::HeaderLine, line_start, "a header name", SECTION);
        }
        let name_len = match u16::try_from(name.len()) {
            Ok(len) if name.len() <= HEADER_NAME_BYTES_MAX => len,
            _ => return self.fail(ParseErrorKind::TooLarge, line_start, "a header name of at most 256 bytes", SECTION),
        };
        let (value_start, value_end) = trimmed(line, colon.saturating_add(1), line_start);
        let id = HeaderId::from_name(name);
        self.lines.push(Line { name_start: offset(line_start), value_start, value_end, name_len, id });
    }

    fn fold(&mut self, line: &[u8], line_start: usize) {
        let (start, end) = trimmed(line, 0, line_start);
        match self.lines.last_mut() {
            Some(last) if start < end => {
                if last.value_start == last.value_end {
                    last.value_start = start;
                }
                last.value_end = end;
            }
            Some(_) => {}
            None => self.fail(ParseErrorKind::HeaderLine, line_start, "a header name", "RFC 3261, Section 7.3.1"),
        }
    }
}

/// The place in the message of a line's part from `from` on, without blanks at its ends.
fn trimmed(line: &[u8], from: usize, line_start: usize) -> (u32, u32) {
    let mut start = from;
    while let Some(b' ' | b'\t') = line.get(start) {
        start += 1;
    }
    let mut end = line.len();
    while let Some(b' ' | b'\t') = end.checked_sub(1).filter(|_| end > start).and_then(|last| line.get(last)) {
        end -= 1;
    }
    (offset(line_start.saturating_add(start)), offset(line_start.saturating_add(end)))
}

/// `SIP/` and two numbers: a version, if not ours.
fn is_version(text: &[u8]) -> bool {
    let Some((name, number)) = text.split_at_checked(4) else { return false };
    let mut parts = number.split(|&b| b == b'.');
    let digits = |part: Option<&[u8]>| part.is_some_and(|p| !p.is_empty() && p.iter().all(u8::is_ascii_digit));
    name.eq_ignore_ascii_case(b"SIP/") && digits(parts.next()) && digits(parts.next()) && parts.next().is_none()
}
