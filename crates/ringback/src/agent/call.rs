//! A session that stands.

use ringback_message::{Method, Request, RequestBuilder, Response, StatusCode};
use ringback_sdp::SessionDescription;
use ringback_sdp::negotiate::{HoldForm, Offer, OfferError, Refusal, Session as Agreement, Stream};
use ringback_tokio::agent::{Session, SessionEvent};
use ringback_ua::{CommandError, EndReason, Event, Failure, Media, MediaError, Referral, SessionId, UserAgent};

use super::builder::AgentHandle;
use super::error::RequestFailed;
use super::incoming::IncomingRequest;

/// A call that was answered. Dropping it hangs up.
#[derive(Debug)]
pub struct Call {
    session: Session,
    agent: AgentHandle,
    /// The response that made it, or the INVITE.
    call_id: String,
}

/// What comes in a call.
#[derive(Debug)]
#[non_exhaustive]
pub enum CallEvent {
    /// Our 200 is acknowledged.
    Confirmed,
    /// What is agreed on has changed: [`Call::streams`] has it.
    Agreed,
    /// They offer, and the call has no media of its own to answer with.
    Offered(OfferedMedia),
    /// The call was refreshed. `[RFC 4028, Section 7.2]`
    Refreshed,
    /// A change of ours was not taken: what was agreed on before holds.
    ChangeFailed(Failure),
    /// A request, such as INFO or MESSAGE.
    Request(IncomingRequest),
    /// They ask us to call somebody else. `[RFC 3515]`
    Refer(IncomingRequest, Box<Referral>),
    /// It is over, and nothing follows.
    Ended(EndReason),
}

/// An offer within a call.
#[derive(Debug)]
pub struct OfferedMedia {
    session: SessionId,
    agent: AgentHandle,
    /// Their description; `None` where they ask us for an offer.
    pub description: Option<SessionDescription>,
}

impl OfferedMedia {
    /// Answers it, or makes the offer that is asked for.
    ///
    /// # Errors
    /// Where it doesn't fit, or the call has ended.
    pub async fn accept(&self, media: Media) -> Result<(), CommandError> {
        let session = self.session;
        self.agent.core.with(move |agent, now| agent.accept(session, media, now)).await
    }

    /// Refuses it with 488: what was agreed on before holds.
    ///
    /// # Errors
    /// Where the call has ended.
    pub async fn refuse(&self) -> Result<(), CommandError> {
        let (session, refusal) = (self.session, Refusal::bare(StatusCode::NotAcceptableHere.as_u16(), None));
        self.agent.core.with(move |agent, now| agent.refuse(session, &refusal, now)).await
    }
}

impl Call {
    pub(super) fn new(session: Session, agent: AgentHandle, call_id: &[u8]) -> Call {
        let call_id = String::from_utf8_lossy(call_id).into_owned();
        Call { session, agent, call_id }
    }

    /// Its Call-ID.
    #[must_use]
    pub fn call_id(&self) -> &str {
        &self.call_id
    }

    /// What is beneath.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// What comes next, the end at last; `None` after that. Dropping the future loses nothing.
    pub async fn event(&mut self) -> Option<CallEvent> {
        loop {
            match self.session.next().await {
                Some(event) => {
                    if let Some(event) = self.typed(event) {
                        return Some(event);
                    }
                }
                None => return self.session.take_end().map(CallEvent::Ended),
            }
        }
    }

    /// Waits for its end. What comes in the call meanwhile is refused, where it wants an answer; offers are answered with the media of
    /// the call.
    ///
    /// # Errors
    /// Where the agent has ended.
    pub async fn ended(mut self) -> Result<EndReason, CommandError> {
        loop {
            match self.event().await {
                Some(CallEvent::Ended(reason)) => return Ok(reason),
                Some(CallEvent::Offered(offer)) => _ = offer.refuse().await,
                Some(_) => {}
                None => return Err(CommandError::Unknown),
            }
        }
    }

    /// Ends it, and waits until the other side knows. `[RFC 3261, Section 15]`
    ///
    /// # Errors
    /// Where it has ended before.
    pub async fn hang_up(self) -> Result<(), CommandError> {
        self.session.hang_up().await?;
        self.ended().await.map(drop)
    }

