//! What both builders share: header fields in the order in which they were given, and the first mistake.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::chars;
use crate::cursor::{Cursor, decimal};
use crate::error::{BuildError, ParseError, ParseErrorKind};
use crate::header::facts::Repeats;
use crate::header::list::has_token;
use crate::header::text::Escaped;
use crate::header::{Accept, CSeq, HeaderId, HeaderName, NameAddr, Qvalue, TypedHeader, Values, check_strict, text};
use crate::method::Method;
use crate::params::Params;
use crate::uri::Uri;
use crate::writer::Writer;

/// Header fields and body of a message to be.
#[derive(Clone, Default)]
pub(crate) struct Draft {
    fields: Vec<DraftField>,
    body: Vec<u8>,
    error: Option<BuildError>,
}

impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Draft { fields, body, error } = self;
        f.debug_struct("Draft").field("fields", fields).field("body", &Escaped(body)).field("error", error).finish()
    }
}

#[derive(Clone)]
struct DraftField {
    id: HeaderId,
    /// The name, where it is not the one of the registry.
    name: Option<String>,
    value: Vec<u8>,
    /// Already read back when it was given.
    checked: bool,
}

impl fmt::Debug for DraftField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name.as_deref().unwrap_or_else(|| self.id.as_str());
        write!(f, "{name}: {}", self.value.escape_ascii())
    }
}

impl Draft {
    fn fail(&mut self, error: BuildError) {
        self.error.get_or_insert(error);
    }

    fn push(&mut self, id: HeaderId, value: Vec<u8>, checked: bool) {
        self.fields.push(DraftField { id, name: None, value, checked });
    }

    /// A value as it shall be written.
    pub(crate) fn raw(&mut self, id: HeaderId, value: &[u8]) {
        match id {
            HeaderId::Other => self.fail(BuildError::NotAToken { what: "header name" }),
            _ => self.push(id, value.into(), false),
        }
    }

    /// The same under a name that the registry may lack.
    pub(crate) fn raw_named(&mut self, name: &[u8], value: &[u8]) {
        match core::str::from_utf8(name) {
            Ok(text) if chars::is_token(name) => {
                let id = HeaderId::from_name(name);
                self.fields.push(DraftField { id, name: Some(text.into()), value: value.into(), checked: false });
            }
            _ => self.fail(BuildError::NotAToken { what: "header name" }),
        }
    }

    pub(crate) fn typed(&mut self, field: &TypedHeader) {
        match (field, field.value()) {
            (TypedHeader::Other(HeaderName::Other(name), _), Ok(value)) => self.raw_named(name.as_bytes(), &value),
            (_, Ok(value)) => self.push(field.id(), value, true),
            (_, Err(error)) => self.fail(error),
        }
    }

    /// A media range, and its weight.
    pub(crate) fn accept(&mut self, media_range: &str, q: Option<Qvalue>) {
        let weight = q.map(|q| alloc::format!(";q={q}")).unwrap_or_default();
        let value = [media_range, &weight].concat().into_bytes();
        match Values::<Accept<&[u8]>>::new(Cursor::new(HeaderId::Accept, &value, 0)).count() {
            1 => self.push(HeaderId::Accept, value, false),
            _ => self.fail(BuildError::ReadsOtherwise { header: HeaderId::Accept }),
        }
    }

    /// A challenge; a second text for its opaque has no place in it.
    pub(crate) fn challenge(&mut self, challenge: TypedHeader, opaque: Option<Vec<&str>>) {
        match opaque {
            Some(texts) if texts.len() > 1 => self.fail(BuildError::ReadsOtherwise { header: challenge.id() }),
            _ => self.typed(&challenge),
        }
    }

    pub(crate) fn number(&mut self, id: HeaderId, number: u32) {
        self.push(id, itoa::Buffer::new().format(number).as_bytes().into(), true);
    }

