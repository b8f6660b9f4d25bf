//! Publications: event state that we keep at an event state compositor (ESC), and what an ESC does with one. RFC 3903
//!
//! | operation | body | SIP-If-Match | Expires |
//! |---|---|---|---|
//! | initial | yes | no | > 0 |
//! | refresh | no | yes | > 0 |
//! | modify | yes | yes | > 0 |
//! | remove | no | yes | 0 |
//!
//! `[RFC 3903, Section 4.1]`

mod compositor;
#[cfg(test)]
mod tests;

pub use compositor::{PublishOperation, PublishRuling, rule_publish};

use alloc::boxed::Box;

use ringback_base::{Micros, Now};
use ringback_message::header::{Event, RetryAfter, SipEtag, SipIfMatch};
use ringback_message::{HeaderId, Method, Request, RequestBuilder, Response, StatusCode};

use crate::notifier::EventState;
use crate::origin::{Origin, refresh_after, retry_at};
use crate::outcome::{Correction, Outcome};

/// How often an interval that was too brief is made longer before the attempt is given up.
const LENGTHENED_MAX: u8 = 3;

/// What a publication is set up with.
#[derive(Clone, Debug)]
pub struct PublicationConfig {
    /// Who publishes, and whose state it is.
    pub origin: Origin,
    /// The package.
    pub event: Event,
    /// For how many seconds.
    pub expires_secs: u32,
}

impl PublicationConfig {
    /// For an hour.
    #[must_use]
    pub fn new(origin: Origin, event: Event) -> PublicationConfig {
        PublicationConfig { origin, event, expires_secs: 3_600 }
    }
}

/// State that we publish, kept alive until it is removed. One PUBLISH is under way at a time. `[RFC 3903, Section 4]`
#[derive(Debug)]
pub struct Publication {
    config: PublicationConfig,
    state: EventState,
    cseq: u32,
    expires_secs: u32,
    lengthened: u8,
    /// What the ESC calls our state; `None` where it has none of ours.
    etag: Option<Box<[u8]>>,
    expires_at: Micros,
    refresh_at: Option<Micros>,
    under_way: Option<Operation>,
    /// What is to be done when that is answered.
    wish: Option<Operation>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    /// Initial, or modify where the ESC has our state.
    Publish,
    Refresh,
    Remove,
}

/// What follows from the outcome of a PUBLISH.
#[derive(Debug)]
pub enum PublicationOutcome {
    /// The state is published; where it has changed since, this is sent next.
    Published(Option<RequestBuilder>),
    /// It was not accepted as it was sent: this is sent instead.
    Again(RequestBuilder),
    /// The state is removed.
    Removed,
    /// A refresh or a change has failed. What was published holds until its time is over, and it will be tried again before.
    Kept {
        /// The code; `None` where no answer came.
        status: Option<StatusCode>,
    },
    /// Nothing of ours is there, and nothing more is tried.
    Failed {
        /// The code; `None` where no answer came.
        status: Option<StatusCode>,
        /// After how many seconds the ESC lets it be tried again, where it says so.
        retry_after_secs: Option<u32>,
    },
}

impl Publication {
    /// One that has published nothing yet.
    #[must_use]
    pub fn new(config: PublicationConfig) -> Publication {
        Publication {
            expires_secs: config.expires_secs,
            config,
            state: EventState::default(),
            cseq: 0,
            lengthened: 0,
            etag: None,
            expires_at: Micros(0),
            refresh_at: None,
            under_way: None,
            wish: None,
        }
    }

    /// What it was set up with.
    #[must_use]
    pub fn config(&self) -> &PublicationConfig {
        &self.config
    }

    /// What the ESC calls our state, while it has it.
    #[must_use]
    pub fn etag(&self) -> Option<&[u8]> {
        self.etag.as_deref()
    }

