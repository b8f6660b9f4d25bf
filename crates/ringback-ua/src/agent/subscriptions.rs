//! Subscriptions of ours, and theirs. RFC 6665

use alloc::vec::Vec;

use ringback_base::Now;
use ringback_message::header;
use ringback_message::{HeaderId, Method, Request, RequestBuilder, Response, StatusCode};
use ringback_transaction::ServerId;

use super::usages::{Held, Task, Usage, full, with_refer};
use super::{Outbound, UserAgent};
use crate::event::{CommandError, Event, SubscriberId, SubscriberTold};
use crate::notifier::{
    Admission, EventState, NotifierConfig, Package, SubscribeAnswer, SubscribeVerdict, SubscriptionId,
    TerminationReason,
};
use crate::refer;
use crate::refusal::Refusal;
use crate::subscriber::{
    Condition, Fork, NotifyVerdict, SubscribeOutcome, Subscriber, SubscriberConfig, SubscriberDue,
};

impl UserAgent {
    /// What others can subscribe to here. Subscriptions that there are stay.
    ///
    /// # Errors
    /// Where there are subscriptions already.
    pub fn set_packages(&mut self, packages: Vec<Package>) -> Result<(), CommandError> {
        if !self.usages.notifier.is_empty() {
            return Err(CommandError::State("there are no subscriptions yet"));
        }
        let hash = self.random.hasher();
        self.usages.notifier = crate::notifier::Notifier::new(NotifierConfig::new(with_refer(packages)), hash);
        Ok(())
    }

    /// Subscribes to a state; `change` has the last word on how. What comes of it is told by [`Event::Subscriber`].
    ///
    /// # Errors
    /// Where there is no room, or the Request-URI is none.
    pub fn subscribe(
        &mut self,
        outbound: &Outbound,
        event: header::Event,
        change: impl FnOnce(&mut SubscriberConfig),
        now: Now,
    ) -> Result<SubscriberId, CommandError> {
        outbound.check()?;
        let origin = self.origin(outbound);
        let mut config = SubscriberConfig::new(origin, event);
        config.timer_n = self.config.transactions.timers.t1_64();
        change(&mut config);
        let hash = self.random.next_u64();
        let held = Held::new(Subscriber::new(config), outbound.headers.clone(), None);
        let id = SubscriberId(full(self.usages.subscribers.insert(hash, |_| held))?);
        let Some(held) = self.usages.subscribers.get_mut(id.0) else { return Err(CommandError::Unknown) };
        let request = held.machine.subscribe(now);
        self.send_subscribe(id, None, request, now);
        self.settle(now);
        Ok(id)
    }

    /// The machine of a subscription of ours, to be looked at.
    #[must_use]
    pub fn subscriber(&self, subscriber: SubscriberId) -> Option<&Subscriber> {
        self.usages.subscribers.get(subscriber.0).map(|held| &held.machine)
    }

    /// Refreshes one of our subscriptions before its time, with another interval or condition.
    ///
    /// # Errors
    /// Where there is no such one.
    pub fn refresh_subscription(
        &mut self,
        subscriber: SubscriberId,
        fork: Fork,
        expires_secs: u32,
        condition: Condition,
        now: Now,
    ) -> Result<(), CommandError> {
        let held = self.usages.subscribers.get_mut(subscriber.0).ok_or(CommandError::Unknown)?;
        let request = held.machine.refresh(fork, expires_secs, condition, now).ok_or(CommandError::Unknown)?;
        self.send_subscribe(subscriber, Some(fork), request, now);
        self.settle(now);
        Ok(())
    }

    /// Ends what was asked for, at each place that has accepted it.
    ///
    /// # Errors
    /// Where there is no such one.
    pub fn unsubscribe(&mut self, subscriber: SubscriberId, now: Now) -> Result<(), CommandError> {
        let held = self.usages.subscribers.get_mut(subscriber.0).ok_or(CommandError::Unknown)?;
        held.machine.stop();
        let forks: Vec<Fork> = held.machine.subscriptions().iter().map(|subscription| subscription.fork()).collect();
        for fork in forks {
            let machine = self.usages.subscribers.get_mut(subscriber.0).map(|held| &mut held.machine);
            if let Some(request) = machine.and_then(|machine| machine.unsubscribe(fork, now)) {
                self.send_subscribe(subscriber, Some(fork), request, now);
            }
        }
        self.usages.tend(Usage::Subscriber(subscriber));
        self.settle(now);
        Ok(())
    }

