//! The elements of a SIP server, without I/O: registrar, user agent server for what is addressed to it, and stateful proxy.
//!
//! ```text
//!   request ─▶ Names: ours? ──┬─ for the server itself ─▶ uas::answer, registrar::begin ─▶ Reply
//!                             └─ to be relayed ─▶ validate ─▶ Routes::preprocess ─▶ Context ─▶ Action::Start
//!                                                                 responses of branches ─▶ Context ─▶ Action::Respond
//! ```
//!
//! The elements ask for accounts, bindings and addresses by [`Query`] and are given an [`Answer`]; who asks where is not their business.
//!
//! ```
//! use bytes::Bytes;
//! use ringback_base::{Micros, Now};
//! use ringback_message::{Message, Request, StatusCode};
//! use ringback_proxy::{Action, Config, Context, Target};
//!
//! let invite = Request::check(Message::parse(Bytes::from_static(
//!     b"INVITE sip:bob@b.example SIP/2.0\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK1\r\nFrom: <sip:a@a.example>;tag=1\r\n\
//!       To: <sip:bob@b.example>\r\nCall-ID: 7@a.example\r\nCSeq: 1 INVITE\r\n\r\n",
//! ))?)?;
//! let target = Target::new(b"sip:bob@192.0.2.7", 1000);
//! let mut context = Context::new(&invite, vec![target], &Config::default());
//! context.start(Now::default());
//! let Some(Action::Start { branch, .. }) = context.poll_action() else { panic!("nothing starts") };
//! context.handle_failure(branch, StatusCode::RequestTimeout, Now::default());
//! assert!(matches!(context.poll_action(), Some(Action::Reply(reply)) if reply.status == StatusCode::RequestTimeout));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![no_std]

extern crate alloc;

pub mod authenticate;
pub mod registrar;
pub mod uas;

mod config;
mod context;
mod directory;
mod flow;
mod forward;
mod limit;
mod lookup;
mod names;
mod reply;
mod routes;
mod validate;

pub use config::Config;
pub use context::{Action, BranchId, Context, Final};
pub use directory::{Directory, Listed};
pub use flow::{Flow, Whose};
pub use forward::{DialogFlows, Onward, Target, next_hop};
pub use limit::Limit;
pub use lookup::{Account, Answer, Query};
pub use names::{Advertised, Listener, Names};
pub use reply::Reply;
pub use routes::{Routed, Routes};
pub use validate::{LoopHash, PROXY_OPTION_TAGS, require, validate};