    /// True where nothing is there and nothing is tried.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.etag.is_none() && self.under_way.is_none() && self.refresh_at.is_none()
    }

    /// Publishes a state, or changes it. `None` while a PUBLISH is under way: it follows then. `[RFC 3903, Section 4.4]`
    #[must_use]
    pub fn publish(&mut self, state: EventState) -> Option<RequestBuilder> {
        self.state = state;
        self.ask(Operation::Publish)
    }

    /// Removes it. `None` while a PUBLISH is under way: it follows then. `[RFC 3903, Section 4.5]`
    #[must_use]
    pub fn remove(&mut self) -> Option<RequestBuilder> {
        self.refresh_at = None;
        if self.etag.is_none() && self.under_way.is_none() {
            return None;
        }
        self.ask(Operation::Remove)
    }

    /// The PUBLISH as it went out, each time that it did.
    pub fn sent(&mut self, request: &Request) {
        self.cseq = self.cseq.max(request.cseq());
    }

    /// The final response; `None` where none came. `[RFC 3903, Section 5]`
    pub fn handle_outcome(&mut self, response: Option<&Response>, now: Now) -> PublicationOutcome {
        let Some(operation) = self.under_way.take() else { return PublicationOutcome::Kept { status: None } };
        let status = response.map(Response::status);
        match response {
            Some(response) if response.status().is_success() => return self.done(operation, response, now),
            // "it MUST NOT reattempt the PUBLISH request ... The EPA MUST also discard the entity-tag"
            Some(response) if self.etag.is_some() && is_unknown(response) => {
                self.etag = None;
                let is_removed = operation == Operation::Remove || self.wish == Some(Operation::Remove);
                return match (is_removed, self.wish.take()) {
                    (true, _) => PublicationOutcome::Removed,
                    (false, _) => PublicationOutcome::Again(self.send(Operation::Publish)),
                };
            }
            Some(response) => {
                if let Some(longer) = self.longer(operation, response) {
                    self.expires_secs = longer;
                    return PublicationOutcome::Again(self.send(operation));
                }
            }
            None => {}
        }
        self.failed(operation, status, response, now)
    }

    /// When [`Publication::handle_timeout`] wants to be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Micros> {
        if self.under_way.is_some() { None } else { self.refresh_at }
    }

    /// The PUBLISH that is due: a refresh, or all of it anew where the time of what was published is over.
    #[must_use]
    pub fn handle_timeout(&mut self, now: Now) -> Option<RequestBuilder> {
        if self.under_way.is_some() || self.refresh_at.is_none_or(|at| at > now.mono) {
            return None;
        }
        if self.expires_at <= now.mono {
            self.etag = None;
        }
        let refresh = if self.etag.is_some() { Operation::Refresh } else { Operation::Publish };
        let operation = self.wish.take().unwrap_or(refresh);
        Some(self.send(operation))
    }

    /// "EPAs MUST NOT send a new PUBLISH request (not a re-transmission) for the same Request-URI, until they have received a final
    /// response". `[RFC 3903, Section 4]`
    fn ask(&mut self, operation: Operation) -> Option<RequestBuilder> {
        if self.under_way.is_some() {
            self.wish = Some(operation);
            return None;
        }
        Some(self.send(operation))
    }

    fn send(&mut self, operation: Operation) -> RequestBuilder {
        self.under_way = Some(operation);
        self.refresh_at = None;
        self.cseq = self.cseq.saturating_add(1);
        let expires_secs = if operation == Operation::Remove { 0 } else { self.expires_secs };
        let request = self.config.origin.request(Method::Publish, self.cseq).header(self.config.event.clone());
        let request = request.expires_seconds(expires_secs);
        let request = self.etag.iter().fold(request, |request, etag| request.header(SipIfMatch::new(etag)));
        match operation {
            Operation::Publish => request.content_type(&self.state.content_type).body(self.state.body.to_vec()),
            Operation::Refresh | Operation::Remove => request,
        }
    }

    /// "The EPA MUST store this entity-tag, replacing any existing entity-tag". `[RFC 3903, Section 4.3]`
    fn done(&mut self, operation: Operation, response: &Response, now: Now) -> PublicationOutcome {
        if operation == Operation::Remove {
            self.etag = None;
            return match self.wish.take() {
                Some(Operation::Publish) => PublicationOutcome::Again(self.send(Operation::Publish)),
                _ => PublicationOutcome::Removed,
            };
        }
        self.lengthened = 0;
        self.etag = response.get::<SipEtag<&[u8]>>().ok().flatten().map(|etag| etag.token.into());
        let granted_secs = response.number(HeaderId::Expires).ok().flatten().unwrap_or(self.expires_secs);
        let granted_secs = granted_secs.min(self.expires_secs);
        self.expires_at = now.mono.plus(Micros::from_secs(granted_secs.into()));
        self.refresh_at = Some(now.mono.plus(refresh_after(granted_secs).max(crate::origin::RETRY_MIN)));
        PublicationOutcome::Published(self.wish.take().map(|wish| self.send(wish)))
    }

    fn failed(
        &mut self,
        operation: Operation,
        status: Option<StatusCode>,
        response: Option<&Response>,
        now: Now,
    ) -> PublicationOutcome {
        let wish = self.wish.take();
        if operation == Operation::Remove {
            // It will be over by itself.
            self.etag = None;
            return PublicationOutcome::Removed;
        }
        // "Bad Event": this ESC will never have it. [RFC 3903, Section 6]
        let is_hopeless = status == Some(StatusCode::BadEvent);
        let retry_at = self.etag.is_some().then(|| retry_at(now.mono, self.expires_at)).flatten();
        match (retry_at, wish) {
            (Some(_), Some(Operation::Remove)) => PublicationOutcome::Again(self.send(Operation::Remove)),
            (Some(at), wish) if !is_hopeless => {
                self.refresh_at = Some(at);
                // What could not be changed is still to be changed.
                self.wish = wish.or((operation == Operation::Publish).then_some(operation));
                PublicationOutcome::Kept { status }
            }
            _ => {
                self.etag = None;
                let retry = response.and_then(|response| response.get::<RetryAfter<&[u8]>>().ok().flatten());
                PublicationOutcome::Failed { status, retry_after_secs: retry.map(|retry| retry.seconds) }
            }
        }
    }

    /// The interval to ask for after a 423. `[RFC 3903, Section 5]`
    fn longer(&mut self, operation: Operation, response: &Response) -> Option<u32> {
        let Outcome::RaiseExpires { min_secs } = Outcome::of_response(response) else { return None };
        if min_secs <= self.expires_secs || operation == Operation::Remove || self.lengthened >= LENGTHENED_MAX {
            return None;
        }
        self.lengthened = self.lengthened.saturating_add(1);
        Some(min_secs)
    }
}

/// 412: our entity tag is not known.
fn is_unknown(response: &Response) -> bool {
    Outcome::of_response(response) == Outcome::Correct(Correction::WholeState)
}
