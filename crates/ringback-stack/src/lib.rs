//! All protocol cores in one object that does no I/O: the simulation and the server run the very same.
//!
//! ```text
//!                  handle_datagram        handle_answer      handle_timeout
//!                        │                      │                  │
//!   ┌────────────────────▼──────────────────────▼──────────────────▼─────────┐
//!   │ intake ─▶ transactions ─▶ dispatch ─┬─▶ server itself, registrar ─┐     │
//!   │                 ▲                   └─▶ relay ─▶ contexts ────────┤     │
//!   │                 └──────────── responses, new requests ◀───────────┘     │
//!   └──────┬───────────────────┬─────────────────┬───────────────────┬───────┘
//!     poll_transmit       poll_lookup        poll_event         poll_timeout
//! ```
//!
//! One shard owns one [`Stack`] and feeds it; nothing in it is shared or locked.
//!
//! ```
//! use bytes::Bytes;
//! use ringback_base::{Hop, Now, Random};
//! use ringback_stack::{Config, Listener, Stack};
//!
//! let address = "127.0.0.1:5060".parse()?;
//! let config = Config::new("example.com", vec![Listener::udp(address)]);
//! let mut stack = Stack::new(config, Random::from_seed([7; 32]))?;
//! let datagram = Bytes::from_static(
//!     b"OPTIONS sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK1\r\nFrom: <sip:a@a.example>;tag=1\r\n\
//!       To: <sip:example.com>\r\nCall-ID: 7@a.example\r\nCSeq: 1 OPTIONS\r\n\r\n",
//! );
//! stack.handle_datagram(datagram, Hop::udp(address, "127.0.0.1:5070".parse()?), Now::default());
//! let answer = stack.poll_transmit().ok_or("no answer")?;
//! assert!(answer.bytes.starts_with(b"SIP/2.0 200 OK\r\n"));
//! assert_eq!(answer.hop.remote, "127.0.0.1:5070".parse()?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![no_std]

extern crate alloc;

mod branches;
mod calls;
mod config;
mod counters;
mod dispatch;
mod endpoint;
mod event;
mod intake;
mod jobs;
mod keep_alives;
mod lookup;
mod relay;
mod replies;
mod walks;

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use ringback_auth::Authenticator;
use ringback_base::{Hop, KeyedHash, Micros, Now, Random, Transport};
use ringback_message::Rejected;
use ringback_proxy::{LoopHash, Names, Routes};
use ringback_transaction::{Detours, Transactions, Transmit};
use ringback_transport::resolve::FailedTargets;
use ringback_transport::{peek_branch, peek_call_id};

pub use config::Config;
pub use counters::Counters;
pub use endpoint::{Endpoint, EndpointCounters, NameQuestion, QuestionToken};
pub use event::Event;
pub use lookup::{Account, Answer, Lookup, Query, Token};
pub use ringback_auth::AuthConfigError;
pub use ringback_proxy::{Advertised, Directory, Listed, Listener};

use branches::Wanted;
use calls::Calls;
use intake::parse_carried;
use jobs::Jobs;
use walks::Walks;

/// A registrar, redirect-free UAS and stateful proxy: one shard of a server.
#[derive(Debug)]
pub struct Stack {
    config: Config,
    names: Names,
    routes: Routes,
    loops: LoopHash,
    /// Identifies, for as long as the process lives, what is sent without a transaction.
    stateless: KeyedHash,
    auth: Authenticator,
    random: Random,
    transactions: Transactions,
    calls: Calls,
    jobs: Jobs,
    walks: Walks<Wanted>,
    failed_targets: FailedTargets,
    /// Server transactions whose responses go another way than their requests came.
    detours: Detours,
    events: VecDeque<Event>,
    counters: Counters,
    draining: bool,
}

/// What a stack waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// A timer of a transaction.
    Transaction(ringback_transaction::Reason),
    /// Timer C, or the end of a cancelled branch.
    Call,
    /// The deadline of a look-up.
    Lookup,
}

impl Stack {
    /// A stack under this configuration; all that it draws by chance comes from `random`.
    ///
    /// # Errors
    /// Where the settings of authentication contradict themselves.
    pub fn new(config: Config, mut random: Random) -> Result<Stack, AuthConfigError> {
        let mut transactions = Transactions::new(config.transactions, random.hasher());
        for (peer, timers) in &config.timers_of {
            transactions.set_timers_of(*peer, Some(*timers));
        }
        Ok(Stack {
            names: Names::new(&config.domain, &config.aliases, &config.listeners),
            routes: Routes::new(&config.route_secret),
            loops: LoopHash::new(Routes::new(&config.route_secret).hash()),
            stateless: random.hasher(),
            auth: config.authenticator(&mut random)?,
            transactions,
            calls: Calls::new(random.hasher()),
            jobs: Jobs::new(random.hasher()),
            walks: Walks::new(config.preferences()),
            failed_targets: FailedTargets::default(),
            detours: Detours::default(),
            events: VecDeque::new(),
            counters: Counters::default(),
            draining: false,
            random,
            config,
        })
    }

