//! Requests of ours within a session: changes of it, PRACK, BYE, and the application's own.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::RangeInclusive;

use ringback_base::{Micros, Now, Random};
use ringback_message::header::{MinSe, RAck, Reason, Refresher, SessionExpires};
use ringback_message::{HeaderId, Method, Request, RequestBuilder, Response, StatusCode};
use ringback_sdp::SessionDescription;
use ringback_transaction::ClientId;

use super::leg::{Ack, Asking, Means, Phase, Timer};
use super::sending::{Purpose, gone};
use super::{Outbound, UserAgent, calling};
use crate::event::{CommandError, EndReason, Event, Failure, RequestId, SessionId};
use crate::exchange::{Carrier, Found, Media, find};
use crate::outcome::{GLARE_OTHER_MS, GLARE_OWNER_MS, Outcome};

/// How often a change is offered again after a glare, or after a 422.
pub(crate) const CHANGE_ATTEMPTS_MAX: u8 = 5;

/// How long a change waits for what Retry-After says: what a server says that is at another one. `[RFC 3261, Section 14.2]`
const CHANGE_WAIT_MAX_SECS: u32 = 10;

impl UserAgent {
    /// Changes a session by an INVITE within it; with no media it asks the other side for an offer. `[RFC 3261, Section 14.1]`
    ///
    /// # Errors
    /// Where the session isn't confirmed, another INVITE or offer is open in it, or the offer can't be made.
    pub fn reinvite(&mut self, session: SessionId, media: Media, now: Now) -> Result<(), CommandError> {
        let media = if matches!(media, Media::None) { None } else { Some(media) };
        self.change(session, Means::Reinvite, media, false, now)?;
        self.settle(now);
        Ok(())
    }

    /// Changes a session by an UPDATE, which an early dialog can take too. `[RFC 3311, Section 5.1]`
    ///
    /// # Errors
    /// Where another offer is open, or the offer can't be made.
    pub fn update(&mut self, session: SessionId, media: Media, now: Now) -> Result<(), CommandError> {
        let media = if matches!(media, Media::None) { None } else { Some(media) };
        self.change(session, Means::Update, media, false, now)?;
        self.settle(now);
        Ok(())
    }

    /// Refreshes a session before its time: by an UPDATE where the other side takes it, else by an INVITE with what was agreed on.
    /// [`Event::Refreshed`] tells that it has done so, [`Event::OfferFailed`] that not. `[RFC 4028, Section 7.4]`
    ///
    /// # Errors
    /// Where the session isn't confirmed, or a change of it is under way.
    pub fn refresh(&mut self, session: SessionId, now: Now) -> Result<(), CommandError> {
        let leg = self.legs.get(session.0).ok_or(CommandError::Unknown)?;
        if leg.phase != Phase::Confirmed {
            return Err(CommandError::State("the session isn't confirmed yet, or is ending"));
        }
        self.send_refresh(session, now)?;
        self.settle(now);
        Ok(())
    }

