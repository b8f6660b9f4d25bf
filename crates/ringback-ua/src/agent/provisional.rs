//! What is said before an INVITE of theirs is answered: that it rings, reliably where that is wanted, and the PRACK for it.
//! `[RFC 3261, Section 13.3.1.1]` `[RFC 3262, Section 3]`

use ringback_base::{Micros, Now};
use ringback_message::header::{RAck, RSeq, Require};
use ringback_message::{HeaderId, Request, Response, StatusCode};
use ringback_transaction::ServerId;

use super::UserAgent;
use super::leg::{Provisional, Timer};
use crate::config::PROVISIONALS_MAX;
use crate::event::{CommandError, EndReason, Event, SessionId};
use crate::exchange::{Carrier, Found, Media, find};

/// How often a caller is told that it rings. `[RFC 3261, Section 13.3.1.1]`
const RING_AGAIN: Micros = Micros::from_secs(60);

impl UserAgent {
    /// Tells the caller that it rings, or anything else before the answer. It is reliable where the caller demands that, and where
    /// it must be because it offers. `[RFC 3262, Section 3]`
    ///
    /// # Errors
    /// Where no INVITE waits for an answer, the status is not between 101 and 199, or its media don't fit.
    pub fn ring(&mut self, session: SessionId, status: StatusCode, media: Media, now: Now) -> Result<(), CommandError> {
        let leg = self.legs.get(session.0).ok_or(CommandError::Unknown)?;
        let serving = leg.serving.as_ref().ok_or(CommandError::State("no INVITE waits for an answer"))?;
        if !(101..200).contains(&status.as_u16()) || serving.success.is_some() {
            return Err(CommandError::State("a provisional response is 101 to 199, and comes before the final one"));
        }
        let request = serving.request.clone();
        let can = request.has_token(HeaderId::Require, "100rel") || request.has_token(HeaderId::Supported, "100rel");
        let offers = leg.exchange.is_blank() && !matches!(media, Media::None);
        if offers && !can {
            return Err(CommandError::State("an offer before the answer needs a caller that knows 100rel"));
        }
        let is_reliable = offers || self.takes_reliable(&request);
        let Some(leg) = self.legs.get_mut(session.0) else { return Err(CommandError::Unknown) };
        if leg.serving.as_ref().is_some_and(|serving| serving.queue.len() >= PROVISIONALS_MAX) {
            return Err(CommandError::Full);
        }
        let body = match leg.is_answered() {
            true => None,
            false => leg.exchange.say(Carrier::Provisional, media)?,
        };
        if let Some(serving) = leg.serving.as_mut() {
            serving.has_exchanged |= body.is_some();
        }
        let mut builder = self.answering(session, &request, status)?;
        if let Some(body) = body {
            builder = builder.content_type("application/sdp").body(body);
        }
        if !is_reliable {
            let response = builder.build()?;
            let id = self.serving_id(session)?;
            self.transactions.respond(id, response.clone(), now).map_err(|_| CommandError::Unknown)?;
            if let Some(serving) = self.legs.get_mut(session.0).and_then(|leg| leg.serving.as_mut()) {
                serving.ringing = Some(response);
            }
            self.set(session, Timer::RingAgain, RING_AGAIN, now);
            self.settle(now);
            return Ok(());
        }
        let rseq = self.next_rseq(session);
        let response = builder.header(RSeq(rseq)).header(Require::new(["100rel"])).build()?;
        self.provisional(session, rseq, response, now);
        self.settle(now);
        Ok(())
    }

    /// Timer: it still rings. `[RFC 3261, Section 13.3.1.1]`
    pub(crate) fn ring_again(&mut self, session: SessionId, now: Now) {
        let Some(serving) = self.legs.get(session.0).and_then(|leg| leg.serving.as_ref()) else { return };
        let (id, Some(response)) = (serving.id, serving.ringing.clone()) else { return };
        _ = self.transactions.respond(id, response, now);
        self.set(session, Timer::RingAgain, RING_AGAIN, now);
    }

    fn next_rseq(&mut self, session: SessionId) -> u32 {
        let serving = self.legs.get_mut(session.0).and_then(|leg| leg.serving.as_mut());
        serving.map_or(1, |serving| {
            serving.rseq = serving.rseq.saturating_add(1);
            serving.rseq
        })
    }

    /// One after another: the next goes when the one before it is acknowledged. `[RFC 3262, Section 3]`
    fn provisional(&mut self, session: SessionId, rseq: u32, response: Response, now: Now) {
        let t1 = self.config.transactions.timers.t1();
        let Some(serving) = self.legs.get_mut(session.0).and_then(|leg| leg.serving.as_mut()) else { return };
        let provisional = Provisional { rseq, response, interval: t1 };
        serving.queue.push_back(provisional);
        if serving.unacknowledged.is_none() {
            self.next_provisional(session, now);
        }
    }

    fn next_provisional(&mut self, session: SessionId, now: Now) {
        let timers = self.config.transactions.timers;
        let Some(serving) = self.legs.get_mut(session.0).and_then(|leg| leg.serving.as_mut()) else { return };
        serving.unacknowledged = serving.queue.pop_front();
        let Some(next) = &serving.unacknowledged else { return };
        let (id, response) = (serving.id, next.response.clone());
        _ = self.transactions.respond(id, response, now);
        self.set(session, Timer::ProvisionalAgain, timers.t1(), now);
        self.set(session, Timer::PrackMissing, timers.t1_64(), now);
    }