    /// What was agreed on, stream by stream; none while an offer is open.
    ///
    /// # Errors
    /// Where it has ended.
    pub async fn streams(&self) -> Result<Vec<Stream>, CommandError> {
        self.agreement(|agreement| agreement.map(|agreement| agreement.streams().to_vec()).unwrap_or_default()).await
    }

    /// Their description as it was agreed on; `None` while an offer is open.
    ///
    /// # Errors
    /// Where it has ended.
    pub async fn remote_description(&self) -> Result<Option<SessionDescription>, CommandError> {
        self.agreement(|agreement| agreement.and_then(Agreement::remote).cloned()).await
    }

    /// Puts the other side on hold, and waits until it has agreed. `[RFC 3264, Section 8.4]`
    ///
    /// # Errors
    /// Where it does not agree, or another change is under way.
    pub async fn hold(&self) -> Result<(), CallChangeError> {
        self.change(|agreement| agreement.hold(HoldForm::Direction)).await
    }

    /// Ends our hold, and waits until the other side has agreed.
    ///
    /// # Errors
    /// As [`Call::hold`].
    pub async fn resume(&self) -> Result<(), CallChangeError> {
        self.change(Agreement::resume).await
    }

    /// Sends a request within the call, such as INFO; `fill` adds to it. The final response, whatever it is.
    ///
    /// # Errors
    /// Where there is no final response, or the request can't be built.
    pub async fn request(
        &self,
        method: Method,
        fill: impl FnOnce(RequestBuilder) -> RequestBuilder + Send + 'static,
    ) -> Result<Response, RequestFailed> {
        let requesting = self.session.request(method, fill).await.map_err(RequestFailed::Command)?;
        requesting.outcome().await.map_err(RequestFailed::Failed)
    }

    async fn agreement<R: Send + 'static>(
        &self,
        look: impl FnOnce(Option<&Agreement>) -> R + Send + 'static,
    ) -> Result<R, CommandError> {
        let session = self.session.id();
        let look = move |agent: &mut UserAgent, _| match agent.dialog(session) {
            Some(_) => Ok(look(agent.media(session).as_deref())),
            None => Err(CommandError::Unknown),
        };
        self.agent.core.with(look).await
    }

    async fn change(
        &self,
        draft: impl FnOnce(&Agreement) -> Result<Offer, OfferError> + Send + 'static,
    ) -> Result<(), CallChangeError> {
        let change = move |agent: &mut UserAgent, session, now| {
            let agreement = agent.media(session).ok_or(CommandError::Media(MediaError::OfferOpen))?;
            let offer = draft(&agreement).map_err(|error| CommandError::Media(MediaError::Offer(error)))?;
            agent.reinvite(session, Media::Offer(offer), now)
        };
        let changing = self.session.change(change).await.map_err(CallChangeError::Command)?;
        changing.outcome().await.map_err(CallChangeError::Refused)
    }

    fn typed(&self, event: SessionEvent) -> Option<CallEvent> {
        let agent = self.agent.clone();
        match event {
            SessionEvent::Request(request) => Some(CallEvent::Request(IncomingRequest::new(request, agent))),
            SessionEvent::Refer(request, referral) => {
                Some(CallEvent::Refer(IncomingRequest::new(request, agent), referral))
            }
            SessionEvent::Offered(description) => {
                let (session, description) = (self.session.id(), description.map(|description| *description));
                Some(CallEvent::Offered(OfferedMedia { session, agent, description }))
            }
            SessionEvent::Told(Event::Confirmed { .. }) => Some(CallEvent::Confirmed),
            SessionEvent::Told(Event::Agreed { .. }) => Some(CallEvent::Agreed),
            SessionEvent::Told(Event::Refreshed { .. }) => Some(CallEvent::Refreshed),
            SessionEvent::Told(Event::OfferFailed { failure, .. }) => Some(CallEvent::ChangeFailed(failure)),
            _ => None,
        }
    }
}

/// A change of a call came to nothing: what was agreed on before holds.
#[derive(Debug)]
#[non_exhaustive]
pub enum CallChangeError {
    /// The other side does not take it.
    Refused(Failure),
    /// It can't be asked for in this state.
    Command(CommandError),
}

impl std::fmt::Display for CallChangeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            CallChangeError::Refused(failure) => failure.fmt(f),
            CallChangeError::Command(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for CallChangeError {}

/// The Call-ID of a request, for spans.
pub(super) fn call_id_of(request: &Request) -> String {
    String::from_utf8_lossy(request.call_id()).into_owned()
}