    /// A datagram came in at `hop.local` from `hop.remote`.
    pub fn handle_datagram(&mut self, bytes: Bytes, hop: Hop, now: Now) {
        self.receive(bytes, hop, now);
    }

    /// A message came in on the connection `hop.flow`, cut from its stream by [`ringback_transport::Stream`] or
    /// [`ringback_transport::websocket::WebSocket`].
    pub fn handle_message(&mut self, bytes: Bytes, hop: Hop, now: Now) {
        self.read(parse_carried(bytes, hop.transport), hop, now);
    }

    /// The stream of a connection can't be followed any further: what can be answered is. The connection is to be closed after that.
    pub fn handle_rejected(&mut self, rejected: Box<Rejected>, hop: Hop, now: Now) {
        self.read(Err(rejected), hop, now);
    }

    /// A question is answered. An answer to one that is no longer waited for does nothing.
    pub fn handle_answer(&mut self, token: Token, answer: Answer, now: Now) {
        if let Some((job, subject)) = self.jobs.take(token) {
            self.resume(job, &subject, answer, now);
        }
    }

    /// Nothing can be sent by this hop: refused, unreachable, too large.
    pub fn handle_send_failed(&mut self, hop: &Hop, now: Now) {
        self.transactions.handle_transport_error(hop, now);
        self.pump(None, now);
    }

    /// An ICMP error says that a datagram of ours, of which this is the start, did not arrive by this hop; true where it is a
    /// request that is still waited for. `[RFC 3261, Section 18.4]`
    ///
    /// Unlike [`Stack::handle_send_failed`] it concerns that request alone, because a stranger can make up such an error.
    pub fn handle_unreachable(&mut self, start: &[u8], hop: &Hop, now: Now) -> bool {
        let Some((method, branch)) = peek_branch(start) else { return false };
        let is_ours = self.transactions.handle_unreachable(method, branch, hop, now);
        self.pump(None, now);
        is_ours
    }

    /// Time has passed; what is due is done.
    pub fn handle_timeout(&mut self, now: Now) {
        self.transactions.handle_timeout(now);
        self.pump(None, now);
        while let Some((job, subject)) = self.jobs.take_due(now.mono) {
            self.resume(job, &subject, Answer::Failed, now);
        }
        while let Some(id) = self.calls.take_due(now.mono) {
            if let Some(call) = self.calls.call(id) {
                call.context.handle_timeout(now);
            }
            self.run(id, now);
        }
    }

    /// From now on new requests get 503; dialogs and open transactions go on.
    pub fn drain(&mut self) {
        self.draining = true;
    }

    /// True where nothing is open: no transaction, no relayed request, no look-up.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.transactions.is_idle() && self.calls.len() == 0 && self.jobs.len() == 0
    }

    /// True where nobody waits for an answer any more. Transactions that only absorb repetitions may still be open.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.jobs.len() == 0 && self.calls.all_answered()
    }

    /// The next message to send.
    #[must_use]
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transactions.poll_transmit()
    }

    /// The next question.
    #[must_use]
    pub fn poll_lookup(&mut self) -> Option<Lookup> {
        self.jobs.poll_lookup()
    }

    /// The next thing that an operator may want to know.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`Stack::handle_timeout`] is next wanted, and why.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<(Micros, Reason)> {
        let transaction = self.transactions.poll_timeout().map(|(at, reason)| (at, Reason::Transaction(reason)));
        let call = self.calls.poll_timeout().map(|at| (at, Reason::Call));
        let lookup = self.jobs.poll_timeout().map(|at| (at, Reason::Lookup));
        [transaction, call, lookup].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    /// How often things happened.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters.with(self.auth.counters())
    }

    /// What the transactions count.
    #[must_use]
    pub fn transactions(&self) -> &Transactions {
        &self.transactions
    }

    fn deadline(&self, now: Now) -> Micros {
        now.mono.plus(self.config.lookup_timeout)
    }

    /// A hop for the log where there is none.
    fn nowhere(&self) -> Hop {
        let none = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        Hop { transport: Transport::Udp, local: none, remote: none, flow: None }
    }
}

/// The shard that owns a datagram: by the keyed hash of its Call-ID, the same key in all shards.
///
/// A datagram without a Call-ID belongs to the first.
#[must_use]
pub fn owner(datagram: &[u8], hash: &KeyedHash, shards: u16) -> u16 {
    let Some(call_id) = peek_call_id(datagram).filter(|_| shards > 1) else { return 0 };
    u16::try_from(hash.of(&[call_id]) % u64::from(shards)).unwrap_or(0)
}
