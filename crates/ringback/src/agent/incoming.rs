//! What comes in.

use ringback_message::header::{Contact, Qvalue};
use ringback_message::{BuildError, Method, ParseError, Request, ResponseBuilder, StatusCode};
use ringback_sdp::SessionDescription;
use ringback_tokio::agent::{self as tasks, ServerRequest, Session};
use ringback_ua::{CommandError, EndReason, Event, Media, MediaError, SessionId};

use super::builder::AgentHandle;
use super::call::Call;
use super::subscription::IncomingSubscription;
use super::transfer::IncomingRefer;
use crate::session::MessageSdp as _;

/// What comes in outside of calls.
#[derive(Debug)]
#[non_exhaustive]
#[allow(clippy::large_enum_variant, reason = "one at a time")]
pub enum Incoming {
    /// Somebody calls.
    Call(IncomingCall),
    /// A request outside of a call, such as MESSAGE.
    Request(IncomingRequest),
    /// A REFER outside of a call. `[RFC 3515]`
    Refer(IncomingRefer),
    /// Somebody wants to be told of a state. `[RFC 6665, Section 4.2.1.1]`
    Subscription(IncomingSubscription),
    /// Something of what was begun by [`AgentHandle::core`], such as a publication.
    Other(Box<Event>),
}

impl Incoming {
    pub(super) fn of(incoming: tasks::Incoming, agent: &AgentHandle) -> Incoming {
        let request = |request| IncomingRequest::new(request, agent.clone());
        match incoming {
            tasks::Incoming::Call { session, request, replaces } => {
                Incoming::Call(IncomingCall { session, request, replaces, agent: agent.clone() })
            }
            tasks::Incoming::Request(asked) => Incoming::Request(request(asked)),
            tasks::Incoming::Refer(asked, referral) => Incoming::Refer(IncomingRefer::new(request(asked), referral)),
            tasks::Incoming::Subscription(asked, new) => {
                Incoming::Subscription(IncomingSubscription::new(request(asked), new))
            }
            tasks::Incoming::Other(event) => Incoming::Other(event),
        }
    }
}

/// An INVITE of theirs without a final response. Dropping it answers with 500.
#[derive(Debug)]
pub struct IncomingCall {
    session: Session,
    request: Request,
    replaces: Option<SessionId>,
    agent: AgentHandle,
}

impl IncomingCall {
    /// The INVITE.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Their offer; `None` where they ask us for one, or it can't be read.
    #[must_use]
    pub fn offer(&self) -> Option<SessionDescription> {
        self.request.sdp().ok().flatten()
    }

    /// The session whose place it shall take. `[RFC 3891, Section 3]`
    #[must_use]
    pub fn replaces(&self) -> Option<SessionId> {
        self.replaces
    }

    /// The agent that is called.
    #[must_use]
    pub fn agent(&self) -> &AgentHandle {
        &self.agent
    }

    /// Says that it rings, by a 180.
    ///
    /// # Errors
    /// Where the caller has given up.
    pub async fn ring(&self) -> Result<(), CommandError> {
        self.session.ring(StatusCode::Ringing, Media::None).await
    }

    /// Says something else before the answer, with an answer to the offer perhaps, such as 183 for early media.
    ///
    /// # Errors
    /// Where the caller has given up, or the media don't fit.
    pub async fn progress(&self, status: StatusCode, media: Media) -> Result<(), CommandError> {
        self.session.ring(status, media).await
    }

    /// Takes the call, with the media of the agent. Where nothing of them fits, it is refused with 488 and a Warning.
    ///
    /// # Errors
    /// Where the caller has given up, or the media don't fit.
    pub async fn answer(self) -> Result<Call, CommandError> {
        let media = self.agent.own.media();
        self.answer_with(media).await
    }

    /// Takes the call with these media. A description answers this offer alone: those that follow come as events of the call.
    ///
    /// # Errors
    /// As [`IncomingCall::answer`].
    pub async fn answer_with(self, media: Media) -> Result<Call, CommandError> {
        let further = match &media {
            Media::Endpoint(endpoint) => Media::Endpoint(endpoint.clone()),
            _ => Media::None,
        };
        match self.session.answer(media, further).await {
            Ok(()) => Ok(Call::new(self.session, self.agent, self.request.call_id())),
            Err(CommandError::Media(MediaError::Refused(refusal))) => {
                self.session.refuse(refusal.clone()).await?;
                Err(CommandError::Media(MediaError::Refused(refusal)))
            }
            Err(error) => Err(error),
        }
    }

