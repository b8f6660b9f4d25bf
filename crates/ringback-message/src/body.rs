//! Bodies: what the header fields say of one, and the parts of a multipart body. `[RFC 5621]`
//!
//! ```text
//!   Message ──content()──▶ Body ──multipart()──▶ Multipart { preamble, parts: [Body …], epilogue }
//!      │                                              each part a Body again, with header fields of its own
//!      ├─ parts()           the bodies that are no multipart, over all levels
//!      └─ part_by_cid(url)  the one that a header field points at
//!   MultipartBuilder::mixed().part(…).build()   a body whose boundary is in none of its parts
//!   Sipfrag::parse(body)                        a piece of a message, as a NOTIFY carries it
//! ```
//!
//! Nothing is copied and nothing is decoded: a part shares the bytes of its message, and its offsets and errors are those of
//! the message. A Content-Transfer-Encoding is left to the reader of the part, as is a Content-Encoding.
//!
//! ```
//! use bytes::Bytes;
//! use ringback_message::Message;
//!
//! let invite = Message::parse(Bytes::from_static(
//!     b"INVITE sip:b@b.example SIP/2.0\r\nContent-Type: multipart/mixed;boundary=x\r\n\r\n\
//!       --x\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n\r\n\
//!       --x\r\nContent-Type: text/plain\r\nContent-Disposition: render;handling=optional\r\n\r\nhello\r\n--x--\r\n",
//! ))?;
//! let parts = invite.parts()?;
//! assert_eq!(parts[0].bytes(), b"v=0\r\n");
//! assert!(parts[0].disposition()?.is("session") && parts[0].disposition()?.is_required);
//! assert!(!parts[1].disposition()?.is_required);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod builder;
mod fragment;
mod multipart;
mod sipfrag;

pub use builder::{MultipartBuilder, NewMultipart, NewPart};
pub use multipart::{BOUNDARY_BYTES_MAX, Multipart, NESTING_MAX, PARTS_MAX};
pub use sipfrag::Sipfrag;

use alloc::vec::Vec;
use core::fmt;

use crate::error::ParseError;
use crate::header::text::Escaped;
use crate::header::{ContentDisposition, ContentId, ContentType, Decode, HeaderId};
use crate::message::{Header, Message};

/// The body of a message or one of its parts, with the header fields that describe it.
#[derive(Clone, PartialEq, Eq)]
pub struct Body {
    /// Of a part: the bytes of the whole message up to the end of the part, and the lines of the part.
    entity: Message,
    /// How many multipart bodies it is in.
    depth: usize,
}

/// What a body is for, and whether its receiver may pass it over. `[RFC 3261, Section 20.11]`
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Disposition<'a> {
    /// `session`, `render`, `icon`, `alert`, `by-reference` or another.
    pub kind: &'a [u8],
    /// True unless `handling` is `optional`. In a multipart/alternative nobody asks a part for it. `[RFC 5621, Section 8.3]`
    pub is_required: bool,
}

impl fmt::Debug for Disposition<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = Escaped(self.kind);
        f.debug_struct("Disposition").field("kind", &kind).field("is_required", &self.is_required).finish()
    }
}

impl Message {
    /// The body with what the header fields of the message say of it.
    #[must_use]
    pub fn content(&self) -> Body {
        Body { entity: self.clone(), depth: 0 }
    }

    /// The bodies that are no multipart, in order, over all levels: one for a message whose body is none, and none where it is empty.
    ///
    /// # Errors
    /// Where a multipart body or the head of a part is malformed, or a limit is passed: [`PARTS_MAX`], [`NESTING_MAX`].
    pub fn parts(&self) -> Result<Vec<Body>, ParseError> {
        let mut parts = Vec::new();
        if self.body().is_empty() {
            return Ok(parts);
        }
        // The next one to look at stands last.
        let mut waiting = Vec::from([self.content()]);
        let mut count = 0_usize;
        while let Some(body) = waiting.pop() {
            match body.multipart()? {
                None => parts.push(body),
                Some(multipart) => {
                    count = count.saturating_add(multipart.parts.len());
                    if count > PARTS_MAX {
                        return Err(multipart::too_many(body.offset()));
                    }
                    waiting.extend(multipart.parts.into_iter().rev());
                }
            }
        }
        Ok(parts)
    }

