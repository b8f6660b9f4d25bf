//! Responses: to a request, or from nothing.

use alloc::string::String;
use alloc::vec::Vec;

use smallvec::SmallVec;

use crate::build::draft::{Draft, is_text, setters};
use crate::build::rules;
use crate::error::BuildError;
use crate::header::{
    Allow, HeaderId, ProxyAuthenticate, Qvalue, Refresher, SessionExpires, Supported, TypedHeader, WwwAuthenticate,
};
use crate::message::{Header, Message, Response};
use crate::method::Method;
use crate::status::{StatusCode, When};
use crate::writer::Writer;

/// A response that is checked when it is built: against the grammar of each header field, and against the row of the
/// [status registry](crate::status) for its code.
///
/// Made from a request ([`Response::to`]) it copies what a response must repeat; made by [`ResponseBuilder::new`] it is given all of it.
/// A setter never fails: the first mistake is what [`build`](ResponseBuilder::build) returns.
///
/// ```
/// use bytes::Bytes;
/// use ringback_message::{HeaderId, Message, Method, Request, Response, StatusCode};
///
/// let options = Request::check(Message::parse(Bytes::from_static(
///     b"OPTIONS sip:b.example SIP/2.0\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK1\r\nFrom: <sip:a@a.example>;tag=1\r\n\
///       To: <sip:b.example>\r\nCall-ID: 7@a.example\r\nCSeq: 1 OPTIONS\r\n\r\n",
/// ))?)?;
/// let no = Response::to(&options, StatusCode::MethodNotAllowed).to_tag("t1").build();
/// assert_eq!(no.unwrap_err().to_string(), "a 405 must carry Allow [RFC 3261, Section 21.4.6]");
/// let no = Response::to(&options, StatusCode::MethodNotAllowed).to_tag("t1").allow_methods(vec![Method::Invite]).build()?;
/// assert_eq!(no.to_tag(), Some(&b"t1"[..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ResponseBuilder<'a> {
    request: Option<&'a Message>,
    status: StatusCode,
    reason: Option<String>,
    to_tag: Option<Tag>,
    pub(crate) draft: Draft,
}

setters!(ResponseBuilder<'_>);

/// A challenge of what is given.
macro_rules! positional {
    ($kind:ident, $realm:ident, $nonce:ident, $qop:ident, $algorithm:ident, $opaque:ident, $stale:ident, $domain:ident) => {{
        let challenge = $kind::digest($realm, $nonce);
        let challenge = $qop.into_iter().fold(challenge, |c, qop| c.with_qop(qop.split(',').map(str::trim)));
        let challenge = $algorithm.into_iter().fold(challenge, |c, algorithm| c.with_algorithm(algorithm));
        let challenge = $opaque.iter().flatten().take(1).fold(challenge, |c, opaque| c.with_opaque(opaque));
        let challenge = $stale.into_iter().fold(challenge, |c, stale| c.with_stale(stale));
        $domain.into_iter().fold(challenge, |c, domain| c.with_domain(domain))
    }};
}

impl Response {
    /// A response to this request: its Vias, From, To, Call-ID and CSeq to the letter; Timestamp on a 100;
    /// Record-Route where a dialog forms. `[RFC 3261, Section 8.2.6.2]` `[RFC 3261, Section 12.1.1]`
    #[must_use]
    pub fn to(request: &Message, status: StatusCode) -> ResponseBuilder<'_> {
        ResponseBuilder { request: Some(request), status, reason: None, to_tag: None, draft: Draft::default() }
    }
}

