//! Requests from nothing.

use alloc::string::String;
use alloc::vec::Vec;

use crate::build::draft::{Draft, setters};
use crate::build::rules;
use crate::error::BuildError;
use crate::header::{Allow, HeaderId, Qvalue, Refresher, SessionExpires, Supported, TypedHeader};
use crate::message::{Message, Request};
use crate::method::Method;
use crate::uri::Uri;
use crate::writer::Writer;

/// A request that is checked when it is built: against the grammar of each header field, and for what its method always carries.
///
/// A setter never fails: the first mistake is what [`build`](RequestBuilder::build) returns. Max-Forwards is 70 where none is given,
/// CSeq has the method of the request. `[RFC 3261, Section 8.1.1]`
///
/// ```
/// use ringback_message::{Method, RequestBuilder};
///
/// let options = RequestBuilder::new(Method::Options, "sip:bob@biloxi.example.com")
///     .via("pc33.atlanta.example.com", "UDP", Some("z9hG4bKkjshdyff"))
///     .from("Alice", "sip:alice@atlanta.example.com", Some("88sja8x"))
///     .to("Bob", "sip:bob@biloxi.example.com", None)
///     .call_id("987asjd97y7atg")
///     .cseq(63104, Method::Options)
///     .accept("application/sdp", None)
///     .build()?;
/// assert_eq!(options.max_forwards(), Some(70));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct RequestBuilder {
    method: Method,
    uri: String,
    pub(crate) draft: Draft,
}

setters!(RequestBuilder);

impl RequestBuilder {
    /// A request of this method to this Request-URI.
    #[must_use]
    pub fn new(method: Method, uri: &str) -> RequestBuilder {
        RequestBuilder { method, uri: uri.into(), draft: Draft::default() }
    }

    /// Its method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Its Request-URI.
    #[must_use]
    pub fn request_uri(&self) -> &str {
        &self.uri
    }

    /// True where a header field of that name was given.
    #[must_use]
    pub fn has(&self, id: HeaderId) -> bool {
        self.draft.has(id)
    }

    /// [`via`](RequestBuilder::via) that asks for the response at the address and port that the request comes from: what a client
    /// behind a NAT needs, and every client over UDP does well to ask for.
    ///
    /// [`via`](RequestBuilder::via) doesn't do so by itself, because the port must then be one that responses are waited for at,
    /// which only the caller can know. `[RFC 3581, Section 3]`
    ///
    /// ```
    /// use ringback_message::{HeaderId, Method, RequestBuilder};
    ///
    /// let options = RequestBuilder::new(Method::Options, "sip:biloxi.example.com")
    ///     .via_rport("10.1.1.1:4540", "UDP", Some("z9hG4bKkjshdyff"))
    ///     .from("", "sip:alice@atlanta.example.com", Some("88sja8x"))
    ///     .to("", "sip:biloxi.example.com", None)
    ///     .call_id("987asjd97y7atg")
    ///     .cseq(1, Method::Options)
    ///     .build()?;
    /// let via = options.first(HeaderId::Via).map(|via| via.value());
    /// assert_eq!(via, Some(&b"SIP/2.0/UDP 10.1.1.1:4540;rport;branch=z9hG4bKkjshdyff"[..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn via_rport(mut self, sent_by: &str, transport: &str, branch: Option<&str>) -> Self {
        self.draft.via(sent_by, transport, branch, true);
        self
    }

    /// How many hops it may take; 70 where this is not called. `[RFC 3261, Section 8.1.1.6]`
    #[must_use]
    pub fn max_forwards(mut self, hops: u8) -> Self {
        self.draft.number(HeaderId::MaxForwards, hops.into());
        self
    }

    /// A Route more, a proxy that it goes through. `[RFC 3261, Section 20.34]`
    #[must_use]
    pub fn route(mut self, uri: &str) -> Self {
        self.draft.address(HeaderId::Route, None, uri, None);
        self
    }

    /// The request, if it is well-formed and carries what its method demands.
    ///
    /// # Errors
    /// Names what is missing or malformed and the section that asks for it.
    pub fn build(mut self) -> Result<Request, BuildError> {
        if !self.draft.has(HeaderId::MaxForwards) {
            self.draft.number(HeaderId::MaxForwards, 70);
        }
        self.draft.check(true, Some(&self.method))?;
        Uri::parse_strict(self.uri.as_bytes(), HeaderId::Other, 0).map_err(BuildError::RequestUri)?;
        self.check_method()?;
        let message = self.build_unchecked()?;
        let request = Request::check(message).map_err(|rejected| BuildError::Malformed(rejected.error))?;
        rules::request(&request)?;
        Ok(request)
    }

    /// The request without a look at its values or at what it lacks: for testers.
    ///
    /// # Errors
    /// Where a value holds CR, LF or NUL, or a setter was given what it can't write.
    pub fn build_unchecked(self) -> Result<Message, BuildError> {
        self.draft.first_mistake()?;
        let method = self.method.as_str().as_bytes();
        let mut writer =
            Writer::with_capacity(Writer::request_line_len(method, self.uri.as_bytes()) + self.draft.written_len());
        writer.request_line(method, self.uri.as_bytes());
        self.draft.write(&mut writer);
        writer.finish(self.draft.body_bytes())
    }

    /// What the table of methods says that this method always carries.
    fn check_method(&self) -> Result<(), BuildError> {
        let Some(info) = self.method.info() else { return Ok(()) };
        let missing = info.must.iter().find(|carry| carry.when.is_none() && !self.draft.has(carry.header));
        match missing {
            Some(carry) => Err(BuildError::MissingInRequest {
                method: self.method.clone(),
                header: carry.header,
                source: info.source,
            }),
            None => Ok(()),
        }
    }
}
