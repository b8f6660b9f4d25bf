//! A refusal as a value: what a request that can't be served is answered with.

use ringback_message::header::{AllowEvents, MinExpires, RetryAfter};
use ringback_message::{Request, Response, ResponseBuilder, StatusCode};

/// A failure response that is still to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// The code.
    pub status: StatusCode,
    /// Another phrase than the registry's.
    pub reason: Option<&'static str>,
    /// Min-Expires, for 423.
    pub min_expires_secs: Option<u32>,
    /// Retry-After.
    pub retry_after_secs: Option<u32>,
}

impl Refusal {
    /// With this code alone.
    #[must_use]
    pub const fn new(status: StatusCode) -> Refusal {
        Refusal { status, reason: None, min_expires_secs: None, retry_after_secs: None }
    }

    /// Says more to people.
    #[must_use]
    pub const fn because(self, reason: &'static str) -> Refusal {
        Refusal { reason: Some(reason), ..self }
    }

    /// Too brief an interval, and the shortest that is taken. `[RFC 3261, Section 21.4.17]`
    #[must_use]
    pub const fn too_brief(min_expires_secs: u32) -> Refusal {
        Refusal { min_expires_secs: Some(min_expires_secs), ..Refusal::new(StatusCode::IntervalTooBrief) }
    }

    /// The response. A 489 says which event packages there are, if any. `[RFC 6665, Section 4.4.4]`
    #[must_use]
    pub fn response<'a>(&self, request: &'a Request, packages: &[impl AsRef<str>]) -> ResponseBuilder<'a> {
        let response = Response::to(request, self.status);
        let response = self.reason.into_iter().fold(response, |response, reason| response.reason(reason));
        let response =
            self.min_expires_secs.into_iter().fold(response, |response, secs| response.header(MinExpires(secs)));
        let response =
            self.retry_after_secs.into_iter().fold(response, |response, secs| response.header(RetryAfter::new(secs)));
        if self.status == StatusCode::BadEvent && !packages.is_empty() {
            let names = packages.iter().map(|name| name.as_ref().as_bytes());
            return response.header(AllowEvents::new(names));
        }
        response
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use ringback_message::HeaderId;

    #[test]
    fn carries_what_its_code_demands() {
        let request = Request::parse(
            b"SUBSCRIBE sip:b@b.example SIP/2.0\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK1\r\nFrom: <sip:a@a.example>;tag=1\r\n\
              To: <sip:b@b.example>\r\nCall-ID: 7\r\nCSeq: 1 SUBSCRIBE\r\nEvent: x\r\nContact: <sip:a@a.example>\r\n\r\n",
        )
        .unwrap();
        let text = |refusal: Refusal| refusal.response(&request, &["presence", "reg"]).to_tag("t").build().unwrap();
        assert_eq!(text(Refusal::too_brief(60)).number(HeaderId::MinExpires), Ok(Some(60)));
        let bad_event = text(Refusal::new(StatusCode::BadEvent));
        assert_eq!(bad_event.first(HeaderId::AllowEvents).unwrap().value(), b"presence, reg");
        let forbidden = text(Refusal::new(StatusCode::Forbidden).because("No Dialog Sharing"));
        assert_eq!(forbidden.reason(), b"No Dialog Sharing");
    }
}
