//! The referee: does what it is asked for, and tells how that goes.

use alloc::boxed::Box;
use alloc::string::String;

use ringback_base::{Micros, Now};
use ringback_message::header::{Event, Param, ReferEventsAt, ReferSub, SuppressIfMatch};
use ringback_message::{HeaderId, Method, Request, RequestBuilder, Response, ResponseBuilder, StatusCode};

use super::{PACKAGE, ReferSubscription, Referral, SIPFRAG};
use crate::dialog::Dialog;
use crate::event_type::{event_of, same_event};
use crate::notifier::{
    EventState, Notification, NotifierState, NotifierSubscription, SubscribeAnswer, TerminationReason,
};
use crate::refusal::Refusal;

/// What a referee is set up with.
#[derive(Clone, Debug)]
pub struct RefereeConfig {
    /// For how long the outcome is waited for: "longer than the time the referenced request will be given to complete".
    /// `[RFC 3515, Section 3.4]`
    pub expires_secs: u32,
    /// Whether a referrer that would rather have no subscription gets none. `[RFC 4488, Section 4]`
    pub grants_none: bool,
    /// How often a NOTIFY is sent at most. "SHOULD NOT be sent more frequently than once per second". `[RFC 3515, Section 3.10]`
    pub interval: Micros,
    /// For how long the outcome is kept for those who will subscribe to it. `[RFC 7614, Section 4.7]`
    pub retention: Micros,
}

impl Default for RefereeConfig {
    /// Five minutes, which is longer than a proxy lets a phone ring; a NOTIFY a second; 64 seconds.
    fn default() -> RefereeConfig {
        RefereeConfig {
            expires_secs: 300,
            grants_none: true,
            interval: Micros::from_secs(1),
            retention: Micros::from_secs(64),
        }
    }
}

/// One REFER that was accepted, until its outcome is told.
#[derive(Debug)]
pub struct Referee {
    config: RefereeConfig,
    kind: ReferSubscription,
    /// `None` where the NOTIFYs are sent in a dialog that is somebody else's, or there are none.
    dialog: Option<Dialog>,
    /// `None` without an implicit subscription.
    subscription: Option<NotifierSubscription>,
    status: StatusCode,
    state: EventState,
    /// Where the outcome can be subscribed to.
    events_at: Option<Box<str>>,
    is_over: bool,
    /// When the next NOTIFY may be sent.
    next_at: Micros,
    /// When an outcome that nobody may know yet is forgotten.
    kept_until: Option<Micros>,
}

impl Referee {
    /// Accepts a REFER. The dialog that it makes has this tag of ours; a REFER that came in a dialog leaves that to its owner, and
    /// `is_first` says whether it is the first one there. `events_at` is a URI that nobody can guess, for those who will subscribe.
    ///
    /// # Errors
    /// Where the request makes no dialog.
    pub fn accept(
        refer: &Request,
        referral: &Referral,
        local_tag: &str,
        events_at: &str,
        is_first: bool,
        config: RefereeConfig,
        now: Now,
    ) -> Result<Referee, Refusal> {
        let kind = match referral.subscription {
            ReferSubscription::Unwanted if !config.grants_none => ReferSubscription::Implicit,
            kind => kind,
        };
        let is_implicit = kind == ReferSubscription::Implicit;
        let malformed = |_| Refusal::new(StatusCode::BadRequest).because("No Dialog From This Request");
        let dialog = match refer.to_tag() {
            None if is_implicit => Some(Dialog::of_server(refer, local_tag).map_err(malformed)?),
            _ => None,
        };
        let dialog = dialog.map(|mut dialog| {
            dialog.confirm();
            dialog
        });
        let state = fragment(StatusCode::Trying, None);
        // "For the second and subsequent REFER requests a UA receives in a given dialog, it MUST include an id parameter"
        // [RFC 3515, Section 2.4.6]
        let event = Event::new(PACKAGE);
        let event = if is_first { event } else { event.with_param(Param::number("id", refer.cseq())) };
        let subscription = is_implicit.then(|| {
            let mut subscription = NotifierSubscription::new(event, config.expires_secs, None, state.clone(), now);
            subscription.grant();
            subscription
        });
        let kept_until = (kind == ReferSubscription::Explicit).then_some(Micros::MAX);
        Ok(Referee {
            kind,
            dialog,
            subscription,
            status: StatusCode::Trying,
            state,
            events_at: (kind == ReferSubscription::Explicit).then(|| events_at.into()),
            is_over: false,
            next_at: now.mono,
            kept_until,
            config,
        })
    }

