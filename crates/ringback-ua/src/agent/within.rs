//! Requests of theirs within a session. `[RFC 3261, Section 12.2.2]`

use alloc::boxed::Box;

use ringback_base::Now;
use ringback_message::header::{InfoPackage, MinSe, RecvInfo, Require, SessionExpires};
use ringback_message::{HeaderId, Method, Request, Response, ResponseBuilder, StatusCode, status_for};
use ringback_sdp::negotiate::Refusal;
use ringback_transaction::ServerId;

use super::UserAgent;
use super::leg::{Means, Phase, Timer};
use super::refusing::filled;
use crate::blamed::Refused;
use crate::event::{CommandError, EndReason, Event, SessionId};
use crate::exchange::{Carrier, Found, Media, MediaError, find};
use crate::session_timer::Asked;

impl UserAgent {
    pub(crate) fn request_within(&mut self, session: SessionId, id: ServerId, request: Request, now: Now) {
        let Some(leg) = self.legs.get_mut(session.0) else { return };
        if let Err(error) = leg.dialog.receive(&request) {
            return self.say(id, &request, status_for(&error), |r| r, now);
        }
        leg.session_id.learn(&request);
        match (leg.phase, request.method()) {
            (_, Method::Bye) => self.bye_came(session, id, request, now),
            // We have hung up: for us there is no dialog any more. `[RFC 3261, Section 15.1.1]`
            (Phase::Ending, _) => self.say(id, &request, StatusCode::CallOrTransactionDoesNotExist, |r| r, now),
            (_, Method::Invite) => self.reinvite_came(session, id, request, now),
            (_, Method::Update) => self.update_came(session, id, request, now),
            (_, Method::Prack) => self.prack_came(session, id, request, now),
            (_, Method::Options) if self.config.answers_options => self.options_came(id, &request, now),
            (_, Method::Info) if !self.takes_package(&request) => {
                let packages: alloc::vec::Vec<_> = self.config.info_packages.iter().map(RecvInfo::new).collect();
                let status = StatusCode::BadInfoPackage;
                self.say(id, &request, status, |r| packages.into_iter().fold(r, ResponseBuilder::header), now);
            }
            _ if self.usage_request_within(session, id, &request, now) => {}
            _ => self.events.push_back(Event::Request { id, session: Some(session), request }),
        }
    }

    /// Whether the package of an INFO is one that we take. Old ones name none. `[RFC 6086, Section 4.2.2]`
    fn takes_package(&self, request: &Request) -> bool {
        match request.get::<InfoPackage<&[u8]>>() {
            Ok(Some(named)) => {
                let is_it = |known: &alloc::string::String| known.as_bytes().eq_ignore_ascii_case(named.package);
                self.config.info_packages.iter().any(is_it)
            }
            Ok(None) => true,
            Err(_) => false,
        }
    }

    /// What we can, as it would be said of a call now. `[RFC 3261, Section 11.2]`
    pub(crate) fn options_came(&mut self, id: ServerId, request: &Request, now: Now) {
        let (allow, supported) = (self.config.allow.clone(), self.config.supported.clone());
        let busy = request.to_tag().is_none() && self.legs.is_full();
        let status = if busy { StatusCode::BusyHere } else { StatusCode::Ok };
        let events = self.allow_events();
        self.say(
            id,
            request,
            status,
            |r| events.into_iter().fold(capable(r, allow, supported), ResponseBuilder::header),
            now,
        );
    }

    /// BYE: it is answered, and so is what is open. `[RFC 3261, Section 15.1.2]`
    fn bye_came(&mut self, session: SessionId, id: ServerId, request: Request, now: Now) {
        self.say(id, &request, StatusCode::Ok, |r| r, now);
        let Some(leg) = self.legs.get(session.0) else { return };
        for open in leg.serving.as_ref().map(|serving| serving.id).into_iter().chain(leg.owed) {
            if let Some(open_request) = self.transactions.server_request(open).cloned() {
                self.say(open, &open_request, StatusCode::RequestTerminated, |r| r, now);
            }
        }
        // Where theirs crosses ours, ours has its reason.
        let ours = self.legs.get_mut(session.0).and_then(|leg| leg.ending.take());
        self.end(session, ours.map_or_else(|| EndReason::RemoteBye(Box::new(request)), |reason| *reason));
    }

