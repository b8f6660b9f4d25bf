//! A session, theirs or ours.

use std::sync::{Arc, OnceLock};

use ringback_base::Now;
use ringback_message::{Method, RequestBuilder, ResponseBuilder, StatusCode};
use ringback_sdp::SessionDescription;
use ringback_sdp::negotiate::Refusal;
use ringback_ua::{
    CommandError, EndReason, Event, Failure, Media, MediaError, ReferSubscription, Referral, SessionId, UserAgent,
};
use tokio::sync::{mpsc, oneshot};

use super::handle::{Agent, Requesting, ServerRequest};
use super::lease::{Held, Lease};
use super::referring::Referring;

/// What became of a change of ours.
pub(crate) type Changed = Result<(), Failure>;

/// A session: an INVITE of theirs, or what came of one. Dropping it answers an INVITE of theirs that has no final response with 500, and
/// hangs up what stands.
#[derive(Debug)]
pub struct Session {
    id: SessionId,
    agent: Agent,
    events: mpsc::Receiver<SessionEvent>,
    end: Arc<OnceLock<EndReason>>,
    is_told: bool,
    _lease: Lease,
}

/// What comes in a session.
#[derive(Debug)]
#[non_exhaustive]
pub enum SessionEvent {
    /// They offer, or ask for an offer: then there is no description. It wants [`Session::accept`] or [`Session::refuse`].
    Offered(Option<Box<SessionDescription>>),
    /// What the core tells besides: an agreement, a refresh.
    Told(Event),
    /// A request for the application.
    Request(ServerRequest),
    /// A REFER. `[RFC 3515]`
    Refer(ServerRequest, Box<Referral>),
}

impl Session {
    pub(crate) fn new(
        agent: Agent,
        id: SessionId,
        events: mpsc::Receiver<SessionEvent>,
        end: Arc<OnceLock<EndReason>>,
    ) -> Session {
        let lease = agent.lease(Held::Session(id));
        Session { id, agent, events, end, is_told: false, _lease: lease }
    }

    /// Its name in the core.
    #[must_use]
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// The agent that has it.
    #[must_use]
    pub fn agent(&self) -> &Agent {
        &self.agent
    }

