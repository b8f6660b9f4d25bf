//! The subscriber: asks for a state, and is told of it until it asks no longer. `[RFC 6665, Section 4.1]`
//!
//! ```text
//!   init ──subscribe()──▶ notify_wait ──NOTIFY active──▶ active ──┐ terminated, Timer N of a refresh, 481 to it,
//!     ▲                    │      │                        ▲      │ or the end of its time
//!     │ Retry-After        │      └──NOTIFY pending──▶ pending ───┤
//!     │                    │ failure, Timer N,                    ▼
//!     └────────────────────┴─NOTIFY terminated───────────▶ terminated
//! ```
//!
//! One SUBSCRIBE may be accepted at several places: each NOTIFY of a dialog of its own makes a [`Subscription`], with a state and
//! timers of its own. `[RFC 6665, Section 4.1.4]`

mod config;
mod rules;
mod subscription;
#[cfg(test)]
mod tests;

pub use config::{Notified, NotifyVerdict, SubscribeOutcome, SubscriberConfig, SubscriberDue, SubscriberState};
pub(crate) use rules::ends_subscription;
pub use rules::{Again, SubscriptionEnd, SubscriptionEndReason};
pub use subscription::{Condition, Fork, Subscription};

use alloc::boxed::Box;
use alloc::vec::Vec;

use ringback_base::{Micros, Now};
use ringback_message::header::{Event, SubscriptionState, Substate, SuppressIfMatch};
use ringback_message::{HeaderId, Method, Request, RequestBuilder, Response, StatusCode};

use crate::event_type::{event_of, same_package};
use crate::outcome::Outcome;
use crate::refusal::Refusal;

/// The most dialogs that one SUBSCRIBE makes. A NOTIFY of a further one is answered with 481.
pub const SUBSCRIPTION_FORKS_MAX: usize = 16;

/// How often an interval that was too brief is made longer before the attempt is given up.
const LENGTHENED_MAX: u8 = 3;

/// One wish to be told of a state, and the subscriptions that came of it.
#[derive(Debug)]
pub struct Subscriber {
    config: SubscriberConfig,
    maker: Maker,
    /// The CSeq of our last request outside of a dialog.
    cseq: u32,
    /// What is asked for: more than what was set up where the notifier wants that.
    expires_secs: u32,
    lengthened: u8,
    /// The request that NOTIFYs are still matched with.
    attempt: Option<Attempt>,
    subscriptions: Vec<Subscription>,
    next_fork: u32,
    /// When it is asked for again.
    again_at: Option<Micros>,
    /// How often it ended soon, which makes the next attempt wait longer.
    short_lives: u32,
    is_wanted: bool,
}

/// What makes the subscriptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Maker {
    /// A SUBSCRIBE.
    Subscribe,
    /// A REFER outside of a dialog. `[RFC 3515, Section 2.4.4]`
    Refer,
    /// A REFER in a dialog that belongs to somebody else, who keeps it. `[RFC 6665, Section 4.5.2]`
    ReferInDialog,
}

#[derive(Debug)]
struct Attempt {
    /// As it was sent last; `None` until it was. It goes with the attempt, and leaves no room behind.
    request: Option<Box<Request>>,
    timer_n: Micros,
    /// What a 2xx has granted.
    granted_secs: Option<u32>,
    /// Whether any NOTIFY has come of it.
    is_confirmed: bool,
}

impl Subscriber {
    /// One that has asked nothing yet.
    #[must_use]
    pub fn new(config: SubscriberConfig) -> Subscriber {
        Subscriber::of(config, Maker::Subscribe)
    }

    pub(crate) fn of(config: SubscriberConfig, maker: Maker) -> Subscriber {
        let expires_secs = config.expires_secs;
        Subscriber {
            config,
            maker,
            cseq: 0,
            expires_secs,
            lengthened: 0,
            attempt: None,
            subscriptions: Vec::new(),
            next_fork: 0,
            again_at: None,
            short_lives: 0,
            is_wanted: true,
        }
    }

    /// What it was set up with.
    #[must_use]
    pub fn config(&self) -> &SubscriberConfig {
        &self.config
    }

    /// The subscriptions that there are.
    #[must_use]
    pub fn subscriptions(&self) -> &[Subscription] {
        &self.subscriptions
    }