    /// An INVITE within the session. `[RFC 3261, Section 14.2]`
    fn reinvite_came(&mut self, session: SessionId, id: ServerId, request: Request, now: Now) {
        let Some(leg) = self.legs.get_mut(session.0) else { return };
        let asks =
            leg.asking.as_ref().is_some_and(|asking| asking.means == Means::Reinvite && asking.sending.is_some());
        if leg.serving.is_some() || leg.exchange.theirs().is_some() {
            // "a Retry-After header field with a randomly chosen value of between 0 and 10 seconds" [RFC 3261, Section 14.2]
            let retry = self.retry_soon();
            return self.say(id, &request, StatusCode::ServerInternalError, |r| r.header(retry), now);
        }
        if asks || leg.exchange.ours().is_some() {
            return self.say(id, &request, StatusCode::RequestPending, |r| r, now);
        }
        let Some(asked) = self.timer_asked(session, id, &request, now) else { return };
        let Some(leg) = self.legs.get_mut(session.0) else { return };
        leg.takes_update |= request.has_token(HeaderId::Allow, "UPDATE");
        let found = find(&request);
        let received = match &found {
            Found::Sdp(body) => leg.exchange.receive(Carrier::Invite, body),
            Found::Nothing => Ok(()),
            Found::Unknown => return self.unsupported_body(id, &request, now),
        };
        if let Err(refusal) = received {
            return self.refuse_offer(id, &request, &refusal, now);
        }
        let serving = self.serving(id, &request, false, asked, None);
        let Some(leg) = self.legs.get_mut(session.0) else { return };
        leg.serving = Some(Box::new(serving));
        self.invited.insert(id, session);
        self.trying(id, &request, now);
        match found {
            Found::Sdp(_) => self.events.push_back(Event::Offered { session, carrier: Carrier::Invite }),
            _ => self.events.push_back(Event::OfferWanted { session }),
        }
    }

    /// An UPDATE: with an offer it is the application's, without one a refresh. `[RFC 3311, Section 5.2]`
    fn update_came(&mut self, session: SessionId, id: ServerId, request: Request, now: Now) {
        let Some(asked) = self.timer_asked(session, id, &request, now) else { return };
        let Some(leg) = self.legs.get_mut(session.0) else { return };
        let body = match find(&request) {
            Found::Sdp(body) => body,
            Found::Nothing => return self.refreshed(session, id, &request, asked, now),
            Found::Unknown => return self.unsupported_body(id, &request, now),
        };
        if leg.exchange.ours().is_some() {
            return self.say(id, &request, StatusCode::RequestPending, |r| r, now);
        }
        if leg.owed.is_some() || leg.exchange.theirs().is_some() {
            let retry = self.retry_soon();
            return self.say(id, &request, StatusCode::ServerInternalError, |r| r.header(retry), now);
        }
        match leg.exchange.receive(Carrier::Update, &body) {
            Ok(()) => {
                leg.owed = Some(id);
                let patience = self.config.patience;
                self.set(session, Timer::AnswerMissing, patience, now);
                self.events.push_back(Event::Offered { session, carrier: Carrier::Update });
            }
            Err(refusal) => self.refuse_offer(id, &request, &refusal, now),
        }
    }

    /// What a request says of the session timer; `None` where it was refused for that. `[RFC 4028, Section 9]`
    fn timer_asked(&mut self, session: SessionId, id: ServerId, request: &Request, now: Now) -> Option<Asked> {
        if let Some(leg) = self.legs.get_mut(session.0) {
            leg.learn_min_se(request);
        }
        match self.config.session_timers.asked(request) {
            Ok(asked) => Some(asked),
            Err(small) => {
                let status = StatusCode::SessionIntervalTooSmall;
                self.say(id, request, status, |r| r.header(MinSe::new(small.min_secs)), now);
                None
            }
        }
    }

