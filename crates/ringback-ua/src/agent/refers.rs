//! REFER, from both sides: transfers, and hearing how they go. RFC 3515

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use ringback_base::Now;
use ringback_message::header::TargetDialog;
use ringback_message::{HeaderId, Method, Request, Response, StatusCode, Uri};
use ringback_transaction::ServerId;

use super::usages::{Held, Task, Usage, full};
use super::{Outbound, UserAgent};
use crate::dialog::{Dialog, DialogId};
use crate::event::{CommandError, Event, InviteId, ReferId, ReferTold, RefereeId, SessionId};
use crate::event_type::event_of;
use crate::exchange::Media;
use crate::notifier::{Admission, NewSubscription};
use crate::refer::{self, ReferConfig, ReferSubscription, Referee, RefereeConfig, Referral, Referrer};
use crate::refusal::Refusal;
use crate::subscriber::{Fork, NotifyVerdict, SubscribeOutcome, SubscriberDue};

impl UserAgent {
    /// Asks the other side of a call to contact somebody, in the dialog of the call: a blind transfer. `refer_to` is a URI in angle
    /// brackets. What comes of it is told by [`Event::Refer`]; the call stays until it is hung up.
    ///
    /// # Errors
    /// Where there is no such call, or no room.
    pub fn refer(
        &mut self,
        session: SessionId,
        refer_to: &str,
        subscription: ReferSubscription,
        now: Now,
    ) -> Result<ReferId, CommandError> {
        let leg = self.legs.get_mut(session.0).ok_or(CommandError::Unknown)?;
        let referred_by = String::from_utf8_lossy(leg.dialog.local()).into_owned();
        let mut config = ReferConfig::new(crate::Origin::new("sip:a@invalid", "sip:b@invalid", "", ""), refer_to);
        config.referred_by = Some(referred_by.into());
        config.subscription = subscription;
        config.timer_n = self.config.transactions.timers.t1_64();
        let mut referrer = Referrer::new(config);
        let request = referrer.refer_in(&mut leg.dialog);
        let uri = leg.dialog.next_uri();
        let held = Held::new(referrer, Vec::new(), Some(session));
        let id = self.hold_referrer(held)?;
        let request = self.introduced(request, &Method::Refer);
        self.send_for(Task::Refer(id), request, &uri, now);
        self.usages.tend(Usage::Referrer(id));
        self.settle(now);
        Ok(id)
    }

    /// Asks the other side of a call to take the place of ours in another call: an attended transfer. `[RFC 3891, Section 4]`
    ///
    /// # Errors
    /// Where there is no such call, or no room.
    pub fn transfer(&mut self, session: SessionId, other: SessionId, now: Now) -> Result<ReferId, CommandError> {
        let dialog = self.dialog(other).filter(|dialog| dialog.is_confirmed()).ok_or(CommandError::Unknown)?;
        let malformed = |error| CommandError::Dialog(crate::DialogError::Malformed(error));
        let refer_to = refer::refer_to_replacing(dialog).map_err(malformed)?;
        self.refer(session, &refer_to, ReferSubscription::Implicit, now)
    }

    /// Asks somebody to contact somebody else, outside of any dialog; `about` is the call with them that it is about, if there is one.
    /// `[RFC 7647, Section 4]`
    ///
    /// # Errors
    /// Where there is no such call, or no room, or the Request-URI is none.
    pub fn refer_outside(
        &mut self,
        outbound: &Outbound,
        refer_to: &str,
        about: Option<SessionId>,
        subscription: ReferSubscription,
        now: Now,
    ) -> Result<ReferId, CommandError> {
        let target_dialog = match about {
            Some(session) => {
                let id = self.dialog(session).ok_or(CommandError::Unknown)?.id();
                Some(TargetDialog::new(id.call_id, id.local_tag, id.remote_tag))
            }
            None => None,
        };
        outbound.check()?;
        let origin = self.origin(outbound);
        let mut config = ReferConfig::new(origin, refer_to);
        config.referred_by = Some(config.origin.from.clone());
        config.subscription = subscription;
        config.target_dialog = target_dialog;
        config.timer_n = self.config.transactions.timers.t1_64();
        let held = Held::new(Referrer::new(config), outbound.headers.clone(), None);
        let id = self.hold_referrer(held)?;
        let Some(held) = self.usages.referrers.get_mut(id.0) else { return Err(CommandError::Unknown) };
        let request = held.machine.refer();
        let request = held.dress(request);
        let uri = UserAgent::origin_uri(&held.machine.config().origin);
        let request = self.introduced(request, &Method::Refer);
        self.send_for(Task::Refer(id), request, &uri, now);
        self.usages.tend(Usage::Referrer(id));
        self.settle(now);
        Ok(id)
    }

