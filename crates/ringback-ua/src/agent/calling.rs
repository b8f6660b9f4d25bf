//! The INVITE of ours that makes sessions: progress, forks, 2xx and their ACK, CANCEL. `[RFC 3261, Section 13.2]`

use alloc::boxed::Box;
use alloc::vec::Vec;

use ringback_auth::DigestClient;
use ringback_base::Now;
use ringback_message::body::{MultipartBuilder, NewPart};
use ringback_message::header::{RSeq, Reason, SessionExpires};
use ringback_message::status::Class;
use ringback_message::{HeaderId, Method, Request, RequestBuilder, Response, StatusCode};

use super::leg::{Ack, Leg, Means, Phase, SessionIds, Timer};
use super::own_accounts::OwnAccountsId;
use super::sending::Purpose;
use super::{Outbound, UserAgent};
use crate::config::{FORKS_MAX, ForkPolicy};
use crate::dialog::{Dialog, DialogId};
use crate::event::{CommandError, EndReason, Event, Failure, InviteId, SessionId};
use crate::exchange::{Carrier, Exchange, Found, Media, find};
use crate::outcome::{Outcome, cause};
use crate::pursuit::{Pursued, Step};

/// An INVITE of ours and the dialogs that it has made.
#[derive(Debug)]
pub(crate) struct Invite {
    sending: u64,
    pub(crate) call_id: Box<str>,
    /// The accounts of this call alone, where it has any.
    pub(crate) accounts: Option<OwnAccountsId>,
    /// The offer, once for each dialog.
    offer: Exchange,
    pub(crate) legs: Vec<SessionId>,
    cancel: Cancel,
    session_id: SessionIds,
    /// The last CSeq in dialogs of it that are over: one that comes to life again goes on from there.
    pub(crate) cseq_used: u32,
    /// A provisional response has come: a CANCEL may go. `[RFC 3261, Section 9.1]`
    has_progressed: bool,
    has_answered: bool,
    /// A 2xx was acknowledged and ended at once, because there was no room for it.
    had_no_room: bool,
    told_over: Vec<Over>,
    pub(crate) pursued: Box<Pursued>,
}

/// An early dialog that is over before its INVITE.
#[derive(Debug)]
struct Over {
    tag: Box<[u8]>,
    /// We have given it up; else a 199 has ended it.
    is_lost: bool,
}

#[derive(Debug)]
enum Cancel {
    No,
    /// As soon as there is a provisional response.
    Wanted(Option<Reason>),
    Sent,
}

impl UserAgent {
    /// Calls somebody.
    ///
    /// # Errors
    /// Where the Request-URI is none, the offer can't be built, or there is no room.
    pub fn invite(&mut self, outbound: &Outbound, media: Media, now: Now) -> Result<InviteId, CommandError> {
        outbound.check()?;
        let mut offer = Exchange::default();
        let body = match media {
            Media::None => None,
            media => Some(offer.offer(Carrier::Invite, media)?),
        };
        let (call_id, mut builder) = self.identified_request(outbound, Method::Invite);
        if let Some(interval_secs) = self.config.session_timers.interval_secs() {
            builder = builder.header(SessionExpires::new(interval_secs));
        }
        let builder = with_parts(builder, body, &outbound.parts)?;
        let hash = self.random.next_u64();
        let session_id =
            if self.config.session_ids { SessionIds::new(&mut self.random) } else { SessionIds::default() };
        let digest = (!outbound.accounts.is_empty())
            .then(|| DigestClient::for_call(outbound.accounts.iter().cloned(), &self.digest, &mut self.random));
        let invite = Invite {
            sending: 0,
            call_id,
            accounts: None,
            offer,
            legs: Vec::new(),
            cancel: Cancel::No,
            session_id,
            cseq_used: 0,
            has_progressed: false,
            has_answered: false,
            had_no_room: false,
            told_over: Vec::new(),
            pursued: Box::new(Pursued::new(outbound.pursuit.clone(), builder.request_uri())),
        };
        let id = self.invites.insert(hash, |_| invite).map(InviteId).ok_or(CommandError::Full)?;
        let uri = next_uri(outbound);
        // Taken down before anything can come of it.
        let expected = self.sendings_made.wrapping_add(1);
        let accounts = digest.map(|digest| self.own_accounts.add(digest));
        if let Some(invite) = self.invites.get_mut(id.0) {
            (invite.sending, invite.accounts) = (expected, accounts);
        }
        self.send_by(outbound.hop, Purpose::Invite(id), builder, uri.as_bytes(), now);
        self.settle(now);
        Ok(id)
    }