    fn refreshed(&mut self, session: SessionId, id: ServerId, request: &Request, asked: Asked, now: Now) {
        self.update_done(session, id, request, None, asked, now);
        self.events.push_back(Event::Refreshed { session, is_ours: false });
    }

    /// The 200 to an UPDATE.
    fn update_done(
        &mut self,
        session: SessionId,
        id: ServerId,
        request: &Request,
        body: Option<alloc::vec::Vec<u8>>,
        asked: Asked,
        now: Now,
    ) {
        let Some(hop) = self.transactions.server_reply_hop(id) else { return };
        let Some(leg) = self.legs.get_mut(session.0) else { return };
        leg.dialog.refresh_target(request);
        let is_confirmed = leg.phase == Phase::Confirmed;
        if is_confirmed {
            leg.timer = asked.timer();
        }
        let is_secure = self.legs.get(session.0).is_some_and(|leg| leg.dialog.is_secure());
        let contact = self.contact_for(request, &hop, is_secure);
        let header = asked.header().filter(|_| is_confirmed);
        self.say(id, request, StatusCode::Ok, |r| updated(r, &contact, header, body), now);
        if is_confirmed {
            self.start_session_timer(session, now);
        }
    }

    /// Answers what the other side offers, or offers where it asks for an offer, wherever that is due: in a 200, an ACK or a PRACK.
    ///
    /// # Errors
    /// Where nothing is due, or the media don't fit; a refusal of what they are is left to [`UserAgent::refuse`].
    pub fn accept(&mut self, session: SessionId, media: Media, now: Now) -> Result<(), CommandError> {
        let leg = self.legs.get_mut(session.0).ok_or(CommandError::Unknown)?;
        match leg.exchange.theirs() {
            _ if leg.owed.is_some() => self.accept_owed(session, media, now)?,
            Some(Carrier::Success) => {
                let answer = leg.exchange.answer(media)?;
                leg.exchange.answered();
                self.stop(session, Timer::AnswerMissing);
                self.send_ack(session, Some(answer), now);
                self.events.push_back(Event::Agreed { session });
            }
            Some(Carrier::Provisional) => {
                let Some((rseq, cseq)) = leg.prack.take() else { return Err(MediaError::NothingOffered.into()) };
                let answer = match leg.exchange.answer(media) {
                    Ok(answer) => answer,
                    Err(error) => {
                        leg.prack = Some((rseq, cseq));
                        return Err(error.into());
                    }
                };
                leg.exchange.answered();
                self.stop(session, Timer::AnswerMissing);
                self.send_prack(session, rseq, cseq, Some(answer), now);
                self.events.push_back(Event::Agreed { session });
            }
            _ => return self.answer(session, media, now),
        }
        self.settle(now);
        Ok(())
    }

    /// The 2xx to an UPDATE or a PRACK that offered.
    fn accept_owed(&mut self, session: SessionId, media: Media, now: Now) -> Result<(), CommandError> {
        let leg = self.legs.get_mut(session.0).ok_or(CommandError::Unknown)?;
        let id = leg.owed.ok_or(CommandError::Unknown)?;
        let answer = leg.exchange.answer(media)?;
        leg.exchange.answered();
        leg.owed = None;
        self.stop(session, Timer::AnswerMissing);
        let request = self.transactions.server_request(id).cloned().ok_or(CommandError::Unknown)?;
        if request.is(&Method::Update) {
            let asked = self.config.session_timers.asked(&request).map_err(|_| CommandError::Unknown)?;
            self.update_done(session, id, &request, Some(answer), asked, now);
        } else {
            self.say(id, &request, StatusCode::Ok, |r| fill_sdp(r, answer), now);
        }
        self.events.push_back(Event::Agreed { session });
        self.go_on(session, now);
        Ok(())
    }