    /// Whether there is more to be told of a REFER of ours.
    #[must_use]
    pub fn is_referring(&self, refer: ReferId) -> bool {
        self.usages.referrers.get(refer.0).is_some()
    }

    /// Does what a REFER asks for that [`Event::ReferWanted`] told of: accepts it, and calls whom it names, from this URI of ours. How
    /// that goes is told to the referrer. One that is not to be followed is refused by [`UserAgent::respond`], with 603 as a rule.
    ///
    /// # Errors
    /// Where the request is gone or answered, asks for no call, or there is no room.
    pub fn follow(
        &mut self,
        id: ServerId,
        from: &str,
        media: Media,
        now: Now,
    ) -> Result<(RefereeId, InviteId), CommandError> {
        let request = self.transactions.server_request(id).ok_or(CommandError::Unknown)?;
        let referral = Referral::of(request).map_err(|_| CommandError::State("a REFER that can be followed"))?;
        if referral.method != Method::Invite {
            return Err(CommandError::State("a REFER that asks for a call; others are accepted, and done otherwise"));
        }
        let referee = self.accept_refer(id, now)?;
        let mut outbound = Outbound::new(from, &referral.uri);
        outbound.headers = referral.headers();
        outbound.parts = referral.token().into_iter().collect();
        match self.invite(&outbound, media, now) {
            Ok(invite) => {
                if let Some(held) = self.usages.referees.get_mut(referee.0) {
                    held.invite = Some(invite);
                }
                // It may have failed before anybody listened.
                if self.invites.get(invite.0).is_none() {
                    self.refer_went(referee, StatusCode::ServiceUnavailable, now);
                }
                self.settle(now);
                Ok((referee, invite))
            }
            Err(error) => {
                self.refer_went(referee, StatusCode::ServiceUnavailable, now);
                self.settle(now);
                Err(error)
            }
        }
    }

    /// Accepts a REFER, and leaves what it asks for to the application, which tells by [`UserAgent::refer_progress`] how that goes.
    ///
    /// # Errors
    /// Where the request is gone or answered, or there is no room.
    pub fn accept_refer(&mut self, id: ServerId, now: Now) -> Result<RefereeId, CommandError> {
        let request = self.transactions.server_request(id).cloned().ok_or(CommandError::Unknown)?;
        let hop = self.transactions.server_reply_hop(id).ok_or(CommandError::Unknown)?;
        let referral = Referral::of(&request).map_err(|_| CommandError::State("a REFER that can be followed"))?;
        let session = DialogId::of_request(&request).and_then(|dialog| self.session_of(dialog));
        let (tag, token) = (self.random.token(), self.random.token());
        let events_at = alloc::format!("sip:{token}@{}", self.host(&hop));
        let is_first = session.is_none_or(|session| self.usages.is_first_refer(session));
        let config =
            RefereeConfig { retention: self.config.transactions.timers.t1_64().doubled(), ..RefereeConfig::default() };
        let referee = match Referee::accept(&request, &referral, &tag, &events_at, is_first, config, now) {
            Ok(referee) => referee,
            Err(refusal) => {
                self.refuse_request(id, &request, refusal, now);
                return Err(CommandError::State("a REFER that makes a dialog"));
            }
        };
        let is_secure = crate::dialog::is_sips(request.request_uri_text());
        let response = referee.response(&request).raw(HeaderId::Contact, self.contact_for(&request, &hop, is_secure));
        let response = if request.to_tag().is_none() { response.to_tag(&tag) } else { response };
        let response = response.build()?;
        let hash = self.random.next_u64();
        let held = Held::new(referee, Vec::new(), session);
        let place = RefereeId(full(self.usages.referees.insert(hash, |_| held))?);
        self.transactions.respond(id, response, now).map_err(|_| CommandError::Unknown)?;
        self.tell_referrer(place, now);
        self.settle(now);
        Ok(place)
    }

