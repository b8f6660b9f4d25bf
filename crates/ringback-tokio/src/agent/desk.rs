//! What an agent's task does with commands and events: brings each to whom it concerns.

use ringback_base::Now;
use ringback_message::header::RetryAfter;
use ringback_message::{Request, Response, StatusCode};
use ringback_sdp::negotiate::Refusal;
use ringback_stack::Endpoint;
use ringback_transaction::ServerId;
use ringback_ua::{
    CommandError, Event, Failure, InviteId, Media, MediaError, RegistrationEvent, RegistrationId, RegistrationState,
    RequestId, SessionId, UserAgent,
};
use tokio::sync::{mpsc, oneshot};

use super::calling::{Answered, Calling, CallingEvent};
use super::handle::{Agent, Incoming, RegistrationTold, Responded, ServerRequest, WeakAgent};
use super::lease::Held;
use super::rows::{Changing, EVENTS_MAX, InviteRow, PROGRESS_MAX, RegistrationRow, Rows, SessionRow};
use super::session::{Changed, Session, SessionEvent};

/// What a handle wants done.
pub(crate) type Command = Box<dyn FnOnce(&mut Desk, Now) + Send>;

/// When to try again what is refused for want of room, in seconds.
const RETRY_AFTER_SECS: u32 = 2;

/// An endpoint, and who waits for what of it.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) endpoint: Endpoint,
    pub(crate) rows: Rows,
    incoming: mpsc::Sender<Incoming>,
    agent: WeakAgent,
}

impl Desk {
    pub(crate) fn new(endpoint: Endpoint, incoming: mpsc::Sender<Incoming>, agent: WeakAgent) -> Desk {
        Desk { endpoint, rows: Rows::default(), incoming, agent }
    }

    pub(crate) fn agent_mut(&mut self) -> &mut UserAgent {
        self.endpoint.agent_mut()
    }

    /// Whether all is said: no session, no registration, no INVITE of ours that may yet be answered.
    pub(crate) fn is_through(&self) -> bool {
        let has_called = self.rows.invites.values().all(|invite| invite.is_answered);
        has_called && self.endpoint.agent().session_len() == 0 && self.rows.registrations.is_empty()
    }

    /// Whether nothing is left of anything.
    pub(crate) fn is_idle(&self) -> bool {
        self.rows.are_empty() && self.endpoint.agent().is_idle()
    }

    /// Tells all that there is to tell; true where there was anything.
    pub(crate) fn settle(&mut self, now: Now) -> bool {
        let mut has_told = false;
        while let Some(event) = self.agent_mut().poll_event() {
            self.tell(event, now);
            has_told = true;
        }
        if has_told {
            self.close_usages();
        }
        has_told
    }

    /// A handle was dropped.
    pub(crate) fn let_go(&mut self, held: Held, now: Now) {
        match held {
            // Once answered its session has a handle of its own.
            Held::Invite(id) => _ = self.agent_mut().cancel(id, None, now),
            Held::Session(id) => self.agent_mut().release(id, now),
            Held::Server(id) => self.refuse_request(id, StatusCode::ServerInternalError, now),
            Held::Registration(id) => self.let_registration_go(id, now),
            Held::Referee(id) => self.agent_mut().deny_refer(id, now),
            Held::Subscriber(id) => self.let_subscriber_go(id, now),
            Held::Subscription(id) => self.let_subscription_go(id, now),
        }
        self.settle(now);
    }

    /// Nobody has a handle any more.
    pub(crate) fn hang_up_all(&mut self, now: Now) {
        let sessions: Vec<SessionId> = self.endpoint.agent().sessions().collect();
        for session in sessions {
            self.agent_mut().release(session, now);
        }
        let registrations: Vec<RegistrationId> = self.rows.registrations.keys().copied().collect();
        for registration in registrations {
            self.let_registration_go(registration, now);
        }
        self.let_usages_go(now);
        self.settle(now);
    }

