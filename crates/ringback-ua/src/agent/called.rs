//! The INVITE of theirs: the session that it makes, the 2xx and its ACK, refusals, CANCEL. `[RFC 3261, Section 13.3]`

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use ringback_base::{Micros, Now};
use ringback_message::header::{MinSe, RecvInfo, Replaces, Require};
use ringback_message::{HeaderId, Request, Response, ResponseBuilder, StatusCode, status_for};
use ringback_transaction::ServerId;

use super::UserAgent;
use super::leg::{Leg, Phase, Serving, SessionIds, Success, Timer};
use crate::dialog::{Dialog, DialogId};
use crate::event::{CommandError, EndReason, Event, SessionId};
use crate::exchange::{Carrier, Exchange, Found, Media, MediaError, find};

impl UserAgent {
    /// A call: what can be refused without asking anybody is.
    pub(crate) fn call_came(&mut self, id: ServerId, request: Request, now: Now) {
        if self.legs.is_full() {
            return self.say(id, &request, StatusCode::ServiceUnavailable, |r| r, now);
        }
        let replaces = match self.replaced(&request) {
            Ok(replaces) => replaces,
            Err(status) => return self.say(id, &request, status, |r| r, now),
        };
        let asked = match self.config.session_timers.asked(&request) {
            Ok(asked) => asked,
            Err(small) => {
                let status = StatusCode::SessionIntervalTooSmall;
                return self.say(id, &request, status, |r| r.header(MinSe::new(small.min_secs)), now);
            }
        };
        let mut exchange = Exchange::default();
        match find(&request) {
            Found::Nothing => {}
            Found::Unknown => return self.unsupported_body(id, &request, now),
            Found::Sdp(body) => {
                if let Err(refusal) = exchange.receive(Carrier::Invite, &body) {
                    return self.refuse_offer(id, &request, &refusal, now);
                }
            }
        }
        let tag = self.random.token();
        let dialog = match Dialog::of_server(&request, &tag) {
            Ok(dialog) => dialog,
            Err(error) => return self.say(id, &request, status_for(&error), |r| r, now),
        };
        let mut leg = Leg::new(dialog, false, exchange);
        if self.config.session_ids {
            leg.session_id = SessionIds::new(&mut self.random);
        }
        leg.session_id.learn(&request);
        leg.learn_min_se(&request);
        leg.takes_update = request.has_token(HeaderId::Allow, "UPDATE");
        let serving = self.serving(id, &request, true, asked, replaces);
        leg.serving = Some(Box::new(serving));
        let Some(session) = self.insert(leg) else { return };
        self.invited.insert(id, session);
        self.trying(id, &request, now);
        if let Ok(Some(seconds)) = request.number(HeaderId::Expires) {
            self.set(session, Timer::InviteExpires, Micros::from_secs(seconds.into()), now);
        }
        self.events.push_back(Event::Incoming { session, request, replaces });
    }

    pub(crate) fn serving(
        &mut self,
        id: ServerId,
        request: &Request,
        is_initial: bool,
        asked: crate::session_timer::Asked,
        replaces: Option<SessionId>,
    ) -> Serving {
        // "chosen uniformly from 1 to 2**31 - 1" [RFC 3262, Section 3]
        let rseq = u32::try_from(self.random.below(0x7fff_0000)).unwrap_or(1);
        Serving {
            id,
            request: request.clone(),
            is_initial,
            asked,
            rseq,
            unacknowledged: None,
            queue: VecDeque::new(),
            has_exchanged: find(request) != Found::Nothing,
            ringing: None,
            success: None,
            replaces,
        }
    }

    /// A 100, so that the INVITE is not repeated while somebody thinks. `[RFC 3261, Section 8.2.6.1]`
    pub(crate) fn trying(&mut self, id: ServerId, request: &Request, now: Now) {
        if let Ok(trying) = Response::to(request, StatusCode::Trying).build() {
            _ = self.transactions.respond(id, trying, now);
        }
    }

