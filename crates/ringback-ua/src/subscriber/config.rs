//! What a subscriber is set up with, and what it says.

use alloc::boxed::Box;

use bytes::Bytes;
use ringback_base::Micros;
use ringback_message::RequestBuilder;
use ringback_message::header::Event;

use super::rules::SubscriptionEnd;
use super::subscription::Fork;
use crate::origin::Origin;
use crate::refusal::Refusal;

/// What a subscriber is set up with.
#[derive(Clone, Debug)]
pub struct SubscriberConfig {
    /// Who asks whom.
    pub origin: Origin,
    /// The state that is asked for.
    pub event: Event,
    /// The types of body that are understood, as Accept writes them; empty for those that the package has by default.
    pub accept: Box<str>,
    /// What of the state is wanted: the type of a filter, and the filter.
    pub filter: Option<(Box<str>, Bytes)>,
    /// For how many seconds; 0 asks once, for the state of the moment. `[RFC 6665, Section 4.4.3]`
    pub expires_secs: u32,
    /// How many places may accept it at once, at most [`SUBSCRIPTION_FORKS_MAX`](super::SUBSCRIPTION_FORKS_MAX): the package says whether more than one makes sense.
    /// `[RFC 6665, Section 5.4.9]`
    pub forks: usize,
    /// The entity tag of a state that is still at hand, so that it is not sent again. `[RFC 5839, Section 5.5]`
    pub etag: Option<Box<[u8]>>,
    /// Whether entity tags of the notifier are used to be spared what is known. `[RFC 5839, Section 5.6]`
    pub conditional: bool,
    /// Whether a subscription that ended is asked for again where that makes sense.
    pub renews: bool,
    /// Timer N, 64*T1: within this time a NOTIFY must come. `[RFC 6665, Section 4.1.2.4]`
    pub timer_n: Micros,
}

impl SubscriberConfig {
    /// For an hour, at one place, with what the package has by default, and again where it ends.
    #[must_use]
    pub fn new(origin: Origin, event: Event) -> SubscriberConfig {
        SubscriberConfig {
            origin,
            event,
            accept: "".into(),
            filter: None,
            expires_secs: 3_600,
            forks: 1,
            etag: None,
            conditional: false,
            renews: true,
            timer_n: Micros::from_secs(32),
        }
    }
}

/// Where a subscription stands. `[RFC 6665, Section 4.1.2]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SubscriberState {
    /// Nothing was asked yet, or it will be asked again.
    Init,
    /// A SUBSCRIBE is out, and no NOTIFY has come.
    NotifyWait,
    /// The notifier has not decided yet.
    Pending,
    /// Notifications come.
    Active,
    /// It is over.
    Terminated,
}

/// What a NOTIFY is answered with, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotifyVerdict {
    /// It belongs to none of our subscriptions: 481 where nobody else knows it. `[RFC 6665, Section 4.1.3]`
    Foreign,
    /// It is refused.
    Refused(Refusal),
    /// It is answered with 200, and its body is the state.
    Accepted(Notified),
}

/// What a NOTIFY says of its subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notified {
    /// Whose it is.
    pub fork: Fork,
    /// Whether it is the first one of it.
    pub is_new: bool,
    /// How the subscription stands now.
    pub state: SubscriberState,
    /// Why it ended, where it did.
    pub end: Option<SubscriptionEnd>,
}

/// What follows from the outcome of a SUBSCRIBE.
#[derive(Debug)]
pub enum SubscribeOutcome {
    /// Nothing is to be done: the NOTIFY will tell.
    Wait,
    /// This is sent instead, with a longer interval.
    Again(RequestBuilder),
    /// It is over.
    Ended(SubscriptionEnd),
}

/// What time has brought.
#[derive(Debug)]
pub enum SubscriberDue {
    /// A subscription is refreshed: this is sent.
    Refresh {
        /// Which one.
        fork: Fork,
        /// The SUBSCRIBE, without Via and Contact.
        request: RequestBuilder,
    },
    /// It is over.
    Ended {
        /// Which one; `None` where nobody has ever notified.
        fork: Option<Fork>,
        /// Why.
        end: SubscriptionEnd,
    },
    /// It is time to ask again: [`Subscriber::subscribe_anew`](super::Subscriber::subscribe_anew) with another Call-ID and tag.
    Anew,
}