    /// Refuses what the other side offers: what was agreed on before still holds. Where nothing can refuse it, in an ACK or a
    /// PRACK, the call is ended. `[RFC 3261, Section 13.2.2.4]`
    ///
    /// # Errors
    /// Where nothing is offered.
    pub fn refuse(&mut self, session: SessionId, refusal: &Refusal, now: Now) -> Result<(), CommandError> {
        let leg = self.legs.get_mut(session.0).ok_or(CommandError::Unknown)?;
        let (carrier, owed) = (leg.exchange.theirs(), leg.owed.take());
        leg.exchange.settle();
        self.stop(session, Timer::AnswerMissing);
        match (carrier, owed) {
            (_, Some(id)) => {
                if let Some(request) = self.transactions.server_request(id).cloned() {
                    self.refuse_offer(id, &request, refusal, now);
                }
                self.go_on(session, now);
            }
            (Some(Carrier::Success), None) => {
                self.send_ack(session, None, now);
                self.hang_up_for(session, EndReason::LocalBye, now);
            }
            (Some(Carrier::Provisional), None) => {
                let leg = self.legs.get_mut(session.0).ok_or(CommandError::Unknown)?;
                let (prack, invite) = (leg.prack.take(), leg.invite);
                if let Some((rseq, cseq)) = prack {
                    self.send_prack(session, rseq, cseq, None, now);
                }
                if let Some(invite) = invite {
                    _ = self.cancel(invite, None, now);
                }
            }
            _ => {
                let status = status_for(&Refused(refusal));
                let warning = self.warning(refusal);
                return self.reject(session, status, |r| filled(r, warning, None), now);
            }
        }
        self.settle(now);
        Ok(())
    }

    /// Timer: the application owes an answer, and somebody waits.
    pub(crate) fn answer_missing(&mut self, session: SessionId, now: Now) {
        let Some(leg) = self.legs.get_mut(session.0) else { return };
        if let Some(id) = leg.owed.take() {
            leg.exchange.settle();
            if let Some(request) = self.transactions.server_request(id).cloned() {
                self.say(id, &request, StatusCode::ServerInternalError, |r| r, now);
            }
            return self.go_on(session, now);
        }
        match leg.exchange.theirs() {
            Some(Carrier::Success) => {
                leg.exchange.settle();
                self.send_ack(session, None, now);
                self.hang_up_for(session, EndReason::AnswerMissing, now);
            }
            Some(Carrier::Provisional) => {
                let invite = leg.invite;
                leg.exchange.settle();
                if let Some(invite) = invite {
                    _ = self.cancel(invite, None, now);
                }
            }
            // A PRACK that nobody had an offer for.
            _ => {
                if let Some((rseq, cseq)) = leg.prack.take() {
                    self.send_prack(session, rseq, cseq, None, now);
                }
            }
        }
    }

    /// Builds a response in a session without sending it.
    #[must_use]
    pub fn response_to<'r>(&self, request: &'r Request, status: StatusCode) -> ResponseBuilder<'r> {
        Response::to(request, status)
    }
}

/// What a 200 to OPTIONS carries. `[RFC 3261, Section 11.2]`
fn capable(
    builder: ResponseBuilder<'_>,
    allow: alloc::vec::Vec<Method>,
    supported: alloc::vec::Vec<alloc::string::String>,
) -> ResponseBuilder<'_> {
    let builder = builder.allow_methods(allow).supported_tags(supported).accept("application/sdp", None);
    builder.raw(HeaderId::AcceptEncoding, "identity")
}

/// What a 200 to an UPDATE carries.
fn updated<'r>(
    builder: ResponseBuilder<'r>,
    contact: &str,
    timer: Option<(SessionExpires, bool)>,
    body: Option<alloc::vec::Vec<u8>>,
) -> ResponseBuilder<'r> {
    let builder = builder.raw(HeaderId::Contact, contact);
    let builder = match timer {
        Some((header, true)) => builder.header(header).header(Require::new(["timer"])),
        Some((header, false)) => builder.header(header),
        None => builder,
    };
    match body {
        Some(body) => fill_sdp(builder, body),
        None => builder,
    }
}

fn fill_sdp(builder: ResponseBuilder<'_>, body: alloc::vec::Vec<u8>) -> ResponseBuilder<'_> {
    builder.content_type("application/sdp").body(body)
}