    fn let_registration_go(&mut self, id: RegistrationId, now: Now) {
        let Some(row) = self.rows.registrations.get_mut(&id) else { return };
        if std::mem::replace(&mut row.is_dropped, true) {
            return;
        }
        let state = self.endpoint.agent().registration(id).map(|registration| registration.state());
        match state {
            Some(RegistrationState::Idle | RegistrationState::Refused) | None => self.forget_registration(id),
            Some(_) => _ = self.agent_mut().unregister(id, now),
        }
    }

    fn forget_registration(&mut self, id: RegistrationId) {
        self.rows.registrations.remove(&id);
        self.agent_mut().remove_registration(id);
    }

    fn tell(&mut self, event: Event, now: Now) {
        match event {
            Event::Progress { invite, session, response } => self.progressed(invite, session, response),
            Event::Answered { invite, session, response } => self.answered(invite, session, response, now),
            Event::InviteFailed { invite, failure, outcome } => {
                if let Some(waiting) = self.rows.invites.get_mut(&invite).and_then(|row| row.called.take()) {
                    _ = waiting.send(Err((failure, Box::new(outcome))));
                }
            }
            Event::Pursuing { invite, failure, step } => {
                if let Some(row) = self.rows.invites.get(&invite) {
                    _ = row.progress.try_send(CallingEvent::Pursuing(failure, step));
                }
            }
            Event::InviteEnded { invite } => _ = self.rows.invites.remove(&invite),
            Event::Incoming { session, request, replaces } => match self.handle_of(session, Media::None) {
                Some(handle) => {
                    let call = Incoming::Call { session: handle, request, replaces };
                    self.bring(call, |desk| desk.refuse_call(session, now));
                }
                None => self.refuse_call(session, now),
            },
            Event::Ended { session, reason } => {
                if let Some(row) = self.rows.sessions.remove(&session) {
                    // The end of its channel tells that it is there.
                    _ = row.end.set(reason);
                }
            }
            Event::Offered { session, .. } | Event::OfferWanted { session } => self.offered(session, now),
            other => self.tell_rest(other, now),
        }
    }

    fn tell_rest(&mut self, event: Event, now: Now) {
        match event {
            Event::Request { id, session, request } => {
                let Some(asked) = self.asked(id, request, now) else { return };
                match session {
                    Some(session) => _ = self.tell_session(session, SessionEvent::Request(asked)),
                    None => self.bring(Incoming::Request(asked), |desk| desk.refuse_for_room(id, now)),
                }
            }
            Event::ReferWanted { id, session, request, referral } => {
                let Some(asked) = self.asked(id, request, now) else { return };
                match session {
                    Some(session) => _ = self.tell_session(session, SessionEvent::Refer(asked, referral)),
                    None => self.bring(Incoming::Refer(asked, referral), |desk| desk.refuse_for_room(id, now)),
                }
            }
            Event::SubscriptionWanted { id, request, new } => {
                let Some(asked) = self.asked(id, request, now) else { return };
                self.bring(Incoming::Subscription(asked, Box::new(new)), |desk| desk.refuse_for_room(id, now));
            }
            Event::Response { request, response, .. } => self.responded(request, response),
            Event::Failed { request, failure, .. } => {
                if let Some(waiting) = self.rows.requests.remove(&request) {
                    _ = waiting.send(Err(failure));
                }
            }
            Event::Registration { registration, event, response, failure } => {
                let (response, failure) = (response.map(|response| *response), failure.map(|failure| *failure));
                self.registration_told(registration, RegistrationTold { event, response, failure });
            }
            Event::Agreed { session } => self.changed(session, false, event),
            Event::Refreshed { session, is_ours: true } => self.changed(session, true, event),
            Event::OfferFailed { session, ref failure, .. } => self.change_failed(session, failure.clone(), event),
            Event::Confirmed { session } | Event::Refreshed { session, .. } => {
                self.tell_session(session, SessionEvent::Told(event));
            }
            other => self.tell_usage(other),
        }
    }