    /// What comes next; `None` once the session has ended. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<SessionEvent> {
        self.events.recv().await
    }

    /// Why it has ended; `None` while it has not, and after the first time.
    pub fn take_end(&mut self) -> Option<EndReason> {
        let end = self.end().cloned().filter(|_| !self.is_told);
        self.is_told |= end.is_some();
        end
    }

    /// Why it has ended; `None` while it has not.
    #[must_use]
    pub fn end(&self) -> Option<&EndReason> {
        self.end.get()
    }

    /// Says that it rings, or anything else before the answer.
    ///
    /// # Errors
    /// As [`UserAgent::ring`] and [`Agent::with`].
    pub async fn ring(&self, status: StatusCode, media: Media) -> Result<(), CommandError> {
        let id = self.id;
        self.agent.with(move |agent, now| agent.ring(id, status, media, now)).await
    }

    /// Answers the INVITE with 200; offers that come later are answered with `further`, or told where that is [`Media::None`].
    ///
    /// # Errors
    /// As [`UserAgent::answer`] and [`Agent::with`]. An offer that does not fit is not refused by that.
    pub async fn answer(&self, media: Media, further: Media) -> Result<(), CommandError> {
        let id = self.id;
        self.agent
            .at_desk(move |desk, now| {
                desk.set_media(id, further);
                desk.agent_mut().answer(id, media, now)
            })
            .await
    }

    /// Refuses the INVITE; `fill` adds to the response.
    ///
    /// # Errors
    /// As [`UserAgent::reject`] and [`Agent::with`].
    pub async fn reject(
        &self,
        status: StatusCode,
        fill: impl FnOnce(ResponseBuilder<'_>) -> ResponseBuilder<'_> + Send + 'static,
    ) -> Result<(), CommandError> {
        let id = self.id;
        self.agent.with(move |agent, now| agent.reject(id, status, fill, now)).await
    }

    /// Answers an offer.
    ///
    /// # Errors
    /// As [`UserAgent::accept`] and [`Agent::with`].
    pub async fn accept(&self, media: Media) -> Result<(), CommandError> {
        let id = self.id;
        self.agent.with(move |agent, now| agent.accept(id, media, now)).await
    }

    /// Refuses an offer.
    ///
    /// # Errors
    /// As [`UserAgent::refuse`] and [`Agent::with`].
    pub async fn refuse(&self, refusal: Refusal) -> Result<(), CommandError> {
        let id = self.id;
        self.agent.with(move |agent, now| agent.refuse(id, &refusal, now)).await
    }

    /// Changes the session by an INVITE within it.
    ///
    /// # Errors
    /// As [`UserAgent::reinvite`] and [`Agent::with`].
    pub async fn reinvite(&self, media: Media) -> Result<Changing, CommandError> {
        self.change(|agent, session, now| agent.reinvite(session, media, now)).await
    }

    /// Changes the session by an UPDATE with an offer. `[RFC 3311, Section 5.1]`
    ///
    /// # Errors
    /// As [`UserAgent::update`] and [`Agent::with`]; without media there is nothing to be changed.
    pub async fn update(&self, media: Media) -> Result<Changing, CommandError> {
        if matches!(media, Media::None) {
            return Err(CommandError::Media(MediaError::OfferExpected));
        }
        self.change(|agent, session, now| agent.update(session, media, now)).await
    }

    /// Refreshes the session before its time. `[RFC 4028, Section 7.4]`
    ///
    /// # Errors
    /// As [`UserAgent::refresh`] and [`Agent::with`].
    pub async fn refresh(&self) -> Result<Changing, CommandError> {
        self.begin_change(true, |agent, session, now| agent.refresh(session, now)).await
    }

    /// Changes the session by what `act` begins in the core: one offer, which the other side takes or not.
    ///
    /// # Errors
    /// What `act` says, and as [`Agent::with`].
    pub async fn change(
        &self,
        act: impl FnOnce(&mut UserAgent, SessionId, Now) -> Result<(), CommandError> + Send + 'static,
    ) -> Result<Changing, CommandError> {
        self.begin_change(false, act).await
    }

    async fn begin_change(
        &self,
        is_refresh: bool,
        act: impl FnOnce(&mut UserAgent, SessionId, Now) -> Result<(), CommandError> + Send + 'static,
    ) -> Result<Changing, CommandError> {
        let id = self.id;
        self.agent
            .at_desk(move |desk, now| {
                // What has happened before is no news of this change.
                desk.settle(now);
                act(desk.agent_mut(), id, now)?;
                Ok(Changing(desk.await_change(id, is_refresh)?))
            })
            .await
    }

    /// Ends it.
    ///
    /// # Errors
    /// As [`UserAgent::hang_up`] and [`Agent::with`].
    pub async fn hang_up(&self) -> Result<(), CommandError> {
        let id = self.id;
        self.agent.with(move |agent, now| agent.hang_up(id, now)).await
    }

    /// Asks the other side to contact somebody, within the session: a blind transfer. `refer_to` is a URI in angle brackets; the session
    /// stays until it is hung up. `[RFC 3515]`
    ///
    /// # Errors
    /// As [`UserAgent::refer`] and [`Agent::with`].
    pub async fn refer(&self, refer_to: &str, subscription: ReferSubscription) -> Result<Referring, CommandError> {
        let (id, refer_to) = (self.id, refer_to.to_owned());
        self.agent.begin_refer(move |agent, now| agent.refer(id, &refer_to, subscription, now)).await
    }

    /// Asks the other side to take our place in another session: an attended transfer. `[RFC 3891, Section 4]`
    ///
    /// # Errors
    /// As [`UserAgent::transfer`] and [`Agent::with`].
    pub async fn transfer(&self, other: SessionId) -> Result<Referring, CommandError> {
        let id = self.id;
        self.agent.begin_refer(move |agent, now| agent.transfer(id, other, now)).await
    }

    /// Sends a request within the session, such as INFO; `fill` adds to it.
    ///
    /// # Errors
    /// As [`UserAgent::request`] and [`Agent::with`].
    pub async fn request(
        &self,
        method: Method,
        fill: impl FnOnce(RequestBuilder) -> RequestBuilder + Send + 'static,
    ) -> Result<Requesting, CommandError> {
        let session = self.id;
        self.agent
            .at_desk(move |desk, now| {
                let id = desk.agent_mut().request(session, method, fill, now)?;
                Ok(Requesting::new(id, desk.await_response(id)))
            })
            .await
    }
}

/// A change of ours that is under way. It can't be taken back: dropping it only stops waiting, and what becomes of it is told as an event
/// of the session then.
#[derive(Debug)]
pub struct Changing(oneshot::Receiver<Changed>);

impl Changing {
    /// What becomes of it.
    ///
    /// # Errors
    /// Why what was agreed on before still holds.
    pub async fn outcome(self) -> Result<(), Failure> {
        self.0.await.unwrap_or(Err(Failure::Cancelled))
    }
}