    /// The session that this INVITE would take the place of. `[RFC 3891, Section 3]`
    fn replaced(&self, request: &Request) -> Result<Option<SessionId>, StatusCode> {
        let mut lines = request.values::<Replaces<&[u8]>>();
        let (first, second) = (lines.next(), lines.next());
        let Some(first) = first else { return Ok(None) };
        let (Ok(named), None) = (first, second) else { return Err(StatusCode::BadRequest) };
        let (Some(local_tag), Some(remote_tag)) = (named.to_tag(), named.from_tag()) else {
            return Err(StatusCode::BadRequest);
        };
        let id = DialogId { call_id: named.call_id, local_tag, remote_tag };
        let gone = StatusCode::CallOrTransactionDoesNotExist;
        let session = self.session_of(id).ok_or(gone)?;
        match self.legs.get(session.0) {
            Some(leg) if leg.phase == Phase::Confirmed && named.early_only() => Err(StatusCode::BusyHere),
            Some(leg) if leg.phase == Phase::Ending => Err(StatusCode::Decline),
            // Only the side that called may have an early dialog replaced.
            Some(leg) if leg.phase == Phase::Early && !leg.is_caller => Err(gone),
            _ => Ok(Some(session)),
        }
    }

    /// Timer: the INVITE is no longer good. `[RFC 3261, Section 13.3.1]`
    pub(crate) fn invite_expired(&mut self, session: SessionId, now: Now) {
        self.final_failure(session, StatusCode::RequestTerminated, |r| r, EndReason::Cancelled, now);
    }

    pub(crate) fn serving_id(&self, session: SessionId) -> Result<ServerId, CommandError> {
        let serving = self.legs.get(session.0).and_then(|leg| leg.serving.as_ref());
        serving.map(|serving| serving.id).ok_or(CommandError::Unknown)
    }