    /// A request outside of a dialog, without Via and Contact. `[RFC 3261, Section 8.1.1]`
    pub(crate) fn outbound_request(&mut self, outbound: &Outbound, method: Method) -> RequestBuilder {
        self.identified_request(outbound, method).1
    }

    /// The same, with its Call-ID.
    fn identified_request(&mut self, outbound: &Outbound, method: Method) -> (Box<str>, RequestBuilder) {
        let (tag, call_id, cseq) = match &outbound.after {
            Some(before) => before.next(),
            None => (self.random.token(), self.random.token(), 1),
        };
        if let Some(before) = outbound.after.as_ref().filter(|before| before.is_moved) {
            self.digest.forget_call(before.call_id());
        }
        let uri = outbound.uri();
        let builder = RequestBuilder::new(method.clone(), uri)
            .from(&outbound.from_name, &outbound.from, Some(&tag))
            .to(&outbound.to_name, &outbound.to, None)
            .call_id(&call_id)
            .cseq(cseq, method.clone());
        let builder = outbound.routes.iter().fold(builder, |builder, route| builder.route(route));
        let builder = outbound.headers.iter().cloned().fold(builder, RequestBuilder::header);
        (call_id.into(), self.introduced(builder, &method))
    }

    /// Gives a call up. A CANCEL goes as soon as it may; what is answered before it takes effect is acknowledged and ended.
    /// `[RFC 3261, Section 9.1]`
    ///
    /// # Errors
    /// Where there is no such INVITE, or it is answered: then [`UserAgent::hang_up`] ends its sessions.
    pub fn cancel(&mut self, invite: InviteId, reason: Option<Reason>, now: Now) -> Result<(), CommandError> {
        let state = self.invites.get_mut(invite.0).ok_or(CommandError::Unknown)?;
        if state.has_answered {
            return Err(CommandError::State("the INVITE is answered: its sessions are hung up"));
        }
        if matches!(state.cancel, Cancel::No) {
            state.cancel = Cancel::Wanted(reason);
        }
        let is_sent = self.sendings.get(&state.sending).is_some_and(|sending| sending.client.is_some());
        if is_sent {
            self.send_cancel(invite, now);
        } else {
            let sending = state.sending;
            self.forget(sending);
            self.unanswered(invite, Failure::Cancelled, None);
        }
        self.settle(now);
        Ok(())
    }

    fn send_cancel(&mut self, id: InviteId, now: Now) {
        let Some(invite) = self.invites.get_mut(id.0) else { return };
        if !invite.has_progressed || !matches!(invite.cancel, Cancel::Wanted(_)) {
            return;
        }
        let Cancel::Wanted(reason) = core::mem::replace(&mut invite.cancel, Cancel::Sent) else { return };
        let Some(sending) = self.sendings.get(&invite.sending) else { return };
        let (Some(request), Some(client)) = (&sending.request, sending.client) else { return };
        let (Ok(cancel), Some(hop)) = (request.cancel(), self.transactions.client_hop(client)) else { return };
        let cancel = match reason {
            Some(reason) => with_reason(cancel, reason),
            None => cancel,
        };
        // After a 2xx there is nothing left to cancel: whatever else comes is hung up. `[RFC 3261, Section 9.1]`
        let is_open = self.transactions.client_state(client) == Some(ringback_transaction::State::Proceeding);
        // To the same place, by the same branch. `[RFC 3261, Section 9.1]`
        if is_open && let Ok(own) = self.transactions.request(cancel, hop, now) {
            self.transactions.abandon(own, now);
        }
        // "if there is no final response in 64*T1 seconds" [RFC 3261, Section 9.1]: its events still come here.
        self.cancelled_at(id, now);
    }

