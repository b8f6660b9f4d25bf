//! User agents without I/O: dialogs, INVITE sessions, and all that is sent in them.
//!
//! ```text
//!                     the application
//!    invite() ring() answer() hang_up() …      ▲ poll_event()
//!          │                                    │
//!          ▼                                    │
//!   ┌──────────────────────────────────────────────────────────────┐
//!   │ UserAgent                                                     │
//!   │   sessions   Dialog + offer and answer + session timer        │
//!   │   requests   next hop, credentials, further hops              │
//!   │   ringback_transaction::Transactions                          │
//!   └──────────────────────────────────────────────────────────────┘
//!      ▲ handle_request(), handle_response(),      │ poll_transmit()
//!      │ handle_hops(), handle_timeout()           ▼ poll_lookup(), poll_timeout()
//!                transport, names and clock: the caller's
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `dialog` | [`Dialog`]: route set, remote target, CSeq |
//! | `exchange` | which offer is open in a dialog, and what a body that comes in is then |
//! | `session_timer` | RFC 4028 as pure functions |
//! | `agent` | [`UserAgent`]: brings messages to sessions, and sends what they want sent |
//! | `agent/sending` | client requests: next hop, Via, credentials, further hops |
//! | `agent/calling`, `agent/called` | the INVITE that makes a session, from both sides |
//! | `agent/within`, `agent/modify` | requests within a session, from both sides |
#![no_std]

extern crate alloc;

mod agent;
mod config;
mod dialog;
mod event;
mod event_type;
mod exchange;
mod notifier;
mod origin;
#[cfg(test)]
mod probe;
mod publication;
mod refer;
mod refusal;
mod session_timer;
mod subscriber;

pub use agent::{Outbound, USAGES_MAX, UserAgent};
pub use config::{
    CHALLENGES_ANSWERED_MAX, Config, FORKS_MAX, ForkPolicy, HOPS_MAX, Local, PROVISIONALS_MAX, SESSIONS_MAX,
};
pub use dialog::{DIALOG_BYTES_MAX, Dialog, DialogError, DialogId, OutOfOrder, ROUTES_MAX};
pub use event::{
    CommandError, EndReason, Event, Failure, InviteId, Lookup, PublicationId, PublicationTold, ReferId, ReferTold,
    RefereeId, RequestId, SessionId, SubscriberId, SubscriberTold,
};
pub use event_type::same_event;
pub use exchange::{Carrier, Media, MediaError};
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
pub use session_timer::{SESSION_EXPIRES_MIN_SECS, SESSION_EXPIRES_SECS, SessionTimer, SessionTimers};
pub use subscriber::{
    Again, Condition, Fork, Notified, NotifyVerdict, SUBSCRIPTION_FORKS_MAX, SubscribeOutcome, Subscriber,
    SubscriberConfig, SubscriberDue, SubscriberState, Subscription, SubscriptionEnd, SubscriptionEndReason,
};

use ringback_message::{HeaderId, Message};

/// Whether a list of tokens holds this one, in any case.
fn lists(message: &Message, id: HeaderId, token: &str) -> bool {
    message.tokens(id).flatten().any(|listed| listed.eq_ignore_ascii_case(token.as_bytes()))
}
