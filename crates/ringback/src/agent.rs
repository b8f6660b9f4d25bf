//! A user agent at work: calls, registrations and requests as futures, over sockets of this machine.
//!
//! ```
//! use ringback::agent::{Agent, Router};
//! use ringback::prelude::*;
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sound = || LocalMedia::audio(4000).codec(Codec::pcmu());
//! let bob = Agent::builder().identity("sip:bob@biloxi.example.com").media(sound()).bind("127.0.0.1:0").await?;
//! let address = bob.address();
//! tokio::spawn(bob.serve(Router::new().on_invite(async |call| call.answer().await?.ended().await)));
//!
//! let alice = Agent::builder().identity("sip:alice@atlanta.example.com").media(sound()).bind("127.0.0.1:0").await?;
//! let call = alice.invite(&format!("sip:bob@{address}")).await?;
//! assert_eq!(call.streams().await?.len(), 1);
//! call.hang_up().await?;
//! # Ok(())
//! # }
//! ```
//!
//! | type | stands for |
//! |---|---|
//! | [`Agent`] | sockets, and the task behind them; what comes in |
//! | [`AgentHandle`] | the same, to be cloned: calls, registers, sends requests |
//! | [`Invite`] | a call to be made; awaited it is a [`Call`] or a [`CallFailed`] |
//! | [`OutgoingCall`] | the same, once it was begun: step by step, and to be given up |
//! | [`IncomingCall`] | an INVITE of theirs that rings |
//! | [`Call`] | a session that stands, and its [`CallEvent`]s |
//! | [`Transfer`], [`IncomingRefer`] | a call that is to be somebody else's: ours, and theirs |
//! | [`Subscribed`], [`IncomingSubscription`], [`Watcher`] | states: what we are told, who asks us, whom we tell |
//! | [`IncomingRequest`] | another request of theirs |
//! | [`Router`] | handlers by method |
//! | [`Registered`] | a registration that is kept up |
//!
//! Who drops one of them lets go of what it stands for: an [`Invite`] that is being awaited is cancelled, an [`IncomingCall`] answered
//! with 500, a [`Call`] hung up, a [`Registered`] removed, a [`Subscribed`] ended. [`ringback_tokio::agent`] says it in full, and bounds every queue.
//!
//! Each handler runs in a `tracing` span that bears the Call-ID, as awaiting an [`Invite`] does. Secrets stand in no log.

pub(crate) mod builder;
mod call;
mod error;
mod incoming;
mod invite;
mod outgoing;
mod registered;
mod router;
mod subscription;
mod transfer;

pub use builder::{Agent, AgentBuilder, AgentHandle};
pub use call::{Call, CallChangeError, CallEvent, OfferedMedia};
pub use error::{AgentError, CallFailed, RegisterFailed, RequestFailed};
pub use incoming::{Incoming, IncomingCall, IncomingRequest};
pub use invite::Invite;
pub use outgoing::{OutgoingCall, OutgoingEvent};
pub use registered::{Register, Registered};
pub use ringback_tokio::agent as tasks;
pub use ringback_tokio::agent::HANDLERS_MAX;
pub use ringback_ua::{
    Admission, CommandError, EndReason, Event, EventState, Failure, Media, Outcome, PursuitStep, ReferTold,
    SessionTimer, SubscriberTold,
};
pub use router::{Handled, Router};
pub use subscription::{IncomingSubscription, Subscribe, Subscribed, Watcher};
pub use transfer::{IncomingRefer, Transfer, TransferFailed};