    fn change(
        &mut self,
        session: SessionId,
        means: Means,
        media: Option<Media>,
        is_refresh: bool,
        now: Now,
    ) -> Result<(), CommandError> {
        let timers = self.config.session_timers;
        let leg = self.legs.get_mut(session.0).ok_or(CommandError::Unknown)?;
        if leg.asking.is_some() {
            return Err(CommandError::State("a change of ours is under way"));
        }
        let is_free = match means {
            Means::Reinvite => leg.phase == Phase::Confirmed && leg.serving.is_none() && leg.success.is_none(),
            Means::Update => leg.phase != Phase::Ending,
        };
        if !is_free {
            return Err(CommandError::State("an INVITE is under way, or the session isn't confirmed yet"));
        }
        let (method, carrier) = match means {
            Means::Reinvite => (Method::Invite, Carrier::Invite),
            Means::Update => (Method::Update, Carrier::Update),
        };
        // An offer that is open forbids every other. `[RFC 3264, Section 4]`
        if media.is_none() && means == Means::Reinvite && !leg.exchange.is_settled() {
            return Err(crate::exchange::MediaError::OfferOpen.into());
        }
        let body = media.map(|media| leg.exchange.offer(carrier, media)).transpose()?;
        let wanted = body.as_deref().and_then(|body| SessionDescription::parse(body).ok());
        if means == Means::Reinvite {
            leg.rseq_seen = None;
        }
        let mut builder = leg.dialog.request(method.clone());
        let uri = leg.dialog.next_uri();
        // Who refreshes goes on to. `[RFC 4028, Section 7.4]`
        let refresher = leg.timer.map(|timer| if timer.is_ours { Refresher::Uac } else { Refresher::Uas });
        let agreed = leg.timer.map(|timer| timer.interval_secs);
        // "the maximum of the Min-SE header field ... and the current session interval" [RFC 4028, Section 7.4]
        let min_se_secs = Some(leg.min_se_secs).filter(|seconds| *seconds > 0);
        let asked = agreed.or(timers.interval_secs()).max(min_se_secs);
        if let Some(seconds) = asked.filter(|_| leg.phase == Phase::Confirmed) {
            let header = SessionExpires::new(seconds);
            builder = builder.header(match refresher {
                Some(refresher) => header.with_refresher(refresher),
                None => header,
            });
            if let Some(min) = min_se_secs {
                builder = builder.header(MinSe::new(min));
            }
        }
        if let Some(body) = body {
            builder = builder.content_type("application/sdp").body(body);
        }
        let (is_early, attempts) = (leg.phase == Phase::Early, 0);
        leg.asking = Some(Box::new(Asking { means, wanted, sending: None, is_refresh, is_early, attempts }));
        let builder = self.introduced(builder, &method);
        let expected = self.sendings_made.wrapping_add(1);
        if let Some(asking) = self.legs.get_mut(session.0).and_then(|leg| leg.asking.as_mut()) {
            asking.sending = Some(expected);
        }
        self.send(Purpose::Change(session), builder, &uri, now);
        Ok(())
    }

    /// The final response to a change of ours.
    pub(crate) fn changed(
        &mut self,
        session: SessionId,
        request: Option<&Request>,
        client: Option<ClientId>,
        response: Response,
        now: Now,
    ) {
        let timers = self.config.session_timers;
        let Some(leg) = self.legs.get_mut(session.0) else { return };
        let Some(asking) = &leg.asking else { return };
        let (means, is_refresh, is_early) = (asking.means, asking.is_refresh, asking.is_early);
        if !response.status().is_success() {
            return self.change_refused(session, request, response, now);
        }
        leg.dialog.refresh_target(&response);
        leg.takes_update |= response.has_token(HeaderId::Allow, "UPDATE");
        // What the 2xx to the INVITE says of the timer is newer, whichever comes first.
        if leg.phase == Phase::Confirmed && !is_early {
            leg.timer = timers.agreed(&response);
            self.start_session_timer(session, now);
        }
        let Some(leg) = self.legs.get_mut(session.0) else { return };
        match means {
            Means::Reinvite => {
                let credentials = request.map(calling::credentials).unwrap_or_default();
                leg.ack = Some(Box::new(Ack::new(response.cseq(), client, credentials)));
                if leg.phase == Phase::Ending {
                    // Hung up meanwhile: it is acknowledged, and nothing else.
                    self.send_ack(session, None, now);
                } else {
                    self.described(session, &response, now);
                }
            }
            Means::Update => match (find(&response), leg.exchange.ours()) {
                (Found::Sdp(body), Some(Carrier::Update)) => match leg.exchange.accept(&body) {
                    Ok(()) => self.events.push_back(Event::Agreed { session }),
                    Err(why) => self.hang_up_for(session, EndReason::BadAnswer(why), now),
                },
                (_, Some(Carrier::Update)) => {
                    let why = "the 2xx has no answer".into();
                    self.hang_up_for(session, EndReason::BadAnswer(why), now);
                }
                _ => {}
            },
        }
        if let Some(leg) = self.legs.get_mut(session.0) {
            leg.asking = None;
            if is_refresh {
                self.events.push_back(Event::Refreshed { session, is_ours: true });
            }
        }
    }

