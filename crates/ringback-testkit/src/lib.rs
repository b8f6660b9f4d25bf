//! A server in a simulated world: the very [`Stack`](ringback_stack::Stack) that runs behind sockets, with a network, phones and
//! a clock that are pure functions of a seed.
//!
//! ```text
//!                 Scenario: drawn from a seed          your own: World::schedule(at, Deed)
//!                        └──────────────────┬───────────────────┘
//!                                           ▼
//!   ┌─ World ── queue of what is due, one clock ──────────────────────────────────────────┐
//!   │                                                                                     │
//!   │  Phone ◀──┐                                            ┌──▶ Surroundings: accounts, │
//!   │  Phone ◀──┼─▶ Network: latency, loss, … ◀──▶ Stack ◀───┤    bindings, durable or    │
//!   │ stranger ─┘    of each link its own luck       ▲       └──  lost at the next crash  │
//!   │                                                │                                    │
//!   │                                   Checker: a model that looks on                    │
//!   └─────────────────────────────────────────────────────────────────────────────────────┘
//!              Trace ─▶ digest            Violation ─▶ Failure: seed, step, ladder, capture
//! ```
//!
//! | module | holds |
//! |---|---|
//! | [`world`] | [`World`](world::World): server, phones, network and clock |
//! | [`agents`] | the library's user agents with their applications, their model, and runs of them |
//! | [`scenario`] | [`Scenario`](scenario::Scenario): whole runs drawn from a number |
//! | [`check`] | the invariants of the design, and the model that checks them at each step |
//! | [`lab`] | [`Lab`](lab::Lab): a network and a clock for what you build on the library yourself |
//! | [`phone`] | scripted user agents with good manners and bad |
//! | [`strange`] | what strangers send |
//! | [`net`] | links, packets and their fates |
//! | [`streams`] | connections that are cut into pieces and break at any byte |
//! | [`surroundings`] | what the server asks, with delays, failures, lost races and crashes |
//! | [`zone`] | the records that its resolver knows |
//! | [`trace`], [`ladder`], [`pcap`], [`failure`] | what happened, and how it is told |
//! | [`notation`] | scripts in virtual time that read like the figures of the RFCs |
//!
//! A run that violates an invariant ends with a [`Failure`](failure::Failure), which says its seed, draws the call that shows it,
//! and names the capture that it wrote, in the folder that `RINGBACK_SIM_OUT` names. The same seed is the same run to the byte.
//!
//! ```
//! use ringback_base::Micros;
//! use ringback_testkit::net::Quality;
//! use ringback_testkit::phone::{Act, CallPlan, Line, Manners};
//! use ringback_testkit::world::{DOMAIN, Deed, Setup, World, server_addresses};
//!
//! let mut world = World::new(Setup { quality: Quality::INTERNET, ..Setup::new(7) })?;
//! let [server, _] = server_addresses();
//! let mut phones = Vec::new();
//! for (user, host) in [("alice", 1), ("bob", 2)] {
//!     world.add_user(user, "secret");
//!     let line = Line {
//!         name: user.into(),
//!         user: user.into(),
//!         domain: DOMAIN.into(),
//!         password: "secret".into(),
//!         address: ([198, 18, 0, host], 5060).into(),
//!         server,
//!         q: None,
//!         expires_secs: 300,
//!     };
//!     let phone = world.add_phone(line, Manners::default());
//!     world.schedule(Micros(0), Deed::Phone(phone, Act::Register));
//!     phones.push(phone);
//! }
//! world.schedule(Micros::from_secs(2), Deed::Phone(phones[0], Act::Call(CallPlan::new(1, "bob"))));
//! world.run_until(Micros::from_secs(60))?;
//! let summary = world.finish()?;
//! assert_eq!(summary.calls[&1].status, Some(200));
//! assert_eq!(summary.diaries["bob"].ended, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **Not simulated yet:** NAT, phones and labs by streams, keep-alives.

pub mod agents;
pub mod check;
pub mod failure;
pub mod lab;
pub mod ladder;
pub mod net;
pub mod notation;
pub mod pcap;
pub mod phone;
pub mod scenario;
pub mod strange;
pub mod streams;
pub mod surroundings;
pub mod trace;
pub mod world;
pub mod zone;
