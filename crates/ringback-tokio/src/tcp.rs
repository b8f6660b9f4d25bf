//! TCP, and what is spoken over it: connections of one shard, from accept or connect to the end.
//!
//! ```text
//!   accept ──admit──▶ Open ◀──connected── Connecting ──failed, too late──▶ gone
//!     │                │ ▲                    │
//!     │ TLS            │ └─agreed─ Handshaking ◀── TLS ──failed, too late──▶ gone
//!     └──────────────────────────────▲
//!                      │
//!        peer ends, or its stream can't be followed
//!                      ▼
//!                  Answering ──all is answered, or time is up──▶ gone (the peer has ended)
//!                      │                                          Lingering ──the peer ends too, or time is up──▶ gone
//!                      └──the peer has not ended──────────────────▶
//! ```
//!
//! A connection is not a task of its own: it is a row of the shard's table, and its waker writes its name down in
//! [`signal::Ready`], so that a turn of the shard costs what is ready and not what is open.

pub(crate) mod acceptor;
mod announced;
pub(crate) mod census;
pub(crate) mod connection;
pub(crate) mod directory;
pub(crate) mod framing;
pub(crate) mod limits;
pub(crate) mod queue;
pub(crate) mod signal;
pub(crate) mod table;
pub(crate) mod wire;