impl<'a> ResponseBuilder<'a> {
    /// A response from nothing, with another reason phrase than the registry's where one is given.
    #[must_use]
    pub fn new(status: StatusCode, reason: Option<&str>) -> ResponseBuilder<'static> {
        ResponseBuilder { request: None, status, reason: reason.map(Into::into), to_tag: None, draft: Draft::default() }
    }

    /// A response to this request: [`Response::to`], with another reason phrase where one is given.
    #[must_use]
    pub fn response_from_request(
        request: &'a Message,
        status: StatusCode,
        reason: Option<&str>,
    ) -> ResponseBuilder<'a> {
        ResponseBuilder { reason: reason.map(Into::into), ..Response::to(request, status) }
    }

    /// Another reason phrase than the registry's.
    #[must_use]
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// The tag that the request's To gets if it has none. A 100 gets none. `[RFC 3261, Section 8.2.6.2]`
    ///
    /// With the feature `tags` it need not be given: then it is made from the transaction and a secret of the process.
    #[must_use]
    pub fn to_tag(mut self, tag: impl AsRef<str>) -> Self {
        self.to_tag = Some(Tag::from_slice(tag.as_ref().as_bytes()));
        self
    }

    /// A digest challenge by place: realm, nonce, kinds of protection, algorithm, opaque (one text at most), stale, domain.
    ///
    /// The same with names that can't be mixed up: `.header(WwwAuthenticate::digest(realm, nonce).with_qop(["auth"]))`.
    #[must_use]
    #[allow(clippy::too_many_arguments, reason = "known by this order; the form with names is beside it")]
    pub fn www_authenticate_digest(
        mut self,
        realm: &str,
        nonce: &str,
        qop: Option<&str>,
        algorithm: Option<&str>,
        opaque: Option<Vec<&str>>,
        stale: Option<bool>,
        domain: Option<Vec<&str>>,
    ) -> Self {
        let challenge = positional!(WwwAuthenticate, realm, nonce, qop, algorithm, opaque, stale, domain);
        self.draft.challenge(challenge.into(), opaque);
        self
    }

    /// The same for a proxy: [`ProxyAuthenticate`].
    #[must_use]
    #[allow(clippy::too_many_arguments, reason = "known by this order; the form with names is beside it")]
    pub fn proxy_authenticate_digest(
        mut self,
        realm: &str,
        nonce: &str,
        qop: Option<&str>,
        algorithm: Option<&str>,
        opaque: Option<Vec<&str>>,
        stale: Option<bool>,
        domain: Option<Vec<&str>>,
    ) -> Self {
        let challenge = positional!(ProxyAuthenticate, realm, nonce, qop, algorithm, opaque, stale, domain);
        self.draft.challenge(challenge.into(), opaque);
        self
    }

    /// The response, if it is well-formed and carries what its code demands.
    ///
    /// # Errors
    /// Names what is missing or malformed and the section that asks for it.
    pub fn build(mut self) -> Result<Response, BuildError> {
        let method = match self.request {
            Some(request) => request.method_text().and_then(Method::registered),
            None => self.draft.cseq_method(),
        };
        self.draft.check(false, method.as_ref())?;
        self.check_tag()?;
        if self.reason.as_deref().is_some_and(|reason| !is_text(reason.as_bytes())) {
            return Err(BuildError::Rule {
                what: "a reason phrase has no control characters",
                section: "RFC 3261, Section 25.1",
            });
        }
        rules::response(self.status, self.request, &self.draft)?;
        let response = Response::check(self.written()?).map_err(|rejected| BuildError::Malformed(rejected.error))?;
        if self.status != StatusCode::Trying && response.to_tag().is_none() {
            return Err(BuildError::NoToTag);
        }
        rules::session_timer(&response)?;
        rules::multipart(&response)?;
        if self.forms_dialog() {
            rules::dialog_contact(&response)?;
        }
        self.check_reliable()?;
        self.check_registry(&response)?;
        Ok(response)
    }

    /// The response without a look at the registry or at the values of header fields: for answers to malformed requests, and for testers.
    ///
    /// # Errors
    /// Where a value holds CR, LF or NUL, or a setter was given what it can't write.
    pub fn build_unchecked(self) -> Result<Message, BuildError> {
        self.draft.first_mistake()?;
        self.written()
    }

    fn written(&self) -> Result<Message, BuildError> {
        let phrase = self.reason.as_deref().unwrap_or_else(|| self.status.default_phrase());
        let plan = self.request.map(|request| self.plan(request));
        let copied_len = plan.as_ref().map_or(0, Plan::len);
        let len = Writer::status_line_len(phrase.as_bytes()) + copied_len + self.draft.written_len();
        let mut writer = Writer::with_capacity(len);
        writer.status_line(self.status, phrase.as_bytes());
        if let Some(plan) = plan {
            plan.write(&mut writer);
        }
        self.draft.write(&mut writer);
        writer.finish(self.draft.body_bytes())
    }

    fn plan<'b>(&'b self, request: &'b Message) -> Plan<'b> {
        let wants_tag = self.status != StatusCode::Trying && request.first(HeaderId::To).is_some_and(|to| !has_tag(to));
        Plan {
            request,
            timestamp: self.status == StatusCode::Trying,
            record_route: self.forms_dialog(),
            tag: self.to_tag.as_deref().filter(|_| wants_tag),
        }
    }

    /// 101 to 299 to a request that makes a dialog. `[RFC 3261, Section 12.1.1]`
    fn forms_dialog(&self) -> bool {
        let method = self.request.and_then(Message::method_text).and_then(Method::registered);
        (101..300).contains(&self.status.as_u16())
            && method.as_ref().and_then(Method::info).is_some_and(|info| info.forms_dialog)
    }

    /// "the UAS MUST add a tag to the To header field in the response (with the exception of the 100 (Trying) response".
    /// `[RFC 3261, Section 8.2.6.2]`
    fn check_tag(&mut self) -> Result<(), BuildError> {
        if let Some(tag) = &self.to_tag {
            return if crate::chars::is_token(tag) { Ok(()) } else { Err(BuildError::NotAToken { what: "tag" }) };
        }
        let Some(request) = self.request else { return Ok(()) };
        if self.status == StatusCode::Trying || request.first(HeaderId::To).is_none_or(has_tag) {
            return Ok(());
        }
        self.to_tag = tag_of_transaction(request).map(|tag| Tag::from_slice(tag.as_bytes()));
        if self.to_tag.is_some() { Ok(()) } else { Err(BuildError::NoToTag) }
    }

    /// What the registry says that this code must carry, as far as request and response tell whether it must.
    fn check_registry(&self, response: &Response) -> Result<(), BuildError> {
        let Some(info) = self.status.info() else { return Ok(()) };
        let missing = info.must.iter().find(|carry| {
            // What is there need not be called for.
            if response.first(carry.header).is_some() {
                return false;
            }
            let called_for = match (self.request, carry.when) {
                (Some(request), when) => when.holds(request, response),
                (None, when @ (When::Always | When::Reliable | When::ResponseRequires(_) | When::Without(..))) => {
                    when.holds(response, response)
                }
                (None, _) => None,
            };
            called_for == Some(true)
        });
        match missing {
            Some(carry) => Err(BuildError::Missing {
                status: self.status,
                header: carry.header.as_str(),
                rfc: info.rfc,
                section: info.section,
            }),
            None => Ok(()),
        }
    }

    /// A provisional response is sent reliably with both RSeq and a Require of 100rel, or with neither. `[RFC 3262, Section 3]`
    fn check_reliable(&self) -> Result<(), BuildError> {
        let missing = |header| BuildError::Missing { status: self.status, header, rfc: 3262, section: "3" };
        let rseq = self.draft.has(HeaderId::RSeq);
        let required = self.draft.has_token(HeaderId::Require, "100rel");
        match (self.status.is_provisional(), rseq, required) {
            (true, true, false) => Err(missing("Require")),
            (true, false, true) => Err(missing("RSeq")),
            _ => Ok(()),
        }
    }
}

