//! Building responses, and the requests that are derived from others.

use alloc::string::String;
use alloc::vec::Vec;

use crate::error::{BuildError, ParseError};
use crate::header::HeaderId;
use crate::message::{Header, Message, Request, Response};
use crate::method::Method;
use crate::status::StatusCode;
use crate::writer::Writer;

/// A response to a request, checked against the registry when it is built.
///
/// ```
/// use bytes::Bytes;
/// use ringback_message::{HeaderId, Message, Request, Response, StatusCode};
///
/// let options = Request::check(Message::parse(Bytes::from_static(
///     b"OPTIONS sip:b.example SIP/2.0\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK1\r\nFrom: <sip:a@a.example>;tag=1\r\n\
///       To: <sip:b.example>\r\nCall-ID: 7@a.example\r\nCSeq: 1 OPTIONS\r\n\r\n",
/// ))?)?;
/// let no = Response::to(&options, StatusCode::MethodNotAllowed).to_tag("t1").build();
/// assert_eq!(no.unwrap_err().to_string(), "a 405 must carry Allow [RFC 3261, Section 21.4.6]");
/// let no = Response::to(&options, StatusCode::MethodNotAllowed).to_tag("t1").header(HeaderId::Allow, "INVITE").build()?;
/// assert_eq!(no.to_tag(), Some(&b"t1"[..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ResponseBuilder<'a> {
    request: &'a Message,
    status: StatusCode,
    reason: Option<String>,
    to_tag: Option<String>,
    headers: Vec<(Name, Vec<u8>)>,
    body: Vec<u8>,
}

#[derive(Debug)]
enum Name {
    Known(HeaderId),
    Text(Vec<u8>),
}

impl Response {
    /// A response to this request: its Vias, From, To, Call-ID and CSeq to the letter; Timestamp on a 100;
    /// Record-Route where a dialog forms. `[RFC 3261, Section 8.2.6.2]` `[RFC 3261, Section 12.1.1]`
    #[must_use]
    pub fn to(request: &Message, status: StatusCode) -> ResponseBuilder<'_> {
        ResponseBuilder { request, status, reason: None, to_tag: None, headers: Vec::new(), body: Vec::new() }
    }
}