    fn cancelled_at(&mut self, id: InviteId, now: Now) {
        let Some(client) = self.invites.get(id.0).and_then(|invite| self.sendings.get(&invite.sending)?.client) else {
            return;
        };
        // From here on the layer tells of 2xx and of the end, which is all that is left to be done.
        self.transactions.abandon(client, now);
        let legs = self.invites.get_mut(id.0).map(|invite| core::mem::take(&mut invite.legs)).unwrap_or_default();
        for leg in legs {
            self.end(leg, EndReason::Elsewhere);
        }
        self.tell(invite_failed(id, Failure::Cancelled, None));
    }

    /// The INVITE is on its way to another hop, or with credentials: a CANCEL of it waits for a provisional response of its own, and
    /// the early dialogs of the attempt before are over with that. `[RFC 3261, Section 13.2.2.3]`
    pub(crate) fn sent_anew(&mut self, id: InviteId) {
        let Some(invite) = self.invites.get_mut(id.0) else { return };
        invite.has_progressed = false;
        invite.told_over.clear();
        invite.pursued.sent();
        self.end_early(id);
    }

    /// The early dialogs of an attempt are over with it. `[RFC 3261, Section 13.2.2.3]`
    pub(crate) fn end_early(&mut self, id: InviteId) {
        let legs = self.invites.get(id.0).map(|invite| invite.legs.clone()).unwrap_or_default();
        for leg in legs {
            if self.phase(leg) == Some(Phase::Early) {
                self.end(leg, EndReason::Elsewhere);
            }
        }
    }

    /// Whether one INVITE more may be sent for a call.
    pub(crate) fn may_send(&self, id: InviteId) -> bool {
        self.invites.get(id.0).is_none_or(|invite| invite.pursued.may_send())
    }

    /// What is done next about a call whose attempt has failed, if it may go on by itself.
    pub(crate) fn next_step(&mut self, id: InviteId, failure: &Failure, outcome: &Outcome) -> Option<Step> {
        let invite = self.invites.get_mut(id.0)?;
        if invite.has_answered || !matches!(invite.cancel, Cancel::No) {
            return None;
        }
        invite.pursued.next(outcome, failure.status().class() == Class::GlobalFailure)
    }

    /// The INVITE has arrived somewhere: CANCEL may go. True where it does. `[RFC 3261, Section 9.1]`
    pub(crate) fn heard(&mut self, id: InviteId, now: Now) -> bool {
        let Some(invite) = self.invites.get_mut(id.0) else { return false };
        invite.has_progressed = true;
        let is_unwanted = matches!(invite.cancel, Cancel::Wanted(_));
        if is_unwanted {
            self.send_cancel(id, now);
        }
        is_unwanted
    }

    /// A provisional response.
    pub(crate) fn progress(&mut self, id: InviteId, response: Response, now: Now) {
        if self.heard(id, now) {
            return;
        }
        let Some(invite) = self.invites.get_mut(id.0) else { return };
        if invite.has_answered && self.config.forks == ForkPolicy::First {
            return;
        }
        if response.to_tag().is_none() || response.status() == StatusCode::Trying {
            self.tell(Event::Progress { invite: id, session: None, response });
            return;
        }
        let Some(session) = self.early(id, &response) else { return };
        if response.status().as_u16() == 199 {
            let cause = cause(&response);
            self.over_early(session, false);
            self.tell(Event::Progress { invite: id, session: Some(session), response });
            return self.end(session, EndReason::EarlyTerminated(cause));
        }
        if response.has_token(HeaderId::Require, "100rel") {
            return self.reliable_came(Some(id), session, response, now);
        }
        self.tell(Event::Progress { invite: id, session: Some(session), response: response.clone() });
        self.early_media(session, &response);
    }