    /// Grants a subscription that [`Event::SubscriptionWanted`] told of. One that is not to be granted is refused by
    /// [`UserAgent::respond`], with 403 or 603 as a rule. `[RFC 6665, Section 4.2.1.3]`
    ///
    /// # Errors
    /// Where the request is gone or answered, or there is no room.
    pub fn grant_subscription(
        &mut self,
        id: ServerId,
        admission: Admission,
        now: Now,
    ) -> Result<SubscriptionId, CommandError> {
        let request = self.transactions.server_request(id).cloned().ok_or(CommandError::Unknown)?;
        let SubscribeVerdict::New(new) = self.usages.notifier.handle_subscribe(&request, now) else {
            return Err(CommandError::Unknown);
        };
        let tag = self.random.token();
        match self.usages.notifier.accept(&request, new, &tag, admission, now) {
            Ok((subscription, answer, notify)) => {
                self.answer_subscribe(id, &request, answer, Some(&tag), now);
                self.send_notify(subscription, notify, now);
                self.settle(now);
                Ok(subscription)
            }
            Err(refusal) => {
                self.refuse_request(id, &request, refusal, now);
                self.settle(now);
                Err(CommandError::Full)
            }
        }
    }

    /// The state that somebody has subscribed to has changed.
    pub fn change_state(&mut self, subscription: SubscriptionId, state: EventState, now: Now) {
        let notify = self.usages.notifier.change(subscription, state, now);
        self.send_notify(subscription, notify, now);
        self.settle(now);
    }

    /// Policy allows a subscription that was undecided.
    pub fn permit_subscription(&mut self, subscription: SubscriptionId, now: Now) {
        let notify = self.usages.notifier.grant(subscription, now);
        self.send_notify(subscription, notify, now);
        self.settle(now);
    }

    /// Ends a subscription of theirs, and tells the state once more where that is wanted.
    pub fn end_subscription(
        &mut self,
        subscription: SubscriptionId,
        reason: TerminationReason,
        retry_after_secs: Option<u32>,
        with_state: bool,
        now: Now,
    ) {
        let notify = self.usages.notifier.terminate(subscription, reason, retry_after_secs, with_state, now);
        self.send_notify(subscription, notify, now);
        self.settle(now);
    }

    /// The subscriptions to what is here.
    #[must_use]
    pub fn notifier(&self) -> &crate::notifier::Notifier {
        &self.usages.notifier
    }

    /// What others can subscribe to here, said in whatever makes a dialog, and in answer to OPTIONS. Nothing, where nobody may
    /// subscribe. `[RFC 6665, Section 4.4.4]`
    pub(crate) fn allow_events(&self) -> Option<header::AllowEvents> {
        let is_allowed = self.config.allow.contains(&Method::Subscribe);
        is_allowed.then(|| header::AllowEvents::new(self.usages.notifier.allow_events()))
    }

    fn send_subscribe(&mut self, id: SubscriberId, fork: Option<Fork>, request: RequestBuilder, now: Now) {
        let Some(held) = self.usages.subscribers.get(id.0) else { return };
        let origin = &held.machine.config().origin;
        let subscription = fork.and_then(|fork| held.machine.subscription(fork));
        let uri = match subscription.and_then(|subscription| subscription.dialog()) {
            Some(dialog) => dialog.next_uri(),
            None => UserAgent::origin_uri(origin),
        };
        let (call_id, tag) = (origin.call_id.clone(), origin.tag.clone());
        let request = self.introduced(held.dress(request), &Method::Subscribe);
        self.usages.expect(Usage::Subscriber(id), call_id.as_bytes(), tag.as_bytes());
        self.send_for(Task::Subscribe(id, fork), request, &uri, now);
        self.usages.tend(Usage::Subscriber(id));
    }

    pub(crate) fn subscribe_sent(&mut self, id: SubscriberId, fork: Option<Fork>, request: &Request, now: Now) {
        let Some(held) = self.usages.subscribers.get_mut(id.0) else { return };
        match fork {
            Some(fork) => held.machine.sent_in_dialog(fork, request.cseq()),
            None => held.machine.sent(request, now),
        }
        self.usages.tend(Usage::Subscriber(id));
    }

    pub(crate) fn subscribe_done(
        &mut self,
        id: SubscriberId,
        fork: Option<Fork>,
        response: Option<&Response>,
        now: Now,
    ) {
        let Some(held) = self.usages.subscribers.get_mut(id.0) else { return };
        match held.machine.handle_outcome(fork, response, now) {
            SubscribeOutcome::Wait => {}
            SubscribeOutcome::Again(request) => self.send_subscribe(id, fork, request, now),
            SubscribeOutcome::Ended(end) => {
                let told = SubscriberTold::Ended { fork, end };
                self.events.push_back(Event::Subscriber { subscriber: id, told });
            }
        }
        self.usages.tend(Usage::Subscriber(id));
    }

