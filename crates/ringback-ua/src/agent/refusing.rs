//! What is wrong with a body of theirs, and how that is said.

use ringback_base::Now;
use ringback_message::header::{RetryAfter, Warning};
use ringback_message::{HeaderId, Request, ResponseBuilder, StatusCode, status_for};
use ringback_sdp::negotiate::Refusal;
use ringback_transaction::ServerId;

use super::UserAgent;
use crate::blamed::Refused;
use crate::exchange::refusal_warning;

impl UserAgent {
    /// Says which body would be understood. `[RFC 3261, Section 8.2.3]`
    pub(crate) fn unsupported_body(&mut self, id: ServerId, request: &Request, now: Now) {
        match super::policy::unreadable(request) {
            StatusCode::UnsupportedMediaType => {
                self.say(id, request, StatusCode::UnsupportedMediaType, understood, now);
            }
            status => self.say(id, request, status, |r| r, now),
        }
    }

    /// Refuses an offer with what it deserves: 488 and a Warning, as a rule. `[RFC 3261, Section 13.3.1.3]`
    pub(crate) fn refuse_offer(&mut self, id: ServerId, request: &Request, refusal: &Refusal, now: Now) {
        let (status, warning, retry) = self.refusal(refusal);
        self.say(id, request, status, |r| filled(r, warning, retry), now);
    }

    fn refusal(&mut self, refusal: &Refusal) -> (StatusCode, Option<Warning>, Option<RetryAfter>) {
        let status = status_for(&Refused(refusal));
        let warning = self.warning(refusal);
        // "a Retry-After with a randomly chosen value of between 0 and 10 seconds" [RFC 3311, Section 5.2]
        let retry = (refusal.status == 500).then(|| self.retry_soon());
        (status, warning, retry)
    }

    /// What a refusal says to people.
    pub(crate) fn warning(&self, refusal: &Refusal) -> Option<Warning> {
        let agent = self.config.locals.first().map_or("ringback", |local| &*local.sent_by);
        refusal_warning(refusal, agent)
    }

    pub(crate) fn retry_soon(&mut self) -> RetryAfter {
        RetryAfter::new(u32::try_from(self.random.below(11)).unwrap_or(0))
    }
}

pub(crate) fn filled<'r>(
    builder: ResponseBuilder<'r>,
    warning: Option<Warning>,
    retry: Option<RetryAfter>,
) -> ResponseBuilder<'r> {
    let builder = match warning {
        Some(warning) => builder.header(warning),
        None => builder,
    };
    match retry {
        Some(retry) => builder.header(retry),
        None => builder,
    }
}

/// Which body is understood.
fn understood(builder: ResponseBuilder<'_>) -> ResponseBuilder<'_> {
    builder.accept("application/sdp", None).raw(HeaderId::AcceptEncoding, "identity")
}