    /// The dialog of a provisional response; `None` where there is no room for one more.
    fn early(&mut self, id: InviteId, response: &Response) -> Option<SessionId> {
        if let Some(session) = self.session_of(DialogId::of_response(response)) {
            return (self.phase(session) == Some(Phase::Early)).then_some(session);
        }
        let invite = self.invites.get(id.0)?;
        // What comes late of a dialog that is over makes no other: a 199 has ended it, or a request in it that failed.
        // `[RFC 6228, Section 5]` `[RFC 3261, Section 12.2.1.2]`
        let is_over = invite.told_over.iter().any(|over| *over.tag == *response.to_tag().unwrap_or_default());
        if is_over || invite.legs.len().saturating_add(invite.told_over.len()) >= FORKS_MAX {
            return None;
        }
        self.leg_of(id, response)
    }

    /// Of this early dialog there is no more, whatever provisional responses come.
    pub(crate) fn over_early(&mut self, session: SessionId, is_lost: bool) {
        let Some(leg) = self.legs.get(session.0) else { return };
        if let Some(invite) = leg.invite.and_then(|invite| self.invites.get_mut(invite.0)) {
            invite.told_over.push(Over { tag: leg.dialog.id().remote_tag.into(), is_lost });
        }
    }

    fn leg_of(&mut self, id: InviteId, response: &Response) -> Option<SessionId> {
        let invite = self.invites.get(id.0)?;
        let request = self.sendings.get(&invite.sending)?.request.as_ref()?;
        let mut dialog = Dialog::of_client(request, response).ok()?;
        dialog.sent(invite.cseq_used.max(self.usages.cseq_used(dialog.id())));
        let exchange = invite.offer.fork().unwrap_or_default();
        let mut leg = Leg::new(dialog, true, exchange);
        leg.invite = Some(id);
        leg.takes_update = response.has_token(HeaderId::Allow, "UPDATE");
        leg.session_id = invite.session_id;
        leg.session_id.learn(response);
        let accounts = invite.accounts;
        let session = self.insert(leg)?;
        self.invites.get_mut(id.0)?.legs.push(session);
        let accounts = self.own_accounts.hold(accounts);
        self.legs.get_mut(session.0)?.accounts = accounts;
        Some(session)
    }

    /// The first description in any response is the answer, and those behind it are passed over. `[RFC 3261, Section 13.2.1]`
    fn early_media(&mut self, session: SessionId, response: &Response) {
        let Some(leg) = self.legs.get_mut(session.0) else { return };
        leg.takes_update |= response.has_token(HeaderId::Allow, "UPDATE");
        if let (Found::Sdp(body), Some(Carrier::Invite)) = (find(response), leg.exchange.ours()) {
            // An answer that is none may be followed by a better one in the 2xx.
            if leg.exchange.accept(&body).is_ok() {
                self.events.push_back(Event::Agreed { session });
            }
        }
    }

    /// A reliable provisional response: in its order, once, and acknowledged. `[RFC 3262, Section 4]`
    ///
    /// `invite` is `None` for one to a re-INVITE.
    pub(crate) fn reliable_came(&mut self, invite: Option<InviteId>, session: SessionId, response: Response, now: Now) {
        let Some(leg) = self.legs.get_mut(session.0) else { return };
        let Ok(Some(RSeq(rseq))) = response.get::<RSeq>() else { return };
        match leg.rseq_seen {
            // One that came before, or one whose forerunner is missing: it will come again.
            Some(seen) if seen.checked_add(1) != Some(rseq) => return,
            _ => leg.rseq_seen = Some(rseq),
        }
        let wants_offer = self.wants_offer(session);
        if let Some(invite) = invite {
            self.tell(Event::Progress { invite, session: Some(session), response: response.clone() });
        }
        let Some(leg) = self.legs.get_mut(session.0) else { return };
        leg.takes_update |= response.has_token(HeaderId::Allow, "UPDATE");
        let (cseq, patience) = (response.cseq(), self.config.patience);
        if let Found::Sdp(body) = find(&response) {
            if leg.exchange.ours() == Some(Carrier::Invite) {
                if leg.exchange.accept(&body).is_ok() {
                    self.events.push_back(Event::Agreed { session });
                }
            } else if wants_offer && leg.exchange.receive(Carrier::Provisional, &body).is_ok() {
                // The INVITE had no offer: this is one, and the PRACK answers it. `[RFC 3262, Section 5]`
                self.set(session, Timer::AnswerMissing, patience, now);
                self.prack_later(session, rseq, cseq);
                self.events.push_back(Event::Offered { session, carrier: Carrier::Provisional });
                return;
            }
        }
        if self.config.manual_pracks {
            self.set(session, Timer::AnswerMissing, patience, now);
            return self.prack_later(session, rseq, cseq);
        }
        self.send_prack(session, rseq, cseq, None, now);
    }