    /// An address: From, To, Contact.
    pub(crate) fn address(&mut self, id: HeaderId, name: Option<&str>, uri: &str, tag: Option<&str>) {
        if tag.is_some_and(|tag| !chars::is_token(tag.as_bytes())) {
            return self.fail(BuildError::NotAToken { what: "tag" });
        }
        let uri = match Uri::parse_strict(uri.as_bytes(), id, 0) {
            Ok(uri) => uri,
            Err(error) => return self.fail(BuildError::Value(error)),
        };
        let quoted = name.filter(|name| !name.is_empty()).map(|name| text::quoted(name.as_bytes()));
        let mut value = Vec::with_capacity(ADDRESS_BYTES);
        NameAddr { display_name: quoted.as_deref(), uri, params: Params::default() }.write(&mut value);
        if let Some(tag) = tag {
            value.extend_from_slice(b";tag=");
            value.extend_from_slice(tag.as_bytes());
        }
        self.push(id, value, false);
    }

    /// `SIP/2.0/UDP host:port;rport;branch=…`
    pub(crate) fn via(&mut self, sent_by: &str, transport: &str, branch: Option<&str>, asks_port: bool) {
        for (what, token) in [("transport", Some(transport)), ("branch", branch)] {
            if token.is_some_and(|token| !chars::is_token(token.as_bytes())) {
                return self.fail(BuildError::NotAToken { what });
            }
        }
        let mut value = Vec::from(&b"SIP/2.0/"[..]);
        value.extend_from_slice(transport.as_bytes());
        value.push(b' ');
        value.extend_from_slice(sent_by.as_bytes());
        if asks_port {
            value.extend_from_slice(b";rport");
        }
        if let Some(branch) = branch {
            value.extend_from_slice(b";branch=");
            value.extend_from_slice(branch.as_bytes());
        }
        if sent_by.contains([';', ',']) {
            return self.fail(BuildError::ReadsOtherwise { header: HeaderId::Via });
        }
        self.push(HeaderId::Via, value, false);
    }

    pub(crate) fn cseq(&mut self, number: u32, method: &[u8]) {
        let mut value: Vec<u8> = itoa::Buffer::new().format(number).as_bytes().into();
        value.push(b' ');
        value.extend_from_slice(method);
        self.push(HeaderId::CSeq, value, false);
    }

    pub(crate) fn body(&mut self, body: Vec<u8>) {
        self.body = body;
    }

    /// How many bytes header fields and body take: a few more than needed where Content-Length is among them.
    pub(crate) fn written_len(&self) -> usize {
        let line = |field: &DraftField| {
            let name = field.name.as_deref().unwrap_or_else(|| field.id.as_str());
            Writer::line_len(name.as_bytes(), &field.value)
        };
        self.fields.iter().map(line).sum::<usize>() + Writer::end_len(&self.body)
    }

    pub(crate) fn has(&self, id: HeaderId) -> bool {
        self.fields.iter().any(|field| field.id == id)
    }

    /// Whether a list of tokens among the fields holds this one.
    pub(crate) fn has_token(&self, id: HeaderId, token: &str) -> bool {
        self.fields.iter().any(|field| field.id == id && has_token(id, &field.value, token.as_bytes()))
    }

    /// The method that CSeq names, if the registry has it.
    pub(crate) fn cseq_method(&self) -> Option<Method> {
        let cseq = self.fields.iter().find(|field| field.id == HeaderId::CSeq)?;
        Method::registered(CSeq::parse(&cseq.value, 0).ok()?.method)
    }