impl ResponseBuilder<'_> {
    /// Another reason phrase than the registry's.
    #[must_use]
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// The tag that To gets if it has none. A 100 gets none. `[RFC 3261, Section 8.2.6.2]`
    #[must_use]
    pub fn to_tag(mut self, tag: impl Into<String>) -> Self {
        self.to_tag = Some(tag.into());
        self
    }

    /// One more header field.
    #[must_use]
    pub fn header(mut self, id: HeaderId, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((Name::Known(id), value.as_ref().into()));
        self
    }

    /// One more header field, by a name that the registry may lack.
    #[must_use]
    pub fn header_named(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((Name::Text(name.as_ref().into()), value.as_ref().into()));
        self
    }

    /// The body and its Content-Type.
    #[must_use]
    pub fn body(mut self, content_type: &str, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().into();
        self.header(HeaderId::ContentType, content_type)
    }

    /// The response, if it is well-formed and carries what its code demands.
    ///
    /// # Errors
    /// Names what is missing or malformed and the section that asks for it.
    pub fn build(self) -> Result<Response, BuildError> {
        self.check_registry()?;
        Response::check(self.build_unchecked()?).map_err(|rejected| BuildError::Malformed(rejected.error))
    }

    /// The response without a look at the registry or at the header fields of the request: for answers to malformed requests, and for testers.
    ///
    /// # Errors
    /// Where a value holds CR, LF or NUL.
    pub fn build_unchecked(self) -> Result<Message, BuildError> {
        let mut writer =
            Writer::with_capacity(self.request.as_bytes().len().saturating_add(self.body.len()).saturating_add(128));
        let phrase = self.reason.as_deref().unwrap_or_else(|| self.status.default_phrase());
        writer.status_line(self.status, phrase.as_bytes());
        for header in self.request.headers() {
            self.copied(header, &mut writer);
        }
        for (name, value) in &self.headers {
            match name {
                Name::Known(id) => writer.header(*id, value),
                Name::Text(name) => writer.header_named(name, value),
            }
        }
        writer.finish(&self.body)
    }

    fn copied(&self, header: Header<'_>, writer: &mut Writer) {
        match header.id() {
            HeaderId::Via | HeaderId::From | HeaderId::CallId | HeaderId::CSeq => writer.copy(header),
            HeaderId::To => match &self.to_tag {
                Some(tag) if self.status != StatusCode::Trying && !has_tag(header) => {
                    writer.copy_and(header, &[b";tag=", tag.as_bytes()])
                }
                _ => writer.copy(header),
            },
            HeaderId::Timestamp if self.status == StatusCode::Trying => writer.copy(header),
            HeaderId::RecordRoute if self.forms_dialog() => writer.copy(header),
            _ => {}
        }
    }

    /// 101 to 299 to a request that makes a dialog. `[RFC 3261, Section 12.1.1]`
    fn forms_dialog(&self) -> bool {
        let makes = [Method::Invite, Method::Subscribe, Method::Refer, Method::Notify];
        let method = self.request.method_text().unwrap_or_default();
        (101..300).contains(&self.status.as_u16()) && makes.iter().any(|m| m.as_str().as_bytes() == method)
    }

    /// What the registry says that this code always carries.
    fn check_registry(&self) -> Result<(), BuildError> {
        let Some(info) = self.status.info() else { return Ok(()) };
        for carry in info.must.iter().filter(|carry| carry.when.is_empty()) {
            if !self.has(carry.header) {
                let missing = BuildError::Missing {
                    status: self.status,
                    header: carry.header,
                    rfc: info.rfc,
                    section: info.section,
                };
                return Err(missing);
            }
        }
        Ok(())
    }

    fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(other, _)| match other {
            Name::Known(id) => id.as_str() == name,
            Name::Text(text) => text.eq_ignore_ascii_case(name.as_bytes()),
        }) || (name == "To" && self.request.first(HeaderId::To).is_some())
    }
}

fn has_tag(to: Header<'_>) -> bool {
    crate::header::NameAddr::parse_only(HeaderId::To, to.value(), to.offset()).is_ok_and(|to| to.tag().is_some())
}

impl Request {
    /// The CANCEL for this INVITE. `[RFC 3261, Section 9.1]`
    ///
    /// # Errors
    /// Never in practice: all of it comes from a message that was read.
    pub fn cancel(&self) -> Result<Request, BuildError> {
        self.derived(&Method::Cancel, self)
    }

    /// The ACK for a final response other than 2xx to this INVITE. `[RFC 3261, Section 17.1.1.3]`
    ///
    /// # Errors
    /// Never in practice: all of it comes from messages that were read.
    pub fn ack(&self, response: &Response) -> Result<Request, BuildError> {
        self.derived(&Method::Ack, response)
    }

    /// Request-URI, top Via, From, Call-ID, CSeq number and Route of this request, To of the other message.
    fn derived(&self, method: &Method, to: &Message) -> Result<Request, BuildError> {
        let mut writer = Writer::with_capacity(self.as_bytes().len());
        writer.request_line(method.as_str().as_bytes(), self.request_uri_text());
        writer.header_with(HeaderId::Via, |out| self.top_via().write(out));
        for header in self.headers() {
            match header.id() {
                HeaderId::From | HeaderId::CallId | HeaderId::Route => writer.copy(header),
                HeaderId::To => to.first(HeaderId::To).into_iter().for_each(|to| writer.copy(to)),
                _ => {}
            }
        }
        writer.header_with(HeaderId::CSeq, |out| {
            out.extend_from_slice(itoa::Buffer::new().format(self.cseq()).as_bytes());
            out.push(b' ');
            out.extend_from_slice(method.as_str().as_bytes());
        });
        writer.header_number(HeaderId::MaxForwards, 70);
        let message = writer.finish(b"")?;
        Request::check(message).map_err(|rejected| BuildError::Malformed(rejected.error))
    }
}

impl From<ParseError> for BuildError {
    fn from(error: ParseError) -> BuildError {
        BuildError::Malformed(error)
    }
}