    /// The INVITE was refused. Its early dialogs are over with it. `[RFC 3261, Section 13.2.2.3]`
    pub(crate) fn unanswered(&mut self, id: InviteId, failure: Failure, request: Option<&Request>) {
        let Some(invite) = self.invites.remove(id.0) else { return };
        self.own_accounts.release(invite.accounts);
        for leg in invite.legs {
            if self.phase(leg) == Some(Phase::Early) {
                self.end(leg, EndReason::Elsewhere);
            }
        }
        if !matches!(invite.cancel, Cancel::Sent) {
            self.tell(invite_failed(id, failure, request));
        }
        self.tell(Event::InviteEnded { invite: id });
    }

    pub(crate) fn invite_session_id(&self, id: InviteId) -> Option<SessionIds> {
        self.invites.get(id.0).map(|invite| invite.session_id)
    }

    /// No further 2xx can come: what is early still will never be more. `[RFC 3261, Section 13.2.2.4]`
    pub(crate) fn invite_over(&mut self, id: InviteId) {
        // A 2xx came, and none that could be used.
        if let Some(invite) = self.invites.get(id.0).filter(|invite| !invite.has_answered) {
            let failure = if invite.had_no_room { Failure::Full } else { Failure::Timeout(None) };
            return self.unanswered(id, failure, None);
        }
        let Some(invite) = self.invites.remove(id.0) else { return };
        self.own_accounts.release(invite.accounts);
        for leg in invite.legs {
            match self.legs.get_mut(leg.0) {
                Some(leg_state) if leg_state.phase == Phase::Early => self.end(leg, EndReason::Elsewhere),
                Some(leg_state) => leg_state.invite = None,
                None => {}
            }
        }
        self.tell(Event::InviteEnded { invite: id });
    }

    /// A 2xx to an INVITE of ours, the first of its dialog or one more of the same. `[RFC 3261, Section 13.2.2.4]`
    pub(crate) fn success_came(&mut self, id: InviteId, response: Response, now: Now) {
        if self.has_lost_its_tag(id, &response) {
            return;
        }
        let known = self.session_of(DialogId::of_response(&response));
        if let Some(session) = known.filter(|session| self.phase(*session) != Some(Phase::Early)) {
            return self.acknowledge_again(session, response.cseq());
        }
        // What was agreed on in one that is lost is forgotten: it can't be taken up again.
        let is_lost = known.is_none() && self.is_lost(id, &response);
        let Some(session) = known.or_else(|| if is_lost { None } else { self.leg_of(id, &response) }) else {
            let failure = if is_lost { Failure::Timeout(None) } else { Failure::Full };
            return self.unwelcome(id, &response, failure, now);
        };
        let Some(invite) = self.invites.get_mut(id.0) else { return };
        let is_unwanted =
            !matches!(invite.cancel, Cancel::No) || (invite.has_answered && self.config.forks == ForkPolicy::First);
        invite.has_answered = true;
        if matches!(invite.cancel, Cancel::Wanted(_)) {
            // Given up before a CANCEL could go.
            invite.cancel = Cancel::Sent;
            self.events.push_back(invite_failed(id, Failure::Cancelled, None));
        }
        let client = self.sendings.get(&invite.sending).and_then(|sending| sending.client);
        let credentials = self.credentials_of(id);
        let timers = self.config.session_timers;
        let Some(leg) = self.legs.get_mut(session.0) else { return };
        // One without what a dialog needs is acknowledged as well as it can be.
        _ = leg.dialog.confirm_by(&response);
        leg.phase = Phase::Confirmed;
        leg.takes_update |= response.has_token(HeaderId::Allow, "UPDATE");
        leg.ack = Some(Box::new(Ack::new(response.cseq(), client, credentials)));
        leg.timer = timers.agreed(&response);
        if is_unwanted {
            self.send_ack(session, None, now);
            return self.hang_up_for(session, EndReason::Elsewhere, now);
        }
        if self.config.forks == ForkPolicy::First {
            self.end_others(id, session);
        }
        self.tell(Event::Answered { invite: id, session, response: response.clone() });
        self.start_session_timer(session, now);
        self.described(session, &response, now);
    }