    /// Refuses the call.
    ///
    /// # Errors
    /// Where the caller has given up, or the response lacks what it must carry: then [`IncomingCall::reject_with`] can add it.
    pub async fn reject(self, status: StatusCode) -> Result<(), CommandError> {
        self.reject_with(status, |response| response).await
    }

    /// Refuses the call; `fill` adds to the response, such as Retry-After.
    ///
    /// # Errors
    /// As [`IncomingCall::reject`].
    pub async fn reject_with(
        self,
        status: StatusCode,
        fill: impl FnOnce(ResponseBuilder<'_>) -> ResponseBuilder<'_> + Send + 'static,
    ) -> Result<(), CommandError> {
        self.session.reject(status, fill).await
    }

    /// Says where else to call: 302, the preferred URI first. Of several each has a lower q than the one before, down to 0.1.
    /// `[RFC 3261, Section 21.3.3]`
    ///
    /// # Errors
    /// Where the caller has given up, or one of these is no URI: then the call is answered with 500.
    pub async fn redirect(self, contacts: &[&str]) -> Result<(), CommandError> {
        let contacts: Result<Vec<Contact>, ParseError> = contacts.iter().map(Contact::new).collect();
        let contacts = contacts.map_err(|error| CommandError::Build(BuildError::Malformed(error)))?;
        let contacts = in_order_of_q(contacts);
        self.reject_with(StatusCode::MovedTemporarily, |response| {
            contacts.into_iter().fold(response, ResponseBuilder::header)
        })
        .await
    }

    /// Waits until it is over before it was answered: cancelled, as a rule. Dropping the future loses nothing.
    pub async fn cancelled(&mut self) -> EndReason {
        while self.session.next().await.is_some() {}
        self.session.end().cloned().unwrap_or(EndReason::Cancelled)
    }
}

/// A request that wants an answer. Dropping it unanswered answers with 500.
#[derive(Debug)]
pub struct IncomingRequest {
    request: ServerRequest,
    agent: AgentHandle,
}

impl IncomingRequest {
    pub(super) fn new(request: ServerRequest, agent: AgentHandle) -> IncomingRequest {
        IncomingRequest { request, agent }
    }

    pub(super) fn into_inner(self) -> ServerRequest {
        self.request
    }

    /// The request.
    #[must_use]
    pub fn request(&self) -> &Request {
        self.request.request()
    }

    /// Its transaction, for commands to the core.
    #[must_use]
    pub fn id(&self) -> ringback_transaction::ServerId {
        self.request.id()
    }

    /// Its method.
    #[must_use]
    pub fn method(&self) -> Method {
        self.request().method()
    }

    /// The text of its body, with what is no UTF-8 replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(self.request().body()).into_owned()
    }

    /// The agent that is asked.
    #[must_use]
    pub fn agent(&self) -> &AgentHandle {
        &self.agent
    }

    /// Answers it.
    ///
    /// # Errors
    /// Where the response lacks what it must carry: then [`IncomingRequest::respond_with`] can add it.
    pub async fn respond(self, status: StatusCode) -> Result<(), CommandError> {
        self.respond_with(status, |response| response).await
    }

    /// Answers it; `fill` adds to the response.
    ///
    /// # Errors
    /// As [`IncomingRequest::respond`].
    pub async fn respond_with(
        self,
        status: StatusCode,
        fill: impl FnOnce(ResponseBuilder<'_>) -> ResponseBuilder<'_> + Send + 'static,
    ) -> Result<(), CommandError> {
        self.request.respond(status, fill).await
    }
}

/// From 1 on in steps of 0.1; one alone needs no q.
fn in_order_of_q(contacts: Vec<Contact>) -> Vec<Contact> {
    if contacts.len() < 2 {
        return contacts;
    }
    let falling = (1..=10_u16).rev().chain(std::iter::repeat(1)).map(|tenths| tenths.saturating_mul(100));
    let with_q = |(contact, q): (Contact, u16)| contact.with_q(Qvalue::from_thousandths(q).unwrap_or(Qvalue::ONE));
    contacts.into_iter().zip(falling).map(with_q).collect()
}
