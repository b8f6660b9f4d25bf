//! A user agent at work: one task that owns an [`Endpoint`](ringback_stack::Endpoint), its sockets, timers and look-ups.
//!
//! ```text
//!      Agent  Session  Calling … (handles, any number)
//!        │ commands, a bounded channel       │ what was dropped
//!   ┌────▼───────────────────────────────────▼────┐
//!   │ task: Desk = Endpoint + who waits for what  │──▶ a bounded channel for each handle, one for what comes in
//!   │ sockets, connections, timers, names         │
//!   └─────────────────────────────────────────────┘
//! ```
//!
//! Handles own what they stand for: one that is dropped is let go of, as [`UserAgent`](ringback_ua::UserAgent) has it. So each future
//! here may be dropped at any moment:
//!
//! | dropped | on the wire |
//! |---|---|
//! | [`Calling`], unanswered | CANCEL, once there is a provisional response; ACK and BYE if a 2xx wins `[RFC 3261, Section 9.1]` |
//! | [`Session`], an INVITE of theirs that has no final response | 500 |
//! | [`Session`], standing | BYE |
//! | [`ServerRequest`], unanswered | 500 |
//! | [`Registering`] | REGISTER that removes the binding |
//! | [`Following`], before a final code | NOTIFY with 603 |
//! | [`Subscribing`] | SUBSCRIBE that ends the subscription |
//! | [`Notifying`] | NOTIFY that ends the subscription |
//!
//! No queue grows without a limit. An event of a session whose handle has [`EVENTS_MAX`] of them unread is lost, and what wants an
//! answer is refused then; why the session ended is never lost. What comes in while [`AgentOptions::incoming_max`] others wait is
//! answered with 503.

mod calling;
mod desk;
mod handle;
mod lease;
mod names;
mod referring;
mod rows;
mod session;
mod start;
mod subscribing;
mod task;
mod usages;
mod watch;

pub use calling::{Answered, Calling, CallingEvent};
pub use handle::{Agent, Incoming, Registering, RegistrationTold, Requesting, ServerRequest};
pub use referring::{Following, Referring};
pub use rows::{EVENTS_MAX, PROGRESS_MAX};
pub use session::{Changing, Session, SessionEvent};
pub use start::{AgentBound, AgentOptions, COMMANDS_MAX, HANDLERS_MAX, INCOMING_MAX};
pub use subscribing::{Notifying, Subscribing};
pub use watch::Seen;