    pub(crate) fn subscriber_due(&mut self, id: SubscriberId, now: Now) {
        while let Some(due) = self.usages.subscribers.get_mut(id.0).and_then(|held| held.machine.handle_timeout(now)) {
            match due {
                SubscriberDue::Refresh { fork, request } => self.send_subscribe(id, Some(fork), request, now),
                SubscriberDue::Ended { fork, end } => {
                    let told = SubscriberTold::Ended { fork, end };
                    self.events.push_back(Event::Subscriber { subscriber: id, told });
                }
                SubscriberDue::Anew => {
                    let (call_id, tag) = (self.random.token(), self.random.token());
                    let Some(held) = self.usages.subscribers.get_mut(id.0) else { return };
                    let request = held.machine.subscribe_anew(&call_id, &tag, now);
                    self.send_subscribe(id, None, request, now);
                }
            }
        }
    }

    /// A NOTIFY: it finds the subscription by our Call-ID and tag, which are in it.
    pub(crate) fn notify_came(&mut self, id: ServerId, request: &Request, now: Now) {
        let unknown = Refusal::new(StatusCode::CallOrTransactionDoesNotExist).because("Subscription Does Not Exist");
        let verdict = match self.usages.expecting(request) {
            Some(Usage::Subscriber(subscriber)) => {
                let Some(held) = self.usages.subscribers.get_mut(subscriber.0) else { return };
                let verdict = held.machine.handle_notify(request, now);
                if let NotifyVerdict::Accepted(notified) = &verdict {
                    let told = SubscriberTold::Notified { notified: notified.clone(), request: request.clone() };
                    self.events.push_back(Event::Subscriber { subscriber, told });
                }
                self.usages.tend(Usage::Subscriber(subscriber));
                verdict
            }
            _ => self.refer_notified(request, now),
        };
        match verdict {
            NotifyVerdict::Accepted(_) => self.say(id, request, StatusCode::Ok, |r| r, now),
            NotifyVerdict::Refused(refusal) => self.refuse_request(id, request, refusal, now),
            NotifyVerdict::Foreign => self.refuse_request(id, request, unknown, now),
        }
    }

    /// A SUBSCRIBE outside of a call.
    pub(crate) fn subscribe_came(&mut self, id: ServerId, request: &Request, now: Now) {
        if self.refer_subscribe_came(id, request, now) {
            return;
        }
        match self.usages.notifier.handle_subscribe(request, now) {
            SubscribeVerdict::Refused(refusal) => self.refuse_request(id, request, refusal, now),
            // "If a SUBSCRIBE request for event refer is received for a subscription that does not already exist, it MUST be
            // rejected with a 403." [RFC 3515, Section 2.4.4]
            SubscribeVerdict::New(new) if *new.event.package == *refer::PACKAGE.as_bytes() => {
                self.refuse_request(id, request, Refusal::new(StatusCode::Forbidden), now);
            }
            SubscribeVerdict::New(new) => {
                self.events.push_back(Event::SubscriptionWanted { id, request: request.clone(), new });
            }
            SubscribeVerdict::Renewed { id: subscription, answer, notify, is_over } => {
                self.answer_subscribe(id, request, answer, None, now);
                self.send_notify(subscription, notify, now);
                if is_over {
                    self.events.push_back(Event::SubscriptionOver { subscription });
                }
            }
        }
    }

    pub(crate) fn answer_subscribe(
        &mut self,
        id: ServerId,
        request: &Request,
        answer: SubscribeAnswer,
        tag: Option<&str>,
        now: Now,
    ) {
        let Some(hop) = self.transactions.server_reply_hop(id) else { return };
        let is_secure = crate::dialog::is_sips(request.request_uri_text());
        let response = answer.response(request).raw(HeaderId::Contact, self.contact_for(request, &hop, is_secure));
        let response = tag.into_iter().fold(response, |response, tag| response.to_tag(tag));
        if let Ok(response) = response.build() {
            _ = self.transactions.respond(id, response, now);
        }
    }

    pub(crate) fn send_notify(&mut self, id: SubscriptionId, notify: Option<RequestBuilder>, now: Now) {
        let Some(notify) = notify else { return };
        let Some(uri) = self.usages.notifier.dialog(id).map(|dialog| dialog.next_uri()) else { return };
        self.send_for(Task::Notify(id), notify, &uri, now);
    }

    pub(crate) fn notify_done(&mut self, id: SubscriptionId, response: Option<&Response>, now: Now) {
        let outcome = self.usages.notifier.handle_outcome(id, response, now);
        self.send_notify(id, outcome.notify, now);
        if outcome.is_over {
            self.events.push_back(Event::SubscriptionOver { subscription: id });
        }
    }

    /// Subscriptions of theirs whose time is over.
    pub(crate) fn notifier_due(&mut self, now: Now) {
        while let Some((id, notify)) = self.usages.notifier.handle_timeout(now) {
            self.send_notify(id, notify, now);
            self.settle(now);
        }
    }
}
