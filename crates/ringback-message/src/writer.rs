//! Writing a message: bytes and spans in one go.

use alloc::vec::Vec;

use bytes::Bytes;

use crate::chars;
use crate::error::{BuildError, ParseError, ParseErrorKind};
use crate::header::HeaderId;
use crate::message::{Header, Line, Lines, Message, Span, StartLine};
use crate::parse::MESSAGE_BYTES_MAX;
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
        self.line(id, id.as_str().as_bytes(), |writer| {
            let start = writer.here();
            write(&mut writer.out);
            let value = writer.out.get(start as usize..).unwrap_or_default();
            if let Some(offset) = memchr::memchr3(b'\r', b'\n', 0, value) {
                writer.fail(BuildError::ForbiddenByte { header: Some(id), offset });
            }
        });
    }

    pub(crate) fn header(&mut self, id: HeaderId, value: &[u8]) {
        self.line(id, id.as_str().as_bytes(), |writer| _ = writer.text(Some(id), blanks_off(value)));
    }

    pub(crate) fn header_number(&mut self, id: HeaderId, value: u64) {
        self.line(id, id.as_str().as_bytes(), |writer| writer.number(value));
    }

    /// A header field under a name of the caller's.
    pub(crate) fn header_named(&mut self, name: &[u8], value: &[u8]) {
        if !chars::is_token(name) {
            self.fail(BuildError::NotAToken { what: "header name" });
        }
        let id = HeaderId::from_name(name);
        self.line(id, name, |writer| _ = writer.text(Some(id), blanks_off(value)));
    }

    /// A header field of another message to the letter, its folds included.
    pub(crate) fn copy(&mut self, header: Header<'_>) {
        self.copy_and(header, &[]);
    }

    /// The same with something appended, such as a tag.
    pub(crate) fn copy_and(&mut self, header: Header<'_>, more: &[&[u8]]) {
        self.line(header.id(), header.name(), |writer| {
            if header.may_hold_bare_lf() {
                writer.unfolded(header.value());
            } else {
                writer.raw(header.value());
            }
            for part in more {
                writer.text(Some(header.id()), part);
            }
        });
    }

    /// Each fold as one blank.
    fn unfolded(&mut self, value: &[u8]) {
        for (i, piece) in value.split(|&b| b == b'\n').enumerate() {
            if i > 0 {
                self.raw(b" ");
            }
            self.raw(chars::trim(piece));
        }
    }

    fn line(&mut self, id: HeaderId, name: &[u8], value: impl FnOnce(&mut Writer)) {
        let Span { start: name_start, end: name_end } = self.raw(name);
        self.raw(b": ");
        let value_start = self.here();
        value(self);
        let value_end = self.here();
        self.raw(b"\r\n");
        let name_len = u16::try_from(name_end - name_start).unwrap_or(u16::MAX);
        self.lines.push(Line { name_start, value_start, value_end, name_len, id });
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
        if self.out.len() > MESSAGE_BYTES_MAX {
            return Err(BuildError::Malformed(ParseError {
                kind: ParseErrorKind::TooLarge,
                header: None,
                offset: 0,
                expected: "a message of at most 65535 bytes",
                section: "RFC 3261, Section 18.1.1",
            }));
        }
        Ok(Message { buf: Bytes::from(self.out), start: self.start, lines: self.lines, body_start, bare_lf: false })
    }
}

/// The value without the blanks at its ends that reading it back would take off.
fn blanks_off(value: &[u8]) -> &[u8] {
    let mut rest = value;
    while let [b' ' | b'\t', tail @ ..] = rest {
        rest = tail;
    }
    while let [head @ .., b' ' | b'\t'] = rest {
        rest = head;
    }
    rest
}
