//! Writing a message: bytes and spans in one go.

use alloc::vec::Vec;
use core::ops::Range;

use bytes::Bytes;

use crate::chars;
use crate::error::{BuildError, ParseError, ParseErrorKind};
use crate::header::HeaderId;
use crate::message::{Header, Line, Lines, Message, Span, StartLine};
use crate::parse::{HEADER_LINES_MAX, HEADER_NAME_BYTES_MAX, MESSAGE_BYTES_MAX};
use crate::status::StatusCode;

/// Writes a message line by line. The first mistake is kept and returned at the end.
pub(crate) struct Writer {
    out: Vec<u8>,
    lines: Lines,
    start: StartLine,
    error: Option<BuildError>,
}

impl Writer {
    pub(crate) fn with_capacity(bytes: usize) -> Writer {
        Writer { out: Vec::with_capacity(bytes), lines: Lines::new(), start: StartLine::Broken, error: None }
    }

    fn fail(&mut self, error: BuildError) {
        self.error.get_or_insert(error);
    }

    fn here(&self) -> u32 {
        u32::try_from(self.out.len()).unwrap_or(u32::MAX)
    }

    /// Appends text of a start line or value, refusing what would end it.
    fn text(&mut self, header: Option<HeaderId>, text: &[u8]) -> Span {
        if let Some(offset) = memchr::memchr3(b'\r', b'\n', 0, text) {
            self.fail(BuildError::ForbiddenByte { header, offset });
        }
        self.raw(text)
    }

    fn raw(&mut self, text: &[u8]) -> Span {
        let start = self.here();
        self.out.extend_from_slice(text);
        Span { start, end: self.here() }
    }

    pub(crate) fn request_line(&mut self, method: &[u8], uri: &[u8]) {
        if !chars::is_token(method) {
            self.fail(BuildError::NotAToken { what: "method" });
        }
        let method = self.text(None, method);
        self.raw(b" ");
        let uri = self.text(None, uri);
        self.raw(b" SIP/2.0\r\n");
        self.start = StartLine::Request { method, uri };
    }

    pub(crate) fn request_line_len(method: &[u8], uri: &[u8]) -> usize {
        method.len() + uri.len() + "  SIP/2.0\r\n".len()
    }

    pub(crate) fn status_line_len(reason: &[u8]) -> usize {
        "SIP/2.0 200 ".len() + reason.len() + "\r\n".len()
    }

    /// What a line takes.
    pub(crate) fn line_len(name: &[u8], value: &[u8]) -> usize {
        name.len() + ": ".len() + value.len() + "\r\n".len()
    }

    /// What [`Writer::finish`] writes where no Content-Length was.
    pub(crate) fn end_len(body: &[u8]) -> usize {
        let digits = body.len().checked_ilog10().unwrap_or(0) as usize + 1;
        Writer::line_len(b"Content-Length", b"") + digits + "\r\n".len() + body.len()
    }

    pub(crate) fn status_line(&mut self, code: StatusCode, reason: &[u8]) {
        self.raw(b"SIP/2.0 ");
        self.number(u64::from(code.as_u16()));
        self.raw(b" ");
        let reason = self.text(None, reason);
        self.raw(b"\r\n");
        self.start = StartLine::Status { code, reason };
    }

    fn number(&mut self, number: u64) {
        self.raw(itoa::Buffer::new().format(number).as_bytes());
    }

    /// A header field whose value the closure writes.
    pub(crate) fn header_with(&mut self, id: HeaderId, write: impl FnOnce(&mut Vec<u8>)) {
        self.known_line(id, |writer| {
            let start = writer.here();
            write(&mut writer.out);
            let value = writer.out.get(start as usize..).unwrap_or_default();
            if let Some(offset) = memchr::memchr3(b'\r', b'\n', 0, value) {
                writer.fail(BuildError::ForbiddenByte { header: Some(id), offset });
            }
        });
    }

    pub(crate) fn header(&mut self, id: HeaderId, value: &[u8]) {
        self.known_line(id, |writer| _ = writer.text(Some(id), blanks_off(value)));
    }