    /// The part that a `cid` URL names; `None` for another URL, and where no part has that Content-ID. `[RFC 5621, Section 9.1]`
    ///
    /// # Errors
    /// As [`Message::parts`]; a Content-ID that is malformed is one that nothing names.
    pub fn part_by_cid(&self, url: &[u8]) -> Result<Option<Body>, ParseError> {
        let Some((scheme, id)) = url.split_at_checked(4) else { return Ok(None) };
        if !scheme.eq_ignore_ascii_case(b"cid:") || id.is_empty() {
            return Ok(None);
        }
        let id = crate::uri::unescape(id);
        Ok(self.parts()?.into_iter().find(|part| part.content_id() == Some(&id)))
    }
}

impl Body {
    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.entity.body()
    }

    /// Where in the message they start.
    #[must_use]
    pub fn offset(&self) -> u32 {
        self.entity.body_start
    }

    /// The header fields of the part; of a body that is no part, those of its message.
    pub fn headers(&self) -> impl DoubleEndedIterator<Item = Header<'_>> + Clone {
        self.entity.headers()
    }

    /// The first header field of that name among them.
    #[must_use]
    pub fn first(&self, id: HeaderId) -> Option<Header<'_>> {
        self.entity.first(id)
    }

    /// The first value of a header field among them.
    ///
    /// # Errors
    /// Where it is malformed.
    pub fn get<'a, H: Decode<'a> + 'a>(&'a self) -> Result<Option<H>, ParseError> {
        self.entity.get()
    }

    /// The type; `None` where it isn't given.
    ///
    /// # Errors
    /// Where it is malformed.
    pub fn content_type(&self) -> Result<Option<ContentType<&[u8]>>, ParseError> {
        self.get()
    }

    /// What it is for: where that isn't given, `session` for application/sdp and `render` for all others. `[RFC 3261, Section 20.11]`
    ///
    /// # Errors
    /// Where Content-Disposition, or Content-Type in its absence, is malformed.
    pub fn disposition(&self) -> Result<Disposition<'_>, ParseError> {
        if let Some(given) = self.get::<ContentDisposition<&[u8]>>()? {
            return Ok(Disposition { kind: given.disposition, is_required: given.is_required() });
        }
        let is_session = self.content_type()?.is_some_and(|content_type| content_type.is("application", "sdp"));
        Ok(Disposition { kind: if is_session { b"session" } else { b"render" }, is_required: true })
    }

    /// The Content-ID without its angle brackets; `None` where there is none or it is malformed. `[RFC 5621, Section 9.1]`
    #[must_use]
    pub fn content_id(&self) -> Option<&[u8]> {
        self.get::<ContentId<&[u8]>>().ok()?.map(|content_id| content_id.id)
    }

    /// The parts of a multipart body, one level of them; `None` where the type is another or isn't given.
    ///
    /// # Errors
    /// Where the body is no such as its type says, or a limit is passed: [`PARTS_MAX`], [`NESTING_MAX`], [`BOUNDARY_BYTES_MAX`].
    pub fn multipart(&self) -> Result<Option<Multipart>, ParseError> {
        match self.content_type()? {
            Some(content_type) if content_type.m_type.eq_ignore_ascii_case(b"multipart") => {
                multipart::read(self, &content_type).map(Some)
            }
            _ => Ok(None),
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = self.headers().map(|header| (header.name().escape_ascii(), header.value().escape_ascii()));
        lines.try_for_each(|(name, value)| writeln!(f, "{name}: {value}"))?;
        write!(f, "{} bytes at {}: {}", self.bytes().len(), self.offset(), self.bytes().escape_ascii())
    }
}

impl Disposition<'_> {
    /// Whether the body is for this.
    #[must_use]
    pub fn is(&self, kind: impl AsRef<[u8]>) -> bool {
        self.kind.eq_ignore_ascii_case(kind.as_ref())
    }
}