    /// What is neither of a call nor of a single request.
    fn tell_usage(&mut self, event: Event) {
        match event {
            Event::Refer { refer, told } if self.rows.refers.contains_key(&refer) => self.referral_told(refer, told),
            Event::Subscriber { subscriber, told } if self.rows.subscribers.contains_key(&subscriber) => {
                self.subscriber_told(subscriber, told);
            }
            Event::SubscriptionOver { subscription } if self.rows.subscriptions.contains_key(&subscription) => {
                self.rows.subscriptions.remove(&subscription);
            }
            other => {
                self.bring(Incoming::Other(Box::new(other)), |_| tracing::warn!("an event was lost: nobody reads them"))
            }
        }
    }

    /// Hands over what came in, or does without.
    fn bring(&mut self, incoming: Incoming, refuse: impl FnOnce(&mut Desk)) {
        if let Err(unwanted) = self.incoming.try_send(incoming) {
            refuse(self);
            // Its handle finds nothing left to refuse.
            drop(unwanted);
        }
    }

    /// A request that somebody has to answer; refused where nobody is there.
    fn asked(&mut self, id: ServerId, request: Request, now: Now) -> Option<ServerRequest> {
        let asked = self.agent.upgrade().map(|agent| ServerRequest::new(agent, id, request));
        if asked.is_none() {
            self.refuse_for_room(id, now);
        }
        asked
    }

    /// False where nobody reads it, or there is no room for it.
    fn tell_session(&mut self, session: SessionId, event: SessionEvent) -> bool {
        let events = self.rows.sessions.get(&session).and_then(|row| row.events.as_ref());
        events.is_some_and(|events| events.try_send(event).is_ok())
    }

    /// Tells whoever has asked for the change, or else all.
    fn changed(&mut self, session: SessionId, is_refresh: bool, event: Event) {
        let row = self.rows.sessions.get_mut(&session);
        let asked = row.and_then(|row| row.changing.take_if(|asked| asked.is_refresh == is_refresh));
        if asked.is_none_or(|asked| asked.told.send(Ok(())).is_err()) {
            self.tell_session(session, SessionEvent::Told(event));
        }
    }

    fn change_failed(&mut self, session: SessionId, failure: Failure, event: Event) {
        let asked = self.rows.sessions.get_mut(&session).and_then(|row| row.changing.take());
        if asked.is_none_or(|asked| asked.told.send(Err(failure)).is_err()) {
            self.tell_session(session, SessionEvent::Told(event));
        }
    }

    fn progressed(&mut self, invite: InviteId, session: Option<SessionId>, response: Response) {
        let Some(row) = self.rows.invites.get(&invite) else { return };
        // One more or less of those that nobody fetches is no matter.
        _ = row.progress.try_send(CallingEvent::Progress(response));
        if let Some(session) = session.filter(|session| self.endpoint.agent().dialog(*session).is_some()) {
            let media = row.media.clone();
            self.rows.sessions.entry(session).or_insert_with(|| SessionRow { media, ..SessionRow::default() });
        }
    }

    fn answered(&mut self, invite: InviteId, session: SessionId, response: Response, now: Now) {
        let Some(row) = self.rows.invites.get_mut(&invite) else { return };
        row.is_answered = true;
        let (called, media) = (row.called.take(), row.media.clone());
        match (self.handle_of(session, media), called) {
            // Where nobody waits, the handle comes back, is dropped, and that ends the session.
            (Some(session), Some(called)) => _ = called.send(Ok(Answered { session, response })),
            _ => self.agent_mut().release(session, now),
        }
    }

    /// A handle of a session; `None` where the agent ends.
    fn handle_of(&mut self, session: SessionId, media: Media) -> Option<Session> {
        let agent = self.agent.upgrade()?;
        let (sender, events) = mpsc::channel(EVENTS_MAX);
        let row = self.rows.sessions.entry(session).or_default();
        row.events = Some(sender);
        row.media = media;
        Some(Session::new(agent, session, events, row.end.clone()))
    }