    /// A response that makes or keeps the dialog: its tag, and where we are.
    pub(crate) fn answering<'r>(
        &self,
        session: SessionId,
        request: &'r Request,
        status: StatusCode,
    ) -> Result<ResponseBuilder<'r>, CommandError> {
        let leg = self.legs.get(session.0).ok_or(CommandError::Unknown)?;
        let id = self.serving_id(session)?;
        let hop = self.transactions.server_reply_hop(id).ok_or(CommandError::Unknown)?;
        let builder = Response::to(request, status);
        let builder = match request.to_tag() {
            Some(_) => builder,
            None => builder.to_tag(core::str::from_utf8(leg.dialog.id().local_tag).unwrap_or_default()),
        };
        let builder = builder.raw(HeaderId::Contact, self.contact_for(request, &hop, leg.dialog.is_secure()));
        let builder = match &self.said.allow {
            Some(allow) => builder.raw(HeaderId::Allow, allow),
            None => builder.allow_methods(self.config.allow.clone()),
        };
        // Of responses, 2xx alone have these. [RFC 3261, Section 20] [RFC 3265, Section 7.2]
        let builder = match status.is_success() {
            true => {
                let builder = match &self.said.supported {
                    Some(supported) => builder.raw(HeaderId::Supported, supported),
                    None => builder.supported_tags(self.config.supported.clone()),
                };
                self.allow_events().into_iter().fold(builder, ResponseBuilder::header)
            }
            false => builder,
        };
        let builder = match leg.session_id.header() {
            Some(header) => builder.header(header),
            None => builder,
        };
        let builder =
            self.config.info_packages.iter().fold(builder, |builder, package| builder.header(RecvInfo::new(package)));
        let product = &self.config.product;
        Ok(if product.is_empty() { builder } else { builder.raw(HeaderId::Server, &**product) })
    }

    /// Answers a call, or a re-INVITE, with 200. `[RFC 3261, Section 13.3.1.4]`
    ///
    /// Where a reliable provisional response with a description waits for its PRACK, the 200 waits too. `[RFC 3262, Section 3]`
    ///
    /// # Errors
    /// Where no INVITE waits for an answer, or its media don't fit.
    pub fn answer(&mut self, session: SessionId, media: Media, now: Now) -> Result<(), CommandError> {
        let leg = self.legs.get_mut(session.0).ok_or(CommandError::Unknown)?;
        let serving = leg.serving.as_ref().ok_or(CommandError::State("no INVITE waits for an answer"))?;
        if serving.success.is_some() {
            return Err(CommandError::State("it is answered already"));
        }
        let (request, has_exchanged) = (serving.request.clone(), serving.has_exchanged);
        let waits = serving.unacknowledged.iter().chain(&serving.queue).any(|p| !p.response.body().is_empty());
        let body = match (leg.exchange.theirs(), leg.exchange.ours(), media) {
            (Some(Carrier::Invite), _, Media::None) if leg.exchange.is_unanswered() => {
                return Err(MediaError::AnswerExpected.into());
            }
            // The offer was answered for good in a response before, or is still open in one.
            (None, Some(_), _) => None,
            // So it was before an UPDATE or PRACK could bring another, which is answered in theirs and not here.
            (Some(Carrier::Update | Carrier::Prack), _, _) => None,
            _ if leg.is_answered() => None,
            (None, None, _) if has_exchanged => None,
            // A first offer there must be, and in a session that stands the old one will do. `[RFC 3261, Section 13.2.1]`
            (None, None, Media::None) if leg.exchange.is_blank() => return Err(MediaError::OfferExpected.into()),
            (None, None, media) => Some(leg.exchange.offer(Carrier::Success, media)?),
            (_, _, media) => leg.exchange.say(Carrier::Success, media)?,
        };
        let Some(asked) = leg.serving.as_ref().map(|serving| serving.asked) else { return Err(CommandError::Unknown) };
        let mut builder = self.answering(session, &request, StatusCode::Ok)?;
        if let Some((header, is_required)) = asked.header() {
            builder = builder.header(header);
            if is_required {
                builder = builder.header(Require::new(["timer"]));
            }
        }
        if let Some(body) = body {
            builder = builder.content_type("application/sdp").body(body);
        }
        let response = builder.build()?;
        let open = self.legs.get(session.0).is_some_and(|leg| leg.owed.is_some() || provisional_offer(leg));
        match self.legs.get_mut(session.0).and_then(|leg| leg.serving.as_mut()) {
            Some(serving) if waits || open => serving.success = Some(response),
            _ => self.succeed(session, response, now),
        }
        self.settle(now);
        Ok(())
    }

    /// The 2xx goes out, and goes again until its ACK is here. `[RFC 3261, Section 13.3.1.4]`
    pub(crate) fn succeed(&mut self, session: SessionId, response: Response, now: Now) {
        let timers = self.config.transactions.timers;
        if let Some(leg) = self.legs.get_mut(session.0) {
            let waits = |serving: &Serving| Some((serving.unacknowledged.as_ref()?.rseq, serving.request.cseq()));
            leg.late_prack = leg.serving.as_deref().and_then(waits);
        }
        self.acknowledged(session, now);
        let Some(leg) = self.legs.get_mut(session.0) else { return };
        let Some(serving) = leg.serving.take() else { return };
        self.stop(session, Timer::RingAgain);
        self.stop(session, Timer::InviteExpires);
        if self.transactions.respond(serving.id, response.clone(), now).is_err() {
            return self.end(session, EndReason::Cancelled);
        }
        let Some(leg) = self.legs.get_mut(session.0) else { return };
        let was_answer = leg.exchange.answer_text().is_some();
        leg.exchange.answered();
        leg.dialog.confirm();
        leg.dialog.refresh_target(&serving.request);
        leg.phase = Phase::Confirmed;
        leg.timer = serving.asked.timer();
        let success = Success { id: serving.id, response, interval: timers.t1(), is_initial: serving.is_initial };
        leg.success = Some(Box::new(success));
        if was_answer {
            self.events.push_back(Event::Agreed { session });
        }
        self.set(session, Timer::SuccessAgain, timers.t1(), now);
        self.set(session, Timer::AckMissing, timers.t1_64(), now);
        self.start_session_timer(session, now);
        if let Some(replaced) = serving.replaces {
            self.replace(replaced, now);
        }
    }

    /// The one whose place was taken is hung up, or its INVITE given up. `[RFC 3891, Section 3]`
    fn replace(&mut self, replaced: SessionId, now: Now) {
        let invite = self.legs.get(replaced.0).filter(|leg| leg.phase == Phase::Early).and_then(|leg| leg.invite);
        match invite {
            Some(invite) => _ = self.cancel(invite, None, now),
            None => self.hang_up_for(replaced, EndReason::Elsewhere, now),
        }
    }

    /// Timer: the 2xx goes again.
    pub(crate) fn success_again(&mut self, session: SessionId, now: Now) {
        let timers = self.config.transactions.timers;
        let Some(success) = self.legs.get_mut(session.0).and_then(|leg| leg.success.as_mut()) else { return };
        success.interval = timers.doubled_to_t2(success.interval);
        let (id, response, interval) = (success.id, success.response.clone(), success.interval);
        _ = self.transactions.respond(id, response, now);
        self.set(session, Timer::SuccessAgain, interval, now);
    }

    /// An ACK for a 2xx of ours. `[RFC 3261, Section 13.3.1.4]`
    pub(crate) fn ack_came(&mut self, request: &Request, now: Now) {
        let Some(session) = DialogId::of_request(request).and_then(|id| self.session_of(id)) else { return };
        let Some(leg) = self.legs.get_mut(session.0) else { return };
        let is_it = leg.success.as_ref().is_some_and(|success| success.response.cseq() == request.cseq());
        if !is_it {
            return;
        }
        let Some(success) = leg.success.take() else { return };
        let said = match (leg.exchange.ours(), find(request)) {
            (Some(Carrier::Success), Found::Sdp(body)) => leg.exchange.accept(&body).map(|()| true),
            (Some(Carrier::Success), _) => Err("the ACK has no answer".into()),
            _ => Ok(false),
        };
        let ending = leg.ending.take();
        self.stop(session, Timer::SuccessAgain);
        self.stop(session, Timer::AckMissing);
        if success.is_initial {
            self.events.push_back(Event::Confirmed { session });
        }
        match (said, ending) {
            (_, Some(reason)) => self.hang_up_for(session, *reason, now),
            (Ok(true), None) => self.events.push_back(Event::Agreed { session }),
            (Ok(false), None) => {}
            (Err(why), None) => self.hang_up_for(session, EndReason::BadAnswer(why), now),
        }
    }

    /// Refuses a call, or a re-INVITE; `fill` adds what belongs into the response, such as Retry-After or Contact.
    ///
    /// # Errors
    /// Where no INVITE waits for an answer, or the status is none from 300 on, or the response can't be built.
    pub fn reject(
        &mut self,
        session: SessionId,
        status: StatusCode,
        fill: impl FnOnce(ResponseBuilder<'_>) -> ResponseBuilder<'_>,
        now: Now,
    ) -> Result<(), CommandError> {
        let leg = self.legs.get(session.0).ok_or(CommandError::Unknown)?;
        let serving = leg.serving.as_ref().ok_or(CommandError::State("no INVITE waits for an answer"))?;
        if status.as_u16() < 300 {
            return Err(CommandError::State("a refusal is 300 or above"));
        }
        let (id, request, is_initial) = (serving.id, serving.request.clone(), serving.is_initial);
        let tag = core::str::from_utf8(leg.dialog.id().local_tag).unwrap_or_default();
        let builder = Response::to(&request, status);
        let builder = if request.to_tag().is_none() { builder.to_tag(tag) } else { builder };
        let response = fill(builder).build()?;
        self.transactions.respond(id, response, now).map_err(|_| CommandError::Unknown)?;
        if is_initial {
            self.end(session, EndReason::Rejected(status));
        } else {
            self.unserved(session);
        }
        self.settle(now);
        Ok(())
    }

    /// A re-INVITE of theirs came to nothing: what was agreed on before still holds. `[RFC 3261, Section 14.2]`
    fn unserved(&mut self, session: SessionId) {
        let of_the_invite = [Timer::ProvisionalAgain, Timer::PrackMissing, Timer::AnswerMissing, Timer::RingAgain];
        for timer in of_the_invite {
            self.stop(session, timer);
        }
        if let Some(leg) = self.legs.get_mut(session.0) {
            leg.serving = None;
            leg.exchange.settle();
        }
    }

    pub(crate) fn final_failure(
        &mut self,
        session: SessionId,
        status: StatusCode,
        fill: impl FnOnce(ResponseBuilder<'_>) -> ResponseBuilder<'_>,
        reason: EndReason,
        now: Now,
    ) {
        let Some(leg) = self.legs.get(session.0) else { return };
        let Some(serving) = &leg.serving else { return };
        let (id, request, is_initial) = (serving.id, serving.request.clone(), serving.is_initial);
        let tag: Vec<u8> = leg.dialog.id().local_tag.to_vec();
        let tag = alloc::string::String::from_utf8_lossy(&tag).into_owned();
        let builder = Response::to(&request, status);
        let builder = if request.to_tag().is_none() { builder.to_tag(tag) } else { builder };
        if let Ok(response) = fill(builder).build() {
            _ = self.transactions.respond(id, response, now);
        }
        if is_initial {
            self.end(session, reason);
        } else {
            self.unserved(session);
        }
    }

    /// A CANCEL: the INVITE that it names is answered with 487, unless it is answered. `[RFC 3261, Section 9.2]`
    pub(crate) fn cancel_came(&mut self, id: ServerId, invite: Option<ServerId>, now: Now) {
        let Some(request) = self.transactions.server_request(id).cloned() else { return };
        let Some(invite) = invite else {
            return self.say(id, &request, StatusCode::CallOrTransactionDoesNotExist, |r| r, now);
        };
        let session = self.invited.get(&invite).copied();
        let tag = session.and_then(|session| self.legs.get(session.0)).map(|leg| leg.dialog.id().local_tag.to_vec());
        let builder = Response::to(&request, StatusCode::Ok);
        // "the To tag of the response to the CANCEL and the To tag in the response to the original request SHOULD be the same"
        // [RFC 3261, Section 9.2]
        let builder = match (request.to_tag(), tag) {
            (Some(_), _) => builder,
            (None, Some(tag)) => builder.to_tag(alloc::string::String::from_utf8_lossy(&tag)),
            (None, None) => builder.to_tag(self.random.token()),
        };
        if let Ok(response) = builder.build() {
            _ = self.transactions.respond(id, response, now);
        }
        if let Some(session) = session.filter(|_| !self.transactions.is_answered(invite)) {
            let serves = self.legs.get(session.0).and_then(|leg| leg.serving.as_ref()).is_some_and(|s| s.id == invite);
            if serves {
                self.final_failure(session, StatusCode::RequestTerminated, |r| r, EndReason::Cancelled, now);
            }
        }
    }

    /// The user lets go of a session without a word: an INVITE that waits for an answer gets 500, and what stands is hung up.
    pub fn release(&mut self, session: SessionId, now: Now) {
        let Some(leg) = self.legs.get(session.0) else { return };
        if leg.serving.as_ref().is_some_and(|serving| serving.is_initial) {
            let status = leg.released();
            self.final_failure(session, status, |r| r, EndReason::Rejected(status), now);
        } else if let Some(invite) = leg.invite.filter(|_| leg.phase == Phase::Early) {
            _ = self.cancel(invite, None, now);
        } else {
            self.hang_up_for(session, EndReason::LocalBye, now);
        }
        self.settle(now);
    }

    /// How long ago the 2xx went out is no matter: it is not acknowledged, and the session is ended.
    pub(crate) fn ack_missing(&mut self, session: SessionId, now: Now) {
        self.stop(session, Timer::SuccessAgain);
        if let Some(leg) = self.legs.get_mut(session.0) {
            leg.success = None;
            let reason = leg.ending.take().map_or(EndReason::AckMissing, |reason| *reason);
            self.hang_up_for(session, reason, now);
        }
    }
}

fn provisional_offer(leg: &Leg) -> bool {
    leg.exchange.ours() == Some(Carrier::Provisional)
}
