//! Putting a multipart body together. `[RFC 5621, Section 4.3]`

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;

use super::Body;
use super::fragment::{entity, header_fields};
use crate::cursor::Cursor;
use crate::error::{BuildError, ParseError, ParseErrorKind};
use crate::header::facts::Repeats;
use crate::header::text::Escaped;
use crate::header::{HeaderId, HeaderName, Param, check_strict};
use crate::message::StartLine;
use crate::params::Params;

/// Makes a multipart body out of parts.
///
/// ```
/// use ringback_message::body::{MultipartBuilder, NewPart};
///
/// let body = MultipartBuilder::mixed()
///     .part(NewPart::new("application/sdp", "v=0\r\n"))
///     .part(NewPart::new("text/plain", "hello").header("Content-Disposition", "render;handling=optional"))
///     .build()?;
/// assert_eq!(body.content_type, b"multipart/mixed;boundary=ringback-0000000000");
/// assert!(body.bytes.starts_with(b"--ringback-0000000000\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n\r\n--"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MultipartBuilder {
    subtype: &'static str,
    params: Vec<Param>,
    parts: Vec<NewPart>,
}

const RELATED: &str = "related";

/// One part to be.
#[derive(Clone, PartialEq, Eq)]
pub struct NewPart {
    headers: Vec<(HeaderName, Vec<u8>)>,
    bytes: Vec<u8>,
}

impl fmt::Debug for NewPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<_> = self.headers.iter().map(|(name, value)| (name, Escaped(value))).collect();
        f.debug_struct("NewPart").field("headers", &headers).field("bytes", &Escaped(&self.bytes)).finish()
    }
}

/// A body, and the Content-Type that its message or the part around it needs.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewMultipart {
    /// The value of Content-Type, with the boundary.
    pub content_type: Vec<u8>,
    /// The body.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for NewMultipart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (content_type, bytes) = (Escaped(&self.content_type), Escaped(&self.bytes));
        f.debug_struct("NewMultipart").field("content_type", &content_type).field("bytes", &bytes).finish()
    }
}

impl NewPart {
    /// These bytes, of this type.
    #[must_use]
    pub fn new(content_type: impl AsRef<[u8]>, bytes: impl Into<Vec<u8>>) -> NewPart {
        NewPart { headers: Vec::new(), bytes: bytes.into() }.header(HeaderId::ContentType, content_type)
    }

    /// With one more header field, such as Content-Disposition or Content-ID.
    #[must_use]
    pub fn header(mut self, name: impl Into<HeaderName>, value: impl AsRef<[u8]>) -> NewPart {
        self.headers.push((name.into(), value.as_ref().into()));
        self
    }
}

impl From<NewMultipart> for NewPart {
    /// A multipart body inside of another.
    fn from(inner: NewMultipart) -> NewPart {
        NewPart::new(inner.content_type, inner.bytes)
    }
}

impl MultipartBuilder {
    /// Parts that stand by themselves. `[RFC 5621, Section 5]`
    #[must_use]
    pub fn mixed() -> MultipartBuilder {
        MultipartBuilder::of("mixed")
    }

    /// The same in several forms, the best one last. `[RFC 5621, Section 6.1]`
    #[must_use]
    pub fn alternative() -> MultipartBuilder {
        MultipartBuilder::of("alternative")
    }

    /// Parts of one whole; the first is its root unless `start` names another. `[RFC 5621, Section 7.1]`
    #[must_use]
    pub fn related() -> MultipartBuilder {
        MultipartBuilder::of(RELATED)
    }

    fn of(subtype: &'static str) -> MultipartBuilder {
        MultipartBuilder { subtype, params: Vec::new(), parts: Vec::new() }
    }

    /// With one more parameter of Content-Type, such as `start` or `type`.
    #[must_use]
    pub fn param(mut self, param: Param) -> MultipartBuilder {
        self.params.push(param);
        self
    }

    /// With one more part.
    #[must_use]
    pub fn part(mut self, part: impl Into<NewPart>) -> MultipartBuilder {
        self.parts.push(part.into());
        self
    }

