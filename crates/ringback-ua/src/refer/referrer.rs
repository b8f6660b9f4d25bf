//! The referrer: asks, and hears what became of it.

use alloc::boxed::Box;
use alloc::string::String;

use bytes::Bytes;
use ringback_base::{Micros, Now};
use ringback_message::body::Sipfrag;
use ringback_message::header::{Event, ReferEventsAt, ReferSub, TargetDialog};
use ringback_message::{HeaderId, Method, Request, RequestBuilder, Response, StatusCode};

use super::{PACKAGE, ReferSubscription};
use crate::dialog::Dialog;
use crate::origin::Origin;
use crate::subscriber::{
    Fork, Maker, NotifyVerdict, SubscribeOutcome, Subscriber, SubscriberConfig, SubscriberDue, SubscriptionEndReason,
};

/// What a referrer is set up with.
#[derive(Clone, Debug)]
pub struct ReferConfig {
    /// Who asks whom. Of a REFER in a dialog only Call-ID and tag are used: those of the dialog.
    pub origin: Origin,
    /// Whom the other side shall contact: the value of Refer-To.
    pub refer_to: Box<str>,
    /// Who asks, for the one who is contacted. `[RFC 3892, Section 2.1]`
    pub referred_by: Option<Box<str>>,
    /// The dialog that the REFER is about, where it is sent outside of it. `[RFC 7647, Section 4]`
    pub target_dialog: Option<TargetDialog>,
    /// How we hear of it.
    pub subscription: ReferSubscription,
    /// Timer N, 64*T1.
    pub timer_n: Micros,
}

impl ReferConfig {
    /// With an implicit subscription.
    #[must_use]
    pub fn new(origin: Origin, refer_to: &str) -> ReferConfig {
        ReferConfig {
            origin,
            refer_to: refer_to.into(),
            referred_by: None,
            target_dialog: None,
            subscription: ReferSubscription::Implicit,
            timer_n: Micros::from_secs(32),
        }
    }
}

/// A REFER of ours.
#[derive(Debug)]
pub struct Referrer {
    config: ReferConfig,
    subscriber: Subscriber,
    cseq: u32,
    is_answered: bool,
    /// The final code, once it was told.
    outcome: Option<StatusCode>,
}

/// What a NOTIFY tells of the triggered request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferProgress {
    /// Whose it is: a REFER may be accepted at several places.
    pub fork: Fork,
    /// The code, provisional or final; `None` where the body tells none.
    pub status: Option<StatusCode>,
    /// Its phrase.
    pub reason: String,
    /// Why nothing more will be told, where that is so.
    pub end: Option<SubscriptionEndReason>,
}

/// What the answer to a REFER says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReferOutcome {
    /// It is followed, and NOTIFYs will tell.
    Followed,
    /// It is followed, and nothing will be told.
    FollowedInSilence,
    /// It is followed, and a SUBSCRIBE to this URI would tell. `[RFC 7614, Section 4.4]`
    FollowedAt(String),
    /// It is refused. A 420 may be for an extension of ours: without it another attempt may do. `[RFC 7614, Section 4.2]`
    Refused(StatusCode),
    /// No answer has come.
    NoAnswer,
}

impl Referrer {
    /// One that has not asked yet.
    #[must_use]
    pub fn new(config: ReferConfig) -> Referrer {
        let subscriber = Referrer::subscriber(&config, Maker::Refer);
        Referrer { config, subscriber, cseq: 0, is_answered: false, outcome: None }
    }

    fn subscriber(config: &ReferConfig, maker: Maker) -> Subscriber {
        let mut subscription = SubscriberConfig::new(config.origin.clone(), Event::new(PACKAGE));
        subscription.timer_n = config.timer_n;
        subscription.renews = false;
        subscription.forks = if maker == Maker::Refer { crate::subscriber::SUBSCRIPTION_FORKS_MAX } else { 1 };
        Subscriber::of(subscription, maker)
    }

    /// What it was set up with.
    #[must_use]
    pub fn config(&self) -> &ReferConfig {
        &self.config
    }

    /// The final code that was told, if any was.
    #[must_use]
    pub fn outcome(&self) -> Option<StatusCode> {
        self.outcome
    }