/// What a response repeats of its request. `[RFC 3261, Section 8.2.6.2]`
struct Plan<'b> {
    request: &'b Message,
    timestamp: bool,
    record_route: bool,
    /// What To lacks.
    tag: Option<&'b [u8]>,
}

impl Plan<'_> {
    /// Whether a line goes along to the letter.
    fn repeats(&self, id: HeaderId) -> bool {
        match id {
            HeaderId::Via | HeaderId::From | HeaderId::CallId | HeaderId::CSeq => true,
            HeaderId::To => self.tag.is_none(),
            HeaderId::Timestamp => self.timestamp,
            HeaderId::RecordRoute => self.record_route,
            _ => false,
        }
    }

    /// How many bytes it writes: a guess for a request whose lines are put right on the way.
    fn len(&self) -> usize {
        let line = |header: Header<'_>| match self.tag {
            Some(tag) if header.id() == HeaderId::To => header.line_len() + TAG_IS.len() + tag.len(),
            _ if self.repeats(header.id()) => header.line_len(),
            _ => 0,
        };
        self.request.headers().map(line).sum()
    }

    /// Lines that stand together are copied together.
    fn write(&self, writer: &mut Writer) {
        let mut stretch = 0;
        for header in self.request.headers().filter(|header| !self.repeats(header.id())) {
            writer.copy_lines(self.request, stretch..header.index());
            stretch = header.index() + 1;
            if let (HeaderId::To, Some(tag)) = (header.id(), self.tag) {
                writer.copy_and(header, &[TAG_IS, tag]);
            }
        }
        writer.copy_lines(self.request, stretch..self.request.lines.len());
    }
}

const TAG_IS: &[u8] = b";tag=";

/// A tag, which is seldom longer.
type Tag = SmallVec<[u8; 32]>;

#[cfg(feature = "tags")]
use super::tag::of_transaction as tag_of_transaction;

/// Without the feature `tags` there is no secret to make one from.
#[cfg(not(feature = "tags"))]
fn tag_of_transaction(_: &Message) -> Option<String> {
    None
}

fn has_tag(to: Header<'_>) -> bool {
    crate::header::NameAddr::parse_only(HeaderId::To, to.value(), to.offset()).is_ok_and(|to| to.tag().is_some())
}