    fn change_refused(&mut self, session: SessionId, request: Option<&Request>, response: Response, now: Now) {
        let failure = Failure::Refused(Box::new(response.clone()));
        let outcome = Outcome::of_failure(request, &failure);
        let [owner_wait, other_wait] =
            [GLARE_OWNER_MS, GLARE_OTHER_MS].map(|range| glare_wait(&range, &mut self.random));
        let Some(leg) = self.legs.get_mut(session.0) else { return };
        leg.withdraw();
        let known_secs = leg.min_se_secs;
        if let Outcome::RaiseSessionExpires { min_secs } = outcome {
            leg.min_se_secs = leg.min_se_secs.max(min_secs);
        }
        let is_raised = leg.min_se_secs > known_secs;
        let Some(asking) = leg.asking.as_mut() else { return };
        asking.sending = None;
        asking.attempts = asking.attempts.saturating_add(1);
        let may_try = asking.attempts < CHANGE_ATTEMPTS_MAX;
        let wait = match outcome {
            // Glare: who made the Call-ID waits longer. `[RFC 3261, Section 14.1]`
            Outcome::RetryPending => Some(if leg.is_caller { owner_wait } else { other_wait }),
            // Ours came while they were at another of ours. `[RFC 3261, Section 14.2]`
            Outcome::RetryLater(ref wait) => {
                let secs = wait.after_secs.filter(|secs| *secs <= CHANGE_WAIT_MAX_SECS);
                secs.map(|secs| Micros::from_secs(secs.into()))
            }
            _ => None,
        };
        match wait {
            Some(wait) if may_try => self.set(session, Timer::Again, wait, now),
            None if may_try && is_raised => self.again(session, now),
            _ => {
                leg.asking = None;
                self.lost_by(session, failure, outcome, now);
            }
        }
    }

    fn lost_by(&mut self, session: SessionId, failure: Failure, outcome: Outcome, now: Now) {
        let gone = (outcome == Outcome::DialogGone).then(|| failure.clone());
        self.events.push_back(Event::OfferFailed { session, failure, outcome });
        self.lost(Some(session), gone, now);
    }

    /// Timer: the change is tried once more. `[RFC 3261, Section 14.1]`
    pub(crate) fn again(&mut self, session: SessionId, now: Now) {
        let Some(leg) = self.legs.get_mut(session.0) else { return };
        let Some(asking) = leg.asking.take() else { return };
        let Asking { means, wanted, is_refresh, is_early, attempts, .. } = *asking;
        let media = wanted.clone().map(Media::Description);
        match self.change(session, means, media, is_refresh, now) {
            Ok(()) => {
                if let Some(asking) = self.legs.get_mut(session.0).and_then(|leg| leg.asking.as_mut()) {
                    asking.attempts = attempts;
                }
            }
            // Theirs is under way: ours waits for it.
            Err(CommandError::State(_) | CommandError::Media(_)) if attempts < CHANGE_ATTEMPTS_MAX => {
                let attempts = attempts.saturating_add(1);
                let asking = Asking { means, wanted, sending: None, is_refresh, is_early, attempts };
                if let Some(leg) = self.legs.get_mut(session.0) {
                    leg.asking = Some(Box::new(asking));
                }
                self.set(session, Timer::Again, Micros::from_secs(2), now);
            }
            Err(_) => self.events.push_back(offer_failed(session, None, Failure::Cancelled)),
        }
    }