    pub(crate) fn header_number(&mut self, id: HeaderId, value: u64) {
        self.known_line(id, |writer| writer.number(value));
    }

    /// A header field under a name of the caller's.
    pub(crate) fn header_named(&mut self, name: &[u8], value: &[u8]) {
        if !chars::is_token(name) {
            self.fail(BuildError::NotAToken { what: "header name" });
        }
        let id = HeaderId::from_name(name);
        self.line(id, name, |writer| _ = writer.text(Some(id), blanks_off(value)));
    }

    /// The first line of another message to the letter, but for another Request-URI where one is given.
    pub(crate) fn copy_start_line(&mut self, message: &Message, uri: Option<&[u8]>) {
        let buf = &message.buf;
        match (message.start, uri) {
            (StartLine::Request { method, uri: old }, _) if !message.clean => {
                self.request_line(method.of(buf), uri.unwrap_or_else(|| old.of(buf)));
            }
            (StartLine::Status { code, reason }, _) if !message.clean => self.status_line(code, reason.of(buf)),
            (StartLine::Request { method, uri: old }, Some(uri)) => {
                self.raw(Span { start: 0, end: old.start }.of(buf));
                let uri = self.text(None, uri);
                self.raw(Span { start: old.end, end: message.line_start(0) }.of(buf));
                self.start = StartLine::Request { method, uri };
            }
            (StartLine::Request { .. } | StartLine::Status { .. }, _) => {
                self.raw(Span { start: 0, end: message.line_start(0) }.of(buf));
                self.start = message.start;
            }
            (StartLine::Broken, _) => self.fail(BuildError::NotAToken { what: "method" }),
        }
    }

    /// Lines of another message to the letter, those from one place up to another.
    pub(crate) fn copy_lines(&mut self, message: &Message, places: Range<usize>) {
        if places.is_empty() {
            return;
        }
        if !message.clean {
            return message
                .headers()
                .take(places.end)
                .skip(places.start)
                .for_each(|header| self.rewritten(header, &[]));
        }
        let stretch = Span { start: message.line_start(places.start), end: message.line_start(places.end) };
        let moved = narrow(self.here().wrapping_sub(stretch.start));
        self.raw(stretch.of(&message.buf));
        let first = self.lines.len();
        self.lines.extend_from_slice(message.lines.get(places).unwrap_or_default());
        self.lines.iter_mut().skip(first).for_each(|line| *line = line.moved(moved));
    }

    /// A header field of another message to the letter, its folds included.
    pub(crate) fn copy(&mut self, header: Header<'_>) {
        let message = header.message();
        if !message.clean {
            return self.rewritten(header, &[]);
        }
        let line = header.line();
        let moved = narrow(self.here()).wrapping_sub(line.name_start);
        self.raw(Span { start: line.name_start.into(), end: message.line_start(header.index() + 1) }.of(&message.buf));
        self.lines.push(line.moved(moved));
    }

    /// The same with something appended, such as a tag.
    pub(crate) fn copy_and(&mut self, header: Header<'_>, more: &[&[u8]]) {
        if !header.message().clean {
            return self.rewritten(header, more);
        }
        self.copy_up_to(header, header.line().value().end, more);
    }

    /// A header field under the name of another message's, blanks and colon to the letter, with a value of the caller's.
    pub(crate) fn copy_name(&mut self, header: Header<'_>, value: &[u8]) {
        let (line, value) = (header.line(), blanks_off(value));
        let name_end = u32::from(line.name_start) + u32::from(line.name_len);
        let gap = Span { start: name_end, end: line.value().start }.of(&header.message().buf);
        // An empty value may stand behind a fold.
        if header.message().clean && !gap.contains(&b'\n') {
            self.copy_up_to(header, line.value().start, &[value]);
        } else {
            self.line(line.id, header.name(), |writer| _ = writer.text(Some(line.id), value));
        }
    }

