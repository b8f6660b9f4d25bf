//! Taking a multipart body apart. `[RFC 2046, Section 5.1.1]`

use alloc::vec::Vec;

use bytes::Bytes;

use super::Body;
use super::fragment::{defect, entity, header_fields, u32_of};
use crate::cursor::Cursor;
use crate::error::{ParseError, ParseErrorKind};
use crate::header::{ContentType, HeaderId, text};
use crate::message::StartLine;

/// The most parts that are read of a message, over all levels.
pub const PARTS_MAX: usize = 64;
/// The most multipart bodies that are read inside of one another.
pub const NESTING_MAX: usize = 8;
/// The longest boundary, in bytes. `[RFC 2046, Section 5.1.1]`
pub const BOUNDARY_BYTES_MAX: usize = 70;

const SECTION: &str = "RFC 2046, Section 5.1.1";

/// A multipart body, taken apart.
///
/// ```text
/// multipart-body    := [preamble CRLF] dash-boundary transport-padding CRLF
///                      body-part *encapsulation close-delimiter transport-padding [CRLF epilogue]
/// dash-boundary     := "--" boundary
/// encapsulation     := delimiter transport-padding CRLF body-part
/// delimiter         := CRLF dash-boundary
/// close-delimiter   := delimiter "--"
/// transport-padding := *LWSP-char
/// ```
///
/// A line that only begins like a delimiter is none, so that the boundary of a part may be longer than that around it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Multipart {
    /// What stands before the first delimiter, to be passed over.
    pub preamble: Bytes,
    /// The parts in order: at least one.
    pub parts: Vec<Body>,
    /// What stands behind the closing delimiter, to be passed over.
    pub epilogue: Bytes,
    /// The parameter `start` of a multipart/related.
    start: Option<Vec<u8>>,
}

impl Multipart {
    /// The part of a multipart/related that is processed first: the one that `start` names, and the first one without it. `[RFC 5621, Section 7.1]`
    ///
    /// `None` where `start` names no part.
    #[must_use]
    pub fn root(&self) -> Option<&Body> {
        let Some(start) = &self.start else { return self.parts.first() };
        let id = start.strip_prefix(b"<").and_then(|id| id.strip_suffix(b">")).unwrap_or(start);
        self.parts.iter().find(|part| part.content_id() == Some(id))
    }
}

pub(super) fn read(body: &Body, content_type: &ContentType<&[u8]>) -> Result<Multipart, ParseError> {
    let offset = body.offset() as usize;
    if body.depth >= NESTING_MAX {
        let expected = "at most 8 multipart bodies inside of one another";
        return Err(defect(ParseErrorKind::TooLarge, offset, expected, "RFC 5621, Section 4.3"));
    }
    let boundary = boundary(body, content_type)?;
    let buf = &body.entity.buf;
    let pieces = split(body.bytes(), &boundary, offset)?;
    let slice = |(start, end): Piece| buf.slice(offset.saturating_add(start)..offset.saturating_add(end));
    let part = |(start, end): &Piece| {
        let text = body.bytes().get(*start..*end).unwrap_or_default();
        let (lines, body_start) = header_fields(text, offset.saturating_add(*start), SECTION)?;
        let buf = buf.slice(..offset.saturating_add(*end));
        Ok(Body { entity: entity(buf, StartLine::Broken, lines, body_start), depth: body.depth.saturating_add(1) })
    };
    Ok(Multipart {
        preamble: slice(pieces.preamble),
        parts: pieces.parts.iter().map(part).collect::<Result<_, ParseError>>()?,
        epilogue: slice(pieces.epilogue),
        start: content_type.params.value(b"start").map(|start| text::unquoted(start).into_owned()),
    })
}

/// `boundary := 0*69<bchars> bcharsnospace`
fn boundary(body: &Body, content_type: &ContentType<&[u8]>) -> Result<Vec<u8>, ParseError> {
    let at = body.first(HeaderId::ContentType).map(|header| header.cursor());
    let at = at.unwrap_or_else(|| Cursor::new(HeaderId::ContentType, &[], body.offset()));
    let Some(boundary) = content_type.boundary() else {
        return Err(ParseError { section: SECTION, ..at.error("a boundary among the parameters") });
    };
    if boundary.len() > BOUNDARY_BYTES_MAX || boundary.last() == Some(&b' ') || !is_boundary(&boundary) {
        let written = content_type.params.value(b"boundary").unwrap_or_default();
        let expected = "1 to 70 characters that a boundary may hold, the last no blank";
        return Err(ParseError { section: SECTION, ..at.error_at(written, expected) });
    }
    Ok(boundary.into_owned())
}

fn is_boundary(text: &[u8]) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&b);
    !text.is_empty() && text.iter().copied().all(legal)
}

/// Start and end in the body.
type Piece = (usize, usize);

struct Pieces {
    preamble: Piece,
    parts: Vec<Piece>,
    epilogue: Piece,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Delimiter {
    Between,
    Closing,
}

/// Looks at the start of each line once, so that no boundary makes it slow.
fn split(body: &[u8], boundary: &[u8], offset: usize) -> Result<Pieces, ParseError> {
    let mut pieces = Pieces { preamble: (0, 0), parts: Vec::new(), epilogue: (body.len(), body.len()) };
    // Where the part that is open starts.
    let mut open: Option<usize> = None;
    let mut start = 0_usize;
    for end in memchr::memmem::find_iter(body, b"\r\n").chain([body.len()]) {
        let next = end.saturating_add(2).min(body.len());
        let found = delimiter(body.get(start..end).unwrap_or_default(), boundary);
        let line_start = core::mem::replace(&mut start, next);
        let Some(found) = found else { continue };
        // "The CRLF preceding the boundary delimiter line is conceptually attached to the boundary". RFC 2046, Section 5.1.1
        let end_before = line_start.saturating_sub(2);
        match open {
            None if found == Delimiter::Closing => {
                return Err(wrong(offset, line_start, "a delimiter before the closing one"));
            }
            None => pieces.preamble = (0, end_before),
            Some(_) if pieces.parts.len() >= PARTS_MAX => {
                return Err(too_many(u32_of(offset.saturating_add(line_start))));
            }
            Some(from) if from > end_before => {
                return Err(wrong(offset, line_start, "a header field or an empty line behind the delimiter"));
            }
            Some(from) => pieces.parts.push((from, end_before)),
        }
        if found == Delimiter::Closing {
            pieces.epilogue = (next, body.len());
            return Ok(pieces);
        }
        open = Some(next);
    }
    let expected = if open.is_some() { "the closing delimiter" } else { "the first delimiter" };
    Err(wrong(offset, body.len(), expected))
}

/// What a line is: two hyphens and the boundary, two more where it is the last, and nothing but blanks behind them.
fn delimiter(line: &[u8], boundary: &[u8]) -> Option<Delimiter> {
    let behind = line.strip_prefix(b"--")?.strip_prefix(boundary)?;
    let (found, padding) = match behind.strip_prefix(b"--") {
        Some(padding) => (Delimiter::Closing, padding),
        None => (Delimiter::Between, behind),
    };
    padding.iter().all(|b| matches!(b, b' ' | b'\t')).then_some(found)
}

fn wrong(offset: usize, at: usize, expected: &'static str) -> ParseError {
    defect(ParseErrorKind::Body, offset.saturating_add(at), expected, SECTION)
}

pub(super) fn too_many(at: u32) -> ParseError {
    defect(ParseErrorKind::TooLarge, at as usize, "at most 64 parts", SECTION)
}
