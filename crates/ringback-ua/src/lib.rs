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
//! | `config`, `event` | what a user agent is set up with, and what it tells |
//! | `agent` | [`UserAgent`]: brings messages to sessions, and sends what they want sent |
//! | `agent/leg` | a session as it is kept |
//! | `agent/sending` | client requests: next hop, Via, credentials, further hops |
//! | `agent/calling`, `agent/called` | the INVITE that makes a session, from both sides |
//! | `agent/provisional` | what is said before the answer: ringing, 100rel, PRACK |
//! | `agent/redirects` | the INVITE that follows a 3xx |
//! | `agent/within`, `agent/modify` | requests within a session, from both sides |
//! | `agent/refusing` | what is said of a body that can't be had |
//! | `agent/aftermath` | what outlives a session: ACKs for repeated 2xx, what was open when it ended |
//! | `registration` | [`Registration`]: when to register, refresh, wait and give up |
//! | `agent/registrations` | what goes out for registrations, and what comes back |
//! | `agent/flows` | the connection and the GRUU that a registration gives |
//! | `subscriber`, `notifier` | RFC 6665 from both sides, with the conditions of RFC 5839 |
//! | `event_type` | when two event packages are the same |
//! | `refer` | RFC 3515 from both sides: [`Referrer`], [`Referee`], and what a Refer-To asks for |
//! | `publication` | RFC 3903: [`Publication`], and the rule of a compositor |
//! | `outcome` | [`Outcome`]: what a response asks of whoever sent the request; [`Said`]: what it says to people |
//! | `pursuit` | [`Pursuit`]: how far a call goes on by itself after a response that lets it |
//! | `agent/usages` | keeps those four, and brings them messages; `subscriptions`, `refers`, `publications` beside it are their calls |
//! | `origin`, `refusal` | who sends what these four send, and what they refuse with |
//!
//! A call, here with both sides in one process, and no time that passes:
//!
//! ```
//! use ringback_base::{Hop, Now, Random, Transport};
//! use ringback_message::{Message, Request, Response, StatusCode};
//! use ringback_sdp::Origin;
//! use ringback_sdp::negotiate::{Codec, Endpoint, LocalMedia};
//! use ringback_ua::{Config, EndReason, Event, Local, Media, Outbound, UserAgent};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let [alice_at, bob_at] = ["192.0.2.1:5060".parse()?, "192.0.2.2:5060".parse()?];
//! let agent = |user, at, seed| UserAgent::new(Config::new(user, vec![Local::new(Transport::Udp, at)]), Random::from_seed([seed; 32]));
//! let (mut alice, mut bob) = (agent("alice", alice_at, 1), agent("bob", bob_at, 2));
//! let sound = |user: &str, ip: &str| -> Result<Media, Box<dyn std::error::Error>> {
//!     let origin = Origin::parse(&format!("{user} 1 1 IN IP4 {ip}"))?;
//!     Ok(Media::Endpoint(Endpoint::new(origin, ip).media(LocalMedia::audio(40_000).codec(Codec::pcmu()))))
//! };
//! let now = Now::default();
//!
//! alice.invite(&Outbound::new("sip:alice@192.0.2.1", "sip:bob@192.0.2.2"), sound("alice", "192.0.2.1")?, now)?;
//! let mut story = Vec::new();
//! loop {
//!     let carried = carry(&mut alice, &mut bob, Hop::udp(bob_at, alice_at))? + carry(&mut bob, &mut alice, Hop::udp(alice_at, bob_at))?;
//!     while let Some(event) = bob.poll_event() {
//!         if let Event::Incoming { session, .. } = event {
//!             bob.ring(session, StatusCode::Ringing, Media::None, now)?;
//!             bob.answer(session, sound("bob", "192.0.2.2")?, now)?;
//!         }
//!     }
//!     while let Some(event) = alice.poll_event() {
//!         match event {
//!             Event::Progress { response, .. } => story.push(response.status().as_u16()),
//!             Event::Answered { session, response, .. } => {
//!                 story.push(response.status().as_u16());
//!                 assert!(alice.media(session).is_some_and(|media| media.streams().len() == 1));
//!                 alice.hang_up(session, now)?;
//!             }
//!             Event::Ended { reason, .. } => assert_eq!(reason, EndReason::LocalBye),
//!             _ => {}
//!         }
//!     }
//!     if carried == 0 {
//!         break;
//!     }
//! }
//! assert_eq!(story, [100, 180, 200]);
//! assert_eq!((alice.session_len(), bob.session_len()), (0, 0));
//! # Ok(())
//! # }
//!
//! /// Brings one's messages to the other, who gets them by this hop.
//! fn carry(from: &mut UserAgent, to: &mut UserAgent, hop: Hop) -> Result<usize, Box<dyn std::error::Error>> {
//!     let mut carried = 0;
//!     while let Some(transmit) = from.poll_transmit() {
//!         carried += 1;
//!         let message = Message::parse(transmit.bytes)?;
//!         if message.is_request() {
//!             to.handle_request(Request::check(message)?, hop, Now::default());
//!         } else {
//!             to.handle_response(Response::check(message)?, hop, Now::default());
//!         }
//!     }
//!     Ok(carried)
//! }
//! ```
#![no_std]