    /// A 2xx for which there is no room, or that is no use: acknowledged and ended all the same. `[RFC 3261, Section 13.2.2.4]`
    fn unwelcome(&mut self, id: InviteId, response: &Response, failure: Failure, now: Now) {
        let Some(invite) = self.invites.get_mut(id.0) else { return };
        // Another phone that rings may still be answered, or wants to be: only where none does has the call failed by this.
        let is_last = invite.legs.is_empty() && self.config.forks == ForkPolicy::First;
        invite.had_no_room |= failure == Failure::Full;
        let is_first = is_last && !core::mem::replace(&mut invite.has_answered, true);
        let is_told = matches!(invite.cancel, Cancel::Sent);
        let (used, sending) = (invite.cseq_used, self.sendings.get(&invite.sending));
        let (Some(client), Some(request)) =
            (sending.and_then(|sending| sending.client), sending.and_then(|sending| sending.request.as_ref()))
        else {
            return;
        };
        if let Ok(mut dialog) = Dialog::of_client(request, response) {
            dialog.sent(used.max(self.usages.cseq_used(dialog.id())));
            let credentials = credentials(request);
            let bye = Purpose::StrayBye(Some(id));
            self.dismiss(dialog, Ack::new(response.cseq(), Some(client), credentials), Some(bye), now);
        }
        if is_first && !is_told {
            self.events.push_back(invite_failed(id, failure, None));
        }
    }

    /// A 2xx without a tag from whom gave one before: it was damaged, and comes again. Who is of RFC 2543 and has none is found at a
    /// Contact of their own. `[RFC 3261, Section 12.1.2]`
    fn has_lost_its_tag(&self, id: InviteId, response: &Response) -> bool {
        let Some(invite) = self.invites.get(id.0).filter(|_| response.to_tag().is_none()) else { return false };
        let mut legs = invite.legs.iter().filter_map(|leg| self.legs.get(leg.0));
        legs.any(|leg| !leg.dialog.id().remote_tag.is_empty() && leg.dialog.has_target_of(response))
    }

    fn is_lost(&self, id: InviteId, response: &Response) -> bool {
        let tag = response.to_tag().unwrap_or_default();
        self.invites
            .get(id.0)
            .is_some_and(|invite| invite.told_over.iter().any(|over| over.is_lost && *over.tag == *tag))
    }

    /// What a 2xx to an INVITE says of media, and the ACK that follows.
    pub(crate) fn described(&mut self, session: SessionId, response: &Response, now: Now) {
        let Some(leg) = self.legs.get_mut(session.0) else { return };
        let said = match (find(response), leg.exchange.ours()) {
            (Found::Sdp(body), Some(Carrier::Invite)) => leg.exchange.accept(&body).map(|()| true),
            (_, Some(Carrier::Invite)) => Err("the 2xx has no answer".into()),
            (Found::Sdp(body), None) if leg.exchange.theirs().is_none() && self.wants_offer(session) => {
                return self.late_offer(session, &body, now);
            }
            _ => Ok(false),
        };
        self.send_ack(session, None, now);
        match said {
            Ok(true) => self.events.push_back(Event::Agreed { session }),
            Ok(false) => {}
            // Once an answer is no answer, nothing can be agreed on in this exchange: the session is ended.
            Err(why) => self.hang_up_for(session, EndReason::BadAnswer(why), now),
        }
    }