    pub(crate) fn change_failed(&mut self, session: SessionId, request: Option<&Request>, failure: Failure, now: Now) {
        let Some(leg) = self.legs.get_mut(session.0) else { return };
        leg.withdraw();
        leg.asking = None;
        self.events.push_back(offer_failed(session, request, failure.clone()));
        let failure =
            Some(failure).filter(|failure| matches!(failure, Failure::Timeout(_)) || failure.is_of_transport());
        self.lost(Some(session), failure, now);
    }

    /// A PRACK. `[RFC 3262, Section 4]`
    pub(crate) fn send_prack(&mut self, session: SessionId, rseq: u32, cseq: u32, answer: Option<Vec<u8>>, now: Now) {
        let Some(leg) = self.legs.get_mut(session.0) else { return };
        let mut builder = leg.dialog.request(Method::Prack).header(RAck::new(rseq, cseq, "INVITE"));
        if let Some(answer) = answer {
            builder = builder.content_type("application/sdp").body(answer);
        }
        let uri = leg.dialog.next_uri();
        self.send(Purpose::Prack(session), builder, &uri, now);
    }

    /// Sends the PRACK for the last reliable provisional response, where the application does that itself; with media, it offers.
    /// `[RFC 3262, Section 5]`
    ///
    /// # Errors
    /// Where no response waits for one, or nothing can be offered.
    pub fn prack(&mut self, session: SessionId, media: Media, now: Now) -> Result<(), CommandError> {
        let leg = self.legs.get_mut(session.0).ok_or(CommandError::Unknown)?;
        let (rseq, cseq) = leg.prack.ok_or(CommandError::State("no provisional response waits for a PRACK"))?;
        let body = leg.exchange.say(Carrier::Prack, media)?;
        leg.prack = None;
        leg.exchange.answered();
        self.stop(session, Timer::AnswerMissing);
        self.send_prack(session, rseq, cseq, body, now);
        self.settle(now);
        Ok(())
    }

    /// The PRACK waits for the application's answer.
    pub(crate) fn prack_later(&mut self, session: SessionId, rseq: u32, cseq: u32) {
        if let Some(leg) = self.legs.get_mut(session.0) {
            leg.prack = Some((rseq, cseq));
        }
    }

    pub(crate) fn pracked(&mut self, session: SessionId, request: Option<&Request>, response: &Response, now: Now) {
        let failure = gone(request, response).filter(|_| self.phase(session) == Some(Phase::Confirmed));
        if let Some(leg) = self.legs.get_mut(session.0).filter(|leg| leg.exchange.ours() == Some(Carrier::Prack)) {
            let answer = match find(response) {
                Found::Sdp(body) if response.status().is_success() => leg.exchange.accept(&body),
                _ => Err("the PRACK's offer has no answer".into()),
            };
            match answer {
                Ok(()) => self.events.push_back(Event::Agreed { session }),
                Err(_) => {
                    leg.exchange.settle();
                    let failure = Failure::Refused(Box::new(response.clone()));
                    self.events.push_back(offer_failed(session, request, failure));
                }
            }
        }
        self.lost(Some(session), failure, now);
    }

    /// Ends a session: BYE once it stands, CANCEL or 603 before. `[RFC 3261, Section 15]`
    ///
    /// # Errors
    /// Where there is no such session.
    pub fn hang_up(&mut self, session: SessionId, now: Now) -> Result<(), CommandError> {
        let leg = self.legs.get(session.0).ok_or(CommandError::Unknown)?;
        match (leg.phase, leg.invite) {
            (Phase::Early, Some(invite)) => self.cancel(invite, None, now)?,
            (Phase::Early, None) => self.reject(session, StatusCode::Decline, |r| r, now)?,
            _ => self.hang_up_for(session, EndReason::LocalBye, now),
        }
        self.settle(now);
        Ok(())
    }