    /// How it goes with what a REFER asked for; a final code is the outcome.
    pub fn refer_progress(&mut self, id: RefereeId, status: StatusCode, now: Now) {
        self.refer_went(id, status, now);
        self.settle(now);
    }

    /// The user won't have it after all.
    pub fn deny_refer(&mut self, id: RefereeId, now: Now) {
        if let Some(held) = self.usages.referees.get_mut(id.0) {
            held.machine.deny(now);
        }
        self.tell_watchers(id, now);
        self.tell_referrer(id, now);
        self.settle(now);
    }

    fn hold_referrer(&mut self, held: Held<Referrer>) -> Result<ReferId, CommandError> {
        let hash = self.random.next_u64();
        Ok(ReferId(full(self.usages.referrers.insert(hash, |_| held))?))
    }

    /// Host and port of ours where this hop leads from.
    fn host(&self, hop: &ringback_base::Hop) -> String {
        let contact = self.contact(hop, false);
        let bare = contact.trim_start_matches("<sip:").trim_end_matches('>');
        String::from(bare.rsplit('@').next().unwrap_or(bare))
    }

    pub(crate) fn refer_sent(&mut self, id: ReferId, request: &Request, now: Now) {
        if let Some(held) = self.usages.referrers.get_mut(id.0) {
            held.machine.sent(request, now);
        }
        self.usages.tend(Usage::Referrer(id));
    }

    pub(crate) fn refer_done(&mut self, id: ReferId, response: Option<&Response>, _now: Now) {
        let Some(held) = self.usages.referrers.get_mut(id.0) else { return };
        let outcome = held.machine.handle_outcome(response);
        self.events.push_back(Event::Refer { refer: id, told: ReferTold::Answered(outcome) });
        self.usages.tend(Usage::Referrer(id));
    }

    pub(crate) fn refer_subscribe_done(&mut self, id: ReferId, fork: Fork, response: Option<&Response>, now: Now) {
        let Some(held) = self.usages.referrers.get_mut(id.0) else { return };
        match held.machine.handle_subscribe_outcome(fork, response, now) {
            SubscribeOutcome::Ended(end) => {
                self.events.push_back(Event::Refer { refer: id, told: ReferTold::Over(end) });
            }
            SubscribeOutcome::Again(request) => self.send_refer_subscribe(id, fork, request, now),
            SubscribeOutcome::Wait => {}
        }
        self.usages.tend(Usage::Referrer(id));
    }

    fn send_refer_subscribe(&mut self, id: ReferId, fork: Fork, request: ringback_message::RequestBuilder, now: Now) {
        let held = self.usages.referrers.get(id.0);
        let subscription = held.and_then(|held| held.machine.subscriptions().subscription(fork));
        let Some(uri) = subscription.and_then(|subscription| subscription.dialog()).map(Dialog::next_uri) else {
            return;
        };
        self.send_for(Task::ReferSubscribe(id, fork), request, &uri, now);
    }

    pub(crate) fn referrer_due(&mut self, id: ReferId, now: Now) {
        while let Some(due) = self.usages.referrers.get_mut(id.0).and_then(|held| held.machine.handle_timeout(now)) {
            match due {
                SubscriberDue::Refresh { fork, request } => self.send_refer_subscribe(id, fork, request, now),
                SubscriberDue::Ended { end, .. } => {
                    self.events.push_back(Event::Refer { refer: id, told: ReferTold::Over(end) });
                }
                // What a REFER has made is not asked for again.
                SubscriberDue::Anew => {}
            }
        }
    }

    /// A NOTIFY that is of no SUBSCRIBE of ours.
    pub(crate) fn refer_notified(&mut self, request: &Request, now: Now) -> NotifyVerdict {
        let all: Vec<ReferId> = self.usages.referrers.iter().map(|(id, _)| ReferId(id)).collect();
        for refer in all {
            let Some(held) = self.usages.referrers.get_mut(refer.0) else { continue };
            let (verdict, progress) = held.machine.handle_notify(request, now);
            if verdict == NotifyVerdict::Foreign {
                continue;
            }
            if let Some(progress) = progress {
                self.events.push_back(Event::Refer { refer, told: ReferTold::Progress(progress) });
            }
            self.usages.tend(Usage::Referrer(refer));
            return verdict;
        }
        NotifyVerdict::Foreign
    }