    /// Timer: the reliable provisional response goes again, at twice the interval. `[RFC 3262, Section 3]`
    pub(crate) fn provisional_again(&mut self, session: SessionId, now: Now) {
        let Some(serving) = self.legs.get_mut(session.0).and_then(|leg| leg.serving.as_mut()) else { return };
        let Some(waiting) = &mut serving.unacknowledged else { return };
        waiting.interval = waiting.interval.doubled();
        let (id, response, interval) = (serving.id, waiting.response.clone(), waiting.interval);
        _ = self.transactions.respond(id, response, now);
        self.set(session, Timer::ProvisionalAgain, interval, now);
    }

    /// Timer: nobody acknowledges it. The INVITE is refused. `[RFC 3262, Section 3]`
    pub(crate) fn prack_missing(&mut self, session: SessionId, now: Now) {
        let reason = EndReason::PrackMissing;
        self.final_failure(session, StatusCode::ServerTimeout, |r| r, reason, now);
    }

    /// A PRACK: it names the response that it acknowledges, or is refused. `[RFC 3262, Section 3]`
    pub(crate) fn prack_came(&mut self, session: SessionId, id: ServerId, request: Request, now: Now) {
        let Some(leg) = self.legs.get_mut(session.0) else { return };
        let named = request.get::<RAck<&[u8]>>();
        let names = |rseq, cseq| matches!(&named, Ok(Some(rack)) if rack.response_number == rseq && rack.cseq_number == cseq && rack.method == b"INVITE");
        let Some(serving) = leg.serving.as_mut() else {
            // What a 2xx overtook had no description. "it MUST be prepared to process PRACK requests for those outstanding responses"
            // [RFC 3262, Section 3]
            let status = match leg.late_prack.take_if(|(rseq, cseq)| names(*rseq, *cseq)) {
                Some(_) if find(&request) == Found::Nothing => StatusCode::Ok,
                Some(_) => StatusCode::NotAcceptableHere,
                None => StatusCode::CallOrTransactionDoesNotExist,
            };
            return self.say(id, &request, status, |r| r, now);
        };
        let cseq = serving.request.cseq();
        let is_it = |waiting: &Provisional| names(waiting.rseq, cseq);
        let Some(waiting) = serving.unacknowledged.as_ref().filter(|waiting| is_it(waiting)) else {
            return self.say(id, &request, StatusCode::CallOrTransactionDoesNotExist, |r| r, now);
        };
        // The offer may be in one that still waits behind this one.
        let describes = !waiting.response.body().is_empty();
        let ours = leg.exchange.ours().filter(|_| describes);
        match (find(&request), ours) {
            (Found::Nothing, Some(Carrier::Provisional)) => {
                // The offer of the response has no answer: nothing can follow in this exchange.
                return self.say(id, &request, StatusCode::BadRequest, |r| r, now);
            }
            (Found::Unknown, _) => return self.unsupported_body(id, &request, now),
            (Found::Sdp(body), Some(Carrier::Provisional)) => {
                if leg.exchange.accept(&body).is_err() {
                    return self.say(id, &request, StatusCode::NotAcceptableHere, |r| r, now);
                }
                self.acknowledged(session, now);
                self.say(id, &request, StatusCode::Ok, |r| r, now);
                self.events.push_back(Event::Agreed { session });
            }
            (Found::Sdp(body), _) => {
                let had_answer = leg.exchange.theirs().is_some();
                leg.exchange.answered();
                if had_answer && leg.exchange.is_settled() {
                    self.events.push_back(Event::Agreed { session });
                }
                let Some(leg) = self.legs.get_mut(session.0) else { return };
                match leg.exchange.receive(Carrier::Prack, &body) {
                    Ok(()) => {
                        leg.owed = Some(id);
                        self.acknowledged(session, now);
                        let patience = self.config.patience;
                        self.set(session, Timer::AnswerMissing, patience, now);
                        self.events.push_back(Event::Offered { session, carrier: Carrier::Prack });
                        return;
                    }
                    Err(refusal) => {
                        self.acknowledged(session, now);
                        self.refuse_offer(id, &request, &refusal, now);
                    }
                }
            }
            (Found::Nothing, _) => {
                let is_agreed = leg.exchange.answer_text().is_some();
                leg.exchange.answered();
                self.acknowledged(session, now);
                self.say(id, &request, StatusCode::Ok, |r| r, now);
                if is_agreed {
                    self.events.push_back(Event::Agreed { session });
                }
            }
        }
        self.go_on(session, now);
    }

    pub(crate) fn acknowledged(&mut self, session: SessionId, _now: Now) {
        self.stop(session, Timer::ProvisionalAgain);
        self.stop(session, Timer::PrackMissing);
        if let Some(serving) = self.legs.get_mut(session.0).and_then(|leg| leg.serving.as_mut()) {
            serving.unacknowledged = None;
        }
    }

    /// The next provisional response, or the 2xx that waited for the last.
    pub(crate) fn go_on(&mut self, session: SessionId, now: Now) {
        let Some(leg) = self.legs.get_mut(session.0) else { return };
        let Some(serving) = leg.serving.as_mut().filter(|serving| serving.unacknowledged.is_none()) else { return };
        if !serving.queue.is_empty() {
            return self.next_provisional(session, now);
        }
        let is_open = leg.owed.is_some() || leg.exchange.ours().is_some();
        if let Some(response) = serving.success.take_if(|_| !is_open) {
            self.succeed(session, response, now);
        }
    }
}