    /// The first mistake of a setter; or of a value that can't be read back, or a body without its type.
    pub(crate) fn check(&self, in_request: bool, method: Option<&Method>) -> Result<(), BuildError> {
        self.first_mistake()?;
        for field in &self.fields {
            if !is_text(&field.value) {
                return Err(defect(field.id, ParseErrorKind::HeaderValue, "no control characters"));
            }
            let misplaced = field.id.facts().and_then(|facts| facts.misplaced(in_request, method));
            if let Some(expected) = misplaced {
                return Err(defect(field.id, ParseErrorKind::Misplaced, expected));
            }
        }
        for field in self.fields.iter().filter(|field| !field.checked) {
            check_strict(field.id, &field.value, 0).map_err(|error| locate(error, field.id))?;
        }
        if !self.body.is_empty() && !self.has(HeaderId::ContentType) {
            return Err(BuildError::BodyWithoutType);
        }
        let wrong_length = |field: &&DraftField| {
            field.id == HeaderId::ContentLength
                && decimal(&field.value).map(u64::from) != u64::try_from(self.body.len()).ok()
        };
        if let Some(field) = self.fields.iter().find(wrong_length) {
            return Err(defect(field.id, ParseErrorKind::Length, "the length of the body"));
        }
        self.check_counts()
    }

    /// What may stand but once does.
    fn check_counts(&self) -> Result<(), BuildError> {
        for (i, field) in self.fields.iter().enumerate() {
            let once = || field.id.facts().is_some_and(|facts| facts.repeats == Repeats::Once);
            if self.fields.iter().take(i).any(|before| before.id == field.id) && once() {
                return Err(defect(field.id, ParseErrorKind::Repeated, "this header field only once"));
            }
        }
        Ok(())
    }

    pub(crate) fn first_mistake(&self) -> Result<(), BuildError> {
        self.error.clone().map_or(Ok(()), Err)
    }

    /// Writes header fields and body; what is needed on the way stands first. `[RFC 3261, Section 7.3.1]`
    pub(crate) fn write(&self, writer: &mut Writer) {
        for rank in 0..=RANK_LAST {
            for field in self.fields.iter().filter(|field| self::rank(field.id) == rank) {
                match &field.name {
                    Some(name) => writer.header_named(name.as_bytes(), &field.value),
                    None => writer.header(field.id, &field.value),
                }
            }
        }
    }

    pub(crate) fn body_bytes(&self) -> &[u8] {
        &self.body
    }
}

/// Room for most addresses.
const ADDRESS_BYTES: usize = 64;
const RANK_LAST: u8 = 3;

/// Fields that proxies read come first, then those of the dialog, then the rest.
fn rank(id: HeaderId) -> u8 {
    match id {
        HeaderId::Via => 0,
        HeaderId::Route | HeaderId::RecordRoute | HeaderId::MaxForwards | HeaderId::ProxyRequire => 1,
        HeaderId::From | HeaderId::To | HeaderId::CallId | HeaderId::CSeq | HeaderId::Contact => 2,
        _ => RANK_LAST,
    }
}

/// No control characters but tabs; CR, LF and NUL are told apart, by who writes.
pub(crate) fn is_text(text: &[u8]) -> bool {
    !text.iter().any(|&b| (b < b' ' && !matches!(b, b'\t' | b'\r' | b'\n' | 0)) || b == 0x7f)
}

fn defect(id: HeaderId, kind: ParseErrorKind, expected: &'static str) -> BuildError {
    BuildError::Value(ParseError { kind, expected, ..Cursor::new(id, &[], 0).error(expected) })
}

/// An error of a value by itself: its offset is that in the value.
fn locate(error: ParseError, id: HeaderId) -> BuildError {
    BuildError::Value(ParseError { header: Some(id), ..error })
}

