//! The JSON view: how messages and typed values are serialised, under names that stay.
//!
//! Text becomes a string; what is no UTF-8 in it becomes U+FFFD, so the bytes themselves are not in this view.
//! A typed header field becomes an object with the names of its fields; parameters an object of strings, or `null` where one has no value.
//!
//! | value | name | holds |
//! |---|---|---|
//! | message | `kind` | `"request"` or `"response"` |
//! | | `method`, `uri` | of a request, as written; `null` where its first line can't be read |
//! | | `status`, `reason` | of a response: a number, and the phrase as written |
//! | | `headers` | each header field in order |
//! | | `body` | what follows them |
//! | header field | `name` | the name of the registry, also for a compact form; one that it lacks, as written |
//! | | `value` | as written, folds included |
//! | | `offset` | the byte of the message that the value starts at |
//! | | `typed` | the values of the line: there if its header field has a type, and it can be read |
//! | | `error` | what is wrong: there if it has a type, and can't be read |
//! | body | `length` | in bytes |
//! | | `text` or `hex` | text where it is UTF-8 without NUL, else two hexadecimal digits a byte |
//! | | `parts` | of a multipart body: the bodies in it that are no multipart, over all levels |
//! | | `error` | of a multipart body: why it can't be taken apart |
//! | part | `headers`, `offset`, `length`, `text` or `hex` | as those of the message; the body starts at `offset` |
//! | error | `kind` | `"start_line"`, `"version"`, `"header_line"`, `"header_value"`, `"missing"`, `"repeated"`, `"misplaced"`, `"length"`, `"body"`, `"incomplete"` or `"too_large"` |
//! | | `header` | the header field that it is in, or `null` |
//! | | `byte` | of the message, where reading stopped |
//! | | `expected` | what should have stood there |
//! | | `section` | which section asks for it, such as `"RFC 3261, Section 20.10"` |
//! | fault | `depth` | `"framing"`, `"syntax"` or `"semantics"`; the rest as of an error |
//!
//! A [`Request`] and a [`Response`] are serialised as their [`Message`]. Names may be added to an object; none is taken away or
//! gets another meaning.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::body::Body;
use crate::error::{ParseError, ParseErrorKind};
use crate::header::text::lossy;
use crate::header::{ContentType, HeaderId, is_typed};
use crate::message::{Header, Message, Request, Response};
use crate::params::Params;
use crate::uri::Uri;
use crate::verdict::{Fault, FaultError};

impl Serialize for Message {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut map = out.serialize_map(None)?;
        match self.status() {
            Some(status) => {
                map.serialize_entry("kind", "response")?;
                map.serialize_entry("status", &status.as_u16())?;
                map.serialize_entry("reason", &lossy(self.reason()))?;
            }
            None => {
                map.serialize_entry("kind", "request")?;
                map.serialize_entry("method", &self.method_text().map(lossy))?;
                map.serialize_entry("uri", &self.method_text().map(|_| lossy(self.request_uri_text())))?;
            }
        }
        map.serialize_entry("headers", &Headers(self.headers()))?;
        map.serialize_entry("body", &WholeBody(self))?;
        map.end()
    }
}

impl Serialize for Request {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        Message::serialize(self, out)
    }
}

impl Serialize for Response {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        Message::serialize(self, out)
    }
}

impl Serialize for Header<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut map = out.serialize_map(None)?;
        match self.id() {
            HeaderId::Other => map.serialize_entry("name", &lossy(self.name()))?,
            id => map.serialize_entry("name", id.as_str())?,
        }
        map.serialize_entry("value", &lossy(self.value()))?;
        map.serialize_entry("offset", &self.offset())?;
        if is_typed(self.id()) {
            match self.typed() {
                Ok(values) => map.serialize_entry("typed", &values)?,
                Err(error) => map.serialize_entry("error", &error)?,
            }
        }
        map.end()
    }
}

impl Serialize for Body {
    /// A part, or the body of a message with the header fields of the message.
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut map = out.serialize_map(None)?;
        map.serialize_entry("headers", &Headers(self.headers()))?;
        map.serialize_entry("offset", &self.offset())?;
        content(&mut map, self.bytes())?;
        map.end()
    }
}

impl Serialize for ParseError {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut map = out.serialize_map(None)?;
        defect(&mut map, self.kind, self.header, self.offset, (self.expected, self.section))?;
        map.end()
    }
}

