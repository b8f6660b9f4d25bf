//! Sockets, timers and shards for a Ringback stack: the only crate of the protocol path that knows tokio.
//!
//! ```text
//!            kernel, one port, sockets for each shard (SO_REUSEPORT)
//!                  │                                   │
//!        ┌─────────▼─────────┐   Call-ID is    ┌───────▼───────────┐
//!        │ thread shard-0    │   another's     │ thread shard-1    │
//!        │  sockets ─▶ Stack ├────────────────▶│  Stack ◀─ sockets │
//!        │    ▲          │   │◀────────────────┤                   │
//!        └────┴────┬─────▼───┘  connection is  └───┬───────────────┘
//!          answers │  look-ups    another's       │
//!               ┌──▼───────────────────────────────▼──┐
//!               │ LocationDb     Accounts    resolver │
//!               └─────────────────────────────────────┘
//! ```
//!
//! A shard is one thread that owns one [`Stack`](ringback_stack::Stack), sockets for each listener, connections, and no lock. Its
//! loop: due timers, what the stack has to send, say and ask, then inputs (answers, what others read for it, its own sockets and
//! connections), each within a budget, so that no source starves another; then it waits. [`Now`](ringback_base::Now) is made once a
//! turn.
//!
//! A message belongs to the shard of its Call-ID's keyed hash. The kernel spreads datagrams and connections by addresses, so what was
//! read by another shard goes to its owner by a bounded channel. A connection stays with the shard that accepted or opened it; the
//! others send through that one, by a second channel, and find it by the [`FlowId`](ringback_base::FlowId) that its messages came
//! with, or by its far end.
//!
//! What peers may take of connections is in [`TcpLimits`]; [`IoCounters`] tells how often each limit was reached. A peer that does not
//! read, or does not end what it began, loses its own connection and nobody else's.
//!
//! A shard that ends, by a panic or otherwise, is told by [`Running::failed`]: the server is to end with an error then, because a process
//! that goes on without a part of its calls looks healthy and is not.
//!
//! ```
//! # use std::{net::UdpSocket, sync::Arc, time::Duration};
//! use ringback_base::Now;
//! use ringback_location_db::{LocationDb, Options};
//! use ringback_stack::{Account, Config};
//! use ringback_tokio::{Accounts, Backends, Bound, ListenOn};
//!
//! struct Nobody;
//! impl Accounts for Nobody {
//!     fn find(&self, _user: &str) -> Option<Account> {
//!         None
//!     }
//! }
//!
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("location.redb");
//! let location = LocationDb::open(&path, Options::default(), Now::default())?;
//! let address = "127.0.0.1:0".parse()?;
//! let bound = Bound::open(&[ListenOn::new(address)], 2)?;
//! let config = Config::new("localhost", bound.listeners());
//! let running = bound.start(&config, &Backends { location, accounts: Arc::new(Nobody) })?;
//! # let phone = UdpSocket::bind("127.0.0.1:0")?;
//! # phone.send_to(b"OPTIONS sip:localhost SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bK1\r\nFrom: <sip:a@a.example>;tag=1\r\n\
//! #   To: <sip:localhost>\r\nCall-ID: 7@a.example\r\nCSeq: 1 OPTIONS\r\n\r\n", running.listeners()[0].address)?;
//! # phone.set_read_timeout(Some(Duration::from_secs(10)))?;
//! # let mut answer = [0; 15];
//! # let _ = phone.recv(&mut answer);
//! # assert_eq!(answer, *b"SIP/2.0 200 OK\r");
//! # let main = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
//! main.block_on(running.drain(Duration::from_millis(100)))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod agent;
mod bind;
mod clock;
mod counters;
mod dns;
mod events;
mod icmp;
mod inbox;
mod lookups;
mod network;
mod outbox;
mod pause;
mod ring;
mod server;
mod shard;
mod socket;
mod tally;
mod tcp;
pub mod tls;
mod trouble;

pub use bind::{BindError, BindErrorKind, ListenOn, SOCKET_BUFFER_BYTES};
pub use clock::Clock;
pub use counters::IoCounters;
pub use dns::{DnsClient, DnsOptions, RESOLVES_MAX};
pub use events::LOG_LINES_PER_SEC;
pub use lookups::{ANSWERS_MAX, Accounts, Backends};
pub use network::{Network, NetworkError};
pub use outbox::BACKLOG_MAX;
pub use ring::{CARRIED_MAX, HANDED_MAX};
pub use ringback_transport::StreamLimits;
pub use server::{Bound, Drained, Running, ShardEnded, StartError};
pub use tally::Tally;
pub use tcp::limits::TcpLimits;
pub use trouble::Trouble;
