//! A response that we make ourselves, before it is tied to its request.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use ringback_message::{BuildError, HeaderId, Message, ParseError, Response, StatusCode, status_for};

use crate::limit::Limit;

/// A response of our own: code, reason and what it carries besides the copied header fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The code.
    pub status: StatusCode,
    /// Another reason phrase than the registry's.
    pub reason: Option<String>,
    /// What it carries.
    pub headers: Vec<(HeaderId, String)>,
    /// The limit that is the reason for it, if one is; never on the wire.
    pub limit: Option<Limit>,
}

impl Reply {
    /// With the registry's reason phrase.
    #[must_use]
    pub fn new(status: StatusCode) -> Reply {
        Reply { status, reason: None, headers: Vec::new(), limit: None }
    }

    /// With a reason phrase that says more.
    #[must_use]
    pub fn because(status: StatusCode, reason: impl Into<String>) -> Reply {
        Reply { reason: Some(reason.into()), ..Reply::new(status) }
    }

    /// To a request with this defect: the reason names the header field and the byte, so that whoever sent it can mend it.
    #[must_use]
    pub fn malformed(error: &ParseError) -> Reply {
        Reply::because(status_for(error), error.to_string())
    }

    /// With one more header field.
    #[must_use]
    pub fn with(mut self, id: HeaderId, value: impl Into<String>) -> Reply {
        self.headers.push((id, value.into()));
        self
    }

    /// Because of this limit.
    #[must_use]
    pub fn beyond(mut self, limit: impl Into<Limit>) -> Reply {
        self.limit = Some(limit.into());
        self
    }

    /// With a Warning: its code, who warns, and a text for people. `[RFC 3261, Section 20.43]`
    #[must_use]
    pub fn warning(self, code: u16, agent: &str, text: &str) -> Reply {
        self.with(HeaderId::Warning, format!("{code} {agent} \"{text}\""))
    }

    /// The response to this request.
    ///
    /// # Errors
    /// Where the request lacks what a response copies, or a header field is missing that the code demands.
    pub fn to(&self, request: &Message, to_tag: &str) -> Result<Response, BuildError> {
        self.builder(request, to_tag).build()
    }

    /// The response to something that may lack what a response copies.
    ///
    /// # Errors
    /// Where a value can't stand in a message.
    pub fn to_salvage(&self, salvage: &Message, to_tag: &str) -> Result<Message, BuildError> {
        self.builder(salvage, to_tag).build_unchecked()
    }

    fn builder<'a>(&self, request: &'a Message, to_tag: &str) -> ringback_message::ResponseBuilder<'a> {
        let mut builder = Response::to(request, self.status).to_tag(to_tag);
        if let Some(reason) = &self.reason {
            builder = builder.reason(reason.clone());
        }
        self.headers.iter().fold(builder, |builder, (id, value)| builder.raw(*id, value))
    }
}