    /// True where nothing will be told any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.is_answered && (self.subscriber.is_quiet() || !self.hears())
    }

    /// The REFER outside of a dialog, without Via and Contact. `[RFC 7647, Section 4]`
    #[must_use]
    pub fn refer(&mut self) -> RequestBuilder {
        self.cseq = self.cseq.saturating_add(1);
        self.with_wishes(self.config.origin.request(Method::Refer, self.cseq))
    }

    /// The REFER in a dialog, as those expect it who know no other way, and as is harmless where no subscription comes of it.
    /// `[RFC 7647, Section 4]`
    #[must_use]
    pub fn refer_in(&mut self, dialog: &mut Dialog) -> RequestBuilder {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        self.config.origin.call_id = text(dialog.id().call_id).into();
        self.config.origin.tag = text(dialog.id().local_tag).into();
        self.subscriber = Referrer::subscriber(&self.config, Maker::ReferInDialog);
        let request = dialog.request(Method::Refer);
        self.with_wishes(request)
    }

    /// The REFER as it went out, each time that it did.
    pub fn sent(&mut self, request: &Request, now: Now) {
        self.cseq = request.cseq();
        if self.hears() {
            self.subscriber.sent(request, now);
        }
    }

    /// A SUBSCRIBE for one of its subscriptions took this CSeq, with other credentials than at first.
    pub fn sent_in_dialog(&mut self, fork: Fork, cseq: u32) {
        self.subscriber.sent_in_dialog(fork, cseq);
    }

    /// The final response to the REFER: "MUST treat any 202 responses received as identical to a 200". `[RFC 7647, Section 5]`
    pub fn handle_outcome(&mut self, response: Option<&Response>) -> ReferOutcome {
        self.is_answered = true;
        let Some(response) = response else {
            self.subscriber.stop();
            return ReferOutcome::NoAnswer;
        };
        if !response.status().is_success() {
            self.subscriber.stop();
            return ReferOutcome::Refused(response.status());
        }
        let refer_sub = response.get::<ReferSub<&[u8]>>().ok().flatten();
        match self.config.subscription {
            // A NOTIFY says more than the header field.
            ReferSubscription::Unwanted
                if refer_sub.is_some_and(|refer_sub| !refer_sub.subscribes)
                    && self.subscriber.subscriptions().is_empty() =>
            {
                self.subscriber.stop();
                ReferOutcome::FollowedInSilence
            }
            ReferSubscription::Implicit | ReferSubscription::Unwanted => ReferOutcome::Followed,
            ReferSubscription::None => ReferOutcome::FollowedInSilence,
            ReferSubscription::Explicit => match response.get::<ReferEventsAt<&[u8]>>() {
                Ok(Some(events_at)) => {
                    let mut uri = alloc::vec::Vec::new();
                    events_at.address.uri.write(&mut uri);
                    ReferOutcome::FollowedAt(String::from_utf8_lossy(&uri).into_owned())
                }
                _ => ReferOutcome::FollowedInSilence,
            },
        }
    }

    /// A NOTIFY has come: what it is answered with, and what it tells. One whose body can't be read tells nothing.
    pub fn handle_notify(&mut self, notify: &Request, now: Now) -> (NotifyVerdict, Option<ReferProgress>) {
        let verdict = self.subscriber.handle_notify(notify, now);
        let NotifyVerdict::Accepted(notified) = &verdict else { return (verdict, None) };
        let fragment = fragment(notify);
        let status = fragment.as_ref().and_then(Sipfrag::status);
        let reason = fragment.as_ref().map(|fragment| String::from_utf8_lossy(fragment.reason()).into_owned());
        if let Some(status) = status.filter(|status| status.is_final()) {
            // Of several places that follow it, one that succeeds is the outcome.
            if !self.outcome.is_some_and(StatusCode::is_success) {
                self.outcome = Some(status);
            }
        }
        let end = notified.end.map(|end| end.reason);
        let progress = ReferProgress { fork: notified.fork, status, reason: reason.unwrap_or_default(), end };
        (verdict, Some(progress))
    }

    /// The subscriptions that it has made, to be refreshed or ended as any other.
    #[must_use]
    pub fn subscriptions(&self) -> &Subscriber {
        &self.subscriber
    }

    /// Ends a subscription, which is no wish to end what was asked for. `[RFC 3515, Section 2.4.4]`
    #[must_use]
    pub fn unsubscribe(&mut self, fork: Fork, now: Now) -> Option<RequestBuilder> {
        self.subscriber.unsubscribe(fork, now)
    }

    /// The outcome of a SUBSCRIBE that refreshed one of its subscriptions.
    pub fn handle_subscribe_outcome(&mut self, fork: Fork, response: Option<&Response>, now: Now) -> SubscribeOutcome {
        self.subscriber.handle_outcome(Some(fork), response, now)
    }

    /// When [`Referrer::handle_timeout`] wants to be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Micros> {
        self.subscriber.poll_timeout()
    }

    /// What is due; to be called again until there is nothing.
    #[must_use]
    pub fn handle_timeout(&mut self, now: Now) -> Option<SubscriberDue> {
        self.subscriber.handle_timeout(now)
    }

    /// Whether a REFER of this kind may make a subscription.
    fn hears(&self) -> bool {
        matches!(self.config.subscription, ReferSubscription::Implicit | ReferSubscription::Unwanted)
    }

    fn with_wishes(&self, request: RequestBuilder) -> RequestBuilder {
        let request = request.raw(HeaderId::ReferTo, &*self.config.refer_to);
        let request =
            self.config.referred_by.iter().fold(request, |request, by| request.raw(HeaderId::ReferredBy, &**by));
        let request = self
            .config
            .target_dialog
            .iter()
            .fold(request, |request, dialog| request.header(dialog.clone()).raw(HeaderId::Require, "tdialog"));
        match self.config.subscription {
            ReferSubscription::Implicit => request,
            ReferSubscription::Unwanted => request.header(ReferSub::new(false)),
            ReferSubscription::Explicit => request.raw(HeaderId::Require, "explicitsub"),
            ReferSubscription::None => request.raw(HeaderId::Require, "nosub"),
        }
    }
}

fn fragment(notify: &Request) -> Option<Sipfrag> {
    let content_type = notify.content().content_type().ok().flatten()?.is("message", "sipfrag");
    if !content_type {
        return None;
    }
    Sipfrag::parse(Bytes::copy_from_slice(notify.body())).ok()
}