    /// A REFER: what can be refused without asking anybody is.
    pub(crate) fn refer_came(&mut self, id: ServerId, session: Option<SessionId>, request: &Request, now: Now) {
        if request.to_tag().is_some() && session.is_none() {
            let status = StatusCode::CallOrTransactionDoesNotExist;
            return self.say(id, request, status, |r| r, now);
        }
        if self.usages.referees.is_full() {
            return self.say(id, request, StatusCode::ServiceUnavailable, |r| r, now);
        }
        match Referral::of(request) {
            Ok(referral) => {
                // "remote-tag" is the tag of the side that gets the request. [RFC 4538, Section 7]
                let about = referral.target_dialog.as_ref().and_then(|target| {
                    let (local_tag, remote_tag) = (target.remote_tag()?, target.local_tag()?);
                    self.session_of(DialogId { call_id: &target.call_id, local_tag, remote_tag })
                });
                let (session, request, referral) = (session.or(about), request.clone(), Box::new(referral));
                self.events.push_back(Event::ReferWanted { id, session, request, referral });
            }
            Err(refusal) => self.refuse_request(id, request, refusal, now),
        }
    }

    /// A response to what a REFER asked for.
    pub(crate) fn refer_went(&mut self, id: RefereeId, status: StatusCode, now: Now) {
        if let Some(held) = self.usages.referees.get_mut(id.0) {
            held.machine.progress(status, None, now);
        }
        self.tell_watchers(id, now);
        self.tell_referrer(id, now);
    }

    /// Sends the NOTIFY that is due, in the dialog of the subscription, or that of the call.
    pub(crate) fn tell_referrer(&mut self, id: RefereeId, now: Now) {
        let own = self.usages.referees.get(id.0).and_then(|held| held.machine.dialog());
        let used = own.map(Dialog::id).map(|own| {
            // A late 2xx may have made a session of the same dialog anew, and another REFER has it too.
            let of_session =
                self.session_of(own).and_then(|session| self.dialog(session)).map_or(0, Dialog::local_cseq);
            (self.session_of(own), of_session.max(self.usages.cseq_used(own)))
        });
        let Some(held) = self.usages.referees.get_mut(id.0) else { return };
        if let Some((_, cseq)) = used {
            held.machine.sent(cseq);
        }
        if let Some(notification) = held.machine.next(now) {
            let leg = held.session.and_then(|session| self.legs.get_mut(session.0));
            let shared = leg.map(|leg| &mut leg.dialog);
            let uri = held.machine.dialog().or(shared.as_deref()).map(Dialog::next_uri);
            match (uri, held.machine.request(notification, shared)) {
                (Some(uri), Some(request)) => {
                    let taken = held.machine.dialog().map(Dialog::local_cseq);
                    let again = used.and_then(|(session, _)| self.legs.get_mut(session?.0));
                    if let (Some(leg), Some(taken)) = (again, taken) {
                        leg.dialog.sent(taken);
                    }
                    self.usages.share_cseq(id);
                    self.send_for(Task::ReferNotify(id), request, &uri, now);
                }
                // The call is gone, and its dialog with it.
                _ => held.machine.handle_outcome(None),
            }
        }
        self.usages.tend(Usage::Referee(id));
    }

    /// Those who have subscribed to the outcome by the URI that they were given. `[RFC 7614, Section 4.7]`
    fn tell_watchers(&mut self, id: RefereeId, now: Now) {
        let Some(held) = self.usages.referees.get(id.0) else { return };
        let (state, is_final) = (held.machine.state().clone(), held.machine.status().is_final());
        for watcher in held.watchers.clone() {
            let notify = match is_final {
                true => self.usages.notifier.conclude(watcher, state.clone(), now),
                false => self.usages.notifier.change(watcher, state.clone(), now),
            };
            self.send_notify(watcher, notify, now);
        }
    }