    /// Answers with what is set for that, or hands it over.
    fn offered(&mut self, session: SessionId, now: Now) {
        let media = self.rows.sessions.get(&session).map(|row| row.media.clone()).unwrap_or_default();
        if matches!(media, Media::None) {
            let description = self.endpoint.agent().offer(session).cloned().map(Box::new);
            if !self.tell_session(session, SessionEvent::Offered(description)) {
                _ = self.agent_mut().refuse(session, &Refusal::bare(NOT_ACCEPTABLE_HERE, None), now);
            }
            return;
        }
        match self.agent_mut().accept(session, media, now) {
            Err(CommandError::Media(MediaError::Refused(refusal))) => {
                _ = self.agent_mut().refuse(session, &refusal, now);
            }
            Err(_) => _ = self.agent_mut().refuse(session, &Refusal::bare(NOT_ACCEPTABLE_HERE, None), now),
            Ok(()) => {}
        }
    }

    fn responded(&mut self, request: RequestId, response: Response) {
        if response.status().is_provisional() {
            return;
        }
        if let Some(waiting) = self.rows.requests.remove(&request) {
            _ = waiting.send(Ok(response));
        }
    }

    fn registration_told(&mut self, id: RegistrationId, told: RegistrationTold) {
        let Some(RegistrationRow { told: watch, is_dropped }) = self.rows.registrations.get_mut(&id) else { return };
        if *is_dropped {
            let is_over = matches!(
                told.event,
                RegistrationEvent::Unregistered
                    | RegistrationEvent::NotRemoved { .. }
                    | RegistrationEvent::Refused { .. }
                    | RegistrationEvent::Redirected { .. }
            );
            if is_over {
                self.forget_registration(id);
            }
            return;
        }
        watch.send_replace(Some(told));
    }

    fn refuse_call(&mut self, session: SessionId, now: Now) {
        _ = self.agent_mut().reject(
            session,
            StatusCode::ServiceUnavailable,
            |response| response.header(RetryAfter::new(RETRY_AFTER_SECS)),
            now,
        );
    }

    fn refuse_for_room(&mut self, id: ServerId, now: Now) {
        self.refuse_request(id, StatusCode::ServiceUnavailable, now);
    }

    fn refuse_request(&mut self, id: ServerId, status: StatusCode, now: Now) {
        if !self.endpoint.agent().transactions().is_answered(id) {
            // One whose transaction is gone needs no answer.
            _ = self.agent_mut().respond(id, status, |response| response, now);
        }
    }
}

const NOT_ACCEPTABLE_HERE: u16 = StatusCode::NotAcceptableHere.as_u16();

/// What the desk does for handles.
impl Desk {
    /// The handle of an INVITE that was begun just now: nothing of it has been told.
    pub(crate) fn calling(&mut self, invite: InviteId, further: Media, agent: Agent) -> Calling {
        let (progress, fetched) = mpsc::channel(PROGRESS_MAX);
        let (called, waiting) = oneshot::channel();
        let row = InviteRow { progress, called: Some(called), is_answered: false, media: further };
        self.rows.invites.insert(invite, row);
        // Made here, so that nothing is left behind where nobody waits for it any more.
        let lease = agent.lease(Held::Invite(invite));
        let call_id = self.endpoint.agent().call_id(invite).unwrap_or_default();
        Calling::new(invite, call_id, fetched, waiting, agent, lease)
    }

    /// The final response to a request that was sent just now.
    pub(crate) fn await_response(&mut self, request: RequestId) -> oneshot::Receiver<Responded> {
        let (sender, waiting) = oneshot::channel();
        self.rows.requests.insert(request, sender);
        waiting
    }

    /// What becomes of a change that was asked for just now.
    pub(crate) fn await_change(
        &mut self,
        session: SessionId,
        is_refresh: bool,
    ) -> Result<oneshot::Receiver<Changed>, CommandError> {
        let row = self.rows.sessions.get_mut(&session).ok_or(CommandError::Unknown)?;
        let (told, waiting) = oneshot::channel();
        row.changing = Some(Changing { told, is_refresh });
        Ok(waiting)
    }

    /// From now on offers in this session are answered with it.
    pub(crate) fn set_media(&mut self, session: SessionId, media: Media) {
        if let Some(row) = self.rows.sessions.get_mut(&session) {
            row.media = media;
        }
    }
}