extern crate alloc;

mod agent;
mod blamed;
mod config;
mod dialog;
mod event;
mod event_type;
mod exchange;
mod notifier;
mod origin;
mod outcome;
#[cfg(test)]
mod probe;
mod publication;
mod pursuit;
mod refer;
mod refusal;
mod registration;
mod session_timer;
mod subscriber;

pub use agent::{Attempt, Outbound, SECURE_SOCKETS_MAX, SILENT_MAX, USAGES_MAX, UserAgent};
pub use config::{
    BODY_BYTES_MAX, Config, FORKS_MAX, ForkPolicy, HOPS_MAX, Local, PROVISIONALS_MAX, REGISTRATIONS_MAX, SESSIONS_MAX,
};
pub use dialog::{DIALOG_BYTES_MAX, Dialog, DialogError, DialogId, OutOfOrder, ROUTES_MAX};
pub use event::{
    CommandError, EndReason, Event, Failure, InviteId, Lookup, PublicationId, PublicationTold, ReferId, ReferTold,
    RefereeId, RegistrationId, RequestId, SessionId, SubscriberId, SubscriberTold,
};
pub use event_type::same_event;
pub use exchange::{Carrier, Media, MediaError, is_session_description, refusal_warning};
pub use notifier::{
    Admission, EventState, NewSubscription, Notification, Notifier, NotifierConfig, NotifierState,
    NotifierSubscription, NotifyOutcome, Package, SUBSCRIPTIONS_MAX, SubscribeAnswer, SubscribeVerdict, SubscriptionId,
    TerminationReason,
};
pub use origin::Origin;
pub use outcome::{
    Acceptable, Correction, Described, OUTCOME_ITEMS_MAX, Outcome, Progress, Question, Redirect, Redirection, Said,
    Target, Wait, Why, blame,
};
pub use publication::{
    Publication, PublicationConfig, PublicationOutcome, PublishOperation, PublishRuling, rule_publish,
};
pub use pursuit::{CALL_REQUESTS_MAX, Pursuit, PursuitStep};
pub use refer::{
    REFERRAL_FIELDS_MAX, ReferConfig, ReferOutcome, ReferProgress, ReferSubscription, Referee, RefereeConfig, Referral,
    Referrer, refer_to_replacing,
};
pub use refusal::Refusal;
pub use registration::{
    BINDINGS_READ_MAX, CONTACTS_MAX, Gruu, LEARNT_BYTES_MAX, Registration, RegistrationConfig, RegistrationContact,
    RegistrationError, RegistrationEvent, RegistrationPolicy, RegistrationState, RegistrationStep, TOO_BRIEF_MAX,
};
pub use session_timer::{SESSION_EXPIRES_MIN_SECS, SESSION_EXPIRES_SECS, SessionTimer, SessionTimers};
pub use subscriber::{
    Again, Condition, Fork, Notified, NotifyVerdict, SUBSCRIPTION_FORKS_MAX, SubscribeOutcome, Subscriber,
    SubscriberConfig, SubscriberDue, SubscriberState, Subscription, SubscriptionEnd, SubscriptionEndReason,
};