    /// The BYE; one who answered waits for the ACK before it. `[RFC 3261, Section 15]`
    pub(crate) fn hang_up_for(&mut self, session: SessionId, reason: EndReason, now: Now) {
        let Some(leg) = self.legs.get_mut(session.0) else { return };
        if leg.phase != Phase::Confirmed {
            return;
        }
        if leg.success.is_some() {
            leg.ending.get_or_insert(Box::new(reason));
            return;
        }
        let open: Vec<_> = leg.serving.take().map(|serving| serving.id).into_iter().chain(leg.owed.take()).collect();
        leg.phase = Phase::Ending;
        let why = by_way_of_reason(&reason);
        leg.ending = Some(Box::new(reason));
        let mut builder = leg.dialog.request(Method::Bye);
        if let Some(why) = why {
            builder = builder.header(why);
        }
        let uri = leg.dialog.next_uri();
        let running: Vec<_> = leg.running().collect();
        leg.stopped();
        for timer in running {
            self.timers.stop(timer);
        }
        for id in open {
            self.terminate(id, now);
        }
        self.send_ack(session, None, now);
        self.send(Purpose::Bye(session), builder, &uri, now);
    }

    /// The BYE was answered, or nobody will. `[RFC 3261, Section 15.1.1]`
    pub(crate) fn bye_done(&mut self, session: SessionId) {
        let reason = self.legs.get_mut(session.0).and_then(|leg| leg.ending.take());
        self.end(session, reason.map_or(EndReason::LocalBye, |reason| *reason));
    }

    /// The other side knows of no dialog, or is not there: the session is over. Who may be there is told so.
    /// `[RFC 3261, Section 12.2.1.2]`
    pub(crate) fn lost(&mut self, session: Option<SessionId>, failure: Option<Failure>, now: Now) {
        let (Some(session), Some(failure)) = (session, failure) else { return };
        let knows_nothing = failure.status() == StatusCode::CallOrTransactionDoesNotExist;
        match self.phase(session) {
            Some(Phase::Ending) | None => {}
            // A connection that breaks ends no early dialog: its INVITE is still to be answered. `[RFC 3261, Section 8.1.3.1]`
            Some(Phase::Early) if failure.is_of_transport() => {}
            Some(Phase::Confirmed) if !knows_nothing => self.hang_up_for(session, EndReason::Gone(failure), now),
            Some(_) => {
                self.over_early(session, true);
                self.end(session, EndReason::Gone(failure));
            }
        }
    }

    /// Sends a request of the application within a session, such as INFO, MESSAGE, OPTIONS or REFER; `fill` adds to it.
    ///
    /// # Errors
    /// Where there is no such session, or the method is one that has a call of its own here.
    pub fn request(
        &mut self,
        session: SessionId,
        method: Method,
        fill: impl FnOnce(RequestBuilder) -> RequestBuilder,
        now: Now,
    ) -> Result<RequestId, CommandError> {
        if is_of_calls(&method) {
            return Err(CommandError::State("this method has a call of its own"));
        }
        let leg = self.legs.get_mut(session.0).filter(|leg| leg.phase != Phase::Ending).ok_or(CommandError::Unknown)?;
        let builder = leg.dialog.request(method.clone());
        let uri = leg.dialog.next_uri();
        let builder = fill(self.introduced(builder, &method));
        let id = self.send(Purpose::Application(Some(session)), builder, &uri, now);
        self.settle(now);
        Ok(RequestId(id))
    }

    /// Sends a request outside of any session, such as OPTIONS or MESSAGE; `fill` adds to it.
    ///
    /// # Errors
    /// Where the method is one that makes or belongs to a session, or the Request-URI is none.
    pub fn request_outside(
        &mut self,
        outbound: &Outbound,
        method: Method,
        fill: impl FnOnce(RequestBuilder) -> RequestBuilder,
        now: Now,
    ) -> Result<RequestId, CommandError> {
        if is_of_calls(&method) {
            return Err(CommandError::State("this method makes a session, or belongs to one"));
        }
        outbound.check()?;
        let builder = fill(self.outbound_request(outbound, method));
        let uri: String = calling::next_uri(outbound).into();
        let id = self.send_by(outbound.hop, Purpose::Application(None), builder, uri.as_bytes(), now);
        self.settle(now);
        Ok(RequestId(id))
    }

