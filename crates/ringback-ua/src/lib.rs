//! User agents without I/O.
#![no_std]

extern crate alloc;

mod dialog;
mod event_type;
mod notifier;
mod origin;
#[cfg(test)]
mod probe;
mod publication;
mod refer;
mod refusal;
mod subscriber;

pub use dialog::{DIALOG_BYTES_MAX, Dialog, DialogError, DialogId, OutOfOrder, ROUTES_MAX};
pub use event_type::same_event;
pub use notifier::{
    Admission, EventState, NewSubscription, Notification, Notifier, NotifierConfig, NotifierState,
    NotifierSubscription, NotifyOutcome, Package, SUBSCRIPTIONS_MAX, SubscribeAnswer, SubscribeVerdict, SubscriptionId,
    TerminationReason,
};
pub use origin::Origin;
pub use publication::{
    Publication, PublicationConfig, PublicationOutcome, PublishOperation, PublishRuling, rule_publish,
};
pub use refer::{
    REFERRAL_FIELDS_MAX, ReferConfig, ReferOutcome, ReferProgress, ReferSubscription, Referee, RefereeConfig, Referral,
    Referrer, refer_to_replacing,
};
pub use refusal::Refusal;
pub use subscriber::{
    Again, Condition, End, EndReason, FORKS_MAX, Fork, Notified, NotifyVerdict, SubscribeOutcome, Subscriber,
    SubscriberConfig, SubscriberDue, SubscriberState, Subscription,
};