    /// Writes the body, and reads it back: what comes out is what was put in.
    ///
    /// # Errors
    /// Where there is no part, more than can be read, or a header field that can't be written or stands twice in a part; where `start` of
    /// a multipart/related names no part.
    pub fn build(self) -> Result<NewMultipart, BuildError> {
        let mut heads = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            heads.push(head(part)?);
        }
        let boundary = free_boundary(self.parts.iter().map(|part| &part.bytes).chain(&heads));
        let mut bytes = Vec::new();
        for (part, head) in self.parts.iter().zip(&heads) {
            for piece in [b"--", &boundary[..], b"\r\n", head, b"\r\n", &part.bytes, b"\r\n"] {
                bytes.extend_from_slice(piece);
            }
        }
        for piece in [b"--", &boundary[..], b"--\r\n"] {
            bytes.extend_from_slice(piece);
        }
        let mut params = Params::default().map(|_: &[u8]| crate::header::OwnedText::default());
        params.push(&Param::raw("boundary", &boundary));
        self.params.iter().for_each(|param| params.push(param));
        let content_type = [b"multipart/", self.subtype.as_bytes(), params.text()].concat();
        let new = NewMultipart { content_type, bytes };
        self.check(&new)?;
        Ok(new)
    }

    fn check(&self, new: &NewMultipart) -> Result<(), BuildError> {
        let otherwise = BuildError::ReadsOtherwise { header: HeaderId::ContentType };
        no_line_end(HeaderId::ContentType, &new.content_type)?;
        let head = [b"Content-Type: ", &new.content_type[..], b"\r\n\r\n"].concat();
        let (lines, body_start) = header_fields(&head, 0, "RFC 3261, Section 20.15")?;
        let buf = Bytes::from([head, new.bytes.clone()].concat());
        let entity = entity(buf, StartLine::Broken, lines, body_start);
        let read = Body { entity, depth: 0 }.multipart()?.ok_or(otherwise.clone())?;
        let same = |(part, read): (&NewPart, &Body)| {
            part.bytes == read.bytes()
                && part.headers.len() == read.headers().count()
                && part.headers.iter().zip(read.headers()).all(|((_, value), header)| value == header.value())
        };
        if self.subtype == RELATED && read.root().is_none() {
            let what = "start of a multipart/related names one of its parts";
            return Err(BuildError::Rule { what, section: "RFC 5621, Section 7.1" });
        }
        let is_same = self.parts.len() == read.parts.len() && self.parts.iter().zip(&read.parts).all(same);
        if is_same { Ok(()) } else { Err(otherwise) }
    }
}

/// The header fields of a part, each line with its end.
fn head(part: &NewPart) -> Result<Vec<u8>, BuildError> {
    let mut head = Vec::new();
    for (i, (name, value)) in part.headers.iter().enumerate() {
        let is_again = part.headers.iter().take(i).any(|(before, _)| before.id() == name.id());
        if is_again && name.id().facts().is_some_and(|facts| facts.repeats == Repeats::Once) {
            let error = Cursor::new(name.id(), value, 0).error("this header field only once");
            return Err(BuildError::Value(ParseError { kind: ParseErrorKind::Repeated, ..error }));
        }
        if !name.is_valid() {
            return Err(BuildError::NotAToken { what: "header name" });
        }
        no_line_end(name.id(), value)?;
        check_strict(name.id(), value, 0)?;
        for piece in [name.as_str().as_bytes(), b": ", value, b"\r\n"] {
            head.extend_from_slice(piece);
        }
    }
    Ok(head)
}

fn no_line_end(header: HeaderId, value: &[u8]) -> Result<(), BuildError> {
    match memchr::memchr3(b'\r', b'\n', 0, value) {
        Some(offset) => Err(BuildError::ForbiddenByte { header: Some(header), offset }),
        None => Ok(()),
    }
}

/// A boundary that is nowhere in the texts: the first number that no text has behind the name.
fn free_boundary<'a>(texts: impl Iterator<Item = &'a Vec<u8>>) -> Vec<u8> {
    const NAME: &[u8] = b"ringback-";
    const DIGITS: usize = 10;
    let mut taken = BTreeSet::new();
    for text in texts {
        for at in memchr::memmem::find_iter(text, NAME) {
            let digits = text.get(at..).and_then(|rest| rest.get(NAME.len()..NAME.len().saturating_add(DIGITS)));
            let number = digits.filter(|digits| digits.iter().all(u8::is_ascii_digit));
            taken.extend(number.and_then(|digits| core::str::from_utf8(digits).ok()?.parse::<u64>().ok()));
        }
    }
    let number = (0_u64..).find(|number| !taken.contains(number)).unwrap_or_default();
    alloc::format!("ringback-{number:010}").into_bytes()
}