    pub(crate) fn refer_notify_done(&mut self, id: RefereeId, response: Option<&Response>, now: Now) {
        if let Some(held) = self.usages.referees.get_mut(id.0) {
            held.machine.handle_outcome(response);
        }
        self.tell_referrer(id, now);
    }

    /// A SUBSCRIBE in the dialog of a call: only for what a REFER there has made.
    pub(crate) fn subscribe_came_within(&mut self, session: SessionId, id: ServerId, request: &Request, now: Now) {
        let all = self.usages.referees.iter().filter(|(_, held)| held.session == Some(session));
        let all: Vec<RefereeId> = all.map(|(id, _)| RefereeId(id)).collect();
        for referee in all {
            if self.referee_renewed(referee, id, request, now) {
                return;
            }
        }
        let refusal = Refusal::new(StatusCode::Forbidden).because("Dialog Sharing Not Supported");
        self.refuse_request(id, request, refusal, now);
    }

    /// A SUBSCRIBE for what a REFER has made: in its dialog, or at the URI that was given out. True where it is one.
    pub(crate) fn refer_subscribe_came(&mut self, id: ServerId, request: &Request, now: Now) -> bool {
        if let Some(dialog) = DialogId::of_request(request) {
            let all = self.usages.referees.iter();
            let is_it = |held: &Held<Referee>| held.machine.dialog().is_some_and(|own| own.id() == dialog);
            let place = all.filter(|(_, held)| is_it(held)).map(|(id, _)| RefereeId(id)).next();
            return place.is_some_and(|referee| self.referee_renewed(referee, id, request, now));
        }
        let Ok(event) = event_of(request) else { return false };
        let Some(uri) = user_of(request.request_uri_text()) else { return false };
        let is_it = |held: &Held<Referee>| held.machine.events_at().and_then(|at| user_of(at.as_bytes())) == Some(uri);
        let place = self.usages.referees.iter().find(|(_, held)| is_it(held)).map(|(id, _)| RefereeId(id));
        let Some(referee) = place.filter(|_| event.package == refer::PACKAGE.as_bytes()) else { return false };
        let event = ringback_message::header::ToOwnedText::to_owned_text(&event);
        self.watch(referee, id, request, event, now);
        true
    }

    fn referee_renewed(&mut self, referee: RefereeId, id: ServerId, request: &Request, now: Now) -> bool {
        let Some(held) = self.usages.referees.get_mut(referee.0) else { return false };
        match held.machine.handle_subscribe(request, now) {
            None => return false,
            Some(Ok(answer)) => self.answer_subscribe(id, request, answer, None, now),
            Some(Err(refusal)) => self.refuse_request(id, request, refusal, now),
        }
        self.tell_referrer(referee, now);
        true
    }

    /// Grants a subscription to the outcome: whoever knows the URI may have it. `[RFC 7614, Section 4.5]`
    fn watch(
        &mut self,
        referee: RefereeId,
        id: ServerId,
        request: &Request,
        event: ringback_message::header::Event,
        now: Now,
    ) {
        let Some(held) = self.usages.referees.get(referee.0) else { return };
        let state = held.machine.state().clone();
        let is_final = held.machine.status().is_final();
        let admission = if is_final { Admission::Last(state) } else { Admission::Granted(state) };
        let asked_secs = request.number(HeaderId::Expires).ok().flatten();
        let longest_secs = RefereeConfig::default().expires_secs;
        let granted_secs = asked_secs.unwrap_or(longest_secs).min(longest_secs);
        let new = NewSubscription { event, granted_secs, condition: None };
        let tag = self.random.token();
        match self.usages.notifier.accept(request, new, &tag, admission, now) {
            Ok((subscription, answer, notify)) => {
                if let Some(held) = self.usages.referees.get_mut(referee.0) {
                    held.watchers.push(subscription);
                }
                self.answer_subscribe(id, request, answer, Some(&tag), now);
                self.send_notify(subscription, notify, now);
            }
            Err(refusal) => self.refuse_request(id, request, refusal, now),
        }
    }
}

fn user_of(uri: &[u8]) -> Option<&[u8]> {
    match Uri::parse(uri, HeaderId::Other, 0).ok()? {
        Uri::Sip(uri) => uri.user,
        _ => None,
    }
}
