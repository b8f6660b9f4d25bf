//! The transaction layer of SIP: four machines, their timers and their table, without I/O.
//!
//! ```text
//!                        the transaction user (TU): a proxy, a UA
//!        request()  respond()  abandon()  send()                      ▲
//!             │         │          │         │                        │ poll_event()
//!             ▼         ▼          ▼         │                        │
//!   ┌───────────────────────────────────────────────────────────────────────────────┐
//!   │  client transactions                 │   server transactions                   │
//!   │  INVITE       RFC 6026, Figure 5     │   INVITE       RFC 6026, Figure 7       │
//!   │  non-INVITE   RFC 3261, Figure 6     │   non-INVITE   RFC 3261, Figure 8       │
//!   │  found by branch and method          │   found by branch, sent-by and method   │
//!   └───────────────────────────────────────────────────────────────────────────────┘
//!             ▲                    ▲              ▲         │
//!             │                    │              │         │ poll_transmit(), poll_timeout()
//!   handle_response()   handle_request()   handle_timeout() ▼
//!                     transport and clock: the caller's
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `invite_client` and three more | the machines, each under the RFC's figure; `docs/machines.md` draws them |
//! | `transactions` | [`Transactions`]: brings inputs to machines |
//! | `key`, `hops`, `merges` | what identifies a transaction, and the indexes over it |
//! | `timers`, `peers` | [`Timers`], derived from T1, T2 and T4 or set one by one, for all or for a peer; [`Reason`] |
//! | `state` | [`State`], by the figures' names |
//! | `detours` | [`Detours`]: other ways of responses whose own is gone |
//! | `event` | [`Event`], [`Transmit`], the errors, [`Counters`] |
//!
//! The sources are `[RFC 3261, Section 17]`, corrected by RFC 6026 (Accepted, Timers L and M; no machine dies of a
//! transport error while it has to answer) and RFC 4320 (a non-INVITE that runs out of time gets no response at all).
//! What the layer leaves to the TU: the 100, Timer C, the repetition of a 2xx and its ACK, and that it sends no 408 to
//! a non-INVITE.
//!
//! The main loop, here with both sides in one process:
//!
//! ```
//! use bytes::Bytes;
//! use ringback_base::{Hop, KeyedHash, Micros, Now};
//! use ringback_message::{Message, Request, Response, StatusCode};
//! use ringback_transaction::{Config, Event, Reason, Transactions};
//!
//! let mut now = Now::default();
//! let mut alice = Transactions::new(Config::default(), KeyedHash::with_key(1, 2));
//! let mut bob = Transactions::new(Config::default(), KeyedHash::with_key(3, 4));
//! let to_bob = Hop::udp("192.0.2.1:5060".parse()?, "192.0.2.2:5060".parse()?);
//! let to_alice = Hop::udp(to_bob.remote, to_bob.local);
//!
//! let options = Request::check(Message::parse(Bytes::from_static(
//!     b"OPTIONS sip:bob@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK77ef4c\r\nMax-Forwards: 70\r\n\
//!       From: <sip:alice@192.0.2.1>;tag=1\r\nTo: <sip:bob@192.0.2.2>\r\n\
//!       Call-ID: a84b@192.0.2.1\r\nCSeq: 1 OPTIONS\r\n\r\n",
//! ))?)?;
//! let asked = alice.request(options, to_bob, now)?;
//!
//! let (mut answer, mut lost) = (None, 0);
//! loop {
//!     while let Some(transmit) = alice.poll_transmit() {
//!         if lost == 0 {
//!             lost = 1;
//!         } else {
//!             bob.handle_request(Request::check(Message::parse(transmit.bytes)?)?, to_alice, now);
//!         }
//!     }
//!     while let Some(event) = bob.poll_event() {
//!         if let Event::Request { id } = event {
//!             let request = bob.server_request(id).ok_or("it is new")?;
//!             let ok = Response::to(request, StatusCode::Ok).to_tag("2").build()?;
//!             bob.respond(id, ok, now)?;
//!         }
//!     }
//!     while let Some(transmit) = bob.poll_transmit() {
//!         alice.handle_response(Response::check(Message::parse(transmit.bytes)?)?, to_bob, now);
//!     }
//!     while let Some(event) = alice.poll_event() {
//!         match event {
//!             Event::Response { id, response } if id == asked => answer = Some((response.status(), now.mono)),
//!             _ => {}
//!         }
//!     }
//!     // Then sleep until the first timer, or until something comes in.
//!     let next = [&alice, &bob].into_iter().filter_map(Transactions::poll_timeout).min();
//!     let Some((at, _timer)) = next else { break };
//!     now = now.after(at.since(now.mono));
//!     alice.handle_timeout(now);
//!     bob.handle_timeout(now);
//! }
//! // The first datagram was lost, and Timer E sent the request again. Timers K and J let go of both sides.
//! assert_eq!(answer, Some((StatusCode::Ok, Micros::from_ms(500))));
//! assert!(alice.is_idle() && bob.is_idle());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![no_std]

extern crate alloc;

mod client;
mod detours;
mod effects;
mod event;
mod hops;
mod invite_client;
mod invite_server;
mod key;
mod merges;
mod non_invite_client;
mod non_invite_server;
mod peers;
mod server;
mod state;
mod timers;
mod transactions;

pub use detours::Detours;
pub use event::{ClientId, Counters, Event, RequestError, RespondError, ServerId, Transmit};
pub use state::State;
pub use timers::{Reason, Timers};
pub use transactions::{Config, TRANSACTIONS_MAX, Transactions};