    /// From the last refresh on: when the next one is due, and when the session is given up. `[RFC 4028, Section 10]`
    pub(crate) fn start_session_timer(&mut self, session: SessionId, now: Now) {
        self.stop(session, Timer::Refresh);
        self.stop(session, Timer::Expire);
        let Some(timer) = self.legs.get(session.0).and_then(|leg| leg.timer) else { return };
        if timer.is_ours {
            self.set(session, Timer::Refresh, timer.refresh_after(), now);
        }
        self.set(session, Timer::Expire, timer.expires_after(), now);
    }

    /// By UPDATE where they take it. `[RFC 4028, Section 7.4]`
    fn send_refresh(&mut self, session: SessionId, now: Now) -> Result<(), CommandError> {
        if self.legs.get(session.0).is_some_and(|leg| leg.takes_update) {
            self.change(session, Means::Update, None, true, now)
        } else {
            self.change(session, Means::Reinvite, Some(Media::None), true, now)
        }
    }

    /// Timer: a refresh is due.
    fn refresh_due(&mut self, session: SessionId, now: Now) {
        if self.phase(session) != Some(Phase::Confirmed) {
            return;
        }
        if self.send_refresh(session, now).is_err() {
            // Something is under way, which may be a refresh itself.
            self.set(session, Timer::Refresh, Micros::from_secs(1), now);
        }
    }

    pub(crate) fn fire(&mut self, session: SessionId, timer: Timer, now: Now) {
        match timer {
            Timer::ProvisionalAgain => self.provisional_again(session, now),
            Timer::PrackMissing => self.prack_missing(session, now),
            Timer::SuccessAgain => self.success_again(session, now),
            Timer::AckMissing => self.ack_missing(session, now),
            Timer::Refresh => self.refresh_due(session, now),
            Timer::Expire => self.hang_up_for(session, EndReason::Expired, now),
            Timer::Again => self.again(session, now),
            Timer::AnswerMissing => self.answer_missing(session, now),
            Timer::InviteExpires => self.invite_expired(session, now),
            Timer::RingAgain => self.ring_again(session, now),
        }
    }
}

/// A random while, in steps of 10 ms. `[RFC 3261, Section 14.1]`
fn glare_wait(range_ms: &RangeInclusive<u64>, random: &mut Random) -> Micros {
    let steps = range_ms.end().saturating_sub(*range_ms.start()) / 10;
    Micros::from_ms(range_ms.start().saturating_add(random.below(steps.saturating_add(1)).saturating_mul(10)))
}

fn offer_failed(session: SessionId, request: Option<&Request>, failure: Failure) -> Event {
    let outcome = Outcome::of_failure(request, &failure);
    Event::OfferFailed { session, failure, outcome }
}

/// What a BYE says of its reason. `[RFC 3326, Section 2]`
fn by_way_of_reason(reason: &EndReason) -> Option<Reason> {
    let (status, text) = match reason {
        EndReason::Expired => (StatusCode::RequestTimeout, "Session timer expired"),
        EndReason::AckMissing => (StatusCode::RequestTimeout, "ACK missing"),
        EndReason::AnswerMissing => (StatusCode::RequestTimeout, "Answer missing"),
        EndReason::BadAnswer(_) => (StatusCode::NotAcceptableHere, "Answer not acceptable"),
        EndReason::Elsewhere => (StatusCode::Ok, "Call completed elsewhere"),
        _ => return None,
    };
    Some(Reason::new("SIP").with_cause(status.as_u16().into()).with_text(text))
}

/// The methods that make a session, or belong to one: each has a call of its own.
fn is_of_calls(method: &Method) -> bool {
    matches!(method, Method::Invite | Method::Ack | Method::Cancel | Method::Bye | Method::Prack | Method::Update)
}