    /// The line of a clean message up to a place in or before its value, then these.
    fn copy_up_to(&mut self, header: Header<'_>, end: u32, more: &[&[u8]]) {
        let line = header.line();
        let start = u32::from(line.name_start);
        let moved = narrow(self.here().wrapping_sub(start));
        self.raw(Span { start, end }.of(&header.message().buf));
        for part in more {
            self.text(Some(line.id), part);
        }
        self.lines.push(Line { value_end: narrow(self.here()), ..line.moved(moved) });
        self.raw(b"\r\n");
    }

    /// A header field of a message that has line ends or bytes which must not be passed on.
    fn rewritten(&mut self, header: Header<'_>, more: &[&[u8]]) {
        self.line(header.id(), header.name(), |writer| {
            writer.unfolded(header.value());
            for part in more {
                writer.text(Some(header.id()), part);
            }
        });
    }

    /// One blank in the place of each fold, and of a CR, LF or NUL that must not be passed on.
    fn unfolded(&mut self, value: &[u8]) {
        let pieces = value.split(|&b| matches!(b, b'\r' | b'\n' | 0)).map(chars::trim);
        for (i, piece) in pieces.filter(|piece| !piece.is_empty()).enumerate() {
            if i > 0 {
                self.raw(b" ");
            }
            self.raw(piece);
        }
    }

    /// A header field under the name that the registry has for it.
    fn known_line(&mut self, id: HeaderId, value: impl FnOnce(&mut Writer)) {
        if id == HeaderId::Other {
            self.fail(BuildError::NotAToken { what: "header name" });
        }
        self.line(id, id.as_str().as_bytes(), value);
    }

    fn line(&mut self, id: HeaderId, name: &[u8], value: impl FnOnce(&mut Writer)) {
        let Span { start: name_start, end: name_end } = self.raw(name);
        self.raw(b": ");
        let value_start = self.here();
        value(self);
        let value_end = self.here();
        self.raw(b"\r\n");
        self.lines.push(Line {
            name_start: narrow(name_start),
            value_start: narrow(value_start),
            value_end: narrow(value_end),
            name_len: narrow(name_end - name_start),
            id,
        });
    }

    /// The end of the head and the body; Content-Length is written unless it was.
    pub(crate) fn finish(mut self, body: &[u8]) -> Result<Message, BuildError> {
        if !self.lines.iter().any(|line| line.id == HeaderId::ContentLength) {
            self.header_number(HeaderId::ContentLength, u64::try_from(body.len()).unwrap_or(u64::MAX));
        }
        self.raw(b"\r\n");
        let body_start = self.here();
        self.raw(body);
        if let Some(error) = self.error {
            return Err(error);
        }
        let long_name = |line: &Line| usize::from(line.name_len) > HEADER_NAME_BYTES_MAX;
        let too_large = match () {
            () if self.out.len() > MESSAGE_BYTES_MAX => Some("a message of at most 65535 bytes"),
            () if self.lines.len() > HEADER_LINES_MAX => Some("at most 512 header fields"),
            () if self.lines.iter().any(long_name) => Some("a header name of at most 256 bytes"),
            () => None,
        };
        if let Some(expected) = too_large {
            let section = "RFC 3261, Section 18.1.1";
            return Err(BuildError::Malformed(ParseError {
                kind: ParseErrorKind::TooLarge,
                header: None,
                offset: 0,
                expected,
                section,
            }));
        }
        Ok(Message { buf: Bytes::from(self.out), start: self.start, lines: self.lines, body_start, clean: true })
    }
}

/// A place as the table of lines holds it. One that doesn't fit is of a message that is too long, which is refused in the end.
fn narrow(place: u32) -> u16 {
    let [low, high, ..] = place.to_le_bytes();
    u16::from_le_bytes([low, high])
}

/// The value without the blanks at its ends that reading it back would take off.
pub(crate) fn blanks_off(value: &[u8]) -> &[u8] {
    let mut rest = value;
    while let [b' ' | b'\t', tail @ ..] = rest {
        rest = tail;
    }
    while let [head @ .., b' ' | b'\t'] = rest {
        rest = head;
    }
    rest
}