impl Serialize for Fault {
    /// Its depth, and what an error has.
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut map = out.serialize_map(None)?;
        map.serialize_entry("depth", &self.depth)?;
        let FaultError { kind, header, offset, expected, section } = &self.error;
        defect(&mut map, *kind, *header, *offset, (expected, section))?;
        map.end()
    }
}

/// What is expected, and which section asks for it, stand last.
fn defect<M: SerializeMap>(
    map: &mut M,
    kind: ParseErrorKind,
    header: Option<HeaderId>,
    offset: u32,
    (expected, section): (&str, &str),
) -> Result<(), M::Error> {
    let header = header.filter(|id| *id != HeaderId::Other);
    map.serialize_entry("kind", &kind)?;
    map.serialize_entry("header", &header.map(HeaderId::as_str))?;
    map.serialize_entry("byte", &offset)?;
    map.serialize_entry("expected", expected)?;
    map.serialize_entry("section", section)
}

/// Header fields one after another.
struct Headers<I>(I);

impl<'a, I: Iterator<Item = Header<'a>> + Clone> Serialize for Headers<I> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_seq(self.0.clone())
    }
}

/// The body of a message, which has its header fields beside it.
struct WholeBody<'a>(&'a Message);

impl Serialize for WholeBody<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut map = out.serialize_map(None)?;
        content(&mut map, self.0.body())?;
        let content_type = self.0.get::<ContentType<&[u8]>>().ok().flatten();
        if content_type.is_some_and(|content_type| content_type.m_type.eq_ignore_ascii_case(b"multipart")) {
            match self.0.parts() {
                Ok(parts) => map.serialize_entry("parts", &parts)?,
                Err(error) => map.serialize_entry("error", &error)?,
            }
        }
        map.end()
    }
}

fn content<M: SerializeMap>(map: &mut M, bytes: &[u8]) -> Result<(), M::Error> {
    map.serialize_entry("length", &bytes.len())?;
    match core::str::from_utf8(bytes) {
        Ok(text) if !bytes.contains(&0) => map.serialize_entry("text", text),
        _ => map.serialize_entry("hex", &hex(bytes)),
    }
}

fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes.iter().flat_map(|&b| [digit(b >> 4), digit(b & 0xf)]).collect()
}

/// One text, for `#[serde(serialize_with)]`.
pub(crate) fn text<T: AsRef<[u8]>, S: Serializer>(text: &T, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(&lossy(text.as_ref()))
}

/// A text that may be missing.
pub(crate) fn maybe<T: AsRef<[u8]>, S: Serializer>(text: &Option<T>, out: S) -> Result<S::Ok, S::Error> {
    match text {
        Some(text) => out.serialize_str(&lossy(text.as_ref())),
        None => out.serialize_none(),
    }
}

/// Several texts.
pub(crate) fn texts<T: AsRef<[u8]>, S: Serializer>(texts: &[T], out: S) -> Result<S::Ok, S::Error> {
    let mut list = out.serialize_seq(Some(texts.len()))?;
    for text in texts {
        list.serialize_element(&lossy(text.as_ref()))?;
    }
    list.end()
}

impl<T: AsRef<[u8]>> Serialize for Params<T> {
    /// Names in small letters, so that they can be asked for; of two of one name the first counts.
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut map = out.serialize_map(None)?;
        let mut written = BTreeSet::new();
        for (name, value) in self.iter() {
            let key: String = lossy(name).to_ascii_lowercase();
            if written.contains(&key) {
                continue;
            }
            map.serialize_entry(&key, &value.map(|value| lossy(&crate::header::text::unquoted(value)).into_owned()))?;
            written.insert(key);
        }
        map.end()
    }
}

impl<T: AsRef<[u8]>> Serialize for Uri<T> {
    /// `text` is the whole; a SIP URI also has its parts.
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut whole = Vec::new();
        self.write(&mut whole);
        let mut map = out.serialize_map(None)?;
        map.serialize_entry("text", &lossy(&whole))?;
        match self {
            Uri::Sip(uri) => {
                map.serialize_entry("scheme", if uri.secure { "sips" } else { "sip" })?;
                map.serialize_entry("user", &uri.user.as_ref().map(|user| lossy(user.as_ref())))?;
                map.serialize_entry("host", &lossy(uri.host.as_ref()))?;
                map.serialize_entry("port", &uri.port)?;
                map.serialize_entry("params", &uri.params)?;
                map.serialize_entry("headers", &uri.headers.as_ref().map(|headers| lossy(headers.as_ref())))?;
            }
            Uri::Other { scheme, .. } => map.serialize_entry("scheme", &lossy(scheme.as_ref()).to_ascii_lowercase())?,
        }
        map.end()
    }
}