    /// Whether our INVITE that is being answered had no offer, so that its 2xx has one.
    fn wants_offer(&self, session: SessionId) -> bool {
        let Some(leg) = self.legs.get(session.0) else { return false };
        match &leg.asking {
            Some(asking) if asking.means == Means::Reinvite => asking.wanted.is_none(),
            _ => leg.exchange.is_blank(),
        }
    }

    /// The 2xx offers: the ACK waits for the answer, and the application for nothing else. `[RFC 3261, Section 13.2.2.4]`
    fn late_offer(&mut self, session: SessionId, body: &[u8], now: Now) {
        let Some(leg) = self.legs.get_mut(session.0) else { return };
        match leg.exchange.receive(Carrier::Success, body) {
            Ok(()) => {
                let patience = self.config.patience;
                self.set(session, Timer::AnswerMissing, patience, now);
                self.events.push_back(Event::Offered { session, carrier: Carrier::Success });
            }
            Err(refusal) => {
                self.send_ack(session, None, now);
                let why = alloc::format!("{refusal}").into();
                self.hang_up_for(session, EndReason::BadAnswer(why), now);
            }
        }
    }

    fn credentials_of(&self, id: InviteId) -> Vec<(HeaderId, Box<[u8]>)> {
        let sending = self.invites.get(id.0).and_then(|invite| self.sendings.get(&invite.sending));
        sending.and_then(|sending| sending.request.as_ref()).map(credentials).unwrap_or_default()
    }

    /// The one that answered first has the call. `[RFC 3261, Section 13.2.2.4]`
    fn end_others(&mut self, id: InviteId, answered: SessionId) {
        let legs = self.invites.get(id.0).map(|invite| invite.legs.clone()).unwrap_or_default();
        for leg in legs {
            if leg != answered && self.phase(leg) == Some(Phase::Early) {
                self.end(leg, EndReason::Elsewhere);
            }
        }
    }
}

fn invite_failed(invite: InviteId, failure: Failure, request: Option<&Request>) -> Event {
    let outcome = Outcome::of_failure(request, &failure);
    Event::InviteFailed { invite, failure, outcome }
}

/// A body of the offer and what stands beside it. `[RFC 5621, Section 3.1]`
fn with_parts(
    builder: RequestBuilder,
    offer: Option<Vec<u8>>,
    parts: &[NewPart],
) -> Result<RequestBuilder, CommandError> {
    if parts.is_empty() {
        return Ok(match offer {
            Some(offer) => builder.content_type("application/sdp").body(offer),
            None => builder,
        });
    }
    let offer = offer.map(|offer| NewPart::new("application/sdp", offer));
    let all = offer.into_iter().chain(parts.iter().cloned());
    let body = all.fold(MultipartBuilder::mixed(), MultipartBuilder::part).build()?;
    Ok(builder.raw(HeaderId::ContentType, body.content_type).body(body.bytes))
}

/// Where a request outside of a dialog is sent: to the first route, or to its URI.
pub(crate) fn next_uri(outbound: &Outbound) -> &str {
    match outbound.routes.first() {
        Some(route) => route,
        None => outbound.uri(),
    }
}

/// What proved us in a request.
pub(crate) fn credentials(request: &Request) -> Vec<(HeaderId, Box<[u8]>)> {
    let is_it = |id| matches!(id, HeaderId::Authorization | HeaderId::ProxyAuthorization);
    let lines = request.headers().filter(|header| is_it(header.id()));
    lines.map(|header| (header.id(), header.value().into())).collect()
}

fn with_reason(cancel: Request, reason: Reason) -> Request {
    use ringback_message::Edit;
    use ringback_message::header::TypedHeader;
    let Ok(value) = TypedHeader::from(reason).value() else { return cancel };
    let edited = Edit::new(&cancel).append(HeaderId::Reason, &value).finish();
    edited.ok().and_then(|message| Request::check(message).ok()).unwrap_or(cancel)
}
