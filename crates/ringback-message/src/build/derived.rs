//! Requests that follow from another: CANCEL, and the ACK for a failure.

use crate::error::{BuildError, ParseError};
use crate::header::HeaderId;
use crate::message::{Message, Request, Response};
use crate::method::Method;
use crate::writer::Writer;

impl Request {
    /// The CANCEL for this INVITE. `[RFC 3261, Section 9.1]`
    ///
    /// # Errors
    /// Where this is no INVITE.
    pub fn cancel(&self) -> Result<Request, BuildError> {
        if !self.is(&Method::Invite) {
            return Err(BuildError::Rule { what: "only an INVITE is cancelled", section: "RFC 3261, Section 9.1" });
        }
        self.derived(&Method::Cancel, self)
    }

    /// The ACK for a final response other than 2xx to this INVITE. `[RFC 3261, Section 17.1.1.3]`
    ///
    /// # Errors
    /// Where this is no INVITE, or the response is no such response, or one to another request: with another Call-ID, CSeq or tag of From.
    pub fn ack(&self, response: &Response) -> Result<Request, BuildError> {
        if !self.is(&Method::Invite) || response.status().as_u16() < 300 {
            let what = "this ACK is for a final response to an INVITE other than 2xx";
            return Err(BuildError::Rule { what, section: "RFC 3261, Section 17.1.1.3" });
        }
        let is_ours = self.call_id() == response.call_id()
            && (self.cseq(), self.cseq_method()) == (response.cseq(), response.cseq_method())
            && self.from_tag() == response.from_tag();
        if !is_ours {
            let what = "an ACK has the Call-ID, CSeq number and From of the INVITE that its response answers";
            return Err(BuildError::Rule { what, section: "RFC 3261, Section 17.1.1.3" });
        }
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