/// The setters of both builders, over a field `draft`.
macro_rules! setters {
    ($($builder:tt)+) => {
        impl $($builder)+ {
            /// From: a name for people (empty for none), a URI, and the tag. `[RFC 3261, Section 20.20]`
            #[must_use]
            pub fn from(mut self, name: &str, uri: &str, tag: Option<&str>) -> Self {
                self.draft.address(HeaderId::From, Some(name), uri, tag);
                self
            }

            /// To: a name for people (empty for none), a URI, and the tag once the other side has given one. `[RFC 3261, Section 20.39]`
            #[must_use]
            pub fn to(mut self, name: &str, uri: &str, tag: Option<&str>) -> Self {
                self.draft.address(HeaderId::To, Some(name), uri, tag);
                self
            }

            /// Call-ID. `[RFC 3261, Section 20.8]`
            #[must_use]
            pub fn call_id(mut self, call_id: &str) -> Self {
                self.draft.raw(HeaderId::CallId, call_id.as_bytes());
                self
            }

            /// CSeq. `[RFC 3261, Section 20.16]`
            #[must_use]
            pub fn cseq(mut self, number: u32, method: Method) -> Self {
                self.draft.cseq(number, method.as_str().as_bytes());
                self
            }

            /// A Via below those that are there: host and port that the response goes to, transport, and the branch. `[RFC 3261, Section 20.42]`
            #[must_use]
            pub fn via(mut self, sent_by: &str, transport: &str, branch: Option<&str>) -> Self {
                self.draft.via(sent_by, transport, branch, false);
                self
            }

            /// A Contact more: a URI, and a name for people. `[RFC 3261, Section 20.10]`
            #[must_use]
            pub fn contact(mut self, uri: &str, name: Option<&str>) -> Self {
                self.draft.address(HeaderId::Contact, name, uri, None);
                self
            }

            /// A header field by its type: one of [`TypedHeader`], or any type that it has a variant for.
            #[must_use]
            pub fn header(mut self, field: impl Into<TypedHeader>) -> Self {
                self.draft.typed(&field.into());
                self
            }

            /// A header field whose value is written as it is given.
            #[must_use]
            pub fn raw(mut self, id: HeaderId, value: impl AsRef<[u8]>) -> Self {
                self.draft.raw(id, value.as_ref());
                self
            }

            /// The same, under a name that the registry may lack.
            #[must_use]
            pub fn raw_named(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
                self.draft.raw_named(name.as_ref(), value.as_ref());
                self
            }

            /// After how many seconds the message, or what it grants, is no longer valid. `[RFC 3261, Section 20.19]`
            #[must_use]
            pub fn expires_seconds(mut self, seconds: u32) -> Self {
                self.draft.number(HeaderId::Expires, seconds);
                self
            }

            /// The type of the body, such as `application/sdp`. `[RFC 3261, Section 20.15]`
            #[must_use]
            pub fn content_type(mut self, media_type: &str) -> Self {
                self.draft.raw(HeaderId::ContentType, media_type.as_bytes());
                self
            }

            /// The body; its type is given by [`Self::content_type`]. Content-Length follows from it.
            #[must_use]
            pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
                self.draft.body(body.into());
                self
            }

            /// The methods that may be sent to us. `[RFC 3261, Section 20.5]`
            #[must_use]
            pub fn allow_methods(mut self, methods: Vec<Method>) -> Self {
                self.draft.typed(&Allow::new(methods.iter().map(Method::as_str)).into());
                self
            }

            /// The extensions that we know. `[RFC 3261, Section 20.37]`
            #[must_use]
            pub fn supported_tags(mut self, tags: Vec<String>) -> Self {
                self.draft.typed(&Supported::new(tags).into());
                self
            }

            /// A type of body that is understood, and how much it is liked, from 0 to 1. `[RFC 3261, Section 20.1]`
            #[must_use]
            pub fn accept(mut self, media_range: &str, q: Option<Qvalue>) -> Self {
                self.draft.accept(media_range, q);
                self
            }

            /// The session is refreshed within so many seconds, and who does it. `[RFC 4028, Section 4]`
            #[must_use]
            pub fn session_expires(mut self, seconds: u32, refresher: Option<Refresher>) -> Self {
                let session = SessionExpires::new(seconds);
                let session = match refresher {
                    Some(refresher) => session.with_refresher(refresher),
                    None => session,
                };
                self.draft.typed(&session.into());
                self
            }
        }
    };
}

pub(crate) use setters;