    /// The subscription of that name.
    #[must_use]
    pub fn subscription(&self, fork: Fork) -> Option<&Subscription> {
        self.subscriptions.iter().find(|subscription| subscription.fork() == fork)
    }

    /// How things stand as a whole: as with the subscription that has got furthest.
    #[must_use]
    pub fn state(&self) -> SubscriberState {
        let furthest = self.subscriptions.iter().map(Subscription::state);
        match furthest.max_by_key(|state| *state == SubscriberState::Active) {
            Some(state) => state,
            None if self.attempt.as_ref().is_some_and(|attempt| !attempt.is_confirmed) => SubscriberState::NotifyWait,
            None if self.is_over() => SubscriberState::Terminated,
            None => SubscriberState::Init,
        }
    }

    /// True where nothing will come of it any more, and it can be let go.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.cseq > 0 && self.is_quiet()
    }

    /// True where nothing is under way.
    pub(crate) fn is_quiet(&self) -> bool {
        self.attempt.is_none() && self.subscriptions.is_empty() && self.again_at.is_none()
    }

    /// Asks: the SUBSCRIBE, without Via and Contact. `[RFC 6665, Section 4.1.2.1]`
    #[must_use]
    pub fn subscribe(&mut self, now: Now) -> RequestBuilder {
        self.again_at = None;
        self.open(now);
        self.cseq = self.cseq.saturating_add(1);
        let request = self.config.origin.request(Method::Subscribe, self.cseq).header(self.config.event.clone());
        let request = self.with_wishes(request, self.expires_secs);
        match &self.config.etag {
            Some(etag) => request.header(SuppressIfMatch::new(etag)),
            None => request,
        }
    }

    /// Asks again after an end, "with a freshly generated Call-ID and a new, unique "From" tag". `[RFC 6665, Section 4.1.2.2]`
    #[must_use]
    pub fn subscribe_anew(&mut self, call_id: &str, tag: &str, now: Now) -> RequestBuilder {
        self.config.origin.call_id = call_id.into();
        self.config.origin.tag = tag.into();
        self.cseq = 0;
        self.lengthened = 0;
        self.subscribe(now)
    }

    /// The request outside of a dialog as it went out, each time that it did: NOTIFYs are matched with it.
    pub fn sent(&mut self, request: &Request, now: Now) {
        self.open(now);
        self.cseq = self.cseq.max(request.cseq());
        if let Some(attempt) = &mut self.attempt {
            attempt.request = Some(Box::new(request.clone()));
        }
    }

    /// A SUBSCRIBE in a dialog took this CSeq, with other credentials than at first.
    pub fn sent_in_dialog(&mut self, fork: Fork, cseq: u32) {
        if let Some(subscription) = self.find(fork) {
            subscription.sent(cseq);
        }
    }

    /// Refreshes a subscription before its time, with another interval, or another condition. `None` where there is no such one, or
    /// its dialog is not ours.
    #[must_use]
    pub fn refresh(&mut self, fork: Fork, expires_secs: u32, condition: Condition, now: Now) -> Option<RequestBuilder> {
        let timer_n = self.config.timer_n;
        let request = self.find(fork)?.ask(expires_secs, condition, timer_n, now)?;
        Some(self.with_wishes(request, expires_secs))
    }

    /// Asks no longer: what is under way is let go, and each subscription is to be ended by [`Subscriber::unsubscribe`].
    pub fn stop(&mut self) {
        self.is_wanted = false;
        self.again_at = None;
        self.attempt = None;
    }

    /// Ends a subscription: a NOTIFY will confirm it. `None` where there is no such one; one in a dialog that is not ours is ended
    /// by refusing its next NOTIFY, and is gone at once. `[RFC 6665, Section 4.1.2.3]` `[RFC 3515, Section 2.4.4]`
    #[must_use]
    pub fn unsubscribe(&mut self, fork: Fork, now: Now) -> Option<RequestBuilder> {
        self.stop();
        let condition = if self.config.conditional { Condition::Current } else { Condition::None };
        let request = self.refresh(fork, 0, condition, now);
        if request.is_none() {
            self.subscriptions.retain(|subscription| subscription.fork() != fork);
        }
        request
    }

    /// A NOTIFY has come. `[RFC 6665, Section 4.1.3]`
    pub fn handle_notify(&mut self, notify: &Request, now: Now) -> NotifyVerdict {
        let origin = &self.config.origin;
        let is_ours = notify.call_id() == origin.call_id.as_bytes() && notify.to_tag() == Some(origin.tag.as_bytes());
        if !is_ours {
            return NotifyVerdict::Foreign;
        }
        let verdict = event_of(notify).and_then(|event| self.notified(notify, &event, now));
        verdict.unwrap_or_else(NotifyVerdict::Refused)
    }

    /// The final response to a SUBSCRIBE, after every challenge was answered and every place tried; `None` where none has come.
    /// `fork` names the subscription that it refreshed; `None` is the request outside of a dialog.
    pub fn handle_outcome(&mut self, fork: Option<Fork>, response: Option<&Response>, now: Now) -> SubscribeOutcome {
        match fork {
            None => self.initial_outcome(response, now),
            Some(fork) => self.refresh_outcome(fork, response, now),
        }
    }

    /// When [`Subscriber::handle_timeout`] wants to be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Micros> {
        let attempt = self.attempt.as_ref().map(|attempt| attempt.timer_n);
        let subscriptions = self.subscriptions.iter().filter_map(Subscription::poll_timeout).min();
        [attempt, self.again_at, subscriptions].into_iter().flatten().min()
    }

    /// What is due; to be called again until there is nothing.
    #[must_use]
    pub fn handle_timeout(&mut self, now: Now) -> Option<SubscriberDue> {
        if self.again_at.is_some_and(|at| at <= now.mono) {
            self.again_at = None;
            return Some(SubscriberDue::Anew);
        }
        if let Some(attempt) = self.attempt.take_if(|attempt| attempt.timer_n <= now.mono)
            && !attempt.is_confirmed
        {
            let end = self.over(SubscriptionEndReason::NoNotify, now);
            return Some(SubscriberDue::Ended { fork: None, end });
        }
        let due = self.subscriptions.iter().position(|one| one.poll_timeout().is_some_and(|at| at <= now.mono))?;
        let conditional = self.config.conditional;
        let (timer_n, expires_secs) = (self.config.timer_n, self.expires_secs);
        let subscription = self.subscriptions.get_mut(due)?;
        let fork = subscription.fork();
        if let Some(reason) = subscription.timed_out(now) {
            let end = self.remove(fork, reason, now);
            return Some(SubscriberDue::Ended { fork: Some(fork), end });
        }
        let condition = if conditional { Condition::Current } else { Condition::None };
        let request = subscription.ask(expires_secs, condition, timer_n, now)?;
        Some(SubscriberDue::Refresh { fork, request: self.with_wishes(request, expires_secs) })
    }

    fn find(&mut self, fork: Fork) -> Option<&mut Subscription> {
        self.subscriptions.iter_mut().find(|subscription| subscription.fork() == fork)
    }

    /// Timer N starts whenever the request goes out. `[RFC 6665, Section 4.1.2.4]`
    fn open(&mut self, now: Now) {
        let timer_n = now.mono.plus(self.config.timer_n);
        match &mut self.attempt {
            Some(attempt) => attempt.timer_n = timer_n,
            None => {
                self.attempt = Some(Attempt { request: None, timer_n, granted_secs: None, is_confirmed: false });
            }
        }
    }

    fn with_wishes(&self, request: RequestBuilder, expires_secs: u32) -> RequestBuilder {
        let request = request.expires_seconds(expires_secs);
        let request =
            if self.config.accept.is_empty() { request } else { request.raw(HeaderId::Accept, &*self.config.accept) };
        match &self.config.filter {
            Some((content_type, filter)) if expires_secs > 0 || self.expires_secs == 0 => {
                request.content_type(content_type).body(filter.to_vec())
            }
            _ => request,
        }
    }

    /// A NOTIFY for our Call-ID and tag.
    fn notified(&mut self, notify: &Request, event: &Event<&[u8]>, now: Now) -> Result<NotifyVerdict, Refusal> {
        let known = self.subscriptions.iter().position(|subscription| subscription.is_of(notify, event));
        if !self.is_expected(event, known.is_some()) {
            // "If, for some reason, the event package designated in the "Event" header field of the NOTIFY request is not
            // supported, the subscriber will respond with a 489" [RFC 6665, Section 4.1.3]
            let other_package = self.maker == Maker::Subscribe && !same_package(event, &self.config.event);
            let bad_event = Err(Refusal::new(StatusCode::BadEvent));
            return if other_package { bad_event } else { Ok(NotifyVerdict::Foreign) };
        }
        let state = match notify.get::<SubscriptionState<&[u8]>>() {
            Ok(Some(state)) => state,
            Ok(None) => return Err(Refusal::new(StatusCode::BadRequest).because("Missing Subscription-State")),
            Err(_) => return Err(Refusal::new(StatusCode::BadRequest).because("Malformed Subscription-State")),
        };
        let (fork, is_new) = match known.and_then(|at| self.subscriptions.get_mut(at)) {
            Some(subscription) => {
                subscription.receive(notify)?;
                (subscription.fork(), false)
            }
            None => match self.make(notify, event, &state, now)? {
                Some(fork) => (fork, true),
                None => return Ok(NotifyVerdict::Foreign),
            },
        };
        if let Some(attempt) = &mut self.attempt {
            attempt.is_confirmed = true;
        }
        let default_secs = self.attempt.as_ref().and_then(|attempt| attempt.granted_secs).unwrap_or(self.expires_secs);
        if state.substate() == Substate::Terminated {
            let reason = match self.subscription(fork) {
                Some(subscription) if subscription.is_leaving() => SubscriptionEndReason::Unsubscribed,
                _ if self.config.expires_secs == 0 && self.maker == Maker::Subscribe => SubscriptionEndReason::Fetched,
                _ => SubscriptionEndReason::of_notify(&state),
            };
            self.close_attempt();
            let end = self.remove(fork, reason, now);
            let state = SubscriberState::Terminated;
            return Ok(NotifyVerdict::Accepted(Notified { fork, is_new, state, end: Some(end) }));
        }
        let Some(subscription) = self.find(fork) else { return Ok(NotifyVerdict::Foreign) };
        subscription.notified(notify, &state, default_secs, now);
        let state = subscription.state();
        Ok(NotifyVerdict::Accepted(Notified { fork, is_new, state, end: None }))
    }

    /// Whether a NOTIFY of this Event may be of ours. That of a REFER may carry the CSeq of the REFER as its id.
    /// `[RFC 3515, Section 2.4.6]`
    fn is_expected(&self, event: &Event<&[u8]>, is_known: bool) -> bool {
        match self.maker {
            _ if is_known => true,
            Maker::Subscribe => crate::event_type::same_event(event, &self.config.event),
            Maker::Refer | Maker::ReferInDialog => {
                let cseq = alloc::format!("{}", self.cseq);
                same_package(event, &self.config.event) && event.id().is_none_or(|id| id == cseq.as_bytes())
            }
        }
    }

    /// The subscription that a first NOTIFY makes; `None` where no more of them are wanted. One that ends at once keeps no dialog.
    /// `[RFC 6665, Section 4.4.1]`
    fn make(
        &mut self,
        notify: &Request,
        event: &Event<&[u8]>,
        state: &SubscriptionState<&[u8]>,
        now: Now,
    ) -> Result<Option<Fork>, Refusal> {
        let limit = self.config.forks.clamp(1, SUBSCRIPTION_FORKS_MAX);
        let Some(request) = self.attempt.as_ref().and_then(|attempt| attempt.request.as_deref()) else {
            return Ok(None);
        };
        if self.subscriptions.len() >= limit {
            return Ok(None);
        }
        let fork = Fork(self.next_fork);
        let ends = state.substate() == Substate::Terminated;
        if !ends {
            let is_shared = self.maker == Maker::ReferInDialog;
            let subscription = Subscription::of_notify(fork, request, notify, event, is_shared, now)?;
            self.subscriptions.push(subscription);
        }
        self.next_fork = self.next_fork.wrapping_add(1);
        Ok(Some(fork))
    }

    /// What was asked of one place is over with its one subscription.
    fn close_attempt(&mut self) {
        if self.config.forks <= 1 {
            self.attempt = None;
        }
    }

    /// The answer to the request outside of a dialog.
    fn initial_outcome(&mut self, response: Option<&Response>, now: Now) -> SubscribeOutcome {
        let Some(attempt) = &mut self.attempt else { return SubscribeOutcome::Wait };
        let Some(response) = response else {
            let is_confirmed = attempt.is_confirmed;
            self.attempt = None;
            return if is_confirmed {
                SubscribeOutcome::Wait
            } else {
                SubscribeOutcome::Ended(self.over(SubscriptionEndReason::NoAnswer, now))
            };
        };
        let status = response.status();
        if status.is_success() {
            // "The received value might be smaller than the value indicated in the SUBSCRIBE request but cannot be larger"
            // [RFC 6665, Section 4.1.2.1]
            let granted_secs = response.number(HeaderId::Expires).ok().flatten();
            attempt.granted_secs = granted_secs.map(|secs| secs.min(self.expires_secs));
            return SubscribeOutcome::Wait;
        }
        if attempt.is_confirmed {
            self.attempt = None;
            return SubscribeOutcome::Wait;
        }
        if let Some(longer) = self.longer(response) {
            self.expires_secs = longer;
            return SubscribeOutcome::Again(self.subscribe(now));
        }
        self.attempt = None;
        let retry_after_secs = rules::retry_after_secs(response);
        SubscribeOutcome::Ended(self.over(SubscriptionEndReason::Refused { status, retry_after_secs }, now))
    }

    /// The answer to a refresh.
    fn refresh_outcome(&mut self, fork: Fork, response: Option<&Response>, now: Now) -> SubscribeOutcome {
        let Some(asked_secs) = self.subscription(fork).and_then(Subscription::asked_secs) else {
            return SubscribeOutcome::Wait;
        };
        if asked_secs > 0
            && let Some(longer) = response.and_then(|response| self.longer(response))
        {
            self.expires_secs = longer;
            let condition = if self.config.conditional { Condition::Current } else { Condition::None };
            if let Some(request) = self.refresh(fork, longer, condition, now) {
                return SubscribeOutcome::Again(request);
            }
        }
        let Some(subscription) = self.find(fork) else { return SubscribeOutcome::Wait };
        match subscription.answered(response, now) {
            Some(reason) => SubscribeOutcome::Ended(self.remove(fork, reason, now)),
            None => SubscribeOutcome::Wait,
        }
    }

    /// The interval to ask for after a 423, where that is longer than the one that was asked for. `[RFC 3261, Section 21.4.17]`
    fn longer(&mut self, response: &Response) -> Option<u32> {
        let Outcome::RaiseExpires { min_secs } = Outcome::of_response(response) else { return None };
        if min_secs <= self.expires_secs || self.expires_secs == 0 || self.lengthened >= LENGTHENED_MAX {
            return None;
        }
        self.lengthened = self.lengthened.saturating_add(1);
        Some(min_secs)
    }

    /// A subscription is over.
    fn remove(&mut self, fork: Fork, reason: SubscriptionEndReason, now: Now) -> SubscriptionEnd {
        let place = self.subscriptions.iter().position(|subscription| subscription.fork() == fork);
        if let Some(subscription) = place.map(|at| self.subscriptions.remove(at)) {
            if subscription.has_lasted(now) {
                self.short_lives = 0;
            }
            if self.config.conditional {
                self.config.etag = subscription.into_etag().or_else(|| self.config.etag.take());
            }
        }
        self.over(reason, now)
    }

    /// What is done after an end: once nothing is left, it is asked for again where that makes sense, each time later than before.
    fn over(&mut self, reason: SubscriptionEndReason, now: Now) -> SubscriptionEnd {
        let again = reason.again();
        let after_secs = match again {
            Again::Never => return SubscriptionEnd { reason, again },
            Again::Should { after_secs } | Again::May { after_secs } => after_secs,
        };
        let is_left = !self.subscriptions.is_empty() || self.attempt.as_ref().is_some_and(|one| !one.is_confirmed);
        if self.config.renews && self.is_wanted && !is_left && self.maker == Maker::Subscribe {
            let wait_secs = rules::wait_secs(self.short_lives).max(after_secs);
            self.short_lives = self.short_lives.saturating_add(1);
            self.attempt = None;
            self.again_at = Some(now.mono.plus(Micros::from_secs(wait_secs.into())));
        }
        SubscriptionEnd { reason, again }
    }
}
