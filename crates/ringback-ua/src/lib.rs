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
mod exchange;
mod session_timer;

pub use agent::{Outbound, UserAgent};
pub use config::{
    CHALLENGES_ANSWERED_MAX, Config, FORKS_MAX, ForkPolicy, HOPS_MAX, Local, PROVISIONALS_MAX, SESSIONS_MAX,
};
pub use dialog::{DIALOG_BYTES_MAX, Dialog, DialogError, DialogId, OutOfOrder, ROUTES_MAX};
pub use event::{CommandError, EndReason, Event, Failure, InviteId, Lookup, RequestId, SessionId};
pub use exchange::{Carrier, Media, MediaError};
pub use session_timer::{SESSION_EXPIRES_MIN_SECS, SESSION_EXPIRES_SECS, SessionTimer, SessionTimers};