    /// The 200, without tag and Contact: "an element accepting a REFER request MUST NOT reply with a 202 response code".
    /// `[RFC 7647, Section 5]`
    #[must_use]
    pub fn response<'a>(&self, refer: &'a Request) -> ResponseBuilder<'a> {
        let response = Response::to(refer, StatusCode::Ok);
        match (self.kind, &self.events_at) {
            (ReferSubscription::Unwanted, _) => response.header(ReferSub::new(false)),
            (ReferSubscription::Explicit, Some(uri)) => match ReferEventsAt::new(&**uri) {
                Ok(events_at) => response.header(events_at),
                Err(_) => response,
            },
            _ => response,
        }
    }

    /// How the referrer hears of it.
    #[must_use]
    pub fn kind(&self) -> ReferSubscription {
        self.kind
    }

    /// The URI at which the outcome can be subscribed to.
    #[must_use]
    pub fn events_at(&self) -> Option<&str> {
        self.events_at.as_deref()
    }

    /// What became of it so far, as a notification tells it.
    #[must_use]
    pub fn state(&self) -> &EventState {
        &self.state
    }

    /// The code that tells what became of it so far.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The dialog of the subscription, where it is not somebody else's.
    #[must_use]
    pub fn dialog(&self) -> Option<&Dialog> {
        self.dialog.as_ref()
    }

    /// The owner of the dialog in which its NOTIFYs are sent is gone: from now on the dialog is its own.
    /// `[RFC 6665, Section 4.5.2]`
    pub fn adopt(&mut self, dialog: &Dialog) {
        if self.subscription.is_some() && self.dialog.is_none() {
            self.dialog = Some(dialog.clone());
        }
    }

    /// True where nothing is left to be told, and nobody can ask.
    #[must_use]
    pub fn is_over(&self) -> bool {
        let has_subscription = self.subscription.as_ref().is_some_and(|subscription| !subscription.is_over());
        (self.is_over || self.status.is_final()) && !has_subscription && self.kept_until.is_none()
    }

    /// A response to the triggered request, or whatever stands for it where that was no SIP request.
    pub fn progress(&mut self, status: StatusCode, reason: Option<&str>, now: Now) {
        if self.status.is_final() {
            return;
        }
        self.status = status;
        self.state = fragment(status, reason);
        if let Some(subscription) = &mut self.subscription {
            subscription.change(self.state.clone());
            if status.is_final() {
                // "The final NOTIFY sent in response to a REFER MUST indicate the subscription has been "terminated" with a reason
                // of "noresource"" [RFC 3515, Section 2.4.7]
                subscription.terminate(TerminationReason::NoResource, None, true);
            }
        }
        if status.is_final() {
            self.kept_until = self.kept_until.map(|_| now.mono.plus(self.config.retention));
        }
    }

    /// The user won't have it after all: 603, and no other attempt is hoped for. `[RFC 3515, Section 2.4.5]`
    pub fn deny(&mut self, now: Now) {
        if self.status.is_final() {
            return;
        }
        self.status = StatusCode::Decline;
        self.state = fragment(self.status, None);
        self.kept_until = self.kept_until.map(|_| now.mono.plus(self.config.retention));
        if let Some(subscription) = &mut self.subscription {
            subscription.change(self.state.clone());
            subscription.terminate(TerminationReason::Rejected, None, true);
        }
    }

    /// The NOTIFY that is to be sent now; to be asked after every input. It goes onto [`Referee::request`].
    #[must_use]
    pub fn next(&mut self, now: Now) -> Option<Notification> {
        if now.mono < self.next_at {
            return None;
        }
        let notification = self.subscription.as_mut()?.next(now)?;
        self.next_at = now.mono.plus(self.config.interval);
        Some(notification)
    }

    /// The NOTIFY, without Via and Contact: in the dialog of its own, or in that of its owner. `None` where neither is there.
    #[must_use]
    pub fn request(&mut self, notification: Notification, shared: Option<&mut Dialog>) -> Option<RequestBuilder> {
        let dialog = self.dialog.as_mut().or(shared)?;
        Some(notification.onto(dialog.request(Method::Notify)))
    }

    /// The NOTIFY took this CSeq, with other credentials than at first.
    pub fn sent(&mut self, cseq: u32) {
        if let Some(dialog) = &mut self.dialog {
            dialog.sent(cseq);
        }
    }

    /// The final response to a NOTIFY; `None` where none came. The end of the subscription is none of the triggered request.
    /// `[RFC 3515, Section 2.4.4]`
    pub fn handle_outcome(&mut self, response: Option<&Response>) {
        let Some(subscription) = &mut self.subscription else { return };
        if subscription.answered(response.map(Response::status)) {
            self.subscription = None;
            self.is_over = true;
        }
    }

    /// A SUBSCRIBE in its dialog, which extends the subscription or ends it. `None` where it is for another.
    /// `[RFC 3515, Section 2.4.4]`
    ///
    /// # Errors
    /// What it is refused with.
    pub fn handle_subscribe(&mut self, request: &Request, now: Now) -> Option<Result<SubscribeAnswer, Refusal>> {
        let subscription = self.subscription.as_mut()?;
        let event = match event_of(request) {
            Ok(event) => event,
            Err(refusal) => return Some(Err(refusal)),
        };
        if !same_event(&event, subscription.event()) || subscription.state() == NotifierState::Terminated {
            return None;
        }
        let bad = |reason| Refusal::new(StatusCode::BadRequest).because(reason);
        if let Some(dialog) = &mut self.dialog {
            if dialog.receive(request).is_err() {
                return Some(Err(Refusal::new(StatusCode::ServerInternalError).because("CSeq Out Of Order")));
            }
            dialog.refresh_target(request);
        }
        let Ok(asked_secs) = request.number(HeaderId::Expires) else { return Some(Err(bad("Malformed Expires"))) };
        let Ok(condition) = request.get::<SuppressIfMatch<&[u8]>>() else {
            return Some(Err(bad("Malformed Suppress-If-Match")));
        };
        let expires_secs = asked_secs.unwrap_or(self.config.expires_secs).min(self.config.expires_secs);
        let is_known = subscription.renew(expires_secs, condition.map(|condition| condition.token), now);
        let status = if is_known { StatusCode::NoNotification } else { StatusCode::Ok };
        if subscription.is_over() {
            self.subscription = None;
            self.is_over = true;
        }
        Some(Ok(SubscribeAnswer { status, expires_secs }))
    }

    /// When [`Referee::handle_timeout`] wants to be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Micros> {
        let kept_until = self.kept_until.filter(|until| *until < Micros::MAX);
        let subscription = self.subscription.as_ref();
        let expires = subscription.and_then(NotifierSubscription::poll_timeout);
        let next = subscription.filter(|subscription| subscription.owes()).map(|_| self.next_at);
        [kept_until, expires, next].into_iter().flatten().min()
    }

    /// Time has passed; a NOTIFY may be due.
    pub fn handle_timeout(&mut self, now: Now) {
        if self.kept_until.is_some_and(|until| until <= now.mono) {
            self.kept_until = None;
        }
        if let Some(subscription) = &mut self.subscription
            && subscription.state() != NotifierState::Terminated
        {
            subscription.handle_timeout(now);
        }
    }
}

/// "The body of a NOTIFY MUST begin with a SIP Response Status-Line". No more than that is told: the rest of a response is not for
/// everybody. `[RFC 3515, Section 2.4.5]` `[RFC 3515, Section 5.3.1]`
fn fragment(status: StatusCode, reason: Option<&str>) -> EventState {
    let reason = reason.unwrap_or(status.default_phrase());
    let reason: String = reason.chars().filter(|c| !c.is_control()).collect();
    EventState::new(SIPFRAG, alloc::format!("SIP/2.0 {status} {reason}\r\n").into_bytes())
}
