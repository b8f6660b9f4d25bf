//! A session that stands.

use bytes::Bytes;
use ringback_message::{Method, Request, RequestBuilder, Response, StatusCode};
use ringback_sdp::SessionDescription;
use ringback_sdp::negotiate::{HoldForm, Offer, OfferError, Refusal, Session as Agreement, Stream};
use ringback_tokio::agent::{Session, SessionEvent};
use ringback_ua::{
    CommandError, EndReason, Event, Failure, Media, MediaError, ReferSubscription, SessionId, SessionTimer, UserAgent,
};

use super::builder::AgentHandle;
use super::error::RequestFailed;
use super::incoming::IncomingRequest;
use super::transfer::{IncomingRefer, Transfer, refer_to};

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
    Refer(IncomingRefer),
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

    /// Waits for its end. What comes in the call meanwhile is refused, where it wants an answer, a transfer with 603; offers are answered
    /// with the media of the call.
    ///
    /// # Errors
    /// Where the agent has ended.
    pub async fn ended(mut self) -> Result<EndReason, CommandError> {
        loop {
            match self.event().await {
                Some(CallEvent::Ended(reason)) => return Ok(reason),
                Some(CallEvent::Offered(offer)) => _ = offer.refuse().await,
                Some(CallEvent::Refer(refer)) => _ = refer.decline().await,
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

    /// Changes the call by an INVITE within it, and waits until the other side has agreed. Further offers of theirs are answered as
    /// before. `[RFC 3261, Section 14.1]`
    ///
    /// # Errors
    /// As [`Call::hold`].
    pub async fn reinvite(&self, media: Media) -> Result<(), CallChangeError> {
        let changing = self.session.reinvite(media).await.map_err(CallChangeError::Command)?;
        changing.outcome().await.map_err(CallChangeError::Refused)
    }

    /// Changes the call by an UPDATE, and waits until the other side has agreed: for changes that nobody is asked about, because an UPDATE
    /// has to be answered at once. `[RFC 3311, Section 5.1]`
    ///
    /// # Errors
    /// As [`Call::hold`], and where `media` is none.
    pub async fn update(&self, media: Media) -> Result<(), CallChangeError> {
        let changing = self.session.update(media).await.map_err(CallChangeError::Command)?;
        changing.outcome().await.map_err(CallChangeError::Refused)
    }

    /// Refreshes the call before its time, and waits until the other side has answered. What is due is refreshed unasked.
    /// `[RFC 4028, Section 7.4]`
    ///
    /// # Errors
    /// As [`Call::hold`].
    pub async fn refresh(&self) -> Result<(), CallChangeError> {
        let changing = self.session.refresh().await.map_err(CallChangeError::Command)?;
        changing.outcome().await.map_err(CallChangeError::Refused)
    }

    /// The session timer that was agreed on; `None` where there is none. `[RFC 4028, Section 4]`
    ///
    /// # Errors
    /// Where the call has ended.
    pub async fn session_timer(&self) -> Result<Option<SessionTimer>, CommandError> {
        let session = self.session.id();
        let look = move |agent: &mut UserAgent, _| match agent.dialog(session) {
            Some(_) => Ok(agent.session_timer(session)),
            None => Err(CommandError::Unknown),
        };
        self.agent.core.with(look).await
    }

    /// Asks the other side to call this URI: a blind transfer. The call stays until somebody hangs up; [`Transfer`] tells when it may.
    /// `[RFC 5589, Section 6]`
    ///
    /// # Errors
    /// Where the call has ended, or it is no URI.
    pub async fn transfer(&self, uri: &str) -> Result<Transfer, CommandError> {
        let refer_to = refer_to(uri)?;
        Ok(Transfer::new(self.session.refer(&refer_to, ReferSubscription::Implicit).await?))
    }

    /// Asks the other side to take our place in another call of ours: an attended transfer. Both calls stay; the other one is ended by
    /// whoever is in it once its place was taken. `[RFC 5589, Section 7]`
    ///
    /// # Errors
    /// Where one of the calls has ended.
    pub async fn transfer_into(&self, other: &Call) -> Result<Transfer, CommandError> {
        Ok(Transfer::new(self.session.transfer(other.session.id()).await?))
    }

    /// Sends a text within the call. The final response, whatever it is. `[RFC 3428]`
    ///
    /// # Errors
    /// As [`Call::request`].
    pub async fn message(&self, text: &str) -> Result<Response, RequestFailed> {
        let text = text.to_owned();
        self.request(Method::Message, move |request| request.content_type("text/plain").body(text)).await
    }

    /// Sends an INFO with this body, as phones do for digits. The final response, whatever it is. `[RFC 6086]`
    ///
    /// # Errors
    /// As [`Call::request`].
    pub async fn info(&self, content_type: &str, body: impl Into<Bytes>) -> Result<Response, RequestFailed> {
        let (content_type, body) = (content_type.to_owned(), body.into());
        self.request(Method::Info, move |request| request.content_type(&content_type).body(body)).await
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
                Some(CallEvent::Refer(IncomingRefer::new(IncomingRequest::new(request, agent), referral)))
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
